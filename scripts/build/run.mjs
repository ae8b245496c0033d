import { spawn } from 'node:child_process';

/**
 * Runs a program to its end with its output passed on.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, quiet?: boolean, env?: NodeJS.ProcessEnv }} [options] `quiet`: its output is shown only if it fails
 * @returns {Promise<void>} rejects with its output's end if it fails
 */
export function run(program, args, { cwd, quiet = false, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (cause) => reject(new Error(`${program} does not start`, { cause })));
    child.on('close', (status, signal) => {
      if (status === 0) return resolve();
      const end = output.trimEnd().split('\n').slice(-60).join('\n');
      reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? status}\n${end}`));
    });
  });
}
