#pragma once

#include <vector>

namespace karlo::cuda {

// A file of this folder or of native/ops that NVRTC compiles. CMake writes their text into the
// addon.
struct Source {
  const char* path;  // relative to native, as #include names it
  const char* text;
};

// Every kernel (*.cu) and what they include (*.cuh).
const std::vector<Source>& sources();

}  // namespace karlo::cuda
