#pragma once

#include <ATen/core/Tensor.h>

#include "cuda/program.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/group_norm/group_norm.h"

namespace karlo::ops::cuda {

using cpu::Norm;

constexpr char kGroupNormFile[] = "ops/group_norm/cuda.cu";

// Whether the kernels can read the arguments: parameters and modulation in the dtype of x.
bool can_use_group_norm(const at::Tensor& x, const Norm& norm, const Modulation& modulation);

// ops::group_norm() of channels-last x. Images do not depend on the others of their batch.
// @param program of kGroupNormFile
at::Tensor group_norm(const karlo::cuda::Program& program, const at::Tensor& x, const Norm& norm,
                      const Modulation& modulation, bool silu);

}  // namespace karlo::ops::cuda
