#include <ATen/ops/randint.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

NetworkCase text_encoder() {
  return {"text_encoder",
          {{"hidden_size", int64_t{48}},
           {"intermediate_size", int64_t{96}},
           {"projection_dim", int64_t{48}},
           {"num_hidden_layers", int64_t{2}},
           {"num_attention_heads", int64_t{3}},
           {"vocab_size", int64_t{50}},
           {"eos_token_id", int64_t{49}}},
          [](int64_t batch) -> Tensors {
            const at::Tensor padding = random_mask(batch, 77).logical_not();
            return {at::randint(0, 49, {batch, 77}).masked_fill(padding, 49)};
          },
          no_other_methods};
}

const TracedCase& traced() {
  static const TracedCase traced(text_encoder());
  return traced;
}

TEST_CASE("the text encoder's graphs contain no tensor constants") { check_no_constants(traced()); }

TEST_CASE("a saved text encoder computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen text encoder computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the text encoder in bfloat16 is close to float32") { check_bfloat16(traced()); }

TEST_CASE("the text encoder is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

TEST_CASE("the text encoder rejects a fractional hidden size") {
  CHECK(config_rejection(text_encoder(), "hidden_size", 1.5) ==
        "Expected an integer for text_encoder.hidden_size but received 1.5");
}

}  // namespace
}  // namespace karlo::testing
