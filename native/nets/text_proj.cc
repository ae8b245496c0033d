#include "nets/text_proj.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>

namespace karlo::nets {

TextProjSizes::TextProjSizes(const ConfigReader& config)
    : embedding(config.size("clip_embeddings_dim", 768)),
      time(config.required_size("time_embed_dim")),
      context(config.required_size("cross_attention_dim")),
      extra_tokens(config.size("clip_extra_context_tokens", 4)) {}

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
  // A row of the projection holds the extra tokens interleaved: [B, context, extra tokens].
  const at::Tensor extra =
      image_to_context(image).unflatten(-1, {-1, sizes.extra_tokens}).transpose(1, 2);
  return {image_to_time(image) + embedding_proj(text),
          at::cat({extra, norm(hidden_to_context(hidden))}, 1),
          at::constant_pad_nd(mask, {sizes.extra_tokens, 0}, 1)};
}

at::Tensor TextProj::unconditional(const at::Tensor& image_embeds) const {
  return learned_embedding.expand_as(image_embeds);
}

}  // namespace karlo::nets
