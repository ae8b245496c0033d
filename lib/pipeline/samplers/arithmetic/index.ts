import type { SchedulerConfig } from '../../../layouts/scheduler-config.js';
import type { Arithmetic } from './arithmetic.js';
import { gaussianDiffusion } from './gaussian-diffusion.js';
import { unclipScheduler } from './unclip-scheduler.js';

/** Every arithmetic, by its name in {@link SchedulerConfig}. */
export const ARITHMETIC: Readonly<Record<SchedulerConfig['arithmetic'], Arithmetic>> = {
  'unclip-scheduler': unclipScheduler,
  'gaussian-diffusion': gaussianDiffusion,
};
