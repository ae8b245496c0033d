#include "nets/res_block.h"

#include <ATen/ops/randn.h>
#include <torch/csrc/jit/api/module.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "ops/res_block/res_block.h"
#include "support/operators.h"

namespace karlo::testing {
namespace {

using nets::Resample;
using nets::ResBlock;
using nets::Scope;

constexpr int64_t kTime = 12;

struct Case {
  std::string name;
  int64_t batch, in, skip, out, height, width, groups;
  Resample resample;
  bool scale_shift, time_per_image;
};

void check(const Case& c, bool narrow) {
  CAPTURE(c.name);
  const at::Tensor x = at::randn({c.batch, c.in, c.height, c.width});
  const at::Tensor skip = at::randn({c.batch, c.skip, c.height, c.width});
  const at::Tensor time = at::randn({c.time_per_image ? c.batch : 1, kTime});
  check_operator(
      c.batch, narrow,
      [&](const nets::TensorSource& source, at::ScalarType dtype, int64_t first, int64_t count) {
        const Scope scope(torch::jit::Module("__torch__.res_block"), source);
        nets::TimeProjections times;
        times.add(scope["another"], kTime, 7);  // so that the block's slice does not start at zero
        const ResBlock block(scope["block"], c.in + c.skip, c.out,
                             {kTime, c.groups, 1e-5, c.scale_shift}, times, c.resample);
        const auto part = [&](const at::Tensor& all) {
          return all.narrow(0, first, count).to(dtype);
        };
        // Projected for all images at once: a row of LibTorch's products may depend on the others.
        const at::Tensor all = times(time.to(dtype));
        const at::Tensor projected = c.time_per_image ? all.narrow(0, first, count) : all;
        if (c.skip == 0) return block(part(x), projected);
        return block(part(x), projected, part(skip));
      });
}

constexpr Resample kNone = Resample::kNone, kDown = Resample::kDown, kUp = Resample::kUp;

TEST_CASE("narrow ResBlocks agree with double precision, whatever the threads and the batch") {
  const std::vector<Case> cases{
      {"equal channels", 2, 16, 0, 16, 8, 6, 4, kNone, false, false},
      {"more channels", 1, 12, 0, 40, 5, 7, 4, kNone, true, true},
      {"with a skip connection", 3, 20, 28, 16, 6, 6, 4, kNone, true, true},
      {"groups that contain channels of both", 2, 16, 8, 21, 6, 6, 3, kNone, false, true},
      {"downsampling", 2, 24, 0, 24, 8, 12, 3, kDown, false, false},
      {"upsampling", 3, 18, 0, 18, 3, 5, 2, kUp, true, true},
      {"one pixel", 2, 32, 0, 32, 1, 1, 4, kNone, false, false},
      {"many pixels", 1, 16, 0, 16, 40, 36, 8, kUp, false, false},
      {"more images than a group", 5, 16, 20, 24, 64, 68, 4, kNone, true, true}};
  for (const Case& c : cases) check(c, /*narrow=*/true);
}

// Their weights do not fit in a core's cache.
TEST_CASE("wide ResBlocks agree with double precision") {
  const std::vector<Case> cases{
      {"wide", 1, 176, 0, 192, 32, 34, 16, kNone, true, false},
      {"with a skip connection", 1, 96, 112, 176, 36, 32, 16, kNone, false, false},
      {"downsampling", 1, 176, 0, 176, 72, 64, 16, kDown, true, false},
      {"images that strips do not divide", 2, 200, 0, 328, 46, 54, 8, kNone, true, false},
      {"few pixels", 2, 176, 64, 192, 7, 6, 16, kNone, true, true},
      {"few pixels, downsampling", 1, 176, 0, 176, 14, 10, 16, kDown, true, false},
      {"upsampling", 2, 176, 0, 176, 15, 18, 16, kUp, false, false},
      {"tiles of 4x4 pixels", 2, 176, 64, 192, 60, 64, 16, kNone, true, true},
      {"tiles of 4x4 pixels, downsampling", 1, 184, 0, 184, 128, 136, 8, kDown, false, false}};
  for (const Case& c : cases) check(c, /*narrow=*/false);
}

// A TorchScript file may contain such calls.
TEST_CASE("two narrow ResBlocks can share their weights but resample differently") {
  const auto random = [](at::IntArrayRef shape) { return at::randn(shape); };
  const std::vector<at::Tensor> weights{
      random({16}), random({16}), random({16, 16, 3, 3}), random({16}),
      random({16}), random({16}), random({16, 16, 3, 3}), random({16})};
  const at::Tensor x = random({1, 16, 8, 8}), times = random({1, 16});
  for (const Resample resample : {kNone, kUp, kDown, kUp}) {
    const auto run = [&](at::ScalarType dtype) {
      std::vector<at::Tensor> converted;
      for (const at::Tensor& weight : weights) converted.push_back(weight.to(dtype));
      return ops::res_block(x.to(dtype), std::nullopt, times.to(dtype), 0, false, converted, 4,
                            1e-5, resample);
    };
    CAPTURE(static_cast<int>(resample));
    CHECK(relative_error(run(at::kFloat), run(at::kDouble)) <= kTolerance);
  }
}

// A TorchScript file may contain such calls.
TEST_CASE("res_block rejects arguments that do not fit its weights") {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const int64_t channels : {16, 192}) {
      CAPTURE(dtype, channels);
      const auto random = [&](at::IntArrayRef shape) { return at::randn(shape).to(dtype); };
      const Scope scope(torch::jit::Module("__torch__.misfits"),
                        [&](const nets::TensorSpec& spec) { return random(spec.shape); });
      nets::TimeProjections times;
      const ResBlock block(scope["block"], channels, channels, {kTime, 4, 1e-5, true}, times);
      const at::Tensor x = random({1, channels, 8, 8}), time = times(random({1, kTime}));
      CHECK_THROWS_AS(block(random({1, channels - 4, 8, 8}), time), c10::Error);
      CHECK_THROWS_AS(block(x, time, random({1, 4, 8, 8})), c10::Error);
      CHECK_THROWS_AS(block(x, time.narrow(1, 0, channels)), c10::Error);
    }
  }
}

}  // namespace
}  // namespace karlo::testing
