// karlo verify on the GPU: the networks and images of karlo-tiny against float32 on the CPU.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {import('../../lib/verify/index.js').Finding} Finding */

const group = 'verify';

/**
 * Adds a row for each comparison, whose limit is its bound.
 * @param {Context} context
 * @param {AbortSignal} signal
 */
export async function verify(context, signal) {
  for (const finding of await findingsOf(context, signal)) add(context, finding);
}

/**
 * What `karlo verify` finds.
 * @param {Context} context
 * @param {AbortSignal} signal
 * @param {Record<string, string>} [env] variables that are added to this process's
 * @returns {Promise<Finding[]>}
 */
export async function findingsOf({ options }, signal, env) {
  const { repository, model, device, threads } = options;
  const program = join(repository, 'dist', 'lib', 'cli', 'main.js');
  const flags = ['--device', device, '--threads', String(threads), '--json'];
  const settings = { signal, env: { ...process.env, ...env } };
  return JSON.parse(await outputOf([program, 'verify', model, ...flags], settings)).findings;
}

/**
 * The output of a Node.js program, which can fail after it.
 * @param {string[]} words
 * @param {import('node:child_process').ExecFileOptions} settings
 * @returns {Promise<string>}
 */
function outputOf(words, settings) {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      words,
      { ...settings, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (stdout.includes('"findings"')) resolve(stdout);
        else reject(error ?? new Error(stderr));
      },
    );
  });
}

/** @param {Context} context @param {Finding} finding */
function add(context, { part, subject, comparison, errors, bound, reason }) {
  if (bound === undefined) return;
  const error = errors?.[bound.of] ?? Number.NaN;
  context.add({
    ...{ group, what: `${part}, ${subject}: ${comparison}${reason ? ` (${reason})` : ''}` },
    ...{
      unit: part === 'images' ? /** @type {const} */ ('/255') : /** @type {const} */ ('relative'),
      ours: [error],
    },
    ...{ limit: bound.value, target: `${bound.of} ≤ ${bound.value.toPrecision(3)}` },
  });
}
