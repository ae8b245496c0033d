// Evaluation: images of captions, and how good they are.
export type { EvaluationPreset } from '../options/descriptions.js';
export type { EvaluationOptions, LoadOptions } from '../options/types.generated.js';
export { type Caption, readCaptions, type Shard } from './captions.js';
export { evaluate } from './evaluate.js';
export { type GeneratedImages, generateImages } from './generate.js';
export type { EvaluationQueue } from './image-source.js';
export type { ImageModel } from './manifest.js';
export type { ClipScore } from './metrics/clip-score.js';
export type { Estimate } from './metrics/estimate.js';
export type { KernelEstimate } from './metrics/kernel.js';
export type { EvaluateOptions, EvaluationProgress } from './plan.js';
export { type Preset, type PublishedRow, type PublishedTable, presets } from './presets.js';
export {
  type Distances,
  type EvaluationReport,
  type EvaluationRow,
  formatReport,
} from './report.js';
export type { EvaluationSetting } from './settings.js';
