import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const program = 'dist/lib/cli/main.js';
const short = ['--prior-steps', '3', '--decoder-steps', '3', '--upsample-steps', '2'];
const hasScript = spawnSync('script', ['--version']).status === 0;

/** Runs the program in a pseudo-terminal of `script`. */
function inTerminal(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  answer: (asked: string) => string = () => '',
) {
  const line = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    seen += text;
    const reply = answer(text);
    // Writing nothing would still fail if the program has ended.
    if (reply !== '') child.stdin.write(reply);
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  return { child, ended, seen: () => seen };
}

describe.skipIf(!hasScript)('in a terminal', () => {
  test('a bar shows image, stage and the remaining time', async () => {
    const out = temporaryFolder();
    const args = ['a ring', '-n', '2', '--seed', '0', '-o', out];
    const { ended, seen } = inTerminal([...args, '--candidates', '2', ...short]);
    expect(await ended).toBe(0);
    expect(seen()).toMatch(/Loading the model: \d+\.\d MB/);
    expect(seen()).toMatch(/\[=*-+\] image 1 of 2, draft 1 of 2, (prior|decoder) \d\/3/);
    expect(seen()).toMatch(/\[=+\] image 2 of 2, upsample 2\/2/);
  });

  const noTerminal = { KITTY_WINDOW_ID: '', TERM_PROGRAM: '', LC_TERMINAL: '', TMUX: '', STY: '' };
  /** The answer of a terminal with sixels. */
  const sixels = (asked: string) => (asked.includes('\x1b[c') ? '\x1b[6;8;4t\x1b[?62;4c' : '');
  /** Rows of a preview, of 8 pixels each. */
  const rows = 16;
  const one = Array(5).fill(8 * rows);

  test.each<[string, NodeJS.ProcessEnv, RegExp, number[]]>([
    ['kitty', { KITTY_WINDOW_ID: '1' }, /_Ga=T,f=24,o=z,s=(\d+)/g, [32, 32, 32, 128, 128]],
    ['iTerm2', { TERM_PROGRAM: 'iTerm.app' }, /1337;File=.*?;height=(\d+)/g, Array(5).fill(rows)],
    ['sixels', {}, /P0;1q"1;1;(\d+);\d+#/g, one],
  ])(
    '--preview shows steps of the decoder and of super-resolution in %s, up to the last',
    async (_name, names, picture, sizes) => {
      const file = join(temporaryFolder(), 'ring.png');
      const env = { ...noTerminal, ...names };
      const args = ['a ring', '-o', file, '--preview', ...short];
      const { ended, seen } = inTerminal(args, env, sixels);
      expect(await ended).toBe(0);
      const shown = [...seen().matchAll(picture)].map(([, size]) => Number(size));
      // While one is drawn, newer steps replace older ones that wait.
      expect(shown.length).toBeLessThanOrEqual(sizes.length);
      expect(shown.at(-1)).toBe(sizes.at(-1));
      for (const size of shown) expect(sizes).toContain(size);
    },
  );

  test('--preview in a terminal without images reports that, and shows a bar', async () => {
    const file = join(temporaryFolder(), 'ring.png');
    const args = ['a ring', '-o', file, '--preview', ...short];
    const none = (asked: string) => (asked.includes('\x1b[c') ? '\x1b[?62c' : '');
    const { ended, seen } = inTerminal(args, noTerminal, none);
    expect(await ended).toBe(0);
    expect(seen()).toMatch(/This terminal cannot show images/);
    expect(seen()).toMatch(/\[=+\] upsample 2\/2/);
  });

  test.each([
    ['n', 2, /Did you mean: karlo info\? Use 'infos' as a prompt\? \[y\/N\]/, []],
    ['y', 0, /Wrote .*infos-3\.png \(seed 3\)/, ['infos-3.png']],
  ])('a prompt that resembles a command is asked about: %s', async (reply, status, text, files) => {
    const out = temporaryFolder();
    const args = ['infos', '--seed', '3', '-o', out, ...short];
    const answer = (asked: string) => (asked.includes('[y/N]') ? `${reply}\r` : '');
    const { ended, seen } = inTerminal(args, {}, answer);
    expect(await ended).toBe(status);
    expect(seen()).toMatch(text);
    expect(readdirSync(out)).toEqual(files);
  });

  test('the bytes of an image are not written to it', async () => {
    const { ended, seen } = inTerminal(['a ring', '-o', '-', ...short]);
    expect(await ended).toBe(2);
    expect(seen()).toMatch(/stdout is a terminal: redirect it/);
  });

  test('Ctrl-C ends it with 130 and complete files', async () => {
    const out = temporaryFolder();
    const { child, ended, seen } = inTerminal(['a ring', '-n', '500', '-o', out, ...short]);
    while (!/upsample/.test(seen())) await new Promise((done) => setTimeout(done, 20));
    child.stdin.write('\x03');
    expect(await ended).toBe(130);
    for (const file of readdirSync(out)) expect(file).toMatch(/^a-ring-\d+\.png$/);
    // The cursor is visible again.
    expect(seen().lastIndexOf('\x1b[?25h')).toBeGreaterThan(seen().lastIndexOf('\x1b[?25l'));
  });
});
