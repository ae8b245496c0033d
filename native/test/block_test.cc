// The way that graphs and weights go, on one block of the decoder at its full size: traced without
// weights, saved, loaded, given weights that lie in a mapped file, run, moved and frozen. Prints
// what it measured and exits with 1 if anything is not as it should be.
#include <ATen/core/grad_mode.h>
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

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "export/freeze.h"
#include "export/method.h"
#include "nets/context_attention.h"
#include "test/check.h"

namespace {

using namespace karlo;  // NOLINT
namespace jit = torch::jit;
namespace fs = std::filesystem;

using testing::check;

// Anonymous resident memory in MB: what is held besides mapped files, and besides what the
// allocator has got back but not yet given up.
double anonymous_mb() {
  malloc_trim(0);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssAnon:", 0) == 0) return std::atof(line.c_str() + 8) / 1024;
  }
  return 0;
}

// The decoder's widest level: channels, embedding and context as published.
struct Block {
  static constexpr int64_t kChannels = 1280, kTime = 1280, kContext = 1536;

  nets::TimeProjections times;
  nets::ContextProjections contexts;
  nets::ResBlock resnet;
  nets::ContextAttention attention;

  explicit Block(const nets::Scope& scope)
      : resnet(scope["resnets"][0], kChannels, kChannels, {kTime, 32, 1e-5, true}, times),
        attention(scope["attentions"][0], kChannels, 64, kContext, 32, contexts) {}

  exporting::Tensors forward(const exporting::Tensors& in) const {
    const at::Tensor x = in[0].type_as(resnet.conv1.weight);
    const at::Tensor context = in[2].type_as(x);
    const nets::Context prompt{contexts(context), nets::mask_bias(in[3], context)};
    return {attention(resnet(x, times(in[1].type_as(x))), prompt).type_as(in[0])};
  }
};

exporting::Tensors example(int64_t batch, at::TensorOptions options) {
  return {at::randn({batch, Block::kChannels, 8, 8}, options),
          at::randn({batch, Block::kTime}, options),
          at::randn({batch, 81, Block::kContext}, options),
          at::ones({batch, 81}, options.dtype(at::kBool))};
}

// A file of tensors, mapped: nothing of it is anonymous memory.
class Mapped {
 public:
  Mapped(const fs::path& path, const std::vector<nets::TensorSpec>& specs, at::ScalarType dtype) {
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
    dtype_ = dtype;
  }
  ~Mapped() { munmap(data_, size_); }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  at::Tensor tensor(const std::string& name) const {
    const auto& [offset, shape] = offsets_.at(name);
    return at::from_blob(data_ + offset, shape, at::TensorOptions().dtype(dtype_));
  }
  bool holds(const at::Tensor& tensor) const {
    const char* at = static_cast<const char*>(tensor.data_ptr());
    return at >= data_ && at < data_ + size_;
  }
  double mb() const { return static_cast<double>(size_) / (1 << 20); }

 private:
  std::map<std::string, std::pair<int64_t, std::vector<int64_t>>> offsets_;
  at::ScalarType dtype_;
  char* data_;
  size_t size_;
};

at::Tensor run(const jit::Module& module, const exporting::Tensors& inputs) {
  return module.get_method("forward")({inputs.begin(), inputs.end()}).toTensor();
}

// Every weight of the frozen graph that is larger than a kilobyte lies in the mapped file.
bool constants_lie_in(const jit::Module& frozen, const Mapped& weights) {
  for (const jit::Node* node : frozen.get_method("forward").graph()->nodes()) {
    if (node->kind() != c10::prim::Constant || !node->hasAttribute(c10::attr::value)) continue;
    if (node->kindOf(c10::attr::value) != jit::AttributeKind::t) continue;
    const at::Tensor& tensor = node->t(c10::attr::value);
    if (tensor.nbytes() > 1024 && !weights.holds(tensor)) return false;
  }
  return true;
}

