import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';

/** The defaults of diffusers' `UnCLIPScheduler`, with the arithmetic of Kakao's program. */
export const config: SchedulerConfig = {
  trainSteps: 1000,
  betaSchedule: 'squaredcos_cap_v2',
  predictionType: 'epsilon',
  varianceType: 'fixed_small_log',
  clipSampleRange: 1,
  arithmetic: 'gaussian-diffusion',
};
