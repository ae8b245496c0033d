import { z } from 'zod';
import {
  generationOptions,
  imageVariationOptions,
  textToImageOptions,
} from '../../options/descriptions.js';
import { optional, requestFields, withDefault } from '../../options/schema.js';

/** Characters. The text encoder reads 77 tokens at most. */
const longestPrompt = 32_000;

const size = z.string().regex(/^(auto|\d{1,5}x\d{1,5})$/, 'expected auto or, say, 256x256');

/** The options that a request sets. */
export const requestOptions = {
  textToImage: { ...generationOptions, ...textToImageOptions },
  imageVariation: { ...generationOptions, ...imageVariationOptions },
};

/** Fields of both kinds of request. In one for a variation, the options of `textToImage` have no effect. */
function shared(maxN: number) {
  const count = { ...generationOptions.count, range: [1, maxN] as const };
  return {
    ...requestFields({ ...generationOptions, count, ...textToImageOptions }),
    model: optional(z.string().max(200)).describe('The served model; it may be left out.'),
    size: withDefault(size, 'auto', "The model's own size, or auto."),
    response_format: withDefault(
      z.enum(['b64_json', 'url']),
      'b64_json',
      'The bytes themselves, or where they are kept for a while.',
    ),
    output_format: withDefault(z.enum(['png', 'jpeg', 'webp']), 'png', 'Format of the pictures.'),
    output_compression: optional(z.int().min(0).max(100)).describe('Quality of JPEG and WebP.'),
    stream: withDefault(z.boolean(), false, 'Answer with server-sent events.'),
    partial_images: withDefault(z.int().min(0).max(3), 0, 'Previews a picture, in a stream.'),
    user: optional(z.string().max(1000)).describe('Ignored.'),
    progress: withDefault(z.boolean(), false, 'Steps and place in the queue, in a stream.'),
    priority: withDefault(
      z.enum(['normal', 'low']),
      'normal',
      'Low waits until no normal request does.',
    ),
  };
}

/** What OpenAI's clients may send and Karlo has no use for. */
const unused = {
  quality: optional(z.enum(['standard', 'hd', 'low', 'medium', 'high', 'auto'])),
  background: optional(z.enum(['opaque', 'auto'])),
  moderation: optional(z.enum(['low', 'auto'])),
  style: optional(z.enum(['vivid', 'natural'])),
};

/** What has no effect, for a warning. */
export const withoutEffect = Object.keys(unused);

export function generationSchema(maxN: number) {
  return z
    .strictObject({ prompt: z.string().min(1).max(longestPrompt), ...shared(maxN), ...unused })
    .describe('A text to image request');
}

/** The picture itself is checked where its header is read. */
export function variationSchema(maxN: number) {
  const image = z
    .custom<Buffer>((value) => Buffer.isBuffer(value), 'expected the bytes of a picture file')
    .meta({ type: 'string', format: 'binary', description: 'PNG, JPEG, WebP, GIF or AVIF.' });
  const fields = { image, ...shared(maxN), ...requestFields(imageVariationOptions) };
  return z.strictObject(fields).describe('An image variation request');
}

export type GenerationRequest = z.output<ReturnType<typeof generationSchema>>;
export type VariationRequest = z.output<ReturnType<typeof variationSchema>>;
