import { types } from 'node:util';
import { expected, guarded } from '../errors.js';
import type { GeneratorHandle } from './addon-types.js';
import { addon } from './load.js';
import { handleOf, Tensor, wrapTensor } from './tensor.js';

/** The highest seed: PyTorch's CPU generator keeps 32 bits of it. */
export const maxSeed = 2 ** 32 - 1;

/**
 * PyTorch's seeded random number generator on the CPU (mt19937). `randn` returns exactly the bits of
 * `torch.randn(shape, generator=g)` on the same type of CPU. As in PyTorch, tensors of fewer than 16
 * elements draw other numbers than the start of a longer tensor with the same seed.
 */
export class Generator implements Disposable {
  readonly #handle: GeneratorHandle;

  /** @param seed integer from 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#handle = guarded(() => addon().generatorCreate(seed));
  }

  /** Draws a tensor from the standard normal distribution. */
  randn(shape: readonly number[]): Tensor<'float32'> {
    return guarded(() => wrapTensor(addon().generatorRandn(this.#handle, shape)));
  }

  /** The generator's state, in the format of PyTorch's `get_state()`. */
  saveState(): Uint8Array<ArrayBuffer> {
    using state = guarded(() => wrapTensor<'uint8'>(addon().generatorGetState(this.#handle)));
    return state.toTypedArray();
  }

  /** Restores a state returned by `saveState`. */
  restoreState(state: Uint8Array): void {
    if (!types.isUint8Array(state)) throw expected('Uint8Array', 'state', state);
    using tensor = Tensor.from(state);
    guarded(() => addon().generatorSetState(this.#handle, handleOf(tensor, 'state')));
  }

  /** Frees the generator. Idempotent. */
  dispose(): void {
    guarded(() => addon().generatorDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
