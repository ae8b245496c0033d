import { KarloError } from '../errors.js';
import type { Model } from '../layouts/open-model.js';
import type { WeightDtype } from '../networks/weights.js';
import { COUNT_RANGE, GUIDANCE } from '../options/generation.js';
import { peakBytes } from './estimate.js';

type ResidencyName = 'resident' | 'staged';

/** How a model fits into a memory budget. */
export interface Fit {
  readonly residency: ResidencyName;
  /** Pictures that can go through the networks at once; undefined where there is no budget. */
  readonly largestBatch: number | undefined;
}

/**
 * The residency and the largest batch that fit into a budget: all weights stay if they can.
 * @param budget bytes; undefined for no limit
 * @param wanted a residency that is asked for
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where not even one picture, staged, would fit
 */
export function fitInto(
  budget: number | undefined,
  model: Pick<Model, 'configs'>,
  dtype: WeightDtype,
  wanted: ResidencyName | undefined,
): Fit {
  if (budget === undefined) return { residency: wanted ?? 'resident', largestBatch: undefined };
  const bytes = (residency: ResidencyName, batchSize: number) =>
    peakBytes(model, guided, batchSize, { dtype, residency });
  const ways: readonly ResidencyName[] = wanted ? [wanted] : ['resident', 'staged'];
  const residency = ways.find((way) => bytes(way, 1) <= budget);
  if (residency === undefined) {
    const [least] = ways.map((way) => bytes(way, 1)).sort((a, b) => a - b);
    const halve = dtype === 'float32' ? "; dtype: 'bfloat16' takes half of that" : '';
    const message = `Expected at least ${least} bytes for memoryBudget, which one picture takes in ${dtype}, but received ${budget}${halve}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  const [, most] = COUNT_RANGE;
  const each = bytes(residency, 2) - bytes(residency, 1);
  const more = Math.floor((budget - bytes(residency, 1)) / each);
  return { residency, largestBatch: Math.min(most, 1 + more) };
}

/** Both halves of the guidance, as by default. */
const guided = {
  decoder: { spacing: { steps: 1 }, guidanceScale: GUIDANCE.decoder },
  upsample: { spacing: { steps: 1 }, guidanceScale: GUIDANCE.upsample },
};
