import type { DType } from './dtypes.js';

/**
 * Where a tensor's elements are stored. Readers never read them: native code maps the file, and
 * checks the range again.
 */
export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** In elements. Not always contiguous: a PyTorch file may contain views. */
  strides: readonly number[];
  file: string;
  /** Byte offset of the first element in the file, not always a multiple of the element size. */
  offset: number;
  /** Number of bytes from the first element to the end of the last; 0 for an empty tensor. */
  byteLength: number;
}

/** The tensors of one file, or of all shards of an index. */
export interface WeightFile {
  format: 'safetensors' | 'torch' | 'torchscript';
  /** All files that contain tensors. */
  files: readonly string[];
  tensors: ReadonlyMap<string, TensorEntry>;
  /** The file's `__metadata__`: free text, which is not trusted and not needed. */
  metadata: ReadonlyMap<string, string>;
}

/** Maximum number of tensors in a file; Karlo's largest has fewer than 1500. */
export const MAX_TENSORS = 65_536;
/** Maximum number of dimensions of a tensor. */
export const MAX_DIMENSIONS = 8;
/** Maximum length of a tensor name, in characters. */
export const MAX_NAME = 512;
