// The diffusion prior (Ramesh et al. 2022, section 2.2): a causal transformer that predicts the
// whitened CLIP image embedding x0 from the text and the noisy x_t. Its tokens are, in order: the
// text's hidden states, the text embedding, the time, x_t, and a learned query, whose output is the
// prediction.
//
// Because attention is causal, all tokens before the time are the same at every step: prefill()
// computes their keys and values once, and step() the last three tokens. Both agree with forward()
// for every mask that keeps the first token. (If all keys of a row are masked, the row is an
// average over its keys, of which step() has fewer.)
//
//   forward(x [B, E], t, text_embeds [B, E], text_hidden [B, 77, E], mask [B, 77]) -> x0 [B, E]
//   prefill(text_embeds, text_hidden, mask) -> (cache [B, *, *, *, *], bias [B, 1, 3, 81])
//   step(x, t, cache, bias) -> x0
//   times(t [S]) -> [S, *]
//   step_at(x, time [1 or B, *], cache, bias) -> x0
//   finish(x) -> image_embeds [B, E] in float32
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nets/layers.h"
#include "nets/registry.h"
#include "ops/attention/attention.h"
#include "ops/transformer/transformer.h"

namespace karlo::nets {
namespace {

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

  int64_t constant_tokens() const { return text_tokens + 1; }  // and the text embedding
  int64_t tokens() const { return constant_tokens() + 3; }     // and time, image embedding, query
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
  // @param earlier the keys and values of the tokens before x, if there are any
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& bias,
                        const std::optional<KeysValues>& earlier = std::nullopt) const;
};

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
    at::Tensor cache;  // [B, 2 * layers, heads, constant tokens, d]: keys and values alternate
    at::Tensor bias;   // [B, 1, 3, tokens]: the attention mask of the last three tokens
  };

  Prior(const Scope& scope, const PriorSizes& sizes);

  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& text_embeds,
                     const at::Tensor& text_hidden, const at::Tensor& mask) const;

  Prompt prefill(const at::Tensor& text_embeds, const at::Tensor& text_hidden,
                 const at::Tensor& mask) const;
  at::Tensor step(const at::Tensor& x, const at::Tensor& t, const Prompt& prompt) const;

  // step() with a time embedding that was computed in advance, possibly for a whole schedule at
  // once.
  at::Tensor times(const at::Tensor& t) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& time, const Prompt& prompt) const;

  // Converts a whitened embedding to CLIP's space.
  at::Tensor finish(const at::Tensor& x) const;

 private:
  at::Tensor constant_tokens(const at::Tensor& text_embeds, const at::Tensor& text_hidden) const;
  at::Tensor step_tokens(const at::Tensor& x, const at::Tensor& time) const;
  at::Tensor attention_bias(const at::Tensor& mask) const;
  at::Tensor prediction(const at::Tensor& tokens) const;
};

PriorSizes::PriorSizes(const ConfigReader& config)
    : heads(config.size("num_attention_heads", 32)),
      width(heads * config.size("attention_head_dim", 64)),
      layers(config.count("num_layers", 20)),
      embedding(config.size("embedding_dim", 768)),
      text_embedding(config.size_or_null("embedding_proj_dim", embedding)),
      predicted(config.size_or_null("clip_embed_dim", embedding)),
      time_hidden(config.size_or_null("time_embed_dim", width)),
      text_tokens(config.size("num_embeddings", 77)) {
  if (width > ConfigReader::kMaxSize)
    config.refuse("attention_head_dim", "fewer or narrower heads");
  config.expect_default("additional_embeddings", int64_t{4});
  config.expect_default("time_embed_act_fn", "silu");
  config.expect_default("encoder_hid_proj_type", "linear");
  config.expect_default("added_emb_type", "prd");
  config.expect_null("norm_in_type");
  config.expect_null("embedding_proj_norm_type");
}

