import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { NativeAddon } from '../../lib/torch/addon-types.js';
import { addon } from '../../lib/torch/load.js';

// Straight through the addon, past everything that TypeScript checks: whatever comes, each function
// answers or throws an Error with a code. A crash would end this file's process.

type AnyFunction = (...args: unknown[]) => unknown;
const native = addon();
const functions = Object.keys(native) as (keyof NativeAddon)[];
const fixture = fileURLToPath(new URL('../../build/fixtures/arithmetic.pt', import.meta.url));

const textProj = { clip_embeddings_dim: 8, time_embed_dim: 8, cross_attention_dim: 8 };

let lastId = 1e6;
const nextId = () => ++lastId;
const engine = native.engineCreate(1);
const loadArithmetic = () => native.moduleLoad(engine, nextId(), fixture, 'cpu', undefined);

function detached(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function disposedTensor() {
  const tensor = native.tensorFrom(new Float32Array(4), [4], 'float32');
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
  const endless: unknown[] = [];
  endless.push(endless);
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
    [Number.NaN],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    endless,
    throwing,
    new Proxy([], {}),
    revoked.proxy,
    new Float32Array(4),
    new Uint8Array(0),
    new Uint16Array(4),
    new BigInt64Array(4),
    new Float64Array(new SharedArrayBuffer(32)),
    detached(),
    new ArrayBuffer(16),
    new DataView(new ArrayBuffer(16)),
    native.tensorFrom(new Float32Array([1, 2, 3, 4]), [4], 'float32'),
    native.tensorFrom(new Float32Array(4), [2, 2], 'bfloat16'),
    native.tensorFrom(new Float32Array(0), [0, 3], 'float32'),
    native.tensorFrom(new BigInt64Array(4), [4], 'int64'),
    native.tensorFrom(new Uint32Array(4), [4], 'uint32'),
    disposedTensor(),
    native.generatorCreate(1),
    await loadArithmetic(),
    engine,
    native.fileMap(fixture),
    textProj,
    'text_proj',
    { weight: native.tensorFrom(new Float32Array(1), [1], 'float32') },
  ];
}

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An error is as it should be: one of the addon's with a code, or one thrown by the value itself. */
function isProper(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: string };
  return code?.startsWith('ERR_KARLO_') || /getter that throws|revoked/.test(error.message);
}

