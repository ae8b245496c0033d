import { z } from 'zod';
import { invalidArgument, type KarloError } from '../errors.js';
import {
  generationOptions,
  type ImageFit,
  imageInputOptions,
  invertOptions,
  methodOptions,
  textToImageOptions,
  type WeightDtype,
  weightDtypes,
} from '../options/descriptions.js';
import { deviceTypes } from '../options/device-name.js';
import { recipeFields, valueSchema } from '../options/schema.js';
import type {
  RecordedGenerationOptions,
  RecordedTextToImageOptions,
} from '../options/types.generated.js';
import { maxParts } from './max-parts.js';
import { maxRecipeBytes } from './recipe-metadata.js';
import { type RecordedVerdict, recordedVerdictSchema } from './verdict.js';

/** The version of the format; newer ones are rejected. */
const currentFormat = 1;

/** Base64 of the widest embedding. */
const maxEmbeddingBytes = 1 << 16;

const maxCandidates = generationOptions.candidates.range[1];

/** The model that made an image, and what it ran on. */
export interface Provenance {
  /** Dtype of the weights. */
  dtype: WeightDtype;
  /** Kind of device. Results differ between the kinds, not between devices of one kind. */
  device: 'cpu' | 'cuda' | 'mps';
  /**
   * The instruction set of the CPU kernels, as `karlo info` reports it. Results differ by rounding.
   * Absent on other devices, and in recipes of karlo 0.1.0.
   */
  kernels?: string | undefined;
  /** Name of the model, and hash of its files. */
  model: { name: string; sha256: string };
  /** Versions of this package and of LibTorch. */
  versions: { karlo: string; libtorch: string };
}

/** How an image was chosen among candidates. Their seeds follow from `seed`. */
export interface Selection {
  /** The seed of the first candidate, which is the one that the call gave the image. */
  seed: number;
  /**
   * The score of each draft: the cosine of its CLIP embedding and that of the prompt or input image.
   * Absent if there was one.
   */
  scores?: number[] | undefined;
  /**
   * The score of each image embedding that the prior sampled for the chosen draft: its dot product
   * with the text embedding. Absent if there was one.
   */
  priorScores?: number[] | undefined;
}

interface CommonFields extends RecordedGenerationOptions, Provenance {
  /** Version of the format. */
  format: typeof currentFormat;
  /** How the image was chosen, if it had candidates. The image itself follows from `seed`. */
  selection?: Selection | undefined;
  /** What a safety check says about the image, and what happened to an unsafe one. */
  verdict?: RecordedVerdict | undefined;
}

/** The recipe of an image that was generated from a prompt. */
export interface TextToImageRecipe extends CommonFields, RecordedTextToImageOptions {
  /** The task that generated the image. */
  kind: 'textToImage';
  /** The prompt. */
  prompt: string;
}

/** The recipe of a variation of an image. */
export interface ImageVariationRecipe extends CommonFields {
  /** The task that generated the image. */
  kind: 'imageVariation';
  /** The input image. */
  source: SourceImage;
  /** Text that the decoder read besides the image embedding. */
  prompt?: string | undefined;
}

/** An input image: the hash of its decoded pixels, and how it became square. */
export interface SourceImage {
  /** SHA-256 of its size and decoded pixels, in hex. */
  sha256: string;
  /** How it became square. */
  fit: ImageFit;
}

/**
 * Where a point in CLIP space comes from: a prompt of which the prior sampled an image embedding, an input image, or
 * an image embedding, as little-endian float32 in base64.
 */
export type PointSource =
  | { prompt: string; seed: number }
  | { image: SourceImage }
  | { embedding: string };

/** The recipe of an image that was generated from an image embedding. */
export interface FromEmbeddingRecipe extends CommonFields {
  /** The method that generated the image. */
  kind: 'fromEmbedding';
  /** The values as little-endian float32, in base64. */
  embedding: string;
  /** Text that the decoder read besides the image embedding. */
  prompt?: string | undefined;
}

