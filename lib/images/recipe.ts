import { z } from 'zod';
import { invalidArgument, type KarloError } from '../errors.js';
import {
  generationOptions,
  type ImageFit,
  imageVariationOptions,
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
import { maxRecipeBytes } from './recipe-metadata.js';

/** The version of the format; newer ones are rejected. */
const currentFormat = 1;

/** The model that made an image, and what it ran on. */
export interface Provenance {
  /** Dtype of the weights. */
  dtype: WeightDtype;
  /** Kind of device. Results differ between the kinds, not between devices of one kind. */
  device: 'cpu' | 'cuda';
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

interface CommonFields extends RecordedGenerationOptions, Provenance {
  /** Version of the format. */
  format: typeof currentFormat;
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
  /** The input image: the hash of its decoded pixels, and how it became square. */
  source: { sha256: string; fit: ImageFit };
}

/** Everything needed to repeat an image. Image files contain it. */
export type Recipe = TextToImageRecipe | ImageVariationRecipe;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().max(1000);

const commonFields = {
  format: z.literal(currentFormat),
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

const imageVariation = z.object({
  kind: z.literal('imageVariation'),
  source: z.object({ sha256, fit: valueSchema(imageVariationOptions.fit) }),
  ...commonFields,
});

const schema = z.discriminatedUnion('kind', [textToImage, imageVariation]);

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
