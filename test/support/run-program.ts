import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ProgramResult {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs a Node.js program until it ends. `file` is relative to the repository's root. */
export function runProgram(
  file: string,
  args: string[] = [],
  options: { env?: NodeJS.ProcessEnv; node?: string[] } = {},
): Promise<ProgramResult> {
  return runFile(fileURLToPath(new URL(`../../${file}`, import.meta.url)), args, options);
}

/** Runs a Node.js program with any path until it ends. */
export function runFile(
  path: string,
  args: string[] = [],
  options: { env?: NodeJS.ProcessEnv; node?: string[] } = {},
): Promise<ProgramResult> {
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
