import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseWeights, readWeights } from '../../../lib/weights/index.js';
import { bufferSource } from '../../../lib/weights/source.js';
import { type Picklable, type PickledTensor, writePickle } from '../../fixtures/pickle-writer.js';
import { readTensor } from '../../fixtures/tensor-data.js';
import { zip } from '../../fixtures/torch-writer.js';
import { expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/torch/${name}`, import.meta.url));

async function floats(name: string, key: string): Promise<number[]> {
  const entry = (await readWeights(fixture(name))).tensors.get(key);
  if (!entry) throw new Error(`no ${key}`);
  const { bytes } = await readTensor(entry);
  return [...new Float32Array(new Uint8Array(bytes).buffer)];
}

describe('a file that PyTorch wrote', () => {
  it.each(['views.bin', 'views-protocol4.bin'])('%s: every dtype, and views', async (name) => {
    const { format, tensors } = await readWeights(fixture(name));
    expect(format).toBe('torch');
    const kinds = [...tensors].map(([key, t]) => [key, t.dtype, t.shape, t.strides]);
    expect(kinds).toEqual([
      ['whole', 'float32', [4, 6], [6, 1]],
      ['transposed', 'float32', [6, 4], [1, 6]],
      ['window', 'float32', [2, 3], [6, 1]],
      ['half', 'float16', [2], [1]],
      ['bfloat16', 'bfloat16', [2], [1]],
      ['int64', 'int64', [2], [1]],
      ['bool', 'bool', [2], [1]],
      ['scalar', 'float32', [], []],
      ['empty', 'float32', [0, 3], [3, 1]],
      ['parameter', 'float32', [2], [1]],
    ]);
    expect(await floats(name, 'whole')).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect((await floats(name, 'transposed')).slice(0, 6)).toEqual([0, 6, 12, 18, 1, 7]);
    expect(await floats(name, 'window')).toEqual([8, 9, 10, 14, 15, 16]);
    expect(await floats(name, 'scalar')).toEqual([3.5]);
    expect(tensors.get('window')?.byteLength).toBe(9 * 4);
    expect(tensors.get('whole')?.offset).toBe((tensors.get('window')?.offset ?? 0) - 8 * 4);
  });

  it('a pair of tensors', async () => {
    expect(await floats('pair.th', '0')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await floats('pair.th', '1')).toEqual([6, 7, 8, 9, 10, 11]);
  });

  it('a checkpoint with state_dict and other things', async () => {
    const { tensors } = await readWeights(fixture('lightning.ckpt'));
    const names = ['scale', 'steps', 'linear.weight', 'linear.bias', 'layers.1.weight'];
    expect([...tensors.keys()]).toEqual(names);
    expect(await floats('lightning.ckpt', 'linear.bias')).toEqual([3, 3, 3]);
  });

  it('a checkpoint with command line, paths, classes as keys, and EMA', async () => {
    const { tensors } = await readWeights(fixture('training.ckpt'));
    const names = ['scale', 'steps', 'linear.weight', 'linear.bias', 'layers.1.weight'];
    expect([...tensors.keys()]).toEqual(names);
    expect(await floats('training.ckpt', 'linear.bias')).toEqual([3, 3, 3]);
  });

  it('a TorchScript archive: attributes by dotted names', async () => {
    const { format, tensors } = await readWeights(fixture('module.pt'));
    expect(format).toBe('torchscript');
    const names = ['layers.1.weight', 'linear.bias', 'linear.weight', 'scale', 'steps'];
    expect([...tensors.keys()].sort()).toEqual(names);
    expect(await floats('module.pt', 'layers.1.weight')).toEqual([4, 4, 4, 4, 4, 4]);
  });

  it('the old format is rejected with the way to convert it', async () => {
    const work = () => readWeights(fixture('views-legacy.bin'));
    await expectCorrupt(work, 'older format', 'torch.save(torch.load');
  });

  it('an unknown class is rejected by name', async () => {
    const work = () => readWeights(fixture('foreign-class.ckpt'));
    await expectCorrupt(work, 'the global functools.partial');
  });
});

const view: PickledTensor = {
  storage: '0',
  dtype: 'float32',
  elements: 4,
  shape: [4],
  strides: [1],
};

function archive(
  root: Picklable,
  records: [string, Uint8Array][] = [['data/0', Buffer.alloc(16)]],
) {
  return zip(
    [['data.pkl', writePickle(root)] as const, ...records].map(([n, b]) => [`m/${n}`, b] as const),
  );
}

async function rejects(bytes: Uint8Array | Promise<Uint8Array>, ...parts: (string | RegExp)[]) {
  const source = bufferSource('m.bin', await bytes);
  await expectCorrupt(() => parseWeights(source), 'm.bin', ...parts);
}

const dict = (...entries: [string, Picklable][]): Picklable => ({ dict: entries });

describe('a damaged or hostile archive is rejected', () => {
  it('when a storage is missing or of another size', async () => {
    await rejects(archive(dict(['a', view]), []), 'm/data/0', 'none');
    const short: [string, Uint8Array][] = [['data/0', Buffer.alloc(15)]];
    await rejects(archive(dict(['a', view]), short), '16 bytes', 'm/data/0', '15 bytes');
    await rejects(archive(dict(['a', { ...view, elements: 5 }])), '20 bytes', 'm/data/0');
  });

  it('when two views of a storage disagree about its type', async () => {
    const other: PickledTensor = { ...view, dtype: 'float16' };
    await rejects(archive(dict(['a', view], ['b', other])), '8 bytes', 'm/data/0');
  });

  it('when its pickle is compressed', async () => {
    const pickle: [string, Uint8Array] = ['m/data.pkl', writePickle(dict(['a', view]))];
    await rejects(zip([pickle], { compress: true }), 'stored', 'm/data.pkl', 'deflated');
  });

  it('when it is big-endian', async () => {
    const big: [string, Uint8Array][] = [['byteorder', Buffer.from('big')]];
    await rejects(archive(dict(), big), 'little', 'byteorder', 'big');
  });

  it('when it has no pickle or several folders', async () => {
    await rejects(zip([['m/x', Buffer.alloc(1)]]), 'data.pkl');
    await rejects(zip([['data.pkl', Buffer.alloc(1)]]), 'one folder');
    await rejects(
      zip([
        ['m/data.pkl', Buffer.alloc(1)],
        ['n/x', Buffer.alloc(1)],
      ]),
      'one folder',
    );
  });

  it('when its root is not a state dict', async () => {
    await rejects(archive(7), 'state dict', 'number');
    await rejects(archive(dict(['state_dict', 7])), 'state_dict', 'number');
    await rejects(archive(dict(['a', 'text'])), 'a tensor for a in', 'string');
    await rejects(archive(dict(['a'.repeat(600), view])), '512 characters');
    const path = { module: 'pathlib.PosixPath', attributes: [] };
    await rejects(archive(dict(['args', path])), 'a tensor for args in', 'pathlib.PosixPath');
  });

  it('when copies of its shared tensors would be much larger than the file', async () => {
    const many = Array.from({ length: 400 }, (_, i): [string, Picklable] => [
      `t${i}`,
      { ...view, elements: 40_000, shape: [40_000] },
    ]);
    const storage: [string, Uint8Array][] = [['data/0', Buffer.alloc(160_000)]];
    await rejects(archive(dict(...many), storage), 'its tensors', String(400 * 160_000));
  });

  it('when its modules are a graph of shared ones, deep or wide', async () => {
    // A chain of modules, each with the next one twice: 2^60 names.
    const children = `(U\x01ah\x00U\x01bh\x00u`;
    const level = `c__torch__\nM\n)\x81}${children}bq\x00`;
    const bomb = `\x80\x02c__torch__\nM\n)\x81}bq\x00${level.repeat(60)}.`;
    await rejects(zip([['m/data.pkl', Buffer.from(bomb, 'latin1')]]), /attributes|characters/);
    let deep: Picklable = { module: '__torch__.M', attributes: [] };
    for (let i = 0; i < 200; i++) {
      deep = { module: '__torch__.M', attributes: [[`child${i}`, deep]] };
    }
    await rejects(archive(deep), /512 characters/);
  });

  it('when it is truncated anywhere', async () => {
    const bytes = readFileSync(fixture('pair.th'));
    for (let end = 0; end < bytes.length; end += 7) await rejects(bytes.subarray(0, end));
  });
});

it('a header length that looks like another format is read as a header length', async () => {
  // 0x80 opens a pickle, and PK a zip file; both are also lengths of headers.
  for (const length of [0x80, 0x0280, 0x04034b50 % 2 ** 16]) {
    const header = Buffer.from('{}'.padEnd(length));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(length));
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, Buffer.concat([prefix, header]));
    expect((await readWeights(path)).format).toBe('safetensors');
  }
});

it('rejects a file of an unknown format', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('GGUF'), Buffer.alloc(100)]) {
    await rejects(bytes, 'safetensors');
  }
});
