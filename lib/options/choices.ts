// The words that options can be, and other names that follow from them. Plain data without imports.

/** What a model can do. */
export type Task = 'textToImage' | 'imageVariation';
export const TASKS = ['textToImage', 'imageVariation'] as const satisfies readonly Task[];

/** A denoising stage. `upsample` is super-resolution. */
export type StageName = 'prior' | 'decoder' | 'upsample';
/** In the order in which they run. */
export const STAGES = ['prior', 'decoder', 'upsample'] as const satisfies readonly StageName[];

/** An algorithm that turns noise into a sample: lib/pipeline/samplers. */
export type SamplerName = 'ddpm' | 'ddim' | 'dpm++' | 'unipc';
export const samplers = [
  'ddpm',
  'ddim',
  'dpm++',
  'unipc',
] as const satisfies readonly SamplerName[];

/** Presets of the stages. Kakao Brain published `fast` and `default`; `turbo` takes fewer steps. */
export const samplings = ['turbo', 'fast', 'default'] as const;
export type Sampling = (typeof samplings)[number];

/** A published evaluation, whose settings `karlo/eval` has. */
export type EvaluationPreset = 'karlo-coco' | 'karlo-cc3m';
export const evaluationPresets = [
  'karlo-coco',
  'karlo-cc3m',
] as const satisfies readonly EvaluationPreset[];

/** Dtype of a model's weights. */
export type WeightDtype = 'float32' | 'bfloat16' | 'float16';
export const weightDtypes = [
  'float32',
  'bfloat16',
  'float16',
] as const satisfies readonly WeightDtype[];

/**
 * How an image becomes a square: `cover` resizes its short side and crops the centre; `fill` resizes both sides
 * and changes the proportions, like Kakao's program.
 */
export type ImageFit = 'cover' | 'fill';
export const imageFits = ['cover', 'fill'] as const satisfies readonly ImageFit[];

/**
 * What happens to an image that a safety check finds unsafe: the call fails (`error`), the image is blurred (`blur`) or
 * becomes black (`black`), or it is only reported (`keep`).
 */
export type UnsafeAction = 'error' | 'blur' | 'black' | 'keep';
export const unsafeActions = [
  'error',
  'blur',
  'black',
  'keep',
] as const satisfies readonly UnsafeAction[];

/** Which weights stay in memory: all of them (`resident`), or those of the current stage (`staged`). */
export type ResidencyMode = 'resident' | 'staged';
export const residencyModes = ['resident', 'staged'] as const satisfies readonly ResidencyMode[];
