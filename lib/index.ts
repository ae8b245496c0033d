import type { ImageInput, RawImage } from './images/decode.js';

export {
  cosine,
  Embedding,
  type EmbeddingJson,
  type EmbeddingKind,
  type EmbeddingModel,
} from './embeddings/embedding.js';
export {
  Inversion,
  type InversionData,
  type InversionJson,
  type InvertedSource,
} from './embeddings/inversion.js';
export { KarloError, type KarloErrorCode } from './errors.js';
export type { ImageInput, RawImage } from './images/decode.js';
export { KarloDraft } from './images/draft.js';
export type { DraftData, DrawnNoise, NoiseBlend } from './images/draft-data.js';
export type { ImageBody, ImageFileInput } from './images/image-bytes.js';
export {
  type C2paManifest,
  type DigitalSourceType,
  type EncodeOptions,
  type ImageFormat,
  KarloImage,
  type SignFile,
  type WriteOptions,
} from './images/karlo-image.js';
export { readDraft } from './images/read-draft.js';
export { type Marking, readMarking } from './images/read-marking.js';
export { readRecipe } from './images/read-recipe.js';
export type {
  EditRecipe,
  FromEmbeddingRecipe,
  ImageToImageRecipe,
  ImageVariationRecipe,
  InpaintRecipe,
  InterpolateRecipe,
  InvertedImage,
  MixRecipe,
  PointSource,
  Recipe,
  ReconstructRecipe,
  Selection,
  SourceImage,
  TextToImageRecipe,
  UpscaleRecipe,
} from './images/recipe.js';
export type { RecordedVerdict, Verdict } from './images/verdict.js';
export { readWatermark, type Watermark } from './images/watermark/read.js';
export { Karlo, type KarloOptions } from './karlo.js';
export type { ComponentName } from './networks/registry.js';
export type {
  ImageFit,
  ResidencyMode,
  Task,
  UnsafeAction,
  WeightDtype,
} from './options/descriptions.js';
export type {
  EmbedImageOptions,
  PriorOptions,
  RecordedStage,
  SafetyCheckerOptions,
  StageOptions,
  UnguidedStageOptions,
} from './options/types.generated.js';
export type { EstimatedMethod } from './pipeline/calls/estimated.js';
export type { InterpolationEnd } from './pipeline/calls/interpolate.js';
export type { MixPart } from './pipeline/calls/mix.js';
export type { PointInput } from './pipeline/calls/points.js';
export type { Estimate } from './pipeline/estimate.js';
export type { LoadProgress } from './pipeline/load-networks.js';
export {
  type CurrentBatch,
  type Generation,
  type GenerationEvent,
  GenerationTask,
  type ImageEvent,
  type Progress,
  type StageName,
  type StepEvent,
} from './pipeline/task.js';
export type {
  ImageChecker,
  ImageSafetyOptions,
  PromptFilter,
  PromptSafetyOptions,
  SafetyCheck,
  SafetyContext,
  SafetyOptions,
} from './safety/check.js';
export { SafetyChecker } from './safety/checker.js';
export type {
  EditOptions,
  EmbedTextOptions,
  FinishOptions,
  FromEmbeddingOptions,
  GenerationOptions,
  ImageToImageOptions,
  ImageVariationOptions,
  InpaintOptions,
  InterpolateOptions,
  InvertOptions,
  MixOptions,
  ReconstructOptions,
  TextToImageOptions,
  UpscaleOptions,
} from './safety/options.js';
export { karlo } from './shared-instance.js';

/** @deprecated Use {@link ImageInput}. */
export type PictureInput = ImageInput;
/** @deprecated Use {@link RawImage}. */
export type RawPicture = RawImage;
