import { z } from 'zod';
import { spacingFault } from '../../options/respacing.js';

/** Training timesteps of the published models: the most steps that a stage can take. */
const mostSteps = 1000;
/** Characters. The text encoder reads 77 tokens at most. */
const longestPrompt = 32_000;

const steps = z.int().min(1).max(mostSteps).describe('Steps, spaced evenly.');
const respacing = z
  .string()
  .max(200)
  .superRefine((timestepRespacing, context) => {
    const fault = spacingFault({ timestepRespacing }, mostSteps);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected ${fault}` });
  })
  .describe('Steps as the original program spaces them: "25", "10,10,5", "ddim25", "fast27".');
const guidanceScale = z
  .number()
  .min(0)
  .max(30)
  .describe('Classifier-free guidance: 1 skips the unconditional half.');

const notBoth = {
  check: (stage: { steps?: number | undefined; timestep_respacing?: string | undefined }) =>
    stage.steps === undefined || stage.timestep_respacing === undefined,
  message: 'expected either steps or timestep_respacing, not both',
};
const guided = z
  .strictObject({
    steps: steps.optional(),
    timestep_respacing: respacing.optional(),
    guidance_scale: guidanceScale.optional(),
  })
  .refine(notBoth.check, notBoth.message);
const unguided = z
  .strictObject({ steps: steps.optional(), timestep_respacing: respacing.optional() })
  .refine(notBoth.check, notBoth.message);

/** OpenAI's clients may write null for what they leave out. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

function withDefault<T extends z.ZodType>(schema: T, absent: z.output<T>, description: string) {
  const given = schema.nullish().meta({ default: absent, description });
  return given.transform((value): z.output<T> => value ?? absent);
}

const size = z.string().regex(/^(auto|\d{1,5}x\d{1,5})$/, 'expected auto or, say, 256x256');

/** Fields that both kinds of request have. */
function shared(maxN: number) {
  const seed = z
    .int()
    .min(0)
    .max(2 ** 32 - 1);
  return {
    model: optional(z.string().max(200)).describe('The served model; it may be left out.'),
    n: withDefault(z.int().min(1).max(maxN), 1, 'Pictures.'),
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
    seed: optional(seed).describe(
      'Of the first picture; the next ones have the next numbers. Random if absent.',
    ),
    sampling: withDefault(z.enum(['fast', 'default']), 'fast', 'Steps of all stages.'),
    prior: optional(guided),
    decoder: optional(guided),
    upsample: optional(unguided),
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
  return z.strictObject({ image, ...shared(maxN) }).describe('An image variation request');
}

export type GenerationRequest = z.output<ReturnType<typeof generationSchema>>;
export type VariationRequest = z.output<ReturnType<typeof variationSchema>>;
