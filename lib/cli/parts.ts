// Arguments that stand for a point in CLIP space: an image, a prompt, an embedding or an inversion.
import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { Embedding, type EmbeddingJson } from '../embeddings/embedding.js';
import { Inversion, type InversionJson } from '../embeddings/inversion.js';
import { invalidArgument, quote } from '../errors.js';
import { formatOfFile } from '../images/formats.js';
import type { InputLimits } from '../images/input-limits.js';
import type { InterpolateRecipe } from '../images/recipe.js';
import type { PointInput } from '../pipeline/calls/points.js';
import { decodeText } from '../util/decode-text.js';
import { whyUnreadable } from '../util/file-errors.js';
import { readRegularFile } from '../util/regular-file.js';
import { hashesOf, nameOf } from './input-images.js';

/** An argument without its weight. */
export interface WeightedText {
  readonly text: string;
  readonly weight?: number;
}

/**
 * Splits a part of a mix: `photo.jpg:0.6` is the image `photo.jpg` with the weight 0.6. The colon of a drive in
 * Windows is not that of a weight.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an image whose weight is not a number
 */
export function splitWeight(argument: string): WeightedText {
  const [, text = '', suffix = ''] = /^(.*):(.*)$/s.exec(argument) ?? [];
  if (text === '' || /^[a-z]$/i.test(text) || isFile(argument)) return { text: argument };
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(suffix)) return { text, weight: Number(suffix) };
  if (!isImageName(text) && !isFile(text)) return { text: argument };
  throw invalidArgument(
    `Expected a number after the colon of ${quote(argument)} but received ${quote(suffix)}`,
  );
}

/** A point as it was given; images are read later. */
export type GivenPoint = Exclude<PointInput, Embedding> | { readonly inversion: Inversion };

/**
 * Reads an argument: an existing file is an image, or JSON with an embedding or an inversion. Any other text is
 * a prompt, unless it ends like the name of such a file.
 * @param recorded what a recipe has in its place, from which an equal prompt takes its seed
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export async function readPoint(
  text: string,
  recorded?: InterpolateRecipe['from'],
): Promise<GivenPoint> {
  if (isFile(text)) return isJsonName(text) ? readPointFile(text) : { image: text };
  if (isImageName(text) || isJsonName(text)) {
    const fix = `Check its path. A prompt cannot end in ${extname(text)}`;
    throw invalidArgument(`Expected a file but ${quote(text)} does not exist. ${fix}`);
  }
  if (text.trim() === '') {
    throw invalidArgument('Expected an image or a prompt but received an empty text');
  }
  const isSame = recorded !== undefined && 'prompt' in recorded && recorded.prompt === text;
  return { prompt: text, ...(isSame && { seed: recorded.seed }) };
}

/** Reads the file of an inversion. @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT */
export async function readInversion(file: string): Promise<Inversion> {
  const point = await readPointFile(file);
  if ('inversion' in point) return point.inversion;
  throw invalidArgument(
    `Expected an inversion but ${file} contains an embedding: karlo invert IMAGE writes one`,
  );
}

/** A point as a part of the names of files: its prompt, or the name of its file. */
export function nameOfPoint(text: string, point: GivenPoint): string {
  return 'prompt' in point ? text : nameOf(text);
}

/** The hashes of the images among points, as recipes record them. */
export async function hashesOfPoints(
  points: readonly GivenPoint[],
  limits: InputLimits,
): Promise<string[]> {
  const images = points.flatMap((point) => ('image' in point ? [point.image as string] : []));
  const inverted = points.flatMap((point) => ('inversion' in point ? [point.inversion] : []));
  return [...(await hashesOf(images, limits)), ...inverted.map(({ source }) => source.sha256)];
}

/** The base64 of the largest inversion takes 4.2 MB. */
const maxBytes = 2 ** 24;

async function readPointFile(
  file: string,
): Promise<{ readonly embedding: Embedding } | { readonly inversion: Inversion }> {
  const json = await readJson(file);
  const isInversion = (json as Partial<InversionJson> | null)?.noise !== undefined;
  try {
    return isInversion
      ? { inversion: Inversion.from(json as InversionJson) }
      : { embedding: Embedding.from(json as EmbeddingJson) };
  } catch (cause) {
    throw unusable(file, (cause as Error).message, cause);
  }
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readRegularFile(file, { maxBytes }).catch((cause) => {
    throw unusable(file, whyUnreadable(cause), cause);
  });
  try {
    return JSON.parse(decodeText(bytes, file));
  } catch (cause) {
    throw unusable(file, 'it is not JSON', cause);
  }
}

function unusable(file: string, reason: string, cause: unknown) {
  return invalidArgument(`Cannot read an embedding or an inversion from ${file}: ${reason}`, {
    cause,
  });
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

function isJsonName(text: string): boolean {
  return extname(text).toLowerCase() === '.json';
}

/** GIF can be read, but not written. */
function isImageName(text: string): boolean {
  return formatOfFile(text) !== undefined || extname(text).toLowerCase() === '.gif';
}
