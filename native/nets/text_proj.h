#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nets/config.h"
#include "nets/layers.h"

namespace karlo::nets {

struct TextProjSizes {
  int64_t embedding;     // clip_embeddings_dim
  int64_t time;          // time_embed_dim, of the decoder
  int64_t context;       // cross_attention_dim, of the decoder
  int64_t extra_tokens;  // clip_extra_context_tokens

  explicit TextProjSizes(const ConfigReader& config);
};

// How CLIP's embeddings enter the decoder (Ramesh et al. 2022, section 2.1): added to the time
// embedding, and as extra tokens of context before the text's hidden states.
struct TextProj {
  TextProjSizes sizes;
  at::Tensor learned_embedding;  // [embedding]
  Linear embedding_proj;
  Linear image_to_time;
  Linear image_to_context;
  Linear hidden_to_context;
  LayerNorm norm;

  struct Condition {
    at::Tensor class_labels;  // [B, time], what is added to the time embedding
    at::Tensor context;       // [B, extra tokens + n, context]
    at::Tensor mask;  // [B, extra tokens + n], like the mask given; extra tokens always count
  };

  TextProj(const Scope& scope, const TextProjSizes& sizes);

  Condition forward(const at::Tensor& image_embeds, const at::Tensor& text_embeds,
                    const at::Tensor& text_hidden, const at::Tensor& mask) const;

  // The learned image embedding of classifier-free guidance's unconditional half, shaped like
  // image_embeds [B, embedding].
  at::Tensor unconditional(const at::Tensor& image_embeds) const;
};

}  // namespace karlo::nets
