import { describe, expect, it } from 'vitest';
import { type ComponentName, parseConfig } from '../../lib/networks/registry.js';
import { KAKAO_SHAPED } from '../fixtures/random-model.js';
import { expectCorrupt } from '../support/expect-error.js';

describe('missing keys', () => {
  it("have diffusers' defaults in the prior, the sizes of the published one", () => {
    expect(parseConfig('prior', {}, 'config.json')).toMatchObject({
      num_attention_heads: 32,
      attention_head_dim: 64,
      num_layers: 20,
      embedding_dim: 768,
      num_embeddings: 77,
      additional_embeddings: 4,
      time_embed_dim: null,
    });
  });

  it("have transformers' defaults in the encoders", () => {
    const text = {
      hidden_size: 512,
      intermediate_size: 2048,
      eos_token_id: 49407,
      pad_token_id: 1,
    };
    expect(parseConfig('text_encoder', {}, 'c')).toMatchObject(text);
    const image = { hidden_size: 768, patch_size: 32, layer_norm_eps: 1e-5 };
    expect(parseConfig('image_encoder', {}, 'c')).toMatchObject(image);
  });

  it('are rejected if the default is not supported', async () => {
    const decoder = { ...KAKAO_SHAPED.decoder };
    delete decoder.mid_block_type;
    const work = () => parseConfig('decoder', decoder, 'decoder/config.json');
    await expectCorrupt(work, '"UNetMidBlock2DSimpleCrossAttn"', 'mid_block_type', 'no value');
    const sr = { ...KAKAO_SHAPED.super_res_first };
    delete sr.add_attention;
    await expectCorrupt(() => parseConfig('super_res_first', sr, 'c'), 'false for add_attention');
  });

  it('may include the image size of the last super-resolution step', () => {
    const { sample_size: _, ...sr } = KAKAO_SHAPED.super_res_last;
    expect(parseConfig('super_res_last', sr, 'c').sample_size).toBeNull();
  });
});

it('reads an encoder from the config of a complete CLIP model', () => {
  const whole = {
    model_type: 'clip',
    projection_dim: 9,
    text_config: { hidden_size: 32, projection_dim: 16 },
    vision_config: { hidden_size: 48, num_attention_heads: 4 },
  };
  expect(parseConfig('text_encoder', whole, 'c')).toMatchObject({
    hidden_size: 32,
    projection_dim: 16,
  });
  expect(parseConfig('image_encoder', whole, 'c')).toMatchObject({
    hidden_size: 48,
    projection_dim: 512,
  });
});

it.each([
  ['decoder', { norm_num_groups: 48 }, 'block_out_channels', 'multiples of norm_num_groups'],
  ['decoder', { attention_head_dim: 48 }, 'attention_head_dim', 'divisor'],
  ['decoder', { up_block_types: ['ResnetUpsampleBlock2D'] }, 'up_block_types', '2 block types'],
  ['decoder', { layers_per_block: 1e9 }, 'layers_per_block', 'at most 64'],
  ['decoder', { time_embedding_type: 'fourier' }, 'time_embedding_type', '"positional"'],
  ['decoder', { block_out_channels: Array(17).fill(32) }, 'block_out_channels', 'at most 16'],
  ['prior', { num_layers: 1e9 }, 'num_layers', 'at most 512'],
  ['prior', { num_layers: 1.5 }, 'num_layers', 'int'],
  ['prior', { num_layers: '20' }, 'num_layers', 'number'],
  ['prior', { added_emb_type: null }, 'added_emb_type', '"prd"'],
  ['text_encoder', { hidden_act: 'relu' }, 'hidden_act', '"quick_gelu" or "gelu"'],
  ['text_encoder', { num_attention_heads: 3 }, 'num_attention_heads', 'divisor'],
  ['text_proj', { time_embed_dim: undefined }, 'time_embed_dim', 'no value'],
] satisfies [ComponentName, object, string, string][])(
  'rejects %s with %j',
  async (component, change, key, expected) => {
    const config = { ...KAKAO_SHAPED[component], ...change };
    await expectCorrupt(
      () => parseConfig(component, config, 'x/config.json'),
      'x/config.json',
      key,
      expected,
    );
  },
);
