import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StepEvent } from '../../lib/index.js';
import { Karlo } from '../../lib/karlo.js';
import { candidateSeeds } from '../../lib/options/seeds.js';
import { best, cosineScore, dotScore, selectionOf } from '../../lib/pipeline/candidates.js';
import { optionsError } from '../options/error-message.js';
import { testDevice } from '../support/test-device.js';

const prompts = ['a red heart', 'a green ring'];
const image = 'test/fixtures/pictures/heart-0.png';
const stages = { decoder: { steps: 3 }, upsample: { steps: 2 } };
const short = { ...stages, prior: { steps: 3 } };

test('scores are cosines and dot products; the first of the best is chosen', () => {
  const [a, b] = [Float32Array.of(3, 4), Float32Array.of(4, 3)];
  expect(dotScore(a, b)).toBe(24);
  expect(cosineScore(a, b)).toBe(0.96);
  expect(cosineScore(a, Float32Array.of(0, 0))).toBe(0);
  expect(best([1, 3, 3, 2])).toBe(1);
  expect(selectionOf(5, [0], [7])).toBeUndefined();
  expect(selectionOf(5, [1, 2], [7])).toEqual({ seed: 5, scores: [1, 2] });
});

describe('with karlo-tiny', () => {
  let karlo: Karlo;
  beforeAll(async () => {
    karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
  });
  afterAll(() => karlo.dispose());

  test.each<[string, object, number]>([
    ['drafts', { candidates: 3 }, 3],
    ['drafts in batches of 2', { candidates: 3, batchSize: 2 }, 3],
    ['image embeddings', { prior: { steps: 3, candidates: 3 } }, 3],
    ['both', { candidates: 2, prior: { steps: 3, candidates: 2 } }, 4],
  ])('the best of several %s is what its seed alone generates', async (_name, options, seeds) => {
    const all = { ...short, ...options, seed: 7, count: 2 };
    const result = await karlo.textToImage(prompts, all);
    expect(result.selections).toHaveLength(4);
    for (const [i, { data, seed, recipe }] of result.images.entries()) {
      const selection = result.selections[i];
      expect(recipe?.selection).toEqual(selection);
      expect(selection?.seed).toBe(7 + (i % 2));
      expect(candidateSeeds(7 + (i % 2), seeds)).toContain(seed);
      expect({ result: result.seeds[i], recipe: recipe?.seed }).toEqual({
        result: seed,
        recipe: seed,
      });
      const alone = await karlo.textToImage(prompts[Math.floor(i / 2)] as string, {
        ...short,
        seed,
        batchSize: recipe?.batchSize,
      });
      expect(alone.images[0]?.data).toEqual(data);
    }
  });

  test('the chosen draft has the largest cosine of all candidates', async () => {
    const all = { ...short, seed: 7, candidates: 4 };
    const { selections, seeds } = await karlo.textToImage(prompts[0] as string, all);
    const { scores = [] } = selections[0] ?? {};
    expect(seeds[0]).toBe(candidateSeeds(7, 4)[best(scores)]);
    const ofOrdinarySeed = await karlo.textToImage(prompts[0] as string, { ...all, candidates: 2 });
    expect(ofOrdinarySeed.selections[0]?.scores).toEqual(scores.slice(0, 2));
    for (const score of scores) expect(Math.abs(score)).toBeLessThanOrEqual(1);
  });

  test('the prior’s scores are those of the chosen draft', async () => {
    const prior = { steps: 3, candidates: 2 };
    const { selections, seeds } = await karlo.textToImage('a blue star', {
      ...short,
      prior,
      seed: 3,
    });
    const { priorScores = [], scores } = selections[0] ?? {};
    expect({ scores, number: priorScores.length }).toEqual({ scores: undefined, number: 2 });
    expect(seeds[0]).toBe(candidateSeeds(3, 2)[best(priorScores)]);
  });

  test('variations are scored by the embedding of their source', async () => {
    const all = { ...stages, seed: 2 };
    const { images, seeds, selections } = await karlo.imageVariation([image, image], {
      ...all,
      candidates: 3,
    });
    expect(selections[0]?.scores).toHaveLength(3);
    const [seed = 0] = seeds;
    const alone = await karlo.imageVariation(image, { ...all, seed });
    expect(images[0]?.data).toEqual(alone.images[0]?.data);
    expect(images[1]?.data).toEqual(images[0]?.data);
  });

  test('with stopAfter, the drafts are the chosen ones', async () => {
    const all = { ...short, seed: 7, candidates: 3 };
    const { drafts, selections } = await karlo.textToImage('a red heart', {
      ...all,
      stopAfter: 'decoder',
    });
    const direct = await karlo.textToImage('a red heart', all);
    expect(drafts.map(({ seed }) => seed)).toEqual(direct.seeds);
    const finished = await karlo.finish(drafts);
    expect(finished.images[0]?.data).toEqual(direct.images[0]?.data);
    expect(finished.selections).toEqual(selections);
  });

  test('calls without candidates have no selection', async () => {
    const { images, selections } = await karlo.textToImage('a red heart', { ...short, seed: 1 });
    expect(selections).toEqual([]);
    expect(images[0]?.recipe).not.toHaveProperty('selection');
  });

  test('callers share batches of candidates, and get the same images as alone', async () => {
    const all = { ...short, seed: 4, candidates: 2, batchSize: 4 };
    const alone = [];
    for (const prompt of prompts) alone.push(await karlo.textToImage(prompt, all));
    const together = await Promise.all(prompts.map((prompt) => karlo.textToImage(prompt, all)));
    for (const [i, { images, seeds }] of together.entries()) {
      expect(seeds).toEqual(alone[i]?.seeds);
      expect(images[0]?.data).toEqual(alone[i]?.images[0]?.data);
    }
    const [first, second] = together.map(({ timings }) => timings.decoder);
    expect(first).toBe(second);
    // A caller whose prior samples more does not share: its rows run through the prior more often.
    const [plain, other] = await Promise.all([
      karlo.textToImage('a red heart', { ...short, seed: 4, batchSize: 4 }),
      karlo.textToImage('a red heart', {
        ...short,
        prior: { steps: 3, candidates: 2 },
        seed: 4,
        batchSize: 4,
      }),
    ]);
    expect(plain.timings.decoder).not.toBe(other.timings.decoder);
  });

  test('steps count all candidates, and name image and candidate', async () => {
    const steps: StepEvent[] = [];
    const task = karlo.textToImage('a red heart', {
      ...{ decoder: { steps: 3 }, upsample: { steps: 2 }, prior: { steps: 2, candidates: 2 } },
      ...{ seed: 4, count: 3, candidates: 3, batchSize: 2 },
    });
    for await (const event of task) if (event.type === 'step') steps.push(event);
    const last = (stage: string) => steps.filter((event) => event.stage === stage).at(-1);
    // Two images have six candidates in three batches, the third image has three in two.
    expect(last('prior')).toMatchObject({ step: 20, steps: 20, batch: { step: 4, steps: 4 } });
    expect(last('decoder')).toMatchObject({
      ...{ step: 15, steps: 15 },
      batch: { images: [2], candidates: [2], step: 3, steps: 3 },
    });
    expect(last('upsample')).toMatchObject({ step: 4, steps: 4, fraction: 1, secondsLeft: 0 });
    const fractions = steps.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  test('the estimate counts candidates and drafts', async () => {
    await karlo.textToImage('a red heart', { seed: 0 });
    const seconds = async (options: object) =>
      (await karlo.estimate('textToImage', options)).seconds;
    const [one, draft, four] = [
      await seconds({}),
      await seconds({ stopAfter: 'decoder' }),
      await seconds({ candidates: 4 }),
    ];
    expect(draft).toBeLessThan(one);
    expect(four).toBeCloseTo(one + 3 * draft, 5);
    const prior = await seconds({ prior: { candidates: 3 }, stopAfter: 'decoder' });
    expect(prior).toBeGreaterThan(draft);
  });

  test.each<[object, RegExp]>([
    [{ candidates: 0 }, /^Expected integer between 1 and 64 for candidates but received 0$/],
    [{ candidates: 65 }, /^Expected integer between 1 and 64 for candidates but received 65$/],
    [{ candidates: 1.5 }, /between 1 and 64 for candidates but received 1.5/],
    [{ prior: { candidates: 65 } }, /between 1 and 64 for prior\.candidates but received 65/],
    [{ decoder: { candidates: 2 } }, /^Unknown option decoder\.candidates/],
  ])('%o is rejected', (options, message) => {
    expect(optionsError(options)).toMatch(message);
  });
});
