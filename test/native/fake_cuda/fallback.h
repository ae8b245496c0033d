#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

namespace fake_cuda {

// Runs an operator's kernel for the CPU on the memory of tensors on a device.
void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack);
// The same, with sums of 16-bit floats in float32.
void run_in_float32(const c10::OperatorHandle& op, torch::jit::Stack* stack);

}  // namespace fake_cuda
