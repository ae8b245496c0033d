import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import recipes from './goldens.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const fixtures = join(root, 'test/fixtures');
const outputs = Object.values(recipes).flatMap(({ folder, files }) =>
  files.map((file) => join(root, folder, file)),
);

test('every golden in test/fixtures has a recipe', () => {
  const goldens = readdirSync(fixtures, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  expect(goldens.filter((golden) => !outputs.includes(golden))).toEqual([]);
});

test('every file that a recipe makes is in the repository', () => {
  expect(outputs.filter((file) => !existsSync(file))).toEqual([]);
});

test('no two recipes make the same file', () => {
  expect(new Set(outputs).size).toBe(outputs.length);
});

test('every recipe is a function of its module', () => {
  const missing = Object.keys(recipes).filter((name) => {
    const [module, recipe] = name.split('.');
    const file = join(import.meta.dirname, `${module}.py`);
    return !(existsSync(file) && readFileSync(file, 'utf8').includes(`\ndef ${recipe}(out):`));
  });
  expect(missing).toEqual([]);
});
