import { describe, expect, it } from 'vitest';
import { unpickle } from '../../../lib/weights/pickle/unpickle.js';
import type { PickleDict } from '../../../lib/weights/pickle/values.js';
import { type Picklable, type PickledTensor, writePickle } from '../../fixtures/pickle-writer.js';
import { expectCorrupt } from '../../support/expect-error.js';

const raw = (text: string) => Buffer.from(`\x80\x02${text}`, 'latin1');
const load = (text: string) => unpickle(raw(text), 'm.bin');
const round = (value: Picklable) => unpickle(writePickle(value), 'm.bin');
const rejects = (text: string, ...parts: (string | RegExp)[]) =>
  expectCorrupt(() => load(text), 'm.bin', ...parts);

const view: PickledTensor = {
  storage: '0',
  dtype: 'float32',
  elements: 12,
  shape: [3, 4],
  strides: [4, 1],
};

describe('what PyTorch writes', () => {
  it('numbers, strings, constants', () => {
    for (const value of [null, true, false, 0, 255, 65535, -1, 2 ** 31, -(2 ** 40), 1.5, 'é']) {
      expect(round(value)).toBe(value);
    }
    expect(load('\x8a\x00.')).toBe(0);
    expect(load('\x8a\x01\xff.')).toBe(-1);
    expect(load('\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.')).toBe(2n ** 64n);
    expect(load('U\x02hi.')).toBe('hi');
    expect(load('C\x02hi.')).toEqual(Buffer.from('hi'));
  });

  it('containers, shared and cyclic', () => {
    expect(round([1, { tuple: [2, 3] }])).toEqual({
      kind: 'list',
      items: [1, { kind: 'tuple', items: [2, 3] }],
    });
    const shared = load(']q\x00(h\x00h\x00e.') as { items: unknown[] };
    expect(shared.items).toEqual([shared, shared]);
    expect(load('\x8f(K\x01\x90.')).toEqual({ kind: 'set', items: [1] });
    expect(load('K\x01K\x02K\x03\x87.')).toEqual({ kind: 'tuple', items: [1, 2, 3] });
    expect(load('K\x01(K\x021.')).toBe(1);
  });

  it('tensors as views of storages', () => {
    expect(round(view)).toEqual({
      kind: 'tensor',
      storage: { kind: 'storage', dtype: 'float32', key: '0', elements: 12 },
      offset: 0,
      shape: [3, 4],
      strides: [4, 1],
    });
    const parameter = { global: ['torch._utils', '_rebuild_parameter'], args: [view, true, null] };
    expect(round(parameter as Picklable)).toEqual(round(view));
  });

  it("TorchScript's objects as inert records", () => {
    const module = { module: '__torch__.torch.nn.Linear', attributes: [['training', false]] };
    expect(round(module as Picklable)).toEqual({
      kind: 'record',
      className: '__torch__.torch.nn.Linear',
      state: { kind: 'dict', entries: new Map([['training', false]]) },
    });
    const ints = { global: ['torch.jit._pickle', 'build_intlist'], args: [[1, 2]] };
    expect(round(ints as Picklable)).toEqual({ kind: 'list', items: [1, 2] });
  });

  it('objects of Lightning and OmegaConf as inert records, which ignore items', () => {
    const config = 'comegaconf.dictconfig\nDictConfig\n)\x81}b';
    expect(load(`${config}.`)).toMatchObject({ className: 'omegaconf.dictconfig.DictConfig' });
    const dict = 'cpytorch_lightning.utilities.parsing\nAttributeDict\n)\x81(U\x01aK\x01u.';
    expect(load(dict)).toMatchObject({ kind: 'record', state: null });
  });
});

describe('command lines and paths as inert records', () => {
  const paths = [
    'PurePath',
    'PurePosixPath',
    'PureWindowsPath',
    'Path',
    'PosixPath',
    'WindowsPath',
  ];
  it.each(['pathlib', 'pathlib._local'].flatMap((module) => paths.map((name) => [module, name])))(
    '%s.%s',
    (module, name) => {
      const path: Picklable = { global: [module as string, name as string], args: ['/', 'data'] };
      expect(round(path)).toEqual({ kind: 'record', className: `${module}.${name}`, state: null });
    },
  );

  it('argparse.Namespace', () => {
    const namespace: Picklable = { module: 'argparse.Namespace', attributes: [['steps', 7]] };
    expect(round(namespace)).toEqual({
      kind: 'record',
      className: 'argparse.Namespace',
      state: { kind: 'dict', entries: new Map([['steps', 7]]) },
    });
  });

  it('as keys of dicts, and classes and tuples, too', () => {
    const keys = ['cpathlib\nPath\n)R', 'cargparse\nNamespace\n', 'K\x01\x85'];
    const { entries } = load(`}(${keys.map((key) => `${key}N`).join('')}u.`) as PickleDict;
    expect([...entries.keys()]).toEqual([
      { kind: 'record', className: 'pathlib.Path', state: null },
      { kind: 'global', name: 'argparse.Namespace' },
      { kind: 'tuple', items: [1] },
    ]);
  });
});

describe('any other global is rejected by name, called or not', () => {
  it.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['__builtin__', 'exec'],
    ['torch', 'load'],
    ['torch', 'FloatStorageX'],
    ['torch._utils', '_rebuild_device_tensor_from_numpy'],
    ['torch.jit._pickle', 'build_tensor_from_id'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['__torch__x', 'A'],
    ['omegaconf', 'OmegaConf.create'],
    ['collections', 'OrderedDict.fromkeys'],
    ['operator', 'attrgetter'],
    ['argparse', 'FileType'],
    ['pathlib', 'Path.unlink'],
    ['pathlib', 'os'],
    ['pathlib._local', 'os.system'],
  ])('%s.%s', async (module, name) => {
    await rejects(`c${module}\n${name}\n.`, `the global ${module}.${name}`);
    const short = (text: string) => `\x8c${String.fromCharCode(text.length)}${text}`;
    await rejects(`${short(module)}${short(name)}\x93.`, `the global ${module}.${name}`);
  });

  it('not even to hide a call in an argument', async () => {
    await rejects('ctorch._utils\n_rebuild_parameter\n(cos\nsystem\nU\x02idtRtR.', 'os.system');
  });
});

