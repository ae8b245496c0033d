import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  devices,
  Engine,
  memory,
  type ScriptInput,
  ScriptModule,
  type ScriptOutput,
  setThreads,
  Tensor,
} from '../../lib/torch/index.js';
import { graphSource, scriptArchive } from '../fixtures/script-archive.js';
import { expectCode } from '../support/expect-error.js';

const path = fileURLToPath(new URL('../../build/fixtures/arithmetic.pt', import.meta.url));
const vector = (...values: number[]) => Tensor.from(new Float32Array(values));
const valuesOf = (output: ScriptOutput) => [...(output as Tensor<'float32'>).toTypedArray()];

let module: ScriptModule;
beforeAll(async () => {
  module = await ScriptModule.load(path);
});

function cyclic(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

/** A call that computes for a few tenths of a second. */
function spin(on: ScriptModule, options = {}) {
  const matrix = Tensor.from(new Float32Array(512 * 512).fill(0.01), [512, 512]);
  return on.run('spin', [matrix, Tensor.from(new BigInt64Array([40n]))], options);
}

describe('load', () => {
  test('reads a path, a URL and bytes', async () => {
    for (const source of [path, pathToFileURL(path), readFileSync(path)]) {
      const loaded = await ScriptModule.load(source);
      expect(valuesOf(await loaded.run('forward', [vector(1, 2, 3)]))).toEqual([3, 5, 7]);
    }
  });

  test('converts to a dtype', async () => {
    const loaded = await ScriptModule.load(path, { dtype: 'bfloat16' });
    const { weight, 'inner.bias': bias, 'inner.index': index } = await loaded.attributes();
    expect([weight?.dtype, bias?.dtype]).toEqual(['bfloat16', 'bfloat16']);
    expect(index?.dtype).toBe('int64');
  });

  test('reports the device that auto chose', async () => {
    const cuda = devices().some(({ device, available }) => available && device !== 'cpu');
    const loaded = await ScriptModule.load(path, { device: 'auto' });
    expect(loaded.device).toBe(cuda ? 'cuda:0' : 'cpu');
  });

  test('rejects a missing file, and a file that is not a module', async () => {
    const missing = `${path}.missing`;
    await expect(ScriptModule.load(missing)).rejects.toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
      message: expect.stringContaining(missing),
    });
    const corrupt = { code: 'ERR_KARLO_MODEL_CORRUPT' };
    const bytes = readFileSync(path);
    await expect(ScriptModule.load(bytes.subarray(0, 2000))).rejects.toMatchObject(corrupt);
    await expect(ScriptModule.load(Buffer.from('no zip'))).rejects.toMatchObject(corrupt);
    await expect(ScriptModule.load(misnamed(bytes))).rejects.toMatchObject(corrupt);
    const truncated = `${path}.truncated`;
    writeFileSync(truncated, bytes.subarray(0, 1000));
    await expect(ScriptModule.load(truncated)).rejects.toMatchObject({
      ...corrupt,
      message: expect.stringContaining(truncated),
    });
  });

  test('throws errors with the stack of the caller', async () => {
    for (const attempt of [
      () => ScriptModule.load(Buffer.from('no zip')),
      () => ScriptModule.load(`${path}.missing`),
      () => ScriptModule.load(path, { dtype: 'f' as never }),
      () => ScriptModule.load(path, { device: 'tpu' }),
    ]) {
      const error = await attempt().catch((reason) => reason);
      expect(error.name).toBe('KarloError');
      // The first frame: no frame of this package comes before it.
      expect(error.stack.split('\n')[1]).toContain('script-module.test.ts');
    }
  });

  test('rejects invalid arguments', async () => {
    const invalid = { code: 'ERR_KARLO_INVALID_ARGUMENT' };
    await expect(ScriptModule.load(3 as never)).rejects.toMatchObject(invalid);
    const elsewhere = new URL('http://localhost/module.pt');
    await expect(ScriptModule.load(elsewhere)).rejects.toMatchObject(invalid);
    await expect(ScriptModule.load(new Uint8Array(0))).rejects.toMatchObject(invalid);
    await expect(ScriptModule.load(path, { device: 'tpu' })).rejects.toMatchObject(invalid);
    await expect(ScriptModule.load(path, { dtype: 'f' as never })).rejects.toMatchObject(invalid);
    await expect(ScriptModule.load(path, { engine: {} as never })).rejects.toMatchObject(invalid);
    for (const options of [null, 'cuda', []] as never[]) {
      await expect(ScriptModule.load(path, options)).rejects.toThrow(
        /^Expected object for options/,
      );
      await expect(module.run('empty', [], options)).rejects.toThrow(
        /^Expected object for options/,
      );
      expect(() => new Engine(options)).toThrow(/^Expected object for options/);
    }
    await expect(ScriptModule.load(path, { devise: 'cuda' } as never)).rejects.toThrow(
      /did you mean device\?/,
    );
    expect(() => new Engine({ thread: 1 } as never)).toThrow(/did you mean threads\?/);
  });

  /** An intact archive whose module has a class that is not defined. */
  function misnamed(bytes: Buffer): Buffer {
    const changed = Buffer.from(bytes);
    changed.write('X', changed.indexOf('Arithmetic'));
    return changed;
  }
});

