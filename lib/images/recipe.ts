import { z } from 'zod';
import { KarloError } from '../errors.js';
import { mostRecipeBytes } from './recipe-places.js';

/** The version of the recipe's form. Readers refuse a higher one. */
const currentFormat = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().max(1000);
const guidanceScale = z.number().min(0).max(30);

/** How a stage samples: the steps in one of the two spellings that generation options have. */
const stage = z.union([
  z.object({ steps: z.int().min(1).max(1000), guidanceScale }),
  z.object({ timestepRespacing: z.string().max(1000), guidanceScale }),
]);

const shared = {
  format: z.literal(currentFormat),
  /** This picture's own, not the first one's. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  sampling: z.enum(['fast', 'default']),
  decoder: stage,
  upsample: stage,
  batchSize: z.int().min(1).max(1000),
  dtype: z.enum(['float32', 'bfloat16', 'float16']),
  /** The kind alone: kernels differ between kinds, not between cards' numbers. */
  device: z.enum(['cpu', 'cuda']),
  model: z.object({ name, sha256 }),
  versions: z.object({ karlo: name, libtorch: name }),
};

const textToImage = z.object({
  kind: z.literal('textToImage'),
  prompt: z.string(),
  prior: stage,
  ...shared,
});

const imageVariation = z.object({
  kind: z.literal('imageVariation'),
  /** The picture that was varied: `readPicture`'s hash of its pixels, and how it was made square. */
  source: z.object({ sha256, fit: z.enum(['cover', 'fill']) }),
  ...shared,
});

const schema = z.discriminatedUnion('kind', [textToImage, imageVariation]);

/** All that repeats a picture, as it stands in its file. */
export type Recipe = z.infer<typeof schema>;

/**
 * A recipe as JSON, one line.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for one that could not be read again
 */
export function recipeJson(recipe: Recipe): string {
  const parsed = schema.safeParse(recipe);
  if (!parsed.success) throw fault(`the recipe, which is wrong: ${firstIssue(parsed.error)}`);
  const json = JSON.stringify(parsed.data);
  const bytes = Buffer.byteLength(json);
  if (bytes > mostRecipeBytes) {
    throw fault(`the recipe, which has ${bytes} bytes of at most ${mostRecipeBytes}`);
  }
  return json;
}

/**
 * The recipe that a JSON text holds. What it has beyond the known fields is left out.
 * @param picture as messages name it
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function parseRecipe(json: string, picture: string): Recipe {
  const raw = parseJson(json, picture);
  const { format } = (raw ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > currentFormat) {
    throw fault(
      `the recipe in ${picture}: it has format ${format}, and this karlo reads ${currentFormat}. Update karlo`,
    );
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw fault(`the recipe in ${picture}: ${firstIssue(parsed.error)}`);
}

function parseJson(json: string, picture: string): unknown {
  try {
    if (json.length <= mostRecipeBytes) return JSON.parse(json);
  } catch {
    throw fault(`the recipe in ${picture}: it is damaged`);
  }
  throw fault(`the recipe in ${picture}: it has more than ${mostRecipeBytes} bytes`);
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
}

function fault(what: string): KarloError {
  return new KarloError('ERR_KARLO_INVALID_ARGUMENT', `Cannot use ${what}`);
}
