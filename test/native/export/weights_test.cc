// Graphs and weights take separate paths: a graph is traced and saved without weights, loaded, and
// given weights that are in a mapped file. These tests follow one block of the decoder in its full
// size.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "export/freeze.h"
#include "export/method.h"
#include "nets/context_attention.h"
#include "nets/res_block.h"
#include "ops/attention/attention.h"

namespace karlo::testing {
namespace {

namespace jit = torch::jit;
namespace fs = std::filesystem;
using exporting::Tensors;

// Resident anonymous memory in MB: memory besides mapped files, and besides freed memory that
// malloc keeps.
double anonymous_mb() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::atof(line.c_str() + 8) / 1024;
  }
  return 0;
}

// The decoder's widest level, with the published channels, embedding and context.
struct Block {
  static constexpr int64_t kChannels = 1280, kTime = 1280, kContext = 1536;

  nets::TimeProjections times;
  nets::ContextProjections contexts;
  nets::ResBlock resnet;
  nets::ContextAttention attention;

  explicit Block(const nets::Scope& scope)
      : resnet(scope["resnets"][0], kChannels, kChannels, {kTime, 32, 1e-5, true}, times),
        attention(scope["attentions"][0], kChannels, 64, kContext, 32, contexts) {}

  Tensors forward(const Tensors& in) const {
    const at::Tensor x = in[0].type_as(resnet.conv1.weight);
    const at::Tensor context = in[2].type_as(x);
    const nets::Context prompt{contexts(context), ops::mask_bias(in[3], context)};
    return {attention(resnet(x, times(in[1].type_as(x))), prompt).type_as(in[0])};
  }
};

Tensors example(int64_t batch, at::TensorOptions options) {
  return {at::randn({batch, Block::kChannels, 8, 8}, options),
          at::randn({batch, Block::kTime}, options),
          at::randn({batch, 81, Block::kContext}, options),
          at::ones({batch, 81}, options.dtype(at::kBool))};
}

at::Tensor run(const jit::Module& module, const Tensors& inputs) {
  return module.get_method("forward")({inputs.begin(), inputs.end()}).toTensor();
}

// The block, traced and saved without weights.
struct SavedGraph {
  fs::path folder = fs::temp_directory_path() / ("karlo-weights-test-" + std::to_string(getpid()));
  fs::path path = folder / "block.pt";
  std::vector<nets::TensorSpec> parameters;
  int64_t largest_constant;

  SavedGraph() {
    fs::create_directory(folder);
    jit::Module module("__torch__.karlo.Block");
    const nets::Scope scope(module);
    const Block block(scope);
    const Tensors meta = example(2, at::TensorOptions().device(at::kMeta));
    exporting::add_method(
        module, "forward",
        {{"x", meta[0]}, {"times", meta[1]}, {"context", meta[2]}, {"mask", meta[3]}},
        [&](const Tensors& inputs) { return block.forward(inputs); });
    exporting::clear_parameters(module);
    module.save(path.string());
    parameters = scope.declared();
    largest_constant = exporting::largest_constant(module);
    warm_up(module);
  }
  ~SavedGraph() { fs::remove_all(folder); }
  SavedGraph(const SavedGraph&) = delete;
  SavedGraph& operator=(const SavedGraph&) = delete;

 private:
  // Libraries retain memory after a first run, in proportion to the batch.
  void warm_up(jit::Module& module) const {
    for (const nets::TensorSpec& spec : parameters) {
      exporting::set_parameter(module, spec.name, at::zeros(spec.shape));
    }
    run(module, example(5, at::kFloat));
    exporting::clear_parameters(module);
  }
};

const SavedGraph& saved_graph() {
  static const SavedGraph graph;
  return graph;
}

