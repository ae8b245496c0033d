// What the tests of karlo/ai-sdk share.
import { readFileSync } from 'node:fs';
import * as ai7 from 'ai';
import * as ai6 from 'ai-6';
import sharp from 'sharp';
import type { Karlo } from '../../lib/karlo.js';
import type { GenerationTask } from '../../lib/pipeline/task.js';
import { heart, short } from '../serve/helpers/server.js';

// Warnings are part of the results.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** The versions of the AI SDK. That of AI SDK 6 has the same parameters for what is passed here. */
export const versions = [
  { name: 'AI SDK 7', generateImage: ai7.generateImage },
  { name: 'AI SDK 6', generateImage: ai6.generateImage as typeof ai7.generateImage },
];

/** Generates images with the newest AI SDK, without retries. */
export const generate: typeof ai7.generateImage = (options) =>
  ai7.generateImage({ maxRetries: 0, ...options });

export const picture = readFileSync(heart);
export const other = readFileSync('test/fixtures/pictures/star-0.png');

/** A mask that repaints the right half: white there, or transparent as OpenAI's API has it. */
export function maskOf(kind: 'white' | 'transparent'): Promise<Buffer> {
  const half = { width: 64, height: 128 };
  const [kept, repainted] = { white: ['#000', '#fff'], transparent: ['#000', '#0000'] }[kind];
  const left = sharp({ create: { ...half, channels: 4, background: kept as string } });
  return left
    .extend({ right: 64, background: repainted as string })
    .png()
    .toBuffer();
}

type Options = NonNullable<Parameters<Karlo['inpaint']>[3]>;

/** What images lead to, as the AI SDK passes them and as a program calls Karlo. */
export const edits = [
  {
    method: 'one image: a variation, with the prompt as the text of the decoder',
    prompt: async () => ({ images: [picture], text: 'a heart' }),
    call: (karlo: Karlo, options: Options) =>
      karlo.imageVariation(picture, { ...withoutPrior(options), prompt: 'a heart' }),
    karlo: withoutPrior(short),
  },
  {
    method: 'an image and a strength: image to image',
    prompt: async () => ({ images: [picture], text: 'a star' }),
    call: (karlo: Karlo, options: Options) => karlo.imageToImage(picture, 'a star', options),
    karlo: { ...short, strength: 0.5 },
  },
  {
    method: 'several images: a mix of equal weights',
    prompt: async () => ({ images: [picture, other], text: 'a shape' }),
    call: (karlo: Karlo, options: Options) =>
      karlo.mix([{ image: picture }, { image: other }], { ...options, prompt: 'a shape' }),
    karlo: short,
  },
  {
    method: 'a white mask: inpainting',
    prompt: async () => ({ images: [picture], mask: await maskOf('white'), text: 'a star' }),
    call: async (karlo: Karlo, options: Options) =>
      karlo.inpaint(picture, await maskOf('white'), 'a star', options),
    karlo: { ...short, resamples: 1 },
  },
  {
    method: 'a transparent mask: inpainting',
    prompt: async () => ({ images: [picture], mask: await maskOf('transparent'), text: 'a star' }),
    call: async (karlo: Karlo, options: Options) =>
      karlo.inpaint(picture, await maskOf('white'), 'a star', options),
    karlo: { ...short, resamples: 1 },
  },
  {
    method: 'an image and two texts: an edit',
    prompt: async () => ({ images: [picture] }),
    call: (karlo: Karlo, options: Options) => karlo.edit(picture, options as never),
    karlo: { from: 'a red heart', to: 'a blue star', decoder: { steps: 4 }, refinements: 1 },
  },
];

function withoutPrior<T extends object>(options: T): Omit<T, 'prior'> {
  const { prior: _, ...others } = options as T & { prior?: unknown };
  return others;
}

/** The pixels of image files. */
export function pixelsOf(files: readonly { readonly uint8Array: Uint8Array }[]): Promise<Buffer[]> {
  return Promise.all(
    files.map(({ uint8Array }) => sharp(uint8Array).removeAlpha().raw().toBuffer()),
  );
}

/** The pixels of Karlo's images. */
export async function pixelsFrom(task: GenerationTask): Promise<Buffer[]> {
  return (await task).images.map(({ data }) => Buffer.from(data));
}

/** The metadata of each image. */
export function metadataOf({
  providerMetadata,
}: Pick<ai7.GenerateImageResult, 'providerMetadata'>) {
  return providerMetadata.karlo?.images as { seed: number; recipe: object; timings: object }[];
}

/** The error of a call that must fail. */
export async function failureOf(call: PromiseLike<unknown>) {
  return Promise.resolve(call).then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error) => error as Error & { code?: string; statusCode?: number },
  );
}
