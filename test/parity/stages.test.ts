import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import type { Residency } from '../../lib/networks/residency.js';
import type { TextFeatures } from '../../lib/networks/text-encoder.js';
import { resolveTextToImage } from '../../lib/options/resolve-generation.js';
import { loadNetworks } from '../../lib/pipeline/load-networks.js';
import { Noise } from '../../lib/pipeline/samplers/noise.js';
import { DecoderStage } from '../../lib/pipeline/stages/decoder.js';
import { schedulerOf } from '../../lib/pipeline/stages/index.js';
import { PriorStage } from '../../lib/pipeline/stages/prior.js';
import { type StageRun, stageRun } from '../../lib/pipeline/stages/stage.js';
import { type EncodedPrompt, TextEncoderStage } from '../../lib/pipeline/stages/text-encoder.js';
import { UpsampleStage } from '../../lib/pipeline/stages/upsample.js';
import type { StageName } from '../../lib/pipeline/task.js';
import { ClipTokenizer } from '../../lib/tokenizer/tokenizer.js';
import { Engine } from '../../lib/torch/engine.js';
import type { Tensor } from '../../lib/torch/index.js';
import { testDevice } from '../support/test-device.js';
import { Golden } from './golden.js';

// Each stage gets the inputs of the reference's stage, so that a deviation is found in the stage that causes it:
// the case `short` of test/reference/pipelines.py.
const prompt = 'a black moon on a cyan background';
const seed = 3;
const spacing = { prior: { steps: 5 }, decoder: { steps: 4 }, upsample: { steps: 7 } };
const settings = resolveTextToImage(prompt, spacing);

let golden: Golden;
let networks: Residency;
let model: Model;
let encoded: EncodedPrompt[];
const engine = new Engine();

beforeAll(async () => {
  model = await openModel(builtInModel('karlo-tiny'));
  const placement = { engine, device: testDevice, dtype: 'float32' } as const;
  networks = await loadNetworks(model, 'resident', placement);
  const file = fileURLToPath(new URL('../fixtures/pictures/stages.safetensors', import.meta.url));
  golden = await Golden.read(file);
  const tokenizer = await ClipTokenizer.fromFolder(model.tokenizer.folder);
  encoded = await new TextEncoderStage(networks, tokenizer).run([prompt, '']);
});
afterAll(async () => {
  await networks.dispose();
  await engine.dispose();
});

const goldenOf = (name: string) =>
  golden.tensor(name).to({ device: testDevice }) as Tensor<'float32'>;

function furthest(ours: Tensor, theirs: Tensor): number {
  expect(ours.shape).toEqual(theirs.shape);
  const expected = (theirs as Tensor<'float32'>).toTypedArray();
  return (ours as Tensor<'float32'>)
    .toTypedArray()
    .reduce((max, value, i) => Math.max(max, Math.abs(value - (expected[i] as number))), 0);
}

function runOf(stage: StageName, noise: Noise): StageRun {
  const others = { noise, signal: undefined, onStep: () => {} };
  return stageRun(schedulerOf(model, stage), settings[stage], others);
}

/** Noise as it is when a stage begins: the stages before it have drawn theirs. */
function noiseAfter(...stages: ('prior' | 'decoder')[]): Noise {
  const noise = new Noise([{ seed }], testDevice);
  const shapes = { prior: [96], decoder: [3, 32, 32] };
  for (const stage of stages) {
    // At the start, and in every step but the last.
    for (let i = 0; i < spacing[stage].steps; i += 1) noise.draw(shapes[stage]).dispose();
  }
  return noise;
}

/** The golden features of the prompt (row 0) and of the empty prompt (row 1). */
function features(row: 0 | 1): TextFeatures {
  const take = (name: string) => goldenOf(name).slice(0, row, row + 1);
  const { mask } = (encoded[row] as EncodedPrompt).text;
  return { embeds: take('text_embeds'), hidden: take('text_hidden'), mask };
}

// The limits are above what was measured on the golden's machine; values are of the order of 1.
describe('each stage agrees with the reference’s, given the same inputs', () => {
  test('text encoder', () => {
    for (const row of [0, 1] as const) {
      const { text } = encoded[row] as EncodedPrompt;
      expect(furthest(text.embeds, features(row).embeds)).toBeLessThan(1e-5);
      expect(furthest(text.hidden, features(row).hidden)).toBeLessThan(1e-5);
    }
  });

  test('image encoder', async () => {
    await using lease = await networks.lease('image_encoder');
    const embeds = await lease.image_encoder.encode(goldenOf('variation_pixels'));
    expect(furthest(embeds, goldenOf('variation_embeds'))).toBeLessThan(1e-5);
  });

  test('prior', async () => {
    await using stage = new PriorStage(model, networks);
    const run = runOf('prior', noiseAfter());
    const empty = features(1);
    const embeds = await stage.run(features(0), [empty], empty, run);
    expect(furthest(embeds, goldenOf('image_embeds'))).toBeLessThan(1e-4);
  });

  test('decoder', async () => {
    const stage = new DecoderStage(model, networks);
    const run = runOf('decoder', noiseAfter('prior'));
    const inputs = { imageEmbeds: goldenOf('image_embeds'), text: features(0) };
    const small = await stage.run({ ...inputs, unconditional: [features(1)] }, run);
    // Embeddings that differ by 1e-6 move this by up to 1.6e-3 at a guidance scale of 8: twice that.
    expect(furthest(small, goldenOf('small'))).toBeLessThan(3.2e-3);
  });

  test('super-resolution', async () => {
    const stage = new UpsampleStage(model, networks);
    const large = await stage.run(
      goldenOf('small'),
      runOf('upsample', noiseAfter('prior', 'decoder')),
    );
    const images = large.mul(0.5).add(0.5).clamp(0, 1).permute([0, 2, 3, 1]);
    expect(furthest(images, goldenOf('images'))).toBeLessThan(1e-3);
  });

  test('another seed differs', async () => {
    await using stage = new PriorStage(model, networks);
    const run = runOf('prior', new Noise([{ seed: seed + 1 }], testDevice));
    const empty = features(1);
    const embeds = await stage.run(features(0), [empty], empty, run);
    expect(furthest(embeds, goldenOf('image_embeds'))).toBeGreaterThan(0.01);
  });
});
