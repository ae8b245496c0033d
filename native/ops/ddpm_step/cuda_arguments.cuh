#pragma once

namespace karlo::cuda {

// The argument of the kernel in cuda.cu. Coefficients as in DdpmCoefficients, rounded to float32 as
// LibTorch does.
struct DdpmStepArguments {
  const void* x;       // [images, size]
  const void* output;  // [images or 2 * images, output_size]
  const void* noise;   // null if none is added
  void* next;
  void* x0;
  long long images, size, output_size;  // elements of an image
  bool guided, predicts_noise, clips, learns_std;
  float guidance;
  float x0_x, x0_output, x0_divisor, clip;
  float mean_x0, mean_x;
  float std, log_variance_min, log_variance_max;
};

constexpr int kStepThreads = 256;

}  // namespace karlo::cuda
