#include "export/method.h"

#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

TEST_CASE("assigning an unknown parameter is rejected") {
  const nets::Config config{{"clip_embeddings_dim", int64_t{48}},
                            {"time_embed_dim", int64_t{96}},
                            {"cross_attention_dim", int64_t{40}}};
  torch::jit::Module module = nets::trace_network("text_proj", config).module;
  CHECK(rejection([&] { exporting::set_parameter(module, "norm.scale", at::ones({1})); }) ==
        "Expected the name of a parameter but received norm.scale");
}

}  // namespace
}  // namespace karlo::testing