describe('tensors beyond their storage are rejected', () => {
  const bad: [string, Partial<PickledTensor>][] = [
    ['shape', { shape: [3, 5] }],
    ['offset', { offset: 1 }],
    ['stride', { strides: [5, 1] }],
    ['expanded view', { shape: [12, 2], strides: [1, 0] }],
    ['overflow', { shape: [2 ** 31 - 1, 2 ** 31 - 1], strides: [2 ** 31 - 1, 2 ** 31 - 1] }],
    ['negative size', { shape: [-3, 4] }],
    ['negative stride', { strides: [-4, 1] }],
    ['negative offset', { offset: -1 }],
    ['fewer strides', { strides: [1] }],
    ['many dimensions', { shape: Array(9).fill(1), strides: Array(9).fill(1) }],
    ['fractional size', { shape: [1.5] as number[], strides: [1] }],
    ['negative storage', { elements: -12 }],
    ['storage path', { storage: '../0' }],
  ];
  it.each(bad)('%s', async (_, change) => {
    await expectCorrupt(() => round({ ...view, ...change }), 'm.bin');
  });

  it('storages of an unknown class, or of none', async () => {
    const id = (type: string) => `(U\x07storage${type}U\x010U\x03cpuK\x01tQ.`;
    expect(load(id('ctorch\nHalfStorage\n'))).toMatchObject({ dtype: 'float16' });
    await rejects(id('ctorch\nSize\n'), 'typed storage', 'torch.Size');
    await rejects(id('N'), 'typed storage', 'None');
    await rejects('U\x01xQ.', 'storage');
  });
});

describe('hostile pickles are rejected', () => {
  it.each([
    ['nothing', ''],
    ['no end', 'N'],
    ['an empty stack', '.'],
    ['a pop too many', 'N00.'],
    ['a pop below a mark', 'N(\x85.'],
    ['a mark that is not there', 'Nt.'],
    ['a memo entry that is not there', 'h\x07.'],
    ['a string longer than the file', 'X\xff\xff\xff\xffa.'],
    ['a string of negative length', 'T\xff\xff\xff\xffa.'],
    ['a 64-bit length', '\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.'],
    ['a frame longer than the file', '\x95\xff\x00\x00\x00\x00\x00\x00\x00N.'],
    ['a huge integer', `\x8a\x20${'\x01'.repeat(32)}.`],
    ['an integer of 2 GB', '\x8b\xff\xff\xff\x7f\x01.'],
    ['text that is not UTF-8', 'X\x01\x00\x00\x00\xff.'],
    ['an odd number of items', '}(NNNu.'],
    ['a key that is a list', '}]Ns.'],
    ['a key given twice', '}(U\x01aNU\x01aNu.'],
    ['an object given twice as a key', '}(ctorch\nSize\nq\x00Nh\x00Nu.'],
    ['items for a list', ']NNs.'],
    ['an append to a dict', '}Na.'],
    ['a call of no global', 'N)R.'],
    ['a call without a tuple', 'ccollections\nOrderedDict\nNR.'],
    ['a call of a storage', 'ctorch\nFloatStorage\n)R.'],
    ['keyword arguments', 'ccollections\nOrderedDict\n)}(U\x01aNu\x92.'],
    ['a state for a list', ']Nb.'],
    ['two states for an object', 'c__torch__\nA\n)\x81}b}b.'],
    ['a global of an endless line', `c${'a'.repeat(600)}\nb\n.`],
    ['an extension code', '\x82\x01.'],
    ['INST', '(ios\nsystem\n.'],
    ['OBJ', '(cos\nsystem\no.'],
    ['a text integer', 'I1\n.'],
    ['a persistent id in text', 'Pa\n.'],
    ['an out-of-band buffer', '\x97.'],
    ['a later protocol', '\x80\x06N.'],
  ])('%s', async (_, text) => {
    await rejects(text);
  });

  it('an older protocol', async () => {
    await expectCorrupt(() => unpickle(Buffer.from('(lp0\n.'), 'm.bin'), 'protocol');
    await expectCorrupt(() => unpickle(Buffer.from('\x80\x01N.', 'latin1'), 'm.bin'), 'protocol');
  });

  it('deep nesting, long chains, and many objects', async () => {
    // What they take of memory, memory.test.ts measures.
    await rejects('('.repeat(1000), 'nesting');
    await rejects('}'.repeat(1_000_000), 'objects');
    await rejects('N'.repeat(2_000_000), 'values');
    await rejects(`]${'Na'.repeat(2_000_000)}.`, 'at most 1048576', 'pickled values');
    await rejects(']\x94'.repeat(300_000), 'objects');
    await rejects(`N${'\x94'.repeat(300_000)}`, 'memo');
    expect(load(`${']'.repeat(1000)}${'a'.repeat(999)}.`)).toMatchObject({ kind: 'list' });
  });

  it('shared lists are read, although a recursive walk would never end', () => {
    // l0 = []; l1 = [l0, l0]; …: 2^200 leaves in a few hundred values.
    const level = (i: number) => `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq`;
    let text = ']q\x00';
    for (let i = 0; i < 200; i++) text += level(i) + String.fromCharCode(i + 1);
    expect(load(`${text}.`)).toMatchObject({ kind: 'list' });
  });
});
