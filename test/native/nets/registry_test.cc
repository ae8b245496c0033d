#include "nets/registry.h"

#include <catch2/catch.hpp>

#include "support/networks.h"

namespace karlo::testing {
namespace {

TEST_CASE("an unknown kind of network is rejected") {
  CHECK(rejection([] { nets::trace_network("vae", {}); }) ==
        "Expected the kind of a network but received \"vae\"");
}

}  // namespace
}  // namespace karlo::testing
