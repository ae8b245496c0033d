import { guarded } from '../errors.js';
import type { MappedFileHandle } from './addon-types.js';
import type { Dtype } from './dtype.js';
import { addon } from './load.js';
import { type Tensor, wrapTensor } from './tensor.js';

/**
 * The paths of mapped files of which pages could not be read, because a file was truncated or its disk
 * failed. Tensors over them contain zeros there.
 */
export function lostFiles(): string[] {
  return addon().lostFiles();
}

/** A memory-mapped file. Tensors over it keep the mapping alive. */
export class MappedFile implements Disposable {
  readonly #handle: MappedFileHandle;

  /** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND */
  constructor(path: string) {
    this.#handle = guarded(() => addon().fileMap(path));
  }

  /**
   * A tensor over part of the file. Pages are read when they are first accessed.
   * @param offset bytes from the start of the file
   * @param strides in elements
   * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if the tensor would extend past the end of the file
   */
  tensor<D extends Dtype>(
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    dtype: D,
  ): Tensor<D> {
    return guarded(() =>
      wrapTensor<D>(addon().fileTensor(this.#handle, offset, shape, strides, dtype)),
    );
  }

  /** Releases this handle. Idempotent. */
  dispose(): void {
    guarded(() => addon().fileDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
