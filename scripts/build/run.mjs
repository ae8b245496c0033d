import { spawnSync } from 'node:child_process';
import { isAbsolute } from 'node:path';

/**
 * Runs a program. Its output is shown only if it fails.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string }} [options]
 */
export function run(program, args, { cwd } = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 100e6,
    shell: process.platform === 'win32' && !isAbsolute(program), // npm is a script there
  });
  if (error) throw error;
  if (status === 0) return;
  const command = [program, ...args].join(' ');
  throw new Error(`${command} failed with ${signal ?? status}\n${stdout}${stderr}`.trimEnd());
}
