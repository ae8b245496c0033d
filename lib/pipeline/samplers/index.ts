export { type ScheduleConfig, scheduleConfig } from '../../layouts/schedule-config.js';
export { type Spacing, spacingFault, timesteps, usesDdim } from '../../options/respacing.js';
export { type BetaSchedule, betas, type NoiseTables, noiseTables } from './betas.js';
export { type Step, schedule } from './steps.js';
