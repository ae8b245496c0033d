#pragma once

#include <ATen/core/ivalue.h>
#include <napi.h>

#include <string>
#include <vector>

namespace karlo {

/// The inputs of a method, by its schema: tensors, lists and tuples of them (JavaScript arrays),
/// and null where the schema allows none.
std::vector<c10::IValue> ReadInputs(const c10::FunctionSchema& schema, const Napi::Value& inputs);

/// Tensors become handles, lists and tuples become arrays.
Napi::Value ToJs(Napi::Env env, const c10::IValue& value);

}  // namespace karlo
