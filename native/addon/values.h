#pragma once

#include <ATen/core/ivalue.h>
#include <napi.h>

#include <string>
#include <vector>

namespace karlo {

// Reads the inputs of a method according to its schema: tensors, lists and tuples of them
// (JavaScript arrays), and null for optional ones.
std::vector<c10::IValue> read_inputs(const c10::FunctionSchema& schema, const Napi::Value& inputs);

// Converts tensors to handles, and lists and tuples to arrays.
Napi::Value to_js(Napi::Env env, const c10::IValue& value);

}  // namespace karlo
