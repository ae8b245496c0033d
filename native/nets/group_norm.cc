#include "nets/group_norm.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

#include "nets/group_norm_rows.h"

namespace karlo::nets {
namespace {

using Optional = std::optional<at::Tensor>;

constexpr char kSchema[] =
    "group_norm(Tensor x, int groups, Tensor weight, Tensor bias, float eps, Tensor? offset, "
    "Tensor? scale, Tensor? shift, bool silu) -> Tensor";

at::Tensor over_pixels(const at::Tensor& values) { return values.unsqueeze(-1).unsqueeze(-1); }

at::Tensor composed(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, const Optional& offset,
                    const Optional& scale, const Optional& shift, bool silu) {
  at::Tensor y = at::group_norm(offset ? x + over_pixels(*offset) : x, groups, weight, bias, eps);
  if (scale) y = y * (over_pixels(*scale) + 1);
  if (shift) y = y + over_pixels(*shift);
  return silu ? at::silu(y) : y;
}

// Pixels of one picture that are worked on at once. Fixed: what is computed must not hang on the
// number of threads.
constexpr int64_t kRows = 128;
// Elements below which a second thread costs more than it gives.
constexpr int64_t kGrain = 16384;

std::vector<float> floats(const at::Tensor& values) {
  const at::Tensor own = values.to(at::kFloat).contiguous();
  const float* data = own.const_data_ptr<float>();
  return {data, data + own.numel()};
}

// [B, C] of x; one row stands for all pictures, none for zeros.
std::vector<float> modulation_of(const Optional& values, const at::Tensor& x) {
  if (!values) return std::vector<float>(x.size(0) * x.size(1), 0.0f);
  return floats(values->expand({x.size(0), x.size(1)}));
}

// y = x * gain + lift for each picture and channel: norm and modulation together.
struct Affine {
  std::vector<float> gain, lift;  // [B, C]
};

template <typename T>
class GroupNormKernel {
 public:
  GroupNormKernel(const at::Tensor& x, int64_t groups)
      : x_(x.const_data_ptr<T>()),
        batch_(x.size(0)),
        channels_(x.size(1)),
        pixels_(x.size(2) * x.size(3)),
        groups_(groups),
        chunks_((pixels_ + kRows - 1) / kRows) {}

  // Sums over each group's elements of x + offset, and of its squares: [B, groups, 2].
  std::vector<double> moments(const std::vector<float>& offset) const {
    std::vector<float> sums(batch_ * chunks_ * 2 * channels_, 0.0f);
    each_chunk([&](int64_t chunk, const T* rows, int64_t count) {
      float* sum = sums.data() + chunk * 2 * channels_;
      add_moments(rows, count, channels_, sum, sum + channels_);
    });
    std::vector<double> result(batch_ * groups_ * 2, 0.0);
    const int64_t width = channels_ / groups_;
    for (int64_t b = 0; b < batch_; ++b) {
      for (int64_t c = 0; c < channels_; ++c) {
        double sum = 0, squares = 0;
        for (int64_t chunk = b * chunks_; chunk < (b + 1) * chunks_; ++chunk) {
          sum += sums[chunk * 2 * channels_ + c];
          squares += sums[(chunk * 2 + 1) * channels_ + c];
        }
        const double o = offset[b * channels_ + c];
        double* group = result.data() + (b * groups_ + c / width) * 2;
        group[0] += sum + o * pixels_;
        group[1] += squares + 2 * o * sum + o * o * pixels_;
      }
    }
    return result;
  }

  void apply(const Affine& affine, bool silu, T* y) const {
    const auto transform = silu ? &transform_silu<T> : &transform_rows<T>;
    each_chunk([&](int64_t chunk, const T* rows, int64_t count) {
      const int64_t picture = chunk / chunks_ * channels_;
      transform(rows, count, channels_, affine.gain.data() + picture, affine.lift.data() + picture,
                y + (rows - x_));
    });
  }