/** The recipe of an image that was generated from a mean of embeddings. */
export interface MixRecipe extends CommonFields, RecordedTextToImageOptions {
  /** The method that generated the image. */
  kind: 'mix';
  /** Which mean was taken. */
  mode: 'sphere' | 'linear';
  /** The embeddings, and their shares. */
  parts: (PointSource & { weight: number })[];
  /** Text that the decoder read besides the image embedding. */
  prompt?: string | undefined;
}

/** The recipe of a frame between two embeddings. */
export interface InterpolateRecipe extends CommonFields, RecordedTextToImageOptions {
  /** The method that generated the image. */
  kind: 'interpolate';
  /** The end at position 0. */
  from: PointSource | { inversion: InvertedImage };
  /** The end at position 1. */
  to: PointSource | { inversion: InvertedImage };
  /** Where the frame is between them: 0 to 1, after easing. */
  position: number;
  /** The seed at the other end, if the noise moves between two seeds. */
  otherSeed?: number | undefined;
  /** Text that the decoder read besides the image embedding. */
  prompt?: string | undefined;
}

/** How an image was inverted. */
export interface InvertedImage {
  /** The input image. */
  source: SourceImage;
  /** Number of steps. */
  steps: number;
  /** Fixed-point iterations in each step of the inversion. */
  refinements: number;
  /** The text that the decoder read. */
  prompt: string;
}

/** The recipe of an edited image. */
export interface EditRecipe extends CommonFields {
  /** The method that generated the image. */
  kind: 'edit';
  /** The input image. */
  source: SourceImage;
  /** What the image showed. */
  from: string;
  /** What it should show instead. */
  to: string;
  /** How far the embedding was turned towards the difference, as a part of the angle. */
  strength: number;
  /** Whether the decoder started from the inverted noise of the image. */
  noise: boolean;
  /** Fixed-point iterations in each step of the inversion. */
  refinements: number;
  /** Text that the decoder read besides the image embedding. */
  prompt?: string | undefined;
}

/** The recipe of an image that was generated from an inversion. */
export interface ReconstructRecipe extends CommonFields {
  /** The method that generated the image. */
  kind: 'reconstruct';
  /** How the noise was found. */
  inversion: InvertedImage;
  /** The image embedding in place of the inversion's own. */
  embedding?: string | undefined;
  /** The decoder's text in place of the inversion's own. */
  prompt?: string | undefined;
}

/** The recipe of an image that was generated from another one and a prompt. */
export interface ImageToImageRecipe extends CommonFields, RecordedTextToImageOptions {
  /** The method that generated the image. */
  kind: 'imageToImage';
  /** The input image. */
  source: SourceImage;
  /** The prompt. */
  prompt: string;
  /** Part of the schedule of the decoder that ran. */
  strength: number;
}

/** The recipe of an image of which a part was repainted. */
export interface InpaintRecipe extends CommonFields, RecordedTextToImageOptions {
  /** The method that generated the image. */
  kind: 'inpaint';
  /** The input image. */
  source: SourceImage;
  /** The hash of the decoded mask. */
  mask: { sha256: string };
  /** The prompt. */
  prompt: string;
  /** Number of steps that resampling went back. */
  jumpLength: number;
  /** How often each step was taken. */
  resamples: number;
  /** Width of the seam, in pixels. */
  feather: number;
}

/** The recipe of an enlarged image. */
export interface UpscaleRecipe extends Omit<CommonFields, 'decoder' | 'negativePrompt'> {
  /** The method that generated the image. */
  kind: 'upscale';
  /** The input image. */
  source: SourceImage;
}

/** Everything needed to repeat an image. Image files contain it. */
export type Recipe =
  | TextToImageRecipe
  | ImageVariationRecipe
  | FromEmbeddingRecipe
  | MixRecipe
  | InterpolateRecipe
  | EditRecipe
  | ReconstructRecipe
  | ImageToImageRecipe
  | InpaintRecipe
  | UpscaleRecipe;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().max(1000);

const scores = z.array(z.number()).min(2).max(maxCandidates).optional();

const commonFields = {
  format: z.literal(currentFormat),
  selection: z
    .object({ seed: valueSchema(generationOptions.seed), scores, priorScores: scores })
    .optional(),
  verdict: recordedVerdictSchema.optional(),
  ...recipeFields(generationOptions),
  dtype: z.enum(weightDtypes),
  device: z.enum(deviceTypes),
  kernels: z.string().max(100).optional(),
  model: z.object({ name, sha256 }),
  versions: z.object({ karlo: name, libtorch: name }),
};

