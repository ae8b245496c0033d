import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { readWeights } from '../../lib/weights/index.js';
import { safetensors, tensor } from '../fixtures/safetensors.js';
import { expectCode, expectCorrupt } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const one = 'm-00001-of-00002.safetensors';
const two = 'm-00002-of-00002.safetensors';

function index(weightMap: unknown): string {
  const path = join(folder, 'm.safetensors.index.json');
  const text = typeof weightMap === 'string' ? weightMap : JSON.stringify(weightMap);
  writeFileSync(path, `{"metadata":{"total_size":24,"x":[1,null]},"weight_map":${text}}`);
  return path;
}

beforeAll(() => {
  writeFileSync(join(folder, one), safetensors({ a: tensor('F32', [4], 0, 16) }, 16));
  writeFileSync(join(folder, two), safetensors({ b: tensor('F32', [2], 0, 8) }, 8));
});

it('joins the shards', async () => {
  const file = await readWeights(index({ a: one, b: two }));
  expect([...file.tensors].map(([name, entry]) => [name, entry.file])).toEqual([
    ['a', join(folder, one)],
    ['b', join(folder, two)],
  ]);
  expect(file.files).toEqual([join(folder, one), join(folder, two)]);
});

it('skips a byte order mark in the index', async () => {
  const path = index({ a: one, b: two });
  writeFileSync(path, `\ufeff${readFileSync(path, 'utf8')}`);
  expect((await readWeights(path)).tensors.size).toBe(2);
});

it('names a Git LFS pointer in place of weights, of a shard and of an index', async () => {
  const hash = 'a'.repeat(64);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${hash}\nsize 4000000000\n`;
  const path = join(folder, 'model.safetensors');
  const shard = 'm-00003-of-00003.safetensors';
  for (const name of [path, join(folder, shard)]) writeFileSync(name, pointer);
  const received =
    'received a Git LFS pointer to a file of 4000000000 bytes. Download the contents';
  await expectCorrupt(() => readWeights(path), path, received, 'git lfs pull');
  await expectCorrupt(() => readWeights(index({ a: shard })), shard, received);
  const wholeIndex = join(folder, 'pointer.safetensors.index.json');
  writeFileSync(wholeIndex, pointer.replaceAll('\n', '\r\n'));
  await expectCorrupt(() => readWeights(wholeIndex), wholeIndex, received);
});

it.each([
  ['../m.safetensors'],
  ['/etc/passwd'],
  ['sub/m.safetensors'],
  ['..\\m.safetensors'],
  ['C:m.safetensors'],
  ['..'],
  [''],
  ['m\0.safetensors'],
  ['.hidden'],
])('rejects the shard name %j', async (name) => {
  await expectCorrupt(() => readWeights(index({ a: name })), 'for a in', 'same folder');
});

it('rejects a shard whose keys are not those of the index', async () => {
  await expectCorrupt(() => readWeights(index({ a: one, b: two, c: two })), 'for c in', two);
  await expectCorrupt(() => readWeights(index({ a: one, c: two })), 'for b in', 'index.json');
});

it('rejects a key that is in two shards', async () => {
  const both = join(folder, 'both.safetensors');
  writeFileSync(both, safetensors({ a: tensor('U8', [1], 0, 1), c: tensor('U8', [1], 1, 2) }, 2));
  const work = () => readWeights(index({ a: one, c: 'both.safetensors' }));
  await expectCorrupt(work, 'for a in', 'both.safetensors', one);
});

it('rejects an index with duplicate keys, without tensors, or of another form', async () => {
  await expectCorrupt(() => readWeights(index(`{"a":"${one}","a":"${one}"}`)), 'for a in', 'two');
  await expectCorrupt(() => readWeights(index({})), 'weight_map');
  await expectCorrupt(() => readWeights(index('[]')), 'index');
  await expectCorrupt(() => readWeights(index({ a: 1 })), 'index');
});

it('names the missing shard', async () => {
  const work = () => readWeights(index({ a: 'gone.safetensors' }));
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', work, 'gone.safetensors');
});
