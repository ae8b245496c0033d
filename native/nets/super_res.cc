#include "nets/super_res.h"

#include <ATen/ops/cat.h>

namespace karlo::nets {
namespace {

void expect_all(const ConfigReader& config, const std::string& key, const std::string& type,
                size_t depth) {
  config.expect(key, {std::vector<std::string>(depth, type)}, std::monostate{});
}

}  // namespace

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

}  // namespace karlo::nets
