#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

Tensors by_steps(const torch::jit::Module& module, const Tensors& in) {
  const at::Tensor x = in[0].narrow(1, 0, 3), low_res = in[0].narrow(1, 3, 3);
  return {call(module, "step", {x, low_res, in[1]})[0],
          call(module, "step_at", {x, low_res, call(module, "times", {in[1]})[0]})[0]};
}

NetworkCase super_res() {
  return {"super_res",
          {{"in_channels", int64_t{6}},
           {"out_channels", int64_t{3}},
           {"add_attention", false},
           {"norm_num_groups", int64_t{5}},
           {"block_out_channels", Sizes{10, 20}},
           {"layers_per_block", int64_t{1}},
           {"down_block_types", Strings{"ResnetDownsampleBlock2D", "ResnetDownsampleBlock2D"}},
           {"up_block_types", Strings{"ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"}}},
          [](int64_t batch) -> Tensors {
            return {at::randn({batch, 6, 12, 12}), random_timesteps(batch)};
          },
          by_steps};
}

const TracedCase& traced() {
  static const TracedCase traced(super_res());
  return traced;
}

TEST_CASE("the super-resolution network's graphs contain no tensor constants") {
  check_no_constants(traced());
}

TEST_CASE("the super-resolution network's steps agree with forward") {
  check_other_methods(traced());
}

TEST_CASE("a saved super-resolution network computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen super-resolution network computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the super-resolution network in bfloat16 is close to float32") {
  check_bfloat16(traced());
}

TEST_CASE("the super-resolution network is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

TEST_CASE("the super-resolution network rejects attention") {
  CHECK(config_rejection(super_res(), "add_attention", true) ==
        "Expected false for super_res.add_attention but received true");
}

}  // namespace
}  // namespace karlo::testing
