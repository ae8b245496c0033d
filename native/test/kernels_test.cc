// The kernels of native/nets/cpu: each kind of vectors that this processor has against LibTorch's
// own operators, and the whole operators against the same in double precision. What they compute
// must hang neither on the threads nor on the other pictures of a batch.
#include "simd/kernels.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "nets/context_attention.h"
#include "nets/res_block.h"
#include "ops/conv/cpu_direct.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "ops/linear/linear.h"
#include "simd/cpu_features.h"
#include "test/check.h"

namespace {

using namespace karlo::nets;  // NOLINT
using karlo::testing::check;
namespace jit = torch::jit;

constexpr double kTolerance = 1e-5;  // of the largest magnitude

bool close(const at::Tensor& a, const at::Tensor& b, double tolerance = kTolerance) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return x.sizes() == y.sizes() &&
         (x - y).abs().max().item<double>() <= tolerance * y.abs().max().item<double>();
}

void check_conv(const cpu::Kernels& kernels, const std::string& name) {
  for (const int64_t in : {1, 6, 16}) {
    for (const int64_t out : {3, 16, 20, 48, 70}) {
      for (const int64_t width : {1, 3, 4, 18}) {
        const at::Tensor x = at::randn({1, in, 3, width}), bias = at::randn({out});
        const at::Tensor weight = at::randn({out, in, 3, 3}), more = at::randn({width, out});
        const at::Tensor framed = at::constant_pad_nd(x, {1, 1})[0].permute({1, 2, 0}).contiguous();
        std::vector<at::Tensor> matrices;
        std::vector<cpu::Tap> taps;
        for (int64_t ky = 0; ky < 3; ++ky) {
          for (int64_t kx = 0; kx < 3; ++kx) {
            matrices.push_back(weight.select(2, ky).select(2, kx));
            taps.push_back({framed[ky][kx].const_data_ptr<float>(), in, in});
          }
        }
        const at::Tensor y = at::empty({width, out});
        cpu::PackedConv(matrices, bias, kernels)(taps, width, y.mutable_data_ptr<float>(), out,
                                                 more.const_data_ptr<float>());
        // The middle row of three sees all of them.
        const at::Tensor wanted = at::conv2d(x, weight, bias, 1, 1)[0].select(1, 1).t() + more;
        check(close(y, wanted), name + ": convolution of " + std::to_string(in) + " to " +
                                    std::to_string(out) + " channels, " + std::to_string(width) +
                                    " pixels");
      }
    }
  }
}

template <typename T>
void check_rows(const cpu::Kernels& kernels, const std::string& name, at::ScalarType dtype,
                double tolerance) {
  const cpu::RowKernels<T>& rows = kernels.rows<T>();
  for (const int64_t channels : {5, 16, 70, 128}) {
    const std::string what = name + ", " + std::to_string(channels) + " channels";
    const at::Tensor x = (at::randn({9, channels}) * 30).to(dtype), y = at::empty_like(x);
    const at::Tensor gain = at::randn({channels}), lift = at::randn({channels});
    const at::Tensor plain = x.to(at::kDouble) * gain + lift;
    const T* from = x.const_data_ptr<T>();
    T* to = y.mutable_data_ptr<T>();
    const float* gains = gain.const_data_ptr<float>();
    const float* lifts = lift.const_data_ptr<float>();
    rows.transform(from, 9, channels, gains, lifts, to);
    check(close(y, plain, tolerance), what + ": transform");
    rows.transform_silu(from, 9, channels, gains, lifts, to);
    check(close(y, at::silu(plain), tolerance), what + ": SiLU");
    const at::Tensor sums = at::zeros({2, channels});
    float* sum = sums.mutable_data_ptr<float>();
    rows.add_moments(from, 9, channels, sum, sum + channels);
    const at::Tensor exact = x.to(at::kDouble);
    check(close(sums[0], exact.sum(0)) && close(sums[1], (exact * exact).sum(0)),
          what + ": moments");
  }
}

void check_softmax(const cpu::Kernels& kernels, const std::string& name) {
  const at::Tensor logits = at::randn({7, 3 * kernels.lanes}) * 10;
  logits.select(1, 1).fill_(-10000);
  const at::Tensor wanted = at::softmax(logits.to(at::kDouble), 1), rows = logits.clone();
  kernels.softmax(rows.mutable_data_ptr<float>(), 7, rows.size(1));
  check(close(rows, wanted), name + ": softmax");
  check(rows.select(1, 1).eq(0).all().item<bool>(), name + ": what is masked out counts nothing");
}

