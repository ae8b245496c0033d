import { guarded } from '../errors.js';
import type { MappedFileHandle } from './addon-types.js';
import type { Dtype } from './dtype.js';
import { addon } from './load.js';
import { type Tensor, wrapTensor } from './tensor.js';

/** A file in memory by the system's page cache. Its tensors keep the mapping alive. */
export class MappedFile implements Disposable {
  readonly #handle: MappedFileHandle;

  /** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND */
  constructor(path: string) {
    this.#handle = guarded(() => addon().fileMap(path));
  }

  /**
   * A tensor over a part of the file; nothing is read before it is used.
   * @param offset bytes from the start of the file. @param strides in elements.
   * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if it would end past the file
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

  /** Idempotent. */
  dispose(): void {
    guarded(() => addon().fileDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
