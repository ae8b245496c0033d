// What servers and workers send each other through Redis. Nothing in Redis is trusted: messages are parsed with
// these schemas when they are read, and when they are written.
import { z } from 'zod';
import { animationFormats } from '../../../images/animation.js';
import { maxParts } from '../../../images/max-parts.js';
import { generationOptions, STAGES, unsafeActions } from '../../../options/descriptions.js';
import { maxWeight } from '../../../options/resolve-methods.js';
import { programFields, valueSchema } from '../../../options/schema.js';
import { ApiError } from '../../errors.js';
import { maxSide } from '../../protocol/leniency.js';
import {
  frameRates,
  maxFiles,
  maxFrames,
  maxPartialImages,
  maxPromptLength,
} from '../../protocol/limits.js';
import { timingsSchema } from '../../protocol/response-schemas.js';
import { outputFormats } from '../../results/store.js';
import { type JobMethod, jobOptions } from '../job.js';

/** Version of the schemas below. Increase it when they change, or what they mean. */
export const wireVersion = 2;

/** A message is invalid. The error says why, without the message's content. */
export class InvalidMessage extends Error {
  override readonly name = 'InvalidMessage';
}

/** One kind of message: `body` in an envelope with the version. */
class Message<Body extends z.ZodType> {
  readonly #name: string;
  readonly #envelope: z.ZodType<Envelope<z.output<Body>>, Envelope<z.input<Body>>>;

  constructor(name: string, body: Body) {
    this.#name = name;
    this.#envelope = z.strictObject({ version: z.literal(wireVersion), body }) as never;
  }

