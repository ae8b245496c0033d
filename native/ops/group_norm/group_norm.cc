#include "ops/group_norm/group_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>

#include "cuda/program.h"
#include "ops/group_norm/cpu_group_norm.h"
#include "ops/group_norm/cuda_group_norm.h"
#include "ops/operator.h"

namespace karlo::ops {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

constexpr char kSchema[] =
    "group_norm(Tensor x, int groups, Tensor weight, Tensor bias, float eps, Tensor? offset, "
    "Tensor? scale, Tensor? shift, bool silu) -> Tensor";

at::Tensor over_pixels(const at::Tensor& values) { return values.unsqueeze(-1).unsqueeze(-1); }

at::Tensor composed(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, const OptionalTensor& offset,
                    const OptionalTensor& scale, const OptionalTensor& shift, bool silu) {
  at::Tensor y = at::group_norm(offset ? x + over_pixels(*offset) : x, groups, weight, bias, eps);
  if (scale) y = y * (over_pixels(*scale) + 1);
  if (shift) y = y + over_pixels(*shift);
  return silu ? at::silu(y) : y;
}

void check_sizes(const at::Tensor& x, int64_t groups) {
  TORCH_CHECK(x.dim() == 4 && groups > 0 && x.size(1) % groups == 0 && x.numel() > 0,
              "group_norm: expected [B, C, H, W] with C a multiple of ", groups);
}

at::Tensor on_cpu(const at::Tensor& given, int64_t groups, const at::Tensor& weight,
                  const at::Tensor& bias, double eps, const OptionalTensor& offset,
                  const OptionalTensor& scale, const OptionalTensor& shift, bool silu) {
  check_sizes(given, groups);
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  if (!kernels_allowed() || !cpu::can_use_group_norm(x)) {
    return composed(x, groups, weight, bias, eps, offset, scale, shift, silu);
  }
  return cpu::group_norm(x, {weight, bias, groups, eps}, {offset, scale, shift}, silu);
}

at::Tensor on_cuda(const at::Tensor& given, int64_t groups, const at::Tensor& weight,
                   const at::Tensor& bias, double eps, const OptionalTensor& offset,
                   const OptionalTensor& scale, const OptionalTensor& shift, bool silu) {
  check_sizes(given, groups);
  const cuda::Norm norm{weight, bias, groups, eps};
  const Modulation modulation{offset, scale, shift};
  const auto* program = kernels_allowed() && cuda::can_use_group_norm(given, norm, modulation)
                            ? karlo::cuda::find_program(cuda::kGroupNormFile, given)
                            : nullptr;
  if (program == nullptr) {
    return composed(given, groups, weight, bias, eps, offset, scale, shift, silu);
  }
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  return cuda::group_norm(*program, x, norm, modulation, silu);
}

const auto& op() {
  static const auto op =
      define_operator("group_norm", kSchema,
                      {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                       std::nullopt, torch::CppFunction(TORCH_FN(on_cuda))})
          .typed<decltype(composed)>();
  return op;
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, const Modulation& modulation, bool silu) {
  return op().call(x, groups, weight, bias, eps, modulation.offset, modulation.scale,
                   modulation.shift, silu);
}

void register_group_norm() { op(); }

}  // namespace karlo::ops
