#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

constexpr int64_t kContext = 40, kTime = 96;

Tensors by_steps(const torch::jit::Module& module, const Tensors& in) {
  const Tensors prompt = call(module, "condition", {in[2], in[3]});
  const at::Tensor times = call(module, "times", {in[1].narrow(0, 0, 1), in[4]})[0][0];
  return {call(module, "step", {in[0], in[1], in[4], prompt[0], prompt[1]})[0],
          call(module, "step_at", {in[0], times, prompt[0], prompt[1]})[0]};
}

NetworkCase decoder() {
  return {"decoder",
          {{"in_channels", int64_t{3}},
           {"out_channels", int64_t{6}},
           {"class_embed_type", "identity"},
           {"resnet_time_scale_shift", "scale_shift"},
           {"norm_num_groups", int64_t{4}},
           {"block_out_channels", Sizes{24, 36, 48}},
           {"layers_per_block", Sizes{1, 2, 1}},
           {"attention_head_dim", int64_t{12}},
           {"cross_attention_dim", kContext},
           {"mid_block_type", "UNetMidBlock2DSimpleCrossAttn"},
           {"down_block_types", Strings{"ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D",
                                        "SimpleCrossAttnDownBlock2D"}},
           {"up_block_types",
            Strings{"SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D", "ResnetUpsampleBlock2D"}}},
          [](int64_t batch) -> Tensors {
            // One timestep for all rows: `times` is for a schedule that the rows share.
            return {at::randn({batch, 3, 8, 8}), random_timesteps(1).expand({batch}),
                    at::randn({batch, 81, kContext}), random_mask(batch, 81),
                    at::randn({batch, kTime})};
          },
          by_steps};
}

const TracedCase& traced() {
  static const TracedCase traced(decoder());
  return traced;
}

TEST_CASE("the decoder's graphs contain no tensor constants") { check_no_constants(traced()); }

TEST_CASE("the decoder's cached steps agree with forward") { check_other_methods(traced()); }

TEST_CASE("a saved decoder computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen decoder computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the decoder in bfloat16 is close to float32") { check_bfloat16(traced()); }

TEST_CASE("the decoder is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

TEST_CASE("the decoder rejects unsupported configs") {
  CHECK(config_rejection(decoder(), "act_fn", "gelu") ==
        "Expected \"silu\" or \"swish\" for decoder.act_fn but received \"gelu\"");
  CHECK(config_rejection(decoder(), "class_embed_type", std::monostate{}) ==
        "Expected \"identity\" for decoder.class_embed_type but received null");
  CHECK(config_rejection(decoder(), "block_out_channels", Sizes{24, 36, 42}) ==
        "Expected a divisor of every item of block_out_channels for decoder.norm_num_groups but "
        "received 4");
  CHECK(config_rejection(decoder(), "up_block_types",
                         Strings{"UpBlock2D", "UpBlock2D", "UpBlock2D"}) ==
        "Expected \"ResnetUpsampleBlock2D\" or \"SimpleCrossAttnUpBlock2D\" for "
        "decoder.up_block_types but received [\"UpBlock2D\", \"UpBlock2D\", \"UpBlock2D\"]");
  CHECK(config_rejection(decoder(), "sample_size", int64_t{30}) ==
        "Expected a multiple of 4 for decoder.sample_size but received 30");
}

}  // namespace
}  // namespace karlo::testing
