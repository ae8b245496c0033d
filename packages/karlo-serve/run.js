import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Runs a command of karlo, with the arguments of this process.
 * @param {string} name
 */
export async function run(name) {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('karlo/package.json');
  process.argv.splice(2, 0, name);
  await import(pathToFileURL(join(dirname(manifest), require(manifest).bin.karlo)).href);
}
