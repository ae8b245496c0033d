import { timeWidth } from '../networks/unet.js';
import { corrupt } from '../weights/corrupt.js';
import type { ComponentDescriptions, ModelDescription } from './model.js';

type Size = (components: ComponentDescriptions) => number | undefined;

interface Dimension {
  what: string;
  sizes: Readonly<Record<string, Size>>;
}

/** Dimensions that networks share, because one returns what another takes. */
const DIMENSIONS: readonly Dimension[] = [
  {
    what: 'the text embedding',
    sizes: {
      'text_encoder projection_dim': (c) => c.text_encoder?.config.projection_dim,
      'text_proj clip_embeddings_dim': (c) => c.text_proj?.config.clip_embeddings_dim,
      'prior embedding_proj_dim': ({ prior }) =>
        prior && (prior.config.embedding_proj_dim ?? prior.config.embedding_dim),
    },
  },
  {
    what: 'the text hidden states',
    sizes: {
      'text_encoder hidden_size': (c) => c.text_encoder?.config.hidden_size,
      'text_proj clip_embeddings_dim': (c) => c.text_proj?.config.clip_embeddings_dim,
      'prior embedding_dim': (c) => c.prior?.config.embedding_dim,
    },
  },
  {
    what: 'the image embedding',
    sizes: {
      'image_encoder projection_dim': (c) => c.image_encoder?.config.projection_dim,
      'text_proj clip_embeddings_dim': (c) => c.text_proj?.config.clip_embeddings_dim,
      'prior clip_embed_dim': ({ prior }) =>
        prior && (prior.config.clip_embed_dim ?? prior.config.embedding_dim),
      'prior embedding_dim': (c) => c.prior?.config.embedding_dim,
    },
  },
  {
    what: 'the number of tokens',
    sizes: {
      'text_encoder max_position_embeddings': (c) => c.text_encoder?.config.max_position_embeddings,
      'prior num_embeddings': (c) => c.prior?.config.num_embeddings,
    },
  },
  {
    what: 'the context',
    sizes: {
      'text_proj cross_attention_dim': (c) => c.text_proj?.config.cross_attention_dim,
      'decoder cross_attention_dim': (c) => c.decoder?.config.cross_attention_dim,
    },
  },
  {
    what: 'the time embedding',
    sizes: {
      'text_proj time_embed_dim': (c) => c.text_proj?.config.time_embed_dim,
      'decoder time_embedding_dim': ({ decoder }) => decoder && timeWidth(decoder.config),
    },
  },
  {
    what: 'the channels of an image',
    sizes: {
      'decoder in_channels': (c) => c.decoder?.config.in_channels,
      'super_res_first out_channels': (c) => c.super_res_first?.config.out_channels,
      'super_res_last out_channels': (c) => c.super_res_last?.config.out_channels,
      'half of super_res_first in_channels': ({ super_res_first: sr }) =>
        sr && sr.config.in_channels / 2,
      'half of super_res_last in_channels': ({ super_res_last: sr }) =>
        sr && sr.config.in_channels / 2,
    },
  },
];

/** @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if the networks of a folder do not match each other */
export function checkDimensions({ components, folder }: ModelDescription): void {
  for (const { what, sizes } of DIMENSIONS) {
    let first: [string, number] | undefined;
    for (const [name, of] of Object.entries(sizes)) {
      const size = of(components);
      if (size === undefined) continue;
      first ??= [name, size];
      if (size === first[1]) continue;
      throw corrupt(`${first[1]} (${first[0]})`, `${what} (${name})`, folder, size);
    }
  }
}
