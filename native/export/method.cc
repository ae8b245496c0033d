#include "export/method.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/shape_analysis.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "export/meta_kernels.h"

namespace karlo::exporting {
namespace jit = torch::jit;
namespace {

int64_t bytes_of(const at::Tensor& tensor) { return static_cast<int64_t>(tensor.nbytes()); }

int64_t largest_constant(const jit::Block* block);

int64_t largest_constant(const jit::Node* node) {
  int64_t largest = 0;
  for (const auto name : node->attributeNames()) {
    if (node->kindOf(name) == jit::AttributeKind::t)
      largest = std::max(largest, bytes_of(node->t(name)));
    if (node->kindOf(name) == jit::AttributeKind::ts) {
      for (const at::Tensor& tensor : node->ts(name)) largest = std::max(largest, bytes_of(tensor));
    }
  }
  for (const jit::Block* block : node->blocks())
    largest = std::max(largest, largest_constant(block));
  return largest;
}

int64_t largest_constant(const jit::Block* block) {
  int64_t largest = 0;
  for (const jit::Node* node : block->nodes()) largest = std::max(largest, largest_constant(node));
  return largest;
}

}  // namespace

void add_method(jit::Module& module, const std::string& name,
                const std::vector<Argument>& arguments,
                const std::function<Tensors(const Tensors&)>& body) {
  register_meta_kernels();
  at::NoGradGuard no_grad;
  jit::Stack inputs;
  for (const Argument& argument : arguments) inputs.emplace_back(argument.example);

  const auto traced = [&](jit::Stack stack) {
    Tensors tensors;
    for (const c10::IValue& value : stack) tensors.push_back(value.toTensor());
    const Tensors results = body(tensors);
    if (results.size() == 1) return jit::Stack{results[0]};
    return jit::Stack{c10::ivalue::Tuple::create({results.begin(), results.end()})};
  };
  const auto unnamed = [](const torch::autograd::Variable&) { return std::string(); };
  const auto graph = jit::tracer::trace(std::move(inputs), traced, unnamed, /*strict=*/true,
                                        /*force_outplace=*/false, &module)
                         .first->graph;

  // The tracer annotates each value with the shape, dtype and device of the examples, which will
  // differ later.
  jit::EraseShapeInformation(graph);
  jit::EliminateDeadCode(graph);
  for (size_t i = 0; i < arguments.size(); ++i) {
    graph->inputs().at(i + 1)->setDebugName(arguments[i].name);  // 0 is the module
  }
  auto* function = module._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module.type()->name(), name), graph);
  module.type()->addMethod(function);
}

int64_t largest_constant(const jit::Module& module) {
  int64_t largest = 0;
  for (const jit::Method& method : module.get_methods()) {
    largest = std::max(largest, largest_constant(method.graph()->block()));
  }
  return largest;
}

void set_parameter(jit::Module& module, const std::string& path, at::Tensor value) {
  jit::Module owner = module;
  size_t start = 0;
  for (size_t dot; (dot = path.find('.', start)) != std::string::npos; start = dot + 1) {
    const std::string name = path.substr(start, dot - start);
    if (!owner.hasattr(name) || !owner.attr(name).isModule()) {
      throw std::invalid_argument("Expected the name of a parameter but received " + path);
    }
    owner = owner.attr(name).toModule();
  }
  const std::string name = path.substr(start);
  if (!owner.hasattr(name) || !owner.attr(name).isTensor()) {
    throw std::invalid_argument("Expected the name of a parameter but received " + path);
  }
  owner.setattr(name, std::move(value));
}

void clear_parameters(jit::Module& module) {
  const at::Tensor empty = at::empty({0});
  for (jit::Module part : module.modules()) {
    for (const auto& parameter : part.named_parameters(/*recurse=*/false)) {
      part.setattr(parameter.name, empty);
    }
  }
}

}  // namespace karlo::exporting
