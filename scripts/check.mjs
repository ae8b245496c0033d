// npm run check: formatting, lint, imports, Markdown, the texts derived from options, types and comments. With --write, it fixes the formatting.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';

const write = process.argv.includes('--write');
// Including what the tests need, so that `npm test` has nothing left to build.
await report(async () => {
  await makeReady({ tests: true });
  // Guides link to these pages.
  await (await import('./docs/references.mjs')).writeReferences();
});

const native = ['native', 'test/native'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cc|h|cu|cuh)$/.test(file))
    .map((file) => join(root, folder, file)),
);
const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);

const checks = [
  { name: 'biome', command: [bin('biome'), 'check', ...(write ? ['--write'] : []), '.'] },
  {
    name: 'clang-format',
    command: [bin('clang-format'), ...(write ? ['-i'] : ['--dry-run', '--Werror']), ...native],
  },
  { name: 'imports', command: [bin('depcruise'), 'lib', 'web/src'] },
  {
    name: 'options',
    command: [
      process.execPath,
      join(root, 'scripts', 'options.mjs'),
      ...(write ? [] : ['--check']),
    ],
  },
  { name: 'tsc', command: [bin('tsc'), '--project', 'tsconfig.check.json'] },
  { name: 'typedoc', command: [process.execPath, join(root, 'scripts', 'docs', 'api.mjs')] },
  // After typedoc, whose pages the guides link to.
  { name: 'docs', command: [bin('markdownlint-cli2'), ...(write ? ['--fix'] : [])] },
  { name: 'tsc web', command: [bin('tsc'), '--project', 'web/tsconfig.json'] },
];

const failed = checks.filter(({ name, command: [program = '', ...args] }) => {
  process.stderr.write(`${name} …\n`);
  return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) {
  process.stderr.write(`Failed: ${failed.map(({ name }) => name).join(', ')}\n`);
  process.exit(1);
}
