import { expect, test } from 'vitest';
import { escapedJson, visibleLine, visibleText } from '../../lib/util/visible-text.js';

const osc = '\x1b]0;title\x07';

test.each([
  [`${osc}a`, '\\x1b]0;title\\x07a'],
  ['\x9b2J\x7f\0', '\\x9b2J\\x7f\\x00'],
  ['a\u202eb\u2066c\u200e', 'a\\u202eb\\u2066c\\u200e'],
  ['a\nb\r\n\tc\u2028', 'a\\nb\\r\\n\\tc\\u2028'],
  ['\ud800', '\\ud800'],
])('shows the controls of %j on one line', (text, visible) => {
  expect(visibleLine(text)).toBe(visible);
});

test('keeps letters of every script, and joined emoji', () => {
  const text = 'é 붉은 심장 قلب می‌خواهم 👩‍🚀 ❤️';
  expect(visibleLine(text)).toBe(text);
});

test('keeps the lines and tabs of a text, but no other control', () => {
  expect(visibleText('a\tb\r\nc\rd\x1b[2J\n')).toBe('a\tb\nc\\rd\\x1b[2J\n');
});

test('escapes in JSON what JSON.stringify leaves, without changing the value', () => {
  const value = { [`${osc}\x9b`]: 'a\u202e\u2069\x7f\x85\u2028\ud800b' };
  const json = escapedJson(JSON.stringify(value, null, 2));
  expect(json).toMatch(/^[ -~\n]*$/);
  expect(json).toContain('\\u202e\\u2069\\u007f\\u0085\\u2028');
  expect(JSON.parse(json)).toEqual(value);
});
