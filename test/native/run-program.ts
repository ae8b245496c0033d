import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a Node program to its end. `file` is relative to the repository's root. */
export function runProgram(
  file: string,
  args: string[] = [],
  options: { env?: NodeJS.ProcessEnv; node?: string[] } = {},
): Promise<Ended> {
  return runFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), args, options);
}

/** The same for a program anywhere. */
export function runFile(
  path: string,
  args: string[] = [],
  options: { env?: NodeJS.ProcessEnv; node?: string[] } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...(options.node ?? []), path, ...args], {
    env: { ...process.env, ...options.env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