describe('run and methods', () => {
  test('lists the methods', () => {
    expect(module.methods()).toEqual(expect.arrayContaining(['forward', 'empty', 'pair']));
  });

  test('takes and returns tuples and lists of tensors, and null', async () => {
    const [x, y] = [vector(1, 2, 3), vector(10, 20, 30)];
    expect(await module.run('empty')).toBeNull();
    const pair = (await module.run('pair', [x, y])) as Tensor[];
    expect(pair.map(valuesOf)).toEqual([
      [11, 22, 33],
      [-9, -18, -27],
    ]);
    expect(valuesOf(await module.run('total', [[x, y, x]]))).toEqual([12, 24, 36]);
    const swapped = (await module.run('swap', [[x, y]])) as Tensor[];
    expect(swapped.map(valuesOf)).toEqual([
      [10, 20, 30],
      [1, 2, 3],
    ]);
    expect(valuesOf(await module.run('maybe', [x]))).toEqual([1, 2, 3]);
    expect(valuesOf(await module.run('maybe', [null]))).toEqual([2, 2, 2]);
    expectTypeOf(module.run('pair', [x, y])).resolves.toEqualTypeOf<ScriptOutput>();
  });

  test('takes booleans, and defaults for inputs at the end', async () => {
    const source = graphSource('return torch.add(x, int(twice), alpha=2)')
      .replace('x: Tensor)', 'x: Tensor, twice: bool=False)')
      .replace('-> int', '-> Tensor');
    const loaded = await ScriptModule.load(await scriptArchive(source));
    const run = async (...inputs: ScriptInput[]) => valuesOf(await loaded.run('forward', inputs));
    expect(await run(vector(1))).toEqual([1]);
    expect(await run(vector(1), true)).toEqual([3]);
    expect(await run(vector(1), false)).toEqual([1]);
    const code = 'ERR_KARLO_INVALID_ARGUMENT';
    await expectCode(code, () => run(vector(1), vector(1)), /boolean for inputs\[1\]/);
    await expectCode(code, () => run(true), /Tensor for inputs\[0\] but received true/);
    await expectCode(code, () => run(vector(1), true, true), /2 elements/);
    await expectCode(code, () => run(), /1 element/);
  });

  test('inputs can be disposed right after the call', async () => {
    const x = vector(1, 2, 3);
    const result = module.run('forward', [x]);
    x.dispose();
    expect(valuesOf(await result)).toEqual([3, 5, 7]);
  });

  test.each<[string, string, unknown[], RegExp]>([
    ['an unknown method', 'nope', [], /name of a method of this ScriptModule for method .*'nope'/],
    ['too few inputs', 'pair', [vector(1)], /array of 2 elements for inputs but received 1/],
    ['a wrong input', 'forward', [3], /Expected Tensor for inputs\[0\] but received 3/],
    ['null for a required input', 'forward', [null], /Expected Tensor for inputs\[0\]/],
    ['a short tuple', 'swap', [[vector(1)]], /array of 2 elements for inputs\[0\]/],
    ['a cyclic list', 'total', [cyclic()], /arrays nested at most 16 deep for inputs/],
    ['a wrong tensor in a list', 'total', [[vector(1), 2]], /Tensor for inputs\[0\]\[1\]/],
    ['a method that wants a number', 'number', [vector(1)], /inputs\[0\] is of type int/],
  ])('rejects %s', async (_name, method, inputs, message) => {
    const error = await module.run(method, inputs as never).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect(error.message).toMatch(message);
  });

  test('reports an error of the graph in one line, with the stack of the caller', async () => {
    const error = await module.run('fail', [vector(1, 2, 3)]).catch((reason) => reason);
    expect(error).toMatchObject({
      name: 'KarloError',
      code: 'ERR_KARLO_NATIVE',
      message: "shape '[-1, 7]' is invalid for input of size 3",
    });
    expect(error.stack).toContain('script-module.test.ts');
    expect(error.stack.split('\n')[0]).toBe(`KarloError: ${error.message}`);
  });
});

