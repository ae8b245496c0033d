// generateImage of the AI SDK, with models in this process.
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKarlo, karlo as defaultProvider } from '../../lib/ai-sdk/index.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { Karlo } from '../../lib/karlo.js';
import type { GenerationTask } from '../../lib/pipeline/task.js';
import { endless, short } from '../serve/helpers/server.js';
import {
  edits,
  failureOf,
  generate,
  metadataOf,
  picture,
  pixelsFrom,
  pixelsOf,
  versions,
} from './support.js';

const load = { device: 'cpu', dtype: 'float32', threads: 2 } as const;
const provider = createKarlo(load);
const model = provider.image('karlo-tiny');
const providerOptions = { karlo: short };
let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ ...load, model: 'karlo-tiny' });
});
afterAll(async () => {
  await provider.dispose();
  await defaultProvider.dispose();
  await karlo.dispose();
});

describe.each(versions)('generateImage of $name', ({ generateImage }) => {
  test('generates the images of the seed', async () => {
    const prompt = 'a blue star';
    const result = await generateImage({ model, prompt, n: 2, seed: 7, providerOptions });
    const task = karlo.textToImage(prompt, { ...short, count: 2, seed: 7 });
    expect(await pixelsOf(result.images)).toEqual(await pixelsFrom(task));
    expect(result.images.map(({ mediaType }) => mediaType)).toEqual(['image/png', 'image/png']);
    expect(result.warnings).toEqual([]);
    expect(result.responses).toMatchObject([{ modelId: 'karlo-tiny' }]);
    const outputs = { outputTokens: 2, totalTokens: karlo.countTokens(prompt) + 2 };
    expect(result.usage).toEqual({ inputTokens: karlo.countTokens(prompt), ...outputs });
    const timings = { total: expect.any(Number) };
    const recipe = { kind: 'textToImage', prompt, decoder: { steps: 4 } };
    expect(metadataOf(result)).toMatchObject([
      { seed: 7, timings, recipe: { ...recipe, seed: 7 } },
      { seed: 8, timings, recipe: { ...recipe, seed: 8 } },
    ]);
  });

  test.each(edits)('$method', async ({ prompt, call, karlo: options }) => {
    const result = await generateImage({
      model,
      prompt: await prompt(),
      seed: 3,
      providerOptions: { karlo: options },
    });
    const task = await call(karlo, { ...options, seed: 3 });
    expect(await pixelsOf(result.images)).toEqual(task.images.map(({ data }) => Buffer.from(data)));
  });

  test('ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const step = nextStep(karlo);
    const { decoder } = endless;
    const task = generateImage({
      model: provider.image(karlo),
      prompt: 'a ring',
      abortSignal: controller.signal,
      providerOptions: { karlo: { decoder } },
    });
    const failed = failureOf(task);
    await step;
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await failed).toBe(reason);
  });
});

/** The first step of the next call of a model. */
async function nextStep(karlo: Karlo): Promise<void> {
  const { textToImage } = karlo;
  const [task] = await new Promise<[GenerationTask]>((resolve) => {
    karlo.textToImage = (...call) => {
      const task = textToImage.apply(karlo, call);
      resolve([task]); // in an array, because a task is a promise
      return task;
    };
  });
  karlo.textToImage = textToImage;
  await task[Symbol.asyncIterator]().next();
}

