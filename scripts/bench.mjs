// npm run bench [-- NAME] [OPTION …]: builds what is out of date and runs bench/NAME.mjs, by default the
// comparison.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';

const names = readdirSync(join(root, 'bench'))
  .filter((entry) => entry.endsWith('.mjs'))
  .map((entry) => entry.slice(0, -'.mjs'.length));

const [first = '', ...rest] = process.argv.slice(2);
const [name, args] = names.includes(first) ? [first, rest] : ['compare', process.argv.slice(2)];
await report(() => makeReady({ tests: true }));
process.argv.splice(2, process.argv.length, ...args);
await import(new URL(`../bench/${name}.mjs`, import.meta.url).href);
