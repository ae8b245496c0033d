#include "nets/prior.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/stack.h>

#include <utility>

namespace karlo::nets {

PriorSizes::PriorSizes(const ConfigReader& config)
    : heads(config.size("num_attention_heads", 32)),
      width(heads * config.size("attention_head_dim", 64)),
      layers(config.count("num_layers", 20)),
      embedding(config.size("embedding_dim", 768)),
      text_embedding(config.size_or_null("embedding_proj_dim", embedding)),
      predicted(config.size_or_null("clip_embed_dim", embedding)),
      time_hidden(config.size_or_null("time_embed_dim", width)),
      text_tokens(config.size("num_embeddings", 77)) {
  if (width > ConfigReader::kLargestSize)
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
  return {split_heads(to_k(h), heads), split_heads(to_v(h), heads)};
}

at::Tensor PriorBlock::operator()(const at::Tensor& x, const KeysValues& seen,
                                  const at::Tensor& bias) const {
  const at::Tensor q = split_heads(to_q(norm1(x)), heads);
  const at::Tensor h = x + to_out(merge_heads(attend(q, seen.keys, seen.values, bias)));
  return h + mlp_out(at::gelu(mlp_in(norm3(h))));
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
  for (const PriorBlock& block : blocks) tokens = block(tokens, block.keys_values(tokens), bias);
  return prediction(tokens).type_as(x);
}

Prior::Prompt Prior::prefill(const at::Tensor& text_embeds, const at::Tensor& text_hidden,
                             const at::Tensor& mask) const {
  const int64_t constant = sizes.constant_tokens();
  const at::Tensor bias = attention_bias(mask);
  const at::Tensor constant_bias = bias.narrow(2, 0, constant).narrow(3, 0, constant);
  at::Tensor tokens = constant_tokens(text_embeds, text_hidden);
  std::vector<at::Tensor> cache;
  for (const PriorBlock& block : blocks) {
    const KeysValues own = block.keys_values(tokens);
    cache.insert(cache.end(), {own.keys, own.values});
    if (&block != &blocks.back()) tokens = block(tokens, own, constant_bias);
  }
  return {at::stack(cache, 1), bias.narrow(2, constant, 3)};
}

at::Tensor Prior::step(const at::Tensor& x, const at::Tensor& t, const Prompt& prompt) const {
  return step_at(x, times(t), prompt);
}

at::Tensor Prior::times(const at::Tensor& t) const { return time_embedding(t); }

at::Tensor Prior::step_at(const at::Tensor& x, const at::Tensor& time, const Prompt& prompt) const {
  at::Tensor tokens = step_tokens(x, time);
  int64_t i = 0;
  for (const PriorBlock& block : blocks) {
    const KeysValues own = block.keys_values(tokens);
    const KeysValues all{at::cat({prompt.cache.select(1, i), own.keys}, 2),
                         at::cat({prompt.cache.select(1, i + 1), own.values}, 2)};
    tokens = block(tokens, all, prompt.bias);
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

// No token sees a later one, and none a padded one; only text tokens can be padded. [B, 1, tokens,
// tokens]
at::Tensor Prior::attention_bias(const at::Tensor& mask) const {
  const int64_t n = sizes.tokens();
  const at::Tensor causal = positional_embedding.new_full({n, n}, kMasked).triu(1);
  const at::Tensor padding = mask_bias(mask, positional_embedding);
  return at::constant_pad_nd(padding, {0, n - sizes.text_tokens}) + causal;
}

at::Tensor Prior::prediction(const at::Tensor& tokens) const {
  return proj_to_clip_embeddings(norm_out(tokens.select(1, -1)));
}

}  // namespace karlo::nets
