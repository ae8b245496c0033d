import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KarloDraft } from '../../lib/images/draft.js';
import { readDraft } from '../../lib/images/read-draft.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { redact } from '../../lib/images/redact.js';
import type {
  Generation,
  GenerationEvent,
  KarloImage,
  SafetyCheck,
  SafetyContext,
  StepEvent,
  Verdict,
} from '../../lib/index.js';
import { Karlo, SafetyChecker } from '../../lib/index.js';
import { writeRandomChecker } from '../fixtures/random-checker.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testDevice } from '../support/test-device.js';

const heart = 'a red heart on a white background';
const file = 'test/fixtures/pictures/heart-0.png';
const stages = { decoder: { steps: 3 }, upsample: { steps: 1 } };
const short = { ...stages, prior: { steps: 2 }, seed: 1 };
const folder = temporaryFolder();
const loading = { model: 'karlo-tiny', device: testDevice, dtype: 'float32' } as const;

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load(loading);
});
afterAll(() => karlo.dispose());

/** A check that finds images unsafe by their seeds, and records what it was asked. */
function checkOf(...unsafeSeeds: number[]) {
  const calls: { seeds: number[]; kind: SafetyContext['kind'] }[] = [];
  const check: SafetyCheck = (images, { kind }) => {
    const seeds = images.map(({ seed }) => seed);
    calls.push({ seeds, kind });
    return seeds.map((seed) => {
      const unsafe = unsafeSeeds.includes(seed);
      return { unsafe, scores: { red: unsafe ? 0.9 : 0.1 }, ...(unsafe && { reasons: ['red'] }) };
    });
  };
  return { check, calls };
}

const everything: SafetyCheck = (images) => images.map(() => ({ unsafe: true }));

async function eventsOf(task: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of task) events.push(event);
  return events;
}

describe('an unsafe image', () => {
  test('is blurred, and the others are not', async () => {
    const plain = await karlo.textToImage(heart, { ...short, count: 3 });
    const { check } = checkOf(2);
    const task = karlo.textToImage(heart, { ...short, count: 3, safety: check });
    const events = await eventsOf(task);
    const { images, verdicts, warnings } = await task;
    const blurred = await redact(plain.images[1] as KarloImage, 'blur');
    expect(images.map(({ data }) => data)).toEqual([
      plain.images[0]?.data,
      blurred.data,
      plain.images[2]?.data,
    ]);
    const [safe, unsafe]: Verdict[] = [
      { unsafe: false, scores: { red: 0.1 } },
      { unsafe: true, scores: { red: 0.9 }, reasons: ['red'] },
    ] as const;
    expect(verdicts).toEqual([safe, unsafe, safe]);
    expect(warnings).toEqual(['The image with seed 2 was blurred because it is unsafe (red)']);
    expect(images.map(({ recipe }) => recipe?.verdict)).toEqual([
      safe,
      { ...unsafe, action: 'blur' },
      safe,
    ]);
    const reported = events.flatMap((event) => (event.type === 'image' ? event.image : []));
    expect(reported).toEqual(images);
    const read = await readRecipe(await (images[1] as KarloImage).toBuffer('png'));
    expect(read?.verdict).toEqual({ ...unsafe, action: 'blur' });
  });

  test.each([
    ['black', (image: KarloImage) => image.data.every((value) => value === 0)],
    ['keep', (image: KarloImage) => image.data.some((value) => value > 200)],
  ] as const)('%s', async (onUnsafe, isExpected) => {
    const options = { ...short, safety: everything, onUnsafe };
    const { images, verdicts, warnings } = await karlo.textToImage(heart, options);
    expect(isExpected(images[0] as KarloImage)).toBe(true);
    expect(verdicts).toEqual([{ unsafe: true }]);
    expect(images[0]?.recipe?.verdict).toEqual({ unsafe: true, action: onUnsafe });
    expect(warnings[0]).toMatch('is unsafe');
  });

  test('ends the call with error, before any image of its batch is reported', async () => {
    const { check } = checkOf(2);
    const options = { ...short, count: 2, batchSize: 2, safety: check, onUnsafe: 'error' } as const;
    const task = karlo.textToImage(heart, options);
    const images: GenerationEvent[] = [];
    await expectCode(
      'ERR_KARLO_UNSAFE',
      async () => {
        for await (const event of task) if (event.type === 'image') images.push(event);
      },
      'The image with seed 2 is unsafe (red)',
    );
    expect(images).toEqual([]);
  });
});

