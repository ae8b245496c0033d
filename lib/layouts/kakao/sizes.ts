import { corrupt } from '../../weights/corrupt.js';
import type { TensorEntry } from '../../weights/types.js';
import { KAKAO_HEAD } from './transforms.js';

/** The shapes of a file's tensors under a prefix, from which configs are inferred. */
export class Sizes {
  readonly file: string;
  readonly #tensors: ReadonlyMap<string, TensorEntry>;
  readonly #prefix: string;

  constructor(tensors: ReadonlyMap<string, TensorEntry>, prefix: string, file: string) {
    this.#tensors = tensors;
    this.#prefix = prefix;
    this.file = file;
  }

  has(key: string): boolean {
    return this.#tensors.has(this.#prefix + key);
  }

  /**
   * The size of a tensor in dimension `dim`.
   * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if the tensor or the dimension is missing
   */
  of(key: string, dim: number): number {
    const entry = this.#tensors.get(this.#prefix + key);
    if (!entry) throw corrupt('a tensor', this.#prefix + key, this.file, 'none');
    const size = entry.shape[dim];
    if (size !== undefined) return size;
    throw corrupt(`over ${dim} dimensions`, entry.name, this.file, entry.shape);
  }

  /** The number of keys `key(0)`, `key(1)`, … that exist. */
  count(key: (index: number) => string): number {
    let count = 0;
    while (this.has(key(count))) count++;
    return count;
  }

  /** The number of attention heads in dimension `dim` of a tensor. */
  heads(key: string, dim: number): number {
    const width = this.of(key, dim);
    if (width > 0 && width % KAKAO_HEAD === 0) return width / KAKAO_HEAD;
    throw corrupt(`a multiple of ${KAKAO_HEAD}`, this.#prefix + key, this.file, width);
  }
}
