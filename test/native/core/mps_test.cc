// Apple's GPU, with test hooks in place of Metal's on systems other than macOS.
#include "core/mps.h"

#include <catch2/catch.hpp>

#ifndef __APPLE__

#include <ATen/detail/MPSHooksInterface.h>

namespace {

struct State {
  bool present = true;
  bool sonoma = true;
  size_t allocated = 0;
  int emptied = 0;
} state;

}  // namespace

namespace at::mps {

struct MPSHooks : MPSHooksInterface {
  explicit MPSHooks(MPSHooksArgs) {}
  bool hasMPS() const override { return state.present; }
  bool isOnMacOSorNewer(unsigned major, unsigned) const override {
    return major <= (state.sonoma ? 14 : 13);
  }
  size_t getCurrentAllocatedMemory() const override { return state.allocated; }
  size_t getDriverAllocatedMemory() const override { return state.allocated + 100; }
  size_t getRecommendedMaxMemory() const override { return 16'000'000'000; }
  void emptyCache() const override { ++state.emptied; }
};

REGISTER_MPS_HOOKS(MPSHooks)

}  // namespace at::mps

namespace karlo {

TEST_CASE("MPS is usable where LibTorch has a Metal device") {
  state = {};
  const auto found = find_mps_device();
  CHECK(found.usable);
  CHECK(found.bfloat16);
  CHECK(found.total_memory == 16'000'000'000);
  state.present = false;
  CHECK_FALSE(find_mps_device().usable);
}

TEST_CASE("MPS has no bfloat16 before macOS 14") {
  state = {};
  state.sonoma = false;
  CHECK(find_mps_device().usable);
  CHECK_FALSE(find_mps_device().bfloat16);
}

TEST_CASE("the peak of MPS is the highest value that was asked for") {
  state = {};
  for (const size_t bytes : {500, 2000, 700}) {
    state.allocated = bytes;
    const auto memory = mps_memory();
    CHECK(memory.allocated == static_cast<int64_t>(bytes));
    CHECK(memory.reserved == static_cast<int64_t>(bytes) + 100);
    CHECK(memory.peak >= memory.allocated);
  }
  CHECK(mps_memory().peak == 2000);
  trim_mps_memory();
  CHECK(state.emptied == 1);
}

}  // namespace karlo

#endif
