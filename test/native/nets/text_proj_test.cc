#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

constexpr int64_t kEmbedding = 48;

NetworkCase text_proj() {
  return {"text_proj",
          {{"clip_embeddings_dim", kEmbedding},
           {"time_embed_dim", int64_t{96}},
           {"cross_attention_dim", int64_t{40}}},
          [](int64_t batch) -> Tensors {
            return {at::randn({batch, kEmbedding}), at::randn({batch, kEmbedding}),
                    at::randn({batch, 77, kEmbedding}), random_mask(batch, 77)};
          },
          no_other_methods};
}

const TracedCase& traced() {
  static const TracedCase traced(text_proj());
  return traced;
}

TEST_CASE("the text projection's graphs contain no tensor constants") {
  check_no_constants(traced());
}

TEST_CASE("a saved text projection computes exactly the same") { check_loaded(traced()); }

TEST_CASE("a frozen text projection computes exactly the same") { check_frozen(traced()); }

TEST_CASE("the text projection in bfloat16 is close to float32") { check_bfloat16(traced()); }

TEST_CASE("the text projection is as accurate as LibTorch's operators", "[accuracy]") {
  check_network_accuracy(traced());
}

TEST_CASE("the text projection rejects a config without the width of the time embedding") {
  NetworkCase incomplete = text_proj();
  incomplete.config.erase("time_embed_dim");
  CHECK(config_rejection(incomplete, "_class_name", "UnCLIPTextProjModel") ==
        "Expected an integer from 1 to 1048576 for text_proj.time_embed_dim but received nothing");
}

}  // namespace
}  // namespace karlo::testing
