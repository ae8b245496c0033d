import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInversion, readPoint, splitWeight } from '../../lib/cli/parts.js';
import { Embedding } from '../../lib/embeddings/embedding.js';
import { Inversion } from '../../lib/embeddings/inversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const model = { name: 'karlo-tiny', sha256: '0a'.repeat(32) };
const embedding = new Embedding('image', Float32Array.of(1, 2), model);
const inversion = new Inversion({
  ...{ embedding, noise: new Float32Array(12), prompt: 'a dog', steps: 3, refinements: 1 },
  source: { sha256: '0b'.repeat(32), fit: 'cover' },
});

/** A file in the temporary folder. */
function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const heart = write('heart.png', '');
const odd = write('odd:0.5', '');
const embeddingFile = write('dog.json', JSON.stringify(embedding));
const inversionFile = write('dog.inversion.json', JSON.stringify(inversion));

const fails = (message: RegExp) =>
  expect.objectContaining({
    code: 'ERR_KARLO_INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  });

test.each([
  ['a dog', { text: 'a dog' }],
  ['a dog:0.4', { text: 'a dog', weight: 0.4 }],
  ['a dog:-2', { text: 'a dog', weight: -2 }],
  ['a dog:+.5', { text: 'a dog', weight: 0.5 }],
  ['photo.jpg:1', { text: 'photo.jpg', weight: 1 }],
  ['at 12:30:1', { text: 'at 12:30', weight: 1 }],
  ['a sign: hello', { text: 'a sign: hello' }],
  ['a sign: 4', { text: 'a sign: 4' }],
  ['C:\\photos\\a.jpg', { text: 'C:\\photos\\a.jpg' }],
  ['C:\\photos\\a.jpg:0.6', { text: 'C:\\photos\\a.jpg', weight: 0.6 }],
  ['C:4', { text: 'C:4' }],
  [odd, { text: odd }],
  [`${odd}:2`, { text: odd, weight: 2 }],
])('%s has a text and perhaps a weight', (argument, parts) => {
  expect(splitWeight(argument)).toEqual(parts);
});

test('an image whose weight is not a number is an error', () => {
  expect(() => splitWeight('photo.jpg:much')).toThrow(
    fails(/Expected a number after the colon of 'photo\.jpg:much' but received 'much'/),
  );
});

test('an existing file is an image or JSON, and any other text is a prompt', async () => {
  expect(await readPoint(heart)).toEqual({ image: heart });
  expect(await readPoint(embeddingFile)).toEqual({ embedding });
  expect(await readPoint(inversionFile)).toEqual({ inversion });
  expect(await readPoint('a dog')).toEqual({ prompt: 'a dog' });
  mkdirSync(join(folder, 'dogs'));
  expect(await readPoint(join(folder, 'dogs'))).toEqual({ prompt: join(folder, 'dogs') });
});

test('a recorded prompt has its seed, another one does not', async () => {
  const recorded = { prompt: 'a dog', seed: 7 };
  expect(await readPoint('a dog', recorded)).toEqual(recorded);
  expect(await readPoint('a cat', recorded)).toEqual({ prompt: 'a cat' });
});

test.each([
  ['nowhere.GIF', /Expected a file but 'nowhere\.GIF' does not exist.*cannot end in \.GIF/],
  ['nowhere.json', /'nowhere\.json' does not exist/],
  [' ', /received an empty text/],
  [write('text.json', 'hello'), /from .*text\.json: it is not JSON/],
  [write('null.json', 'null'), /from .*null\.json: Expected object for embedding/],
  [write('other.json', '{"format":2}'), /from .*other\.json: Expected 1 for embedding\.format/],
])('%s is an error', async (text, message) => {
  await expect(readPoint(text)).rejects.toEqual(fails(message));
});

test('only an inversion can be reconstructed', async () => {
  expect(await readInversion(inversionFile)).toEqual(inversion);
  await expect(readInversion(embeddingFile)).rejects.toEqual(fails(/contains an embedding/));
  await expect(readInversion('/nowhere')).rejects.toEqual(fails(/the file does not exist/));
});
