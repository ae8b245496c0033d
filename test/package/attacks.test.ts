import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageFolder } from '../../lib/util/package.js';

test('every attack is a test that exists', () => {
  const attacks = JSON.parse(readFileSync(join(packageFolder(), 'test', 'attacks.json'), 'utf8'));
  const files = Object.values<string[]>(attacks).flat();
  expect(files.filter((file) => !existsSync(join(packageFolder(), file)))).toEqual([]);
});
