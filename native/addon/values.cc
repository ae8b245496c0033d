#include "addon/values.h"

#include <ATen/core/function_schema.h>
#include <ATen/core/jit_type.h>

#include "addon/arguments.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

c10::IValue read_value(const c10::TypePtr& type, const Napi::Value& value, const std::string& name);

std::vector<c10::IValue> read_array(const Napi::Value& value, const std::string& name,
                                    const std::string& what,
                                    const std::function<c10::TypePtr(size_t)>& type_of,
                                    std::optional<size_t> count) {
  if (!value.IsArray()) throw invalid_argument(what, name, value);
  const auto array = value.As<Napi::Array>();
  const size_t length = array.Length();
  if (count && length != *count) {
    throw CodedError(kInvalidArgument, "Expected " + what + " for " + name + " but received " +
                                           std::to_string(length) + " elements");
  }
  std::vector<c10::IValue> elements;
  for (uint32_t i = 0; i < length; ++i) {
    elements.push_back(read_value(type_of(i), array.Get(i), name + "[" + std::to_string(i) + "]"));
  }
  return elements;
}

c10::IValue read_list(const c10::TypePtr& type, const Napi::Value& value, const std::string& name) {
  const auto element = type->expectRef<c10::ListType>().getElementType();
  c10::impl::GenericList list(element);
  for (auto& item :
       read_array(value, name, "array of tensors", [&](size_t) { return element; }, std::nullopt)) {
    list.push_back(std::move(item));
  }
  return list;
}

c10::IValue read_tuple(const c10::TypePtr& type, const Napi::Value& value,
                       const std::string& name) {
  const auto elements = type->expectRef<c10::TupleType>().elements();
  const std::string what = "array of " + std::to_string(elements.size()) + " elements";
  return c10::ivalue::Tuple::create(
      read_array(value, name, what, [&](size_t i) { return elements[i]; }, elements.size()));
}

c10::IValue read_value(const c10::TypePtr& type, const Napi::Value& value,
                       const std::string& name) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return unwrap_tensor(value, name.c_str());
    case c10::TypeKind::ListType:
      return read_list(type, value, name);
    case c10::TypeKind::TupleType:
      return read_tuple(type, value, name);
    case c10::TypeKind::OptionalType:
      if (value.IsNull() || value.IsUndefined()) return {};
      return read_value(type->expectRef<c10::OptionalType>().getElementType(), value, name);
    case c10::TypeKind::BoolType:
      if (!value.IsBoolean()) throw invalid_argument("boolean", name, value);
      return value.As<Napi::Boolean>().Value();
    default:
      throw CodedError(kInvalidArgument, "Expected a method that takes tensors and booleans but " +
                                             name + " is of type " + type->repr_str());
  }
}

template <class Elements>
Napi::Value to_array(Napi::Env env, const Elements& elements) {
  auto array = Napi::Array::New(env, elements.size());
  uint32_t i = 0;
  for (const c10::IValue& element : elements) array.Set(i++, to_js(env, element));
  return array;
}

}  // namespace

std::vector<c10::IValue> read_inputs(const c10::FunctionSchema& schema, const Napi::Value& inputs) {
  const auto& arguments = schema.arguments();  // the first is the module itself
  size_t count = arguments.size() - 1;
  // Inputs at the end that have defaults may be missing.
  const size_t received = inputs.IsArray() ? inputs.As<Napi::Array>().Length() : count;
  while (count > received && arguments[count].default_value()) --count;
  return read_array(
      inputs, "inputs", "array of " + std::to_string(count) + " elements",
      [&](size_t i) { return arguments[i + 1].type(); }, count);
}

Napi::Value to_js(Napi::Env env, const c10::IValue& value) {
  if (value.isTensor()) return wrap_tensor(env, value.toTensor());
  if (value.isTuple()) return to_array(env, value.toTupleRef().elements());
  if (value.isList()) return to_array(env, value.toListRef());
  if (value.isNone()) return env.Null();
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isDouble()) return Napi::Number::New(env, value.toDouble());
  if (value.isInt()) return Napi::Number::New(env, static_cast<double>(value.toInt()));
  throw CodedError(kNative,
                   "A result of type " + value.tagKind() + " is not supported in JavaScript");
}

}  // namespace karlo
