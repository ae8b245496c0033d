#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <cstdint>

namespace karlo::nets::cpu {

// Where a convolution works, in one piece: pieces of many sizes would not be used again, and the
// system clears new memory page by page.
class Workspace {
 public:
  explicit Workspace(int64_t bytes)
      : data_(at::empty({(bytes + kPiece - 1) / kPiece * kPiece},
                        at::TensorOptions().dtype(at::kByte))) {}

  at::Tensor take(at::IntArrayRef shape, at::ScalarType dtype) {
    const int64_t bytes = c10::multiply_integers(shape) * c10::elementSize(dtype);
    const int64_t first = taken_;
    taken_ += (bytes + kLine - 1) / kLine * kLine;
    return data_.narrow(0, first, bytes).view(dtype).view(shape);
  }

  // What take() takes at most, beside the bytes.
  static constexpr int64_t kLine = 64;

 private:
  // Nearly always one, of which only what is used takes memory.
  static constexpr int64_t kPiece = int64_t{1} << 27;  // 128 MB

  at::Tensor data_;
  int64_t taken_ = 0;
};

}  // namespace karlo::nets::cpu
