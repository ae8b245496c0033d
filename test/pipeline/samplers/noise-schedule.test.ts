import { describe, expect, test } from 'vitest';
import { betas, noiseTables, transitions } from '../../../lib/pipeline/samplers/noise-schedule.js';
import { config } from './config.js';

test('betas are capped, positive, and multiply to alpha-bar', () => {
  const values = betas('squaredcos_cap_v2', 1000);
  expect(Math.max(...values)).toBe(0.999);
  expect(Math.min(...values)).toBeGreaterThan(4e-5);
  expect(betas('linear', 1000)[999]).toBeCloseTo(0.02, 12);
  const { alphaBars } = noiseTables('squaredcos_cap_v2', 1000);
  const product = values.slice(0, 500).reduce((all, beta) => all * (1 - beta), 1);
  expect(alphaBars[499]).toBeCloseTo(product, 14);
  expect(alphaBars[999]).toBeGreaterThan(0);
  expect(alphaBars[999]).toBeLessThan(1e-8);
});

describe('transitions', () => {
  test('lead from each timestep to the next, and from the last to no noise', () => {
    const [first, second, ...more] = transitions(config, [700, 300]);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ t: 700, last: false, alphaBarPrevious: second?.alphaBar });
    expect(second).toMatchObject({ t: 300, last: true, alphaBarPrevious: 1 });
  });

  test('reject a timestep that the network was not trained on', () => {
    expect(() => transitions(config, [1000])).toThrow(RangeError);
  });
});
