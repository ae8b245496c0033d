#include "ops/operator.h"

#include <string>
#include <utility>

namespace karlo::ops {
namespace {

thread_local bool allowed = true;

}  // namespace

WithoutKernels::WithoutKernels() : before_(allowed) { allowed = false; }
WithoutKernels::~WithoutKernels() { allowed = before_; }

bool kernels_allowed() { return allowed; }

c10::OperatorHandle define_operator(const char* name, const char* schema,
                                    Implementations implementations) {
  const c10::OperatorName full_name(std::string("karlo::") + name, "");
  // If another copy of this package is in the process, its operators serve both.
  if (const auto known = c10::Dispatcher::singleton().findSchema(full_name)) return *known;
  // Never destroyed: LibTorch's registry may be destroyed first when the process exits.
  auto* library =
      new torch::Library(torch::Library::FRAGMENT, "karlo", std::nullopt, __FILE__, __LINE__);
  library->def(schema);
  const auto implement = [&](c10::DispatchKey key, torch::CppFunction function) {
    library->impl(name, torch::dispatch(key, std::move(function)));
  };
  implement(c10::DispatchKey::CompositeExplicitAutograd, std::move(implementations.composed));
  implement(c10::DispatchKey::CPU, std::move(implementations.cpu));
  if (implementations.meta) implement(c10::DispatchKey::Meta, std::move(*implementations.meta));
  if (implementations.cuda) implement(c10::DispatchKey::CUDA, std::move(*implementations.cuda));
  return c10::Dispatcher::singleton().findSchemaOrThrow(full_name.name.c_str(), "");
}

}  // namespace karlo::ops
