import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every file and folder that CONTRIBUTING.md names exists', () => {
  const folders = '(?:lib|native|test|web|docs|scripts|bench|packages|models|examples)';
  const path = new RegExp(`\`(${folders}/[\\w./-]*)\``, 'g');
  // Written by commands.
  const generated = ['docs/.vitepress/dist', 'docs/project/'];
  const named = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(path)].map(
    ([, one]) => one as string,
  );
  const missing = named.filter((one) => !/NAME/.test(one) && !existsSync(one));
  expect(named.length).toBeGreaterThan(30);
  expect(missing.filter((one) => !generated.includes(one))).toEqual([]);
});
