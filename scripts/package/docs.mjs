// npm run docs: builds the API reference in docs/api/. Fails if a public name has no comment, a link is dead,
// or a type in the public API is not exported.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/ready.mjs';

const docs = join(root, 'docs');
rmSync(join(docs, 'api'), { recursive: true, force: true });
const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc], {
  cwd: docs,
  encoding: 'utf8',
  env: { ...process.env, NO_COLOR: '1' },
});
// Ignored: fields of an anonymous type, which the property's comment explains, and members named by a
// symbol, which the language specification explains.
const explained =
  /(?:\.__type\.|\.\[\w+\] \().* does not have any documentation|Found 0 errors and \d+ warnings/;
const problems = `${stdout}${stderr}`
  .split('\n')
  .filter((line) => line.trim() !== '' && !explained.test(line));
for (const problem of problems) console.error(problem);
process.exitCode = status !== 0 || problems.length > 0 ? 1 : 0;