// Rows of any number and length, with and without a bias; what is made of one hangs on no other.
template <typename T>
void check_dot(const cpu::Kernels& kernels, const std::string& name, at::ScalarType dtype,
               double tolerance) {
  for (const int64_t in : {1, 31, 33, 96, 515}) {
    for (const int64_t out : {1, 3, 6, 21}) {
      const at::Tensor weight = at::randn({out, in}).to(dtype), bias = at::randn({out}).to(dtype);
      const at::Tensor x = at::randn({13, in}).to(dtype);
      std::vector<float> scratch(13 * in);
      const auto product = [&](int64_t first, int64_t rows, bool with_bias) {
        const at::Tensor y = at::empty({rows, out}, x.options());
        kernels.rows<T>().dot({x.const_data_ptr<T>() + first * in, rows, in,
                               weight.const_data_ptr<T>(), out,
                               with_bias ? bias.const_data_ptr<T>() : nullptr,
                               y.mutable_data_ptr<T>(), out, scratch.data()});
        return y;
      };
      const std::string what = name + ": few rows of " + std::to_string(in) + " times " +
                               std::to_string(out) + " results";
      const at::Tensor wanted = x.to(at::kDouble).matmul(weight.to(at::kDouble).t());
      const at::Tensor all = product(0, 13, true);
      check(close(all, wanted + bias, tolerance), what);
      check(close(product(0, 13, false), wanted, tolerance), what + ", without a bias");
      for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7, 12}) {
        check(product(1, rows, true).equal(all.narrow(0, 1, rows)),
              what + ": " + std::to_string(rows) + " rows hang on no others");
      }
    }
  }
}

constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

// Any shape, packed as it lies or the other way round; added to what is there; what is made of a
// row hangs on no other.
void check_pair_products(const cpu::Kernels& kernels, const std::string& name) {
  const int64_t lanes = kernels.lanes;
  for (const int64_t in : {1, 2, 31, 64, 67}) {
    for (const int64_t out : {1, 16, 33, 48, 64}) {
      for (const int64_t rows : {1, 2, 5, 6, 7, 8, 13, 24}) {
        const at::Tensor x = at::randn({rows, in}).to(at::kBFloat16);
        const at::Tensor weight = at::randn({out, in}).to(at::kBFloat16);
        const at::Tensor turned = weight.t().contiguous();
        const int64_t vectors = (out + lanes - 1) / lanes, columns = vectors * lanes;
        // Nothing may be left as it was.
        const at::Tensor packed = at::full({(in + 1) / 2 * 2 * columns}, kNoNumber, x.options());
        const at::Tensor same = packed.clone(), sums = at::ones({rows, columns});
        const auto product = [&](const at::Tensor& of, int64_t first, int64_t count, bool add) {
          kernels.pairs.product({x.const_data_ptr<at::BFloat16>() + first * in, in, count, in,
                                 of.const_data_ptr<at::BFloat16>(), vectors,
                                 sums.mutable_data_ptr<float>() + first * columns, columns, add});
          return sums.narrow(0, first, count).narrow(1, 0, out).clone();
        };
        for (int64_t v = 0; v < vectors; ++v) {
          const int64_t first = v * lanes, count = std::min(lanes, out - first);
          kernels.pairs.pack({weight.const_data_ptr<at::BFloat16>() + first * in, in, count, in,
                              packed.mutable_data_ptr<at::BFloat16>() + 2 * first, 2 * columns});
          kernels.pairs.pack_columns({turned.const_data_ptr<at::BFloat16>() + first, out, count, in,
                                      same.mutable_data_ptr<at::BFloat16>() + 2 * first,
                                      2 * columns});
        }
        const std::string what = name + ": pairs of " + std::to_string(in) + " inputs, " +
                                 std::to_string(out) + " results of " + std::to_string(rows) +
                                 " rows";
        check(same.equal(packed), what + ": packed the same from columns");
        const at::Tensor wanted = x.to(at::kDouble).matmul(weight.to(at::kDouble).t());
        check(close(product(packed, 0, rows, true), wanted + 1), what + ", added");
        sums.fill_(kNoNumber);
        const at::Tensor all = product(packed, 0, rows, false);
        check(close(all, wanted), what);
        check(product(packed, rows / 2, rows - rows / 2, false)
                  .equal(all.narrow(0, rows / 2, rows - rows / 2)),
              what + " hang on no others");
      }
    }
  }
}

