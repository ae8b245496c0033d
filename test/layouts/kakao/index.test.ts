import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { recogniseFolder } from '../../../lib/layouts/index.js';
import { kakaoName } from '../../../lib/layouts/kakao/files.js';
import { kakaoKeys } from '../../../lib/layouts/kakao/networks.js';
import type { ModelDescription } from '../../../lib/layouts/model.js';
import { COMPONENTS } from '../../../lib/networks/registry.js';
import { writeKakaoLayout } from '../../fixtures/kakao-writer.js';
import { KAKAO_SHAPED, writeRandomModel } from '../../fixtures/random-model.js';
import { positions, readCanonical } from '../../fixtures/tensor-data.js';
import { type TensorData, writeTorchArchive } from '../../fixtures/torch-writer.js';
import { expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const root = temporaryFolder();
const published = join(root, 'huggingface');
const kakao = join(root, 'kakao');
let original: ModelDescription;
let mapped: ModelDescription;

async function open(folder: string): Promise<ModelDescription> {
  const source = await recogniseFolder(folder);
  if (source.kind === 'converted') throw new Error(source.kind);
  return source.describe();
}

beforeAll(async () => {
  await writeRandomModel(published);
  await writeKakaoLayout(published, kakao);
  original = await open(published);
  mapped = await open(kakao);
}, 60_000);

describe('a Kakao folder with the weights of a Hugging Face folder', () => {
  it('has the same tensors, bit for bit', async () => {
    expect(mapped.layout).toBe('kakao');
    for (const name of COMPONENTS) {
      const expected = original.components[name]?.tensors;
      const actual = mapped.components[name]?.tensors;
      expect([...(actual?.keys() ?? [])]).toEqual([...(expected?.keys() ?? [])]);
      for (const [key, tensor] of expected ?? []) {
        const other = actual?.get(key);
        if (!other) throw new Error(key);
        const [a, b] = await Promise.all([readCanonical(tensor), readCanonical(other)]);
        expect(Buffer.compare(a.bytes, b.bytes), `${name} ${key}`).toBe(0);
        expect(b.shape).toEqual(a.shape);
      }
    }
  }, 60_000);

  it('has the same configs, which are inferred', () => {
    for (const name of COMPONENTS) {
      expect(mapped.components[name]?.config, name).toEqual(original.components[name]?.config);
    }
  });

  it("has Kakao's schedulers and preprocessing", () => {
    expect(mapped.schedulers.prior_scheduler).toMatchObject({
      clip_sample_range: 10,
      prediction_type: 'sample',
      variance_type: 'fixed_small_log',
    });
    expect(mapped.schedulers.decoder_scheduler).toMatchObject({
      clip_sample_range: 1,
      prediction_type: 'epsilon',
      variance_type: 'learned_range',
    });
    expect(mapped.schedulers.super_res_scheduler).toMatchObject({
      prediction_type: 'epsilon',
      variance_type: 'fixed_small_log',
    });
    expect(mapped.featureExtractor).toMatchObject({
      size: { height: 32, width: 32 },
      do_center_crop: false,
    });
  });
});

describe('the key map', () => {
  const source = (component: 'prior' | 'decoder' | 'text_encoder', name: string) => {
    const tensor = mapped.components[component]?.tensors.get(name);
    if (!tensor) throw new Error(name);
    return { key: tensor.source.name, at: positions(tensor.source.shape, tensor.steps), tensor };
  };

  it('interleaves q, k, v by head in the prior', () => {
    // Width 128, 2 heads: the second head's k are rows 192 + 64 to 192 + 127 of c_qkv.
    const k = source('prior', 'transformer_blocks.1.attn1.to_k.bias');
    expect(k.key).toBe('model.transformer.resblocks.1.attn.c_qkv.bias');
    expect([k.at[0], k.at[63], k.at[64], k.at[127]]).toEqual([64, 127, 256, 319]);
    const v = source('prior', 'transformer_blocks.0.attn1.to_v.weight');
    expect([v.at[0], v.at[64 * 128]]).toEqual([128 * 128, 320 * 128]);
  });

  it('interleaves k, v by head in the context of the decoder', () => {
    const v = source('decoder', 'down_blocks.1.attentions.0.add_v_proj.bias');
    expect(v.key).toBe('model.input_blocks.4.1.encoder_kv.bias');
    expect([v.at[0], v.at[63], v.at[64], v.at[127]]).toEqual([64, 127, 192, 255]);
    expect(v.tensor.source.shape).toEqual([256]);
    const q = source('decoder', 'mid_block.attentions.0.to_q.weight');
    expect(q.key).toBe('model.middle_block.1.qkv.weight');
    expect(q.tensor.source.shape).toEqual([384, 128, 1]);
    expect(q.at[64 * 128]).toBe(192 * 128);
  });

  it("stacks q, k, v in CLIP's layers and transposes its projection", () => {
    const k = source('text_encoder', 'text_model.encoder.layers.0.self_attn.k_proj.bias');
    expect(k.key).toBe('transformer.resblocks.0.attn.in_proj_bias');
    expect([k.at[0], k.at[63]]).toEqual([64, 127]);
    const projection = source('text_encoder', 'text_projection.weight');
    expect(projection.key).toBe('text_projection');
    expect([projection.at[0], projection.at[1], projection.at[64]]).toEqual([0, 64, 1]);
  });

  it.each([
    ['down_blocks.0.resnets.1.conv1.weight', 'input_blocks.2.0.in_layers.2.weight'],
    ['down_blocks.0.downsamplers.0.conv2.bias', 'input_blocks.3.0.out_layers.3.bias'],
    ['down_blocks.1.resnets.1.norm1.bias', 'input_blocks.5.0.in_layers.0.bias'],
    ['mid_block.resnets.1.norm2.weight', 'middle_block.2.out_layers.0.weight'],
    ['up_blocks.0.resnets.2.conv_shortcut.weight', 'output_blocks.2.0.skip_connection.weight'],
    ['up_blocks.0.attentions.2.to_out.0.weight', 'output_blocks.2.1.proj_out.weight'],
    ['up_blocks.0.upsamplers.0.conv1.weight', 'output_blocks.2.2.in_layers.2.weight'],
    ['up_blocks.1.resnets.0.time_emb_proj.bias', 'output_blocks.3.0.emb_layers.1.bias'],
    ['conv_norm_out.weight', 'out.0.weight'],
  ])('maps the decoder’s %s to %s', (name, key) => {
    expect(source('decoder', name).key).toBe(`model.${key}`);
  });

  it('numbers an upsampler without attention 1', () => {
    const config = mapped.components.super_res_last?.config;
    if (!config) throw new Error('no config');
    const keys = kakaoKeys('super_res_last', config);
    expect(keys.get('up_blocks.0.upsamplers.0.norm1.bias')?.key).toBe(
      'model_last_step.output_blocks.1.1.in_layers.0.bias',
    );
    expect(keys.get('mid_block.resnets.1.norm1.bias')?.key).toBe(
      'model_last_step.middle_block.1.in_layers.0.bias',
    );
  });
});

describe('an incomplete Kakao folder', () => {
  const broken = join(root, 'broken');
  const floats = (...shape: number[]): TensorData => ({
    dtype: 'float32',
    shape,
    bytes: Buffer.alloc(4 * shape.reduce((a, b) => a * b, 1)),
  });

  async function replaceStats(tensors: TensorData[]): Promise<() => Promise<ModelDescription>> {
    await writeTorchArchive(join(broken, kakaoName('stats')), { kind: 'pair', tensors });
    return () => open(broken);
  }

  beforeAll(async () => {
    const { text_encoder: _, image_encoder: __, decoder: ___, ...rest } = KAKAO_SHAPED;
    const folder = join(root, 'parts');
    await writeRandomModel(folder, { prior: rest.prior });
    await writeKakaoLayout(folder, broken);
  });

  it('is described as far as it is complete', async () => {
    expect(Object.keys((await open(broken)).components)).toEqual(['prior']);
  });

  it('is rejected for statistics of another size or number', async () => {
    await expectCorrupt(
      await replaceStats([floats(64), floats(63)]),
      'shape [64] for 1 in',
      '[63]',
    );
    await expectCorrupt(await replaceStats([floats(64)]), 'a tensor for 1 in', 'stats.th');
  });

  it('is rejected for a missing or unknown key, or one of another shape', async () => {
    const path = join(broken, kakaoName('prior'));
    const write = (tensors: [string, TensorData][]) => async () => {
      await writeTorchArchive(path, { kind: 'state_dict', tensors: new Map(tensors) });
      return open(broken);
    };
    await replaceStats([floats(64), floats(64)]);
    await expectCorrupt(write([]), 'a tensor for model.clip_img_proj.weight in', path);
    const projection: [string, TensorData] = ['model.clip_img_proj.weight', floats(100, 64)];
    await expectCorrupt(write([projection]), 'a multiple of 64', 'clip_img_proj', '100');
    rmSync(path);
    await writeKakaoLayout(join(root, 'parts'), broken);
    const { tensors } = (await open(broken)).components.prior ?? { tensors: new Map() };
    const all = new Map<string, TensorData>();
    for (const { source } of tensors.values()) {
      if (source.file === path) all.set(source.name, floats(...source.shape));
    }
    const extra: [string, TensorData] = ['model.extra', floats(1)];
    await expectCorrupt(write([...all, extra]), 'model.extra', 'unknown');
  });
});
