/** Element types of stored tensors, by LibTorch's names. */
export type DType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

interface DTypeNames {
  bytes: number;
  safetensors: string;
  /** Class name of the typed storage in a PyTorch pickle. */
  storage: string;
}

/** The size of each type's elements in bytes, and its name in both formats. */
export const DTYPES: Readonly<Record<DType, DTypeNames>> = {
  float64: { bytes: 8, safetensors: 'F64', storage: 'DoubleStorage' },
  float32: { bytes: 4, safetensors: 'F32', storage: 'FloatStorage' },
  float16: { bytes: 2, safetensors: 'F16', storage: 'HalfStorage' },
  bfloat16: { bytes: 2, safetensors: 'BF16', storage: 'BFloat16Storage' },
  int64: { bytes: 8, safetensors: 'I64', storage: 'LongStorage' },
  int32: { bytes: 4, safetensors: 'I32', storage: 'IntStorage' },
  int16: { bytes: 2, safetensors: 'I16', storage: 'ShortStorage' },
  int8: { bytes: 1, safetensors: 'I8', storage: 'CharStorage' },
  uint8: { bytes: 1, safetensors: 'U8', storage: 'ByteStorage' },
  bool: { bytes: 1, safetensors: 'BOOL', storage: 'BoolStorage' },
};

const names = Object.entries(DTYPES) as [DType, DTypeNames][];

/** `F32` → `float32`, and so on. */
export const BY_SAFETENSORS: ReadonlyMap<string, DType> = new Map(
  names.map(([dtype, { safetensors }]) => [safetensors, dtype]),
);

/** `FloatStorage` → `float32`, and so on. */
export const BY_STORAGE: ReadonlyMap<string, DType> = new Map(
  names.map(([dtype, { storage }]) => [storage, dtype]),
);

/** Whether weights can have this type: only floating-point numbers can be cast to a network's dtype. */
export function isFloating(dtype: DType): boolean {
  return dtype === 'bfloat16' || dtype.startsWith('float');
}
