// The documentation is complete and up to date: error codes, options, commands, scripts, files, links.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { layers } from '../../.dependency-cruiser.mjs';
import { commandLine } from '../../scripts/build/python-clients.mjs';
import { root } from '../../scripts/build/ready.mjs';
import { writeReferences } from '../../scripts/docs/references.mjs';
import { markdownPages } from '../support/markdown-blocks.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found as string);

const guideText = markdownPages().map(read).join('\n');
const optionsPage = read('docs/reference/options.md');

const helpOf = async (...command: string[]) =>
  (await runProgram('dist/lib/cli/main.js', [...command, '--help'])).stdout;

test('the troubleshooting page has a section for every error code, and for no other', () => {
  const codes = all(read('lib/errors.ts'), /^ {2}\| '(ERR_KARLO_\w+)'/gm);
  expect(codes.length).toBeGreaterThan(10);
  const sections = all(read('docs/guide/troubleshooting.md'), /^## (ERR_KARLO_\w+)$/gm);
  expect(sections.sort()).toEqual(codes.sort());
});

test('the section of every error code has its causes, and how to fix each', () => {
  const sections = read('docs/guide/troubleshooting.md')
    .split(/^## (?=ERR_KARLO_)/m)
    .slice(1);
  for (const section of sections) {
    const [, table = ''] =
      /^\| cause \| fix \|\n\| --- \| --- \|\n((?:\|.*\n?)+)/m.exec(section) ?? [];
    const rows = all(table, /^\| \S.* \| (\S.*) \|$/gm);
    expect(rows, section.slice(0, 40)).not.toEqual([]);
  }
});

test.each([
  ['lib/karlo.ts', 'KarloOptions'],
  ['lib/options/types.generated.ts', 'LoadOptions'],
  ['lib/options/types.generated.ts', 'StageOptions'],
  ['lib/options/types.generated.ts', 'GenerationOptions'],
  ['lib/options/types.generated.ts', 'TextToImageOptions'],
  ['lib/options/types.generated.ts', 'ImageVariationOptions'],
])('%s: the options page has a row for every option of %s', (file, name) => {
  const [, body = ''] = new RegExp(`interface ${name}.*?\\{\n([^]*?)\n\\}`).exec(read(file)) ?? [];
  const options = all(body, /^ {2}(?:readonly )?(\w+)\?:/gm);
  expect(options).not.toEqual([]);
  const rows = all(optionsPage, /^\| (.+?) \|/gm).join('\n');
  for (const option of options) expect(rows).toContain(`\`${option}\``);
});

test('every flag on the options page exists', async () => {
  const commands = [
    ...['generate', 'vary', 'mix', 'interpolate', 'edit', 'invert', 'reconstruct', 'img2img'],
    ...['inpaint', 'upscale', 'eval'],
  ];
  const help = (await Promise.all(commands.map((command) => helpOf(command)))).join('\n');
  const ofNode = ['--permission', '--allow-child-process'];
  const flags = all(optionsPage, /`(--[a-z-]+)`/g).filter((flag) => !ofNode.includes(flag));
  expect(flags).toContain('--batch-size');
  for (const flag of flags) expect(help).toMatch(new RegExp(`${flag}\\b`));
});

test('every command and every script that a guide names exists', async () => {
  const help = await helpOf();
  const commands = all(guideText, /npx karlo ([a-z]+)\b/g);
  expect(commands).toContain('pull');
  for (const command of commands) expect(help).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  const { scripts } = JSON.parse(read('package.json'));
  const names = all(guideText, /npm run (?:--silent )?([\w:]+)/g);
  expect(names).toContain('prebuild');
  for (const name of names) expect(Object.keys(scripts)).toContain(name);
});

test('the tables of machines are those that karlo.estimate computes', async () => {
  const { status, stderr } = await runProgram('scripts/docs/machines.mjs', ['--check']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('CONTRIBUTING shows the layers of lib/ that the import rule has, in its order', () => {
  const [, table = ''] = /^\| `lib\/` \|.*\n.*\n((?:\|.*\n)+)/m.exec(read('CONTRIBUTING.md')) ?? [];
  const shown = all(table, /^\| (.+?) \|/gm).map((cell) => cell.match(/[a-z][\w-]+(?=\/|\.ts)/g));
  expect(shown).toEqual(layers.map((layer) => layer.split(' | ')));
});

test('every file that the glossary names exists', () => {
  const paths = all(read('docs/guide/glossary.md'), /`((?:lib|native)\/[^`]*)`/g);
  expect(paths.length).toBeGreaterThan(40);
  for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
});

test('the page about clients has the versions that the tests run', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >;
  const npm = ['openai', 'openai-4', 'ai-6', '@ai-sdk/openai-compatible', '@langchain/openai'];
  const python = all(`${read('test/clients/requirements.txt')}${commandLine}`, /==(.+)$/gm);
  const versions = [...npm.map((name) => devDependencies?.[name] ?? ''), ...python];
  const table = all(read('docs/guide/clients.md'), /^\|(.+\d\.\d.+)\|$/gm).join('\n');
  expect(versions).toHaveLength(9);
  for (const version of versions) expect(table).toContain(version.replace(/^.*@/, ''));
});

test('the README has at most 170 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(170);
});

describe('the check of Markdown files', () => {
  const check = (cwd: string) => {
    const program = join(root, 'node_modules', '.bin', 'markdownlint-cli2');
    const config = ['--config', join(root, '.markdownlint-cli2.mjs')];
    return spawnSync(program, config, {
      cwd,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
  };

  test('every relative link and every anchor in the repository leads somewhere', async () => {
    await writeReferences(); // Guides link to them.
    expect(check(root)).toMatchObject({ status: 0, stderr: '' });
  });

  test('reports dead links and anchors, and a README that is too long', () => {
    const folder = temporaryFolder();
    const links = '[a](gone.md) [b](#gone) [c](other.md#gone) ![d](gone.png)';
    writeFileSync(join(folder, 'README.md'), `# A\n\n${links}\n${'\nline\n'.repeat(84)}`);
    writeFileSync(join(folder, 'other.md'), '# Other\n\n[e](README.md#a)\n');
    const { status, stderr } = check(folder);
    expect(status).toBe(1);
    const problems = ['"gone.md"', '(#gone)', '"other.md#gone"', '"gone.png"', 'It has 171'];
    for (const problem of problems) expect(stderr).toContain(problem);
    expect(stderr.trimEnd().split('\n')).toHaveLength(problems.length);
  });
});
