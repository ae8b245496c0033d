// Written by `npm run options` from descriptions.ts, where the options are described.

/** How super-resolution samples. */
export interface UnguidedStageOptions {
  /**
   * Number of steps, spaced as in diffusers. Which timesteps they visit depends on the sampler. At
   * most the number of the model's training timesteps. Cannot be combined with `timestepRespacing`.
   * From 1 to 1000. Default: depends on the stage and on `sampling`.
   */
  readonly steps?: number | undefined;
  /**
   * Steps spaced as in Kakao's program: "25", "10,10,5", "ddim25" or "fast27". Numbers separated by
   * commas are the steps of sections of equal length, lowest noise first. With "ddim25" and
   * "fast27", `sampler` defaults to `ddim`. Default: none.
   */
  readonly timestepRespacing?: string | undefined;
  /**
   * Classifier-free guidance scale. 0 uses the unconditional prediction alone, exactly 1 skips it,
   * and larger values follow the prompt more closely. Super-resolution has no guidance and accepts
   * only 1. From 0 to 30. Default: depends on the stage.
   */
  readonly guidanceScale?: number | undefined;
}

/** How a stage samples. */
export interface StageOptions extends UnguidedStageOptions {
  /**
   * Algorithm of the steps. `ddpm` adds noise in each step. `ddim`, `dpm++` (DPM-Solver++ 2M) and
   * `unipc` solve an ordinary differential equation instead, and need fewer steps. Default: `ddim`
   * with "ddim25" and the like, `ddpm` otherwise.
   */
  readonly sampler?: 'ddpm' | 'ddim' | 'dpm++' | 'unipc' | undefined;
  /**
   * How much noise the sampler ddim adds in each step. 0 adds none; 1 adds as much as `ddpm` does
   * with fixed variance. From 0 to 1. Default: `0`.
   */
  readonly eta?: number | undefined;
  /**
   * Part of the schedule that is guided. Start and end, where 0 is pure noise and 1 the clean
   * sample. Steps outside skip the unconditional prediction, which halves their work. From 0 to 1.
   * Default: the whole schedule.
   */
  readonly guidanceInterval?: readonly [number, number] | undefined;
  /**
   * How far the guided prediction is rescaled to the standard deviation of the conditional one.
   * Reduces the oversaturation of large guidance scales. From 0 to 1. Default: `0`.
   */
  readonly guidanceRescale?: number | undefined;
}

