/** An array that a tensor can be created from. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * The typed array that contains the elements of each dtype: 16-bit floats as their bit patterns, booleans
 * as 0 and 1.
 */
export interface TypedArrayOf {
  float32: Float32Array<ArrayBuffer>;
  float64: Float64Array<ArrayBuffer>;
  float16: Uint16Array<ArrayBuffer>;
  bfloat16: Uint16Array<ArrayBuffer>;
  int8: Int8Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  int16: Int16Array<ArrayBuffer>;
  uint16: Uint16Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  uint32: Uint32Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
  uint64: BigUint64Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
}

/** An element type of a tensor. */
export type Dtype = keyof TypedArrayOf;

/** The result dtype of an operation that returns floating-point numbers: integers become float32. */
export type FloatOf<D extends Dtype> = D extends 'float32' | 'float64' | 'float16' | 'bfloat16'
  ? D
  : 'float32';

type Constructor<D extends Dtype> = new (length: number) => TypedArrayOf[D];

export const typedArrays: { readonly [D in Dtype]: Constructor<D> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** The names of all dtypes. */
export const dtypes = Object.keys(typedArrays) as readonly Dtype[];

/** The dtype that corresponds to a typed array. */
export type DtypeOf<A extends TypedArray> = A extends Float32Array
  ? 'float32'
  : A extends Float64Array
    ? 'float64'
    : A extends Int8Array
      ? 'int8'
      : A extends Uint8Array | Uint8ClampedArray
        ? 'uint8'
        : A extends Int16Array
          ? 'int16'
          : A extends Uint16Array
            ? 'uint16'
            : A extends Int32Array
              ? 'int32'
              : A extends Uint32Array
                ? 'uint32'
                : A extends BigInt64Array
                  ? 'int64'
                  : 'uint64';

const byConstructor = new Map<string, Dtype>([
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Int8Array', 'int8'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Int16Array', 'int16'],
  ['Uint16Array', 'uint16'],
  ['Int32Array', 'int32'],
  ['Uint32Array', 'uint32'],
  ['BigInt64Array', 'int64'],
  ['BigUint64Array', 'uint64'],
]);

const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get;

/** The dtype of a typed array, by its actual type (a Buffer is a Uint8Array); undefined for other values. */
export function dtypeOf(value: unknown): Dtype | undefined {
  const tag = ArrayBuffer.isView(value) ? (tagOf?.call(value) as string | undefined) : undefined;
  return tag === undefined ? undefined : byConstructor.get(tag);
}
