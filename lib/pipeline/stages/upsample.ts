import type { Lease } from '../../networks/residency.js';
import type { Tensor } from '../../torch/tensor.js';
import { denoise } from '../samplers/denoise.js';
import type { Step } from '../samplers/index.js';
import type { LoopSettings } from './prior.js';

type NetworkName = 'super_res_first' | 'super_res_last';

/** The super-resolution networks and sizes. */
export interface UpsampleStage {
  /** Leases the network of all steps but the last, and then that of the last. */
  lease(name: NetworkName): Promise<Lease<NetworkName>>;
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
  { lease, shape }: UpsampleStage,
  small: Tensor,
  { steps, ...settings }: Omit<LoopSettings, 'guidanceScale'>,
): Promise<Tensor> {
  using lowRes = small.resizeBicubic(shape[1], shape[2]);
  const walk = async (name: NetworkName, part: readonly Step[], x?: Tensor) => {
    await using networks = await lease(name);
    const network = networks[name];
    using times = await network.embedTimesteps(part.map(({ t }) => t));
    const predict = async (x: Tensor, step: Step) => {
      using time = times.at(step.t);
      return await network.predict(x, lowRes, time, settings.signal);
    };
    return await denoise({ ...settings, steps: part, shape, predict }, x);
  };
  const before = steps.slice(0, -1);
  using x = before.length > 0 ? await walk('super_res_first', before) : undefined;
  return await walk('super_res_last', steps.slice(-1), x);
}
