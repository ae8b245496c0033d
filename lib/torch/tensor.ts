import { expected, guarded } from '../errors.js';
import { object } from '../options/validate.js';
import type { TensorHandle } from './addon-types.js';
import { openDevice } from './device.js';
import {
  type Dtype,
  type DtypeOf,
  dtypeOf,
  type FloatOf,
  type TypedArray,
  type TypedArrayOf,
  typedArrays,
} from './dtype.js';
import { addon } from './load.js';

interface TensorInfo {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly dtype: Dtype;
  readonly device: string;
}

/** The tensors created within the innermost `tidy`. */
let created: Tensor[] | undefined;

/**
 * Runs a synchronous function and disposes every tensor created in it, except those that it returns
 * (a tensor or an array of tensors). If it throws, all of them are disposed.
 * @param inputs further tensors to dispose
 */
export function tidy<T extends Tensor | readonly Tensor[]>(
  work: () => T,
  inputs: readonly Tensor[] = [],
): T {
  const outer = created;
  const own: Tensor[] = [];
  created = own;
  let kept: readonly Tensor[] = [];
  try {
    const result = work();
    kept = result instanceof Tensor ? [result] : result;
    return result;
  } finally {
    created = outer;
    for (const tensor of [...own, ...inputs]) if (!kept.includes(tensor)) tensor.dispose();
    outer?.push(...kept);
  }
}

/** The addon's handle of a tensor. Throws ERR_KARLO_INVALID_ARGUMENT for any other value. */
export let handleOf: (tensor: unknown, name: string) => TensorHandle;
/** Wraps a handle returned by the addon. */
export let wrapTensor: <D extends Dtype = Dtype>(handle: TensorHandle) => Tensor<D>;

/**
 * A handle to a LibTorch tensor. Operations run synchronously on the calling thread and return new
 * handles: they are meant for latents and images, not for networks (see ScriptModule).
 *
 * `dispose()` frees the memory immediately, unless a view shares it. A handle that is not disposed is
 * freed by the garbage collector. After `dispose()`, every method throws ERR_KARLO_DISPOSED. Methods
 * throw ERR_KARLO_NATIVE, with LibTorch's message, if shapes or dtypes do not match.
 */
export class Tensor<D extends Dtype = Dtype> implements Disposable {
  readonly #handle: TensorHandle;
  #info: TensorInfo | undefined;

  private constructor(handle: TensorHandle) {
    this.#handle = handle;
  }

