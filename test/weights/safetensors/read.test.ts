import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../../../lib/weights/index.js';
import { parseSafetensors } from '../../../lib/weights/safetensors/read.js';
import { bufferSource } from '../../../lib/weights/source.js';
import { safetensors, tensor } from '../../fixtures/safetensors.js';
import { expectCode, expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const temporary = temporaryFolder();

const parse = (bytes: Uint8Array) => parseSafetensors(bufferSource('m.safetensors', bytes));
const rejects = (bytes: Uint8Array, ...parts: (string | RegExp)[]) =>
  expectCorrupt(() => parse(bytes), 'm.safetensors', ...parts);

describe('a valid file', () => {
  it('has offsets from the start of the file, in any order of the header', async () => {
    const header = {
      b: tensor('BF16', [2, 3], 16, 28),
      __metadata__: { format: 'pt' },
      a: tensor('F32', [4], 0, 16),
      e: tensor('I64', [0, 3], 28, 28),
      s: tensor('BOOL', [], 28, 29),
    };
    const bytes = safetensors(header, 29);
    const file = await parse(bytes);
    const start = bytes.length - 29;
    expect(file.format).toBe('safetensors');
    expect([...file.metadata]).toEqual([['format', 'pt']]);
    expect([...file.tensors.keys()]).toEqual(['b', 'a', 'e', 's']);
    expect(file.tensors.get('b')).toEqual({
      name: 'b',
      dtype: 'bfloat16',
      shape: [2, 3],
      strides: [3, 1],
      file: 'm.safetensors',
      offset: start + 16,
      byteLength: 12,
    });
    expect(file.tensors.get('e')).toMatchObject({ offset: start + 28, byteLength: 0 });
    expect(file.tensors.get('s')).toMatchObject({ dtype: 'bool', shape: [], strides: [] });
  });

  it('may have padding after the JSON, no tensors, and any name', async () => {
    expect((await parse(safetensors('{}  \n  '))).tensors.size).toBe(0);
    const odd =
      '{"a\\"\\u00e9":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}';
    expect([...(await parse(safetensors(odd, 2))).tensors.keys()]).toEqual(['a"é', '__proto__']);
  });

  it('is read from disk', async () => {
    const url = new URL('../../../models/karlo-tiny/prior/', import.meta.url);
    const path = fileURLToPath(new URL('diffusion_pytorch_model.safetensors', url));
    const { tensors } = await readWeights(path);
    expect(tensors.get('proj_in.weight')).toMatchObject({ dtype: 'float16', shape: [128, 96] });
  });
});

describe('a damaged or hostile file is rejected', () => {
  const one = tensor('F32', [4], 0, 16);

  it('when it ends early or late', async () => {
    const whole = safetensors({ a: one }, 16);
    await rejects(Buffer.alloc(0), 'size');
    await rejects(whole.subarray(0, 7), 'size');
    await rejects(whole.subarray(0, 20), 'header length');
    await rejects(whole.subarray(0, -1), /16 bytes of tensors.*15 bytes/);
    await rejects(safetensors({ a: one }, 17), /16 bytes of tensors.*17 bytes/);
  });

  it('when the header is longer than the file or the format allows', async () => {
    const huge = Buffer.from(safetensors({ a: one }, 16));
    huge.writeBigUInt64LE(2n ** 63n);
    await rejects(huge, 'header length', String(2n ** 63n));
    const source = bufferSource('m.safetensors', Buffer.alloc(16));
    const claims = Buffer.alloc(8);
    claims.writeBigUInt64LE(100_000_001n);
    const big = { ...source, size: 2e9, read: async () => claims };
    await expectCorrupt(() => parseSafetensors(big), 'at most 100000000 bytes', '100000001');
  });

  it('when it has duplicate keys', async () => {
    const text = JSON.stringify(one);
    await rejects(safetensors(`{"a":${text},"a":${text}}`, 16), 'for a in', 'two');
    await rejects(safetensors(`{"a":${text},"\\u0061":${text}}`, 16), 'for a in', 'two');
    const twice = '{"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}}';
    await rejects(safetensors(twice, 16), 'dtype');
  });

  it('when offsets overlap, leave holes, or point outside', async () => {
    const at = (begin: number, end: number) => ({ a: one, b: tensor('F32', [2], begin, end) });
    await rejects(safetensors(at(8, 16), 16), 'offset 16 for b', '8');
    await rejects(safetensors(at(24, 32), 32), 'offset 16 for b', '24');
    await rejects(safetensors(at(16, 24), 16), '24 bytes of tensors');
    await rejects(safetensors({ a: tensor('F32', [2], 16, 8) }, 16), 'for a', '16 to 8');
  });

  it('when the size does not match dtype and shape, including overflow', async () => {
    await rejects(safetensors({ a: tensor('F16', [4], 0, 16) }, 16), '8 bytes (float16 [4]) for a');
    const wraps = [2 ** 32, 2 ** 32];
    await rejects(safetensors({ a: tensor('F32', wraps, 0, 0) }), 'for a');
    await rejects(safetensors({ a: tensor('F32', [0, ...wraps], 0, 0) }), 'for a');
  });

  it.each([
    ['an unknown dtype', { a: tensor('F7', [4], 0, 16) }, 'dtype of a'],
    ['a negative size', { a: tensor('F32', [-4], 0, 16) }, 'integer'],
    ['a fraction', { a: tensor('F32', [1.5], 0, 6) }, 'header'],
    ['an exponent', '{"a":{"dtype":"F32","shape":[4e0],"data_offsets":[0,16]}}', 'header'],
    ['a leading zero', '{"a":{"dtype":"F32","shape":[04],"data_offsets":[0,16]}}', 'header'],
    [
      'a size over 2^53',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,16]}}',
      'header',
    ],
    ['nine dimensions', { a: tensor('F32', [1, 1, 1, 1, 1, 1, 1, 1, 4], 0, 16) }, 'shape of a'],
    ['three offsets', { a: { ...one, data_offsets: [0, 8, 16] } }, 'offsets of a'],
    ['one offset', { a: { ...one, data_offsets: [0] } }, 'for a'],
    ['no dtype', { a: { shape: [4], data_offsets: [0, 16] } }, 'for a'],
    ['another field', { a: { ...one, extra: 1 } }, 'extra'],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 'header'],
    ['an array for a header', '[]', 'first byte'],
    ['space before the header', ' {}', 'first byte'],
    ['text after the header', '{}x', 'header'],
    ['a comma too many', '{"a":1,}', 'header'],
    ['an open string', '{"a', 'header'],
    ['a control character', '{"a\n":1}', 'header'],
    ['a bad escape', '{"\\x":1}', 'UTF-8'],
  ])('when it has %s', async (_, header, part) => {
    await rejects(safetensors(header, 16), part);
  });

  it('when a name is not UTF-8 or too long', async () => {
    const bad = safetensors('{"a":1}');
    bad[8 + 2] = 0xff;
    await rejects(bad, 'UTF-8');
    await rejects(safetensors({ ['n'.repeat(513)]: one }, 16), '512 characters');
  });

  it('without terminal control characters in the message', async () => {
    const error = await parse(
      safetensors({ '\u001b[2J\u202e': tensor('F32', [4], 0, 8) }, 8),
    ).catch((e) => e);
    for (const control of ['\u001b', '\u202e']) expect(error.message).not.toContain(control);
  });

  it('when it is only large', async () => {
    const many = `{${Array.from({ length: 200_000 }, (_, i) => `"${i}":[]`).join()}}`;
    await rejects(safetensors(many), 'header');
    await rejects(safetensors(`{"a":${'['.repeat(1_000_000)}`), 'header');
    await rejects(safetensors(`{"a":"${'x'.repeat(1_000_000)}"}`), 'header');
    const empties = Array.from({ length: 70_000 }, (_, i) => [`t${i}`, tensor('U8', [0], 0, 0)]);
    await rejects(safetensors(Object.fromEntries(empties)), 'at most 65536');
  });
});

it('reports a missing file', async () => {
  const missing = () => readWeights('no/such.safetensors');
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', missing, 'no/such.safetensors');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => readWeights(folder), 'folder');
});

it.skipIf(process.platform === 'win32')('rejects a named pipe without waiting for it', async () => {
  const pipe = join(temporary, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => readWeights(pipe), 'device');
});
