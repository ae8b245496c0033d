import { expect, test } from 'vitest';
import { toBytes } from '../../lib/cli/flag-values.js';

test.each([
  ['1000', 1000],
  ['1000B', 1000],
  ['4G', 4e9],
  ['4GB', 4e9],
  ['4 gb', 4e9],
  ['4GiB', 4 * 2 ** 30],
  ['4Gi', 4 * 2 ** 30],
  ['512Mi', 512 * 2 ** 20],
  ['512m', 512e6],
  ['64K', 64_000],
  ['1TiB', 2 ** 40],
  ['1.5G', 1.5e9],
])('the size %s has %i bytes', (text, bytes) => {
  expect(toBytes(text)).toBe(bytes);
});

test.each(['', 'G', '4X', '4GiBs', '4iB', '-4G', '4.5.6G', 'all'])(
  'the size %j is rejected',
  (text) => {
    expect(() => toBytes(text)).toThrow(/Expected a/);
  },
);
