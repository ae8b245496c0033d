import { z } from 'zod';
import { animationFormats } from '../../images/animation.js';
import { samplers, samplings, unsafeActions } from '../../options/descriptions.js';
import type { Generation } from '../../pipeline/task.js';
import { outputFormats } from '../results/store.js';

const count = z.int().min(0);

const usage = z
  .object({
    input_tokens: count,
    input_tokens_details: z.object({ text_tokens: count, image_tokens: count }),
    output_tokens: count,
    total_tokens: count,
  })
  .describe('Text tokens of the prompt. Each image, in or out, counts as one token.');

export const timingsSchema = z.object({
  encode: z.number(),
  prior: z.number(),
  decoder: z.number(),
  upsample: z.number(),
  total: z.number(),
} satisfies Record<keyof Generation['timings'], z.ZodNumber>);

const file = { b64_json: z.string().optional(), url: z.string().optional() };

export const imagesSchema = z.object({
  created: count,
  background: z.literal('opaque'),
  output_format: z.enum(outputFormats),
  size: z.string(),
  data: z.array(
    z.object({
      ...file,
      seed: count,
      unsafe: z
        .boolean()
        .optional()
        .describe('Whether the safety check finds the image unsafe. Absent without a check.'),
    }),
  ),
  usage,
  karlo: z.object({
    model: z.string(),
    warnings: z.array(z.string()),
    timings: timingsSchema.describe('Seconds in each stage, and in total.'),
    animation: z
      .object({ ...file, output_format: z.enum(animationFormats) })
      .optional()
      .describe('All frames of an interpolation.'),
  }),
});

const stage = z.object({
  steps: count,
  guidance_scale: z.number(),
  sampler: z.enum(samplers),
  guidance_interval: z.array(z.number()),
  guidance_rescale: z.number(),
});
const sampling = z.object({
  prior: stage,
  decoder: stage,
  upsample: z.object({ steps: count }),
});

export const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: count,
  owned_by: z.string(),
  karlo: z.object({
    size: count.describe('Width and height of the generated images, in pixels.'),
    text_to_image: z.boolean(),
    image_variation: z.boolean(),
    samplings: z.record(z.enum(samplings), sampling),
    max_n: count,
    max_image_bytes: count.describe('Bytes of an input image.'),
    on_unsafe: z
      .enum(unsafeActions)
      .optional()
      .describe(
        'What happens to images that the safety check finds unsafe. Absent without a check.',
      ),
  }),
});

export const modelsSchema = z.object({ object: z.literal('list'), data: z.array(modelSchema) });

export type ImagesResponse = z.output<typeof imagesSchema>;
export type Usage = z.output<typeof usage>;
export type ModelResponse = z.output<typeof modelSchema>;