void check_pair_ends(const cpu::Kernels& kernels, const std::string& name) {
  using at::BFloat16;
  const at::Tensor sums = at::randn({5, 48}), bias = at::randn({37}).to(at::kBFloat16);
  const at::Tensor more = at::randn({5, 40}).to(at::kBFloat16), factors = at::randn({5});
  const at::Tensor y = at::zeros_like(more);
  kernels.pairs.finish({sums.const_data_ptr<float>(), 48, 5, 37, factors.const_data_ptr<float>(),
                        bias.const_data_ptr<BFloat16>(), more.const_data_ptr<BFloat16>(),
                        y.mutable_data_ptr<BFloat16>(), 40});
  const at::Tensor wanted =
      sums.narrow(1, 0, 37) * factors.unsqueeze(1) + bias + more.narrow(1, 0, 37).to(at::kDouble);
  check(close(y.narrow(1, 0, 37), wanted, 4e-3), name + ": sums to bfloat16");
  check(y.narrow(1, 37, 3).eq(0).all().item<bool>(), name + ": and no further");

  const at::Tensor logits = at::randn({7, 48}) * 10, plain = logits.clone();
  const at::Tensor keys = at::randn({48}), weights = at::empty({7, 48}, bias.options());
  keys.narrow(0, 40, 8).fill_(-1e30);
  const at::Tensor scales = at::empty({7});
  kernels.pairs.softmax({logits.mutable_data_ptr<float>(), 7, 48, 0.25f,
                         keys.const_data_ptr<float>(), weights.mutable_data_ptr<BFloat16>(),
                         scales.mutable_data_ptr<float>()});
  const at::Tensor softmax = at::softmax(plain.to(at::kDouble) * 0.25 + keys, 1);
  check(close(weights.to(at::kFloat) * scales.unsqueeze(1), softmax, 4e-3),
        name + ": softmax of bfloat16");
  check(weights.narrow(1, 40, 8).eq(0).all().item<bool>(), name + ": no key counts nothing");
}

// G g G^T, of any number of channels.
void check_pair_weights(const cpu::Kernels& kernels, const std::string& name) {
  const at::Tensor outer =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble)
          .view({4, 3});
  const at::Tensor few = at::cat({outer.narrow(0, 0, 2), outer.narrow(0, 3, 1)});
  for (const int64_t in : {1, 15, 16, 17, 32, 33, 70}) {
    for (const bool doubled : {false, true}) {
      const at::Tensor weight = at::randn({in, 3, 3}).to(at::kBFloat16);
      const at::Tensor& g = doubled ? few : outer;
      const at::Tensor wanted = g.matmul(weight.to(at::kDouble)).matmul(g.t());
      const at::Tensor y = at::zeros({g.size(0) * g.size(0), in + 3}, weight.options());
      kernels.pairs.winograd.weights(weight.const_data_ptr<at::BFloat16>(), in, doubled,
                                     y.mutable_data_ptr<at::BFloat16>(), in + 3);
      const std::string what = name + ": Winograd's weights of " + std::to_string(in) + " channels";
      check(close(y.narrow(1, 0, in), wanted.flatten(1).t(), 4e-3), what);
      check(y.narrow(1, in, 3).eq(0).all().item<bool>(), what + ", and no further");
    }
  }
}

