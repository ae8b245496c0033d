import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary.js';

const program = 'dist/lib/cli/main.js';
const short = ['--prior-steps', '3', '--decoder-steps', '3', '--upsample-steps', '2'];
const hasScript = spawnSync('script', ['--version']).status === 0;

/** Runs the program in a terminal, which `script` plays. */
function inTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const line = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    seen += text;
  });
  const ended = new Promise<number | null>((done) => child.on('close', done));
  return { child, ended, seen: () => seen };
}

describe.skipIf(!hasScript)('in a terminal', () => {
  test('there is a bar for each stage, with the time that is left', async () => {
    const out = temporaryFolder();
    const { ended, seen } = inTerminal(['a ring', '-n', '2', '--seed', '0', '-o', out, ...short]);
    expect(await ended).toBe(0);
    expect(seen()).toMatch(/Loading the model: \d+\.\d MB/);
    for (const [stage, steps] of Object.entries({ prior: 6, decoder: 6, upsample: 4 })) {
      expect(seen()).toMatch(new RegExp(`${stage} +\\[=+-*\\] \\d/${steps} +\\d+ s left`));
      expect(seen()).toMatch(new RegExp(`${stage} +\\[=+\\] ${steps}/${steps}`));
    }
  });

  test('--preview shows each step of the decoder and of super-resolution', async () => {
    const file = join(temporaryFolder(), 'ring.png');
    const env = { KITTY_WINDOW_ID: '1', TMUX: '', STY: '' };
    const { ended, seen } = inTerminal(['a ring', '-o', file, '--preview', ...short], env);
    expect(await ended).toBe(0);
    const sizes = [...seen().matchAll(/_Ga=T,f=24,o=z,s=(\d+)/g)].map(([, side]) => Number(side));
    expect(sizes).toEqual([32, 32, 32, 128, 128]);
  });

  test('Ctrl-C ends it with 130 and whole files', async () => {
    const out = temporaryFolder();
    const { child, ended, seen } = inTerminal(['a ring', '-n', '500', '-o', out, ...short]);
    while (!/upsample/.test(seen())) await new Promise((done) => setTimeout(done, 20));
    child.stdin.write('\x03');
    expect(await ended).toBe(130);
    for (const file of readdirSync(out)) expect(file).toMatch(/^a-ring-\d+\.png$/);
    // The cursor is shown again.
    expect(seen().lastIndexOf('\x1b[?25h')).toBeGreaterThan(seen().lastIndexOf('\x1b[?25l'));
  });
});
