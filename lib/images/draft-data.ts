import { z } from 'zod';
import { toBase64 } from '../embeddings/float32-base64.js';
import { invalidArgument } from '../errors.js';
import { generationOptions } from '../options/descriptions.js';
import { valueSchema } from '../options/schema.js';
import type { InputLimits } from './input-limits.js';
import type { Pixels } from './pixels.js';

/** The noise drawn from a seed's generator, in order: how many numbers at a time, and how often. */
export type DrawnNoise = readonly (readonly [numbers: number, times: number])[];

/** Noise that is interpolated on the sphere, towards that of another seed. */
export interface NoiseBlend {
  /** The other seed. */
  readonly seed: number;
  /** 0 to 1, the noise of the other seed. */
  readonly weight: number;
}

/** Everything from which super-resolution continues, and the same image as 8-bit pixels. */
export interface DraftData extends Pixels {
  /** The seed of the image. */
  readonly seed: number;
  /** The decoder's image, `[3, height, width]` in [-1, 1]. */
  readonly values: Float32Array;
  /** The noise that was drawn before super-resolution, which continues the same generator. */
  readonly drawn: DrawnNoise;
  /** Absent if all noise is that of the seed. */
  readonly blend?: NoiseBlend | undefined;
}

/** The version of the format; newer ones are rejected. */
const currentFormat = 1;

/** Limits for what is read: a draft of 512 x 512 pixels, so that a hostile file cannot cost more. */
export const draftLimits: InputLimits = { pixels: 512 ** 2, side: 512 };
export const maxDraftBytes = 1 << 23;

/** The longest image embedding, and how often noise can have been drawn: in up to 1000 steps of two stages. */
const maxEmbedding = 1 << 13;
const maxDraws = 2 << 10;

const schema = z.object({
  format: z.literal(currentFormat),
  /** Little-endian float32, in base64. */
  values: z.base64(),
  drawn: z.array(z.tuple([z.int().min(1), z.int().min(1)])).max(16),
  blend: z
    .object({ seed: valueSchema(generationOptions.seed), weight: z.number().min(0).max(1) })
    .optional(),
});

/** What a file stores of a draft besides its pixels and its recipe, as JSON. */
export function draftJson({ values, drawn, blend }: DraftData): string {
  const data = { format: currentFormat, drawn, ...(blend && { blend }) };
  return JSON.stringify({ ...data, values: toBase64(values) });
}

/**
 * Parses the JSON of a draft.
 * @param pixels of the same file
 * @param image its name in messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function parseDraft(
  json: string,
  { width, height }: Pixels,
  image: string,
): Pick<DraftData, 'values' | 'drawn' | 'blend'> {
  const damaged = (what: string) =>
    invalidArgument(`Cannot use the draft in ${image}: ${what}. Generate it again`);
  const { data } = schema.safeParse(parseJson(json));
  if (data === undefined) throw damaged('its data are damaged, or of a newer version of karlo');
  const { drawn } = data;
  const blend = data.blend as NoiseBlend | undefined;
  const bytes = Buffer.from(data.values, 'base64');
  const count = 3 * width * height;
  if (bytes.length !== count * Float32Array.BYTES_PER_ELEMENT) {
    throw damaged(`expected ${count} float32 values but received ${bytes.length} bytes`);
  }
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  if (!values.every((value) => Math.abs(value) <= 1)) {
    throw damaged('expected values between -1 and 1');
  }
  // Drawing the noise again takes time.
  const numbers = drawn.reduce((sum, [size, times]) => sum + size * times, 0);
  if (numbers > maxDraws * (count + maxEmbedding)) {
    throw damaged('expected the noise of at most 1000 steps of two stages');
  }
  return { values, drawn, ...(blend && { blend }) };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
