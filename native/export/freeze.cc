#include "export/freeze.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <memory>
#include <optional>
#include <unordered_map>

namespace karlo::exporting {
namespace {

namespace jit = torch::jit;
using Modules = std::unordered_map<const jit::Value*, jit::Module>;

// Replaces the read of an attribute by a constant. Returns false if that is not possible.
bool replace(jit::Node* node, Modules& modules) {
  const auto owner = modules.find(node->input());
  if (owner == modules.end()) return false;
  const c10::IValue value = owner->second.attr(node->s(c10::attr::name));
  if (value.isModule()) {
    modules.emplace(node->output(), value.toModule());
    return true;
  }
  if (value.isTensor() && value.toTensor().requires_grad()) return false;
  const jit::WithInsertPoint here(node);
  const auto constant = jit::tryInsertConstant(*node->owningGraph(), value);
  if (constant) node->output()->replaceAllUsesWith(*constant);
  return constant.has_value();
}

bool replace_all(jit::Block* block, Modules& modules) {
  for (jit::Node* node : block->nodes()) {
    if (node->kind() == c10::prim::SetAttr) return false;
    if (node->kind() == c10::prim::GetAttr && !replace(node, modules)) return false;
    for (jit::Block* inner : node->blocks()) {
      if (!replace_all(inner, modules)) return false;
    }
  }
  return true;
}

// A method's graph without attributes; null if the method does more than read them.
std::shared_ptr<jit::Graph> without_attributes(const jit::Module& module,
                                               const std::string& method) {
  const auto graph = module.get_method(method).graph()->copy();
  jit::Inline(*graph);
  Modules modules{{graph->inputs().at(0), module}};
  if (!replace_all(graph->block(), modules)) return nullptr;
  jit::EliminateDeadCode(graph);
  return graph->inputs().at(0)->hasUses() ? nullptr : graph;
}

}  // namespace

jit::Module freeze(const jit::Module& module, const std::vector<std::string>& methods) {
  jit::Module frozen(*module.type()->name());
  for (const std::string& name : methods) {
    const auto graph = without_attributes(module, name);
    if (!graph) return jit::freeze_module(module, methods);
    graph->inputs().at(0)->setType(frozen.type());
    auto* function = frozen._ivalue()->compilation_unit()->create_function(
        c10::QualifiedName(*frozen.type()->name(), name), graph);
    frozen.type()->addMethod(function);
  }
  return frozen;
}

}  // namespace karlo::exporting
