#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/config.h"
#include "nets/layers.h"

namespace karlo::nets {

struct PriorSizes {
  int64_t heads;           // num_attention_heads
  int64_t width;           // heads * attention_head_dim
  int64_t layers;          // num_layers
  int64_t embedding;       // embedding_dim, of CLIP's image space and of the text's hidden states
  int64_t text_embedding;  // embedding_proj_dim, of CLIP's text space
  int64_t predicted;       // clip_embed_dim
  int64_t time_hidden;     // time_embed_dim
  int64_t text_tokens;     // num_embeddings

  explicit PriorSizes(const ConfigReader& config);

  int64_t constant_tokens() const { return text_tokens + 1; }  // ... and the text embedding
  int64_t tokens() const { return constant_tokens() + 3; }     // ... time, image embedding, query
};

// Keys and values, each [B, heads, tokens, d].
struct KeysValues {
  at::Tensor keys, values;
};

// A pre-norm transformer block with a GELU MLP of four times the width.
struct PriorBlock {
  LayerNorm norm1;
  Linear to_q, to_k, to_v, to_out;
  LayerNorm norm3;
  Linear mlp_in, mlp_out;
  int64_t heads;

  PriorBlock(const Scope& scope, int64_t width, int64_t heads);

  KeysValues keys_values(const at::Tensor& x) const;
  at::Tensor operator()(const at::Tensor& x, const KeysValues& seen, const at::Tensor& bias) const;
};

// The diffusion prior (Ramesh et al. 2022, section 2.2): a causal transformer that predicts the
// whitened CLIP image embedding x0 from the text and the noisy x_t. Its tokens, in order: the
// text's hidden states, its embedding, the time, x_t, and a learned query at whose place the
// prediction is read.
//
// Attention being causal, all tokens before the time are the same at every step: `prefill` computes
// their keys and values once, `step` the last three tokens. The two agree with `forward` for every
// mask that keeps the first token (a row without any key left averages over its keys, of which
// `step` has fewer).
struct Prior {
  PriorSizes sizes;
  TimeEmbedding time_embedding;
  Linear proj_in, embedding_proj, encoder_hidden_states_proj;
  at::Tensor positional_embedding;  // [1, tokens, width]
  at::Tensor prd_embedding;         // [1, 1, width]
  std::vector<PriorBlock> blocks;
  LayerNorm norm_out;
  Linear proj_to_clip_embeddings;
  at::Tensor clip_mean, clip_std;  // [1, predicted], float32

  struct Prompt {
    at::Tensor cache;  // [B, 2 * layers, heads, constant tokens, d]: keys and values by turns
    at::Tensor bias;   // [B, 1, 3, tokens]: the attention mask of the last three tokens
  };

  Prior(const Scope& scope, const PriorSizes& sizes);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& text_embeds,
                     const at::Tensor& text_hidden, const at::Tensor& mask) const;

  Prompt prefill(const at::Tensor& text_embeds, const at::Tensor& text_hidden,
                 const at::Tensor& mask) const;
  at::Tensor step(const at::Tensor& x, const at::Tensor& t, const Prompt& prompt) const;

  // `step` with the time embedding computed beforehand, for a whole schedule at once if one likes.
  at::Tensor times(const at::Tensor& t) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& time, const Prompt& prompt) const;

  // From the whitened space back to CLIP's.
  at::Tensor finish(const at::Tensor& x) const;

 private:
  at::Tensor constant_tokens(const at::Tensor& text_embeds, const at::Tensor& text_hidden) const;
  at::Tensor step_tokens(const at::Tensor& x, const at::Tensor& time) const;
  at::Tensor attention_bias(const at::Tensor& mask) const;
  at::Tensor prediction(const at::Tensor& tokens) const;
};

}  // namespace karlo::nets
