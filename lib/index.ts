export { karlo } from './default.js';
export { KarloError, type KarloErrorCode } from './errors.js';
export type { Estimate } from './estimate.js';
export {
  type EncodeOptions,
  type ImageFormat,
  KarloImage,
  type WriteOptions,
} from './image/karlo-image.js';
export type { PictureInput, RawPicture } from './image/read-picture.js';
export type { Recipe } from './image/recipe.js';
export { Karlo, type KarloOptions } from './karlo.js';
export type { ComponentName, Task } from './models/components.js';
export type { LoadProgress } from './models/load-networks.js';
export type { WeightDtype } from './models/weights.js';
export type {
  GenerationOptions,
  ImageVariationOptions,
  StageOptions,
  TextToImageOptions,
} from './options.js';
export { readRecipe } from './read-recipe.js';
export { type Generation, type GenerationEvent, GenerationTask, type StageName } from './task.js';
