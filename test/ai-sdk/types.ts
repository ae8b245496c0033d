// Compiled by `npm run check`: the types of karlo/ai-sdk are those of the AI SDK.
import {
  createProviderRegistry,
  type GenerateImageResult,
  generateImage,
  type ImageModel,
  wrapImageModel,
} from 'ai';
import { createKarlo, type KarloImageOptions, karlo } from '../../lib/ai-sdk/index.js';
import type { Karlo } from '../../lib/karlo.js';

declare const loaded: Karlo;

type Model<V extends string> = Extract<ImageModel, { specificationVersion: V }>;

const server = createKarlo({ baseURL: 'http://127.0.0.1:8080/v1', apiKey: undefined });
const newest = createKarlo({ specificationVersion: 'v4', device: 'cpu' });

export const models = [
  karlo.image('karlo-tiny') satisfies Model<'v3'>,
  karlo.image(loaded) satisfies Model<'v3'>,
  server.image('karlo-tiny') satisfies Model<'v3'>,
  newest.image('karlo-tiny') satisfies Model<'v4'>,
  // @ts-expect-error: a server has its own model.
  server.image(loaded),
  // @ts-expect-error: the model is that of `image`.
  createKarlo({ model: 'karlo-tiny' }),
] as const;

export const others = [
  createProviderRegistry({ karlo, server, newest }).imageModel('karlo:karlo-tiny'),
  wrapImageModel({ model: newest.image('karlo-tiny'), middleware: [] }),
];

export const result: Promise<GenerateImageResult> = generateImage({
  model: karlo.image('karlo-tiny'),
  prompt: { images: [new Uint8Array()], text: 'a blue star', mask: new Uint8Array() },
  n: 2,
  seed: 7,
  size: '128x128',
  abortSignal: new AbortController().signal,
  providerOptions: {
    karlo: {
      sampling: 'turbo',
      decoder: { steps: 4, guidanceInterval: [0, 1] },
      format: 'webp',
    } satisfies KarloImageOptions,
  },
});

export const unknown: KarloImageOptions = {
  // @ts-expect-error: the AI SDK has a field for it.
  seed: 7,
};