// A mapped file of random weights, none of which is anonymous memory.
class MappedWeights {
 public:
  MappedWeights(const fs::path& path, const std::vector<nets::TensorSpec>& specs,
                at::ScalarType dtype)
      : dtype_(dtype) {
    std::ofstream out(path, std::ios::binary);
    for (const nets::TensorSpec& spec : specs) {
      const at::Tensor tensor = (at::randn(spec.shape) * 0.02).to(dtype).contiguous();
      offsets_[spec.name] = {static_cast<int64_t>(out.tellp()), spec.shape};
      out.write(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
    }
    size_ = out.tellp();
    out.close();
    const int file = open(path.c_str(), O_RDONLY);
    data_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0));
    close(file);
  }
  ~MappedWeights() { munmap(data_, size_); }
  MappedWeights(const MappedWeights&) = delete;
  MappedWeights& operator=(const MappedWeights&) = delete;

  at::Tensor tensor(const std::string& name) const {
    const auto& [offset, shape] = offsets_.at(name);
    return at::from_blob(data_ + offset, shape, at::TensorOptions().dtype(dtype_));
  }
  bool contains(const at::Tensor& tensor) const {
    const char* data = static_cast<const char*>(tensor.data_ptr());
    return data >= data_ && data < data_ + size_;
  }

 private:
  at::ScalarType dtype_;
  std::map<std::string, std::pair<int64_t, std::vector<int64_t>>> offsets_;
  char* data_;
  size_t size_;
};

// Whether every weight over 1 KB in the frozen graph is in the mapped file.
bool constants_are_in(const MappedWeights& weights, const jit::Module& frozen) {
  for (const jit::Node* node : frozen.get_method("forward").graph()->nodes()) {
    if (node->kind() != c10::prim::Constant || !node->hasAttribute(c10::attr::value)) continue;
    if (node->kindOf(c10::attr::value) != jit::AttributeKind::t) continue;
    const at::Tensor& tensor = node->t(c10::attr::value);
    if (tensor.nbytes() > 1024 && !weights.contains(tensor)) return false;
  }
  return true;
}

// One sequence, because each measurement of the memory depends on the steps before it.
void check_weights_are_shared(at::ScalarType dtype) {
  const SavedGraph& graph = saved_graph();
  const MappedWeights weights(graph.folder / (std::string(c10::toString(dtype)) + ".bin"),
                              graph.parameters, dtype);
  const double before = anonymous_mb();
  jit::Module module = jit::load(graph.path.string());
  for (const nets::TensorSpec& spec : graph.parameters) {
    exporting::set_parameter(module, spec.name, weights.tensor(spec.name));
  }
  module.to(at::Device(at::kCPU));
  CHECK(anonymous_mb() - before < 8);  // after assigning the weights and moving the module

  const nets::Scope scope(jit::Module("__torch__.eager"),
                          [&](const nets::TensorSpec& spec) { return weights.tensor(spec.name); });
  const Block eager(scope);
  for (const int64_t batch : {1, 2, 5}) {
    CAPTURE(batch);
    const Tensors inputs = example(batch, at::kFloat);
    const at::Tensor actual = run(module, inputs), expected = eager.forward(inputs)[0];
    CHECK(actual.equal(expected));
    CHECK(expected.scalar_type() == at::kFloat);
    CHECK(actual.scalar_type() == at::kFloat);  // the dtype of the input
  }

  const double unfrozen = anonymous_mb();
  const jit::Module frozen = exporting::freeze(module, {"forward"});
  CHECK(anonymous_mb() - unfrozen < 8);
  CHECK(constants_are_in(weights, frozen));
  for (const int64_t batch : {5, 1, 2}) {
    CAPTURE(batch);
    const Tensors inputs = example(batch, at::kFloat);
    CHECK(run(frozen, inputs).equal(run(module, inputs)));
  }
  CHECK(anonymous_mb() - before < 16);  // after all runs
}

TEST_CASE("a saved graph is smaller than 1 MB and has no constants over 1 KB") {
  CHECK(fs::file_size(saved_graph().path) < 1000000);
  CHECK(saved_graph().largest_constant <= exporting::kMaxConstantBytes);
}

TEST_CASE("a module shares float32 weights with their mapped file and computes exactly the same") {
  check_weights_are_shared(at::kFloat);
}

TEST_CASE("a module shares bfloat16 weights with their mapped file and computes exactly the same") {
  check_weights_are_shared(at::kBFloat16);
}

}  // namespace
}  // namespace karlo::testing