// More rows and inputs than are worked on at once, of two sources, whose rows lie apart.
void check_pair_product() {
  const at::Tensor both = at::randn({1500, 1700}).to(at::kBFloat16);
  const at::Tensor few = at::randn({1500, 7}).to(at::kBFloat16);
  const at::Tensor weight = at::randn({150, 1050}).to(at::kBFloat16);
  const at::Tensor bias = at::randn({150}).to(at::kBFloat16);
  const at::Tensor more = at::randn({1500, 150}).to(at::kBFloat16);
  const at::Tensor x = both.narrow(1, 5, 1043);
  const at::Tensor first = weight.narrow(1, 0, 1043), last = weight.narrow(1, 1043, 7);
  at::set_num_threads(1);
  const at::Tensor alone = cpu::pair_product({{x, first}, {few, last}}, bias, more);
  at::set_num_threads(2);
  const at::Tensor y = cpu::pair_product({{x, first}, {few, last}}, bias, more);
  const at::Tensor wanted =
      at::cat({x, few}, 1).to(at::kDouble).matmul(weight.to(at::kDouble).t()) + bias + more;
  check(close(y, wanted, 4e-3), "product by pairs of two sources");
  check(y.equal(alone), "product by pairs does not hang on the threads");
  const at::Tensor some = cpu::pair_product({{x.narrow(0, 3, 40), first}}, std::nullopt);
  check(some.equal(cpu::pair_product({{x, first}}, std::nullopt).narrow(0, 3, 40)),
        "product by pairs of a row hangs on no other");
  check(cpu::pair_product({{x.narrow(0, 0, 0), first}}, bias).numel() == 0, "no rows are none");
}

void check_kernels(const cpu::Kernels& kernels, const std::string& name) {
  check_conv(kernels, name);
  check_rows<float>(kernels, name, at::kFloat, kTolerance);
  check_rows<at::BFloat16>(kernels, name + ", bfloat16", at::kBFloat16, 4e-3);
  check_softmax(kernels, name);
  check_dot<float>(kernels, name, at::kFloat, kTolerance);
  check_dot<at::BFloat16>(kernels, name + ", bfloat16", at::kBFloat16, 4e-3);
  if (kernels.pairs.product == nullptr) return;
  check_pair_products(kernels, name);
  check_pair_ends(kernels, name);
  check_pair_weights(kernels, name);
}

// Few rows and many, of any shape and layout, and what is no matter of the kernel.
void check_linear() {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kDouble, at::kHalf}) {
    const at::Tensor weight = at::randn({70, 40}).to(dtype), bias = at::randn({70}).to(dtype);
    const double tolerance = dtype == at::kBFloat16 ? 8e-3 : dtype == at::kHalf ? 1e-3 : kTolerance;
    for (const at::Tensor& x : {at::randn({40}), at::randn({2, 3, 40}), at::randn({40, 5}).t(),
                                at::randn({0, 40}), at::randn({2, 200, 40})}) {
      const at::Tensor own = x.to(dtype);
      const at::Tensor wanted = at::linear(own.to(at::kDouble), weight.to(at::kDouble));
      const at::Tensor y = karlo::nets::linear(own, weight, std::nullopt);
      const std::string what = std::string("linear, ") + c10::toString(dtype) + ", " +
                               std::to_string(x.numel()) + " numbers";
      check(y.scalar_type() == dtype && y.sizes() == wanted.sizes(), what + ": dtype and shape");
      if (x.numel() == 0) continue;
      check(close(y, wanted, tolerance), what);
      check(close(karlo::nets::linear(own, weight, bias), wanted + bias, tolerance),
            what + ", with a bias");
    }
  }
  // So many that products by pairs are worth their while, where there are any.
  const at::Tensor many = at::randn({300, 1030}).to(at::kBFloat16);
  const at::Tensor wide = at::randn({1000, 1030}).to(at::kBFloat16);
  check(close(karlo::nets::linear(many, wide, std::nullopt),
              at::linear(many.to(at::kDouble), wide.to(at::kDouble)), 8e-3),
        "linear of many rows in bfloat16");
  const at::Tensor weight = at::randn({2048, 2048}), x = at::randn({6, 2048});
  at::set_num_threads(1);
  const at::Tensor alone = karlo::nets::linear(x, weight, std::nullopt);
  at::set_num_threads(2);
  check(karlo::nets::linear(x, weight, std::nullopt).equal(alone),
        "linear does not hang on the threads");
}

// Random weights, the same for each dtype.
class Weights {
 public:
  explicit Weights(at::ScalarType dtype) : dtype_(dtype) {}

  TensorSource source() {
    return [this](const TensorSpec& spec) {
      at::Tensor& weight = known()[spec.name];
      if (!weight.defined()) weight = at::randn(spec.shape) * 0.3;
      return weight.to(dtype_);
    };
  }
  static void forget() { known().clear(); }

 private:
  static std::map<std::string, at::Tensor>& known() {
    static std::map<std::string, at::Tensor> weights;
    return weights;
  }
  at::ScalarType dtype_;
};

