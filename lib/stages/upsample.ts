import type { Step } from '../schedule/index.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { Tensor } from '../torch/tensor.js';
import { denoise } from './denoise.js';
import type { LoopSettings } from './prior.js';
import { timesOf } from './times.js';

/** The super-resolution networks and sizes. */
export interface UpsampleStage {
  /** All steps but the last. */
  first: ScriptModule;
  /** The last step. */
  last: ScriptModule;
  /** `[channels, side, side]` of one picture. */
  shape: readonly [number, number, number];
}

/**
 * Improved super-resolution: small pictures to large ones, under no other condition, the last step by
 * a network of its own.
 * @param small `[pictures, channels, side, side]` in [-1, 1]
 * @returns the same at the large size; values may go past [-1, 1]
 */
export async function runUpsample(
  { first, last, shape }: UpsampleStage,
  small: Tensor,
  settings: Omit<LoopSettings, 'guidanceScale'>,
): Promise<Tensor> {
  const { steps, signal } = settings;
  using lowRes = small.resizeBicubic(shape[1], shape[2]);
  const before = steps.slice(0, -1);
  using timesBefore = await timesOf(first, before.length > 0 ? before : steps);
  using timesLast = await timesOf(last, steps.slice(-1));
  const predict = async (x: Tensor, step: Step) => {
    const [network, times] = step.last ? [last, timesLast] : [first, timesBefore];
    using time = times.at(step);
    return network.run<Tensor>('step_at', [x, lowRes, time], { signal });
  };
  return await denoise({ ...settings, shape, predict });
}
