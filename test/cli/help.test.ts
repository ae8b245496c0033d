import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { version } from '../../lib/torch/index.js';
import { base, builtInFiles, checkerFiles, variations } from '../hub/helpers/repositories.js';
import { useHub } from '../hub/helpers/use-hub.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const program = resolve('dist/lib/cli/main.js');

/** An empty folder, with `karlo` on the PATH. */
function place() {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, 'work'));
  writeFileSync(join(bin, 'karlo'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(bin, 'karlo'), 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const cwd = join(folder, 'work');
  const shell = (line: string) => spawnSync('sh', ['-c', line], { cwd, env, encoding: 'utf8' });
  return { cwd, env, shell };
}

/** The lines under `Examples:` of a command's help. */
function examplesIn(help: string): string[] {
  const [, examples = ''] = help.split('Examples:\n');
  const [lines = ''] = examples.split('\n\n');
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

test.each([
  ['generate', ['again.png', 'best.png', 'moon.png', 'out', 'ring.webp']],
  ['vary', ['heart.png', 'out']],
  ['finish', ['a-red-heart-2.png', 'out']],
  ['mix', ['again.png', 'mixed.png', 'out']],
  ['interpolate', ['frames', 'more.gif', 'morph.webp']],
  ['edit', ['heart-edit-0.png', 'less.png']],
  ['img2img', ['heart.png', 'out']],
  ['inpaint', ['mask.png', 'out']],
  ['invert', ['exact.json', 'heart.inversion.json']],
  ['reconstruct', ['blue.png', 'out']],
  ['upscale', ['large.png']],
  ['info', ['heart.png']],
])('the examples of karlo %s --help run as pasted', { timeout: 300_000 }, (command, made) => {
  const { cwd, shell } = place();
  const help = shell(`karlo ${command} --help`);
  expect(help.status).toBe(0);
  const lines = examplesIn(help.stdout);
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    const { status, stderr } = shell(line);
    const written = expect.stringMatching(/^(Wrote .* \(seeds? .*\) in \d+\.\d s.*\n)?$/);
    expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: written });
  }
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(made));
});

describe('with a mock hub that has the published repositories', () => {
  const hub = useHub();
  /** As `shell`, asynchronously, because the mock hub runs in this process. */
  const run = (line: string, { cwd, env }: ReturnType<typeof place>) => {
    const all = { ...env, ...hub.env, KARLO_LIBTORCH: version().folder };
    const child = spawn('sh', ['-c', line], { cwd, env: all, stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    return new Promise<{ status: number | null; output: string }>((done) => {
      child.on('close', (status) => done({ status, output }));
    });
  };

  test('the examples of pull, models and convert run as pasted', { timeout: 300_000 }, async () => {
    const here = place();
    hub.hub.repositories.set(base, builtInFiles(/^(image_encoder|feature_extractor)/));
    hub.hub.repositories.set(variations, builtInFiles(/^prior/));
    hub.hub.repositories.set('CompVis/stable-diffusion-safety-checker', checkerFiles());
    // Only the real files of Kakao have the expected hashes, and no pull was interrupted.
    const excluded = [/pull kakao$/, /--partial$/];
    for (const command of ['pull', 'convert', 'models']) {
      const lines = examplesIn(here.shell(`karlo ${command} --help`).stdout);
      expect(lines.length).toBeGreaterThan(1);
      for (const line of lines.filter((one) => !excluded.some((pattern) => pattern.test(one)))) {
        const { status, output } = await run(line, here);
        expect({ line, status, output }).toEqual({ line, status: 0, output });
      }
    }
    expect(readdirSync(here.cwd).sort()).toEqual(['karlo-bfloat16', 'karlo-tiny-converted']);
  });
});

test('every command has help with examples', { timeout: 120_000 }, () => {
  const { shell } = place();
  const [, list = ''] = /Commands:\n(.*?)\n\n/s.exec(shell('karlo --help').stdout) ?? [];
  const commands = [...list.matchAll(/^ {2}([a-z\d]+)/gm)].map(([, command]) => command);
  expect(commands).toEqual(expect.arrayContaining(['generate', 'img2img', 'info', 'worker']));
  for (const command of commands.filter((one) => one !== 'help')) {
    expect(shell(`karlo ${command} --help`).stdout).toMatch(/Examples:\n {2}(KARLO\S+ )?karlo /);
  }
});

/** Flags whose value cannot be left out. */
const required = [
  'karlo worker --queue',
  'karlo edit --from',
  'karlo edit --to',
  'karlo inpaint --mask',
];

test('help states the default of every flag that takes a value', { timeout: 120_000 }, () => {
  const { shell } = place();
  const commands = [
    'generate',
    'vary',
    'finish',
    'mix',
    'interpolate',
    'edit',
    'img2img',
    'inpaint',
    'invert',
    'reconstruct',
    'upscale',
    'eval',
    'info',
    'setup',
    'convert',
    'serve',
    'worker',
    'mcp',
    'pull',
  ];
  for (const command of commands) {
    const { stdout } = shell(`karlo ${command} --help`);
    const flags = stdout.split(/\n(?= {2}-)/).slice(1);
    expect(flags.length).toBeGreaterThan(1);
    for (const text of flags.map((flag) => flag.split('\n\n')[0] ?? '')) {
      const [, name, value] = /^ *(?:-\w, )?(--[\w-]+)( <)?/.exec(text) ?? [];
      if (value === undefined || required.includes(`karlo ${command} ${name}`)) continue;
      expect(text.replace(/\s+/g, ' ')).toMatch(/default: /);
    }
  }
});
