#include "ops/group_norm/group_norm.h"

#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "support/operators.h"

namespace karlo::testing {
namespace {

constexpr int64_t kBatch = 3, kChannels = 24, kGroups = 4;
constexpr double kEps = 1e-5;

void check(bool modulated, bool silu) {
  CAPTURE(modulated, silu);
  const at::Tensor x = at::randn({kBatch, kChannels, 7, 5});
  const at::Tensor conditioning = at::randn({3, kBatch, kChannels});
  check_operator(
      kBatch, /*narrow=*/true,
      [&](const nets::TensorSource& source, at::ScalarType dtype, int64_t first, int64_t count) {
        const auto part = [&](int64_t index) {
          return conditioning[index].narrow(0, first, count).to(dtype);
        };
        ops::Modulation modulation;
        if (modulated) modulation = {part(0), part(1), part(2)};
        return ops::group_norm(x.narrow(0, first, count).to(dtype), kGroups,
                               source({"weight", {kChannels}}), source({"bias", {kChannels}}), kEps,
                               modulation, silu);
      });
}

TEST_CASE("group_norm agrees with double precision, whatever the threads and the batch") {
  for (const bool modulated : {false, true}) {
    for (const bool silu : {false, true}) check(modulated, silu);
  }
}

}  // namespace
}  // namespace karlo::testing
