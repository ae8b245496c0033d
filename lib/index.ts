export { karlo } from './default.js';
export { KarloError, type KarloErrorCode } from './errors.js';
export { type ImageFormat, KarloImage } from './image.js';
export { Karlo, type KarloOptions } from './karlo.js';
export type { WeightDtype } from './models/weights.js';
export type {
  GenerationOptions,
  ImageVariationOptions,
  StageOptions,
  TextToImageOptions,
} from './options.js';
export type { PictureInput, RawPicture } from './stages/read-picture.js';
export { type Generation, type GenerationEvent, GenerationTask, type StageName } from './task.js';
