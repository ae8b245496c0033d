export { KarloError, type KarloErrorCode } from './errors.js';
export { type ImageFormat, KarloImage } from './image.js';
export { Karlo, type KarloOptions } from './karlo.js';
export type { WeightDtype } from './models/weights.js';
export type { GenerationOptions, StageOptions, TextToImageOptions } from './options.js';
export { type Generation, type GenerationEvent, GenerationTask, type StageName } from './task.js';
