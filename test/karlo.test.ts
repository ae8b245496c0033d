import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { GenerationEvent, StageOptions } from '../lib/index.js';
import { Karlo } from '../lib/karlo.js';
import { karlo as shared } from '../lib/shared-instance.js';
import { ScriptModule } from '../lib/torch/script-module.js';
import type { Tensor } from '../lib/torch/tensor.js';
import { testDevice } from './support/test-device.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());
afterEach(() => vi.restoreAllMocks());

const heart = 'a red heart on a white background';
const ring = 'a green ring on a black background';
/** Few steps: nothing here depends on their number. */
const short = { prior: { steps: 3 }, decoder: { steps: 3 }, upsample: { steps: 2 } };

function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - (b[i] as number))), 0);
}

/** The mean colour of a square of an image. */
function colour(image: { width: number; data: Uint8Array }, x: number, y: number, side: number) {
  const sum = [0, 0, 0];
  for (let i = 0; i < side; i += 1) {
    for (let j = 0; j < side; j += 1) {
      for (let c = 0; c < 3; c += 1) {
        const at = 3 * ((y + i) * image.width + x + j) + c;
        sum[c] = (sum[c] as number) + (image.data[at] as number) / side ** 2;
      }
    }
  }
  return sum as [number, number, number];
}

describe('textToImage', () => {
  test('generates a red heart on a white background', async () => {
    const { images, seeds, warnings, timings } = await karlo.textToImage(heart, { seed: 0 });
    expect({ seeds, warnings }).toEqual({ seeds: [0], warnings: [] });
    expect(timings.total).toBeGreaterThan(timings.decoder);
    const [image] = images;
    expect(image).toMatchObject({ width: 128, height: 128, seed: 0 });
    const [r, g, b] = colour(image as never, 44, 48, 16);
    expect(r).toBeGreaterThan(g + 80);
    expect(r).toBeGreaterThan(b + 80);
    for (const value of colour(image as never, 0, 112, 16)) expect(value).toBeGreaterThan(180);
  });

  test('an image depends only on its seed: not on count, order, prompts or previews', async () => {
    const options = { ...short, seed: 5 };
    const alone = await karlo.textToImage(heart, options);
    const expected = alone.images[0]?.data;
    const together = await karlo.textToImage([ring, heart], {
      ...short,
      seed: [9, 5],
      previews: true,
    });
    expect(together.seeds).toEqual([9, 5, 9, 5]);
    expect(together.images[3]?.data).toEqual(expected);
    const [first, second] = await Promise.all([
      karlo.textToImage(ring, { ...short, seed: 1 }),
      karlo.textToImage(heart, options),
    ]);
    expect(second.images[0]?.data).toEqual(expected);
    expect(first.images[0]?.data).not.toEqual(expected);
  });

  test('is byte-equal at the same batchSize', async () => {
    const one = await karlo.textToImage(heart, { ...short, seed: 6, batchSize: 2 });
    const two = await karlo.textToImage(heart, { ...short, seed: 5, count: 3, batchSize: 2 });
    expect(two.images).toHaveLength(3);
    expect(two.images[1]?.data).toEqual(one.images[0]?.data);
  });

  // With all steps of a preset. The first step divides its rounding by the square root of an alpha-bar
  // near 0, and fewer steps leave more of that in the image.
  test('differs by at most 1/255 between batch sizes', async () => {
    const single = await karlo.textToImage(heart, { seed: 5, count: 2 });
    const both = await karlo.textToImage(heart, { seed: 5, count: 2, batchSize: 2 });
    for (const [i, { data }] of both.images.entries()) {
      expect(difference(data, single.images[i]?.data as Uint8Array)).toBeLessThanOrEqual(1);
    }
  });

  test('seeds wrap around at 2^32, and a random one is reported', async () => {
    const { seeds } = await karlo.textToImage(heart, { ...short, seed: 2 ** 32 - 1, count: 2 });
    expect(seeds).toEqual([2 ** 32 - 1, 0]);
    const random = await karlo.textToImage(heart, short);
    const again = await karlo.textToImage(heart, { ...short, seed: random.seeds[0] as number });
    expect(again.images[0]?.data).toEqual(random.images[0]?.data);
  });

  test('many prompts in one call cause no warning from Node', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const stage = { steps: 1 };
    const options = { prior: stage, decoder: stage, upsample: stage, batchSize: 12 };
    const { images } = await karlo.textToImage(Array(12).fill(heart), options);
    expect(images).toHaveLength(12);
    expect(warn).not.toHaveBeenCalled();
  });

  test('warns of text that does not fit and is left out', async () => {
    const { warnings } = await karlo.textToImage(`${'very '.repeat(90)}red heart`, short);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/is too long: '.*red heart' was left out/);
  });
});

