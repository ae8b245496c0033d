#include "cuda_graphs/recorder.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <utility>

namespace karlo::cuda_graphs {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// Memory for the temporary tensors of all graphs of a device, which is freed with the last of them.
struct Pool {
  const at::cuda::MempoolId_t id = at::cuda::graph_pool_handle();
};

class CapturedGraph final : public Graph {
 public:
  CapturedGraph(c10::Device device, std::shared_ptr<Pool> pool)
      : device_(device), pool_(std::move(pool)), graph_(std::make_unique<at::cuda::CUDAGraph>()) {}

  // On the current stream.
  void capture(const std::function<void()>& work) {
    try {
      // Other threads may allocate memory in the meantime.
      graph_->capture_begin(pool_->id, cudaStreamCaptureModeThreadLocal);
      work();
      graph_->capture_end();
    } catch (...) {
      abandon();
      throw;
    }
  }

  void replay() override {
    const c10::cuda::CUDAGuard on_device(device_);
    graph_->replay();
  }

 private:
  // Ends a capture that failed. If that fails too, it takes back what capture_begin() did, which
  // CUDAGraph does not: the allocator would consider itself to be inside a capture for ever.
  void abandon() {
    if (succeeds([&] { graph_->capture_end(); })) return;
    succeeds([&] { allocator::endAllocateToPool(device_.index(), pool_->id); });
    succeeds([&] { allocator::releasePool(device_.index(), pool_->id); });
    graph_.release();  // its state is undefined, and the allocator may still refer to it
  }

  template <class Step>
  static bool succeeds(const Step& step) {
    try {
      step();
      return true;
    } catch (...) {
      return false;
    }
  }

  const c10::Device device_;
  const std::shared_ptr<Pool> pool_;
  std::unique_ptr<at::cuda::CUDAGraph> graph_;
};

class CudaRecorder final : public Recorder {
 public:
  void warm_up(c10::Device device, const std::function<void()>& work) override {
    const c10::cuda::CUDAGuard on_device(device);
    c10::cuda::getCurrentCUDAStream().synchronize();
    const c10::cuda::CUDAStream stream = side_stream(device.index());
    const c10::cuda::CUDAStreamGuard on_stream(stream);
    work();
    stream.synchronize();
  }

  std::unique_ptr<Graph> capture(c10::Device device, std::function<void()> work) override {
    const c10::cuda::CUDAGuard on_device(device);
    c10::cuda::getCurrentCUDAStream().synchronize();
    allocator::emptyCache();  // what the eager calls needed, the graph allocates once more
    auto graph = std::make_unique<CapturedGraph>(device, pool_of(device.index()));
    const c10::cuda::CUDAStreamGuard on_stream(side_stream(device.index()));
    graph->capture(work);
    return graph;
  }

 private:
  c10::cuda::CUDAStream side_stream(c10::DeviceIndex device) {
    const auto found = streams_.find(device);
    if (found != streams_.end()) return found->second;
    const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device);
    return streams_.emplace(device, stream).first->second;
  }

  std::shared_ptr<Pool> pool_of(c10::DeviceIndex device) {
    auto pool = pools_[device].lock();
    if (!pool) pools_[device] = pool = std::make_shared<Pool>();
    return pool;
  }

  std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams_;
  std::map<c10::DeviceIndex, std::weak_ptr<Pool>> pools_;
};

}  // namespace
}  // namespace karlo::cuda_graphs

extern "C" __attribute__((visibility("default"))) karlo::cuda_graphs::Recorder*
karlo_cuda_graph_recorder() {
  // Never destroyed: graphs of other threads may outlive static objects.
  static auto* const recorder = new karlo::cuda_graphs::CudaRecorder;
  return recorder;
}
