import { pino } from 'pino';
import { expect, test } from 'vitest';
import { prettyLine } from '../../lib/serve/pretty-log.js';

/** What pino's line about something becomes. */
function pretty(log: (logger: pino.Logger) => void, colors = false): string {
  let text = '';
  const write = (line: string) => {
    text += prettyLine(line, colors);
  };
  log(pino({ level: 'trace' }, { write }).child({ reqId: 'an-id' }));
  return text;
}

test('has the time, the level, the message and the fields', () => {
  const line = pretty((log) => log.info({ method: 'GET', status: 200, tags: ['a'] }, 'answered'));
  expect(line).toMatch(
    /^([01]\d|2[0-3])(:[0-5]\d){2} info {2}answered method=GET status=200 tags=\["a"\]\n$/,
  );
});

test('has the id of the request and the stack of an error', () => {
  const line = pretty((log) => log.error({ err: new Error('broken') }, 'internal_error'));
  expect(line).toMatch(
    / error internal_error reqId=an-id\nError: broken\n {4}at .*pretty-log.*\n$/s,
  );
});

test('escapes controls', () => {
  const line = pretty((log) => log.info({ prompt: 'a\x1b[2J\nring\u202e' }, 'text\r'));
  expect(line).toMatch(/ info {2}text\\r prompt=a\\x1b\[2J\\nring\\u202e\n$/);
  const error = Object.assign(new Error(), { stack: 'Error: \x1b[2J\n    at file' });
  expect(pretty((log) => log.error(error))).toMatch(/\nError: \\x1b\[2J\n {4}at file\n$/);
});

test('colours the level alone', () => {
  const line = pretty((log) => log.warn('full'), true);
  expect(line.replace(/^\S+ /, '')).toBe('\x1b[33mwarn \x1b[39m full\n');
});
