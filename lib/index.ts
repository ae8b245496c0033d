import type { ImageInput, RawImage } from './images/decode.js';

export { KarloError, type KarloErrorCode } from './errors.js';
export type { ImageInput, RawImage } from './images/decode.js';
export type { ImageBody, ImageFileInput } from './images/image-bytes.js';
export {
  type EncodeOptions,
  type ImageFormat,
  KarloImage,
  type WriteOptions,
} from './images/karlo-image.js';
export { readRecipe } from './images/read-recipe.js';
export type { ImageVariationRecipe, Recipe, TextToImageRecipe } from './images/recipe.js';
export { Karlo, type KarloOptions } from './karlo.js';
export type { ComponentName } from './networks/registry.js';
export type { ImageFit, ResidencyMode, Task, WeightDtype } from './options/descriptions.js';
export type {
  GenerationOptions,
  ImageVariationOptions,
  RecordedStage,
  StageOptions,
  TextToImageOptions,
} from './options/types.generated.js';
export type { Estimate } from './pipeline/estimate.js';
export type { LoadProgress } from './pipeline/load-networks.js';
export {
  type Generation,
  type GenerationEvent,
  GenerationTask,
  type StageName,
} from './pipeline/task.js';
export { karlo } from './shared-instance.js';

/** @deprecated Use {@link ImageInput}. */
export type PictureInput = ImageInput;
/** @deprecated Use {@link RawImage}. */
export type RawPicture = RawImage;