void prove(const fs::path& folder, const fs::path& graph,
           const std::vector<nets::TensorSpec>& specs, at::ScalarType dtype) {
  const std::string name = dtype == at::kFloat ? "float32" : "bfloat16";
  const Mapped weights(folder / (name + ".bin"), specs, dtype);
  const double before = anonymous_mb();
  jit::Module module = jit::load(graph.string());
  for (const nets::TensorSpec& spec : specs) {
    exporting::set_parameter(module, spec.name, weights.tensor(spec.name));
  }
  module.to(at::Device(at::kCPU));
  const double assigned = anonymous_mb();
  std::printf("     %s: weights %.0f MB, anonymous memory %+.1f MB when assigned and moved\n",
              name.c_str(), weights.mb(), assigned - before);
  check(assigned - before < 8, name + " weights are held only as the mapped file");

  const nets::Scope scope(jit::Module("__torch__.eager"),
                          [&](const nets::TensorSpec& spec) { return weights.tensor(spec.name); });
  const Block eager(scope);
  std::map<int64_t, at::Tensor> expected;
  for (const int64_t batch : {1, 2, 5}) {
    const exporting::Tensors inputs = example(batch, at::kFloat);
    expected[batch] = run(module, inputs);
    const at::Tensor wanted = eager.forward(inputs)[0];
    check(expected[batch].equal(wanted) && wanted.scalar_type() == at::kFloat,
          name + " agrees exactly with the eager block at batch " + std::to_string(batch));
    check(expected[batch].scalar_type() == at::kFloat, name + " answers in the dtype of its input");
  }

  const double unfrozen = anonymous_mb();
  const auto start = std::chrono::steady_clock::now();
  jit::Module frozen = exporting::freeze(module, {"forward"});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("     %s: freezing took %.3f s and %+.1f MB of anonymous memory\n", name.c_str(),
              seconds.count(), anonymous_mb() - unfrozen);
  check(anonymous_mb() - unfrozen < 8, name + " freezing copies no weight");
  check(constants_lie_in(frozen, weights), name + " frozen weights lie in the mapped file");
  for (const int64_t batch : {5, 1, 2}) {
    const exporting::Tensors inputs = example(batch, at::kFloat);
    check(run(frozen, inputs).equal(run(module, inputs)),
          name + " frozen agrees exactly at batch " + std::to_string(batch));
  }
  const double ran = anonymous_mb();
  std::printf("     %s: after all runs %+.1f MB of anonymous memory\n", name.c_str(), ran - before);
  check(ran - before < 16, name + " running keeps no copy of the weights");
}

}  // namespace

int main() {
  at::NoGradGuard no_grad;
  const fs::path folder =
      fs::temp_directory_path() / ("karlo-block-test-" + std::to_string(getpid()));
  fs::create_directory(folder);
  const fs::path graph = folder / "block.pt";

  jit::Module module("__torch__.karlo.Block");
  const nets::Scope scope(module);
  const Block block(scope);
  const exporting::Tensors meta = example(2, at::TensorOptions().device(at::kMeta));
  exporting::add_method(
      module, "forward",
      {{"x", meta[0]}, {"times", meta[1]}, {"context", meta[2]}, {"mask", meta[3]}},
      [&](const exporting::Tensors& inputs) { return block.forward(inputs); });
  exporting::clear_parameters(module);
  module.save(graph.string());
  std::printf("     graph %ju bytes, largest constant %jd bytes, anonymous memory %.0f MB\n",
              static_cast<uintmax_t>(fs::file_size(graph)),
              static_cast<intmax_t>(exporting::largest_constant(module)), anonymous_mb());
  check(fs::file_size(graph) < 1000000, "the graph is smaller than 1 MB");
  check(exporting::largest_constant(module) <= exporting::kLargestConstant,
        "no constant is larger than 1 KB");

  // Libraries keep memory of their own after a first run, which is none of the weights'.
  for (const nets::TensorSpec& spec : scope.declared()) {
    exporting::set_parameter(module, spec.name, at::zeros(spec.shape));
  }
  // At the largest batch: it grows with that.
  run(module, example(5, at::kFloat));
  exporting::clear_parameters(module);

  prove(folder, graph, scope.declared(), at::kFloat);
  prove(folder, graph, scope.declared(), at::kBFloat16);
  fs::remove_all(folder);
  return testing::failures() == 0 ? 0 : 1;
}
