import { z } from 'zod';
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

const timings = z.object({
  encode: z.number(),
  prior: z.number(),
  decoder: z.number(),
  upsample: z.number(),
  total: z.number(),
} satisfies Record<keyof Generation['timings'], z.ZodNumber>);

export const imagesSchema = z.object({
  created: count,
  background: z.literal('opaque'),
  output_format: z.enum(outputFormats),
  size: z.string(),
  data: z.array(
    z.object({ b64_json: z.string().optional(), url: z.string().optional(), seed: count }),
  ),
  usage,
  karlo: z.object({
    model: z.string(),
    warnings: z.array(z.string()),
    timings: timings.describe('Seconds in each stage, and in total.'),
  }),
});

const stage = z.object({ steps: count, guidance_scale: z.number() });
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
    samplings: z.object({ fast: sampling, default: sampling }),
    max_n: count,
  }),
});

export const modelsSchema = z.object({ object: z.literal('list'), data: z.array(modelSchema) });

export type ImagesResponse = z.output<typeof imagesSchema>;
export type Usage = z.output<typeof usage>;
export type ModelResponse = z.output<typeof modelSchema>;
