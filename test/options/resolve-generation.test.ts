import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import { resolveImageVariation, resolveTextToImage } from '../../lib/options/resolve-generation.js';
import type { StageOptions, TextToImageOptions } from '../../lib/options/types.generated.js';
import { optionsError } from './error-message.js';

/** What a stage has unless its options say otherwise. */
const unchanged = {
  sampler: { name: 'ddpm', eta: 0 },
  guidanceInterval: [0, 1],
  guidanceRescale: 0,
};

describe('defaults', () => {
  test('come from the fast preset', () => {
    const { seeds, ...rest } = resolveTextToImage('a heart');
    expect(rest).toEqual({
      prompts: ['a heart'],
      count: 1,
      sampling: 'fast',
      prior: { spacing: { steps: 25 }, guidanceScale: 4, ...unchanged, candidates: 1 },
      decoder: { spacing: { steps: 25 }, guidanceScale: 8, ...unchanged },
      upsample: { spacing: { steps: 7 }, guidanceScale: 1, ...unchanged },
      candidates: 1,
      stopAfter: undefined,
      batchSize: 1,
      previews: false,
      watermark: '',
      signal: undefined,
    });
    expect(seeds).toHaveLength(1);
  });

  test('of the default preset have 50 decoder steps', () => {
    const { prior, decoder, upsample } = resolveTextToImage('', { sampling: 'default' });
    expect([prior, decoder, upsample].map((stage) => stage.spacing)).toEqual([
      { steps: 25 },
      { steps: 50 },
      { steps: 7 },
    ]);
  });

  test('a stage takes options that are not set from its preset', () => {
    const options = { decoder: { guidanceScale: 1 }, prior: { timestepRespacing: 'ddim25' } };
    const { prior, decoder } = resolveTextToImage('a heart', options);
    expect(decoder).toEqual({ spacing: { steps: 25 }, guidanceScale: 1, ...unchanged });
    expect(prior).toMatchObject({
      ...{ ...unchanged, spacing: { timestepRespacing: 'ddim25' }, guidanceScale: 4 },
      sampler: { name: 'ddim', eta: 0 },
    });
  });

  test('undefined counts as not set', () => {
    const options = { count: undefined, decoder: { steps: undefined }, upsample: undefined };
    expect(resolveTextToImage('a', options)).toMatchObject({
      count: 1,
      decoder: { spacing: { steps: 25 } },
    });
  });

  test('fit defaults to that of the model', () => {
    expect(resolveImageVariation().fit).toBe('cover');
    expect(resolveImageVariation({}, { fit: 'fill' }).fit).toBe('fill');
    expect(resolveImageVariation({ fit: 'cover' }, { fit: 'fill' }).fit).toBe('cover');
  });

  test('a preset takes at most the training timesteps of the model', () => {
    const { decoder } = resolveTextToImage('a', {}, { trainSteps: { decoder: 10 } });
    expect(decoder.spacing).toEqual({ steps: 10 });
  });
});

describe('samplers', () => {
  const samplerOf = (decoder: StageOptions) => resolveTextToImage('a', { decoder }).decoder.sampler;

  test('default to DDPM, or to DDIM with a respacing that names it', () => {
    expect(samplerOf({ steps: 5 }).name).toBe('ddpm');
    expect(samplerOf({ timestepRespacing: '25' }).name).toBe('ddpm');
    expect(samplerOf({ timestepRespacing: 'ddim25' }).name).toBe('ddim');
    expect(samplerOf({ timestepRespacing: 'fast27' }).name).toBe('ddim');
  });

  test('that are set visit the timesteps of any respacing', () => {
    for (const name of ['ddpm', 'ddim', 'dpm++', 'unipc'] as const) {
      const decoder = { sampler: name, timestepRespacing: 'ddim25' };
      expect(resolveTextToImage('a', { decoder }).decoder).toMatchObject({
        ...{ sampler: { name }, spacing: { timestepRespacing: 'ddim25' } },
      });
    }
  });

  test('ddim has an eta', () => {
    expect(samplerOf({ sampler: 'ddim', eta: 0.3 })).toEqual({ name: 'ddim', eta: 0.3 });
    expect(samplerOf({ timestepRespacing: 'ddim25', eta: 1 })).toEqual({ name: 'ddim', eta: 1 });
    expect(samplerOf({ sampler: 'dpm++', eta: 0 })).toEqual({ name: 'dpm++', eta: 0 });
  });

  test('a solver visits fewer timesteps than there are', () => {
    const limits = { trainSteps: { decoder: 1000 }, solverSteps: { decoder: 995 } };
    const error = (decoder: object) => optionsError({ decoder }, limits);
    expect(error({ steps: 996, sampler: 'unipc' })).toBe(
      'Expected integer between 1 and 995 for decoder.steps but received 996',
    );
    const respaced = { timestepRespacing: 'ddim1000', sampler: 'unipc' } as const;
    for (const decoder of [{ steps: 1000 }, respaced]) {
      expect(resolveTextToImage('a', { decoder }, limits).decoder).toMatchObject({});
    }
  });
});

