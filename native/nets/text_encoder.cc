#include "nets/text_encoder.h"

namespace karlo::nets {
namespace {

// The defaults of transformers' CLIPTextConfig.
constexpr ClipSizes kDefaults{512, 2048, 12, 8, 512, 1e-5};

}  // namespace

ClipTextSizes::ClipTextSizes(const ConfigReader& config)
    : transformer(ClipSizes::read(config, kDefaults)),
      vocabulary(config.size("vocab_size", 49408)),
      tokens(config.size("max_position_embeddings", 77)),
      end_token(config.integer("eos_token_id", 49407)) {}

ClipText::ClipText(const Scope& scope, const ClipTextSizes& sizes)
    : sizes(sizes),
      token_embedding(scope["text_model"]["embeddings"]["token_embedding"], sizes.vocabulary,
                      sizes.transformer.width),
      position_embedding(scope["text_model"]["embeddings"]["position_embedding"], sizes.tokens,
                         sizes.transformer.width),
      encoder(scope["text_model"]["encoder"], sizes.transformer),
      final_layer_norm(scope["text_model"]["final_layer_norm"], sizes.transformer.width,
                       sizes.transformer.eps),
      text_projection(scope["text_projection"], sizes.transformer.width,
                      sizes.transformer.projection, /*with_bias=*/false) {}

ClipText::Features ClipText::forward(const at::Tensor& ids) const {
  const at::Tensor x = token_embedding(ids) + position_embedding.weight;
  const at::Tensor hidden = final_layer_norm(encoder(x, Attending::kBackwards));
  const at::Tensor at_end =
      end_position(ids).unsqueeze(-1).unsqueeze(-1).expand({-1, 1, sizes.transformer.width});
  return {text_projection(hidden.gather(1, at_end).squeeze(1)), hidden};
}

// The first end token of each row: the tokenizer may pad with the same one. Configs from before
// transformers' pull request 24773 say 2, which is wrong; there the end token is the largest id.
at::Tensor ClipText::end_position(const at::Tensor& ids) const {
  if (sizes.end_token == 2) return ids.argmax(-1);
  return ids.eq(sizes.end_token).to(at::kInt).argmax(-1);
}

}  // namespace karlo::nets