const options = { ...stages, seed: 1, safety: everything, onUnsafe: 'black' } as const;
const prompted = { ...options, prior: { steps: 2 } } as const;

test.each<[string, (model: Karlo) => PromiseLike<Generation>]>([
  ['textToImage', (model) => model.textToImage(heart, prompted)],
  ['imageVariation', (model) => model.imageVariation(file, options)],
  ['mix', (model) => model.mix([{ prompt: heart }, { image: file }], prompted)],
  [
    'interpolate',
    (model) => model.interpolate({ image: file }, { prompt: heart }, { ...prompted, frames: 2 }),
  ],
  [
    'edit',
    (model) =>
      model.edit(file, {
        ...options,
        decoder: { steps: 3, sampler: 'ddim' },
        from: 'a heart',
        to: 'a star',
      }),
  ],
  ['imageToImage', (model) => model.imageToImage(file, heart, prompted)],
  [
    'inpaint',
    (model) =>
      model.inpaint(file, 'test/fixtures/pictures/star-0.png', heart, {
        ...prompted,
        resamples: 1,
      }),
  ],
  [
    'upscale',
    (model) =>
      model.upscale(file, { upsample: { steps: 1 }, safety: everything, onUnsafe: 'black' }),
  ],
  ['fromEmbedding', async (model) => model.fromEmbedding(await model.embedImage(file), options)],
  [
    'reconstruct',
    async (model) =>
      model.reconstruct(await model.invert(file, { steps: 2, refinements: 0 }), {
        safety: everything,
        onUnsafe: 'black',
      }),
  ],
])('%s checks its images', async (_name, start) => {
  const { images, verdicts } = await start(karlo);
  expect(verdicts).toEqual(images.map(() => ({ unsafe: true })));
  for (const { data } of images) expect(data.every((value) => value === 0)).toBe(true);
});

test('frames that are only reported are checked', async () => {
  const task = karlo.interpolate(
    { prompt: heart },
    { image: file },
    { ...prompted, frames: 3, keepFrames: false },
  );
  const events = await eventsOf(task);
  const frames = events.flatMap((event) => (event.type === 'image' ? event.image : []));
  expect(frames).toHaveLength(3);
  for (const { data } of frames) expect(data.every((value) => value === 0)).toBe(true);
  expect((await task).verdicts).toHaveLength(3);
});

test('of candidates, only the chosen one is checked', async () => {
  const { check, calls } = checkOf();
  const { seeds } = await karlo.textToImage(heart, { ...short, candidates: 3, safety: check });
  expect(calls).toEqual([{ kind: 'image', seeds }]);
});

describe('drafts', () => {
  const stopAfter = 'decoder' as const;

  test('an unsafe draft holds nothing of its image', async () => {
    const { drafts, verdicts } = await karlo.textToImage(heart, { ...prompted, stopAfter });
    const [draft] = drafts as [KarloDraft];
    expect(draft).toBeInstanceOf(KarloDraft);
    expect(verdicts).toEqual([{ unsafe: true }]);
    expect(draft.data.every((value) => value === 0)).toBe(true);
    expect(draft.values.every((value) => value === -1)).toBe(true);
    const read = await readDraft(await draft.toBuffer());
    expect(read.values).toEqual(draft.values);
  });

  test('images of drafts are checked again, and of an unsafe draft they stay unsafe', async () => {
    const { check, calls } = checkOf();
    const all = { ...short, count: 2, stopAfter };
    const { drafts } = await karlo.textToImage(heart, { ...all, safety: checkOf(2).check });
    const { images, verdicts } = await karlo.finish(drafts, { safety: check });
    expect(calls.map(({ kind }) => kind)).toEqual(['image', 'image']);
    expect(verdicts.map(({ unsafe }) => unsafe)).toEqual([false, true]);
    expect(images.map(({ recipe }) => recipe?.verdict?.action)).toEqual([undefined, 'blur']);
  });

  test('a draft that was safe says nothing about its image', async () => {
    const { drafts } = await karlo.textToImage(heart, {
      ...short,
      stopAfter,
      safety: checkOf().check,
    });
    expect(drafts[0]?.recipe.verdict?.unsafe).toBe(false);
    const { images, verdicts } = await karlo.finish(drafts);
    expect(images[0]?.recipe?.verdict).toBeUndefined();
    expect(verdicts).toEqual([]);
  });
});

