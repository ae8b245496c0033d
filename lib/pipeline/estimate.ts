import type { Model } from '../layouts/open-model.js';
import { flopPerToken, unetCost, weightCount } from '../networks/cost.js';
import { type ComponentName, NETWORKS_OF } from '../networks/registry.js';
import type { WeightDtype } from '../networks/weights.js';
import type { LoopOptions } from './cascade.js';

/** What a call is expected to take. */
export interface Estimate {
  /** Memory at most, bytes: weights and what the networks hold while they run. */
  readonly bytes: number;
  /** Seconds, if nothing else runs. */
  readonly seconds: number;
}

/** Steps of each loop. */
export type Steps = Readonly<Record<'prior' | 'decoder' | 'upsample', number>>;

/** Tokens that a prompt has for the prior, whose keys are computed once, and those of each step. */
const promptTokens = 78;
const stepTokens = 3;

const bytesOf: Readonly<Record<WeightDtype, number>> = { float32: 4, bfloat16: 2, float16: 2 };

/** Networks that a staged model holds at once. */
const stages: readonly (readonly ComponentName[])[] = [
  ['text_encoder'],
  ['image_encoder'],
  ['prior'],
  ['text_proj', 'decoder'],
  ['super_res_first'],
  ['super_res_last'],
];

const rowsOf = (scale: number) => (scale === 1 ? 1 : 2);

/** Floating-point operations of one batch. */
export function batchFlop(
  { configs }: Model,
  loops: LoopOptions,
  steps: Steps,
  batchSize: number,
): number {
  const { prior, decoder, super_res_first: first } = configs;
  const tokens = promptTokens + stepTokens * steps.prior;
  const inPrior =
    prior && loops.prior
      ? rowsOf(loops.prior.guidanceScale) * tokens * flopPerToken('prior', prior)
      : 0;
  const inDecoder = decoder ? unetCost('decoder', decoder).flop : 0;
  const inUpsample = first ? unetCost('super_res_first', first).flop : 0;
  const rows = rowsOf(loops.decoder.guidanceScale);
  return batchSize * (inPrior + rows * steps.decoder * inDecoder + steps.upsample * inUpsample);
}

/** Memory at most while batches of this size are made. */
export function peakBytes(
  { configs }: Pick<Model, 'configs'>,
  loops: LoopOptions,
  batchSize: number,
  { dtype, residency }: { dtype: WeightDtype; residency: 'resident' | 'staged' },
): number {
  const { decoder, super_res_first: first } = configs;
  const rows = rowsOf(loops.decoder.guidanceScale);
  const activations = Math.max(
    decoder ? rows * unetCost('decoder', decoder).activations : 0,
    first ? unetCost('super_res_first', first).activations : 0,
  );
  const weights = (names: readonly ComponentName[]) =>
    names.reduce((all, name) => all + (configs[name] ? weightCount(name, configs[name]) : 0), 0);
  const held =
    residency === 'staged'
      ? Math.max(...stages.map(weights))
      : weights([...new Set([...NETWORKS_OF.textToImage, ...NETWORKS_OF.imageVariation])]);
  return bytesOf[dtype] * (held + batchSize * activations);
}
