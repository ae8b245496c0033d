export { type BetaSchedule, betas, type NoiseTables, noiseTables } from './betas.js';
export { type ScheduleConfig, scheduleConfig } from './config.js';
export { type Spacing, spacingFault, timesteps, usesDdim } from './respacing.js';
export { type Step, schedule } from './steps.js';
