// From a new process to a written image.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alternate } from '../contest.mjs';
import { prompt } from '../context.mjs';

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} out the image file that the program must write
 * @returns {Promise<number>} seconds
 */
function run(program, args, out) {
  rmSync(out, { force: true });
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      const seconds = (performance.now() - start) / 1000;
      if (status === 0 && existsSync(out)) return resolve(seconds);
      reject(new Error(`${program} ${args.join(' ')} ended with ${status}\n${errors}`));
    });
  });
}

/** @param {import('../context.mjs').Context} context */
export async function start(context) {
  const { model, threads, device, dtype, reference, repository } = context.options;
  const folder = mkdtempSync(join(tmpdir(), 'karlo-bench-'));
  const out = join(folder, 'image.png');
  const at = ['--model', model, '--device', device, '--dtype', dtype, '--threads', `${threads}`];
  const cli = join(repository, 'dist/lib/cli/main.js');
  const script = join(repository, 'bench/compare/ours/image.mjs');
  const worker = join(repository, 'bench/reference_worker.py');
  const node = process.execPath;
  const calls = [
    () => run(node, [cli, prompt, '--seed', '0', ...at, '--output', out], out),
    () => run(node, [script, model, out, prompt, device, dtype, `${threads}`], out),
  ];
  if (reference !== undefined) {
    const args = [worker, reference.script, 'image', model, out, prompt, device, dtype];
    calls.push(() => run(reference.python, [...args, `${threads}`], out));
  }
  try {
    const [command = [], program = [], theirs] = await alternate(calls, context.counts(5));
    const common = { group: 'start', unit: /** @type {const} */ ('s'), target: '≥ 5' };
    const what = 'new process to a written image';
    context.add({
      ...common,
      what: `${what}: command line`,
      ours: command,
      ...(theirs && { theirs }),
    });
    context.add({ ...common, what: `${what}: program`, ours: program, ...(theirs && { theirs }) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