describe('an image model', () => {
  test('generates many images in one call, so that their seeds differ', async () => {
    const result = await generate({ model, prompt: 'a', n: 12, seed: 4, providerOptions });
    expect(metadataOf(result).map(({ seed }) => seed)).toEqual(
      Array.from({ length: 12 }, (_, i) => 4 + i),
    );
    expect(result.responses).toHaveLength(1);
  });

  test('accepts images as data URLs and as Base64', async () => {
    const base64 = picture.toString('base64');
    const { prior: _, ...options } = short;
    const pixels = [];
    for (const image of [picture, base64, `data:image/png;base64,${base64}`]) {
      const prompt = { images: [image] };
      const call = { model, prompt, seed: 1, providerOptions: { karlo: options } };
      pixels.push(...(await pixelsOf((await generate(call)).images)));
    }
    expect(pixels).toHaveLength(3);
    expect(pixels[1]).toEqual(pixels[0]);
    expect(pixels[2]).toEqual(pixels[0]);
  });

  test('encodes images as providerOptions say, with their recipes', async () => {
    const sizes = [];
    for (const quality of [10, 100]) {
      const karlo = { ...short, format: 'webp', quality };
      const { image } = await generate({ model, prompt: 'a', providerOptions: { karlo } });
      expect(image.mediaType).toBe('image/webp');
      expect(await readRecipe(image.uint8Array)).toMatchObject({ prompt: 'a' });
      sizes.push(image.uint8Array.length);
    }
    expect(sizes[0]).toBeLessThan(sizes[1] as number);
  });

  test('warns about sizes and proportions that it does not have', async () => {
    const call = { model, prompt: 'a', providerOptions };
    const { warnings, image } = await generate({ ...call, size: '1024x512', aspectRatio: '16:9' });
    expect(warnings).toEqual([
      {
        type: 'unsupported',
        feature: 'aspectRatio',
        details: 'Expected 1:1, because images are square, but received 16:9',
      },
      {
        type: 'unsupported',
        feature: 'size',
        details: 'Expected 128x128, the size of the images of karlo-tiny, but received 1024x512',
      },
    ]);
    expect(await sharp(image.uint8Array).metadata()).toMatchObject({ width: 128, height: 128 });
    const own = await generate({ ...call, size: '128x128', aspectRatio: '1:1' });
    expect(own.warnings).toEqual([]);
  });

  test('passes on the warnings of Karlo', async () => {
    const { warnings } = await generate({ model, prompt: 'a star '.repeat(100), providerOptions });
    expect(warnings).toMatchObject([
      { type: 'other', message: expect.stringContaining('is too long') },
    ]);
  });

  test.each<[string, object, string]>([
    ['no prompt', { prompt: { images: [] } }, 'Expected string for prompt but received undefined'],
    [
      'a URL',
      { prompt: { images: ['http://example.com/a.png'] } },
      "Expected bytes, Base64 or a data URL for prompt.images[0] but received 'http://example.com/a.png': download it first, and pass its bytes",
    ],
    [
      'a mask of two images',
      { prompt: { images: [picture, picture], mask: picture, text: 'a' } },
      'Expected an array of 1 element for prompt.images but received an array of 2 elements: a mask belongs to one image',
    ],
    [
      'a mask without a prompt',
      { prompt: { images: [picture], mask: picture } },
      'Expected string for prompt.text but received undefined',
    ],
    [
      'an unknown option',
      { prompt: 'a', providerOptions: { karlo: { decoder: { step: 3 } } } },
      'Unknown option providerOptions.karlo.decoder.step: did you mean providerOptions.karlo.decoder.steps?',
    ],
    [
      'an option of another method',
      { prompt: 'a', providerOptions: { karlo: { strength: 0.5 } } },
      /^Unknown option providerOptions\.karlo\.strength: known are /,
    ],
    [
      'an invalid value',
      { prompt: 'a', providerOptions: { karlo: { decoder: { steps: 0 } } } },
      /^Expected .* for decoder\.steps but received 0/,
    ],
    [
      'another format',
      { prompt: 'a', providerOptions: { karlo: { format: 'gif' } } },
      "Expected one of png, jpeg, webp for providerOptions.karlo.format but received 'gif'",
    ],
    [
      'too large a seed',
      { prompt: 'a', seed: 2 ** 32 },
      /^Expected integer between 0 and 4294967295 for seed/,
    ],
  ] as never)('rejects %s', async (_case, options, message) => {
    const error = await failureOf(generate({ model, ...(options as { prompt: string }) }));
    expect(error).toMatchObject({ name: 'KarloError', code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect(error.message).toMatch(message);
  });
});

describe('a provider', () => {
  test('loads each model once, on first use, and again after it was disposed of', async () => {
    const loads: object[] = [];
    const provider = createKarlo({ ...load, onProgress: (progress) => loads.push(progress) });
    const call = { model: provider.image('karlo-tiny'), prompt: 'a', providerOptions };
    expect(loads).toEqual([]);
    await Promise.all([generate(call), generate(call)]);
    await generate({ ...call, model: provider.imageModel('karlo-tiny') });
    const once = loads.length;
    expect(once).toBeGreaterThan(0);
    await provider.dispose();
    await generate(call);
    expect(loads).toHaveLength(2 * once);
    await provider[Symbol.asyncDispose]();
  });

  test('a call that is aborted while its model loads ends at once, and the model stays', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    const provider = createKarlo({ ...load, onProgress });
    const call = { model: provider.image('karlo-tiny'), prompt: 'a', providerOptions };
    const error = await failureOf(generate({ ...call, abortSignal: controller.signal }));
    expect(error).toBe(reason);
    expect((await generate(call)).images).toHaveLength(1);
    await provider.dispose();
  });

  test('leaves a loaded model to its owner', async () => {
    const own = createKarlo();
    const call = { model: own.image(karlo), prompt: 'a', seed: 1, providerOptions };
    expect(call.model.modelId).toBe('karlo-tiny');
    const { images } = await generate(call);
    await own.dispose();
    const task = karlo.textToImage('a', { ...short, seed: 1 });
    expect(await pixelsOf(images)).toEqual(await pixelsFrom(task));
  });

  test('reports a model that is missing, and tries again', async () => {
    const call = { model: provider.image('karlo-huge'), prompt: 'a' };
    for (const _time of ['first', 'second']) {
      expect(await failureOf(generate(call))).toMatchObject({ code: 'ERR_KARLO_MODEL_NOT_FOUND' });
    }
  });

  test('has defaults', async () => {
    const call = { model: defaultProvider.image('karlo-tiny'), prompt: 'a', providerOptions };
    expect((await generate(call)).images).toHaveLength(1);
  });

  test.each<[string, object, string]>([
    ['device', { device: 'tpu' }, 'Expected'],
    ['option', { devise: 'cpu' }, 'Unknown option devise: did you mean device?'],
    ['specification', { specificationVersion: 'v1' }, 'Expected one of v3, v4 for specification'],
    ['address', { baseURL: '127.0.0.1' }, 'Expected an address such as http://127.0.0.1:8080/v1'],
    ['setting', { baseURL: 'http://a/v1', device: 'cpu' }, 'Unknown option device: known are'],
  ])('rejects an invalid %s', (_setting, settings, message) => {
    expect(() => createKarlo(settings as never)).toThrow(message);
  });

  test('has only image models', () => {
    const message =
      "Expected an image model but received the language model 'karlo-tiny': karlo has only image models";
    expect(() => provider.languageModel('karlo-tiny')).toThrow(message);
    expect(() => provider.embeddingModel('karlo-tiny')).toThrow('embedding model');
  });
});