describe('attributes', () => {
  test('are read and assigned by dotted name, even with another shape', async () => {
    const loaded = await ScriptModule.load(path);
    expect(Object.keys(await loaded.attributes()).sort()).toEqual([
      'inner.bias',
      'inner.index',
      'weight',
    ]);
    await loaded.assign({ weight: vector(10), 'inner.bias': vector(0, 1) });
    expect(valuesOf(await loaded.run('forward', [vector(1)]))).toEqual([10, 11]);
  });

  test('share memory with the assigned tensor', async () => {
    const loaded = await ScriptModule.load(path);
    const large = Tensor.from(new Float32Array(1 << 20));
    const before = memory().allocated;
    await loaded.assign({ weight: large });
    expect(memory().allocated - before).toBeLessThan(1 << 10);
    large.dispose();
    expect((await loaded.attributes()).weight?.size).toBe(1 << 20);
  });

  test('are assigned all or not at all', async () => {
    const loaded = await ScriptModule.load(path);
    for (const name of ['nope', 'inner', 'inner.nope', 'weight.bias', '']) {
      await expect(loaded.assign({ weight: vector(7), [name]: vector(1) })).rejects.toMatchObject({
        code: 'ERR_KARLO_INVALID_ARGUMENT',
        message: expect.stringContaining(`'${name}'`),
      });
    }
    await expect(loaded.assign({ weight: 1 as never })).rejects.toThrow(/attributes\.weight/);
    expect(valuesOf((await loaded.attributes()).weight as Tensor)).toEqual([2, 2, 2]);
  });
});

describe('the engine', () => {
  const engine = new Engine({ threads: 1 });
  let loaded: ScriptModule;
  beforeAll(async () => {
    loaded = await ScriptModule.load(path, { engine });
  });
  afterAll(() => engine.dispose());

  test('runs calls in order', async () => {
    const order: number[] = [];
    const calls = [spin(loaded), loaded.run('empty'), loaded.run('empty')];
    await Promise.all(calls.map((call, i) => call.then(() => order.push(i))));
    expect(order).toEqual([0, 1, 2]);
  });

  test('does not block the event loop', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await spin(loaded);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  test('an abort removes a waiting call from the queue', async () => {
    const first = spin(loaded);
    const controller = new AbortController();
    const never = spin(loaded, { signal: controller.signal });
    const last = loaded.run('empty');
    const reason = new Error('changed my mind');
    controller.abort(reason);
    let firstEnded = false;
    first.then(() => {
      firstEnded = true;
    });
    await expect(never).rejects.toBe(reason);
    expect(firstEnded).toBe(false);
    await Promise.all([first, last]);
  });

  test('an abort rejects a running call at once, and drops its result', async () => {
    const controller = new AbortController();
    const order: string[] = [];
    await loaded.run('empty'); // so that the next call starts immediately
    const running = spin(loaded, { signal: controller.signal });
    const next = loaded.run('empty').then(() => order.push('next'));
    setTimeout(() => controller.abort(), 10);
    await expect(running.finally(() => order.push('aborted'))).rejects.toMatchObject({
      name: 'AbortError',
    });
    await next;
    expect(order).toEqual(['aborted', 'next']);
  });

  test('an abort while the engine is being disposed also removes a call', async () => {
    const own = new Engine({ threads: 1 });
    const mine = await ScriptModule.load(path, { engine: own });
    const running = spin(mine);
    const controller = new AbortController();
    const never = spin(mine, { signal: controller.signal });
    const disposal = own.dispose();
    const reason = new Error('too late');
    controller.abort(reason);
    await expect(never).rejects.toBe(reason);
    await Promise.all([running, disposal]);
  });

  test('an aborted signal prevents the call', async () => {
    const signal = AbortSignal.abort();
    await expect(loaded.run('empty', [], { signal })).rejects.toBe(signal.reason);
    await expect(loaded.run('empty', [], { signal: {} as never })).rejects.toThrow(
      /Expected AbortSignal for signal/,
    );
  });

  test('the number of its threads can be changed', async () => {
    await engine.setThreads(2);
    await setThreads(2);
    for (const threads of [0, 1025, 1.5, '2']) {
      await expect(engine.setThreads(threads as number)).rejects.toThrow(
        /integer between 1 and 1024 for threads/,
      );
      expect(() => new Engine({ threads: threads as number })).toThrow(/between 1 and 1024/);
    }
  });

  test('dispose waits for running calls, is idempotent, and later calls throw', async () => {
    const own = new Engine({ threads: 1 });
    const mine = await ScriptModule.load(path, { engine: own });
    let ended = false;
    spin(mine).then(() => {
      ended = true;
    });
    const disposal = own.dispose();
    await expect(mine.run('empty')).rejects.toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
    await Promise.all([disposal, own.dispose()]);
    expect(ended).toBe(true);
    await expect(own.setThreads(1)).rejects.toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
  });

  test('a disposed module throws, but a running call ends normally', async () => {
    const mine = await ScriptModule.load(path, { engine });
    const running = mine.run('forward', [vector(1, 2, 3)]);
    mine.dispose();
    mine.dispose();
    expect(valuesOf(await running)).toEqual([3, 5, 7]);
    await expect(mine.run('empty')).rejects.toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
    expect(() => mine.methods()).toThrow(expect.objectContaining({ code: 'ERR_KARLO_DISPOSED' }));
  });
});
