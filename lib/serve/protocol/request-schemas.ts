import { z } from 'zod';
import { animationFormats } from '../../images/animation.js';
import { formats, labelsOf } from '../../images/formats.js';
import { maxParts } from '../../images/max-parts.js';
import {
  generationOptions,
  imageVariationOptions,
  type OptionTable,
  samplings,
  sentence,
  taskOptions,
} from '../../options/descriptions.js';
import type { EditMethod } from '../../options/edit-method.js';
import { maxWeight } from '../../options/resolve-methods.js';
import { optional, requestFields, withDefault } from '../../options/schema.js';
import { jobOptions } from '../queue/job.js';
import { outputFormats } from '../results/store.js';
import { acceptedFormats } from './input-image.js';
import { frameRates, maxFrames, maxPartialImages, maxPromptLength } from './limits.js';

/** The formats that have a quality. */
const lossyFormats = outputFormats.map((name) => formats[name]).filter(({ lossy }) => lossy);

const size = z
  .string()
  .regex(/^(auto|\d{1,5}x\d{1,5})$/, 'expected auto, or a size such as 256x256');

/** Fields of all requests, and those for the options of a table. */
function shared(table: OptionTable, maxN: number) {
  const count = { ...generationOptions.count, range: [1, maxN] as const };
  return {
    ...requestFields('count' in table ? { ...table, count } : table),
    model: optional(z.string().max(200)).describe('The served model, which is also the default.'),
    size: withDefault(
      size,
      'auto',
      "The model's own size, or auto. Other sizes if the server resizes images.",
    ),
    sampling: optional(z.enum(samplings)).describe(
      `${sentence(generationOptions.sampling.description)} Takes precedence over quality.`,
    ),
    response_format: optional(z.enum(['b64_json', 'url'])).describe(
      'The image itself, or a URL that expires.',
    ),
    output_format: withDefault(z.enum(outputFormats), 'png', 'Format of the images.'),
    output_compression: optional(z.int().min(0).max(100)).describe(
      `Quality of ${labelsOf(lossyFormats)}.`,
    ),
    stream: withDefault(z.boolean(), false, 'Answer with server-sent events.'),
    partial_images: withDefault(
      z.int().min(0).max(maxPartialImages),
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

/** OpenAI's name for the preset of sampling. */
const quality = optional(z.enum(['standard', 'hd', 'low', 'medium', 'high', 'auto'])).describe(
  'low is turbo, medium and standard are fast, high and hd are default sampling.',
);

/** Fields of OpenAI's API that are accepted and ignored. */
const unused = {
  background: optional(z.enum(['opaque', 'auto'])),
  moderation: optional(z.enum(['low', 'auto'])),
  style: optional(z.enum(['vivid', 'natural'])),
};

/** Fields that get a warning, because they have no effect. */
export const withoutEffect = Object.keys(unused);

const prompt = z.string().min(1).max(maxPromptLength);

export function generationSchema(maxN: number) {
  return z
    .strictObject({ prompt, ...shared(taskOptions.textToImage, maxN), quality, ...unused })
    .describe('A text-to-image request');
}

/** How a request contains an image. It is checked when its header is read. */
type ImageField = z.ZodType<Buffer>;

/** An image file in a form. */
const imageFile = z
  .custom<Buffer>((value) => Buffer.isBuffer(value), 'expected the bytes of an image file')
  .meta({ type: 'string', format: 'binary', description: `${acceptedFormats}.` });

/** In a request for a variation, the options of `textToImage` have no effect. */
export function variationSchema(maxN: number, image: ImageField = imageFile) {
  const fields = {
    image,
    ...shared(taskOptions.textToImage, maxN),
    ...requestFields(imageVariationOptions),
  };
  return z.strictObject(fields).describe('An image variation request');
}

/** An image in JSON: a data URL. In a form, it is a file. */
const image = z
  .union([z.string(), z.custom<Buffer>((value) => Buffer.isBuffer(value))])
  .transform((value, context) => {
    if (typeof value !== 'string') return value;
    const bytes = fromDataUrl(value);
    if (bytes !== undefined) return bytes;
    const message =
      'expected a data URL such as data:image/png;base64,… (the server does not fetch images)';
    context.issues.push({ code: 'custom', message, input: '' });
    return z.NEVER;
  })
  .describe(`${acceptedFormats}: a data URL in JSON, a file in a form.`);

/** The bytes of a data URL; undefined for another text. */
export function fromDataUrl(text: string): Buffer | undefined {
  const [, base64] = /^data:image\/[\w.+-]+;base64,([\w+/=-]+)$/i.exec(text) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}

/** OpenAI's newer form of an image in JSON. */
const imageUrl = z.strictObject({ image_url: image }).transform(({ image_url }) => image_url);

const anyImage: ImageField = z.union([image, imageUrl]);

/** Options of the methods that an edit can call. Which method it is depends on the fields, so none has a default. */
export const editTables = {
  imageVariation: jobOptions.imageVariation,
  mix: jobOptions.mix,
  edit: jobOptions.edit,
  imageToImage: jobOptions.imageToImage,
  inpaint: jobOptions.inpaint,
} as const satisfies Record<EditMethod, OptionTable>;

export function editSchema(maxN: number, image = anyImage) {
  const options = Object.assign({}, ...Object.values(editTables).map(withoutDefaults));
  const list = z.array(image).min(1).max(maxParts);
  const fields = {
    image: z
      .union([image.transform((one) => [one]), list])
      .optional()
      .describe('One image, or several that are mixed.'),
    images: list.optional().describe('The same as image.'),
    mask: optional(image).describe('White or transparent where the image is repainted.'),
    ...shared(options, maxN),
    prompt: optional(prompt).describe('What the edited image shows.'),
    input_fidelity: optional(z.enum(['low', 'high'])).describe(
      'With high, the result keeps the layout of the image.',
    ),
    quality,
    ...unused,
  };
  return z.strictObject(fields).describe('A request to edit an image');
}

/** Options whose fields are absent unless a request has them. */
function withoutDefaults(table: OptionTable): OptionTable {
  const entries = Object.entries(table).map(([name, option]) =>
    name === 'count' ? [name, option] : [name, { ...option, default: undefined }],
  );
  return Object.fromEntries(entries);
}

const pointOf = (image: ImageField) => ({ prompt: optional(prompt), image: optional(image) });
const isPoint = (value: { prompt?: unknown; image?: unknown }) =>
  (value.prompt === undefined) !== (value.image === undefined);
const pointMessage = 'expected either a prompt or an image';

export function mixSchema(maxN: number, image = anyImage) {
  const weight = withDefault(z.number().min(-maxWeight).max(maxWeight), 1, 'Its share.');
  const part = z.strictObject({ ...pointOf(image), weight }).refine(isPoint, pointMessage);
  return z
    .strictObject({
      parts: z.array(part).min(1).max(maxParts).describe('Prompts and images with weights.'),
      ...shared(jobOptions.mix, maxN),
    })
    .describe('A request to mix prompts and images');
}

export function interpolationSchema(maxN: number, image = anyImage) {
  const { frames, stopAfter: _, ...others } = jobOptions.interpolate;
  const table = {
    ...others,
    frames: { ...frames, range: [frames.range[0], maxFrames] as const },
  };
  const end = z.strictObject(pointOf(image)).refine(isPoint, pointMessage);
  return z
    .strictObject({
      from: end.describe('The first frame: a prompt or an image.'),
      to: end.describe('The last frame.'),
      ...shared(table, maxN),
      animation: optional(z.enum(animationFormats)).describe(
        'Format of an animation of the frames, which is added to them.',
      ),
      fps: withDefault(
        z.number().min(frameRates[0]).max(frameRates[1]),
        12,
        'Frames per second of the animation.',
      ),
    })
    .describe('A request for the images between two points');
}

export function upscalingSchema(maxN: number, image = anyImage) {
  return z
    .strictObject({ image, ...shared(jobOptions.upscale, maxN) })
    .describe('A request to enlarge an image');
}

export function finishSchema(maxN: number) {
  const list = z.array(anyImage).min(1).max(maxN);
  return z
    .strictObject({
      draft: z
        .union([anyImage.transform((one) => [one]), list])
        .describe('Drafts: images of requests with stop_after.'),
      ...shared(jobOptions.finish, maxN),
    })
    .describe('A request for the images of drafts');
}

/** The names of a schema's fields. */
export function fieldsOf(schema: z.ZodType): ReadonlySet<string> {
  return new Set(Object.keys((schema as z.ZodObject).shape));
}

export type GenerationRequest = z.output<ReturnType<typeof generationSchema>>;
export type VariationRequest = z.output<ReturnType<typeof variationSchema>>;
export type EditRequest = z.output<ReturnType<typeof editSchema>>;
export type MixRequest = z.output<ReturnType<typeof mixSchema>>;
export type InterpolationRequest = z.output<ReturnType<typeof interpolationSchema>>;
export type FinishRequest = z.output<ReturnType<typeof finishSchema>>;
export type UpscalingRequest = z.output<ReturnType<typeof upscalingSchema>>;
/** What all requests have. */
export type SharedRequest = Omit<GenerationRequest, 'prompt' | 'quality' | keyof typeof unused>;
