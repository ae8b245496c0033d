import { expect, test } from 'vitest';
import { alphaBars, betas } from '../../../../lib/pipeline/samplers/arithmetic/noise-schedule.js';

test('betas are capped, positive, and multiply to alpha-bar', () => {
  const values = betas('squaredcos_cap_v2', 1000);
  expect(Math.max(...values)).toBe(0.999);
  expect(Math.min(...values)).toBeGreaterThan(4e-5);
  const levels = alphaBars(values);
  const product = values.slice(0, 500).reduce((all, beta) => all * (1 - beta), 1);
  expect(levels[499]).toBeCloseTo(product, 14);
  expect(levels[999]).toBeGreaterThan(0);
  expect(levels[999]).toBeLessThan(1e-8);
});

test('linear betas reach 0.02 exactly, and scale with the number of timesteps', () => {
  expect(betas('linear', 1000)[0]).toBe(1e-4);
  expect(betas('linear', 1000)[999]).toBe(0.02);
  expect(betas('linear', 100)[99]).toBe(0.2);
});
