import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { libraryFile } from '../../lib/libtorch/folder.js';
import type { NativeAddon, NativeLoader } from '../../lib/torch/addon-types.js';
import { addon, version } from '../../lib/torch/load.js';
import { packageFolder } from '../../lib/util/package.js';
import { Prng } from '../support/prng.js';

// Calls the addon directly, without the checks of lib/torch: for any arguments, each function returns or
// throws an Error with a code. A crash would end the process of this file.

/** `npm run attack` makes more calls of each function, from another seed. */
const calls = Number(process.env.KARLO_FUZZ_CALLS ?? 400);
const seed = Number(process.env.KARLO_FUZZ_SEED ?? 0);

type AnyFunction = (...args: unknown[]) => unknown;
type Name = keyof NativeAddon;
const native = addon();
// All functions that the addon exports, so that new ones are tested, too.
const functions = Object.keys(native) as Name[];
const disposals = functions.filter((name) => /Dispose$/.test(name));
const fixture = fileURLToPath(new URL('../../build/fixtures/arithmetic.pt', import.meta.url));
const graphs = fileURLToPath(new URL('../../build/test/graphs/libkarlo_cuda.so', import.meta.url));

const coefficients = {
  ...{ guidanceScale: undefined, x0: undefined, clip: 1 },
  ...{ mean: { x0: 0.5, x: 0.5 }, std: 0.1, logVarianceMin: -1, logVarianceMax: 0 },
};
const textProj = { clip_embeddings_dim: 8, time_embed_dim: 8, cross_attention_dim: 8 };

let lastId = 1e6;
const nextId = () => ++lastId;
const makeTensor = (...values: number[]) =>
  native.tensorFrom(Float32Array.from(values), [values.length], 'float32');
const makeImage = () => native.tensorFrom(new Float32Array(16), [1, 1, 4, 4], 'float32');
const makeRow = () => native.tensorFrom(new Float32Array(2), [1, 2], 'float32');
const makeEngine = () => native.engineCreate(1);
const engine = makeEngine();
const makeModule = () => native.moduleLoad(engine, nextId(), fixture, 'cpu', undefined);

/** Valid arguments for each function, created for each call. */
const valid: { [N in Name]: () => unknown[] | Promise<unknown[]> } = {
  version: () => [],
  cudaDriver: () => [],
  cudaDevices: () => [],
  cudaKernels: () => ['cpu'],
  mpsDevice: () => [],
  memory: () => ['cpu'],
  trimMemory: () => [],
  cudaGraphsOpen: () => [graphs],
  cudaGraphsStatistics: () => [],
  processExit: () => [0, false],
  engineCreate: () => [1],
  engineCancel: () => [engine, nextId()],
  engineSetThreads: () => [engine, nextId(), 1],
  engineDispose: () => [makeEngine(), nextId()],
  moduleLoad: () => [engine, nextId(), fixture, 'cpu', 'float32'],
  moduleMethods: async () => [await makeModule()],
  moduleAttributes: async () => [engine, nextId(), await makeModule()],
  moduleAssign: async () => [engine, nextId(), await makeModule(), { weight: makeTensor(1) }],
  moduleRun: async () => [engine, nextId(), await makeModule(), 'forward', [makeTensor(1, 2, 3)]],
  moduleSave: async () => [engine, nextId(), await makeModule()],
  moduleFreeze: async () => [engine, nextId(), await makeModule(), ['forward'], ['forward']],
  moduleDispose: async () => [await makeModule()],
  networkTrace: () => [engine, nextId(), 'text_proj', textProj, []],
  fileMap: () => [fixture],
  fileTensor: () => [native.fileMap(fixture), 0, [2, 2], [2, 1], 'float32'],
  fileDispose: () => [native.fileMap(fixture)],
  lostFiles: () => [],
  generatorCreate: () => [0],
  generatorRandn: () => [native.generatorCreate(0), [3]],
  generatorGetState: () => [native.generatorCreate(0)],
  generatorSetState: () => [
    native.generatorCreate(0),
    native.generatorGetState(native.generatorCreate(1)),
  ],
  generatorDispose: () => [native.generatorCreate(0)],
  tensorFrom: () => [new Float32Array(3), [3], 'float32'],
  tensorCopyTo: () => [makeTensor(1, 2, 3), new Float32Array(3)],
  tensorInfo: () => [makeTensor(1)],
  tensorDispose: () => [makeTensor(1)],
  tensorIsDisposed: () => [makeTensor(1)],
  tensorTo: () => [makeTensor(1), 'cpu', 'float64'],
  tensorConvert: () => [engine, nextId(), makeTensor(1), 'cpu', 'bfloat16'],
  tensorReshape: () => [makeTensor(1, 2, 3), [3, 1]],
  tensorPermute: () => [makeTensor(1), [0]],
  tensorSlice: () => [makeTensor(1, 2, 3), 0, 0, 2],
  tensorCat: () => [[makeTensor(1), makeTensor(2)], 0],
  tensorAdd: () => [makeTensor(1), makeTensor(2)],
  tensorSub: () => [makeTensor(1), 1],
  tensorMul: () => [makeTensor(1), makeTensor(2)],
  tensorDiv: () => [makeTensor(1), makeTensor(2)],
  tensorExp: () => [makeTensor(1)],
  ddpmStep: () => [makeRow(), makeRow(), makeRow(), coefficients],
  tensorLog: () => [makeTensor(1)],
  tensorSqrt: () => [makeTensor(1)],
  tensorRound: () => [makeTensor(1)],
  tensorClamp: () => [makeTensor(1), -1, 1],
  tensorResizeBicubic: () => [makeImage(), 2, 2],
};

