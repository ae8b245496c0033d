import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { typedArrays } from '../../lib/torch/dtype.js';
import { type Dtype, dtypes, memory, Tensor } from '../../lib/torch/index.js';

const range = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

/** Values that a dtype represents exactly, as elements of its typed array. */
function valuesOf(dtype: Dtype, length: number): fc.Arbitrary<Array<number | bigint>> {
  const size = { minLength: length, maxLength: length };
  switch (dtype) {
    case 'float32':
      return fc.array(fc.float(), size);
    case 'float64':
      return fc.array(fc.double(), size);
    case 'bool':
      return fc.array(fc.constantFrom(0, 1), size);
    case 'int64':
      return fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), size);
    case 'uint64':
      return fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), size);
    default: {
      const bits = 8 * typedArrays[dtype].prototype.BYTES_PER_ELEMENT;
      const signed = dtype.startsWith('int');
      const [min, max] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
      return fc.array(fc.integer({ min, max }), size);
    }
  }
}

interface View {
  slices: { start: number; end: number }[];
  order: number[];
}

/** A random part of each dimension, and a random order of the dimensions. */
function viewOf(shape: readonly number[]): fc.Arbitrary<View> {
  const slices = shape.map((size) =>
    fc.tuple(fc.nat(size), fc.nat(size)).map(([a, b]) => ({
      start: Math.min(a, b),
      end: Math.max(a, b),
    })),
  );
  const dimensions = shape.map((_, i) => i);
  const order = fc.shuffledSubarray(dimensions, { minLength: shape.length });
  return fc.record({ slices: fc.tuple(...slices), order });
}

/** The elements of the view, computed index by index. */
function expectedElements(data: ArrayLike<number | bigint>, shape: number[], view: View) {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const result: (number | bigint)[] = [];
  const visit = (depth: number, offset: number) => {
    const dimension = view.order[depth];
    if (dimension === undefined) {
      result.push(data[offset] as number | bigint);
      return;
    }
    const { start, end } = view.slices[dimension] as View['slices'][number];
    for (let i = start; i < end; i += 1) visit(depth + 1, offset + i * (strides[dimension] ?? 0));
  };
  visit(0, 0);
  return result;
}

