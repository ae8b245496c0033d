import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schedulerConfig, schedulerFile } from '../../lib/layouts/scheduler-config.js';
import { checkConfig } from '../../lib/networks/config.js';
import { expectCorrupt } from '../support/expect-error.js';

const configOf = (json: unknown, file = 'scheduler_config.json') =>
  schedulerConfig(checkConfig(schedulerFile, json, file), 'unclip-scheduler');

const ofTiny = (stage: string): unknown =>
  JSON.parse(
    readFileSync(
      new URL(`../../models/karlo-tiny/${stage}_scheduler/scheduler_config.json`, import.meta.url),
      'utf8',
    ),
  );

test('reads the three files of the built-in model', () => {
  const common = {
    trainSteps: 1000,
    betaSchedule: 'squaredcos_cap_v2',
    arithmetic: 'unclip-scheduler',
  };
  const fixed = { ...common, varianceType: 'fixed_small_log', predictionType: 'sample' };
  expect(configOf(ofTiny('prior'))).toEqual({ ...fixed, clipSampleRange: 5 });
  expect(configOf(ofTiny('super_res'))).toEqual({ ...fixed, clipSampleRange: 1 });
  const learned = { varianceType: 'learned_range', predictionType: 'epsilon' };
  expect(configOf(ofTiny('decoder'))).toEqual({ ...common, ...learned, clipSampleRange: 1 });
});

test('uses diffusers’ defaults for missing keys', () => {
  expect(configOf({})).toEqual({
    trainSteps: 1000,
    betaSchedule: 'squaredcos_cap_v2',
    predictionType: 'epsilon',
    varianceType: 'fixed_small_log',
    clipSampleRange: 1,
    arithmetic: 'unclip-scheduler',
  });
  expect(configOf({ clip_sample: false, clip_sample_range: null }).clipSampleRange).toBeUndefined();
});

test.each([
  [null, 'object for config in decoder.json but received null'],
  [[], 'object for config in decoder.json but received []'],
  [{ num_train_timesteps: 0 }, 'at least 1 for num_train_timesteps in decoder.json'],
  [{ prediction_type: 'v_prediction' }, '"epsilon" or "sample" for prediction_type'],
  [{ beta_schedule: 'sigmoid' }, '"squaredcos_cap_v2" or "linear" for beta_schedule'],
  [{ variance_type: 1 }, '"fixed_small_log" or "learned_range" for variance_type'],
  [{ clip_sample_range: -1 }, 'more than 0 for clip_sample_range'],
  [{ clip_sample_range: null }, 'a number, because clip_sample is true, for clip_sample_range'],
])('rejects %o', (json, message) => {
  expect(() => configOf(json, 'decoder.json')).toThrow(
    expect.objectContaining({
      code: 'ERR_KARLO_MODEL_CORRUPT',
      message: expect.stringContaining(`Expected ${message}`),
    }),
  );
});

test('reads a linear schedule', () => {
  expect(configOf({ beta_schedule: 'linear' }).betaSchedule).toBe('linear');
});

test('names the key of a setting that UnCLIP schedulers do not have', async () => {
  const check = (config: unknown) => () => checkConfig(schedulerFile, config, 'c');
  await expectCorrupt(check({ prediction_type: 'v_prediction' }), 'prediction_type');
  await expectCorrupt(check({ beta_schedule: 'sigmoid' }), 'beta_schedule');
  await expectCorrupt(check([]), 'config');
  await expectCorrupt(check(null), 'config');
});
