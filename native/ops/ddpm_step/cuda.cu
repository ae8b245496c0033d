// Guidance and a step of DDPM in one pass, where LibTorch's operators take about twenty. Each
// operation is rounded to float32 as theirs is: contracted to fused multiply-adds, images would
// differ from the CPU's and from diffusers'.
#include "cuda/device.cuh"
#include "ops/ddpm_step/cuda_arguments.cuh"

namespace karlo::cuda {

__device__ inline float add(float a, float b) { return __fadd_rn(a, b); }
__device__ inline float mul(float a, float b) { return __fmul_rn(a, b); }

// Keeps NaN.
__device__ inline float clamped(float x, float limit) {
  return x != x ? x : fminf(fmaxf(x, -limit), limit);
}

__device__ inline float learned_std(float variance, const DdpmStepArguments& in) {
  const float fraction = mul(add(variance, 1.0f), 0.5f);
  const float rest = add(-fraction, 1.0f);
  const float bounds = add(mul(fraction, in.log_variance_max), mul(rest, in.log_variance_min));
  return expf(mul(bounds, 0.5f));
}

__device__ inline float read(const void* from, long long i) {
  return to_float(static_cast<const Number*>(from)[i]);
}

KARLO_KERNEL ddpm_step(DdpmStepArguments in) {
  const long long i = (long long)blockIdx.x * kStepThreads + threadIdx.x;
  if (i >= in.images * in.size) return;
  const long long image = i / in.size, at = image * in.output_size + i % in.size;
  // Of the conditional half.
  const long long conditional = in.guided ? at + in.images * in.output_size : at;
  float predicted = read(in.output, conditional);
  if (in.guided) {
    const float unconditional = read(in.output, at);
    predicted = add(mul(add(predicted, -unconditional), in.guidance), unconditional);
  }
  const float x = read(in.x, i);
  float x0 = predicted;
  if (in.predicts_noise) {
    x0 = __fdiv_rn(add(mul(x, in.x0_x), -mul(predicted, in.x0_output)), in.x0_divisor);
  }
  if (in.clips) x0 = clamped(x0, in.clip);
  float next = add(mul(x0, in.mean_x0), mul(x, in.mean_x));
  if (in.noise != nullptr) {
    const float std =
        in.learns_std ? learned_std(read(in.output, conditional + in.size), in) : in.std;
    next = add(next, mul(read(in.noise, i), std));
  }
  from_float(next, static_cast<Number*>(in.next)[i]);
  from_float(x0, static_cast<Number*>(in.x0)[i]);
}

}  // namespace karlo::cuda
