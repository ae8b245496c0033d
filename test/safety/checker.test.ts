import { readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { SafetyChecker } from '../../lib/safety/checker.js';
import { describeChecker } from '../../lib/safety/checker-folder.js';
import { type Concepts, verdictOf } from '../../lib/safety/concepts.js';
import { writeRandomChecker } from '../fixtures/random-checker.js';
import { expectCode, expectCorrupt } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const parent = temporaryFolder();
let complete: string;
beforeAll(async () => {
  complete = await writeRandomChecker(join(parent, 'complete'), 'safe');
});

let copies = 0;
/** A copy of the folder, in which a JSON file is changed. */
async function changed(name: string, change: (json: Record<string, unknown>) => void) {
  copies += 1;
  const folder = join(parent, `copy-${copies}`);
  await cp(complete, folder, { recursive: true });
  const path = join(folder, name);
  const json = JSON.parse(readFileSync(path, 'utf8'));
  change(json);
  writeFileSync(path, JSON.stringify(json));
  return folder;
}

describe('a verdict', () => {
  const unit = (...values: number[]) => Float32Array.from(values);
  const concepts = (special: number, threshold: number): Concepts => ({
    concepts: { embeds: [unit(1, 0)], thresholds: unit(threshold) },
    specialCare: { embeds: [unit(0, 1), unit(0, 1)], thresholds: unit(special, 1) },
  });
  // Its cosines are 0.6 and 0.8.
  const embedding = unit(3, 4);

  test('is unsafe above the threshold of a concept', () => {
    expect(verdictOf(embedding, concepts(1, 0.5))).toEqual({
      unsafe: true,
      reasons: ['concept 0'],
      scores: { 'special care 0': -0.2, 'special care 1': -0.2, 'concept 0': 0.1 },
    });
    expect(verdictOf(embedding, concepts(1, 0.7))).toMatchObject({ unsafe: false, reasons: [] });
  });

  test('is stricter after a special care concept', () => {
    expect(verdictOf(embedding, concepts(1, 0.605))).toMatchObject({ unsafe: false });
    expect(verdictOf(embedding, concepts(0.7, 0.605))).toMatchObject({
      unsafe: true,
      scores: { 'special care 0': 0.1, 'special care 1': -0.19, 'concept 0': 0.005 },
    });
  });

  test('rounds scores to three decimals', () => {
    expect(verdictOf(embedding, concepts(1, 0.5996))).toMatchObject({ unsafe: false });
    expect(verdictOf(embedding, concepts(1, 0.5994))).toMatchObject({ unsafe: true });
  });
});

describe('a folder', () => {
  test('without preprocessing has that of CLIP', async () => {
    const folder = await changed('config.json', (json) => {
      (json.vision_config as Record<string, unknown>).image_size = 224;
    });
    const { preprocessing } = await describeChecker('test/fixtures/safety');
    expect(preprocessing.crop_size).toEqual({ height: 32, width: 32 });
    await expectCorrupt(() => describeChecker(folder), 'Expected 224 x 224');
  });

  test('of an older transformers has vision_config_dict', async () => {
    const folder = await changed('config.json', (json) => {
      json.vision_config_dict = json.vision_config;
      json.vision_config = { hidden_size: 1 };
    });
    expect((await describeChecker(folder)).encoder.config.hidden_size).toBe(32);
  });

  test('without the config of an encoder is rejected', async () => {
    const folder = await changed('config.json', (json) => delete json.vision_config);
    await expectCorrupt(() => describeChecker(folder), 'vision_config');
  });

  test('whose tensors have another size is rejected', async () => {
    const folder = await changed('config.json', (json) => {
      json.projection_dim = 25;
    });
    await expectCorrupt(() => describeChecker(folder), 'visual_projection.weight');
  });

  test('that is a model is rejected', async () => {
    await expectCode(
      'ERR_KARLO_MODEL_NOT_FOUND',
      () => SafetyChecker.load('models/karlo-tiny'),
      'Expected a safety checker in',
    );
  });
});

test.each<[string, unknown[], string]>([
  ['no name', [undefined], 'a name or the path of a folder'],
  ['an unknown option', ['folder', { dtyp: 'float32' }], 'did you mean dtype?'],
  [
    'float16 on the CPU',
    ['test/fixtures/safety', { device: 'cpu', dtype: 'float16' }],
    'on the CPU',
  ],
])('rejects %s', async (_name, args, message) => {
  const load = SafetyChecker.load as (...args: unknown[]) => Promise<unknown>;
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', () => load(...args), message);
});

test('a disposed checker rejects checks, after those in progress', async () => {
  const checker = await SafetyChecker.load(complete, { device: 'cpu' });
  const image = { width: 40, height: 30, data: new Uint8Array(3 * 40 * 30) };
  const running = checker.check([image]);
  await checker.dispose();
  expect((await running)[0]?.unsafe).toBe(false);
  await expectCode('ERR_KARLO_DISPOSED', () => checker.check([image]));
  await checker.dispose();
});

test('an image has the same verdict alone and among others', async () => {
  await using checker = await SafetyChecker.load(complete, { device: 'cpu' });
  const images = [0, 100, 200].map((value) => ({
    ...{ width: 32, height: 32 },
    data: Uint8Array.from({ length: 3 * 32 * 32 }, (_, i) => (value + 7 * i) % 256),
  }));
  const together = await checker.check(images);
  for (const [i, image] of images.entries()) {
    expect(await checker.check([image])).toEqual([together[i]]);
  }
});

test('a checker whose file was changed checks nothing', async () => {
  const folder = await changed('config.json', () => {});
  await using checker = await SafetyChecker.load(folder, { device: 'cpu' });
  writeFileSync(join(folder, 'model.safetensors'), 'other weights');
  const image = { width: 32, height: 32, data: new Uint8Array(3 * 32 * 32) };
  await expectCode('ERR_KARLO_MODEL_CORRUPT', () => checker.check([image]), 'Load the model again');
});
