// One of the two super-resolution UNets. Conditioned on the enlarged small image, it predicts the
// noise in x_t, or x_0, as the scheduler's config says.
//
//   forward(x [B, 6, H, H], t) -> [B, 3, H, H]
//   step(x [B, 3, H, H], low_res [B, 3, H, H], t) -> [B, 3, H, H]
//   times(t [S]) -> [S, *]
//   step_at(x, low_res, times [1 or B, *]) -> [B, 3, H, H]
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <string>
#include <vector>

#include "nets/registry.h"
#include "nets/unet.h"

namespace karlo::nets {
namespace {

struct SuperRes {
  UNet unet;

  SuperRes(const Scope& scope, const UNetSizes& sizes) : unet(scope, sizes) {}

  // The channels of x are those of x_t, followed by those of the enlarged image.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t) const;
  at::Tensor step(const at::Tensor& x, const at::Tensor& low_res, const at::Tensor& t) const;

  // The projected time embeddings of a whole schedule, t [S] -> [S, *], and a step with one of
  // them, [1, *].
  at::Tensor times(const at::Tensor& t) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& low_res, const at::Tensor& times) const;
};

void expect_all(const ConfigReader& config, const std::string& key, const std::string& type,
                size_t depth) {
  config.expect(key, {std::vector<std::string>(depth, type)}, std::monostate{});
}

UNetSizes super_res_sizes(const ConfigReader& config) {
  config.expect("add_attention", {false}, true);
  config.expect_null("class_embed_type");
  config.expect_default("mid_block_type", "UNetMidBlock2D");
  UNetSizes sizes = UNetSizes::read(config);
  expect_all(config, "down_block_types", "ResnetDownsampleBlock2D", sizes.levels.size());
  expect_all(config, "up_block_types", "ResnetUpsampleBlock2D", sizes.levels.size());
  sizes.in = config.size("in_channels", 3);
  sizes.out = config.size("out_channels", 3);
  if (sizes.in <= sizes.out) config.refuse("in_channels", "more than out_channels");
  sizes.in_kernel = sizes.out_kernel = 3;
  sizes.mid_resnets = 2;
  return sizes;
}

at::Tensor SuperRes::forward(const at::Tensor& x, const at::Tensor& t) const {
  return unet(x, times(t), {});
}

at::Tensor SuperRes::step(const at::Tensor& x, const at::Tensor& low_res,
                          const at::Tensor& t) const {
  return step_at(x, low_res, times(t));
}

at::Tensor SuperRes::times(const at::Tensor& t) const {
  return unet.project_times(unet.time_embedding(t));
}

at::Tensor SuperRes::step_at(const at::Tensor& x, const at::Tensor& low_res,
                             const at::Tensor& times) const {
  const at::Tensor both = at::cat({unet.cast(x), unet.cast(low_res)}, 1);
  return unet(both, unet.cast(times), {}).type_as(x);
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const UNetSizes sizes = super_res_sizes(config);
  const SuperRes net(scope, sizes);
  const Argument both{"x", example(sizes.example_shape(sizes.in))};
  const Argument x{"x", example(sizes.example_shape(sizes.out))};
  const Argument low_res{"low_res", example(sizes.example_shape(sizes.in - sizes.out))};
  const Argument times{"times", example(net.times(example_t().example).sizes())};

  record("forward", {both, example_t()},
         [&](const Tensors& in) -> Tensors { return {net.forward(in[0], in[1])}; });
  record("step", {x, low_res, example_t()},
         [&](const Tensors& in) -> Tensors { return {net.step(in[0], in[1], in[2])}; });
  record("times", {example_t()}, [&](const Tensors& in) -> Tensors { return {net.times(in[0])}; });
  record("step_at", {x, low_res, times},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], in[2])}; });
}

const Registration registration("super_res", record_methods);

}  // namespace
}  // namespace karlo::nets
