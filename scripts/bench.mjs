// npm run bench -- NAME: runs bench/NAME.mjs on a ready checkout.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';

const [name = '', ...args] = process.argv.slice(2);
const file = join(root, 'bench', `${name}.mjs`);
if (name === '' || !existsSync(file)) {
  const names = readdirSync(join(root, 'bench'))
    .filter((entry) => entry.endsWith('.mjs'))
    .map((entry) => entry.slice(0, -'.mjs'.length));
  process.stderr.write(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(', ')}\n`);
  process.exit(2);
}
await report(() => makeReady({ tests: true }));
process.argv.splice(2, process.argv.length, ...args);
await import(file);
