#include "ops/ddpm_step/ddpm_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>

#include <vector>

#include "cuda/program.h"
#include "ops/ddpm_step/cuda_ddpm_step.h"
#include "ops/operator.h"

namespace karlo::ops {
namespace {

using Results = std::tuple<at::Tensor, at::Tensor>;

// `x0` lists X0Coefficients, or nothing; `others` what else DdpmCoefficients has.
constexpr char kSchema[] =
    "ddpm_step(Tensor x, Tensor output, Tensor? noise, float? guidance, float[] x0, float? clip, "
    "float? std, float[] others) -> (Tensor, Tensor)";

DdpmCoefficients unpack(std::optional<double> guidance, at::ArrayRef<double> x0,
                        std::optional<double> clip, std::optional<double> std,
                        at::ArrayRef<double> others) {
  TORCH_CHECK(others.size() == 4 && (x0.empty() || x0.size() == 3),
              "ddpm_step: expected 4 coefficients, and 3 for x0");
  DdpmCoefficients c{guidance, std::nullopt, clip, others[0], others[1], std, others[2], others[3]};
  if (!x0.empty()) c.x0 = {x0[0], x0[1], x0[2]};
  return c;
}

void check_shapes(const at::Tensor& x, const at::Tensor& output,
                  const std::optional<at::Tensor>& noise, bool guided, bool learned) {
  const auto fits = [&](const at::Tensor& other, int64_t rows) {
    return other.dim() == x.dim() && other.size(0) == rows &&
           other.sizes().slice(2) == x.sizes().slice(2) && other.scalar_type() == x.scalar_type() &&
           other.device() == x.device();
  };
  TORCH_CHECK(x.dim() >= 2 && fits(output, (guided ? 2 : 1) * x.size(0)) &&
                  (output.size(1) == 2 * x.size(1) || (!learned && output.size(1) == x.size(1))),
              "ddpm_step: expected an output for x of ", x.sizes(), " but received ",
              output.sizes());
  TORCH_CHECK(!noise || (fits(*noise, x.size(0)) && noise->size(1) == x.size(1)),
              "ddpm_step: expected noise of the shape of x");
}

at::Tensor guided(const at::Tensor& output, int64_t images, int64_t channels,
                  std::optional<double> scale) {
  const at::Tensor conditional = output.narrow(1, 0, channels);
  if (!scale) return conditional;
  const at::Tensor unconditional = conditional.narrow(0, 0, images);
  return (conditional.narrow(0, images, images) - unconditional) * *scale + unconditional;
}

// exp(v / 2), where v is interpolated between the bounds by the network's output in [-1, 1].
at::Tensor learned_std(const at::Tensor& variance, const DdpmCoefficients& c) {
  const at::Tensor fraction = (variance + 1) * 0.5;
  const at::Tensor rest = fraction * -1 + 1;
  return at::exp((fraction * c.log_variance_max + rest * c.log_variance_min) * 0.5);
}

Results composed(const at::Tensor& x, const at::Tensor& output,
                 const std::optional<at::Tensor>& noise, std::optional<double> guidance,
                 at::ArrayRef<double> x0_coefficients, std::optional<double> clip,
                 std::optional<double> std, at::ArrayRef<double> others) {
  const DdpmCoefficients c = unpack(guidance, x0_coefficients, clip, std, others);
  check_shapes(x, output, noise, guidance.has_value(), !std && noise);
  const int64_t images = x.size(0), channels = x.size(1);
  at::Tensor x0 = guided(output, images, channels, guidance);
  // Factors and divisors of 1 are exact, so one formula serves every arithmetic.
  if (c.x0) x0 = (x * c.x0->x - x0 * c.x0->output) / c.x0->divisor;
  x0 = clip ? at::clamp(x0, -*clip, *clip) : x0.clone();
  const at::Tensor mean = x0 * c.mean_x0 + x * c.mean_x;
  if (!noise) return {mean, x0};
  if (std) return {mean + *noise * *std, x0};
  const at::Tensor variance =
      output.narrow(0, output.size(0) - images, images).narrow(1, channels, channels);
  return {mean + *noise * learned_std(variance, c), x0};
}

Results on_cuda(const at::Tensor& x, const at::Tensor& output,
                const std::optional<at::Tensor>& noise, std::optional<double> guidance,
                at::ArrayRef<double> x0, std::optional<double> clip, std::optional<double> std,
                at::ArrayRef<double> others) {
  check_shapes(x, output, noise, guidance.has_value(), !std && noise);
  const auto* program = kernels_allowed() && cuda::can_use_ddpm_step(x, output, noise)
                            ? karlo::cuda::find_program(cuda::kDdpmStepFile, x)
                            : nullptr;
  return program == nullptr
             ? composed(x, output, noise, guidance, x0, clip, std, others)
             : cuda::ddpm_step(*program, x, output, noise, unpack(guidance, x0, clip, std, others));
}

const auto& op() {
  static const auto op = define_operator("ddpm_step", kSchema,
                                         {torch::CppFunction(TORCH_FN(composed)),
                                          torch::CppFunction(TORCH_FN(composed)), std::nullopt,
                                          torch::CppFunction(TORCH_FN(on_cuda))})
                             .typed<decltype(composed)>();
  return op;
}

}  // namespace

Results ddpm_step(const at::Tensor& x, const at::Tensor& output,
                  const std::optional<at::Tensor>& noise, const DdpmCoefficients& c) {
  const std::vector<double> others{c.mean_x0, c.mean_x, c.log_variance_min, c.log_variance_max};
  std::vector<double> x0;
  if (c.x0) x0 = {c.x0->x, c.x0->output, c.x0->divisor};
  return op().call(x, output, noise, c.guidance, x0, c.clip, c.std, others);
}

void register_ddpm_step() { op(); }

}  // namespace karlo::ops
