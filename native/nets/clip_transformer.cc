#include "nets/clip_transformer.h"

#include <string>
#include <vector>

namespace karlo::nets {
namespace {

// OpenAI's models have quick-GELU; OpenCLIP's others have GELU.
ops::Activation read_activation(const ConfigReader& config) {
  const std::string quick = "quick_gelu";
  config.expect("hidden_act", {quick, std::string("gelu")}, quick);
  return config.text("hidden_act", quick) == quick ? ops::Activation::kQuickGelu
                                                   : ops::Activation::kGelu;
}

}  // namespace

ClipSizes ClipSizes::read(const ConfigReader& config, const ClipSizes& defaults) {
  const ClipSizes sizes{config.size("hidden_size", defaults.width),
                        config.size("intermediate_size", defaults.mlp_width),
                        config.count("num_hidden_layers", defaults.layers),
                        config.size("num_attention_heads", defaults.heads),
                        config.size("projection_dim", defaults.projection),
                        config.number("layer_norm_eps", defaults.eps),
                        read_activation(config)};
  if (sizes.width % sizes.heads != 0) {
    config.refuse("num_attention_heads", "a divisor of " + std::to_string(sizes.width));
  }
  return sizes;
}

ClipLayer::ClipLayer(const Scope& scope, const ClipSizes& sizes)
    : layer_norm1(scope["layer_norm1"], sizes.width, sizes.eps),
      q_proj(scope["self_attn"]["q_proj"], sizes.width, sizes.width),
      k_proj(scope["self_attn"]["k_proj"], sizes.width, sizes.width),
      v_proj(scope["self_attn"]["v_proj"], sizes.width, sizes.width),
      out_proj(scope["self_attn"]["out_proj"], sizes.width, sizes.width),
      layer_norm2(scope["layer_norm2"], sizes.width, sizes.eps),
      fc1(scope["mlp"]["fc1"], sizes.width, sizes.mlp_width),
      fc2(scope["mlp"]["fc2"], sizes.mlp_width, sizes.width),
      heads(sizes.heads),
      activation(sizes.activation) {}

at::Tensor ClipLayer::operator()(const at::Tensor& x, Attention attention) const {
  ops::Attended attended;
  attended.causal = attention == Attention::kCausal;
  const std::vector<at::Tensor> weights{
      layer_norm1.weight, layer_norm1.bias, q_proj.weight,      q_proj.bias,
      k_proj.weight,      k_proj.bias,      v_proj.weight,      v_proj.bias,
      out_proj.weight,    out_proj.bias,    layer_norm2.weight, layer_norm2.bias,
      fc1.weight,         fc1.bias,         fc2.weight,         fc2.bias};
  return ops::transformer_block(x, attended, weights, heads, layer_norm1.eps, activation);
}

ClipTransformer::ClipTransformer(const Scope& scope, const ClipSizes& sizes) {
  layers.reserve(sizes.layers);
  for (int64_t i = 0; i < sizes.layers; ++i) layers.emplace_back(scope["layers"][i], sizes);
}

at::Tensor ClipTransformer::operator()(at::Tensor x, Attention attention) const {
  for (const ClipLayer& layer : layers) x = layer(x, attention);
  return x;
}

}  // namespace karlo::nets
