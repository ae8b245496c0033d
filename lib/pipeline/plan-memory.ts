import { invalidArgument } from '../errors.js';
import type { Model } from '../layouts/index.js';
import { generationOptions, type ResidencyMode } from '../options/descriptions.js';
import { labelSetting } from '../options/validate.js';
import type { AvailableMemory } from './available-memory.js';
import { largestBatch, peakBytes } from './peak-memory.js';
import { type MemoryContext, requireMemory } from './require-memory.js';

/** How a model fits into memory. */
export interface MemoryPlan {
  readonly residency: ResidencyMode;
  /** The most images that fit into one batch of the memory budget; undefined without a budget. */
  readonly largestBatch: number | undefined;
  /** What the model's calls may use; undefined if that is unknown. */
  readonly available: AvailableMemory | undefined;
}

/** What a plan depends on besides the model. */
export interface PlanRequest extends Omit<MemoryContext, 'residency'> {
  /** The option `memoryBudget`. */
  readonly memoryBudget: number | undefined;
  /** The residency that the user asked for, if any. */
  readonly residency: ResidencyMode | undefined;
}

/**
 * Chooses the residency and the largest batch that fit into the memory budget and the available memory.
 * The weights stay resident if they fit.
 * @throws {KarloError} if not even one image fits: ERR_KARLO_OUT_OF_MEMORY into the available memory,
 *   ERR_KARLO_INVALID_ARGUMENT into the budget
 */
export function planMemory(model: Pick<Model, 'configs'>, request: PlanRequest): MemoryPlan {
  const { memoryBudget, available, dtype, residency: requested, label } = request;
  requireMemory(model, oneImage, { ...request, residency: requested ?? 'staged' });
  const candidates: readonly ResidencyMode[] = requested ? [requested] : ['resident', 'staged'];
  const plans = candidates.map((residency) => ({
    residency,
    peak: peakBytes(model, oneImage.settings, { ...request, residency }),
  }));
  const bytes = Math.min(memoryBudget ?? Infinity, available?.bytes ?? Infinity);
  const plan = plans.find(({ peak }) => peak(1) <= bytes);
  if (plan === undefined) {
    const needed = Math.min(...plans.map(({ peak }) => peak(1)));
    const advice =
      dtype === 'float32' ? `; ${labelSetting(label, 'dtype', 'bfloat16')} needs less` : '';
    const message = `Expected at least ${needed} bytes for ${label('memoryBudget')}, which one image needs in ${dtype}, but received ${memoryBudget}${advice}`;
    throw invalidArgument(message);
  }
  const { residency, peak } = plan;
  const fitting = memoryBudget === undefined ? undefined : largestBatch(peak, bytes);
  return { residency, largestBatch: fitting, available };
}

/** With both halves of the guidance, as by default. */
const oneImage = {
  settings: { decoder: generationOptions.decoder, batchSize: 1, count: 1 },
  inputs: 1,
} as const;
