// The main function of every C++ test program.
#define CATCH_CONFIG_RUNNER
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>

#include <catch2/catch.hpp>

namespace {

// Each test draws the same random numbers, whichever tests ran before it.
struct SeedListener : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo&) override { at::manual_seed(0); }
};
CATCH_REGISTER_LISTENER(SeedListener)

}  // namespace

int main(int count, char** arguments) {
  const at::NoGradGuard no_grad;
  return Catch::Session().run(count, arguments);
}
