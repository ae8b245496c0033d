import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KarloDraft } from '../../lib/images/draft.js';
import { readDraft } from '../../lib/images/read-draft.js';
import type { GenerationEvent } from '../../lib/index.js';
import { Karlo } from '../../lib/karlo.js';
import { errorMessage } from '../options/error-message.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testDevice } from '../support/test-device.js';

const heart = 'a red heart on a white background';
const image = 'test/fixtures/pictures/heart-0.png';
const stages = { decoder: { steps: 3 }, upsample: { steps: 2 } };
const short = { ...stages, prior: { steps: 3 } };
const stopAfter = 'decoder';
/** Guided in its first half only. */
const solver = (sampler: string) => ({ steps: 3, sampler, guidanceInterval: [0, 0.5] });

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());

/** The draft of one short call. */
async function draftOf(options: object = {}): Promise<KarloDraft> {
  const { drafts } = await karlo.textToImage(heart, { ...short, seed: 1, ...options, stopAfter });
  return drafts[0] as KarloDraft;
}

describe('finished drafts are byte-equal to the images of a call without stopAfter', () => {
  test.each<[string, object]>([
    ['DDPM', short],
    ['DDIM', { ...short, decoder: { timestepRespacing: 'ddim4' } }],
    ['DDIM with eta', { ...short, decoder: { steps: 3, sampler: 'ddim', eta: 1 } }],
    ['solvers', { ...short, prior: solver('unipc'), decoder: solver('dpm++') }],
    ['a guidance interval', { ...short, decoder: { steps: 4, guidanceInterval: [0, 0.5] } }],
    ['batches of 2', { ...short, batchSize: 2 }],
    ['without guidance', { ...short, decoder: { steps: 3, guidanceScale: 1 } }],
  ])('textToImage: %s', async (_name, options) => {
    const all = { ...options, seed: 5, count: 3 };
    const { images, drafts } = await karlo.textToImage(heart, { ...all, stopAfter });
    expect(images).toEqual([]);
    expect(drafts.map(({ width, seed }) => [width, seed])).toEqual([5, 6, 7].map((s) => [32, s]));
    const direct = await karlo.textToImage(heart, all);
    const finished = await karlo.finish(drafts);
    expect(finished.seeds).toEqual([5, 6, 7]);
    for (const [i, { data, recipe }] of finished.images.entries()) {
      expect(data).toEqual(direct.images[i]?.data);
      expect(recipe).toEqual(direct.images[i]?.recipe);
    }
  });

  test('imageVariation', async () => {
    const all = { ...stages, seed: 5, count: 2 };
    const { drafts } = await karlo.imageVariation(image, { ...all, stopAfter });
    const direct = await karlo.imageVariation(image, all);
    const { images } = await karlo.finish(drafts);
    expect(images.map(({ data }) => data)).toEqual(direct.images.map(({ data }) => data));
  });

  test('from files, in any order and together with drafts of other settings', async () => {
    const folder = temporaryFolder();
    const [plain, other] = [await draftOf(), await draftOf({ seed: 2, upsample: { steps: 3 } })];
    const paths = ['a.png', 'b.png'].map((name) => join(folder, name));
    await plain.toFile(paths[0] as string);
    await other.toFile(paths[1] as string);
    const read = await Promise.all(paths.map((path) => readDraft(path)));
    expect(read[0]).toEqual(plain);
    const { images } = await karlo.finish([...read, plain]);
    const direct = [
      await karlo.textToImage(heart, { ...short, seed: 1 }),
      await karlo.textToImage(heart, { ...short, seed: 2, upsample: { steps: 3 } }),
    ];
    expect(images.map(({ data }) => data)).toEqual(
      [0, 1, 0].map((i) => direct[i]?.images[0]?.data),
    );
  });
});

test('a draft shows the image at the size of the decoder, and can be in a grid', async () => {
  const draft = await draftOf();
  expect(draft).toBeInstanceOf(KarloDraft);
  expect(draft).toMatchObject({ width: 32, height: 32, recipe: { prompt: heart, seed: 1 } });
  expect(draft.values).toHaveLength(3 * 32 * 32);
});

test('the last step of a draft is that of the decoder, and the draft is reported', async () => {
  const events: GenerationEvent[] = [];
  const task = karlo.textToImage(heart, { ...short, seed: 1, stopAfter });
  for await (const event of task) events.push(event);
  const { drafts, timings } = await task;
  const steps = events.filter((event) => event.type === 'step');
  expect(steps.at(-1)).toMatchObject({ stage: 'decoder', step: 3, steps: 3, fraction: 1 });
  expect(events.at(-1)).toEqual({ type: 'image', index: 0, image: drafts[0] });
  expect(timings.upsample).toBe(0);
});

