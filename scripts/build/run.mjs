import { spawn } from 'node:child_process';
import { isAbsolute } from 'node:path';

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
      shell: process.platform === 'win32' && !isAbsolute(program), // npm is a script there
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
      reject(
        new Error(
          `${program} ${args.join(' ')} ended with ${signal ?? status}\n${shorten(output)}`,
        ),
      );
    });
  });
}

/**
 * Compilers end with what matters, npm begins with it.
 * @param {string} output
 */
function shorten(output) {
  const lines = output.trimEnd().split('\n');
  if (lines.length <= 70) return lines.join('\n');
  return [...lines.slice(0, 20), '…', ...lines.slice(-50)].join('\n');
}
