import { invalidArgument } from '../errors.js';
import type { Model } from '../layouts/index.js';
import {
  generationOptions,
  type ResidencyMode,
  type WeightDtype,
} from '../options/descriptions.js';
import { labelSetting, type OptionLabeler } from '../options/validate.js';
import { peakBytes } from './estimate.js';

/** How a model fits into a memory budget. */
export interface MemoryPlan {
  readonly residency: ResidencyMode;
  /** The most images that fit into one batch; undefined without a budget. */
  readonly largestBatch: number | undefined;
}

/**
 * Chooses the residency and the largest batch that fit into a budget. The weights stay resident if
 * they fit.
 * @param budget bytes; undefined for no limit
 * @param requested the residency that the user asked for, if any
 * @param label how messages refer to an option
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if not even one image fits
 */
export function planMemory(
  budget: number | undefined,
  model: Pick<Model, 'configs'>,
  dtype: WeightDtype,
  requested: ResidencyMode | undefined,
  label: OptionLabeler,
): MemoryPlan {
  if (budget === undefined) return { residency: requested ?? 'resident', largestBatch: undefined };
  const bytes = (residency: ResidencyMode, batchSize: number) =>
    peakBytes(model, guidedStages, batchSize, { dtype, residency });
  const candidates: readonly ResidencyMode[] = requested ? [requested] : ['resident', 'staged'];
  const residency = candidates.find((candidate) => bytes(candidate, 1) <= budget);
  if (residency === undefined) {
    const minBytes = Math.min(...candidates.map((candidate) => bytes(candidate, 1)));
    const advice =
      dtype === 'float32' ? `; ${labelSetting(label, 'dtype', 'bfloat16')} needs half of that` : '';
    const message = `Expected at least ${minBytes} bytes for ${label('memoryBudget')}, which one image needs in ${dtype}, but received ${budget}${advice}`;
    throw invalidArgument(message);
  }
  const bytesPerImage = bytes(residency, 2) - bytes(residency, 1);
  const more = Math.floor((budget - bytes(residency, 1)) / bytesPerImage);
  return { residency, largestBatch: Math.min(generationOptions.batchSize.range[1], 1 + more) };
}

/** With both halves of the guidance, as by default. */
const guidedStages = { decoder: generationOptions.decoder };
