import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scheduleConfig } from '../../lib/pipeline/samplers/index.js';

const ofTiny = (stage: string): unknown =>
  JSON.parse(
    readFileSync(
      new URL(`../../models/karlo-tiny/${stage}_scheduler/scheduler_config.json`, import.meta.url),
      'utf8',
    ),
  );

test('the built-in model’s three stages', () => {
  const common = { trainSteps: 1000, betaSchedule: 'squaredcos_cap_v2', tables: 'float32' };
  const fixed = { ...common, variance: 'fixed_small_log', prediction: 'sample' };
  expect(scheduleConfig(ofTiny('prior'))).toEqual({ ...fixed, clip: 5 });
  expect(scheduleConfig(ofTiny('super_res'))).toEqual({ ...fixed, clip: 1 });
  const learned = { variance: 'learned_range', prediction: 'epsilon' };
  expect(scheduleConfig(ofTiny('decoder'))).toEqual({ ...common, ...learned, clip: 1 });
});

test('absent keys have diffusers’ defaults', () => {
  expect(scheduleConfig({})).toEqual({
    trainSteps: 1000,
    betaSchedule: 'squaredcos_cap_v2',
    prediction: 'epsilon',
    variance: 'fixed_small_log',
    clip: 1,
    tables: 'float32',
  });
  expect(scheduleConfig({ clip_sample: false, clip_sample_range: null }).clip).toBeUndefined();
});

test.each([
  [null, 'a JSON object for decoder.json but found null'],
  [[], 'a JSON object for decoder.json but found []'],
  [{ num_train_timesteps: 0 }, 'a positive integer for num_train_timesteps in decoder.json'],
  [{ prediction_type: 'v_prediction' }, 'one of epsilon, sample for prediction_type'],
  [{ beta_schedule: 'sigmoid' }, 'one of squaredcos_cap_v2, linear for beta_schedule'],
  [{ variance_type: 1 }, 'one of fixed_small_log, learned_range for variance_type'],
  [{ clip_sample_range: -1 }, 'a positive number for clip_sample_range'],
])('%o is refused', (json, message) => {
  expect(() => scheduleConfig(json, 'decoder.json')).toThrow(
    expect.objectContaining({
      code: 'ERR_KARLO_MODEL_CORRUPT',
      message: expect.stringContaining(`Expected ${message}`),
    }),
  );
});
