// CLIP's image encoder with its projection (Radford et al. 2021): a Vision Transformer (Dosovitskiy
// et al. 2021).
//
//   forward(pixel_values [B, 3, H, H], normalized) -> image_embeds [B, E]
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>

#include <cstdint>
#include <string>

#include "nets/clip_transformer.h"
#include "nets/registry.h"

namespace karlo::nets {
namespace {

// The defaults of transformers' CLIPVisionConfig.
constexpr ClipSizes kDefaults{768, 3072, 12, 12, 512, 1e-5};

struct ImageEncoderSizes {
  ClipSizes transformer;
  int64_t channels;  // num_channels
  int64_t image;     // image_size, height and width in pixels
  int64_t patch;     // patch_size, height and width in pixels

  explicit ImageEncoderSizes(const ConfigReader& config)
      : transformer(ClipSizes::read(config, kDefaults)),
        channels(config.size("num_channels", 3)),
        image(config.size("image_size", 224)),
        patch(config.count("patch_size", 32)) {
    if (patch > image) config.refuse("patch_size", "at most " + std::to_string(image));
  }

  int64_t positions() const { return (image / patch) * (image / patch) + 1; }  // + class token
};

struct ImageEncoder {
  at::Tensor class_embedding;  // [width]
  at::Tensor patch_embedding;  // [width, channels, patch, patch]
  Embedding position_embedding;
  LayerNorm pre_layernorm;
  ClipTransformer encoder;
  LayerNorm post_layernorm;
  Linear visual_projection;

  ImageEncoder(const Scope& scope, const ImageEncoderSizes& sizes);
  at::Tensor forward(const at::Tensor& pixel_values) const;

 private:
  int64_t patch_;
};

// The published checkpoints spell it "pre_layrnorm".
ImageEncoder::ImageEncoder(const Scope& scope, const ImageEncoderSizes& sizes)
    : class_embedding(
          scope["vision_model"]["embeddings"].tensor("class_embedding", {sizes.transformer.width})),
      patch_embedding(scope["vision_model"]["embeddings"]["patch_embedding"].tensor(
          "weight", {sizes.transformer.width, sizes.channels, sizes.patch, sizes.patch})),
      position_embedding(scope["vision_model"]["embeddings"]["position_embedding"],
                         sizes.positions(), sizes.transformer.width),
      pre_layernorm(scope["vision_model"]["pre_layrnorm"], sizes.transformer.width,
                    sizes.transformer.eps),
      encoder(scope["vision_model"]["encoder"], sizes.transformer),
      post_layernorm(scope["vision_model"]["post_layernorm"], sizes.transformer.width,
                     sizes.transformer.eps),
      visual_projection(scope["visual_projection"], sizes.transformer.width,
                        sizes.transformer.projection, /*with_bias=*/false),
      patch_(sizes.patch) {}

at::Tensor ImageEncoder::forward(const at::Tensor& pixel_values) const {
  const at::Tensor pixels = pixel_values.type_as(patch_embedding);
  const at::Tensor patches =
      at::conv2d(pixels, patch_embedding, {}, /*stride=*/patch_).flatten(2).transpose(1, 2);
  const at::Tensor class_token = class_embedding.expand_as(patches.narrow(1, 0, 1));
  at::Tensor x = at::cat({class_token, patches}, 1) + position_embedding.weight;
  x = encoder(pre_layernorm(x), Attention::kFull);
  return visual_projection(post_layernorm(x.select(1, 0)));
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const ImageEncoderSizes sizes(config);
  const ImageEncoder net(scope, sizes);
  const at::Tensor pixels = example({2, sizes.channels, sizes.image, sizes.image});
  record("forward", {{"pixel_values", pixels}},
         [&](const Tensors& in) -> Tensors { return {net.forward(in[0])}; });
}

const Registration registration("image_encoder", record_methods);

}  // namespace
}  // namespace karlo::nets
