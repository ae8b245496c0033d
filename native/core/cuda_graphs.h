#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace karlo::cuda_graphs {

class Graph;
class Recorder;

// Opens libkarlo_cuda, after LibTorch's CUDA libraries. Throws std::runtime_error with the reason
// if it cannot be opened.
void open(const std::string& library);
// Uses a recorder, or none.
void use(Recorder* recorder);

// The process's use of graphs.
struct Statistics {
  bool available = false;  // whether methods are recorded
  std::string reason;      // why no more methods are recorded, after one could not be
  int64_t graphs = 0;      // in memory
  int64_t replays = 0;     // so far
};
Statistics statistics();

// Frees all graphs of the process, and records no more. Returns false if there were none.
bool release_all(const std::string& reason);

// Runs methods of one module, whose weights do not change, and replays those that repeat. The first
// calls of a method with inputs of the same shapes and dtypes run as usual; the next one records
// it. If that fails, all calls run as usual.
class MethodGraphs {
 public:
  using Tensors = std::vector<at::Tensor>;
  // Owns what it needs.
  using Method = std::function<at::Tensor(const Tensors&)>;

  static constexpr int kWarmUpCalls = 3;
  static constexpr size_t kMaxEntries = 8;

  // @param recorded the names of the methods that are worth a graph
  explicit MethodGraphs(std::set<std::string> recorded = {});
  ~MethodGraphs();
  MethodGraphs(const MethodGraphs&) = delete;
  MethodGraphs& operator=(const MethodGraphs&) = delete;

  // Whether run() may do more than call the method.
  bool records(const std::string& name) const;
  // @param inputs on one device @returns a new tensor
  at::Tensor run(const std::string& name, const Tensors& inputs, const Method& method);

 private:
  struct Entry;
  friend bool release_all(const std::string& reason);

  Entry& find(const std::string& name, const Tensors& inputs);
  // The result, or nothing if the method is to be called as usual.
  std::optional<at::Tensor> try_run(const std::string& name, const Tensors& inputs,
                                    const Method& method);
  static at::Tensor warm_up(Entry& entry, const Tensors& inputs, const Method& method);
  static void record(Entry& entry, const Tensors& inputs, const Method& method);
  static at::Tensor replay(Entry& entry, const Tensors& inputs);

  const std::set<std::string> recorded_;
  std::vector<std::unique_ptr<Entry>> entries_;  // the most recently used last
};

}  // namespace karlo::cuda_graphs
