import { spawn } from 'node:child_process';
import { missing } from './setup-error.mjs';

// Ends pip when its standard input does: when this process was killed and cannot end it any more.
const guarded = `
import os, runpy, sys, threading
def watch():
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/**
 * Runs pip to its end. Whether it succeeds, fails or is aborted: it has ended when this settles.
 * @param {string[]} command under which pip answers
 * @param {string[]} args
 * @param {{ env: NodeJS.ProcessEnv, signal?: AbortSignal | undefined }} options
 * @returns {Promise<void>}
 */
export function runPip(command, args, { env, signal }) {
  const [program = '', ...words] = withGuard(command);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(program, [...words, ...args], { env, stdio: ['pipe', 'ignore', 'pipe'] });
    const abort = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', abort);
    // What pip no longer reads is of no interest.
    child.stdin.on('error', () => {});
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted) return reject(signal.reason);
      if (status === 0) return resolve();
      const end = output.trim().split('\n').slice(-8).join('\n  ');
      reject(missing(`pip could not fetch LibTorch. It says:\n  ${end}`));
    });
  });
}

/** @param {string[]} command */
function withGuard(command) {
  const [program = '', module] = command;
  return module === '-m' ? [program, '-c', guarded] : command;
}