PriorBlock::PriorBlock(const Scope& scope, int64_t width, int64_t heads)
    : norm1(scope["norm1"], width),
      to_q(scope["attn1"]["to_q"], width, width),
      to_k(scope["attn1"]["to_k"], width, width),
      to_v(scope["attn1"]["to_v"], width, width),
      to_out(scope["attn1"]["to_out"][0], width, width),
      norm3(scope["norm3"], width),
      mlp_in(scope["ff"]["net"][0]["proj"], width, 4 * width),
      mlp_out(scope["ff"]["net"][2], 4 * width, width),
      heads(heads) {}

KeysValues PriorBlock::keys_values(const at::Tensor& x) const {
  const at::Tensor h = norm1(x);
  return {ops::split_heads(to_k(h), heads), ops::split_heads(to_v(h), heads)};
}

at::Tensor PriorBlock::operator()(const at::Tensor& x, const at::Tensor& bias,
                                  const std::optional<KeysValues>& earlier) const {
  ops::Attended attended{{}, {}, bias};
  if (earlier) {
    attended.keys = earlier->keys;
    attended.values = earlier->values;
  }
  const std::vector<at::Tensor> weights{norm1.weight,  norm1.bias,  to_q.weight,    to_q.bias,
                                        to_k.weight,   to_k.bias,   to_v.weight,    to_v.bias,
                                        to_out.weight, to_out.bias, norm3.weight,   norm3.bias,
                                        mlp_in.weight, mlp_in.bias, mlp_out.weight, mlp_out.bias};
  return ops::transformer_block(x, attended, weights, heads, norm1.eps, ops::Activation::kGelu);
}

Prior::Prior(const Scope& scope, const PriorSizes& sizes)
    : sizes(sizes),
      time_embedding(scope["time_embedding"], {sizes.width}, sizes.time_hidden, sizes.width),
      proj_in(scope["proj_in"], sizes.embedding, sizes.width),
      embedding_proj(scope["embedding_proj"], sizes.text_embedding, sizes.width),
      encoder_hidden_states_proj(scope["encoder_hidden_states_proj"], sizes.embedding, sizes.width),
      positional_embedding(scope.tensor("positional_embedding", {1, sizes.tokens(), sizes.width})),
      prd_embedding(scope.tensor("prd_embedding", {1, 1, sizes.width})),
      norm_out(scope["norm_out"], sizes.width),
      proj_to_clip_embeddings(scope["proj_to_clip_embeddings"], sizes.width, sizes.predicted),
      clip_mean(scope.tensor("clip_mean", {1, sizes.predicted}, /*keep_float32=*/true)),
      clip_std(scope.tensor("clip_std", {1, sizes.predicted}, /*keep_float32=*/true)) {
  blocks.reserve(sizes.layers);
  for (int64_t i = 0; i < sizes.layers; ++i) {
    blocks.emplace_back(scope["transformer_blocks"][i], sizes.width, sizes.heads);
  }
}

at::Tensor Prior::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& text_embeds,
                          const at::Tensor& text_hidden, const at::Tensor& mask) const {
  at::Tensor tokens =
      at::cat({constant_tokens(text_embeds, text_hidden), step_tokens(x, times(t))}, 1);
  const at::Tensor bias = attention_bias(mask);
  for (const PriorBlock& block : blocks) tokens = block(tokens, bias);
  return prediction(tokens).type_as(x);
}

Prior::Prompt Prior::prefill(const at::Tensor& text_embeds, const at::Tensor& text_hidden,
                             const at::Tensor& mask) const {
  const int64_t count = sizes.constant_tokens();
  const at::Tensor bias = attention_bias(mask);
  const at::Tensor constant_bias = bias.narrow(2, 0, count).narrow(3, 0, count);
  at::Tensor tokens = constant_tokens(text_embeds, text_hidden);
  std::vector<at::Tensor> cache;
  for (const PriorBlock& block : blocks) {
    const KeysValues constant = block.keys_values(tokens);
    cache.insert(cache.end(), {constant.keys, constant.values});
    if (&block != &blocks.back()) tokens = block(tokens, constant_bias);
  }
  return {at::stack(cache, 1), bias.narrow(2, count, 3)};
}

