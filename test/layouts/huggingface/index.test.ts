import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recogniseFolder } from '../../../lib/layouts/index.js';
import type { ComponentName } from '../../../lib/networks/registry.js';
import { readWeights } from '../../../lib/weights/index.js';
import { writeSafetensors } from '../../../lib/weights/safetensors/write.js';
import { KAKAO_SHAPED, weightName, writeRandomModel } from '../../fixtures/random-model.js';
import { expectCode, expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const tiny = fileURLToPath(new URL('../../../models/karlo-tiny', import.meta.url));
const root = temporaryFolder();
const valid = join(root, 'valid');
const model = join(root, 'model');

async function open(folder: string) {
  const source = await recogniseFolder(folder);
  if (source.kind === 'converted') throw new Error(source.kind);
  return source.describe();
}

it('describes every tensor of karlo-tiny', async () => {
  const { components, schedulers, featureExtractor } = await open(tiny);
  const counts = Object.values(components).map((c) => [c.component, c.tensors.size]);
  expect(counts).toEqual([
    ['image_encoder', 56],
    ['text_encoder', 37],
    ['prior', 82],
    ['decoder', 330],
    ['text_proj', 11],
    ['super_res_first', 176],
    ['super_res_last', 176],
  ]);
  expect(schedulers.super_res_scheduler?.prediction_type).toBe('sample');
  expect(schedulers.prior_scheduler?.clip_sample_range).toBe(5);
  expect(featureExtractor?.size).toEqual({ shortest_edge: 64 });
});

it('describes the networks of one task', async () => {
  const source = await recogniseFolder(tiny);
  if (source.kind === 'converted') throw new Error(source.kind);
  const { components } = await source.describe({ task: 'imageVariation' });
  expect(components.prior).toBeUndefined();
  expect(components.image_encoder).toBeDefined();
});

describe('a folder with an error', () => {
  beforeAll(() => writeRandomModel(valid));
  beforeEach(() => {
    rmSync(model, { recursive: true, force: true });
    cpSync(valid, model, { recursive: true });
  });

  const weights = (name: ComponentName) => join(model, name, weightName(name));

  function configure(name: ComponentName, change: object): void {
    const config = { ...KAKAO_SHAPED[name], ...change };
    writeFileSync(join(model, name, 'config.json'), JSON.stringify(config));
  }

  async function rewrite(name: ComponentName, key: string, change?: object): Promise<void> {
    const path = weights(name);
    const raw = readFileSync(path);
    const { tensors } = await readWeights(path);
    const kept = [...tensors.values()].flatMap((t) => {
      const chunks = () => [raw.subarray(t.offset, t.offset + t.byteLength)];
      const same = { name: t.name, dtype: t.dtype, shape: t.shape, chunks };
      if (t.name !== key) return [same];
      return change ? [{ ...same, ...change }] : [];
    });
    await writeSafetensors(path, kept);
  }

  it('is valid before the error is made', async () => {
    expect(Object.keys((await open(model)).components)).toHaveLength(7);
  });

  it('is rejected for a missing key', async () => {
    await rewrite('prior', 'prd_embedding');
    await expectCorrupt(() => open(model), 'a tensor for prd_embedding in', weights('prior'));
  });

  it('is rejected for an unknown key', async () => {
    await rewrite('decoder', 'conv_in.bias', { name: 'conv_in.bias2' });
    await expectCorrupt(() => open(model), 'conv_in.bias');
    rmSync(model, { recursive: true });
    cpSync(valid, model, { recursive: true });
    configure('prior', { num_layers: 1 });
    await expectCorrupt(() => open(model), 'transformer_blocks.1', 'unknown');
  });

  it('is rejected for a wrong shape', async () => {
    await rewrite('prior', 'norm_out.weight', { shape: [64, 2] });
    await expectCorrupt(() => open(model), 'shape [128] for norm_out.weight', '[64, 2]');
  });

  it('is rejected for a wrong dtype', async () => {
    await rewrite('prior', 'norm_out.weight', { dtype: 'int32' });
    await expectCorrupt(() => open(model), 'floating', 'norm_out.weight', 'int32');
  });

  it('is rejected if two networks do not match each other', async () => {
    await writeRandomModel(model, {
      text_proj: { ...KAKAO_SHAPED.text_proj, cross_attention_dim: 40 },
    });
    await expectCorrupt(() => open(model), '40', 'the context', '48');
  });

  it('is rejected if preprocessing does not give the square of the image encoder', async () => {
    const folder = join(model, 'feature_extractor');
    mkdirSync(folder);
    const configurePreprocessing = (config: object) =>
      writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(config));
    configurePreprocessing({ size: 32, crop_size: 32 });
    expect((await open(model)).featureExtractor?.crop_size).toEqual({ height: 32, width: 32 });
    configurePreprocessing({});
    await expectCorrupt(() => open(model), 'Expected 32 x 32', 'received 224 x 224 (crop_size)');
  });

  it('may have keys of older versions and of a complete CLIP model', async () => {
    const path = weights('text_encoder');
    const { tensors } = await readWeights(path);
    const raw = readFileSync(path);
    const kept = [...tensors.values()].map((t) => ({
      name: t.name,
      dtype: t.dtype,
      shape: t.shape,
      chunks: () => [raw.subarray(t.offset, t.offset + t.byteLength)],
    }));
    const chunks = () => [Buffer.alloc(8)];
    const ids = 'text_model.embeddings.position_ids';
    const old = { name: ids, dtype: 'int64' as const, shape: [1, 1], chunks };
    await writeSafetensors(path, [...kept, old, { ...old, name: 'logit_scale' }]);
    expect((await open(model)).components.text_encoder?.tensors.size).toBe(kept.length);
  });

  it('is rejected for a task with missing files', async () => {
    rmSync(join(model, 'prior'), { recursive: true });
    const source = await recogniseFolder(model);
    if (source.kind === 'converted') throw new Error(source.kind);
    const work = () => source.describe({ task: 'textToImage' });
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', work, 'weights in prior/');
  });
});