describe('previews', () => {
  const previewsOf = (events: readonly GenerationEvent[]) =>
    events
      .filter((event): event is StepEvent => event.type === 'step')
      .flatMap(({ previews = [] }) => previews.map(({ image }) => image));

  test('unsafe ones are replaced', async () => {
    const events = await eventsOf(karlo.textToImage(heart, { ...prompted, previews: true }));
    const previews = previewsOf(events);
    expect(previews.length).toBeGreaterThan(0);
    for (const { data } of previews) expect(data.every((value) => value === 0)).toBe(true);
  });

  test('with error, unsafe ones are left out', async () => {
    const safety: SafetyCheck = (images, { kind }) =>
      images.map(() => ({ unsafe: kind === 'preview' }));
    const options = { ...short, previews: true, safety, onUnsafe: 'error' } as const;
    const task = karlo.textToImage(heart, options);
    expect(previewsOf(await eventsOf(task))).toEqual([]);
    expect((await task).images).toHaveLength(1);
  });

  test('with keep, they are not checked', async () => {
    const { check, calls } = checkOf(1);
    const options = { ...short, previews: true, safety: check, onUnsafe: 'keep' } as const;
    expect(previewsOf(await eventsOf(karlo.textToImage(heart, options))).length).toBeGreaterThan(0);
    expect(calls.map(({ kind }) => kind)).toEqual(['image']);
  });

  test('the last step is reported before the image', async () => {
    const slow: SafetyCheck = async (images) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return images.map(() => ({ unsafe: false }));
    };
    const events = await eventsOf(
      karlo.textToImage(heart, { ...short, previews: true, safety: slow }),
    );
    const last = events.findLast((event) => event.type === 'step') as StepEvent;
    expect([last.stage, last.step]).toEqual(['upsample', 1]);
    expect(events.at(-1)?.type).toBe('image');
  });

  test('a check that fails for a preview ends the call', async () => {
    const safety: SafetyCheck = (images, { kind }) => {
      if (kind === 'preview') throw new Error('no classifier');
      return images.map(() => ({ unsafe: false }));
    };
    const task = karlo.textToImage(heart, { ...short, previews: true, safety });
    await expect(task).rejects.toThrow('no classifier');
  });
});

describe('a check that cannot be trusted ends the call', () => {
  test.each<[string, unknown]>([
    ['too few verdicts', []],
    ['no verdicts', undefined],
    ['a boolean', [true]],
    ['a verdict without unsafe', [{}]],
    ['scores that are not numbers', [{ unsafe: false, scores: { red: Number.NaN } }]],
  ])('%s', async (_name, verdicts) => {
    const safety = (() => verdicts) as never;
    await expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => karlo.textToImage(heart, { ...short, safety }),
      'Expected safety to return an array of 1 verdicts',
    );
  });

  test('its error is that of the call', async () => {
    const safety = () => Promise.reject(new Error('no classifier'));
    await expect(karlo.textToImage(heart, { ...short, safety })).rejects.toThrow('no classifier');
  });

  test('other values are rejected before any work', async () => {
    for (const safety of ['folder', 5, {}, null]) {
      const call = async () => karlo.textToImage(heart, { ...short, safety: safety as never });
      await expectCode(
        'ERR_KARLO_INVALID_ARGUMENT',
        call,
        'Expected SafetyChecker or function for safety',
      );
    }
  });
});

