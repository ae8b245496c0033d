// The requests of AUTOMATIC1111's web UI. Other fields of that API are ignored.
import { z } from 'zod';
import { generationOptions, stageOptions } from '../../../options/descriptions.js';
import { optional, valueSchema, withDefault } from '../../../options/schema.js';
import { maxSide } from '../leniency.js';
import { maxPromptLength } from '../limits.js';

const { decoder, negativePrompt, seed } = generationOptions;

const side = optional(z.int().min(1).max(maxSide));
const count = z.int().min(1);

const shared = {
  prompt: z.string().min(1).max(maxPromptLength),
  negative_prompt: withDefault(
    z.string().max(negativePrompt.maxLength),
    '',
    'What the images should not show.',
  ),
  seed: withDefault(
    z.int().min(-1).max(seed.range[1]),
    -1,
    'Seed of the first image, or -1 for a random one.',
  ),
  steps: withDefault(
    valueSchema(stageOptions.steps) as z.ZodInt,
    decoder.presets.fast.steps,
    'Number of steps of the decoder.',
  ),
  cfg_scale: withDefault(
    valueSchema(stageOptions.guidanceScale) as z.ZodNumber,
    decoder.guidanceScale,
    'Guidance scale of the decoder.',
  ),
  sampler_name: optional(z.string().max(100)).describe(
    'Sampler of the decoder. An unknown one is replaced by the default.',
  ),
  sampler_index: optional(z.string().max(100)).describe('The same as sampler_name.'),
  batch_size: withDefault(count, 1, 'Number of images in a batch.'),
  n_iter: withDefault(count, 1, 'Number of batches.'),
  width: side.describe('Width of the images, which are resized and cropped to it.'),
  height: side.describe('Height of the images.'),
};

type Counts = { readonly batch_size: number; readonly n_iter: number };

/** The number of images of a request. */
export function imagesIn({ batch_size, n_iter }: Counts): number {
  return batch_size * n_iter;
}

function limited<T extends z.ZodType<Counts>>(schema: T, maxN: number): T {
  return schema.refine((body) => imagesIn(body) <= maxN, {
    path: ['batch_size'],
    message: `expected at most ${maxN} images, batch_size times n_iter,`,
  });
}

export function txt2imgSchema(maxN: number) {
  return limited(z.looseObject(shared), maxN).describe('A text-to-image request of A1111');
}

const base64Image = /^(?:data:image\/[\w.+-]+;base64,)?([\w+/=\s-]+)$/i;

const image = z.string().transform((text, context) => {
  const [, base64] = base64Image.exec(text) ?? [];
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const message = 'expected an image file as base64 (the server does not fetch images)';
  context.issues.push({ code: 'custom', message, input: '' });
  return z.NEVER;
});

export function img2imgSchema(maxN: number) {
  const fields = {
    ...shared,
    init_images: z.array(image).min(1).max(1).describe('The image, as base64.'),
    mask: optional(image).describe('White where the image is repainted, as base64.'),
    denoising_strength: withDefault(
      z.number().min(0).max(1),
      0.75,
      'The part of the schedule that runs. 1 keeps nothing of the image.',
    ),
    inpainting_mask_invert: withDefault(z.literal(0), 0, 'Only 0: white is repainted.'),
  };
  return limited(z.looseObject(fields), maxN).describe('An image-to-image request of A1111');
}

export type Txt2ImgRequest = z.output<ReturnType<typeof txt2imgSchema>>;
export type Img2ImgRequest = z.output<ReturnType<typeof img2imgSchema>>;
