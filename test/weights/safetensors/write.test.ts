import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DTYPES, type DType } from '../../../lib/weights/dtypes.js';
import { readWeights } from '../../../lib/weights/index.js';
import { writeSafetensors } from '../../../lib/weights/safetensors/write.js';
import { elementCount } from '../../../lib/weights/shape.js';
import { expectCode } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const path = join(folder, 'out.safetensors');

const anyTensor = fc.record({
  name: fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== '__metadata__'),
  dtype: fc.constantFrom(...(Object.keys(DTYPES) as DType[])),
  shape: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
});

function bytesOf(name: string, dtype: DType, shape: readonly number[]): Buffer {
  const size = (elementCount(shape) as number) * DTYPES[dtype].bytes;
  return Buffer.alloc(size, name);
}

it('writes aligned tensors that the reader reads', async () => {
  const lists = fc.uniqueArray(anyTensor, { selector: (t) => t.name, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      const tensors = list.map((t) => ({
        ...t,
        async *chunks() {
          const bytes = bytesOf(t.name, t.dtype, t.shape);
          yield bytes.subarray(0, 3);
          yield bytes.subarray(3);
        },
      }));
      const { size, sha256 } = await writeSafetensors(path, tensors, { metadata: { a: 'b' } });
      const raw = readFileSync(path);
      expect(raw.length).toBe(size);
      expect(createHash('sha256').update(raw).digest('hex')).toBe(sha256);
      const file = await readWeights(path);
      expect([...file.metadata]).toEqual([['a', 'b']]);
      expect(file.tensors.size).toBe(list.length);
      for (const { name, dtype, shape } of list) {
        const entry = file.tensors.get(name);
        expect(entry).toMatchObject({ dtype, shape });
        const { offset = 0, byteLength = 0 } = entry ?? {};
        expect(raw.subarray(offset, offset + byteLength)).toEqual(bytesOf(name, dtype, shape));
        expect(offset % (byteLength % 64 === 0 ? 64 : DTYPES[dtype].bytes)).toBe(0);
      }
    }),
    { numRuns: 60, seed: 4 },
  );
});

it.each([
  ['too few bytes', 15],
  ['too many bytes', 17],
])('leaves nothing behind when a tensor yields %s', async (_, count) => {
  const before = readdirSync(folder);
  const chunks = () => [Buffer.alloc(count)];
  const short = { name: 'a', dtype: 'float32' as const, shape: [4], chunks };
  const target = join(folder, 'never.safetensors');
  const work = () => writeSafetensors(target, [short]);
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', work, /16 bytes for a/);
  expect(readdirSync(folder)).toEqual(before);
});

it('leaves nothing behind when it is aborted', async () => {
  const before = readdirSync(folder);
  const abort = new AbortController();
  const reason = new Error('enough');
  async function* chunks() {
    yield Buffer.alloc(8);
    abort.abort(reason);
    yield Buffer.alloc(8);
  }
  const tensor = { name: 'a', dtype: 'float32' as const, shape: [4], chunks };
  const work = writeSafetensors(join(folder, 'n'), [tensor], { signal: abort.signal });
  await expect(work).rejects.toBe(reason);
  expect(readdirSync(folder)).toEqual(before);
});

it('rejects two tensors with the same name', async () => {
  const tensor = { name: 'a', dtype: 'uint8' as const, shape: [0], chunks: () => [] };
  const work = () => writeSafetensors(path, [tensor, tensor]);
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', work, 'unique tensor names but received a twice');
});