const textToImage = z.object({
  kind: z.literal('textToImage'),
  prompt: z.string(),
  ...recipeFields(textToImageOptions),
  ...commonFields,
});

const source = z.object({ sha256, fit: valueSchema(imageInputOptions.fit) });
const text = z.string().optional();
const embedding = z.base64().max(maxEmbeddingBytes);
const seed = valueSchema(generationOptions.seed);

const imageVariation = z.object({
  kind: z.literal('imageVariation'),
  source,
  prompt: text,
  ...commonFields,
});

const inversion = z.object({
  source,
  steps: valueSchema(invertOptions.steps),
  refinements: valueSchema(invertOptions.refinements),
  prompt: z.string(),
});

const points = [{ prompt: z.string(), seed }, { image: source }, { embedding }] as const;
const point = z.union(points.map((one) => z.object(one)));
const part = z.union(points.map((one) => z.object({ ...one, weight: z.number() })));
const end = z.union([point, z.object({ inversion })]);

const further = [
  z.object({ kind: z.literal('fromEmbedding'), embedding, prompt: text, ...commonFields }),
  z.object({
    kind: z.literal('mix'),
    parts: z.array(part).min(1).max(maxParts),
    ...recipeFields(methodOptions.mix),
    ...commonFields,
  }),
  z.object({
    kind: z.literal('interpolate'),
    ...{ from: end, to: end, position: z.number().min(0).max(1), otherSeed: seed.optional() },
    ...recipeFields(methodOptions.interpolate),
    ...commonFields,
  }),
  z.object({
    kind: z.literal('edit'),
    source,
    ...recipeFields(methodOptions.edit),
    ...commonFields,
  }),
  z.object({
    kind: z.literal('reconstruct'),
    ...{ inversion, embedding: embedding.optional(), prompt: text },
    ...commonFields,
  }),
  z.object({
    kind: z.literal('imageToImage'),
    ...{ source, prompt: z.string() },
    ...recipeFields(methodOptions.imageToImage),
    ...commonFields,
  }),
  z.object({
    kind: z.literal('inpaint'),
    ...{ source, prompt: z.string(), mask: z.object({ sha256 }) },
    ...recipeFields(methodOptions.inpaint),
    ...commonFields,
  }),
  z.object({
    kind: z.literal('upscale'),
    source,
    ...commonFields,
    ...{ decoder: z.never().optional(), negativePrompt: z.never().optional() },
  }),
] as const;

const schema = z.discriminatedUnion('kind', [textToImage, imageVariation, ...further]);

/**
 * A recipe as JSON, on one line.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a recipe that could not be read again
 */
export function recipeJson(recipe: Recipe): string {
  const parsed = schema.safeParse(recipe);
  if (!parsed.success) throw unusable(`the recipe, which is invalid: ${firstIssue(parsed.error)}`);
  const json = JSON.stringify(parsed.data);
  const bytes = Buffer.byteLength(json);
  if (bytes > maxRecipeBytes) {
    throw unusable(`the recipe, which has ${bytes} bytes; the limit is ${maxRecipeBytes}`);
  }
  return json;
}

/**
 * Parses the JSON of a recipe. Unknown fields are dropped.
 * @param image its name in messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function parseRecipe(json: string, image: string): Recipe {
  const raw = parseJson(json, image);
  const { format } = (raw ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > currentFormat) {
    throw unusable(
      `the recipe in ${image}: it has format ${format}, and this version of karlo reads ${currentFormat}. Update karlo`,
    );
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data as unknown as Recipe;
  throw unusable(`the recipe in ${image}: ${firstIssue(parsed.error)}`);
}

function parseJson(json: string, image: string): unknown {
  try {
    if (json.length <= maxRecipeBytes) return JSON.parse(json);
  } catch {
    throw unusable(`the recipe in ${image}: it is damaged`);
  }
  throw unusable(`the recipe in ${image}: it has more than ${maxRecipeBytes} bytes`);
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
}

function unusable(what: string): KarloError {
  return invalidArgument(`Cannot use ${what}`);
}
