// The options of methods as programs pass them: those of the tables, and the functions that check prompts and images,
// whose types are of higher layers than the tables.
import type * as tables from '../options/types.generated.js';
import type { ImageSafetyOptions, PromptSafetyOptions, SafetyOptions } from './check.js';

/** Options that `textToImage` and `imageVariation` share. */
export interface GenerationOptions extends tables.GenerationOptions, SafetyOptions {}

/** Options of `textToImage`. */
export interface TextToImageOptions extends tables.TextToImageOptions, SafetyOptions {}

/** Options of `imageVariation`. */
export interface ImageVariationOptions extends tables.ImageVariationOptions, SafetyOptions {}

/** Options of `embedText`. */
export interface EmbedTextOptions extends tables.EmbedTextOptions, PromptSafetyOptions {}

/** Options of `fromEmbedding`. */
export interface FromEmbeddingOptions extends tables.FromEmbeddingOptions, SafetyOptions {}

/** Options of `mix`. */
export interface MixOptions extends tables.MixOptions, SafetyOptions {}

/** Options of `interpolate`. */
export interface InterpolateOptions extends tables.InterpolateOptions, SafetyOptions {}

/** Options of `edit`. */
export interface EditOptions extends tables.EditOptions, SafetyOptions {}

/** Options of `imageToImage`. */
export interface ImageToImageOptions extends tables.ImageToImageOptions, SafetyOptions {}

/** Options of `inpaint`. */
export interface InpaintOptions extends tables.InpaintOptions, SafetyOptions {}

/** Options of `invert`. */
export interface InvertOptions extends tables.InvertOptions, PromptSafetyOptions {}

/** Options of `reconstruct`. */
export interface ReconstructOptions extends tables.ReconstructOptions, SafetyOptions {}

/** Options of `upscale`. */
export interface UpscaleOptions extends tables.UpscaleOptions, ImageSafetyOptions {}

/** Options of `karlo.finish`. */
export interface FinishOptions extends tables.FinishOptions, ImageSafetyOptions {}