describe('a prompt filter', () => {
  const promptFilter = (prompt: string) => !/heart/.test(prompt);

  test.each<[string, (model: Karlo) => PromiseLike<unknown>]>([
    ['textToImage', (model) => model.textToImage(['a star', heart], { ...short, promptFilter })],
    [
      'a negative prompt',
      (model) => model.textToImage('a star', { ...short, negativePrompt: heart, promptFilter }),
    ],
    [
      'imageVariation',
      (model) => model.imageVariation(file, { ...stages, prompt: heart, promptFilter }),
    ],
    ['mix', (model) => model.mix([{ prompt: heart }], { ...short, promptFilter })],
    [
      'interpolate',
      (model) =>
        model.interpolate({ prompt: 'a star' }, { prompt: heart }, { ...short, promptFilter }),
    ],
    ['edit', (model) => model.edit(file, { from: 'a star', to: heart, promptFilter })],
    [
      'inpaint',
      (model) =>
        model.inpaint(file, 'test/fixtures/pictures/star-0.png', heart, { ...short, promptFilter }),
    ],
    ['embedText', (model) => model.embedText(heart, { promptFilter })],
    ['invert', (model) => model.invert(file, { steps: 2, prompt: heart, promptFilter })],
  ])('applies to %s', async (_name, start) => {
    await expectCode(
      'ERR_KARLO_UNSAFE',
      () => start(karlo),
      `The prompt filter rejects '${heart}'`,
    );
  });

  test('lets other prompts pass', async () => {
    const { images } = await karlo.textToImage('a star', { ...short, promptFilter });
    expect(images).toHaveLength(1);
  });

  test('has to decide', async () => {
    const undecided = (() => undefined) as never;
    await expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => karlo.textToImage(heart, { ...short, promptFilter: undecided }),
      'Expected promptFilter to return true or false',
    );
  });
});

describe('a model with a safety checker', () => {
  test('checks every call, loads it from a folder, and frees it', async () => {
    const safety = await writeRandomChecker(join(folder, 'unsafe'), 'unsafe');
    const model = await Karlo.load({ ...loading, safety, onUnsafe: 'black' });
    expect(model.onUnsafe).toBe('black');
    const { images, verdicts } = await model.textToImage(heart, short);
    expect(images[0]?.data.every((value) => value === 0)).toBe(true);
    expect(verdicts[0]?.reasons).toContain('concept 16');
    expect(Object.keys(verdicts[0]?.scores ?? {})).toHaveLength(20);
    // A call can have its own check.
    const own = await model.textToImage(heart, { ...short, safety: checkOf().check });
    expect(own.verdicts).toEqual([{ unsafe: false, scores: { red: 0.1 } }]);
    await model.dispose();
  });

  test('shares one that the program has loaded, and leaves it alone', async () => {
    const name = await writeRandomChecker(join(folder, 'safe'), 'safe');
    await using checker = await SafetyChecker.load(name, { device: testDevice });
    const model = await Karlo.load({ ...loading, safety: checker });
    expect(model.onUnsafe).toBe('blur');
    const { verdicts, images } = await model.textToImage(heart, { ...short, previews: true });
    expect(verdicts.map(({ unsafe }) => unsafe)).toEqual([false]);
    await model.dispose();
    expect((await checker.check(images))[0]?.unsafe).toBe(false);
  });

  test('filters every prompt', async () => {
    const model = await Karlo.load({ ...loading, promptFilter: () => false });
    expect(model.onUnsafe).toBeUndefined();
    await expectCode('ERR_KARLO_UNSAFE', () => model.textToImage(heart, short));
    await expectCode('ERR_KARLO_UNSAFE', () => model.textFeatures(heart));
    await model.dispose();
  });

  test('is not loaded without its checker', async () => {
    await expectCode(
      'ERR_KARLO_MODEL_NOT_FOUND',
      () => Karlo.load({ ...loading, safety: join(folder, 'nothing') }),
      'npx karlo pull CompVis/stable-diffusion-safety-checker',
    );
  });
});
