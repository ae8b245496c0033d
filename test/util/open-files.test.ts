import { expect, test } from 'vitest';
import { explain } from '../../lib/util/explain.js';
import { isTooManyFiles, tooManyFiles } from '../../lib/util/open-files.js';

const system = (code: string) => Object.assign(new Error(`${code}: open '/a'`), { code });

test.each([
  ['a system error', system('EMFILE')],
  ['the system’s table of files', system('ENFILE')],
  ['a cause', new Error('the connection failed', { cause: system('EMFILE') })],
  ['several attempts', new AggregateError([system('ECONNREFUSED'), system('EMFILE')])],
  ['the linker', new Error('liba.so: cannot open shared object file: Too many open files')],
])('%s is recognised', (_name, error) => {
  expect(isTooManyFiles(error)).toBe(true);
  expect(explain(error)).toMatchObject({ code: 'ERR_KARLO_TOO_MANY_FILES', cause: error });
});

test.each([system('ENOENT'), new Error('no'), undefined, 'EMFILE'])(
  'another error is not: %s',
  (error) => {
    expect(isTooManyFiles(error)).toBe(false);
    expect(explain(error)).toBe(error);
  },
);

test('the message has the limit, how to raise it, and the system’s words', () => {
  expect(tooManyFiles(system('EMFILE'))?.message).toMatch(
    /^Expected to open one more file but the process has reached its limit of (\d+|unlimited) open files and connections\. Raise the limit: ulimit -n .* The system reports: EMFILE: open '\/a'$/,
  );
});
