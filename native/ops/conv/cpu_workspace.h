#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <cstdint>

namespace karlo::ops::cpu {

// The memory of one convolution, in a single block. Blocks of many sizes would not be reused, and
// the system clears new memory page by page.
class Workspace {
 public:
  explicit Workspace(int64_t bytes)
      : data_(at::empty({(bytes + kBlock - 1) / kBlock * kBlock},
                        at::TensorOptions().dtype(at::kByte))) {}

  at::Tensor take(at::IntArrayRef shape, at::ScalarType dtype) {
    const int64_t bytes = c10::multiply_integers(shape) * c10::elementSize(dtype);
    const int64_t first = taken_;
    taken_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return data_.narrow(0, first, bytes).view(dtype).view(shape);
  }

  // The most bytes that take() adds to those of the tensor.
  static constexpr int64_t kAlignment = 64;
  // One block is nearly always enough, and only the pages in use take memory.
  static constexpr int64_t kBlock = int64_t{1} << 27;  // 128 MB

 private:
  at::Tensor data_;
  int64_t taken_ = 0;
};

}  // namespace karlo::ops::cpu
