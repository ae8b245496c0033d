import { expected, guarded } from '../errors.js';
import type { GeneratorHandle } from './addon-types.js';
import { addon } from './load.js';
import { handleOf, Tensor, wrapTensor } from './tensor.js';

/** The highest seed: the Mersenne Twister keeps no more than 32 bits. */
export const maxSeed = 2 ** 32 - 1;

/**
 * A seeded source of normal noise on the CPU, PyTorch's own: `randn` gives the bits of
 * `torch.randn(shape, generator=g)` on the same kind of CPU. Under 16 elements the draws differ from
 * those of a longer tensor with the same seed, as in PyTorch.
 */
export class Generator implements Disposable {
  readonly #handle: GeneratorHandle;

  /** @param seed integer from 0 to 2^32 - 1. */
  constructor(seed: number) {
    this.#handle = guarded(() => addon().generatorCreate(seed));
  }

  /** Draws from the standard normal distribution. */
  randn(shape: readonly number[]): Tensor<'float32'> {
    return guarded(() => wrapTensor(addon().generatorRandn(this.#handle, shape)));
  }

  /** The state, as PyTorch's `get_state()` lays it out. */
  saveState(): Uint8Array {
    using state = guarded(() => wrapTensor<'uint8'>(addon().generatorGetState(this.#handle)));
    return state.toTypedArray();
  }

  /** Goes on from a state that `saveState` gave. */
  restoreState(state: Uint8Array): void {
    if (!(state instanceof Uint8Array)) throw expected('Uint8Array', 'state', state);
    using tensor = Tensor.from(state);
    guarded(() => addon().generatorSetState(this.#handle, handleOf(tensor, 'state')));
  }

  /** Idempotent. */
  dispose(): void {
    guarded(() => addon().generatorDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
