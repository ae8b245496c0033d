#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

#include "cuda/program.h"
#include "ops/ddpm_step/ddpm_step.h"

namespace karlo::ops::cuda {

constexpr char kDdpmStepFile[] = "ops/ddpm_step/cuda.cu";

// For float32, in which samples are kept for every dtype of the network.
bool can_use_ddpm_step(const at::Tensor& x, const at::Tensor& output,
                       const std::optional<at::Tensor>& noise);

// ops::ddpm_step() in one pass. @param program of kDdpmStepFile
std::tuple<at::Tensor, at::Tensor> ddpm_step(const karlo::cuda::Program& program,
                                             const at::Tensor& x, const at::Tensor& output,
                                             const std::optional<at::Tensor>& noise,
                                             const DdpmCoefficients& coefficients);

}  // namespace karlo::ops::cuda
