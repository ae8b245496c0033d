#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

NetworkCase image_encoder() {
  return {"image_encoder",
          {{"hidden_size", int64_t{32}},
           {"intermediate_size", int64_t{64}},
           {"projection_dim", int64_t{48}},
           {"num_hidden_layers", int64_t{2}},
           {"num_attention_heads", int64_t{4}},
           {"image_size", int64_t{20}},
           {"patch_size", int64_t{6}}},
          [](int64_t batch) -> Tensors { return {at::randn({batch, 3, 20, 20})}; },
          no_other_methods};
}

const TracedCase& traced() {
  static const TracedCase traced(image_encoder());
  return traced;
}

TEST_CASE("the image encoder's graphs contain no tensor constants") {
  check_no_constants(traced());
}

TEST_CASE("a saved image encoder computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen image encoder computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the image encoder in bfloat16 is close to float32") { check_bfloat16(traced()); }

TEST_CASE("the image encoder is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

}  // namespace
}  // namespace karlo::testing