  static {
    handleOf = (tensor, name) => {
      if (typeof tensor !== 'object' || tensor === null || !(#handle in tensor)) {
        throw expected('Tensor', name, tensor);
      }
      return tensor.#handle;
    };
    wrapTensor = <E extends Dtype>(handle: TensorHandle) => {
      const tensor = new Tensor<E>(handle);
      created?.push(tensor);
      return tensor;
    };
  }

  /**
   * Copies a typed array into a new tensor on the CPU.
   * @param data elements in row-major order, exactly as many as `shape` requires
   * @param shape sizes of the dimensions, each 0 or more; `[data.length]` by default
   */
  static from<A extends TypedArray>(data: A, shape?: readonly number[]): Tensor<DtypeOf<A>>;
  /**
   * Copies a typed array into a new tensor of another dtype on the CPU.
   * @param data elements in row-major order, exactly as many as `shape` requires
   * @param shape sizes of the dimensions, each 0 or more
   * @param dtype for `float16` and `bfloat16`, a Uint16Array contains bit patterns; any other array contains
   *   values, which are rounded to nearest even (a Float64Array is rounded to float32 first)
   */
  static from<E extends Dtype>(data: TypedArray, shape: readonly number[], dtype: E): Tensor<E>;
  static from(data: TypedArray, shape?: readonly number[], dtype?: Dtype): Tensor {
    return guarded(() => {
      const own = dtypeOf(data);
      if (own === undefined) throw expected('typed array', 'data', data);
      return wrapTensor(addon().tensorFrom(data, shape ?? [data.length], dtype ?? own));
    });
  }

  /** Concatenates tensors of one dtype along a dimension. All other dimensions must match. */
  static cat<E extends Dtype>(tensors: readonly Tensor<E>[], dimension = 0): Tensor<E> {
    return guarded(() => {
      if (!Array.isArray(tensors)) throw expected('array of tensors', 'tensors', tensors);
      const handles = tensors.map((tensor, i) => handleOf(tensor, `tensors[${i}]`));
      return wrapTensor(addon().tensorCat(handles, dimension));
    });
  }

  /** The size of each dimension. */
  get shape(): readonly number[] {
    return this.#describe().shape;
  }

  /** The stride of each dimension, in elements. */
  get strides(): readonly number[] {
    return this.#describe().strides;
  }

  /** The element type. */
  get dtype(): D {
    return this.#describe().dtype as D;
  }

  /** `cpu`, `cuda:N` or `mps`. */
  get device(): string {
    return this.#describe().device;
  }

  /** The number of elements. */
  get size(): number {
    return this.shape.reduce((product, dimension) => product * dimension, 1);
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return guarded(() => addon().tensorIsDisposed(this.#handle));
  }

  /**
   * Moves this tensor to another device or converts it to another dtype. Shares memory if nothing changes.
   * @param target.device `auto`, `cpu`, `cuda`, `cuda:N` or `mps`, which has no float64
   * @throws {KarloError} ERR_KARLO_DEVICE_UNAVAILABLE with the reason
   */
  to<E extends Dtype = D>(target: {
    device?: string | undefined;
    dtype?: E | undefined;
  }): Tensor<E> {
    const { device, dtype } = object(target, 'target');
    const place = device === undefined ? undefined : openDevice(device);
    return this.#result((handle) => addon().tensorTo(handle, place, dtype));
  }

  /** The same elements in another shape; one dimension may be -1. Returns a view if possible. */
  reshape(shape: readonly number[]): Tensor<D> {
    return this.#result((handle) => addon().tensorReshape(handle, shape));
  }

  /** A view with reordered dimensions: `permute([0, 2, 3, 1])` turns NCHW into NHWC. */
  permute(dimensions: readonly number[]): Tensor<D> {
    return this.#result((handle) => addon().tensorPermute(handle, dimensions));
  }

  /** A view of the indices `start` (inclusive) to `end` (exclusive) of a dimension. */
  slice(dimension: number, start: number, end: number): Tensor<D> {
    return this.#result((handle) => addon().tensorSlice(handle, dimension, start, end));
  }

  /** Elementwise sum with broadcasting. A tensor operand has the same dtype; a number added to an integer tensor is an integer. */
  add(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorAdd(handle, operand(other)));
  }

  /** Elementwise difference with broadcasting. Operands as for `add`. */
  sub(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorSub(handle, operand(other)));
  }

  /** Elementwise product with broadcasting. Operands as for `add`. */
  mul(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorMul(handle, operand(other)));
  }

  /** Elementwise quotient with broadcasting. Operands as for `add`. Integer tensors give float32. */
  div(other: Tensor<D> | number): Tensor<FloatOf<D>> {
    return this.#result((handle) => addon().tensorDiv(handle, operand(other)));
  }

  /** e raised to the power of each element. Integer tensors give float32. */
  exp(): Tensor<FloatOf<D>> {
    return this.#result((handle) => addon().tensorExp(handle));
  }

  /** The natural logarithm of each element. Integer tensors give float32. */
  log(): Tensor<FloatOf<D>> {
    return this.#result((handle) => addon().tensorLog(handle));
  }

  /** The square root of each element. Integer tensors give float32. */
  sqrt(): Tensor<FloatOf<D>> {
    return this.#result((handle) => addon().tensorSqrt(handle));
  }

  /** Rounds each element to the nearest integer, halves to even. */
  round(): Tensor<D> {
    return this.#result((handle) => addon().tensorRound(handle));
  }

  /** Clamps each element to the range `lowest` to `highest`. */
  clamp(lowest: number, highest: number): Tensor<D> {
    return this.#result((handle) => addon().tensorClamp(handle, lowest, highest));
  }

  /** Resizes images `[N, C, H, W]` with bicubic interpolation, antialiased when downscaling. */
  resizeBicubic(height: number, width: number): Tensor<D> {
    return this.#result((handle) => addon().tensorResizeBicubic(handle, height, width));
  }

  /** Copies the elements to a typed array, in row-major order, from any device. */
  toTypedArray(): TypedArrayOf[D] {
    return guarded(() => {
      const array = new typedArrays[this.dtype](this.size);
      addon().tensorCopyTo(this.#handle, array);
      return array;
    });
  }

  /** Releases this handle. Idempotent; calls in flight keep their own reference. */
  dispose(): void {
    guarded(() => addon().tensorDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #describe(): TensorInfo {
    if (this.#info !== undefined && !this.disposed) return this.#info;
    this.#info = guarded(() => addon().tensorInfo(this.#handle));
    return this.#info;
  }

  #result<E extends Dtype>(operation: (handle: TensorHandle) => TensorHandle): Tensor<E> {
    return guarded(() => wrapTensor<E>(operation(this.#handle)));
  }
}

function operand(other: Tensor | number): TensorHandle | number {
  return typeof other === 'number' ? other : handleOf(other, 'other');
}
