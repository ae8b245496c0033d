import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/images/decode.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { SafetyChecker } from '../../lib/safety/checker.js';
import { type ConceptSet, cosinesOf } from '../../lib/safety/concepts.js';
import { findDescription, placeChecker } from '../../lib/safety/load-checker.js';
import { Engine } from '../../lib/torch/engine.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = 'test/fixtures/safety';

interface Golden {
  readonly image: string;
  readonly specialCare: number[];
  readonly concepts: number[];
  readonly unsafe: boolean;
}

const goldens: Golden[] = JSON.parse(readFileSync(join(folder, 'verdicts.json'), 'utf8'));

let images: Pixels[];
beforeAll(async () => {
  const paths = goldens.map(({ image }) => `test/fixtures/pictures/${image}.png`);
  images = await Promise.all(paths.map((path) => decodeImage(path)));
});

describe.each(['model.safetensors', 'pytorch_model.bin'])('a checker with %s', (weights) => {
  const own = temporaryFolder();
  let checker: SafetyChecker;
  beforeAll(async () => {
    for (const name of ['config.json', 'preprocessor_config.json', weights]) {
      copyFileSync(join(folder, name), join(own, name));
    }
    checker = await SafetyChecker.load(own, { device: 'cpu' });
  });
  afterAll(() => checker.dispose());

  test('has the verdicts of the reference', async () => {
    const verdicts = await checker.check(images);
    expect(verdicts.map(({ unsafe }) => unsafe)).toEqual(goldens.map(({ unsafe }) => unsafe));
    expect(new Set(goldens.map(({ unsafe }) => unsafe))).toEqual(new Set([true, false]));
  });
});

test('cosines agree with the reference to within 1e-4', async () => {
  const engine = new Engine();
  const placement = { engine, device: 'cpu', dtype: 'float32' } as const;
  const loaded = await placeChecker(await findDescription(folder), placement);
  const embeddings = await loaded.embed(images, undefined);
  const difference = (set: ConceptSet, expected: readonly number[], i: number) => {
    const cosines = cosinesOf(embeddings[i] as Float32Array, set);
    expect(cosines).toHaveLength(expected.length);
    return Math.max(...cosines.map((one, k) => Math.abs(one - (expected[k] as number))));
  };
  for (const [i, { specialCare, concepts }] of goldens.entries()) {
    expect(difference(loaded.concepts.specialCare, specialCare, i)).toBeLessThan(1e-4);
    expect(difference(loaded.concepts.concepts, concepts, i)).toBeLessThan(1e-4);
  }
  await loaded.dispose();
  await engine.dispose();
});

test('an image is unsafe only because of special care', async () => {
  await using checker = await SafetyChecker.load(folder, { device: 'cpu' });
  const verdicts = await checker.check(images);
  const adjusted = verdicts.filter(({ unsafe, reasons = [], scores = {} }) => {
    const hasCare = [0, 1, 2].some((i) => (scores[`special care ${i}`] as number) > 0);
    return unsafe && hasCare && reasons.every((label) => (scores[label] as number) <= 0.01);
  });
  expect(adjusted.length).toBeGreaterThan(0);
});

test('bfloat16 has nearly the same scores', async () => {
  await using float = await SafetyChecker.load(folder, { device: 'cpu' });
  await using half = await SafetyChecker.load(folder, { device: 'cpu', dtype: 'bfloat16' });
  const [a, b] = await Promise.all([float.check(images), half.check(images)]);
  for (const [i, { scores = {} }] of a.entries()) {
    for (const [label, score] of Object.entries(scores)) {
      expect(Math.abs(score - (b[i]?.scores?.[label] as number))).toBeLessThan(0.05);
    }
  }
});