 private:
  template <typename F>
  void each_chunk(const F& work) const {
    const int64_t grain = std::max<int64_t>(1, kGrain / (std::min(kRows, pixels_) * channels_));
    at::parallel_for(0, batch_ * chunks_, grain, [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t first = chunk % chunks_ * kRows;
        const T* rows = x_ + (chunk / chunks_ * pixels_ + first) * channels_;
        work(chunk, rows, std::min(kRows, pixels_ - first));
      }
    });
  }

  const T* x_;
  int64_t batch_, channels_, pixels_, groups_, chunks_;
};

Affine affine_of(const at::Tensor& x, int64_t groups, const std::vector<double>& moments,
                 double eps, const at::Tensor& weight, const at::Tensor& bias,
                 const std::vector<float>& offset, const Optional& scale, const Optional& shift) {
  const int64_t batch = x.size(0), channels = x.size(1), width = channels / groups;
  const double count = static_cast<double>(x.size(2) * x.size(3) * width);
  const auto weights = floats(weight), biases = floats(bias);
  const auto scales = modulation_of(scale, x), shifts = modulation_of(shift, x);
  Affine affine{std::vector<float>(batch * channels), std::vector<float>(batch * channels)};
  for (int64_t i = 0; i < batch * channels; ++i) {
    const int64_t b = i / channels, c = i % channels;
    const double* sums = moments.data() + (b * groups + c / width) * 2;
    const double mean = sums[0] / count;
    const double variance = std::max(0.0, sums[1] / count - mean * mean);
    const double gain = weights[c] / std::sqrt(variance + eps), factor = 1.0 + scales[i];
    affine.gain[i] = static_cast<float>(gain * factor);
    affine.lift[i] =
        static_cast<float>(((offset[i] - mean) * gain + biases[c]) * factor + shifts[i]);
  }
  return affine;
}

template <typename T>
at::Tensor fused(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                 const at::Tensor& bias, double eps, const Optional& offset, const Optional& scale,
                 const Optional& shift, bool silu) {
  at::Tensor y = at::empty_like(x);
  const GroupNormKernel<T> kernel(x, groups);
  const auto offsets = modulation_of(offset, x);
  const Affine affine =
      affine_of(x, groups, kernel.moments(offsets), eps, weight, bias, offsets, scale, shift);
  kernel.apply(affine, silu, y.mutable_data_ptr<T>());
  return y;
}

at::Tensor on_cpu(const at::Tensor& given, int64_t groups, const at::Tensor& weight,
                  const at::Tensor& bias, double eps, const Optional& offset, const Optional& scale,
                  const Optional& shift, bool silu) {
  TORCH_CHECK(given.dim() == 4 && groups > 0 && given.size(1) % groups == 0 && given.numel() > 0,
              "group_norm: expected [B, C, H, W] with C a multiple of ", groups);
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  switch (x.scalar_type()) {
    case at::kFloat:
      return fused<float>(x, groups, weight, bias, eps, offset, scale, shift, silu);
    case at::kBFloat16:
      return fused<at::BFloat16>(x, groups, weight, bias, eps, offset, scale, shift, silu);
    default:
      return composed(x, groups, weight, bias, eps, offset, scale, shift, silu);
  }
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, const Modulation& modulation, bool silu) {
  register_group_norm();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("karlo::group_norm", "")
                             .typed<decltype(composed)>();
  return op.call(x, groups, weight, bias, eps, modulation.offset, modulation.scale,
                 modulation.shift, silu);
}

void register_group_norm() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Another copy of this package may be in the process: one of the two serves both.
    if (c10::Dispatcher::singleton().findSchema({"karlo::group_norm", ""})) return;
    // Never destroyed: at exit LibTorch's own registry may be gone before.
    auto* library =
        new torch::Library(torch::Library::DEF, "karlo", std::nullopt, __FILE__, __LINE__);
    library->def(kSchema);
    library->impl("group_norm", c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(composed));
    library->impl("group_norm", c10::DispatchKey::CPU, TORCH_FN(on_cpu));
  });
}

}  // namespace karlo::nets