describe('seeds', () => {
  test('count up from the first, past 2^32 - 1 from 0', () => {
    expect(resolveTextToImage('a', { seed: 2 ** 32 - 2, count: 4 }).seeds).toEqual([
      4294967294, 4294967295, 0, 1,
    ]);
  });

  test('an array is used unchanged, and sets the count', () => {
    expect(resolveTextToImage('a', { seed: [7, 7, 0] })).toMatchObject({
      seeds: [7, 7, 0],
      count: 3,
    });
    expect(resolveTextToImage('a', { seed: [3], count: 1 }).seeds).toEqual([3]);
  });

  test('are random and consecutive if none is set', () => {
    const runs = Array.from({ length: 20 }, () => resolveTextToImage('a', { count: 2 }).seeds);
    for (const [first, second] of runs) expect(second).toBe(((first as number) + 1) % 2 ** 32);
    expect(new Set(runs.map(String)).size).toBeGreaterThan(15);
  });

  test.each([
    [
      { seed: -1 },
      'Expected integer between 0 and 4294967295 for seed but received -1: without seed, it is random',
    ],
    [
      { seed: 2 ** 32 },
      'Expected integer between 0 and 4294967295 for seed but received 4294967296',
    ],
    [{ seed: 0.5 }, 'Expected integer between 0 and 4294967295 for seed but received 0.5'],
    [
      { seed: '0' },
      "Expected integer between 0 and 4294967295, or an array of these, for seed but received '0'",
    ],
    [
      { seed: 5n },
      'Expected integer between 0 and 4294967295, or an array of these, for seed but received 5n',
    ],
    [{ seed: [1, 'x'] }, "Expected integer between 0 and 4294967295 for seed[1] but received 'x'"],
    [
      { seed: Array(2) },
      'Expected integer between 0 and 4294967295 for seed[0] but received undefined',
    ],
    [
      { seed: [1, 2], count: 3 },
      'Expected array of 3 seeds, because count is 3, for seed but received 2',
    ],
    [{ seed: [] }, 'Expected array of 1 to 1000 seeds for seed but received 0'],
  ])('%o is rejected', (options, message) => expect(optionsError(options)).toBe(message));
});

test('any options are rejected as invalid arguments or resolved within their ranges', () => {
  const or = (valid: fc.Arbitrary<unknown>) =>
    fc.oneof({ arbitrary: valid, weight: 9 }, { arbitrary: fc.anything(), weight: 1 });
  const stage = or(
    fc.oneof(
      fc.record({ steps: or(fc.integer({ min: 0, max: 1001 })), guidanceScale: or(fc.nat(31)) }),
      fc.record({
        sampler: or(fc.constantFrom('ddim', 'unipc')),
        eta: or(fc.double({ min: 0, max: 1 })),
      }),
      fc.record({
        guidanceInterval: or(
          fc.tuple(fc.double({ min: 0, max: 1 }), fc.double({ min: 0, max: 1 })),
        ),
      }),
      fc.record({ timestepRespacing: or(fc.constantFrom('25', 'ddim25', '10,10', '0', 'ddim9')) }),
    ),
  );
  const options = fc.record(
    {
      ...{ count: or(fc.nat(1001)), seed: or(fc.maxSafeNat()), previews: or(fc.boolean()) },
      ...{
        prior: stage,
        decoder: stage,
        sampling: or(fc.constantFrom('turbo', 'fast', 'default')),
      },
    },
    { requiredKeys: [] },
  );
  let resolved = 0;
  const check = (options: unknown) => {
    let result: ReturnType<typeof resolveTextToImage>;
    try {
      result = resolveTextToImage('a', options as TextToImageOptions);
    } catch (error) {
      expect(error).toBeInstanceOf(KarloError);
      return;
    }
    resolved++;
    expect(result.seeds).toHaveLength(result.count);
    expect(result.seeds.every((s) => Number.isInteger(s) && s >= 0 && s < 2 ** 32)).toBe(true);
    const { guidanceScale, guidanceInterval, sampler } = result.decoder;
    expect(guidanceScale).toBeGreaterThanOrEqual(0);
    expect(guidanceInterval[0]).toBeLessThanOrEqual(guidanceInterval[1]);
    expect(sampler.name === 'ddim' || sampler.eta === 0).toBe(true);
  };
  fc.assert(fc.property(options, check), { numRuns: 2000 });
  expect(resolved).toBeGreaterThan(50);
});
