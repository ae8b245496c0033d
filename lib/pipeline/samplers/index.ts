export { type Spacing, spacingFault, timesteps, usesDdim } from '../../options/respacing.js';
export { betas, type NoiseTables, noiseTables } from './betas.js';
export { type Step, schedule } from './steps.js';