/** Records the number of rows of every network step from now on. */
function watchSteps(): number[] {
  const rows: number[] = [];
  const { run } = ScriptModule.prototype;
  const spy = vi.spyOn(ScriptModule.prototype, 'run');
  spy.mockImplementation(function (
    this: ScriptModule,
    ...[method, inputs, options]: Parameters<typeof run>
  ) {
    const [x] = (inputs ?? []) as Tensor[];
    if (method === 'step_at') rows.push(x?.shape[0] as number);
    return run.call(this, method, inputs, options);
  } as typeof run);
  return rows;
}

describe('guidance', () => {
  test.each([
    [0, 2],
    [1, 1],
    [1.5, 2],
  ])('a scale of %d takes %d rows per image', async (guidanceScale, halves) => {
    const rows = watchSteps();
    const stage = { steps: 1, guidanceScale };
    await karlo.textToImage(heart, { ...short, prior: stage, decoder: stage });
    expect(rows).toEqual([halves, halves, 1, 1]);
  });

  test('in an interval takes two rows per image in its steps alone', async () => {
    const rows = watchSteps();
    const stage = { steps: 4, sampler: 'dpm++', guidanceInterval: [0.2, 0.6] } as const;
    await karlo.textToImage(heart, { ...short, prior: stage, decoder: stage });
    expect(rows).toEqual([1, 2, 2, 1, 1, 2, 2, 1, 1, 1]);
  });
});

describe('samplers', () => {
  test('that solve an ODE depend on the seed, and agree with more steps', async () => {
    const images = async (decoder: StageOptions, seed = 0) =>
      (await karlo.textToImage(heart, { ...short, seed, decoder })).images[0]?.data as Uint8Array;
    const distance = (a: Uint8Array, b: Uint8Array) =>
      a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
    const solution = await images({ timestepRespacing: 'ddim250' });
    for (const sampler of ['ddim', 'dpm++', 'unipc'] as const) {
      const [few, many] = [
        await images({ sampler, steps: 5 }),
        await images({ sampler, steps: 50 }),
      ];
      expect(distance(many, solution), sampler).toBeLessThan(0.6 * distance(few, solution));
      expect(await images({ sampler, steps: 5 })).toEqual(few);
      expect(await images({ sampler, steps: 5 }, 1)).not.toEqual(few);
    }
  });

  test('and an interval outside all steps give the unguided image', async () => {
    const decoder = { steps: 4, sampler: 'dpm++' } as const;
    const outside = { ...decoder, guidanceInterval: [0.99, 1] } as const;
    const [skipped, unguided] = [
      await karlo.textToImage(heart, { ...short, seed: 0, decoder: outside }),
      await karlo.textToImage(heart, {
        ...short,
        seed: 0,
        decoder: { ...decoder, guidanceScale: 1 },
      }),
    ];
    expect(skipped.images[0]?.data).toEqual(unguided.images[0]?.data);
  });
});

