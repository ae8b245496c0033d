// The reference of environment variables is complete.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentVariables } from '../../lib/options/descriptions.js';
import { root } from '../../scripts/build/ready.mjs';

/** A code of process.emitWarning, and a variable of CMake. */
const notVariables = ['KARLO_RECIPE_LEFT_OUT', 'KARLO_LIBTORCH_VERSION'];

/** Read to find the home folder, and what a terminal can display. */
const ofTheSystem = [
  ...['HOME', 'USERPROFILE', 'XDG_CACHE_HOME'],
  ...['KITTY_WINDOW_ID', 'LC_TERMINAL', 'STY', 'TERM', 'TERM_PROGRAM', 'TMUX'],
];

const read = (folder: string, pattern: RegExp) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name) && !name.endsWith('environment.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .join('\n');
const typescript = read('lib', /\.ts$/);
const native = read('native', /\.(?:cc|h)$/);

test('describes every variable that the code reads', () => {
  const names = [
    ...[...native.matchAll(/getenv\("(\w+)"/g)].map(([, name]) => name as string),
    ...[...typescript.matchAll(/\benv(?:ironment)?\.([A-Z][A-Z0-9_]+)/g)].map(
      ([, name]) => name as string,
    ),
    ...(typescript.match(/\bKARLO_[A-Z0-9_]+/g) ?? []),
  ];
  for (const name of ['KARLO_CPU_CAPABILITY', 'HF_TOKEN', 'KARLO_QUEUE'])
    expect(names).toContain(name);
  const known = [...Object.keys(environmentVariables), ...ofTheSystem, ...notVariables];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test('describes no variable that nothing reads', () => {
  const readByLibraries = ['KARLO_PREBUILD']; // node-gyp-build derives it from the package's name.
  for (const name of Object.keys(environmentVariables)) {
    if (!readByLibraries.includes(name)) expect(typescript + native, name).toContain(name);
  }
});
