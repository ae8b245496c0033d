import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import type { SamplerName } from '../../../lib/options/descriptions.js';
import type { Spacing } from '../../../lib/options/respacing.js';
import { createSampler } from '../../../lib/pipeline/samplers/index.js';

/** The defaults of diffusers' `UnCLIPScheduler`, with the arithmetic of Kakao's program. */
export const config: SchedulerConfig = {
  trainSteps: 1000,
  betaSchedule: 'squaredcos_cap_v2',
  predictionType: 'epsilon',
  varianceType: 'fixed_small_log',
  clipSampleRange: 1,
  arithmetic: 'gaussian-diffusion',
};

/** A sampler that must be of a class. */
export function samplerOf<T>(
  Class: abstract new (...args: never[]) => T,
  config: SchedulerConfig,
  name: SamplerName,
  spacing: Spacing,
  eta = 0,
): T {
  const sampler = createSampler(config, { spacing, sampler: { name, eta } });
  if (!(sampler instanceof Class)) throw new TypeError(`${name} is a ${sampler.constructor.name}`);
  return sampler;
}