/** How the prior samples. */
export interface PriorOptions extends StageOptions {
  /**
   * Number of image embeddings to sample for each draft. The decoder receives the one with the
   * largest dot product with the text embedding, as in Ramesh et al. 2022, section 2.2, which
   * samples 2. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `textToImage`. */
export interface TextToImageOptions extends GenerationOptions {
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
}

/** Options of `imageVariation`. */
export interface ImageVariationOptions extends GenerationOptions {
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `embedImage`. */
export interface EmbedImageOptions {
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `embedText`. */
export interface EmbedTextOptions {
  /** Seed of the sample. From 0 to 2^32 - 1. Default: random. */
  readonly seed?: number | undefined;
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `fromEmbedding`. */
export interface FromEmbeddingOptions {
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
}

/** Options of `mix`. */
export interface MixOptions {
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Which mean is taken of the embeddings. `sphere` is the mean on the sphere, which lies on the
   * great circle between two embeddings, and interpolates their lengths. `linear` is the plain
   * mean, which is shorter. Default: `sphere`.
   */
  readonly mode?: 'sphere' | 'linear' | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `interpolate`. */
export interface InterpolateOptions {
  /** Number of images, both ends included. From 2 to 1000. Default: `16`. */
  readonly frames?: number | undefined;
  /**
   * How the frames are spaced. `in` starts slowly, `out` ends slowly, and `in-out` does both
   * (smoothstep). Default: `linear`.
   */
  readonly easing?: 'linear' | 'in' | 'out' | 'in-out' | undefined;
  /**
   * Whether all frames have the noise of one seed, or it moves from one seed to another. With
   * `slerp`, `seed` is an array of two seeds; of one seed, the other is the next integer. Two
   * inversions always move from the noise of one to that of the other. Default: `fixed`.
   */
  readonly noise?: 'fixed' | 'slerp' | undefined;
  /**
   * Whether the result holds all frames. Without them, frames arrive as events only, so that memory
   * does not grow with their number. Default: `true`.
   */
  readonly keepFrames?: boolean | undefined;
  /** Seed of all frames, or of both ends. See `noise`. From 0 to 2^32 - 1. Default: random. */
  readonly seed?: number | readonly number[] | undefined;
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `edit`. */
export interface EditOptions {
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 50, or 25 with turbo sampling, or 100 with default sampling; guidance scale: 4.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /** What the image shows. */
  readonly from?: string | undefined;
  /** What it should show instead. */
  readonly to?: string | undefined;
  /**
   * How far the image embedding is turned towards the difference of the texts. As a part of the
   * angle between them. Ramesh et al. 2022, section 3.3, use 0.25 to 0.5. From 0 to 1. Default:
   * `0.4`.
   */
  readonly strength?: number | undefined;
  /**
   * Whether the decoder starts from the inverted noise of the image. It keeps what the edit leaves
   * alone. Without it, the noise is drawn. On the command line: `--new-noise`. Default: `true`.
   */
  readonly noise?: boolean | undefined;
  /**
   * Fixed-point iterations in each step of the inversion. Each runs the network once more, and
   * makes the inversion more exact. From 0 to 10. Default: `2`.
   */
  readonly refinements?: number | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `imageToImage`. */
export interface ImageToImageOptions {
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Part of the schedule of the decoder that runs. The image is noised, and the decoder continues
   * from there (SDEdit, Meng et al. 2022). 0 only enlarges the image; 1 starts from noise, as
   * `textToImage` does. From 0 to 1. Default: `0.7`.
   */
  readonly strength?: number | undefined;
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `inpaint`. */
export interface InpaintOptions {
  /**
   * Number of steps that resampling goes back. See Lugmayr et al. 2022 (RePaint), section 4.2. From
   * 1 to 1000. Default: `5`.
   */
  readonly jumpLength?: number | undefined;
  /**
   * How often each step is taken. More fit the new pixels better to the kept ones, and take more
   * time. From 1 to 50. Default: `3`.
   */
  readonly resamples?: number | undefined;
  /**
   * Width of the seam, in pixels of the result. Within it, kept pixels fade into new ones. Farther
   * away, they are those of the input. From 0 to 128. Default: `4`.
   */
  readonly feather?: number | undefined;
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of the decoder, which generates a small image from an image embedding. Default: steps:
   * 25, or 15 with turbo sampling, or 50 with default sampling; guidance scale: 8.
   */
  readonly decoder?: StageOptions | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Number of drafts from which each image is chosen. Of each image, the draft whose CLIP embedding
   * has the largest cosine with that of the prompt or input image is kept, and only that one is
   * enlarged. The model needs an image encoder. From 1 to 64. Default: `1`.
   */
  readonly candidates?: number | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Options of the prior, which predicts an image embedding from the prompt. Default: steps: 25;
   * guidance scale: 4.
   */
  readonly prior?: PriorOptions | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `invert`. */
export interface InvertOptions {
  /**
   * Number of steps, of the inversion and of what is generated from it. From 1 to 1000. Default:
   * `50`.
   */
  readonly steps?: number | undefined;
  /**
   * Fixed-point iterations in each step of the inversion. Each runs the network once more, and
   * makes the inversion more exact. From 0 to 10. Default: `2`.
   */
  readonly refinements?: number | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: empty.
   */
  readonly prompt?: string | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `reconstruct`. */
export interface ReconstructOptions {
  /**
   * How much noise each step adds. 0 reconstructs the image; larger values are variations of it.
   * From 0 to 1. Default: `0`.
   */
  readonly eta?: number | undefined;
  /**
   * Classifier-free guidance scale of the decoder. The inversion has 1. Larger values follow a new
   * embedding or prompt more closely. From 0 to 30. Default: `1`.
   */
  readonly guidanceScale?: number | undefined;
  /**
   * Text that the decoder reads besides the image embedding. The decoder was trained with and
   * without it. Default: that of the inversion.
   */
  readonly prompt?: string | undefined;
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Stage after which the call ends: after the decoder, the result is drafts. `karlo.finish`
   * enlarges them later. On the command line: `--draft`. Default: none.
   */
  readonly stopAfter?: 'decoder' | undefined;
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
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * What the images should not show. In the unconditional half of the prior and of the decoder, it
   * takes the place of the empty prompt, so it has no effect at a guidance scale of 1. Default:
   * empty.
   */
  readonly negativePrompt?: string | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `upscale`. */
export interface UpscaleOptions {
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
  /**
   * Preset of each stage. Sets the number of steps, and `turbo` also the guidance. Options of a
   * stage take precedence. Default: `fast`.
   */
  readonly sampling?: 'turbo' | 'fast' | 'default' | undefined;
  /**
   * Options of super-resolution, which enlarges the small image. Default: steps: 7, or 3 with turbo
   * sampling.
   */
  readonly upsample?: UnguidedStageOptions | undefined;
  /**
   * Text of an invisible watermark: 1 to 8 letters, digits or hyphens. It changes the pixels: see
   * docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have
   * none, and the images of drafts do. Default: none.
   */
  readonly watermark?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How an image becomes square: cover crops it, fill stretches it. Default: from
   * `preprocessor_config.json`; `fill` in the Kakao layout.
   */
  readonly fit?: 'cover' | 'fill' | undefined;
  /**
   * Maximum number of pixels of an input image, width times height. The decoded pixels may take 8
   * bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may
   * have 10,000 frames, of which the first is used. From 1 to 2^32 - 1. Default: `100000000`.
   */
  readonly limitInputPixels?: number | undefined;
  /** Maximum width and height of an input image, in pixels. From 1 to 10000000. Default: `16384`. */
  readonly limitInputSide?: number | undefined;
}

/** Options of `karlo.finish`. */
export interface FinishOptions {
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: that of the draft.
   */
  readonly batchSize?: number | undefined;
  /** Whether step events carry the predicted x0 as images. Default: `false`. */
  readonly previews?: boolean | undefined;
  /** What happens to images that the safety check finds unsafe. Default: that of `Karlo.load`. */
  readonly onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts the call within one step. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `Karlo.load`. */
export interface LoadOptions {
  /**
   * Model to load: karlo-tiny, a pulled model, or a model folder. The layout of a folder is
   * detected automatically. Default: `karlo-tiny`.
   */
  model?: string | undefined;
  /**
   * Device to run on: auto, cpu, cuda, cuda:N or mps. `auto` is the first CUDA device, or the CPU
   * if there is none; only `auto` falls back to the CPU. `mps` is the GPU of Apple silicon.
   * Default: `auto`.
   */
  device?: string | undefined;
  /**
   * Dtype of the weights. `auto` is bfloat16 on CUDA and on MPS (float32 before macOS 14). On the
   * CPU it is the faster of float32 and bfloat16, which is measured when a model of this size is
   * first loaded, and cached. `float16` requires a GPU. Default: `auto`.
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
   * or `staged` if the available memory or a budget requires it.
   */
  residency?: 'resident' | 'staged' | undefined;
  /**
   * Memory for weights and activations, in bytes. Determines `residency`, unless it is set, and the
   * largest batch. On the command line, units are accepted: `4G` or `4GB` (10^9 bytes each), `4Gi`
   * or `4GiB` (2^30 bytes each). Default: the available memory.
   */
  memoryBudget?: number | undefined;
  /**
   * Whether to run the graphs of a folder that an older version converted. Graphs are programs,
   * which can read and write files. Other folders contain none. Converting such a folder again does
   * not run its graphs. Default: `false`.
   */
  trustGraphs?: boolean | undefined;
  /**
   * What happens to images that the safety check finds unsafe. `error` ends the call, `blur` leaves
   * no more than a few colours, `black` leaves nothing, and `keep` only reports the verdict.
   * Default: `blur`.
   */
  onUnsafe?: 'error' | 'blur' | 'black' | 'keep' | undefined;
  /** Signal that aborts loading. */
  signal?: AbortSignal | undefined;
}

/** Options of `SafetyChecker.load`. */
export interface SafetyCheckerOptions {
  /**
   * Device to run on: auto, cpu, cuda, cuda:N or mps. `auto` is the first CUDA device, or the CPU
   * if there is none; only `auto` falls back to the CPU. `mps` is the GPU of Apple silicon.
   * Default: `auto`.
   */
  readonly device?: string | undefined;
  /**
   * Dtype of the weights. With `float32`, verdicts are those of the reference. `bfloat16` takes
   * half the memory. `float16` requires a GPU. Default: `float32`.
   */
  readonly dtype?: 'float32' | 'bfloat16' | 'float16' | undefined;
  /**
   * Number of compute threads. A CPU affinity and a cgroup's CPU quota limit the available
   * processors. From 1 to 1024. Default: `OMP_NUM_THREADS`, or the number of available processors.
   */
  readonly threads?: number | undefined;
  /** Signal that aborts loading. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `evaluate`, in `karlo/eval`. */
export interface EvaluationOptions {
  /**
   * Settings of a published evaluation, with its figures in the report. `karlo-coco` and
   * `karlo-cc3m` are those of Kakao Brain: `fast` and `default` sampling with guidance scales of 4
   * and 8, and 30,000 or 13,000 captions. Default: none.
   */
  readonly preset?: 'karlo-coco' | 'karlo-cc3m' | undefined;
  /**
   * Number of captions that are used. The same captions each time, spread over the file. A larger
   * limit adds to a smaller one. From 1 to 10000000. Default: all, or those of the preset.
   */
  readonly limit?: number | undefined;
  /**
   * Seed of caption 0; other captions add their number, which is COCO's id of an image. From 0 to
   * 2^32 - 1. Default: `0`.
   */
  readonly seed?: number | undefined;
  /**
   * CLIP of the CLIP-score: a folder in Hugging Face layout, or a Karlo model. Default: the model's
   * own.
   */
  readonly clip?: string | undefined;
  /**
   * Reference for FID and KID: a folder of images, or statistics as .npz. pytorch-fid writes such
   * statistics, which suffice for FID. Default: none.
   */
  readonly reference?: string | undefined;
  /**
   * TorchScript network for FID and KID, such as inception-2015-12-05.pt. TorchScript is a program:
   * use only files that you trust. Default: the CLIP of the score, whose Fréchet distance is not
   * FID.
   */
  readonly inception?: string | undefined;
  /**
   * Number of images that go through the networks together. Larger batches take less time per image
   * and more memory. With a `memoryBudget`, the default and the maximum are what fits into it.
   * Every batch is computed at this size: the last one is padded, and the padding is dropped. From
   * 1 to 1000. Default: `1`.
   */
  readonly batchSize?: number | undefined;
}

/** The settings of one stage in a recipe. */
export type RecordedStage = ({ steps: number } | { timestepRespacing: string }) & {
  /** Classifier-free guidance scale. */
  guidanceScale: number;
  /** Algorithm of the steps. */
  sampler?: 'ddpm' | 'ddim' | 'dpm++' | 'unipc' | undefined;
  /** How much noise the sampler ddim adds in each step. */
  eta?: number | undefined;
  /** Part of the schedule that is guided. */
  guidanceInterval?: readonly [number, number] | undefined;
  /** How far the guided prediction is rescaled to the standard deviation of the conditional one. */
  guidanceRescale?: number | undefined;
};

/** The options of either task that a recipe stores. */
export interface RecordedGenerationOptions {
  /** Seed of this image. */
  seed: number;
  /** Preset of each stage. */
  sampling: 'turbo' | 'fast' | 'default';
  /** Options of the decoder, which generates a small image from an image embedding. */
  decoder: RecordedStage;
  /** Options of super-resolution, which enlarges the small image. */
  upsample: RecordedStage;
  /** What the images should not show. */
  negativePrompt?: string | undefined;
  /** Text of an invisible watermark: 1 to 8 letters, digits or hyphens. */
  watermark?: string | undefined;
  /** Number of images that go through the networks together. */
  batchSize: number;
}

/** The options of `textToImage` that a recipe stores. */
export interface RecordedTextToImageOptions {
  /** Options of the prior, which predicts an image embedding from the prompt. */
  prior: RecordedStage;
}
