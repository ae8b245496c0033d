#pragma once

#include <c10/core/Allocator.h>

namespace fake_cuda {

__attribute__((visibility("default"))) c10::Allocator* allocator();
// LibTorch's allocator has no devices either before CUDA is initialized.
__attribute__((visibility("default"))) void initialize_allocator();

}  // namespace fake_cuda
