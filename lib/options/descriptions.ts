// Every option, described once. What follows from these tables: the checks of a program's options
// (resolve-generation.ts, resolve-load.ts), the flags of the command line (flags.ts), the fields of HTTP requests and
// recipes (schema.ts), the form of the page (web/src/state/settings.ts), the types of the API (types.generated.ts) and
// the tables of docs/options.md.
//
// `npm run options` writes the last two. The types could also be inferred from the tables, but then each description
// would need a copy in a comment, for editors and the API reference to show.
//
// Plain data without imports: the page bundles this file, and `import 'karlo'` loads it, so no zod here.

/** What every description has. */
interface Common {
  /** A fragment such as "number of steps": `--help` shows it as it is, other places as a sentence. */
  readonly description: string;
  /** Further sentences, in Markdown, for the API reference and docs/options.md. */
  readonly details?: string;
  /** The default in words, if it is not a value. */
  readonly defaultLabel?: string;
  /** The flag, such as `-n, --count`, if it is not the name in kebab case; `false` if there is none. */
  readonly flag?: string | false;
  /** The field of an HTTP request, if it is not the name in snake case; `false` if there is none. */
  readonly http?: string | false;
  /** Whether recipes store it. `optional`: recipes of older versions do not have it. */
  readonly recipe?: 'required' | 'optional';
}

interface NumberOption extends Common {
  readonly kind: 'integer' | 'number';
  /** The smallest and the largest value. */
  readonly range: readonly [number, number];
  /** The range that the page offers, if it is narrower. */
  readonly pageRange?: readonly [number, number];
  readonly default?: number;
}

interface ChoiceOption extends Common {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
}

interface TextOption extends Common {
  /** `respacing` is a text such as "10,10,5", `device` one such as "cuda:0". */
  readonly kind: 'text' | 'respacing' | 'device';
  readonly default?: string;
  /** Characters that an HTTP request may send. */
  readonly maxLength?: number;
}

interface BooleanOption extends Common {
  readonly kind: 'boolean';
  readonly default?: boolean;
}

/** One integer, or a list of them: one for each image. */
export interface SeedOption extends Common {
  readonly kind: 'seeds';
  readonly range: readonly [number, number];
}

/** A number of bytes; with a unit on the command line. */
interface BytesOption extends Common {
  readonly kind: 'bytes';
}

/** An object of `stageOptions`. */
export interface StageOption extends Common {
  readonly kind: 'stage';
  /** Its name in `--help`. */
  readonly label: string;
  /** Number of steps of each preset of `sampling`. */
  readonly steps: Readonly<Record<Sampling, number>>;
  /** The default guidance scale. */
  readonly guidanceScale: number;
  /** Without guidance, 1 is the only guidance scale. */
  readonly hasGuidance: boolean;
}

/** An AbortSignal or a function, which only a program can pass. */
interface ProgramOption extends Common {
  readonly kind: 'signal' | 'callback';
}

export type OptionDescription =
  | NumberOption
  | ChoiceOption
  | TextOption
  | BooleanOption
  | SeedOption
  | BytesOption
  | StageOption
  | ProgramOption;

export type OptionTable = Readonly<Record<string, OptionDescription>>;

/** What a model can do. */
export type Task = 'textToImage' | 'imageVariation';
export const TASKS = ['textToImage', 'imageVariation'] as const satisfies readonly Task[];

/** A denoising stage. `upsample` is super-resolution. */
export type StageName = 'prior' | 'decoder' | 'upsample';
/** In the order in which they run. */
export const STAGES = ['prior', 'decoder', 'upsample'] as const satisfies readonly StageName[];

/** The presets of steps that Kakao Brain published. */
const samplings = ['fast', 'default'] as const;
export type Sampling = (typeof samplings)[number];

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
const imageFits = ['cover', 'fill'] as const satisfies readonly ImageFit[];

/** Which weights stay in memory: all of them (`resident`), or those of the current stage (`staged`). */
export type ResidencyMode = 'resident' | 'staged';
const residencyModes = ['resident', 'staged'] as const satisfies readonly ResidencyMode[];

/** A description as a sentence. */
export function sentence(fragment: string): string {
  return `${fragment[0]?.toUpperCase()}${fragment.slice(1)}.`;
}

/** Options of each stage: `decoder.steps`, for example. `steps` and `timestepRespacing` exclude each other. */
export const stageOptions = {
  steps: {
    kind: 'integer',
    range: [1, 1000],
    pageRange: [1, 100],
    defaultLabel: 'depends on the stage and on `sampling`',
    description: 'number of steps, spaced as in diffusers',
    details:
      "At most the number of the model's training timesteps. Cannot be combined with `timestepRespacing`.",
    recipe: 'required',
  },
  timestepRespacing: {
    kind: 'respacing',
    maxLength: 200,
    defaultLabel: 'none',
    description: `steps spaced as in Kakao's program: "25", "10,10,5", "ddim25" or "fast27"`,
    details:
      'Numbers separated by commas are the steps of sections of equal length, lowest noise first. "ddim25" and "fast27" sample with DDIM.',
    recipe: 'required',
  },
  guidanceScale: {
    kind: 'number',
    range: [0, 30],
    pageRange: [0.1, 24],
    flag: '--guidance',
    defaultLabel: 'depends on the stage',
    recipe: 'required',
    description: 'classifier-free guidance scale',
    details:
      '0 uses the unconditional prediction alone, exactly 1 skips it, and larger values follow the prompt more closely. Super-resolution has no guidance and accepts only 1.',
  },
} as const satisfies OptionTable;

/**
 * The options of a stage, with its own defaults. A stage without guidance has neither a flag nor a field for the
 * guidance scale.
 */
