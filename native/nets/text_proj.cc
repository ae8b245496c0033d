// The projection of CLIP's embeddings into the decoder (Ramesh et al. 2022, section 2.1): they are
// added to the time embedding, and they precede the text's hidden states as extra tokens of the
// context.
//
//   forward(image_embeds [B, E], text_embeds [B, E], text_hidden [B, 77, E], mask [B, 77])
//     -> (class_labels [B, T], context [B, 4 + 77, C], context_mask [B, 4 + 77])
//   unconditional(image_embeds [B, E]) -> the learned image embedding, [B, E]
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

#include <cstdint>

#include "nets/layers.h"
#include "nets/registry.h"

namespace karlo::nets {
namespace {

struct TextProjSizes {
  int64_t embedding;     // clip_embeddings_dim
  int64_t time;          // time_embed_dim, of the decoder
  int64_t context;       // cross_attention_dim, of the decoder
  int64_t extra_tokens;  // clip_extra_context_tokens

  explicit TextProjSizes(const ConfigReader& config)
      : embedding(config.size("clip_embeddings_dim", 768)),
        time(config.required_size("time_embed_dim")),
        context(config.required_size("cross_attention_dim")),
        extra_tokens(config.size("clip_extra_context_tokens", 4)) {}
};

struct TextProj {
  TextProjSizes sizes;
  at::Tensor learned_embedding;  // [embedding]
  Linear embedding_proj;
  Linear image_to_time;
  Linear image_to_context;
  Linear hidden_to_context;
  LayerNorm norm;

  struct Condition {
    at::Tensor class_labels;  // [B, time], added to the time embedding
    at::Tensor context;       // [B, extra tokens + n, context]
    at::Tensor mask;          // [B, extra tokens + n], in the dtype of the given mask
  };

  TextProj(const Scope& scope, const TextProjSizes& sizes);

  Condition forward(const at::Tensor& image_embeds, const at::Tensor& text_embeds,
                    const at::Tensor& text_hidden, const at::Tensor& mask) const;

  // The learned image embedding for the unconditional half of classifier-free guidance, in the
  // shape of image_embeds.
  at::Tensor unconditional(const at::Tensor& image_embeds) const;
};

TextProj::TextProj(const Scope& scope, const TextProjSizes& sizes)
    : sizes(sizes),
      learned_embedding(
          scope.tensor("learned_classifier_free_guidance_embeddings", {sizes.embedding})),
      embedding_proj(scope["embedding_proj"], sizes.embedding, sizes.time),
      image_to_time(scope["clip_image_embeddings_project_to_time_embeddings"], sizes.embedding,
                    sizes.time),
      image_to_context(scope["clip_extra_context_tokens_proj"], sizes.embedding,
                       sizes.extra_tokens * sizes.context),
      hidden_to_context(scope["encoder_hidden_states_proj"], sizes.embedding, sizes.context),
      norm(scope["text_encoder_hidden_states_norm"], sizes.context) {}

TextProj::Condition TextProj::forward(const at::Tensor& image_embeds, const at::Tensor& text_embeds,
                                      const at::Tensor& text_hidden, const at::Tensor& mask) const {
  const at::Tensor image = image_embeds.type_as(embedding_proj.weight);
  const at::Tensor text = text_embeds.type_as(embedding_proj.weight);
  const at::Tensor hidden = text_hidden.type_as(embedding_proj.weight);
  // A row of the projection interleaves the extra tokens: [B, context, extra tokens].
  const at::Tensor extra =
      image_to_context(image).unflatten(-1, {-1, sizes.extra_tokens}).transpose(1, 2);
  return {image_to_time(image) + embedding_proj(text),
          at::cat({extra, norm(hidden_to_context(hidden))}, 1),
          at::constant_pad_nd(mask, {sizes.extra_tokens, 0}, 1)};  // extra tokens always count
}

at::Tensor TextProj::unconditional(const at::Tensor& image_embeds) const {
  return learned_embedding.expand_as(image_embeds);
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const TextProjSizes sizes(config);
  const TextProj net(scope, sizes);
  constexpr int64_t kTokens = 77;
  const Argument image{"image_embeds", example({2, sizes.embedding})};
  record("forward",
         {image,
          {"text_embeds", example({2, sizes.embedding})},
          {"text_hidden", example({2, kTokens, sizes.embedding})},
          {"mask", example_mask(kTokens)}},
         [&](const Tensors& in) -> Tensors {
           const auto condition = net.forward(in[0], in[1], in[2], in[3]);
           return {condition.class_labels, condition.context, condition.mask};
         });
  record("unconditional", {image},
         [&](const Tensors& in) -> Tensors { return {net.unconditional(in[0])}; });
}

const Registration registration("text_proj", record_methods);

}  // namespace
}  // namespace karlo::nets
