#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

// The interface of libkarlo_cuda, the only library of this package that links CUDA. The addon opens
// it if there is a CUDA device: without one, its dependencies are missing.
namespace karlo::cuda_graphs {

// A recorded sequence of kernels, with fixed addresses of their inputs and outputs.
class Graph {
 public:
  virtual ~Graph() = default;
  // Queues the kernels on the current stream, with one call of the driver.
  virtual void replay() = 0;
};

// Records the kernels that a function queues. The caller serializes all calls, and those of
// replay(), because all graphs of a device share the memory of their temporary tensors.
class Recorder {
 public:
  virtual ~Recorder() = default;
  // Runs the work, and waits for its kernels. The stream is that of capture(), so that libraries
  // allocate their workspaces for it outside of graphs.
  virtual void warm_up(c10::Device device, const std::function<void()>& work) = 0;
  // Records the work without computing anything. Results have values only after a replay. If it
  // throws, nothing remains, and eager calls continue to work.
  virtual std::unique_ptr<Graph> capture(c10::Device device, std::function<void()> work) = 0;
};

// The type of the library's only exported function, and its name.
using GetRecorder = Recorder* (*)();
constexpr char kGetRecorder[] = "karlo_cuda_graph_recorder";

}  // namespace karlo::cuda_graphs
