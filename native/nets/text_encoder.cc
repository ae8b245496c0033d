// CLIP's text encoder with its projection (Radford et al. 2021): the features that condition prior
// and decoder.
//
//   forward(ids int64 [B, 77]) -> (text_embeds [B, E], last_hidden_state [B, 77, E])
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nets/clip_transformer.h"
#include "nets/registry.h"

namespace karlo::nets {
namespace {

// The defaults of transformers' CLIPTextConfig.
constexpr ClipSizes kDefaults{512, 2048, 12, 8, 512, 1e-5};

struct TextEncoderSizes {
  ClipSizes transformer;
  int64_t vocabulary;  // vocab_size
  int64_t tokens;      // max_position_embeddings
  int64_t end_token;   // eos_token_id

  explicit TextEncoderSizes(const ConfigReader& config)
      : transformer(ClipSizes::read(config, kDefaults)),
        vocabulary(config.size("vocab_size", 49408)),
        tokens(config.size("max_position_embeddings", 77)),
        end_token(config.integer("eos_token_id", 49407)) {}
};

struct TextEncoder {
  TextEncoderSizes sizes;
  Embedding token_embedding, position_embedding;
  ClipTransformer encoder;
  LayerNorm final_layer_norm;
  Linear text_projection;

  struct Features {
    at::Tensor text_embeds;        // [B, projection]
    at::Tensor last_hidden_state;  // [B, tokens, width]
  };

  TextEncoder(const Scope& scope, const TextEncoderSizes& sizes);
  Features forward(const at::Tensor& ids) const;

 private:
  at::Tensor end_position(const at::Tensor& ids) const;
};

TextEncoder::TextEncoder(const Scope& scope, const TextEncoderSizes& sizes)
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

TextEncoder::Features TextEncoder::forward(const at::Tensor& ids) const {
  const at::Tensor x = token_embedding(ids) + position_embedding.weight;
  const at::Tensor hidden = final_layer_norm(encoder(x, Attention::kCausal));
  const at::Tensor at_end =
      end_position(ids).unsqueeze(-1).unsqueeze(-1).expand({-1, 1, sizes.transformer.width});
  return {text_projection(hidden.gather(1, at_end).squeeze(1)), hidden};
}

// The first end token of each row, because the tokenizer may pad with the same token. Configs from
// before transformers' pull request 24773 wrongly say 2; for these, the end token is the largest
// id.
at::Tensor TextEncoder::end_position(const at::Tensor& ids) const {
  if (sizes.end_token == 2) return ids.argmax(-1);
  return ids.eq(sizes.end_token).to(at::kInt).argmax(-1);
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const TextEncoderSizes sizes(config);
  const TextEncoder net(scope, sizes);
  record("forward", {{"ids", example({2, sizes.tokens}, at::kLong)}},
         [&](const Tensors& in) -> Tensors {
           const auto features = net.forward(in[0]);
           return {features.text_embeds, features.last_hidden_state};
         });
}

const Registration registration("text_encoder", record_methods);

}  // namespace
}  // namespace karlo::nets
