import type { ScriptModule } from '../../torch/script-module.js';
import { Tensor } from '../../torch/tensor.js';
import type { Step } from '../samplers/index.js';

/** A network's time embeddings for a whole schedule, computed in one call before its loop. */
export interface Times extends Disposable {
  /** The row of a step: `[1, *]`, or `[pictures, *]` where labels of pictures are in it. */
  at(step: Step): Tensor;
}

/** @param labels what else goes into the embedding, `[pictures, T]` */
export async function timesOf(
  network: ScriptModule,
  steps: readonly Step[],
  labels?: Tensor,
): Promise<Times> {
  const t = BigInt64Array.from(steps, (step) => BigInt(step.t));
  using timesteps = Tensor.from(t).to({ device: network.device });
  const inputs = labels === undefined ? [timesteps] : [timesteps, labels];
  const times = await network.run<Tensor>('times', inputs);
  const first = steps[0]?.index ?? 0;
  return {
    at({ index }) {
      const row = times.slice(0, index - first, index - first + 1);
      return labels === undefined ? row : row.reshape(times.shape.slice(1));
    },
    [Symbol.dispose]() {
      times.dispose();
    },
  };
}