describe('events', () => {
  test('report steps of each stage with previews of x0, then each image', async () => {
    const events: GenerationEvent[] = [];
    const task = karlo.textToImage(heart, { ...short, seed: 0, count: 2, previews: true });
    for await (const event of task) events.push(event);
    const { images } = await task;
    const steps = events.filter((event) => event.type === 'step');
    expect(new Set(steps.map(({ stage }) => stage))).toEqual(
      new Set(['prior', 'decoder', 'upsample']),
    );
    expect(steps.filter(({ stage }) => stage === 'decoder').at(-1)).toMatchObject({
      step: 6,
      steps: 6,
    });
    for (const { stage, previews } of steps) {
      if (stage === 'prior') expect(previews).toBeUndefined();
      else expect(previews?.[0]?.image.width).toBe(stage === 'decoder' ? 32 : 128);
    }
    const finished = events.filter((event) => event.type === 'image');
    expect(finished.map(({ index }) => index)).toEqual([0, 1]);
    expect(finished[1]?.image).toBe(images[1]);
  });

  test('a slow iterator gets the newest step and delays nothing', async () => {
    const task = karlo.textToImage(heart, { ...short, seed: 0 });
    await task;
    const events: GenerationEvent[] = [];
    for await (const event of task) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['step', 'image']);
  });

  test('leaving the iterator aborts the call', async () => {
    const task = karlo.textToImage(heart, { seed: 0 });
    for await (const _ of task) break;
    await expect(task).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('two iterators share the events, and both end', async () => {
    const task = karlo.textToImage(heart, { ...short, seed: 0, count: 3 });
    const seen: GenerationEvent[] = [];
    const read = async () => {
      for await (const event of task) seen.push(event);
    };
    await Promise.all([read(), read()]);
    const finished = seen.flatMap((event) => (event.type === 'image' ? [event.index] : []));
    expect(finished.sort()).toEqual([0, 1, 2]);
  });

  test('a task that is only iterated throws from the iterator', async () => {
    const controller = new AbortController();
    const task = karlo.textToImage(heart, { seed: 0, signal: controller.signal });
    const reason = new Error('enough');
    const read = async () => {
      for await (const _ of task) controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
  });
});

describe('ending', () => {
  test('an abort ends a call within a step, and the model stays usable', async () => {
    const rows = watchSteps();
    const controller = new AbortController();
    const task = karlo.textToImage(heart, { seed: 0, count: 8, signal: controller.signal });
    let before = 0;
    const read = async () => {
      for await (const event of task) {
        if (event.type !== 'step' || event.stage !== 'decoder') continue;
        before = rows.length;
        controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
    // This call waits until the aborted one has ended.
    expect((await karlo.textToImage(heart, { ...short, seed: 0 })).images).toHaveLength(1);
    const secondCall = 3 + 3 + 2;
    expect(rows.length - before - secondCall).toBeLessThanOrEqual(1);
  });

  test('dispose ends the calls in progress, is idempotent, and rejects later calls', async () => {
    const own = await Karlo.load({ device: testDevice });
    const running = own.textToImage(heart, { seed: 0, count: 8 });
    const ended = expect(running).rejects.toMatchObject({ code: 'ERR_KARLO_DISPOSED' });
    await Promise.all([own.dispose(), own.dispose()]);
    await ended;
    expect(() => own.textToImage(heart)).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_DISPOSED' }),
    );
  });

  test('wrong arguments are rejected before any work', async () => {
    expect(() => karlo.textToImage(heart, { decoder: { steps: 0 } })).toThrow(
      'Expected integer between 1 and 1000 for decoder.steps but received 0',
    );
    await expect(Karlo.load({ model: '/nowhere' })).rejects.toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
    });
  });

  test.each<[object | number, RegExp]>([
    [{ dtype: 'float16', device: 'cpu' }, /'float32' or 'bfloat16' on the CPU for dtype/],
    [{ dtype: 'int8' }, /for dtype but received 'int8'/],
    [{ device: 'gpu' }, /'cuda:N' or 'mps' for device but received 'gpu': did you mean cuda\?/],
    [{ model: 5 }, /for model but received 5/],
    [{ threads: 0 }, /integer between 1 and 1024 for threads/],
    [{ residency: 'half' }, /resident, staged for residency/],
    [{ onProgress: 1 }, /Expected function for onProgress/],
    [{ signal: 1 }, /Expected AbortSignal for signal/],
    [{ modle: 'karlo-tiny' }, /Unknown option modle: did you mean model\?/],
    [5, /Expected object for options/],
  ])('load rejects %o', async (options, message) => {
    await expect(Karlo.load(options as never)).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  test('the shared model rejects wrong arguments before it loads', async () => {
    vi.stubEnv('KARLO_MODEL', '/nowhere/model');
    const wrong = expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect(() => shared.textToImage(heart, { cuont: 1 } as never)).toThrow(wrong);
    expect(() => shared.imageVariation('a.png', 5 as never)).toThrow(wrong);
    expect(() => shared.finish([])).toThrow(wrong);
    await expect(shared.textToImage(heart)).rejects.toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
    });
    vi.unstubAllEnvs();
  });
});
