#include "ops/operator.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <utility>

namespace karlo::nets {

void define_operator(const char* name, const char* schema, Operator defined) {
  // Another copy of this package may be in the process: one of the two serves both.
  if (c10::Dispatcher::singleton().findSchema({std::string("karlo::") + name, ""})) return;
  // Never destroyed: at exit LibTorch's own registry may be gone before.
  auto* library =
      new torch::Library(torch::Library::FRAGMENT, "karlo", std::nullopt, __FILE__, __LINE__);
  library->def(schema);
  const auto implement = [&](c10::DispatchKey key, torch::CppFunction function) {
    library->impl(name, torch::dispatch(key, std::move(function)));
  };
  implement(c10::DispatchKey::CompositeExplicitAutograd, std::move(defined.composed));
  implement(c10::DispatchKey::CPU, std::move(defined.on_cpu));
  if (defined.on_meta) implement(c10::DispatchKey::Meta, std::move(*defined.on_meta));
}

}  // namespace karlo::nets
