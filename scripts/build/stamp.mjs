import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Runs a step of the build unless its inputs have not changed since it last succeeded.
 * @param {string} stamp the file that stores a fingerprint of the inputs
 * @param {string[]} inputs files and folders, and any other text that the step depends on
 * @param {() => void | Promise<void>} step
 */
export async function unlessFresh(stamp, inputs, step) {
  const wanted = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/**
 * Hashes times and sizes, not contents, because every start of a script needs it.
 * @param {string[]} inputs
 */
function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) addTo(hash, input);
  return hash.digest('hex');
}

/**
 * @param {import('node:crypto').Hash} hash
 * @param {string} input
 */
function addTo(hash, input) {
  hash.update(`${input}\n`);
  const stat = statSync(input, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    for (const name of readdirSync(input).sort()) addTo(hash, join(input, name));
  } else if (stat) {
    hash.update(`${stat.mtimeMs} ${stat.size}\n`);
  }
}
