import { expect, test } from 'vitest';
import { expected, KarloError } from '../lib/errors.js';

test.each([
  [0, '0'],
  [Number.NaN, 'NaN'],
  ['abc', "'abc'"],
  ['a'.repeat(100), `'${'a'.repeat(60)}…'`],
  [null, 'null'],
  [undefined, 'undefined'],
  [[1], 'an array of 1 element'],
  [{}, 'a value of type Object'],
  [Object.create(null), 'a value of type object'],
  [new Date(0), 'a value of type Date'],
  [() => 0, 'a function'],
  [Symbol('x'), 'Symbol(x)'],
  [5n, '5n'],
  [true, 'true'],
])('a message shows %o', (value, text) => {
  const error = expected('this', 'that', value);
  expect(error).toMatchObject({ name: 'KarloError', code: 'ERR_KARLO_INVALID_ARGUMENT' });
  expect(error.message).toBe(`Expected this for that but received ${text}`);
});

test('an error has its cause', () => {
  const cause = new Error('inner');
  expect(new KarloError('ERR_KARLO_NATIVE', 'outer', { cause }).cause).toBe(cause);
});
