#include "ops/ddpm_step/cuda_ddpm_step.h"

#include <ATen/ops/empty_like.h>

#include "ops/ddpm_step/cuda_arguments.cuh"

namespace karlo::ops::cuda {

using namespace karlo::cuda;  // NOLINT

bool can_use_ddpm_step(const at::Tensor& x, const at::Tensor& output,
                       const std::optional<at::Tensor>& noise) {
  return x.scalar_type() == at::kFloat && x.numel() > 0 && x.is_contiguous() &&
         output.is_contiguous() && (!noise || noise->is_contiguous());
}

std::tuple<at::Tensor, at::Tensor> ddpm_step(const Program& program, const at::Tensor& x,
                                             const at::Tensor& output,
                                             const std::optional<at::Tensor>& noise,
                                             const DdpmCoefficients& c) {
  at::Tensor next = at::empty_like(x), x0 = at::empty_like(x);
  const auto rounded = [](double coefficient) { return static_cast<float>(coefficient); };
  const X0Coefficients of_x0 = c.x0.value_or(X0Coefficients{1, 0, 1});
  const DdpmStepArguments arguments{
      x.const_data_ptr(),
      output.const_data_ptr(),
      noise ? noise->const_data_ptr() : nullptr,
      next.mutable_data_ptr(),
      x0.mutable_data_ptr(),
      x.size(0),
      x.numel() / x.size(0),
      output.numel() / output.size(0),
      c.guidance.has_value(),
      c.x0.has_value(),
      c.clip.has_value(),
      !c.std.has_value(),
      rounded(c.guidance.value_or(1)),
      rounded(of_x0.x),
      rounded(of_x0.output),
      rounded(of_x0.divisor),
      rounded(c.clip.value_or(0)),
      rounded(c.mean_x0),
      rounded(c.mean_x),
      rounded(c.std.value_or(0)),
      rounded(c.log_variance_min),
      rounded(c.log_variance_max),
  };
  program.launch("ddpm_step", {(x.numel() + kStepThreads - 1) / kStepThreads, 1, 1, kStepThreads},
                 arguments);
  return {next, x0};
}

}  // namespace karlo::ops::cuda