at::Tensor Prior::step(const at::Tensor& x, const at::Tensor& t, const Prompt& prompt) const {
  return step_at(x, times(t), prompt);
}

at::Tensor Prior::times(const at::Tensor& t) const { return time_embedding(t); }

at::Tensor Prior::step_at(const at::Tensor& x, const at::Tensor& time, const Prompt& prompt) const {
  at::Tensor tokens = step_tokens(x, time);
  int64_t i = 0;
  for (const PriorBlock& block : blocks) {
    const KeysValues constant{prompt.cache.select(1, i), prompt.cache.select(1, i + 1)};
    tokens = block(tokens, prompt.bias, constant);
    i += 2;
  }
  return prediction(tokens).type_as(x);
}

at::Tensor Prior::finish(const at::Tensor& x) const { return x * clip_std + clip_mean; }

at::Tensor Prior::constant_tokens(const at::Tensor& text_embeds,
                                  const at::Tensor& text_hidden) const {
  const at::Tensor hidden =
      encoder_hidden_states_proj(text_hidden.type_as(encoder_hidden_states_proj.weight));
  const at::Tensor embedding = embedding_proj(text_embeds.type_as(embedding_proj.weight));
  return at::cat({hidden, embedding.unsqueeze(1)}, 1) +
         positional_embedding.narrow(1, 0, sizes.constant_tokens());
}

at::Tensor Prior::step_tokens(const at::Tensor& x, const at::Tensor& time) const {
  const at::Tensor image = proj_in(x.type_as(proj_in.weight)).unsqueeze(1);  // [B, 1, width]
  const at::Tensor now = time.type_as(proj_in.weight).unsqueeze(1).expand_as(image);
  return at::cat({now, image, prd_embedding.expand_as(image)}, 1) +
         positional_embedding.narrow(1, sizes.constant_tokens(), 3);
}

// Masks later tokens, and padding, which only text tokens can be: [B, 1, tokens, tokens].
at::Tensor Prior::attention_bias(const at::Tensor& mask) const {
  const int64_t n = sizes.tokens();
  const at::Tensor causal = positional_embedding.new_full({n, n}, ops::kMaskedBias).triu(1);
  const at::Tensor padding = ops::mask_bias(mask, positional_embedding);
  return at::constant_pad_nd(padding, {0, n - sizes.text_tokens}) + causal;
}

at::Tensor Prior::prediction(const at::Tensor& tokens) const {
  return proj_to_clip_embeddings(norm_out(tokens.select(1, -1)));
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const PriorSizes sizes(config);
  const Prior net(scope, sizes);
  const Argument x{"x", example({2, sizes.embedding})};
  const Argument embeds{"text_embeds", example({2, sizes.text_embedding})};
  const Argument hidden{"text_hidden", example({2, sizes.text_tokens, sizes.embedding})};
  const Argument mask{"mask", example_mask(sizes.text_tokens)};
  const Argument cache{"cache",
                       example_cache({2, 2 * sizes.layers, sizes.heads, sizes.constant_tokens(),
                                      sizes.width / sizes.heads})};
  const Argument bias{"bias", example_cache({2, 1, 3, sizes.tokens()})};

  record("forward", {x, example_t(), embeds, hidden, mask}, [&](const Tensors& in) -> Tensors {
    return {net.forward(in[0], in[1], in[2], in[3], in[4])};
  });
  record("prefill", {embeds, hidden, mask}, [&](const Tensors& in) -> Tensors {
    const auto prompt = net.prefill(in[0], in[1], in[2]);
    return {prompt.cache, prompt.bias};
  });
  record("step", {x, example_t(), cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step(in[0], in[1], {in[2], in[3]})}; });
  record("times", {example_t()}, [&](const Tensors& in) -> Tensors { return {net.times(in[0])}; });
  record("step_at", {x, {"time", example({2, sizes.width})}, cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], {in[2], in[3]})}; });
  record("finish", {{"x", example({2, sizes.predicted})}},
         [&](const Tensors& in) -> Tensors { return {net.finish(in[0])}; });
}

const Registration registration("prior", record_methods);

}  // namespace
}  // namespace karlo::nets