describe('conversion from and to typed arrays', () => {
  test.each(dtypes)('%s survives a round trip through any view', (dtype) => {
    const cases = fc
      .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 })
      .chain((shape) => {
        const length = shape.reduce((a, b) => a * b, 1);
        return fc.record({
          shape: fc.constant(shape),
          values: valuesOf(dtype, length),
          view: viewOf(shape),
        });
      });
    fc.assert(
      fc.property(cases, ({ shape, values, view }) => {
        const array = Reflect.construct(typedArrays[dtype], [values]);
        let tensor: Tensor = Tensor.from(array, shape, dtype);
        expect(tensor.toTypedArray()).toEqual(array);
        for (const [i, { start, end }] of view.slices.entries())
          tensor = tensor.slice(i, start, end);
        tensor = tensor.permute(view.order);
        const elements = expectedElements(array, shape, view);
        expect(tensor.toTypedArray()).toEqual(Reflect.construct(typedArrays[dtype], [elements]));
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['bfloat16', [0x3f80, 0xc000, 0x3dcd]],
    ['float16', [0x3c00, 0xc000, 0x2e66]],
  ] as const)('float32 values become %s, rounded to nearest', (dtype, bits) => {
    const tensor = Tensor.from(new Float32Array([1, -2, 0.1]), [3], dtype);
    expect([...tensor.toTypedArray()]).toEqual(bits);
    expect(tensor.to({ dtype: 'float32' }).toTypedArray()[0]).toBe(1);
  });

  test('reads a Buffer, a view into a buffer, and a shared buffer', () => {
    const bytes = new Uint8Array([9, 1, 2, 3, 9]);
    expect([...Tensor.from(bytes.subarray(1, 4)).toTypedArray()]).toEqual([1, 2, 3]);
    expect([...Tensor.from(Buffer.from('ab')).toTypedArray()]).toEqual([97, 98]);
    const shared = new Float32Array(new SharedArrayBuffer(8)).fill(2);
    expect([...Tensor.from(shared).toTypedArray()]).toEqual([2, 2]);
  });

  test('the array and the tensor do not share memory', () => {
    const array = new Float32Array([1]);
    const tensor = Tensor.from(array);
    array[0] = 2;
    tensor.toTypedArray()[0] = 3;
    expect([...tensor.toTypedArray()]).toEqual([1]);
  });

  test('the array type follows the dtype', () => {
    expectTypeOf(Tensor.from(new Float32Array(1)).toTypedArray()).toEqualTypeOf<
      Float32Array<ArrayBuffer>
    >();
    expectTypeOf(Tensor.from(new BigInt64Array(1))).toEqualTypeOf<Tensor<'int64'>>();
    const half = Tensor.from(new Float32Array(1), [1], 'bfloat16');
    expectTypeOf(half).toEqualTypeOf<Tensor<'bfloat16'>>();
    expectTypeOf(half.toTypedArray()).toEqualTypeOf<Uint16Array<ArrayBuffer>>();
    expectTypeOf(half.to({ dtype: 'int8' })).toEqualTypeOf<Tensor<'int8'>>();
    expectTypeOf(half.to({ device: 'cpu' })).toEqualTypeOf<Tensor<'bfloat16'>>();
    expectTypeOf(half.reshape([1, 1])).toEqualTypeOf<Tensor<'bfloat16'>>();
  });
});

describe('every operation on every dtype', () => {
  const floats: Dtype[] = ['float32', 'float64', 'float16', 'bfloat16'];
  const make = (dtype: Dtype, ...values: number[]) =>
    Tensor.from(Float64Array.from(values), [values.length], dtype);
  const read = (tensor: Tensor) => [...tensor.to({ dtype: 'float64' }).toTypedArray()];

  // LibTorch has no kernels for these.
  const unsupported: Partial<Record<string, Dtype[]>> = {
    add: ['uint16', 'uint32', 'uint64'],
    sub: ['uint16', 'uint32', 'uint64'],
    'add a number': ['uint16', 'uint32', 'uint64'],
    'sub a number': ['uint16', 'uint32', 'uint64'],
    clamp: ['uint16', 'uint32', 'uint64'],
  };

  test.each<[string, (x: Tensor) => Tensor, number[]]>([
    ['to', (x) => x.to({ device: 'cpu' }), [1, 2, 3, 4]],
    ['reshape', (x) => x.reshape([2, -1]), [1, 2, 3, 4]],
    ['permute', (x) => x.reshape([2, 2]).permute([1, 0]), [1, 3, 2, 4]],
    ['slice', (x) => x.slice(0, 1, 3), [2, 3]],
    ['cat', (x) => Tensor.cat([x, x]), [1, 2, 3, 4, 1, 2, 3, 4]],
    ['add', (x) => x.add(x), [2, 4, 6, 8]],
    ['sub', (x) => x.sub(x), [0, 0, 0, 0]],
    ['mul', (x) => x.mul(x), [1, 4, 9, 16]],
    ['add a number', (x) => x.add(2), [3, 4, 5, 6]],
    ['sub a number', (x) => x.sub(1), [0, 1, 2, 3]],
    ['mul a number', (x) => x.mul(3), [3, 6, 9, 12]],
    ['round', (x) => x.round(), [1, 2, 3, 4]],
    ['clamp', (x) => x.clamp(2, 3), [2, 2, 3, 3]],
    ['resizeBicubic', (x) => x.reshape([1, 1, 2, 2]).resizeBicubic(2, 2), [1, 2, 3, 4]],
  ])('%s keeps the dtype', (name, operation, expected) => {
    for (const dtype of dtypes.filter((one) => one !== 'bool')) {
      const attempt = () => operation(make(dtype, 1, 2, 3, 4));
      if (unsupported[name]?.includes(dtype)) {
        expect(attempt, dtype).toThrow(/not implemented for 'UInt/);
        continue;
      }
      const result = attempt();
      expect([result.dtype, read(result)], dtype).toEqual([dtype, expected]);
      expect(result.toTypedArray()).toBeInstanceOf(typedArrays[dtype]);
    }
  });

  test('converts each dtype to each other', () => {
    for (const from of dtypes) {
      for (const to of dtypes) {
        const truth = from === 'bool' || to === 'bool';
        const made = make(from, 0, 1, 2).to({ dtype: to });
        expect([made.dtype, read(made)], `${from} to ${to}`).toEqual([
          to,
          truth ? [0, 1, 1] : [0, 1, 2],
        ]);
      }
    }
  });

  test('exp returns floats', () => {
    for (const dtype of dtypes) {
      const result = make(dtype, 0, 1).exp();
      expect(result.dtype).toBe(floats.includes(dtype) ? dtype : 'float32');
      expect(read(result)[0]).toBe(1);
      expect(Math.abs((read(result)[1] ?? 0) - Math.E)).toBeLessThan(0.01);
    }
    expectTypeOf(Tensor.from(new Int8Array(1)).exp()).toEqualTypeOf<Tensor<'float32'>>();
    expectTypeOf(Tensor.from(new Float64Array(1)).exp()).toEqualTypeOf<Tensor<'float64'>>();
  });

  test('operands that would change the dtype are rejected', () => {
    const [integers, fractions, truths] = [make('int64', 1), make('float32', 1), make('bool', 1)];
    for (const [use, message] of [
      [() => integers.add(0.5), /Expected integer between .* for other but received 0\.5/],
      [() => integers.clamp(0, Number.POSITIVE_INFINITY), /integer between .* for highest/],
      [() => integers.mul(fractions as never), /dtype int64 for other .* one of dtype float32/],
      [() => Tensor.cat([fractions, integers]), /dtype float32 for tensors\[1\] .* dtype int64/],
      [() => truths.add(1), /Tensor of numbers for tensor but received one of dtype bool/],
    ] as const) {
      expect(use).toThrow(message);
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }));
    }
    expect(fractions.clamp(Number.NEGATIVE_INFINITY, 0.5).toTypedArray()[0]).toBe(0.5);
    expect(truths.mul(truths).dtype).toBe('bool');
  });
});

