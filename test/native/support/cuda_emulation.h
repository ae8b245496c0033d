#pragma once

// Compiles CUDA kernels for the CPU, and runs them there: include this, then a file with kernels
// within KARLO_EMULATED(namespace, type). Each thread of a block is a fiber, so that a barrier
// costs microseconds; blocks run one after the other. What it does not emulate: the precision of
// the GPU's own functions (expf), and the memory model.

#include <c10/util/Half.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/program.h"

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunknown-pragmas"  // #pragma unroll
#endif

#define __device__
#define __shared__ static
#define KARLO_KERNEL inline void

namespace karlo::testing {

struct Dimensions {
  unsigned x, y, z;
};

// The threads of the block that runs.
class EmulatedBlock {
 public:
  static EmulatedBlock& instance();

  // Runs `kernel` in each thread. Throws std::logic_error if all threads wait, at barriers that not
  // all of them reach.
  void run(unsigned threads, const std::function<void()>& kernel);

  void wait_for_block() { wait(block_, threads_); }

  // The value of another lane of this thread's warp.
  template <typename T>
  T exchange(T value, unsigned distance) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    std::memcpy(&values_[current_], &value, sizeof(T));
    wait_for_warp();
    T other;
    std::memcpy(&other, &values_[current_ ^ distance], sizeof(T));
    wait_for_warp();
    return other;
  }

 private:
  struct Barrier {
    unsigned arrived = 0, generation = 0;
  };
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool done;
  };

  static void start();
  void wait(Barrier& barrier, unsigned expected);
  void wait_for_warp();

  ucontext_t scheduler_;
  std::vector<Fiber> fibers_;
  std::vector<uint64_t> values_;
  std::vector<Barrier> warps_;
  Barrier block_;
  const std::function<void()>* kernel_ = nullptr;
  unsigned threads_ = 0, current_ = 0, progress_ = 0;
};

// A file's kernels, run by emulation.
class EmulatedProgram : public cuda::Program {
 public:
  template <class Argument>
  EmulatedProgram& add(const char* name, void (*kernel)(Argument)) {
    kernels_[name] = [kernel](const void* argument) {
      kernel(*static_cast<const Argument*>(argument));
    };
    return *this;
  }

 protected:
  void launch_with(const char* kernel, const cuda::Grid& grid, const void* argument) const override;

 private:
  std::map<std::string, std::function<void(const void*)>> kernels_;
};

}  // namespace karlo::testing

// CUDA's built-in names.
inline karlo::testing::Dimensions threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() { karlo::testing::EmulatedBlock::instance().wait_for_block(); }

template <typename T>
T __shfl_xor_sync(unsigned, T value, int distance) {
  return karlo::testing::EmulatedBlock::instance().exchange(value, distance);
}

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline unsigned __float_as_uint(float value) {
  unsigned bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fdiv_rn(float a, float b) { return a / b; }

#include "cuda/device.cuh"

namespace karlo::cuda {

inline float to_float(Half x) { return c10::detail::fp16_ieee_to_fp32_value(x.bits); }
inline void from_float(float x, Half& result) {
  result.bits = c10::detail::fp16_ieee_from_fp32_value(x);
}

}  // namespace karlo::cuda

// Opens a namespace in which the kernels of an included file are for tensors of a dtype: float,
// BFloat16 or Half. The file's own namespace, karlo::cuda, is within it.
#define KARLO_EMULATED(name, type) \
  namespace name::karlo::cuda {    \
  using namespace ::karlo::cuda;   \
  using Number = type;             \
  }                                \
  namespace name
