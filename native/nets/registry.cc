#include "nets/registry.h"

#include <map>
#include <stdexcept>
#include <utility>

#include "export/meta_kernels.h"
#include "export/method.h"

namespace karlo::nets {
namespace {

// A function's static variable, because registrations are static objects of other files.
std::map<std::string, RecordNetwork>& networks() {
  static std::map<std::string, RecordNetwork> networks;
  return networks;
}

}  // namespace

Registration::Registration(const char* kind, RecordNetwork record) { networks()[kind] = record; }

TracedNetwork trace_network(const std::string& kind, const Config& config,
                            const std::vector<std::string>& methods) {
  const auto found = networks().find(kind);
  if (found == networks().end()) {
    throw std::invalid_argument("Expected the kind of a network but received \"" + kind + '"');
  }
  exporting::register_meta_kernels();
  torch::jit::Module module("__torch__.karlo." + kind);
  const Scope scope(module);
  found->second(exporting::Recorder(module, methods), scope, ConfigReader(kind, config));
  exporting::clear_parameters(module);
  if (exporting::largest_constant(module) > exporting::kMaxConstantBytes) {
    throw std::logic_error("Expected no tensor constant over 1 KB in the graph of " + kind);
  }
  return {std::move(module), scope.declared()};
}

}  // namespace karlo::nets
