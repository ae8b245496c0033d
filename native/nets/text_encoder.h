#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nets/clip_transformer.h"
#include "nets/config.h"

namespace karlo::nets {

struct ClipTextSizes {
  ClipSizes transformer;
  int64_t vocabulary;  // vocab_size
  int64_t tokens;      // max_position_embeddings
  int64_t end_token;   // eos_token_id

  explicit ClipTextSizes(const ConfigReader& config);
};

// CLIP's text encoder with its projection: the features that prior and decoder are conditioned on.
struct ClipText {
  ClipTextSizes sizes;
  Embedding token_embedding, position_embedding;
  ClipTransformer encoder;
  LayerNorm final_layer_norm;
  Linear text_projection;

  struct Features {
    at::Tensor text_embeds;        // [B, projection]
    at::Tensor last_hidden_state;  // [B, tokens, width]
  };

  ClipText(const Scope& scope, const ClipTextSizes& sizes);
  Features forward(const at::Tensor& ids) const;  // int64 [B, tokens]

 private:
  at::Tensor end_position(const at::Tensor& ids) const;
};

}  // namespace karlo::nets