export function optionsOfStage({ steps, guidanceScale, hasGuidance }: StageOption) {
  const { fast, default: thorough } = steps;
  const defaultLabel =
    fast === thorough ? `${fast}` : `${fast}, or ${thorough} with default sampling`;
  return {
    ...stageOptions,
    steps: { ...stageOptions.steps, defaultLabel },
    guidanceScale: {
      ...stageOptions.guidanceScale,
      default: guidanceScale,
      defaultLabel: `${guidanceScale}`,
      ...(!hasGuidance && ({ flag: false, http: false } as const)),
    },
  } satisfies OptionTable;
}

/** Options of `textToImage` and `imageVariation`. */
export const generationOptions = {
  count: {
    kind: 'integer',
    range: [1, 1000],
    pageRange: [1, 8],
    default: 1,
    flag: '-n, --count',
    http: 'n',
    description: 'number of images per prompt or input image',
    details: 'Defaults to the length of `seed` if that is an array.',
  },
  seed: {
    kind: 'seeds',
    range: [0, 2 ** 32 - 1],
    defaultLabel: 'random',
    recipe: 'required',
    description: 'seed of the first image; the following images use the next integers',
    details:
      'Image j of each prompt uses `seed + j` (modulo 2^32), or `seed[j]` of an array of `count` seeds. The result always reports the seeds.',
  },
  sampling: {
    kind: 'choice',
    choices: samplings,
    default: 'fast',
    recipe: 'required',
    description: 'preset for the number of steps of each stage',
  },
  decoder: {
    kind: 'stage',
    label: 'decoder',
    steps: { fast: 25, default: 50 },
    guidanceScale: 8,
    hasGuidance: true,
    recipe: 'required',
    description: 'options of the decoder, which generates a small image from an image embedding',
  },
  upsample: {
    kind: 'stage',
    label: 'super-resolution',
    steps: { fast: 7, default: 7 },
    guidanceScale: 1,
    hasGuidance: false,
    recipe: 'required',
    description: 'options of super-resolution, which enlarges the small image',
  },
  batchSize: {
    kind: 'integer',
    range: [1, 1000],
    default: 1,
    http: false,
    recipe: 'required',
    description: 'number of images that go through the networks together',
    details:
      'Larger batches take less time per image and more memory. With a `memoryBudget`, the default and the maximum are what fits into it. Every batch is computed at this size: the last one is padded, and the padding is dropped.',
  },
  previews: {
    kind: 'boolean',
    default: false,
    flag: false,
    http: false,
    description: 'whether step events carry the predicted x0 as images',
  },
  signal: {
    kind: 'signal',
    description: 'signal that aborts the call within one step',
  },
} as const satisfies OptionTable;

/** Options of `textToImage` only. */
export const textToImageOptions = {
  prior: {
    kind: 'stage',
    label: 'prior',
    steps: { fast: 25, default: 25 },
    guidanceScale: 4,
    hasGuidance: true,
    recipe: 'required',
    description: 'options of the prior, which predicts an image embedding from the prompt',
  },
} as const satisfies OptionTable;

/** Options of `imageVariation` only. */
export const imageVariationOptions = {
  fit: {
    kind: 'choice',
    choices: imageFits,
    default: 'cover',
    defaultLabel: 'from `preprocessor_config.json`; `fill` in the Kakao layout',
    http: false,
    description: 'how an image becomes square: cover crops it, fill stretches it',
  },
} as const satisfies OptionTable;

/** All options of each task. */
export const taskOptions = {
  textToImage: { ...generationOptions, ...textToImageOptions },
  imageVariation: { ...generationOptions, ...imageVariationOptions },
} as const satisfies Record<Task, OptionTable>;

/** Options of `Karlo.load`. */
export const loadOptions = {
  model: {
    kind: 'text',
    default: 'karlo-tiny',
    description: 'model to load: karlo-tiny, a pulled model, or a model folder',
    details: 'The layout of a folder is detected automatically.',
  },
  device: {
    kind: 'device',
    default: 'auto',
    description: 'device to run on: auto, cpu, cuda or cuda:N',
    details:
      '`auto` is the first CUDA device, or the CPU if there is none; only `auto` falls back to the CPU.',
  },
  dtype: {
    kind: 'choice',
    choices: ['auto', ...weightDtypes],
    default: 'auto',
    description: 'dtype of the weights',
    details:
      '`auto` is bfloat16 on CUDA. On the CPU it is the faster of float32 and bfloat16, which is measured when a model of this size is first loaded, and cached. `float16` requires CUDA.',
  },
  threads: {
    kind: 'integer',
    range: [1, 1024],
    defaultLabel: '`OMP_NUM_THREADS`, or the number of available processors',
    description: 'number of compute threads',
    details: "A CPU affinity and a cgroup's CPU quota limit the available processors.",
  },
  residency: {
    kind: 'choice',
    choices: residencyModes,
    defaultLabel: '`resident`, or `staged` if a memory budget requires it',
    description:
      'whether all weights stay in memory (resident) or only those of the current stage (staged)',
    details: '`staged` needs less memory, and loads the weights again for every batch.',
  },
  memoryBudget: {
    kind: 'bytes',
    defaultLabel: 'unlimited',
    description: 'memory for weights and activations, in bytes',
    details:
      'Determines `residency`, unless it is set, and the largest batch. On the command line, units are accepted: `4G` or `4GB` (10^9 bytes each), `4Gi` or `4GiB` (2^30 bytes each).',
  },
  onProgress: {
    kind: 'callback',
    description: 'function that is called as weights are read, with `{ component, bytes }`',
  },
  signal: {
    kind: 'signal',
    description: 'signal that aborts loading',
  },
} as const satisfies OptionTable;
