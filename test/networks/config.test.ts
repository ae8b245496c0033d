import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJson } from '../../lib/networks/config.js';
import { expectCorrupt } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('rejects files that are too large, too deep, have duplicate keys or are not JSON', async () => {
  const path = join(folder, 'config.json');
  const read = (text: string) => () => {
    writeFileSync(path, text);
    return readJson(path);
  };
  expect(await read('{"a":[1,-2.5e3,true,null,{"b":"c"}]}')()).toEqual({
    a: [1, -2500, true, null, { b: 'c' }],
  });
  expect(await read('\ufeff{"a":1}')()).toEqual({ a: 1 });
  await expectCorrupt(read('\ufeff\ufeff{"a":1}'), 'a JSON value for JSON at byte 3');
  await expectCorrupt(read(`"${'x'.repeat(1024 * 1024)}"`), 'size');
  await expectCorrupt(read('['.repeat(50)), 'nesting');
  await expectCorrupt(read('{"a":1,"a":2}'), 'for a in', 'two');
  for (const text of ['', '{', '{a:1}', '[1,]', 'NaN', '01', '1 2', "'a'", '-', '.5']) {
    await expectCorrupt(read(text), path);
  }
});
