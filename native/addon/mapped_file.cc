#include "addon/mapped_file.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include "addon/arguments.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

constexpr int64_t kMaxInteger = int64_t{1} << 53;

// The number of elements that a strided view spans: its last index, plus one. Throws if the number
// exceeds 2^53.
int64_t extent_of(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    const int64_t room = kMaxInteger - last;
    if (strides[i] != 0 && shape[i] - 1 > room / strides[i]) {
      throw CodedError(kModelCorrupt, "Expected strides within a file but they reach past 2^53");
    }
    last += (shape[i] - 1) * strides[i];
  }
  return last + 1;
}

}  // namespace

Napi::Value file_map(const Napi::CallbackInfo& info) {
  const std::string path = read_string(info[0], "path");
  try {
    return Handle<MappedFile>::wrap(info.Env(), MappedFile::open(path));
  } catch (const std::system_error& error) {
    throw CodedError(kModelNotFound,
                     "Expected a file that can be mapped but " + std::string(error.what()));
  }
}

// A tensor over a part of the file. It keeps the mapping alive. Nothing is read before it is used.
Napi::Value file_tensor(const Napi::CallbackInfo& info) {
  const auto file = Handle<MappedFile>::unwrap(info[0], "file");
  const int64_t offset = read_integer(info[1], "offset", 0, file->size());
  const auto shape = read_shape(info[2], "shape");
  const auto strides = read_integers(info[3], "strides", 0, kMaxInteger);
  const c10::ScalarType dtype = read_dtype(info[4], "dtype");
  if (strides.size() != shape.size()) {
    throw invalid_argument("as many strides as the shape has dimensions", "strides", info[3]);
  }
  const auto item = static_cast<int64_t>(c10::elementSize(dtype));
  if (extent_of(shape, strides) > (file->size() - offset) / item) {
    throw CodedError(kModelCorrupt, "Expected a tensor within the file but it ends past byte " +
                                        std::to_string(file->size()));
  }
  const c10::InferenceMode inference_mode;
  char* data = file->data() + offset;
  auto tensor = at::from_blob(data, shape, strides, [file](void*) {}, dtype);
  // Older safetensors files do not align their tensors, but kernels need aligned elements.
  const bool aligned = reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(item) == 0;
  if (!aligned) {
    auto bytes = at::from_blob(data, {extent_of(shape, strides) * item}, at::kByte).clone();
    tensor = bytes.view(dtype).as_strided(shape, strides);
  }
  return wrap_tensor(info.Env(), tensor);
}

Napi::Value lost_files(const Napi::CallbackInfo& info) {
  auto paths = Napi::Array::New(info.Env());
  for (const auto& path : PageGuard::lost_files()) paths.Set(paths.Length(), path);
  return paths;
}

Napi::Value file_dispose(const Napi::CallbackInfo& info) {
  Handle<MappedFile>::dispose(info[0], "file");
  return info.Env().Undefined();
}

}  // namespace karlo