describe('operations', () => {
  test('shape, strides, dtype, device and size', () => {
    const tensor = Tensor.from(range(6), [2, 3]).permute([1, 0]);
    expect(tensor).toMatchObject({
      shape: [3, 2],
      strides: [1, 3],
      dtype: 'float32',
      device: 'cpu',
      size: 6,
    });
  });

  test('add, sub and mul take tensors, broadcast, and numbers', () => {
    const a = Tensor.from(range(4), [2, 2]);
    const row = Tensor.from(new Float32Array([10, 20]), [1, 2]);
    expect([...a.add(row).toTypedArray()]).toEqual([10, 21, 12, 23]);
    expect([...a.sub(1).toTypedArray()]).toEqual([-1, 0, 1, 2]);
    expect([...a.mul(a).toTypedArray()]).toEqual([0, 1, 4, 9]);
    expect(a.to({ dtype: 'bfloat16' }).mul(0.5).dtype).toBe('bfloat16');
  });

  test('exp, round, clamp, cat and reshape', () => {
    const a = Tensor.from(new Float32Array([0.5, 1.5, -2.6]));
    expect([...a.round().toTypedArray()]).toEqual([0, 2, -3]);
    expect([...a.clamp(-1, 1).toTypedArray()]).toEqual([0.5, 1, -1]);
    expect(a.exp().toTypedArray()[0]).toBeCloseTo(Math.exp(0.5), 6);
    expect(Tensor.cat([a, a]).shape).toEqual([6]);
    expect(Tensor.cat([a.reshape([1, 3]), a.reshape([1, 3])], 1).shape).toEqual([1, 6]);
    expect(a.reshape([-1, 1]).shape).toEqual([3, 1]);
  });

  test('resizeBicubic keeps a constant image constant and a gradient in order', () => {
    const flat = Tensor.from(new Float32Array(64).fill(0.25), [1, 1, 8, 8]);
    for (const value of flat.resizeBicubic(3, 5).toTypedArray()) expect(value).toBeCloseTo(0.25, 6);
    const row = Tensor.from(range(8), [1, 1, 1, 8]).resizeBicubic(1, 4).toTypedArray();
    expect([...row]).toEqual([...row].sort((x, y) => x - y));
    expect(row).toHaveLength(4);
  });
});