// Runs the same on one thread and on two, all pictures at once and one by one, and in double
// precision, for which there is no kernel. @param own whether all products are our own: LibTorch's
// sums may hang on the threads
template <typename Run>
void check_dtype(const std::string& name, int64_t batch, at::ScalarType dtype, double tolerance,
                 bool own, const Run& run) {
  Weights::forget();
  const at::Tensor wanted = run(at::kDouble, 0, batch);
  at::set_num_threads(1);
  const at::Tensor alone = run(dtype, 0, batch);
  at::set_num_threads(2);
  const at::Tensor together = run(dtype, 0, batch);
  check(close(together, wanted, tolerance), name + " agrees with double precision");
  // LibTorch's own operators keep the format that they are given.
  if (dtype == at::kFloat || own) {
    check(together.is_contiguous(at::MemoryFormat::ChannelsLast), name + " is channels last");
  }
  if (!own) return;
  check(together.equal(alone), name + " does not hang on the threads");
  for (int64_t b = 0; b < batch; ++b) {
    check(run(dtype, b, 1).equal(together.narrow(0, b, 1)),
          name + " does not hang on the other pictures");
  }
}

template <typename Run>
void check_operator(const std::string& name, int64_t batch, bool narrow, const Run& run) {
  check_dtype(name, batch, at::kFloat, kTolerance, narrow, run);
  // Of weights and pictures that are rounded themselves.
  check_dtype(name + " in bfloat16", batch, at::kBFloat16, 2e-2,
              cpu::multiplies_by_pairs(at::kBFloat16), run);
}

constexpr int64_t kTime = 12;

struct ResBlockCase {
  std::string name;
  int64_t batch, in, skipped, out, height, width, groups;
  Resample resample;
  bool scale_shift, time_each;
};

void check_res_block(const ResBlockCase& c) {
  const at::Tensor x = at::randn({c.batch, c.in, c.height, c.width});
  const at::Tensor skipped = at::randn({c.batch, c.skipped, c.height, c.width});
  const at::Tensor time = at::randn({c.time_each ? c.batch : 1, kTime});
  const bool narrow = c.out < 100;
  check_operator(
      "res_block, " + c.name, c.batch, narrow, [&](at::ScalarType dtype, int64_t b, int64_t n) {
        Weights weights(dtype);
        const Scope scope(jit::Module("__torch__.res_block"), weights.source());
        TimeProjections times;
        times.add(scope["another"], kTime, 7);  // so that its own part does not start at zero
        const ResBlock block(scope["block"], c.in + c.skipped, c.out,
                             {kTime, c.groups, 1e-5, c.scale_shift}, times, c.resample);
        const auto part = [&](const at::Tensor& all) { return all.narrow(0, b, n).to(dtype); };
        // All at once: what a matrix product makes of a row may hang on the others.
        const at::Tensor all = times(time.to(dtype));
        const at::Tensor projected = c.time_each ? all.narrow(0, b, n) : all;
        if (c.skipped == 0) return block(part(x), projected);
        return block(part(x), projected, part(skipped));
      });
}

void check_attention(int64_t channels, int64_t head_width, int64_t tokens, int64_t side) {
  constexpr int64_t kBatch = 3, kContext = 10;
  const at::Tensor x = at::randn({kBatch, channels, side, side + 1});
  const at::Tensor context = at::randn({kBatch, tokens, kContext});
  const at::Tensor mask = at::randn({kBatch, tokens}).gt(-0.5);
  const std::string name = "context_attention of " + std::to_string(channels) + " channels";
  check_operator(name, kBatch, true, [&](at::ScalarType dtype, int64_t b, int64_t n) {
    Weights weights(dtype);
    const Scope scope(jit::Module("__torch__.attention"), weights.source());
    ContextProjections contexts;
    contexts.add(scope["another"], kContext, 5);
    const ContextAttention block(scope["block"], channels, head_width, kContext, 4, contexts);
    const auto part = [&](const at::Tensor& all) { return all.narrow(0, b, n).to(dtype); };
    const at::Tensor cache = contexts(context.to(dtype)).narrow(0, b, n);
    return block(part(x), {cache, mask_bias(mask.narrow(0, b, n), cache)});
  });
}

template <typename F>
void check_refused(const std::string& what, const F& f) {
  bool refused = false;
  try {
    f();
  } catch (const c10::Error&) {
    refused = true;
  }
  check(refused, what + " is refused");
}

