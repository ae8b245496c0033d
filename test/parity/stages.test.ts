import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../lib/layouts/open-model.js';
import type { SchedulerConfig } from '../../lib/layouts/scheduler-config.js';
import type { Residency } from '../../lib/networks/residency.js';
import { loadNetworks } from '../../lib/pipeline/load-networks.js';
import { schedule } from '../../lib/pipeline/samplers/index.js';
import { Noise } from '../../lib/pipeline/samplers/noise.js';
import { runDecoder } from '../../lib/pipeline/stages/decoder.js';
import { encodeText, type TextFeatures } from '../../lib/pipeline/stages/encode-text.js';
import { runPrior } from '../../lib/pipeline/stages/prior.js';
import { runUpsample, type UpsampleStage } from '../../lib/pipeline/stages/upsample.js';
import { ClipTokenizer } from '../../lib/tokenizer/index.js';
import { builtInModel } from '../../lib/tokenizer/tokenizer-files.js';
import { Engine } from '../../lib/torch/engine.js';
import type { Tensor } from '../../lib/torch/index.js';
import { Golden } from './golden.js';

// Each stage is given what the reference's own stage was given, so that a drift shows where it starts:
// the case `short` of make-pictures.
const prompt = 'a black moon on a cyan background';
const seed = 3;
const spacing = { prior: { steps: 5 }, decoder: { steps: 4 }, upsample: { steps: 7 } };
const guidance = { prior: 4, decoder: 8, upsample: 1 };

let golden: Golden;
let networks: Residency;
let model: Awaited<ReturnType<typeof openModel>>;
let text: TextFeatures;
let empty: TextFeatures;
const engine = new Engine();

beforeAll(async () => {
  model = await openModel(builtInModel('karlo-tiny'));
  const placement = { engine, device: 'cpu', dtype: 'float32' } as const;
  networks = await loadNetworks(model, 'resident', placement);
  const file = fileURLToPath(new URL('../fixtures/pictures/stages.safetensors', import.meta.url));
  golden = await Golden.read(file);
  const tokenizer = await ClipTokenizer.fromFolder(model.tokenizer.folder);
  await using lease = await networks.lease('text_encoder');
  const encode = async (words: string) =>
    (await encodeText(words, tokenizer, lease.text_encoder, undefined)).text;
  [text, empty] = [await encode(prompt), await encode('')];
});
afterAll(async () => {
  await networks.dispose();
  await engine.dispose();
});

const given = (name: string) => golden.tensor(name) as Tensor<'float32'>;

function furthest(ours: Tensor, theirs: Tensor): number {
  expect(ours.shape).toEqual(theirs.shape);
  const expected = (theirs as Tensor<'float32'>).toTypedArray();
  return (ours as Tensor<'float32'>)
    .toTypedArray()
    .reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] as number))), 0);
}

function loop(stage: keyof typeof spacing, noise: Noise) {
  const name = `${stage === 'upsample' ? 'super_res' : stage}_scheduler` as const;
  const config = model.schedulers[name] as SchedulerConfig;
  return {
    ...{ steps: schedule(config, spacing[stage]), clip: config.clipSampleRange, noise },
    ...{ guidanceScale: guidance[stage], signal: undefined, onStep: () => {} },
  };
}

/** Noise as it is when a stage begins: what the stages before it draw is drawn. */
function noiseAfter(...stages: (keyof typeof spacing)[]): Noise {
  const noise = new Noise([seed], 'cpu');
  const shapes = { prior: [96], decoder: [3, 32, 32], upsample: [3, 128, 128] };
  for (const stage of stages) {
    const draws = 1 + loop(stage, noise).steps.filter((step) => step.noise !== 'none').length;
    for (let i = 0; i < draws; i += 1) noise.draw(shapes[stage]).dispose();
  }
  return noise;
}

/** The golden features of the prompt (row 0) and of the empty prompt (row 1). */
function features(row: number): TextFeatures {
  const own = row === 0 ? text : empty;
  const take = (name: string) => given(name).slice(0, row, row + 1);
  return { ...own, embeds: take('text_embeds'), hidden: take('text_hidden'), mask: own.mask };
}

// Measured on the golden's machine beside each limit; values are of the order of 1.
describe('each stage, from what the reference’s was given', () => {
  test('text encoder', () => {
    for (const [row, own] of [text, empty].entries()) {
      expect(furthest(own.embeds, features(row).embeds)).toBeLessThan(1e-5);
      expect(furthest(own.hidden, features(row).hidden)).toBeLessThan(1e-5);
    }
  });

  test('image encoder', async () => {
    await using lease = await networks.lease('image_encoder');
    const embeds = await lease.image_encoder.encode(given('variation_pixels'));
    expect(furthest(embeds, given('variation_embeds'))).toBeLessThan(1e-5);
  });

  test('prior', async () => {
    await using lease = await networks.lease('prior');
    const settings = loop('prior', noiseAfter());
    using prompt = await lease.prior.prefill(features(0));
    using none = await lease.prior.prefill(features(1));
    const embeds = await runPrior(lease.prior, 96, prompt, none, settings);
    expect(furthest(embeds, given('image_embeds'))).toBeLessThan(1e-4);
  });

  test('decoder', async () => {
    await using lease = await networks.lease('text_proj', 'decoder');
    const stage = {
      ...{ textProjection: lease.text_proj, decoder: lease.decoder },
      shape: [3, 32, 32] as const,
    };
    const settings = loop('decoder', noiseAfter('prior'));
    const embeds = given('image_embeds');
    const small = await runDecoder(stage, embeds, features(0), features(1), settings);
    // Embeddings that are off by 1e-6 move this by up to 1.6e-3 under a guidance of 8: twice that.
    expect(furthest(small, given('small'))).toBeLessThan(3.2e-3);
  });

  test('super-resolution', async () => {
    const stage: UpsampleStage = {
      lease: (name) => networks.lease(name),
      shape: [3, 128, 128],
    };
    const settings = loop('upsample', noiseAfter('prior', 'decoder'));
    const large = await runUpsample(stage, given('small'), settings);
    const pictures = large.mul(0.5).add(0.5).clamp(0, 1).permute([0, 2, 3, 1]);
    expect(furthest(pictures, given('images'))).toBeLessThan(1e-3);
  });

  test('a wrong seed would be seen', async () => {
    await using lease = await networks.lease('prior');
    const settings = loop('prior', new Noise([seed + 1], 'cpu'));
    using prompt = await lease.prior.prefill(features(0));
    using none = await lease.prior.prefill(features(1));
    const embeds = await runPrior(lease.prior, 96, prompt, none, settings);
    expect(furthest(embeds, given('image_embeds'))).toBeGreaterThan(0.01);
  });
});