describe('lifetime', () => {
  test('memory is counted, and dispose frees it', () => {
    const before = memory().allocated;
    const tensor = Tensor.from(new Float32Array(1 << 20));
    expect(memory().allocated - before).toBe(4 << 20);
    expect(memory().peak).toBeGreaterThanOrEqual(before + (4 << 20));
    tensor.dispose();
    expect(memory().allocated).toBe(before);
  });

  test('a view keeps its memory after the base is disposed', () => {
    const base = Tensor.from(range(4));
    const view = base.slice(0, 1, 3);
    base.dispose();
    expect([...view.toTypedArray()]).toEqual([1, 2]);
  });

  test('dispose is idempotent, and later use throws', () => {
    const tensor = Tensor.from(range(2));
    expect(tensor.disposed).toBe(false);
    tensor.dispose();
    tensor.dispose();
    expect(tensor.disposed).toBe(true);
    const disposed = expect.objectContaining({ name: 'KarloError', code: 'ERR_KARLO_DISPOSED' });
    for (const use of [
      () => tensor.shape,
      () => tensor.add(1),
      () => tensor.toTypedArray(),
      () => Tensor.from(range(2)).add(tensor),
    ]) {
      expect(use).toThrow(disposed);
    }
  });

  test('`using` disposes at the end of the block', () => {
    let escaped: Tensor;
    {
      using tensor = Tensor.from(range(2));
      escaped = tensor;
    }
    expect(escaped.disposed).toBe(true);
  });
});

describe('invalid arguments', () => {
  const tensor = Tensor.from(range(4), [2, 2]);

  test.each<[string, () => unknown, RegExp]>([
    [
      'data that is not a typed array',
      () => Tensor.from([1, 2] as never),
      /typed array for data but received an array of 2/,
    ],
    [
      'a shape of another size',
      () => Tensor.from(range(4), [3]),
      /Expected 3 elements for data but received 4/,
    ],
    [
      'a negative shape',
      () => Tensor.from(range(4), [-4]),
      /integer between 0 and \d+ for shape\[0\]/,
    ],
    [
      'a huge shape',
      () => Tensor.from(range(4), [2 ** 30, 2 ** 30]),
      /shape of at most 2\^53 elements/,
    ],
    [
      'an unknown dtype',
      () => Tensor.from(range(4), [4], 'float' as never),
      /one of float32, .* for dtype/,
    ],
    [
      'an unknown device',
      () => tensor.to({ device: 'gpu' }),
      /'cpu', 'cuda', 'cuda:N' or 'mps' for device/,
    ],
    [
      'an operand that is not a tensor',
      () => tensor.add('1' as never),
      /Expected Tensor for other but received '1'/,
    ],
    [
      'a dimension out of range',
      () => tensor.slice(2, 0, 1),
      /between 0 and 1 for dimension but received 2/,
    ],
    [
      'an end before the start',
      () => tensor.slice(0, 1, 0),
      /between 1 and 2 for end but received 0/,
    ],
    ['no tensors', () => Tensor.cat([]), /array of at least one tensor for tensors/],
    [
      'a list with another value',
      () => Tensor.cat([tensor, 1 as never]),
      /Expected Tensor for tensors\[1\]/,
    ],
  ])('rejects %s', (_name, use, message) => {
    expect(use).toThrow(message);
    expect(use).toThrow(expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }));
  });

  test('LibTorch’s errors keep their message and have the stack of the caller', () => {
    const error = catchError(() => tensor.add(Tensor.from(range(3))));
    expect(error).toMatchObject({ name: 'KarloError', code: 'ERR_KARLO_NATIVE' });
    expect(error.message).toMatch(/size of tensor a/);
    expect(error.stack).toContain('tensor.test.ts');
  });

  test('a tensor larger than the memory is an error, and the process continues', () => {
    const one = Tensor.from(new Uint8Array(1 << 20), [1 << 20, 1]);
    const row = Tensor.from(new Uint8Array(1 << 20), [1, 1 << 20]);
    expect(() => one.add(row)).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_OUT_OF_MEMORY' }),
    );
    expect([...tensor.toTypedArray()]).toEqual([0, 1, 2, 3]);
  });
});

function catchError(use: () => unknown): Error {
  try {
    use();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
