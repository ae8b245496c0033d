import { expected, guarded } from '../errors.js';
import { object } from '../options/validate.js';
import type { TensorHandle, TypedArray } from './addon-types.js';
import { openDevice } from './device.js';
import {
  type Dtype,
  type DtypeOf,
  dtypeOf,
  dtypes,
  type FloatOf,
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

/** The tensors made within the innermost `tidy`. */
let made: Tensor[] | undefined;

/**
 * Runs a synchronous function and disposes every tensor made in it but those that it returns, alone
 * or in an array. What it throws disposes them all.
 * @param inputs are disposed with them
 */
export function tidy<T extends Tensor | readonly Tensor[]>(
  work: () => T,
  inputs: readonly Tensor[] = [],
): T {
  const outer = made;
  const own: Tensor[] = [];
  made = own;
  let kept: readonly Tensor[] = [];
  try {
    const result = work();
    kept = result instanceof Tensor ? [result] : result;
    return result;
  } finally {
    made = outer;
    for (const tensor of [...own, ...inputs]) if (!kept.includes(tensor)) tensor.dispose();
    outer?.push(...kept);
  }
}

/** The addon's handle of a tensor; throws `expected('Tensor', name, …)` for anything else. */
export let handleOf: (tensor: unknown, name: string) => TensorHandle;
/** A tensor over a handle that the addon made. */
export let wrapTensor: <D extends Dtype = Dtype>(handle: TensorHandle) => Tensor<D>;

/**
 * A handle of a LibTorch tensor. Operations return new handles and run at once, on one thread of
 * the caller: they are meant for latents and pictures, not for networks (see ScriptModule).
 *
 * `dispose()` frees the memory at once, unless a view shares it; a forgotten handle is collected.
 * Every method throws ERR_KARLO_DISPOSED after that, and ERR_KARLO_NATIVE in LibTorch's words where
 * shapes or dtypes do not fit.
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
      made?.push(tensor);
      return tensor;
    };
  }

  /**
   * Copies a typed array into a new tensor on the CPU.
   * @param data elements in row-major order, as many as the shape has.
   * @param shape dimensions from 0 up; one dimension of `data.length` if absent.
   */
  static from<A extends TypedArray>(data: A, shape?: readonly number[]): Tensor<DtypeOf<A>>;
  /**
   * Copies a typed array into a new tensor of another dtype on the CPU.
   * @param data elements in row-major order, as many as the shape has.
   * @param shape dimensions from 0 up.
   * @param dtype for `float16` and `bfloat16` a Uint16Array gives the bits, any other array the
   *   values, rounded to nearest even (those of a Float64Array by way of float32).
   */
  static from<E extends Dtype>(data: TypedArray, shape: readonly number[], dtype: E): Tensor<E>;
  static from(data: TypedArray, shape?: readonly number[], dtype?: Dtype): Tensor {
    return guarded(() => {
      const own = dtypeOf(data);
      if (own === undefined) throw expected('typed array', 'data', data);
      return wrapTensor(addon().tensorFrom(data, shape ?? [data.length], dtype ?? own));
    });
  }

  /** Joins tensors of one dtype along a dimension, in which alone their shapes may differ. */
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

  /** Elements between neighbours in each dimension. */
  get strides(): readonly number[] {
    return this.#describe().strides;
  }

  /** The type of the elements. */
  get dtype(): D {
    return this.#describe().dtype as D;
  }

  /** `cpu` or `cuda:N`. */
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
   * This tensor on another device or in another dtype. Shares memory where nothing changes.
   * @param target.device `auto`, `cpu`, `cuda` or `cuda:N`
   * @throws {KarloError} ERR_KARLO_DEVICE_UNAVAILABLE with the reason
   */
  to<E extends Dtype = D>(target: { device?: string; dtype?: E }): Tensor<E> {
    const { device, dtype } = object(target, 'target');
    const place = device === undefined ? undefined : openDevice(device);
    return this.#result((handle) => addon().tensorTo(handle, place, dtype));
  }

  /** The same elements in another shape, of which one dimension may be -1. A view if it can be. */
  reshape(shape: readonly number[]): Tensor<D> {
    return this.#result((handle) => addon().tensorReshape(handle, shape));
  }

  /** A view with its dimensions in another order: `permute([0, 2, 3, 1])` for NCHW to NHWC. */
  permute(dimensions: readonly number[]): Tensor<D> {
    return this.#result((handle) => addon().tensorPermute(handle, dimensions));
  }

  /** A view of the indices `start` (included) to `end` (excluded) of a dimension. */
  slice(dimension: number, start: number, end: number): Tensor<D> {
    return this.#result((handle) => addon().tensorSlice(handle, dimension, start, end));
  }

  /** Elementwise sum, broadcast. The other has this dtype; to integers, integers are added. */
  add(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorAdd(handle, operand(other)));
  }

  /** Elementwise difference, broadcast. The other is as in `add`. */
  sub(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorSub(handle, operand(other)));
  }

  /** Elementwise product, broadcast. The other is as in `add`. */
  mul(other: Tensor<D> | number): Tensor<D> {
    return this.#result((handle) => addon().tensorMul(handle, operand(other)));
  }

  /** e to the power of each element: float32 where this is no float. */
  exp(): Tensor<FloatOf<D>> {
    return this.#result((handle) => addon().tensorExp(handle));
  }

  /** To the nearest integer, halves to even. */
  round(): Tensor<D> {
    return this.#result((handle) => addon().tensorRound(handle));
  }

  /** Each element, brought into the range from `lowest` to `highest`. */
  clamp(lowest: number, highest: number): Tensor<D> {
    return this.#result((handle) => addon().tensorClamp(handle, lowest, highest));
  }

  /** Pictures `[N, C, H, W]` at another size: bicubic, antialiased where they shrink. */
  resizeBicubic(height: number, width: number): Tensor<D> {
    return this.#result((handle) => addon().tensorResizeBicubic(handle, height, width));
  }

  /** Copies the elements out, in row-major order whatever the strides, from whatever device. */
  toTypedArray(): TypedArrayOf[D] {
    return guarded(() => {
      const array = new typedArrays[this.dtype](this.size);
      addon().tensorCopyTo(this.#handle, array);
      return array;
    });
  }

  /** Drops this handle's reference. Idempotent; what runs with this tensor keeps its own. */
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

/** Whether a string names a dtype. */
export function isDtype(value: unknown): value is Dtype {
  return dtypes.includes(value as Dtype);
}
