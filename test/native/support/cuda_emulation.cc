#include "support/cuda_emulation.h"

#include <algorithm>

namespace karlo::testing {
namespace {

constexpr size_t kStack = 64 * 1024;

}  // namespace

EmulatedBlock& EmulatedBlock::instance() {
  static EmulatedBlock block;
  return block;
}

void EmulatedBlock::start() {
  EmulatedBlock& block = instance();
  (*block.kernel_)();
  block.fibers_[block.current_].done = true;
  ++block.progress_;
}

void EmulatedBlock::run(unsigned threads, const std::function<void()>& kernel) {
  kernel_ = &kernel;
  threads_ = threads;
  if (fibers_.size() < threads) fibers_.resize(threads);
  values_.resize(threads);
  warps_.assign((threads + cuda::kWarp - 1) / cuda::kWarp, {});
  block_ = {};
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = fibers_[i];
    if (!fiber.stack) fiber.stack.reset(new char[kStack]);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = &scheduler_;
    fiber.done = false;
    makecontext(&fiber.context, &EmulatedBlock::start, 0);
  }
  unsigned running = threads;
  while (running > 0) {
    const unsigned before = progress_;
    for (unsigned i = 0; i < threads; ++i) {
      if (fibers_[i].done) continue;
      current_ = i;
      threadIdx = {i, 0, 0};
      swapcontext(&scheduler_, &fibers_[i].context);
      if (fibers_[i].done) --running;
    }
    if (running > 0 && progress_ == before) {
      throw std::logic_error("some threads of a block never reach a barrier");
    }
  }
}

void EmulatedBlock::wait(Barrier& barrier, unsigned expected) {
  if (++barrier.arrived == expected) {
    barrier.arrived = 0;
    ++barrier.generation;
    ++progress_;
    return;
  }
  const unsigned generation = barrier.generation, self = current_;
  while (barrier.generation == generation) {
    swapcontext(&fibers_[self].context, &scheduler_);
  }
}

void EmulatedBlock::wait_for_warp() {
  const unsigned first = current_ / cuda::kWarp * cuda::kWarp;
  wait(warps_[current_ / cuda::kWarp], std::min<unsigned>(cuda::kWarp, threads_ - first));
}

void EmulatedProgram::launch_with(const char* kernel, const cuda::Grid& grid,
                                  const void* argument) const {
  const auto& run = kernels_.at(kernel);
  const auto size = [](int64_t count) { return static_cast<unsigned>(count); };
  gridDim = {size(grid.x), size(grid.y), size(grid.z)};
  blockDim = {size(grid.threads), 1, 1};
  for (unsigned z = 0; z < gridDim.z; ++z) {
    for (unsigned y = 0; y < gridDim.y; ++y) {
      for (unsigned x = 0; x < gridDim.x; ++x) {
        blockIdx = {x, y, z};
        EmulatedBlock::instance().run(blockDim.x, [&] { run(argument); });
      }
    }
  }
}

}  // namespace karlo::testing
