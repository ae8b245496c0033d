import { type DecodedImage, decodeFile, decodeMaskFile } from '../decode.js';
import { readHeader } from '../header.js';
import { excessOf, type InputLimits } from '../input-limits.js';
import type { Pixels } from '../pixels.js';
import {
  maskToSquare,
  type ResizedOptions,
  resizeToSquare,
  type SquareOptions,
  toSquare,
} from '../square.js';

/** What all tasks need besides the bytes of an image file. */
export interface TaskOptions {
  /** Of the image, for messages. */
  readonly label: string;
  readonly limits: InputLimits;
}

/** An image as the recipe and the networks take it. */
export interface PreparedImage {
  /** As in `DecodedImage`. */
  readonly hash: string;
  /** Before it was made square, in pixels. */
  readonly width: number;
  readonly height: number;
  /** RGB of `edge` by `edge` pixels, row-major; empty without options for a square. */
  readonly square: Uint8Array;
  /** The same for each of the further sizes. */
  readonly resized: readonly Uint8Array[];
  readonly warning?: string;
}

/** What `prepare` makes of an image. */
export interface SquareRequest {
  readonly square?: SquareOptions;
  /** Further sizes, whatever the config of the image encoder says. */
  readonly resized?: readonly ResizedOptions[];
}

/** A mask as the recipe and the decoder take it. */
export interface PreparedMask {
  /** As in `DecodedImage`. */
  readonly hash: string;
  /** For each size, `edge * edge` values: 1 where the image is repainted, 0 where it is kept. */
  readonly masks: readonly Uint8Array[];
}

/** What `prepareMask` makes of a mask. */
export interface MaskRequest {
  /** The size of the image that it belongs to. */
  readonly image: { readonly width: number; readonly height: number };
  readonly resized: readonly ResizedOptions[];
}

/** What can be done with the bytes of an image file. The results are small. */
export const decodingTasks = {
  /** Says how the image exceeds the limits, by its header. */
  async inspect(bytes: Buffer, { label, limits }: TaskOptions) {
    return { excess: excessOf(await readHeader(bytes, label), limits) };
  },

  async readXmp(bytes: Buffer, { label }: TaskOptions): Promise<Uint8Array | undefined> {
    return (await readHeader(bytes, label)).xmp;
  },

  async decode(bytes: Buffer, { label, limits }: TaskOptions): Promise<Pixels> {
    const { width, height, data } = await decodeFile(bytes, label, limits);
    return { width, height, data };
  },

  async prepare(
    bytes: Buffer,
    { label, limits, ...request }: TaskOptions & SquareRequest,
  ): Promise<PreparedImage> {
    return await preparePixels(await decodeFile(bytes, label, limits), request);
  },

  async prepareMask(
    bytes: Buffer,
    { label, limits, ...request }: TaskOptions & MaskRequest,
  ): Promise<PreparedMask> {
    return await prepareMaskPixels(await decodeMaskFile(bytes, label, limits), request);
  },
};

/** The squares of decoded pixels. */
export async function preparePixels(
  { hash, warning, ...pixels }: DecodedImage,
  { square, resized = [] }: SquareRequest,
): Promise<PreparedImage> {
  const { width, height } = pixels;
  return {
    ...{ hash, width, height },
    square: square ? await toSquare(pixels, square) : new Uint8Array(),
    resized: await Promise.all(resized.map((one) => resizeToSquare(pixels, one))),
    ...(warning !== undefined && { warning }),
  };
}

/** The squares of a decoded mask, whose pixels are white where the image is repainted. */
export async function prepareMaskPixels(
  { hash, ...mask }: DecodedImage,
  { image, resized }: MaskRequest,
): Promise<PreparedMask> {
  const squares = await Promise.all(resized.map((one) => maskToSquare(mask, image, one)));
  const masks = squares.map((square) =>
    Uint8Array.from({ length: square.length / 3 }, (_, i) => (square[3 * i] === 255 ? 1 : 0)),
  );
  return { hash, masks };
}

type Tasks = typeof decodingTasks;
export type TaskName = keyof Tasks;
export type OptionsOf<N extends TaskName> = Parameters<Tasks[N]>[1];
export type ResultOf<N extends TaskName> = Awaited<ReturnType<Tasks[N]>>;
