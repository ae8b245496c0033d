#include "import/divisions.h"

#include <torch/csrc/jit/runtime/operator.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace karlo::importing {
namespace {

namespace jit = torch::jit;

void check_division(const c10::IValue& dividend, const c10::IValue& divisor) {
  if (!dividend.isInt() || !divisor.isInt()) return;
  if (divisor.toInt() == 0) throw std::runtime_error("integer division by zero");
  if (divisor.toInt() == -1 && dividend.toInt() == std::numeric_limits<int64_t>::min()) {
    throw std::runtime_error("integer overflow in a division");
  }
}

// Replaces an operator of a dividend and a divisor by one that checks them first.
void guard(const c10::OperatorName& name) {
  // Never destroyed: graphs that were compiled before refer to the original.
  const auto* original = new std::shared_ptr(jit::findOperatorFor(name));
  if (!*original) throw std::logic_error("LibTorch has no operator " + c10::toString(name));
  const c10::FunctionSchema& schema = (*original)->schema();
  const auto divide = [divide = (*original)->getOperation()](jit::Stack& stack) mutable {
    check_division(jit::peek(stack, 0, 2), jit::peek(stack, 1, 2));
    divide(stack);
  };
  jit::deregisterOperator(schema);
  jit::registerOperator(jit::Operator(schema.name(), schema.overload_name(), schema.arguments(),
                                      schema.returns(), divide, schema.aliasAnalysis()));
}

}  // namespace

void check_divisions() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const char* overload : {"int", ""}) {
      guard({"aten::floordiv", overload});
      guard({"aten::remainder", overload});
    }
    guard({"aten::__round_to_zero_floordiv", "int"});
    guard({"aten::divmod", "int"});
  });
}

}  // namespace karlo::importing
