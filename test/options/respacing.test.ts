import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import {
  defaultsToDdim,
  roundHalfEven,
  type Spacing,
  spacingFault,
  timesteps,
} from '../../lib/options/respacing.js';
import original from '../fixtures/schedule/original.json' with { type: 'json' };

const respaced = (timestepRespacing: string, trainSteps = 1000) =>
  timesteps({ timestepRespacing }, trainSteps);
const digest = (lists: number[][]) =>
  createHash('sha256')
    .update(lists.map((list) => `${list.join(',')}\n`).join(''))
    .digest('hex');
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('timestepRespacing', () => {
  test.each(Object.entries(original.spaced))('%s matches Kakao’s program', (text, want) => {
    expect(respaced(text)).toEqual(want);
  });

  test.each(Object.entries(original.shorter))('%s of 100 timesteps', (text, want) => {
    expect(respaced(text, 100)).toEqual(want);
  });

  test('every count from 1 to 1000 matches Kakao’s program', () => {
    const lists = upTo(1000).map((n) => respaced(String(n)));
    expect(digest(lists)).toBe(original.even.original);
  });

  test('only ddim and fast strings sample with DDIM', () => {
    const ddim = ['ddim25', ' ddim25', 'fast27'].map((timestepRespacing) => ({
      timestepRespacing,
    }));
    expect(ddim.map(defaultsToDdim)).toEqual([true, true, true]);
    expect([{ timestepRespacing: '25' }, { steps: 25 }].map(defaultsToDdim)).toEqual([
      false,
      false,
    ]);
  });
});

describe('steps', () => {
  test('every count from 2 to 1000 matches diffusers', () => {
    const lists = upTo(1000, 2).map((steps) => timesteps({ steps }, 1000));
    expect(digest(lists)).toBe(original.even.diffusers);
  });

  test('differ from Kakao’s program where the accumulated stride rounds differently', () => {
    const differ = upTo(1000, 2).filter(
      (n) => String(timesteps({ steps: n }, 1000)) !== String(respaced(String(n))),
    );
    expect(differ).toEqual(original.even.differ);
    expect(differ).toHaveLength(278);
    expect(timesteps({ steps: 21 }, 1000)[10]).toBe(500);
    expect(respaced('21')[10]).toBe(499);
  });

  test('a single step starts from pure noise', () => {
    expect(timesteps({ steps: 1 }, 1000)).toEqual([999]);
    expect(timesteps({ steps: 1 }, 1)).toEqual([0]);
  });
});

const spacings = fc.integer({ min: 1, max: 1200 }).chain((trainSteps) =>
  fc.record({
    trainSteps: fc.constant(trainSteps),
    spacing: fc.oneof(
      fc.record({ steps: fc.integer({ min: -1, max: 1200 }) }),
      fc.record({
        timestepRespacing: fc.oneof(
          fc.array(fc.nat(400), { minLength: 1, maxLength: 6 }).map((list) => list.join(',')),
          fc.nat(1200).map((n) => `ddim${n}`),
          fc.constant('fast27'),
          fc.string(),
        ),
      }),
    ) as fc.Arbitrary<Spacing>,
  }),
);

test('a spacing is either rejected, or decreases strictly within the training timesteps', () => {
  const seen = { accepted: 0, rejected: 0 };
  fc.assert(
    fc.property(spacings, ({ spacing, trainSteps }) => {
      if (spacingFault(spacing, trainSteps) !== undefined) {
        seen.rejected++;
        expect(() => timesteps(spacing, trainSteps)).toThrow(KarloError);
        return;
      }
      seen.accepted++;
      const steps = timesteps(spacing, trainSteps);
      const inside = (t: number) => Number.isInteger(t) && t >= 0 && t < trainSteps;
      expect(steps.every(inside)).toBe(true);
      expect(steps.every((t, i) => i === 0 || t < (steps[i - 1] as number))).toBe(true);
      if ('steps' in spacing) expect(steps).toHaveLength(spacing.steps);
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.accepted, seen.rejected)).toBeGreaterThan(200);
});

const SHAPES = 'a string such as "25", "10,10,5", "ddim25" or "fast27", of 1 to 1000 steps,';

test.each([
  [{ timestepRespacing: '0' }, 'between 1 and 1000 steps'],
  [{ timestepRespacing: '2000' }, 'between 1 and 1000 steps'],
  [{ timestepRespacing: '500,500,500' }, 'sections of 1 to 333 steps each'],
  [{ timestepRespacing: '5,0' }, 'sections of 1 to 500 steps each'],
  [
    { timestepRespacing: 'ddim999' },
    'ddim2 to ddim1000 with an integer stride ' +
      '(nearest: ddim125, ddim143, ddim167, ddim200, ddim250, ddim334, ddim500, ddim1000)',
  ],
  [{ timestepRespacing: 'a,b' }, SHAPES],
  [{ timestepRespacing: '' }, SHAPES],
  [{ timestepRespacing: '-5' }, SHAPES],
  [{ timestepRespacing: '1e3' }, SHAPES],
  [{ steps: 2000 }, 'integer between 1 and 1000'],
  [{ steps: 2.5 }, 'integer between 1 and 1000'],
  [{ steps: Number.NaN }, 'integer between 1 and 1000'],
] as [Spacing, string][])('%o is rejected', (spacing, fault) => {
  expect(spacingFault(spacing, 1000)).toBe(fault);
  expect(() => timesteps(spacing, 1000)).toThrow(`Expected ${fault} for `);
});

test('fast27 is rejected if there are too few timesteps', () => {
  expect(spacingFault({ timestepRespacing: 'fast27' }, 40)).toBeDefined();
});

test('halves are rounded to even', () => {
  expect([0.5, 1.5, 2.5, 3.5, 499.5].map(roundHalfEven)).toEqual([0, 2, 2, 4, 500]);
  expect([0.4999999, 1.5000001, 2, 498.5].map(roundHalfEven)).toEqual([0, 2, 2, 498]);
});
