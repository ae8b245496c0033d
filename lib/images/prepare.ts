import { expected } from '../errors.js';
import { decodeRaw, decodeRawMask, type ImageInput, isRaw } from './decode.js';
import { runDecoding } from './decoding/run.js';
import {
  type MaskRequest,
  type PreparedImage,
  type PreparedMask,
  prepareMaskPixels,
  preparePixels,
  type SquareRequest,
} from './decoding/tasks.js';
import { readImageBytes } from './image-bytes.js';
import { defaultLimits, type InputLimits } from './input-limits.js';

export type { PreparedImage, PreparedMask };

interface DecodeOptions {
  readonly limits: InputLimits;
  readonly signal?: AbortSignal;
}

/**
 * Decodes one or several images, and makes them square. Messages name the invalid one, for example `image[2]`.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, as `decodeImage`; or the signal's reason
 */
export async function prepareImages(
  input: ImageInput | readonly ImageInput[],
  options: DecodeOptions & SquareRequest,
): Promise<PreparedImage[]> {
  if (!Array.isArray(input)) return [await prepareImage(input as ImageInput, 'image', options)];
  if (input.length === 0) throw expected('an image or a non-empty array of images', 'image', input);
  return Promise.all(input.map((one, i) => prepareImage(one, `image[${i}]`, options)));
}

/** Decodes an image, and makes it square. */
export async function prepareImage(
  input: ImageInput,
  name: string,
  { limits, signal, ...request }: DecodeOptions & SquareRequest,
): Promise<PreparedImage> {
  if (isRaw(input)) return preparePixels(await decodeRaw(input, name, limits), request);
  const { bytes, label } = await readImageBytes(input, name);
  return runDecoding('prepare', bytes, { label, limits, ...request }, signal);
}

/** Decodes a mask, and makes it square as its image. */
export async function prepareMask(
  input: ImageInput,
  { limits, signal, ...request }: DecodeOptions & MaskRequest,
): Promise<PreparedMask> {
  if (isRaw(input)) return prepareMaskPixels(await decodeRawMask(input, 'mask', limits), request);
  const { bytes, label } = await readImageBytes(input, 'mask');
  return runDecoding('prepareMask', bytes, { label, limits, ...request }, signal);
}

/** The hash of an image file's pixels, as in `DecodedImage`. */
export async function hashImage(path: string, limits = defaultLimits): Promise<string> {
  const { bytes, label } = await readImageBytes(path, 'image');
  return (await runDecoding('prepare', bytes, { label, limits })).hash;
}
