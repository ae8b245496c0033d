#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

constexpr int64_t kEmbedding = 48;

Tensors by_steps(const torch::jit::Module& module, const Tensors& in) {
  const Tensors prompt = call(module, "prefill", {in[2], in[3], in[4]});
  const at::Tensor times = call(module, "times", {in[1]})[0];
  return {call(module, "step", {in[0], in[1], prompt[0], prompt[1]})[0],
          call(module, "step_at", {in[0], times, prompt[0], prompt[1]})[0]};
}

NetworkCase prior() {
  return {"prior",
          {{"num_attention_heads", int64_t{3}},
           {"attention_head_dim", int64_t{10}},
           {"num_layers", int64_t{3}},
           {"embedding_dim", kEmbedding},
           {"clip_embed_dim", std::monostate{}}},
          [](int64_t batch) -> Tensors {
            return {at::randn({batch, kEmbedding}), random_timesteps(batch),
                    at::randn({batch, kEmbedding}), at::randn({batch, 77, kEmbedding}),
                    random_mask(batch, 77)};
          },
          by_steps};
}

const TracedCase& traced() {
  static const TracedCase traced(prior());
  return traced;
}

TEST_CASE("the prior's graphs contain no tensor constants") { check_no_constants(traced()); }

TEST_CASE("the prior's cached steps agree with forward") { check_other_methods(traced()); }

TEST_CASE("a saved prior computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen prior computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the prior in bfloat16 is close to float32") { check_bfloat16(traced()); }

TEST_CASE("the prior is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

TEST_CASE("the prior rejects unsupported configs") {
  CHECK(config_rejection(prior(), "encoder_hid_proj_type", std::monostate{}) ==
        "Expected \"linear\" for prior.encoder_hid_proj_type but received null");
  CHECK(config_rejection(prior(), "num_layers", int64_t{1000000000}) ==
        "Expected an integer from 1 to 256 for prior.num_layers but received 1000000000");
}

}  // namespace
}  // namespace karlo::testing
