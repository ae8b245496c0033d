import type { DType } from './dtypes.js';

/**
 * Where one tensor's elements lie. A description only: readers never touch tensor bytes, the
 * native side maps them and checks the range again.
 */
export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** In elements, as PyTorch counts them. Not always contiguous: a `.bin` may hold views. */
  strides: readonly number[];
  file: string;
  /** Bytes from the start of the file to the first element. Not always a multiple of its size. */
  offset: number;
  /** Bytes from the first element to the end of the last one; 0 for an empty tensor. */
  byteLength: number;
}

/** What a reader yields: one file, or all the shards of an index. */
export interface WeightFile {
  format: 'safetensors' | 'torch' | 'torchscript';
  /** Every file that a tensor lies in. */
  files: readonly string[];
  tensors: ReadonlyMap<string, TensorEntry>;
  /** Free text from the file's author (`__metadata__`); untrusted, never needed to load. */
  metadata: ReadonlyMap<string, string>;
}

/** Most tensors that one file may describe; Karlo's largest holds under 1 500. */
export const MAX_TENSORS = 65_536;
/** Most dimensions of a tensor. */
export const MAX_DIMENSIONS = 8;
/** Longest tensor name, in characters. */
export const MAX_NAME = 512;
