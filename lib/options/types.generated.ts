// Written by `npm run options` from descriptions.ts, where the options are described.

/** How a stage samples. */
export interface StageOptions {
  /**
   * Number of steps, spaced as in diffusers. At most the number of the model's training timesteps.
   * Cannot be combined with `timestepRespacing`. From 1 to 1000. Default: depends on the stage and
   * on `sampling`.
   */
  readonly steps?: number | undefined;
  /**
   * Steps spaced as in Kakao's program: "25", "10,10,5", "ddim25" or "fast27". Numbers separated by
   * commas are the steps of sections of equal length, lowest noise first. "ddim25" and "fast27"
   * sample with DDIM. Default: none.
   */
  readonly timestepRespacing?: string | undefined;
  /**
   * Classifier-free guidance scale. 0 uses the unconditional prediction alone, exactly 1 skips it,
   * and larger values follow the prompt more closely. Super-resolution has no guidance and accepts
   * only 1. From 0 to 30. Default: depends on the stage.
   */
  readonly guidanceScale?: number | undefined;
}

/** Options that `textToImage` and `imageVariation` share. */
export interface GenerationOptions {
  /**
   * Number of images per prompt or input image. Defaults to the length of `seed` if that is an
   * array. From 1 to 1000. Default: `1`.
   */
  readonly count?: number | undefined;
  /**
   * Seed of the first image; the following images use the next integers. Image j of each prompt
   * uses `seed + j` (modulo 2^32), or `seed[j]` of an array of `count` seeds. The result always
   * reports the seeds. From 0 to 2^32 - 1. Default: random.
   */
  readonly seed?: number | readonly number[] | undefined;
  /** Preset for the number of steps of each stage. Default: `fast`. */
  readonly sampling?: 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /** Options of super-resolution, which enlarges the small image. Default: steps: 7. */
  readonly upsample?: StageOptions | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `textToImage`. */
export interface TextToImageOptions extends GenerationOptions {
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: StageOptions | undefined;
}

/** Options of `imageVariation`. */
export interface ImageVariationOptions extends GenerationOptions {
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
}

/** Options of `Karlo.load`. */
export interface LoadOptions {
  /**
   * Model to load: karlo-tiny, a pulled model, or a model folder. The layout of a folder is
   * detected automatically. Default: `karlo-tiny`.
   */
  model?: string | undefined;
  /**
   * Device to run on: auto, cpu, cuda or cuda:N. `auto` is the first CUDA device, or the CPU if
   * there is none; only `auto` falls back to the CPU. Default: `auto`.
   */
  device?: string | undefined;
  /**
   * Dtype of the weights. `auto` is bfloat16 on CUDA. On the CPU it is the faster of float32 and
   * bfloat16, which is measured when a model of this size is first loaded, and cached. `float16`
   * requires CUDA. Default: `auto`.
   */
  dtype?: 'auto' | 'float32' | 'bfloat16' | 'float16' | undefined;
  /**
   * Number of compute threads. A CPU affinity and a cgroup's CPU quota limit the available
   * processors. From 1 to 1024. Default: `OMP_NUM_THREADS`, or the number of available processors.
   */
  threads?: number | undefined;
  /**
   * Whether all weights stay in memory (resident) or only those of the current stage (staged).
   * `staged` needs less memory, and loads the weights again for every batch. Default: `resident`,
   * or `staged` if a memory budget requires it.
   */
  residency?: 'resident' | 'staged' | undefined;
  /**
   * Memory for weights and activations, in bytes. Determines `residency`, unless it is set, and the
   * largest batch. On the command line, units are accepted: `4G` or `4GB` (10^9 bytes each), `4Gi`
   * or `4GiB` (2^30 bytes each). Default: unlimited.
   */
  memoryBudget?: number | undefined;
  /** Signal that aborts loading. */
  signal?: AbortSignal | undefined;
}

/** The settings of one stage in a recipe. */
export type RecordedStage = ({ steps: number } | { timestepRespacing: string }) & {
  /** Classifier-free guidance scale. */
  guidanceScale: number;
};

/** The options of either task that a recipe stores. */
export interface RecordedGenerationOptions {
  /** Seed of this image. */
  seed: number;
  /** Preset for the number of steps of each stage. */
  sampling: 'fast' | 'default';
  /** Options of the decoder, which generates a small image from an image embedding. */
  decoder: RecordedStage;
  /** Options of super-resolution, which enlarges the small image. */
  upsample: RecordedStage;
  /** Number of images that go through the networks together. */
  batchSize: number;
}

/** The options of `textToImage` that a recipe stores. */
export interface RecordedTextToImageOptions {
  /** Options of the prior, which predicts an image embedding from the prompt. */
  prior: RecordedStage;
}
