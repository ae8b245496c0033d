import type { ScriptModule } from '../torch/script-module.js';
import { Tensor, tidy } from '../torch/tensor.js';

/** A network's embeddings of all timesteps of a loop, computed in one call before it. */
export class TimeEmbeddings implements Disposable {
  readonly #timesteps: readonly number[];
  /** `[timesteps, T]`, or `[timesteps, B, T]` if each sample has its own. */
  readonly #rows: Tensor;

  constructor(timesteps: readonly number[], rows: Tensor) {
    this.#timesteps = timesteps;
    this.#rows = rows;
  }

  /**
   * The embedding of a timestep, for the caller to dispose.
   * @returns `[1, T]`, or `[B, T]` if each sample has its own
   */
  at(timestep: number): Tensor {
    const row = this.#timesteps.indexOf(timestep);
    if (row === -1) throw new RangeError(`Expected an embedded timestep but received ${timestep}`);
    const { shape } = this.#rows;
    return tidy(() => {
      const slice = this.#rows.slice(0, row, row + 1);
      return shape.length === 2 ? slice : slice.reshape(shape.slice(1));
    });
  }

  /** The embeddings of samples `start` to `end`, as a view. */
  rows(start: number, end: number): TimeEmbeddings {
    const { shape } = this.#rows;
    const rows = shape.length === 2 ? this.#rows.to({}) : this.#rows.slice(1, start, end);
    return new TimeEmbeddings(this.#timesteps, rows);
  }

  [Symbol.dispose](): void {
    this.#rows.dispose();
  }
}

/**
 * Runs a module's `times` method.
 * @param timesteps 0 to `trainSteps - 1`
 * @param labels added to each sample's embeddings, `[B, T]`
 */
export async function embedTimesteps(
  module: ScriptModule,
  timesteps: readonly number[],
  labels?: Tensor,
): Promise<TimeEmbeddings> {
  using t = tidy(() =>
    Tensor.from(BigInt64Array.from(timesteps, BigInt)).to({ device: module.device }),
  );
  const inputs = labels === undefined ? [t] : [t, labels];
  return new TimeEmbeddings(timesteps, await module.run<Tensor>('times', inputs));
}
