#pragma once

#include <ATen/core/Tensor.h>

#include "ops/group_norm/cpu_moments.h"
#include "ops/group_norm/group_norm.h"

namespace karlo::ops::cpu {

bool can_use_group_norm(const at::Tensor& x);

// ops::group_norm() of channels-last x, in two passes over the memory.
at::Tensor group_norm(const at::Tensor& x, const Norm& norm, const Modulation& modulation,
                      bool silu);

}  // namespace karlo::ops::cpu
