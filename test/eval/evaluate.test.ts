// Evaluations of karlo-tiny in this process.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cosine } from '../../lib/embeddings/embedding.js';
import {
  type EvaluateOptions,
  type EvaluationRow,
  evaluate,
  generateImages,
} from '../../lib/eval/index.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { Karlo } from '../../lib/karlo.js';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { short } from '../serve/helpers/server.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const file = join(folder, 'captions.txt');
const texts = [
  ...['a red heart', 'a blue star', 'a green ring', 'a pink moon'],
  ...['a white cross', 'a black square', 'a cyan circle', 'an orange diamond'],
];
const load = { model: 'karlo-tiny', device: 'cpu', dtype: 'float32', threads: 2 } as const;
const setting = { ...short, sampling: 'fast' } as const;
const pictures = 'test/fixtures/pictures';
beforeAll(() => {
  writeFileSync(file, texts.join('\n'));
  vi.stubEnv('KARLO_LIBTORCH', findLibTorch().folder);
  vi.stubEnv('KARLO_CACHE', join(folder, 'cache'));
});
afterAll(() => vi.unstubAllEnvs());

function options(name: string, overrides: Partial<EvaluateOptions> = {}): EvaluateOptions {
  const output = join(folder, name);
  return { ...load, captions: file, output, settings: [setting], batchSize: 4, ...overrides };
}

const imagesIn = (name: string) =>
  readdirSync(join(folder, name, 'fast-4-8')).filter((image) => image.endsWith('.png'));
const bytesOf = (name: string, image: string) =>
  readFileSync(join(folder, name, 'fast-4-8', image));

describe('an evaluation', () => {
  test('generates an image of each caption, and scores them', async () => {
    const phases = new Set<string>();
    const report = await evaluate(
      options('whole', { reference: pictures, onProgress: ({ phase }) => phases.add(phase) }),
    );
    expect(imagesIn('whole')).toEqual(texts.map((_, i) => `00000${i}.png`));
    expect([...phases]).toEqual(['reference', 'load', 'generate', 'score']);
    expect(report).toMatchObject({
      model: { name: 'karlo-tiny' },
      dtype: 'float32',
      captions: { count: 8 },
      clip: 'karlo-tiny',
      distances: { isInception: false, features: 'karlo-tiny', reference: pictures },
    });
    const [row] = report.rows as [EvaluationRow];
    expect(row).toMatchObject({ steps: 'Prior (2) + Decoder (4) + SR (1)', guidance: '4 / 8' });
    const { cosine, torchmetrics } = row.clipScore;
    expect(cosine.low).toBeLessThan(cosine.value);
    expect(cosine.high).toBeGreaterThan(cosine.value);
    expect(torchmetrics.value).toBeCloseTo(Math.max(0, 100 * cosine.value), 6);
    expect(row.frechet?.value).toBeGreaterThan(0);
    expect(row.kernel?.value).toEqual(expect.any(Number));
    expect(JSON.parse(readFileSync(join(folder, 'whole', 'report.json'), 'utf8'))).toEqual(report);
  });

  test('scores images by the cosine of their embedding and that of the caption', async () => {
    await using karlo = await Karlo.load(load);
    const { rows } = await evaluate(options('whole'));
    const cosines = [];
    for (const [i, text] of texts.entries()) {
      const image = await karlo.embedImage(join(folder, 'whole', 'fast-4-8', `00000${i}.png`));
      cosines.push(cosine(await karlo.textFeatures(text), image));
    }
    const mean = cosines.reduce((sum, one) => sum + one, 0) / cosines.length;
    expect(rows[0]?.clipScore.cosine.value).toBeCloseTo(mean, 5);
  });

  test("images have the seed of their caption, and are those of the model's own method", async () => {
    await using karlo = await Karlo.load(load);
    const path = join(folder, 'whole', 'fast-4-8', '000003.png');
    expect(await readRecipe(path)).toMatchObject({ prompt: 'a pink moon', seed: 3, batchSize: 4 });
    const { images } = await karlo.textToImage('a pink moon', {
      ...setting,
      seed: 3,
      batchSize: 4,
    });
    expect(await images[0]?.toBuffer()).toEqual(bytesOf('whole', '000003.png'));
  });

  test('continues where it was aborted, with the same images', async () => {
    const controller = new AbortController();
    const stop = new Error('enough');
    const onProgress: EvaluateOptions['onProgress'] = ({ phase, done }) => {
      if (phase === 'generate' && done >= 3) controller.abort(stop);
    };
    const aborted = options('resumed', { signal: controller.signal, onProgress });
    await expect(evaluate(aborted)).rejects.toBe(stop);
    const before = imagesIn('resumed');
    expect(before.length).toBeGreaterThanOrEqual(3);
    expect(before.length).toBeLessThan(8);
    expect(await generateImages(options('resumed'))).toEqual({
      images: 8,
      generated: 8 - before.length,
    });
    for (const image of imagesIn('whole')) {
      expect(bytesOf('resumed', image)).toEqual(bytesOf('whole', image));
    }
  });

  test('a larger limit adds to a smaller one', async () => {
    const few = options('limited', { limit: 2 });
    expect(await generateImages(few)).toEqual({ images: 2, generated: 2 });
    const more = { ...few, limit: 5 };
    expect(await generateImages(more)).toEqual({ images: 5, generated: 3 });
    const { captions } = await evaluate(more);
    expect(captions.count).toBe(5);
  });

  test('machines that share a folder each generate a part', async () => {
    for (const index of [1, 2]) {
      const part = { ...options('shared'), shard: { index, count: 2 } };
      expect(await generateImages(part)).toEqual({ images: 4, generated: 4 });
    }
    expect(await generateImages(options('shared'))).toEqual({ images: 8, generated: 0 });
  });

  test('each setting is a row', async () => {
    const settings = [4, 8].map((guidanceScale) => ({
      ...setting,
      decoder: { steps: 2, guidanceScale },
    }));
    const two = options('rows', { settings, limit: 2 });
    const { rows } = await evaluate(two);
    expect(rows.map(({ guidance }) => guidance)).toEqual(['4 / 4', '4 / 8']);
    expect(readFileSync(join(two.output, 'report.md'), 'utf8')).toContain('| 4 / 4 |');
  });
});

