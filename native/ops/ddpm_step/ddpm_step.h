#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

namespace karlo::ops {

// x0 = (x * x_t - output * prediction) / divisor.
struct X0Coefficients {
  double x, output, divisor;
};

// The coefficients of a step of ancestral sampling (Ho et al. 2020, algorithm 2).
struct DdpmCoefficients {
  std::optional<double> guidance;             // scale, if the output has an unconditional half
  std::optional<X0Coefficients> x0;           // absent if the network predicts x0 itself
  std::optional<double> clip;                 // x0 is clamped to +- this
  double mean_x0, mean_x;                     // weights in the mean of the next x
  std::optional<double> std;                  // of the noise; absent if it is learned
  double log_variance_min, log_variance_max;  // the bounds of a learned one
};

// karlo::ddpm_step: classifier-free guidance (Ho & Salimans 2022, eq. 6) and a step of DDPM.
// @param x [N, C, ...]
// @param output [N or 2 * N, C or 2 * C, ...]: the unconditional half first, if there is guidance;
// after C channels those of a variance, for a learned one (Nichol & Dhariwal 2021, eq. 15)
// @param noise of x's shape; absent in the last step, which adds none
// @return the next x, and x0
std::tuple<at::Tensor, at::Tensor> ddpm_step(const at::Tensor& x, const at::Tensor& output,
                                             const std::optional<at::Tensor>& noise,
                                             const DdpmCoefficients& coefficients);

void register_ddpm_step();

}  // namespace karlo::ops
