#include "nets/scope.h"

#include <ATen/ops/empty.h>

#include <utility>

namespace karlo::nets {
namespace {

// Classes are named by their path, so that all classes of a graph share a namespace, and thereby
// one file of the saved archive. The prefix is needed because module names such as "0" are not
// identifiers.
c10::QualifiedName class_name(const torch::jit::Module& parent, const std::string& name) {
  const auto parent_name = parent.type()->name();
  return c10::QualifiedName(parent_name->prefix(), parent_name->name() + "__" + name);
}

}  // namespace

at::Tensor meta_tensor(const TensorSpec& spec) {
  const auto dtype = spec.keep_float32 ? at::kFloat : at::kBFloat16;
  return at::empty(spec.shape, at::TensorOptions().dtype(dtype).device(at::kMeta));
}

Scope::Scope(torch::jit::Module root, TensorSource source)
    : Scope(std::move(root), "", std::make_shared<Shared>(Shared{std::move(source), {}})) {}

Scope::Scope(torch::jit::Module module, std::string path, std::shared_ptr<Shared> shared)
    : module_(std::move(module)), path_(std::move(path)), shared_(std::move(shared)) {}

Scope Scope::operator[](const std::string& name) const {
  torch::jit::Module parent = module_;
  if (!parent.hasattr(name)) {
    parent.register_module(
        name, torch::jit::Module(class_name(parent, name), parent._ivalue()->compilation_unit(),
                                 /*shouldMangle=*/true));
  }
  return Scope(parent.attr(name).toModule(), path_ + name + ".", shared_);
}

Scope Scope::operator[](int64_t index) const { return (*this)[std::to_string(index)]; }

at::Tensor Scope::tensor(const std::string& name, std::vector<int64_t> shape,
                         bool keep_float32) const {
  const TensorSpec spec{path_ + name, std::move(shape), keep_float32};
  at::Tensor tensor = shared_->source(spec);
  torch::jit::Module module = module_;
  module.register_parameter(name, tensor, /*is_buffer=*/false);
  shared_->declared.push_back(spec);
  return tensor;
}

}  // namespace karlo::nets