function detach(array: { buffer: ArrayBufferLike }): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

function detached(): Float32Array {
  const array = new Float32Array(4);
  detach(array);
  return array;
}

/** A view that exceeds its buffer, because the buffer was shrunk. */
function outOfBounds(): Float32Array {
  const buffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 16 }]);
  const array = new Float32Array(buffer, 4, 3);
  buffer.resize(4);
  return array;
}

function disposedTensor() {
  const tensor = makeTensor(1);
  native.tensorDispose(tensor);
  return tensor;
}

async function makeValues(): Promise<unknown[]> {
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const throwing = Object.defineProperty([1, 2], 0, {
    get() {
      throw new Error('a getter that throws');
    },
  });
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  return [
    undefined,
    null,
    true,
    0,
    1,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    -(2 ** 53),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n,
    '',
    'float32',
    'cpu',
    'cuda:99',
    'forward',
    'a\0b',
    'x'.repeat(1e5),
    Symbol('symbol'),
    () => 1,
    {},
    Object.create(null),
    new Map(),
    [],
    [0],
    [-1],
    [2, 2],
    [2 ** 50],
    [2 ** 53, 2 ** 53],
    [0, 2 ** 53, 2 ** 53],
    [Number.NaN],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    new Array(2 ** 32 - 1),
    cyclic,
    throwing,
    new Proxy([], {}),
    revoked.proxy,
    new Float32Array(4),
    new Uint8Array(0),
    new Uint16Array(4),
    new BigInt64Array(4),
    new Float64Array(new SharedArrayBuffer(32)),
    detached(),
    outOfBounds(),
    new ArrayBuffer(16),
    new DataView(new ArrayBuffer(16)),
    makeTensor(1, 2, 3, 4),
    native.tensorFrom(new Float32Array(4), [2, 2], 'bfloat16'),
    native.tensorFrom(new Float32Array(0), [0, 3], 'float32'),
    native.tensorFrom(new BigInt64Array(4), [4], 'int64'),
    native.tensorFrom(new Uint32Array(4), [4], 'uint32'),
    disposedTensor(),
    native.generatorCreate(1),
    await makeModule(),
    makeEngine(),
    native.fileMap(fixture),
    textProj,
    'text_proj',
    { weight: makeTensor(1) },
  ];
}

/** Whether an error is one of the addon's, with a code, or was thrown by the value itself. */
function isExpected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: string };
  return code?.startsWith('ERR_KARLO_') || /getter that throws|revoked/.test(error.message);
}

