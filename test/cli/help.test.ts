import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary.js';

const program = resolve('dist/lib/cli/main.js');

/** A folder with nothing in it, where `karlo` can be called. */
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
  return { cwd, shell };
}

test.each([
  ['generate', ['again.png', 'out', 'ring.webp']],
  ['vary', ['heart.png', 'out']],
  ['info', ['heart.png']],
])('the examples of karlo %s --help run as pasted', { timeout: 300_000 }, (command, made) => {
  const { cwd, shell } = place();
  const help = shell(`karlo ${command} --help`);
  expect(help.status).toBe(0);
  const [, examples = ''] = help.stdout.split('Examples:\n');
  const lines = examples.trim().split('\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    const { status, stderr } = shell(line);
    expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
  }
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(made));
});

test('every command has help with examples', () => {
  const { shell } = place();
  const commands = ['convert', 'models', 'pull', 'serve', 'setup', 'worker'];
  for (const command of commands) {
    expect(shell(`karlo ${command} --help`).stdout).toMatch(/Examples:\n {2}(KARLO\S+ )?karlo /);
  }
});