describe('an output folder is not continued', () => {
  const refused = (name: string, overrides: Partial<EvaluateOptions>, ...parts: string[]) =>
    expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => evaluate(options(name, overrides)),
      'Use another output folder',
      ...parts,
    );

  test('with other steps', () =>
    refused(
      'whole',
      { settings: [{ ...setting, decoder: { steps: 5 } }] },
      'Expected 4 for decoder.steps',
      'received 5',
    ));
  test('with another seed', () => refused('whole', { seed: 1 }, 'Expected 0 for seed'));
  test('with other captions', () =>
    refused('whole', { captions: [{ number: 0, text: 'a heart' }] }, 'the captions'));
  test('with another dtype', () => refused('whole', { dtype: 'bfloat16' }, 'float32 for dtype'));

  test('with other weights', async () => {
    const manifest = join(folder, 'shared', 'fast-4-8', 'evaluation.json');
    const changed = JSON.parse(readFileSync(manifest, 'utf8'));
    changed.model = { name: 'another', sha256: '0' };
    writeFileSync(manifest, JSON.stringify(changed));
    await refused('shared', {}, 'Expected another, as the images', 'but received karlo-tiny');
  });

  test('without a record of its images', async () => {
    rmSync(join(folder, 'limited', 'fast-4-8', 'evaluation.json'));
    await expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => generateImages(options('limited')),
      'has images without it',
    );
  });
});

describe('before any image is generated, an error reports', () => {
  const fails = (overrides: object, ...parts: string[]) =>
    expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => evaluate(options('unused', overrides)),
      ...parts,
    );

  test('an unknown preset', () => fails({ preset: 'karlo-coko' }, 'karlo-coco'));
  test('an unknown option', () => fails({ limmit: 3 }, 'did you mean limit?'));
  test('an empty caption', () => fails({ captions: [{ number: 0, text: ' ' }] }, 'caption 0'));
  test('a reference that does not exist', () => fails({ reference: 'nowhere' }, 'nowhere'));
  test('a reference without two images', () => fails({ reference: folder }, 'at least two images'));
  test('two settings with one folder', () =>
    fails({ settings: [setting, { ...setting, upsample: { steps: 2 } }] }, 'two of fast-4-8'));

  test('a missing CLIP', () =>
    expectCode(
      'ERR_KARLO_MODEL_NOT_FOUND',
      () => evaluate(options('unused', { clip: join(folder, 'no-clip') })),
      'no-clip',
    ));
});

test('statistics of the reference are cached, and can be passed as a file', async () => {
  const references = join(folder, 'cache', 'references');
  const [cached] = readdirSync(references);
  const [ofImages, ofFile] = [
    await evaluate(options('resumed', { reference: pictures })),
    await evaluate(options('resumed', { reference: join(references, cached as string) })),
  ];
  expect(readdirSync(references)).toEqual([cached]);
  expect(ofFile.rows).toEqual(ofImages.rows);
});
