import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { limitTo, readCaptions, shardOf } from '../../lib/eval/captions.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

function read(name: string, content: string | Uint8Array) {
  const file = join(folder, name);
  writeFileSync(file, content);
  return readCaptions(file);
}

const invalid = (name: string, content: string, ...parts: string[]) =>
  expectCode('ERR_KARLO_INVALID_ARGUMENT', () => read(name, content), name, ...parts);

/** Captions that are numbered from 0. */
const numbered = (...texts: string[]) => texts.map((text, number) => ({ number, text }));

describe('captions of a text', () => {
  test('are its lines, and each repeated one', async () => {
    const text = '\ufeffa heart\r\n\n a star \na heart\n';
    const captions = numbered('a heart', 'a star', 'a heart');
    expect(await read('captions.txt', text)).toEqual(captions);
    const utf16 = Buffer.from(text, 'utf16le');
    expect(await read('captions.txt', utf16)).toEqual(captions);
  });

  test('are required', () => invalid('empty.txt', '\n \n', 'Expected captions in'));

  test('are rejected in another encoding', () =>
    expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => read('latin.txt', Buffer.from('a caf\xe9', 'latin1')),
      'line 1 is not UTF-8',
    ));

  test('are rejected if the file is missing', () =>
    expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => readCaptions(join(folder, 'missing.txt')),
      'Cannot read captions from',
      'does not exist',
    ));
});

describe('captions of a table', () => {
  test('are in the first column, as in CC3M', async () => {
    const text = 'a heart\thttps://example.org/1.jpg\r\na star\thttps://example.org/2.jpg\r\n';
    expect(await read('cc3m.tsv', text)).toEqual(numbered('a heart', 'a star'));
  });

  test.each(['caption', 'Prompt', 'TEXT'])('are in the column %s', async (column) => {
    const text = `id\t${column}\tnote\n1\ta heart\t\n\n2\ta star\tx\n`;
    expect(await read('table.tsv', text)).toEqual(numbered('a heart', 'a star'));
  });

  test('are rejected if one is empty, with the line', () =>
    invalid('hole.tsv', 'id\tcaption\n1\ta heart\n2\t \n', 'line 3', 'it is empty'));
});

describe("COCO's captions", () => {
  const coco = (...annotations: object[]) => JSON.stringify({ images: [], annotations });

  test('are those with the lowest id, in the order of the images', async () => {
    const text = coco(
      { id: 9, image_id: 40, caption: 'a ring' },
      { id: 3, image_id: 40, caption: ' a green ring\n' },
      { id: 5, image_id: 7, caption: 'a star' },
    );
    expect(await read('captions_val2014.json', text)).toEqual([
      { number: 7, text: 'a star' },
      { number: 40, text: 'a green ring' },
    ]);
  });

  test.each([
    ['{ "annotations": [', 'it is not JSON'],
    ['{ "captions": [] }', 'annotations is invalid'],
    [coco({ id: 1, image_id: 'x', caption: 'a' }), 'annotations.0.image_id is invalid'],
    [coco({ id: 1, image_id: 2, caption: ' ' }), 'image 2'],
    [coco(), 'it has none'],
  ])('are rejected: %s', (text, reason) => invalid('broken.json', text, reason));
});

describe('a limit', () => {
  const captions = numbered(...Array.from({ length: 100 }, (_, i) => `caption ${i}`));

  test('selects the same captions each time, in order', () => {
    const some = limitTo(captions, 10);
    expect(some).toHaveLength(10);
    expect(limitTo(captions, 10)).toEqual(some);
    expect(some.map(({ number }) => number)).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(some).toEqual(some.toSorted((a, b) => a.number - b.number));
    expect(limitTo(captions, 20)).toEqual(expect.arrayContaining(some));
  });

  test('above the number of captions selects all', () => {
    expect(limitTo(captions, 1000)).toEqual(captions);
    expect(limitTo(captions)).toEqual(captions);
  });
});

test('shards contain each caption once', () => {
  const captions = numbered('a', 'b', 'c', 'd', 'e');
  const shards = [1, 2].map((index) => shardOf(captions, { index, count: 2 }));
  expect(shards.map((shard) => shard.map(({ text }) => text).join(''))).toEqual(['ace', 'bd']);
});
