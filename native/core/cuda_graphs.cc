#include "core/cuda_graphs.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/dynamic_library.h"
#include "cuda_graphs/recorder.h"

namespace karlo::cuda_graphs {
namespace {

// All graphs of a device share memory, so a call must queue its inputs, its graph and the copy of
// its result before another one does: everything here happens under the mutex.
struct Process {
  std::mutex mutex;
  Recorder* recorder = nullptr;
  std::string reason;
  std::set<MethodGraphs*> modules;
  int64_t graphs = 0;
  int64_t replays = 0;
  std::atomic<bool> open{false};  // whether there is a recorder; read without the mutex
};

// Never destroyed: modules of other threads may outlive static objects.
Process& process() {
  static auto* const process = new Process;
  return *process;
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown error";
  }
}

// The interpreter drops the type of exceptions.
bool is_out_of_memory(const std::string& message) {
  return message.find("out of memory") != std::string::npos;
}

// Records no more methods.
void give_up(Process& process, const std::string& reason) {
  if (!process.reason.empty()) return;
  process.reason = reason;
  TORCH_WARN("CUDA graphs are not used any more, which costs speed only: ", reason);
}

}  // namespace

void open(const std::string& library) {
  if (process().open) return;
  std::string reason;
  void* handle = open_library(library, &reason);
  if (handle == nullptr) throw std::runtime_error(reason);
  const auto get = reinterpret_cast<GetRecorder>(find_symbol(handle, kGetRecorder));
  if (get == nullptr) throw std::runtime_error(library + " does not export " + kGetRecorder);
  use(get());
}

void use(Recorder* recorder) {
  const std::lock_guard<std::mutex> lock(process().mutex);
  process().recorder = recorder;
  process().open = recorder != nullptr;
  process().reason.clear();
}

Statistics statistics() {
  const Process& current = process();
  const std::lock_guard<std::mutex> lock(process().mutex);
  const bool available = current.recorder != nullptr && current.reason.empty();
  return {available, current.reason, current.graphs, current.replays};
}

// What was recorded for one method and one set of shapes.
struct MethodGraphs::Entry {
  Entry(std::string name, const Tensors& like) : name(std::move(name)), like(describe(like)) {}
  ~Entry() { forget(); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  struct Shape {
    c10::ScalarType dtype;
    c10::Device device;
    std::vector<int64_t> sizes;
    bool operator==(const Shape& other) const {
      return dtype == other.dtype && device == other.device && sizes == other.sizes;
    }
  };

  static std::vector<Shape> describe(const Tensors& inputs) {
    std::vector<Shape> shapes;
    for (const auto& input : inputs) {
      shapes.push_back({input.scalar_type(), input.device(), input.sizes().vec()});
    }
    return shapes;
  }

  void forget() {
    if (graph) --process().graphs;
    graph.reset();
    inputs.clear();
    output.reset();
  }

  const std::string name;
  const std::vector<Shape> like;
  int calls = 0;
  bool failed = false;  // whether it always runs as usual
  Tensors inputs;       // the graph reads these
  at::Tensor output;    // and writes this one
  std::unique_ptr<Graph> graph;
};

MethodGraphs::MethodGraphs(std::set<std::string> recorded) : recorded_(std::move(recorded)) {
  if (recorded_.empty()) return;
  const std::lock_guard<std::mutex> lock(process().mutex);
  process().modules.insert(this);
}

MethodGraphs::~MethodGraphs() {
  if (recorded_.empty()) return;
  const std::lock_guard<std::mutex> lock(process().mutex);
  process().modules.erase(this);
  entries_.clear();
}

bool MethodGraphs::records(const std::string& name) const {
  return process().open && recorded_.count(name) > 0;
}

bool release_all(const std::string& reason) {
  Process& current = process();
  const std::lock_guard<std::mutex> lock(current.mutex);
  if (current.graphs == 0) return false;
  for (MethodGraphs* module : current.modules) module->entries_.clear();
  give_up(current, reason);
  return true;
}

at::Tensor MethodGraphs::run(const std::string& name, const Tensors& inputs, const Method& method) {
  if (auto result = try_run(name, inputs, method)) return *std::move(result);
  return method(inputs);
}

std::optional<at::Tensor> MethodGraphs::try_run(const std::string& name, const Tensors& inputs,
                                                const Method& method) {
  Process& current = process();
  const std::lock_guard<std::mutex> lock(current.mutex);
  if (current.recorder == nullptr) return std::nullopt;
  Entry& entry = find(name, inputs);
  if (!entry.graph && (entry.failed || !current.reason.empty())) return std::nullopt;
  try {
    if (entry.graph) return replay(entry, inputs);
    if (++entry.calls <= kWarmUpCalls) return warm_up(entry, inputs, method);
    record(entry, inputs, method);
    return replay(entry, inputs);
  } catch (...) {
    const std::string message = message_of(std::current_exception());
    // An error of the first calls is the method's own, and occurs again. A batch that is too large
    // is no reason to stop recording others.
    if (entry.calls > kWarmUpCalls && !is_out_of_memory(message)) give_up(current, message);
    entry.forget();
    entry.failed = true;
    return std::nullopt;
  }
}

// The output belongs to the recorder's stream: it stays until that stream waits for its copy.
at::Tensor MethodGraphs::warm_up(Entry& entry, const Tensors& inputs, const Method& method) {
  process().recorder->warm_up(inputs.at(0).device(), [&] { entry.output = method(inputs); });
  return entry.output.clone();
}

void MethodGraphs::record(Entry& entry, const Tensors& inputs, const Method& method) {
  entry.output.reset();
  for (const auto& input : inputs) entry.inputs.push_back(input.clone());
  entry.graph = process().recorder->capture(
      inputs.at(0).device(), [&entry, method] { entry.output = method(entry.inputs); });
  ++process().graphs;
}

at::Tensor MethodGraphs::replay(Entry& entry, const Tensors& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    entry.inputs[i].copy_(inputs[i], /*non_blocking=*/true);
  entry.graph->replay();
  ++process().replays;
  return entry.output.clone();
}

// The entry of a call, moved to the end. The least recently used one makes room for a new one.
MethodGraphs::Entry& MethodGraphs::find(const std::string& name, const Tensors& inputs) {
  const auto shapes = Entry::describe(inputs);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry->name == name && entry->like == shapes;
  });
  if (found != entries_.end()) {
    std::rotate(found, found + 1, entries_.end());
  } else {
    if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
    entries_.push_back(std::make_unique<Entry>(name, inputs));
  }
  return *entries_.back();
}

}  // namespace karlo::cuda_graphs