  write(body: z.output<Body>): Envelope<z.input<Body>> {
    return z.encode(this.#envelope, { version: wireVersion, body });
  }

  /** @throws {InvalidMessage} if the message does not follow the schema */
  read(message: unknown): z.output<Body> {
    const { data, error } = z.safeDecode(this.#envelope, message as never);
    if (data !== undefined) return data.body;
    const [{ path, code } = { path: [], code: 'invalid' }] = error.issues;
    throw new InvalidMessage(`Invalid ${this.#name}: ${code} at '${path.join('.')}'`);
  }
}

export interface Envelope<Body> {
  readonly version: typeof wireVersion;
  readonly body: Body;
}

const anyVersion = z.looseObject({ version: z.int() });

/** @throws {ApiError} 503 if a message has another version. Of an invalid message, `read` says more. */
export function checkVersion(message: unknown): void {
  const { data } = anyVersion.safeParse(message);
  if (data === undefined || data.version === wireVersion) return;
  const text = `Expected messages of version ${wireVersion} in the queue but received version ${data.version}: run the same release of karlo on all its servers and workers`;
  throw new ApiError(503, 'version_mismatch', text, { retryAfter: 30 });
}

/** @throws {InvalidMessage} if a text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not as the cause: its message quotes the text.
    throw new InvalidMessage('Invalid JSON');
  }
}

const count = z.int().min(0);
const maxImages = Math.max(generationOptions.count.range[1], maxFrames);
const index = count.max(maxImages - 1);
const seed = valueSchema(generationOptions.seed) as z.ZodInt;

/** An image file: base64 in JSON. */
const imageFile = z.codec(z.string(), z.instanceof(Buffer), {
  decode(text, context) {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') === text) return bytes;
    context.issues.push({ code: 'invalid_format', format: 'base64', input: '' });
    return z.NEVER;
  },
  encode: (bytes) => bytes.toString('base64'),
});

const prompt = z.string().min(1).max(maxPromptLength);
const file = count.max(maxFiles - 1);
const point = { prompt: prompt.optional(), image: file.optional() };
const isPoint = (value: object) => 'prompt' in value !== 'image' in value;
const end = z.strictObject(point).refine(isPoint);
const part = z
  .strictObject({ ...point, weight: z.number().min(-maxWeight).max(maxWeight) })
  .refine(isPoint);
const side = z.int().min(1).max(maxSide);
const animation = z.strictObject({
  format: z.enum(animationFormats),
  framesPerSecond: z.number().min(frameRates[0]).max(frameRates[1]),
});

function callSchema<M extends Exclude<JobMethod, 'finish'>, Input extends z.ZodRawShape>(
  method: M,
  input: Input,
) {
  const options = z.strictObject<{ seed: z.ZodType }>(programFields(jobOptions[method]) as never);
  return z.strictObject({
    method: z.literal(method),
    ...input,
    options: options.required({ seed: true }),
  });
}

const call = z.discriminatedUnion('method', [
  callSchema('textToImage', { prompt }),
  callSchema('imageVariation', {}),
  callSchema('mix', { parts: z.array(part).min(1).max(maxParts) }),
  callSchema('interpolate', { from: end, to: end, animation: animation.optional() }),
  callSchema('edit', {}),
  callSchema('imageToImage', { prompt }),
  callSchema('inpaint', { prompt }),
  callSchema('upscale', {}),
  z.strictObject({
    method: z.literal('finish'),
    seeds: z.array(seed).min(1).max(maxFiles),
    options: z.strictObject({ seed }),
  }),
]);

/** A job in the queue. Its image files are stored under separate keys. */
export const jobMessage = new Message(
  'job',
  z.strictObject({
    call,
    files: count.max(maxFiles),
    format: z.enum(outputFormats),
    size: z.strictObject({ width: side, height: side }).optional(),
    quality: z.int().min(1).max(100).optional(),
    partialImages: z.int().min(0).max(maxPartialImages),
    progress: z.boolean(),
    priority: z.enum(['normal', 'low']),
  }),
);

/**
 * What a worker publishes about a job. `image`, `animation` and `ended` say that an image, the animation or the result is
 * there.
 */
export const eventMessage = new Message(
  'event',
  z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('step'),
      stage: z.enum(STAGES),
      step: count,
      steps: count,
      fraction: z.number().min(0).max(1),
      secondsLeft: z.number().min(0).optional(),
      index: index.optional(),
    }),
    z.strictObject({
      type: z.literal('partial_image'),
      index,
      partialIndex: count.max(maxPartialImages - 1),
      data: imageFile,
    }),
    z.strictObject({ type: z.literal('image'), index, seed, unsafe: z.boolean().optional() }),
    z.strictObject({ type: z.literal('animation') }),
    z.strictObject({ type: z.literal('ended') }),
  ]),
);

/** The return value of a job. Its images are in the result store. */
export const resultMessage = new Message(
  'result',
  z.discriminatedUnion('status', [
    z.strictObject({
      status: z.literal('completed'),
      seeds: z.array(seed).max(maxImages),
      /** Whether each image is unsafe; absent without a safety check. */
      unsafe: z.array(z.boolean()).max(maxImages).optional(),
      warnings: z.array(z.string().max(10_000)).max(10_000),
      timings: timingsSchema.strict(),
      promptTokens: count,
    }),
    z.strictObject({
      status: z.literal('failed'),
      error: z.strictObject({
        status: z.int().min(400).max(599),
        code: z.string().regex(/^\w{1,50}$/),
        message: z.string().max(10_000),
        param: z.string().max(200).nullable(),
        retryAfter: z.int().min(1).max(3600).optional(),
      }),
    }),
    z.strictObject({ status: z.literal('cancelled') }),
  ]),
);

/** The model that the workers serve. */
export const modelMessage = new Message(
  'served model',
  z.strictObject({
    id: z.string().min(1).max(1000),
    size: z.int().min(1).max(100_000),
    textToImage: z.boolean(),
    imageVariation: z.boolean(),
    onUnsafe: z.enum(unsafeActions).optional(),
  }),
);

/** What BullMQ stores as the data and the return value of a job. */
export type JobData = ReturnType<typeof jobMessage.write>;
export type JobResult = ReturnType<typeof resultMessage.write>;
export type JobEventMessage = ReturnType<typeof eventMessage.read>;