test('finishing reports steps over all drafts, of different numbers of steps', async () => {
  const drafts = [await draftOf(), await draftOf({ upsample: { steps: 3 } })];
  const task = karlo.finish(drafts, { previews: true });
  const seen: [number, number, number][] = [];
  for await (const event of task) {
    if (event.type !== 'step') continue;
    expect(event.previews?.[0]?.image.width).toBe(128);
    seen.push([event.step, event.steps, event.batch.images[0] as number]);
  }
  expect(seen.at(-1)).toEqual([5, 5, 1]);
});

test('drafts of two callers share a batch', async () => {
  const drafts = [await draftOf({ batchSize: 2 }), await draftOf({ batchSize: 2, seed: 2 })];
  const alone = await karlo.finish(drafts);
  const together = await Promise.all(drafts.map((draft) => karlo.finish(draft)));
  expect(together.map(({ images }) => images[0]?.data)).toEqual(
    alone.images.map(({ data }) => data),
  );
  const [first, second] = together.map(({ timings }) => timings.upsample);
  expect(first).toBe(second);
});

describe('wrong input is rejected before any work', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'an unknown stage',
      () => karlo.textToImage(heart, { stopAfter: 'deocder' as never }),
      /Expected one of decoder for stopAfter but received 'deocder': did you mean decoder\?/,
    ],
    ['no draft', () => karlo.finish([]), /non-empty array of drafts for draft/],
    [
      'an image',
      () => karlo.finish([{ width: 32, height: 32 } as never]),
      /Expected KarloDraft for draft\[0\] .*: textToImage returns drafts with stopAfter/,
    ],
  ])('%s', (_name, call, message) => {
    expect(errorMessage(call)).toMatch(message);
  });

  test('wrong options and drafts of another size', async () => {
    const draft = await draftOf();
    expect(errorMessage(() => karlo.finish(draft, { steps: 3 } as never))).toMatch(
      /Unknown option steps/,
    );
    expect(errorMessage(() => karlo.finish(draft, { batchSize: 0 }))).toMatch(/for batchSize/);
    const data = { ...draft, width: 16, height: 16, data: new Uint8Array(3 * 16 * 16) };
    const small = new KarloDraft(data, draft.recipe);
    expect(errorMessage(() => karlo.finish(small))).toMatch(
      /Expected a draft of 32 x 32 pixels, .*, but received one of 16 x 16/,
    );
  });

  test('a draft of other weights', async () => {
    const draft = await draftOf();
    const model = { name: 'other', sha256: '0'.repeat(64) };
    const other = new KarloDraft(draft, { ...draft.recipe, model });
    await expect(karlo.finish([draft, other])).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: expect.stringMatching(
        /draft of the loaded model, karlo-tiny, .* one of other, .*Load the model/,
      ),
    });
  });

  test('a draft cannot be written as JPEG, or without its recipe', async () => {
    const draft = await draftOf();
    await expect(draft.toFile('draft.jpg')).rejects.toThrow(
      /Expected 'png' for format of a draft but received 'jpg'.*toSharp/,
    );
    await expect(draft.toBuffer('png', { recipe: false })).rejects.toThrow(/recipe of a draft/);
  });
});

test('an abort ends finishing', async () => {
  const controller = new AbortController();
  const task = karlo.finish(await draftOf(), { signal: controller.signal });
  controller.abort();
  await expect(task).rejects.toMatchObject({ name: 'AbortError' });
});

test('staged residency finishes drafts with the same bytes', async () => {
  const draft = await draftOf();
  await using staged = await Karlo.load({
    device: testDevice,
    dtype: 'float32',
    residency: 'staged',
  });
  const [ours, theirs] = [await karlo.finish(draft), await staged.finish(draft)];
  expect(theirs.images[0]?.data).toEqual(ours.images[0]?.data);
});

test('a draft of another dtype is finished, with a warning', async () => {
  const draft = await draftOf();
  const other = new KarloDraft(draft, { ...draft.recipe, dtype: 'bfloat16' });
  const { warnings } = await karlo.finish(other);
  expect(warnings).toEqual([expect.stringMatching(/in bfloat16/)]);
});

describe('a model without an image encoder', () => {
  const folder = temporaryFolder();
  beforeAll(() => {
    const model = join(folder, 'models', 'text-only');
    cpSync('models/karlo-tiny', model, { recursive: true });
    for (const part of ['image_encoder', 'feature_extractor']) {
      rmSync(join(model, part), { recursive: true });
    }
  });

  test('generates drafts, but does not choose among candidates', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await using bare = await Karlo.load({
      model: join(folder, 'models', 'text-only'),
      device: testDevice,
      dtype: 'float32',
    });
    expect((await bare.textToImage(heart, { ...short, stopAfter })).drafts).toHaveLength(1);
    expect(() => bare.textToImage(heart, { candidates: 2 })).toThrow(
      expect.objectContaining({
        code: 'ERR_KARLO_MODEL_NOT_FOUND',
        message: expect.stringMatching(/feature_extractor in .*text-only but it is missing/),
      }),
    );
  });
});