// As a TorchScript file may have it.
void check_misfits() {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const int64_t channels : {16, 192}) {
      const auto source = [&](const TensorSpec& spec) { return at::randn(spec.shape).to(dtype); };
      const auto random = [&](at::IntArrayRef shape) { return at::randn(shape).to(dtype); };
      const std::string name = std::to_string(channels) + " channels, " + c10::toString(dtype);
      const Scope scope(jit::Module("__torch__.misfits"), source);
      TimeProjections times;
      const ResBlock block(scope["block"], channels, channels, {kTime, 4, 1e-5, true}, times);
      const at::Tensor time = times(random({1, kTime}));
      check_refused("res_block of fewer channels, " + name,
                    [&] { block(random({1, channels - 4, 8, 8}), time); });
      check_refused("res_block with more than it has weights for, " + name,
                    [&] { block(random({1, channels, 8, 8}), time, random({1, 4, 8, 8})); });
      check_refused("res_block without a time, " + name,
                    [&] { block(random({1, channels, 8, 8}), time.narrow(1, 0, channels)); });
      ContextProjections contexts;
      const ContextAttention attention(scope["attention"], channels, 8, 6, 4, contexts);
      const at::Tensor x = random({2, channels, 4, 4}), cache = contexts(random({2, 5, 6}));
      const at::Tensor bias = random({2, 1, 1, 5});
      check_refused("context_attention of another picture's context, " + name,
                    [&] { attention(x, {cache.narrow(0, 0, 1), bias}); });
      check_refused("context_attention of too narrow a context, " + name,
                    [&] { attention(x, {cache.narrow(2, 0, channels), bias}); });
      check_refused("context_attention with another context's mask, " + name,
                    [&] { attention(x, {cache, bias.narrow(3, 0, 4)}); });
    }
  }
}

}  // namespace

int main() {
  at::NoGradGuard no_grad;
  check_kernels(cpu::base_kernels(), "base");
#ifdef KARLO_X86_KERNELS
  if (cpu::kernels().lanes >= 8) check_kernels(cpu::avx2_kernels(), "AVX2");
  if (cpu::kernels().lanes >= 16) check_kernels(cpu::avx512_kernels(), "AVX-512");
  if (cpu::kernels().pairs.product) check_kernels(cpu::kernels(), "AVX-512 with bfloat16");
#endif

  if (cpu::has_pairs()) check_pair_product();
  check_linear();

  const Resample none = Resample::kNone, down = Resample::kDown, up = Resample::kUp;
  const std::vector<ResBlockCase> blocks{
      {"same channels", 2, 16, 0, 16, 8, 6, 4, none, false, false},
      {"more channels", 1, 12, 0, 40, 5, 7, 4, none, true, true},
      {"with what is skipped", 3, 20, 28, 16, 6, 6, 4, none, true, true},
      {"groups across both", 2, 16, 8, 21, 6, 6, 3, none, false, true},
      {"halving", 2, 24, 0, 24, 8, 12, 3, down, false, false},
      {"doubling", 3, 18, 0, 18, 3, 5, 2, up, true, true},
      {"one pixel", 2, 32, 0, 32, 1, 1, 4, none, false, false},
      {"many pixels", 1, 16, 0, 16, 40, 36, 8, up, false, false},
      {"more pictures than are worked on at once", 5, 16, 20, 24, 64, 68, 4, none, true, true},
      // Too wide for a core's cache.
      {"wide", 1, 176, 0, 192, 32, 34, 16, none, true, false},
      {"wide, with what is skipped", 1, 96, 112, 176, 36, 32, 16, none, false, false},
      {"wide, halving", 1, 176, 0, 176, 72, 64, 16, down, true, false},
      {"wide, pictures that strips do not divide", 2, 200, 0, 328, 46, 54, 8, none, true, false},
      {"wide, few pixels", 2, 176, 64, 192, 7, 6, 16, none, true, true},
      {"wide, few pixels, halving", 1, 176, 0, 176, 14, 10, 16, down, true, false},
      {"wide, doubling", 2, 176, 0, 176, 15, 18, 16, up, false, false}};
  for (const ResBlockCase& block : blocks) check_res_block(block);
  check_attention(32, 8, 9, 4);
  check_attention(48, 12, 81, 7);
  check_attention(80, 20, 3, 9);
  check_misfits();
  return karlo::testing::failures() == 0 ? 0 : 1;
}
