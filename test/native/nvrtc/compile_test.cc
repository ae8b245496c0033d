#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "cuda/nvrtc.h"
#include "cuda/sources.h"

namespace karlo::testing {
namespace {

constexpr c10::ScalarType kDtypes[] = {c10::ScalarType::Float, c10::ScalarType::BFloat16,
                                       c10::ScalarType::Half};

const cuda::Nvrtc& nvrtc() {
  const char* path = std::getenv("KARLO_TEST_NVRTC");
  static const cuda::Nvrtc found(path == nullptr ? "libnvrtc.so.13" : path);
  return found;
}

bool has_kernels(const std::string& path) {
  return path.size() > 3 && path.compare(path.size() - 3, 3, ".cu") == 0;
}

TEST_CASE("every kernel compiles for every dtype and architecture, without spilling registers") {
  int programs = 0;
  for (const cuda::Source& source : cuda::sources()) {
    if (!has_kernels(source.path)) continue;
    for (const c10::ScalarType dtype : kDtypes) {
      for (const int architecture : {80, 86, 89, 90}) {
        CAPTURE(source.path, dtype, architecture);
        const auto [code, log] =
            nvrtc().compile(source.path, dtype, architecture, /*verbose=*/true);
        CHECK(code.substr(0, 4) ==
              "\x7f"
              "ELF");
        CAPTURE(log);
        CHECK(log.find(" 0 bytes spill stores") != std::string::npos);
        CHECK(log.find("warning") == std::string::npos);
        ++programs;
      }
    }
  }
  CHECK(programs >= 24);
}

TEST_CASE("kernels compile to PTX for an architecture that is newer than NVRTC") {
  const int newest = nvrtc().architectures().back();
  const auto [code, log] =
      nvrtc().compile("ops/group_norm/cuda.cu", c10::ScalarType::Float, newest + 100);
  CHECK(code.find(".target sm_" + std::to_string(newest)) != std::string::npos);
}

TEST_CASE("an architecture that NVRTC no longer supports is an error, and so is a missing file") {
  CHECK_THROWS_WITH(nvrtc().compile("ops/group_norm/cuda.cu", c10::ScalarType::Float, 20),
                    Catch::Contains("architecture 20"));
  CHECK_THROWS_WITH(nvrtc().compile("ops/none.cu", c10::ScalarType::Float, 80),
                    Catch::Contains("ops/none.cu"));
}

TEST_CASE("a missing NVRTC is an error that names its library") {
  CHECK_THROWS_WITH(cuda::Nvrtc("libno-nvrtc.so"), Catch::Contains("libno-nvrtc.so"));
}

}  // namespace
}  // namespace karlo::testing
