import { z } from 'zod';
import { formats, labelsOf } from '../../images/formats.js';
import {
  generationOptions,
  imageVariationOptions,
  taskOptions,
} from '../../options/descriptions.js';
import { optional, requestFields, withDefault } from '../../options/schema.js';
import { outputFormats } from '../results/store.js';
import { acceptedFormats } from './input-image.js';

/** The formats that have a quality. */
const lossyFormats = outputFormats.map((name) => formats[name]).filter(({ lossy }) => lossy);

/** Characters, far more than the 77 tokens that the text encoder reads. */
const maxPromptLength = 32_000;

const size = z
  .string()
  .regex(/^(auto|\d{1,5}x\d{1,5})$/, 'expected auto, or a size such as 256x256');

/** Fields of both kinds of request. In one for a variation, the options of `textToImage` have no effect. */
function shared(maxN: number) {
  const count = { ...generationOptions.count, range: [1, maxN] as const };
  return {
    ...requestFields({ ...taskOptions.textToImage, count }),
    model: optional(z.string().max(200)).describe('The served model, which is also the default.'),
    size: withDefault(size, 'auto', "The model's own size, or auto."),
    response_format: withDefault(
      z.enum(['b64_json', 'url']),
      'b64_json',
      'The image itself, or a URL that expires.',
    ),
    output_format: withDefault(z.enum(outputFormats), 'png', 'Format of the images.'),
    output_compression: optional(z.int().min(0).max(100)).describe(
      `Quality of ${labelsOf(lossyFormats)}.`,
    ),
    stream: withDefault(z.boolean(), false, 'Answer with server-sent events.'),
    partial_images: withDefault(
      z.int().min(0).max(3),
      0,
      'Number of previews per image, if stream is true.',
    ),
    user: optional(z.string().max(1000)).describe('Ignored.'),
    progress: withDefault(
      z.boolean(),
      false,
      'Whether a stream reports steps and the position in the queue.',
    ),
    priority: withDefault(
      z.enum(['normal', 'low']),
      'normal',
      'Low-priority requests wait while others do.',
    ),
  };
}

/** Fields of OpenAI's API that are accepted and ignored. */
const unused = {
  quality: optional(z.enum(['standard', 'hd', 'low', 'medium', 'high', 'auto'])),
  background: optional(z.enum(['opaque', 'auto'])),
  moderation: optional(z.enum(['low', 'auto'])),
  style: optional(z.enum(['vivid', 'natural'])),
};

/** Fields that get a warning, because they have no effect. */
export const withoutEffect = Object.keys(unused);

export function generationSchema(maxN: number) {
  return z
    .strictObject({ prompt: z.string().min(1).max(maxPromptLength), ...shared(maxN), ...unused })
    .describe('A text-to-image request');
}

/** The image is checked when its header is read. */
export function variationSchema(maxN: number) {
  const image = z
    .custom<Buffer>((value) => Buffer.isBuffer(value), 'expected the bytes of an image file')
    .meta({ type: 'string', format: 'binary', description: `${acceptedFormats}.` });
  const fields = { image, ...shared(maxN), ...requestFields(imageVariationOptions) };
  return z.strictObject(fields).describe('An image variation request');
}

export type GenerationRequest = z.output<ReturnType<typeof generationSchema>>;
export type VariationRequest = z.output<ReturnType<typeof variationSchema>>;
