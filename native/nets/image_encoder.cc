#include "nets/image_encoder.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>

namespace karlo::nets {
namespace {

// The defaults of transformers' CLIPVisionConfig.
constexpr ClipSizes kDefaults{768, 3072, 12, 12, 512, 1e-5};

int64_t positions(const ClipVisionSizes& sizes) {
  const int64_t side = sizes.image / sizes.patch;
  return side * side + 1;  // and the class token
}

}  // namespace

ClipVisionSizes::ClipVisionSizes(const ConfigReader& config)
    : transformer(ClipSizes::read(config, kDefaults)),
      channels(config.size("num_channels", 3)),
      image(config.size("image_size", 224)),
      patch(config.count("patch_size", 32)) {
  if (patch > image) config.refuse("patch_size", "at most " + std::to_string(image));
}

// "pre_layrnorm" is how the published checkpoints spell it.
ClipVision::ClipVision(const Scope& scope, const ClipVisionSizes& sizes)
    : sizes(sizes),
      class_embedding(
          scope["vision_model"]["embeddings"].tensor("class_embedding", {sizes.transformer.width})),
      patch_embedding(scope["vision_model"]["embeddings"]["patch_embedding"].tensor(
          "weight", {sizes.transformer.width, sizes.channels, sizes.patch, sizes.patch})),
      position_embedding(scope["vision_model"]["embeddings"]["position_embedding"],
                         positions(sizes), sizes.transformer.width),
      pre_layernorm(scope["vision_model"]["pre_layrnorm"], sizes.transformer.width,
                    sizes.transformer.eps),
      encoder(scope["vision_model"]["encoder"], sizes.transformer),
      post_layernorm(scope["vision_model"]["post_layernorm"], sizes.transformer.width,
                     sizes.transformer.eps),
      visual_projection(scope["visual_projection"], sizes.transformer.width,
                        sizes.transformer.projection, /*with_bias=*/false) {}

at::Tensor ClipVision::forward(const at::Tensor& pixel_values) const {
  const at::Tensor pixels = pixel_values.type_as(patch_embedding);
  const at::Tensor patches =
      at::conv2d(pixels, patch_embedding, {}, /*stride=*/sizes.patch).flatten(2).transpose(1, 2);
  const at::Tensor class_token = class_embedding.expand_as(patches.narrow(1, 0, 1));
  at::Tensor x = at::cat({class_token, patches}, 1) + position_embedding.weight;
  x = encoder(pre_layernorm(x), Attending::kEverywhere);
  return visual_projection(post_layernorm(x.select(1, 0)));
}

}  // namespace karlo::nets
