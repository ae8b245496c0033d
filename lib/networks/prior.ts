import { z } from 'zod';
import type { Tensor } from '../torch/tensor.js';
import { only, repeats, size } from './config.js';
import { KeyValueCache } from './key-value-cache.js';
import { type Cost, Network, type NetworkDefinition } from './network.js';
import { flopPerToken, ShapeList, type Shapes } from './shape-list.js';
import type { TextFeatures } from './text-encoder.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';

/** diffusers' `PriorTransformer`, the part of it that Karlo uses. */
const config = z.object({
  num_attention_heads: repeats.prefault(32),
  attention_head_dim: size.prefault(64),
  num_layers: repeats.prefault(20),
  embedding_dim: size.prefault(768),
  num_embeddings: size.prefault(77),
  additional_embeddings: only(4),
  time_embed_act_fn: only('silu'),
  norm_in_type: only(null),
  embedding_proj_norm_type: only(null),
  encoder_hid_proj_type: only('linear'),
  added_emb_type: only('prd'),
  time_embed_dim: size.nullable().prefault(null),
  embedding_proj_dim: size.nullable().prefault(null),
  clip_embed_dim: size.nullable().prefault(null),
});

type PriorConfig = z.infer<typeof config>;

function widthOf({ num_attention_heads: heads, attention_head_dim: head }: PriorConfig): number {
  return heads * head;
}

function shapes(config: PriorConfig): Shapes {
  const list = new ShapeList();
  const { embedding_dim: embedding } = config;
  const width = widthOf(config);
  const time = config.time_embed_dim ?? width;
  const output = config.clip_embed_dim ?? embedding;
  const tokens = config.num_embeddings + config.additional_embeddings;
  list.linear('time_embedding.linear_1', width, time);
  list.linear('time_embedding.linear_2', time, width);
  list.linear('proj_in', embedding, width);
  list.linear('embedding_proj', config.embedding_proj_dim ?? embedding, width);
  list.linear('encoder_hidden_states_proj', embedding, width);
  list.add('positional_embedding', 1, tokens, width);
  list.add('prd_embedding', 1, 1, width);
  for (let layer = 0; layer < config.num_layers; layer++) {
    addBlock(list, `transformer_blocks.${layer}`, width);
  }
  list.norm('norm_out', width);
  list.linear('proj_to_clip_embeddings', width, output);
  list.add('clip_mean', 1, output);
  list.add('clip_std', 1, output);
  return list.shapes;
}

function addBlock(list: ShapeList, name: string, width: number): void {
  list.norm(`${name}.norm1`, width);
  for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
    list.linear(`${name}.attn1.${part}`, width, width);
  }
  list.norm(`${name}.norm3`, width);
  list.linear(`${name}.ff.net.0.proj`, width, 4 * width);
  list.linear(`${name}.ff.net.2`, 4 * width, width);
}

/** Tokens that a step computes: the time embedding, x, and the token whose output is the prediction. */
const STEP_TOKENS = 3;

function cost(config: PriorConfig): Cost {
  const perToken = flopPerToken(shapes(config));
  // The text encoder's hidden states and the text embedding.
  const prompt = config.num_embeddings + 1;
  return {
    flop: STEP_TOKENS * perToken,
    prefillFlop: prompt * perToken,
    activations: 6 * widthOf(config) * prompt,
  };
}

/** The prior (Ramesh et al. 2022, section 2.2): text embeddings to CLIP image embeddings. */
export class PriorNetwork extends Network {
  /** Computes the keys and values of the prompts' tokens, which every step reads. */
  async prefill(
    { embeds, hidden, mask }: TextFeatures,
    signal?: AbortSignal,
  ): Promise<KeyValueCache> {
    const inputs = [embeds, hidden, mask];
    const [cache, bias] = await this.module.run<[Tensor, Tensor]>('prefill', inputs, { signal });
    return new KeyValueCache(cache, bias);
  }

  embedTimesteps(timesteps: readonly number[]): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps);
  }

  /**
   * Predicts x0, the normalised CLIP image embedding.
   * @param x `[B, E]`
   * @param time `[1 or B, T]`
   * @returns `[B, E]`
   */
  predict(x: Tensor, time: Tensor, prompt: KeyValueCache, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, time, prompt.cache, prompt.bias], { signal });
  }

  /** Undoes the normalisation of image embeddings: `x * clip_std + clip_mean`, float32. */
  denormalize(x: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('finish', [x], { signal });
  }
}

export const prior = {
  kind: 'prior',
  library: 'diffusers',
  tasks: ['textToImage'],
  config,
  shapes,
  cost,
  methods: ['prefill', 'times', 'step_at', 'finish'],
  step: 'step_at',
  Network: PriorNetwork,
} satisfies NetworkDefinition<PriorConfig>;