async function call(name: keyof NativeAddon, args: unknown[], self: unknown = undefined) {
  try {
    await Reflect.apply(native[name] as AnyFunction, self, args);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('every function of the addon', () => {
  // Disposal would take the values away from the calls that follow.
  const harmless = functions.filter((name) => !/Dispose$/.test(name));

  test('survives every value in every place', { timeout: 240_000 }, async () => {
    const values = await makeValues();
    const pick = random(1);
    for (const name of harmless) {
      for (let round = 0; round < 400; round += 1) {
        const count = Math.floor(pick() * 6);
        const args = Array.from(
          { length: count },
          () => values[Math.floor(pick() * values.length)],
        );
        const error = await call(name, args);
        if (error !== undefined) expect(isProper(error), `${name}: ${error}`).toBe(true);
      }
    }
  });

  test('survives one wrong argument among right ones', { timeout: 240_000 }, async () => {
    const values = await makeValues();
    const tensor = native.tensorFrom(new Float32Array([1, 2, 3]), [3], 'float32');
    const picture = native.tensorFrom(new Float32Array(16), [1, 1, 4, 4], 'float32');
    const generator = native.generatorCreate(0);
    const module = await loadArithmetic();
    const right: Partial<Record<keyof NativeAddon, unknown[]>> = {
      tensorFrom: [new Float32Array(3), [3], 'float32'],
      tensorCopyTo: [tensor, new Float32Array(3)],
      tensorTo: [tensor, 'cpu', 'float64'],
      tensorReshape: [tensor, [3, 1]],
      tensorPermute: [tensor, [0]],
      tensorSlice: [tensor, 0, 0, 2],
      tensorCat: [[tensor, tensor], 0],
      tensorAdd: [tensor, tensor],
      tensorSub: [tensor, 1],
      tensorMul: [tensor, 2],
      tensorClamp: [tensor, -1, 1],
      tensorResizeBicubic: [picture, 2, 2],
      generatorRandn: [generator, [3]],
      generatorSetState: [generator, native.generatorGetState(generator)],
      moduleLoad: [engine, 1, fixture, 'cpu', 'float32'],
      moduleAttributes: [engine, 1, module],
      moduleAssign: [engine, 1, module, { weight: tensor }],
      moduleRun: [engine, 1, module, 'forward', [tensor]],
      moduleSave: [engine, 1, module],
      moduleFreeze: [engine, 1, await loadArithmetic()],
      networkTrace: [engine, 1, 'text_proj', textProj, []],
      fileMap: [fixture],
      fileTensor: [native.fileMap(fixture), 0, [2, 2], [2, 1], 'float32'],
      tensorConvert: [engine, 1, tensor, 'cpu', 'bfloat16'],
    };
    for (const [name, args] of Object.entries(right) as [keyof NativeAddon, unknown[]][]) {
      expect(await call(name, args), `${name} with right arguments`).toBeUndefined();
      for (const i of args.keys()) {
        for (const value of values) {
          const error = await call(name, args.with(i, value));
          if (error !== undefined) expect(isProper(error), `${name}: ${error}`).toBe(true);
        }
      }
    }
  });

  test('does not care about `this`', async () => {
    for (const name of harmless) {
      for (const self of [null, 1, {}, engine, native.generatorCreate(1), new Float32Array(1)]) {
        const error = await call(name, [], self);
        if (error !== undefined) expect(isProper(error), `${name}: ${error}`).toBe(true);
      }
    }
  });

  test('refuses a handle of another kind, and a disposed one', async () => {
    const generator = native.generatorCreate(1) as never;
    expect(() => native.tensorInfo(generator)).toThrow(/Expected Tensor for tensor/);
    expect(() => native.tensorInfo({} as never)).toThrow(/Expected Tensor for tensor/);
    expect(() => native.tensorInfo(disposedTensor())).toThrow(/disposed/);
    expect(() => native.tensorDispose(generator)).toThrow(/Expected Tensor/);
    expect(() => native.moduleMethods(engine as never)).toThrow(/Expected ScriptModule/);
  });

  test('shows a wrong argument in the message without running its code', () => {
    let ran = false;
    const sly = {
      toString() {
        ran = true;
        return 'sly';
      },
    };
    expect(() => native.engineCreate(sly as never)).toThrow(
      'Expected integer between 1 and 1024 for threads but received a value of type object',
    );
    expect(ran).toBe(false);
  });
});

describe('a mapped file', () => {
  const file = native.fileMap(fixture);

  test.each<[string, number, number[], number[], RegExp]>([
    ['ends past the file', 0, [1e9], [1], /ends past byte/],
    ['starts past the file', 1e9, [1], [1], /between 0 and \d+ for offset/],
    ['strides out of the file', 0, [2], [2 ** 40], /ends past byte|reach past/],
    ['overflows', 0, [2 ** 26, 2 ** 26], [2 ** 52, 2 ** 52], /reach past 2\^53/],
    ['has strides of another rank', 0, [2, 2], [1], /as many strides/],
    ['has a negative stride', 8, [2], [-1], /for strides\[0\]/],
  ])('refuses a tensor that %s', (_name, offset, shape, strides, message) => {
    expect(() => native.fileTensor(file, offset, shape, strides, 'float32')).toThrow(message);
  });

  test('gives its bytes at any offset, and a copy where elements are not aligned', () => {
    for (const offset of [0, 1, 3, 4]) {
      const bytes = native.fileTensor(file, offset, [8], [1], 'uint8');
      const words = native.fileTensor(file, offset, [2], [1], 'int32');
      const [a, b] = [new Uint8Array(8), new Int32Array(2)];
      native.tensorCopyTo(bytes, a);
      native.tensorCopyTo(words, b);
      expect(new Uint8Array(b.buffer)).toEqual(a);
    }
  });

  test('stays mapped for its tensors after it was disposed', () => {
    const own = native.fileMap(fixture);
    const tensor = native.fileTensor(own, 0, [2], [1], 'uint8');
    native.fileDispose(own);
    const target = new Uint8Array(2);
    native.tensorCopyTo(tensor, target);
    expect(String.fromCharCode(...target)).toBe('PK');
    expect(() => native.fileTensor(own, 0, [1], [1], 'uint8')).toThrow(/disposed/);
  });

  test('that is not there, or empty, or a folder, is ERR_KARLO_MODEL_NOT_FOUND', () => {
    for (const path of ['/nowhere/at/all', '/dev/null', '/']) {
      expect(() => native.fileMap(path)).toThrow(
        expect.objectContaining({ code: 'ERR_KARLO_MODEL_NOT_FOUND' }),
      );
    }
  });
});