async function call(name: Name, args: unknown[], self: unknown = undefined) {
  try {
    await Reflect.apply(native[name] as AnyFunction, self, args);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function survives(name: Name, args: unknown[], self?: unknown) {
  const error = await call(name, args, self);
  if (error !== undefined) expect(isExpected(error), `${name}: ${error}`).toBe(true);
}

/** Disposes all handles in these values, including those in lists and objects. Returns their number. */
function disposeAll(values: unknown[]): number {
  const inner = values.flatMap((value) =>
    Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : [],
  );
  return [...values, ...inner].filter((value) => disposals.some((name) => disposes(name, value)))
    .length;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && Object.getPrototypeOf(value ?? []) === Object.prototype;
}

function disposes(name: Name, value: unknown): boolean {
  if (value === engine) return false;
  try {
    const disposal = (native[name] as AnyFunction)(value, nextId());
    Promise.resolve(disposal).catch(() => {});
    return true;
  } catch {
    return false;
  }
}

describe.each(functions)('%s', (name) => {
  test('accepts valid arguments', async () => {
    expect(await call(name, await valid[name]())).toBeUndefined();
  });

  test('survives any value in any position', { timeout: 30_000 + 50 * calls }, async () => {
    const values = await makeValues();
    const random = new Prng(1000 * seed + functions.indexOf(name) + 1);
    for (let i = 0; i < calls; i += 1) {
      const count = random.below(6);
      await survives(
        name,
        Array.from({ length: count }, () => random.pick(values)),
      );
    }
  });

  test('survives one invalid argument among valid ones', async () => {
    const values = await makeValues();
    for (const i of (await valid[name]()).keys()) {
      for (const value of values) await survives(name, (await valid[name]()).with(i, value));
    }
  });

  test('survives a list whose getter disposes or detaches the other arguments', async () => {
    for (const [i, list] of (await valid[name]()).entries()) {
      if (!Array.isArray(list)) continue;
      const args = await valid[name]();
      const destructive = [...(args[i] as unknown[])];
      const first = destructive[0];
      Object.defineProperty(destructive, 0, {
        get() {
          disposeAll(args);
          for (const arg of args) if (ArrayBuffer.isView(arg)) detach(arg);
          return first;
        },
      });
      await survives(name, args.with(i, destructive));
    }
  });

  test('ignores `this`', async () => {
    for (const self of [null, 1, {}, engine, native.generatorCreate(1), new Float32Array(1)]) {
      expect(await call(name, await valid[name](), self)).toBeUndefined();
      await survives(name, [], self);
    }
  });

  test('throws for a disposed handle', async () => {
    const args = await valid[name]();
    const handles = disposeAll(args);
    const error = await call(name, args);
    const isIdempotent = /^(?!engine).*(Dispose|IsDisposed)$/.test(name);
    if (handles === 0 || isIdempotent) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
  });

  test('throws for a disposed engine', async () => {
    const args = await valid[name]();
    if (args[0] !== engine) return;
    const disposed = makeEngine();
    await native.engineDispose(disposed, nextId());
    const error = await call(name, [disposed, ...args.slice(1)]);
    // Cancelling is allowed while the engine is being disposed; no call is left then.
    if (name === 'engineCancel') expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
  });
});

describe('the addon', () => {
  test('rejects a handle of another type, and a disposed one', async () => {
    const generator = native.generatorCreate(1) as never;
    expect(() => native.tensorInfo(generator)).toThrow(/Expected Tensor for tensor/);
    expect(() => native.tensorInfo({} as never)).toThrow(/Expected Tensor for tensor/);
    expect(() => native.tensorInfo(disposedTensor())).toThrow(/disposed/);
    expect(() => native.tensorDispose(generator)).toThrow(/Expected Tensor/);
    expect(() => native.moduleMethods(engine as never)).toThrow(/Expected ScriptModule/);
  });

  test('reads a typed array after everything that could detach it', () => {
    const data = new Float32Array([1, 2, 3]);
    const shape = Object.defineProperty([0], 0, {
      get() {
        detach(data);
        return 3;
      },
    });
    expect(() => native.tensorFrom(data, shape, 'float32')).toThrow(
      'Expected 3 elements for data but received 0',
    );
  });

  test('describes an invalid argument in the message without running its code', () => {
    let ran = false;
    const withCode = {
      toString() {
        ran = true;
        return 'text';
      },
    };
    expect(() => native.engineCreate(withCode as never)).toThrow(
      'Expected integer between 1 and 1024 for threads but received a value of type object',
    );
    expect(ran).toBe(false);
  });
});

describe('the loader', () => {
  const require = createRequire(import.meta.url);
  const path = require('node-gyp-build').path(packageFolder());
  const loader = require(path) as NativeLoader;

  test('survives any value', async () => {
    expect(Object.keys(loader).sort()).toEqual([
      'libtorch',
      'loaded',
      'open',
      'openAddon',
      'openAhead',
    ]);
    const odd = ['/', '/dev/null', '/nowhere/at/all.so', fixture, dirname(path)];
    for (const value of [...(await makeValues()), ...odd]) {
      for (const name of ['open', 'openAddon', 'loaded'] as const) {
        // dlopen takes the empty name for the program itself, which is loaded.
        const isName = typeof value === 'string' && !value.includes('\0');
        if (isName && (name === 'loaded' || (name === 'open' && value === ''))) {
          expect(loader[name](value)).toBeUndefined();
        } else {
          expect(() => loader[name](value as string), `${name} ${typeof value}`).toThrow(
            expect.objectContaining({ code: 'ERR_KARLO_NATIVE' }),
          );
        }
      }
    }
  });

  test('openAhead ignores libraries that it cannot open', async () => {
    for (const value of await makeValues()) {
      const isPath = typeof value === 'string' && !value.includes('\0');
      if (isPath) expect(await loader.openAhead(value)).toBeUndefined();
      else expect(() => loader.openAhead(value as string)).toThrow('Expected string for path');
    }
    expect(await loader.openAhead(...Array(100).fill('/nowhere'))).toBeUndefined();
    expect(await loader.openAhead()).toBeUndefined();
  });

  test('openAddon rejects a library that is not an addon', () => {
    const library = join(version().folder, 'lib', libraryFile('c10'));
    expect(() => loader.openAddon(library)).toThrow(`${library} is not a Node addon`);
  });
});

describe('a mapped file', () => {
  const file = native.fileMap(fixture);

  test.each<[string, number, number[], number[], RegExp]>([
    ['ends past the file', 0, [1e9], [1], /ends past byte/],
    ['starts past the file', 1e9, [1], [1], /between 0 and \d+ for offset/],
    ['has strides beyond the file', 0, [2], [2 ** 40], /ends past byte|reach past/],
    ['overflows', 0, [2 ** 26, 2 ** 26], [2 ** 52, 2 ** 52], /reach past 2\^53/],
    ['has strides of another rank', 0, [2, 2], [1], /as many strides/],
    ['has a negative stride', 8, [2], [-1], /for strides\[0\]/],
  ])('rejects a tensor that %s', (_name, offset, shape, strides, message) => {
    expect(() => native.fileTensor(file, offset, shape, strides, 'float32')).toThrow(message);
  });

  test('reads at any offset, by a copy if elements are not aligned', () => {
    for (const offset of [0, 1, 3, 4]) {
      const bytes = native.fileTensor(file, offset, [8], [1], 'uint8');
      const words = native.fileTensor(file, offset, [2], [1], 'int32');
      const [a, b] = [new Uint8Array(8), new Int32Array(2)];
      native.tensorCopyTo(bytes, a);
      native.tensorCopyTo(words, b);
      expect(new Uint8Array(b.buffer)).toEqual(a);
    }
  });

  test('stays mapped for its tensors after dispose', () => {
    const own = native.fileMap(fixture);
    const tensor = native.fileTensor(own, 0, [2], [1], 'uint8');
    native.fileDispose(own);
    const target = new Uint8Array(2);
    native.tensorCopyTo(tensor, target);
    expect(String.fromCharCode(...target)).toBe('PK');
    expect(() => native.fileTensor(own, 0, [1], [1], 'uint8')).toThrow(/disposed/);
  });

  test('rejects a missing file, an empty one, and a folder', () => {
    for (const path of ['/nowhere/at/all', '/dev/null', '/']) {
      expect(() => native.fileMap(path)).toThrow(
        expect.objectContaining({ code: 'ERR_KARLO_MODEL_NOT_FOUND' }),
      );
    }
  });
});
