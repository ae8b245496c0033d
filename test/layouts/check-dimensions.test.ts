import { expect, test } from 'vitest';
import { checkDimensions } from '../../lib/layouts/check-dimensions.js';
import type { ModelDescription } from '../../lib/layouts/model.js';
import { expectCorrupt } from '../support/expect-error.js';

type Configs = Record<string, Record<string, unknown>>;

const matching: Configs = {
  text_encoder: { projection_dim: 32, hidden_size: 32, max_position_embeddings: 77 },
  text_proj: { clip_embeddings_dim: 32, cross_attention_dim: 40, time_embed_dim: 64 },
  prior: { embedding_dim: 32, num_embeddings: 77 },
  decoder: { cross_attention_dim: 40, block_out_channels: [16, 32], in_channels: 3 },
  super_res_first: { in_channels: 6, out_channels: 3 },
  super_res_last: { in_channels: 6, out_channels: 3 },
  image_encoder: { projection_dim: 32 },
};

/** Checks a model whose configs are the matching ones with some changes. */
function check(changes: Configs, names = Object.keys(matching)): void {
  const components = Object.fromEntries(
    names.map((name) => [name, { config: { ...matching[name], ...changes[name] } }]),
  );
  checkDimensions({ components, folder: '/model' } as unknown as ModelDescription);
}

test('accepts networks that match', () => {
  expect(() => check({})).not.toThrow();
});

test.each<[string, Configs, string, number]>([
  [
    'text embeddings',
    { text_proj: { clip_embeddings_dim: 33 } },
    'text_proj clip_embeddings_dim',
    33,
  ],
  ['hidden states', { text_encoder: { hidden_size: 48 } }, 'text_proj clip_embeddings_dim', 32],
  ['image embeddings', { prior: { clip_embed_dim: 31 } }, 'prior clip_embed_dim', 31],
  ['tokens', { prior: { num_embeddings: 78 } }, 'prior num_embeddings', 78],
  ['contexts', { decoder: { cross_attention_dim: 41 } }, 'decoder cross_attention_dim', 41],
  ['time embeddings', { decoder: { block_out_channels: [8] } }, 'decoder time_embedding_dim', 32],
  ['channels', { super_res_last: { in_channels: 8 } }, 'half of super_res_last in_channels', 4],
])('rejects different %s', async (_, changes, name, received) => {
  await expectCorrupt(() => check(changes), `(${name}) in /model but received ${received}`);
});

test('ignores networks that the model does not have', async () => {
  const changes = { text_proj: { time_embed_dim: 65 } };
  await expectCorrupt(() => check(changes), 'time embedding');
  expect(() => check(changes, ['text_encoder', 'text_proj', 'prior'])).not.toThrow();
});

test('compares the dimension that a config sets explicitly, not its default', async () => {
  expect(() =>
    check({ decoder: { block_out_channels: [8], time_embedding_dim: 64 } }),
  ).not.toThrow();
  await expectCorrupt(
    () => check({ prior: { embedding_proj_dim: 30 } }),
    'Expected 32 (text_encoder projection_dim) for the text embedding (prior embedding_proj_dim)',
  );
});
