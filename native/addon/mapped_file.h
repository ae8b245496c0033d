#pragma once

#include <napi.h>

#include "addon/handle.h"
#include "core/mapped_file.h"

namespace karlo {

template <>
struct Traits<MappedFile> {
  static constexpr char kName[] = "MappedFile";
  static constexpr napi_type_tag kTag{0x7b60c2d94ef1438d, 0x8e15a9f37c2b6d40};
  static void release(Napi::Env /*env*/, MappedFile& /*file*/) {}
};

Napi::Value file_map(const Napi::CallbackInfo& info);
Napi::Value file_tensor(const Napi::CallbackInfo& info);
Napi::Value lost_files(const Napi::CallbackInfo& info);
Napi::Value file_dispose(const Napi::CallbackInfo& info);

}  // namespace karlo
