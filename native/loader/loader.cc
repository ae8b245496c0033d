// karlo.node: the part that Node loads. It links no LibTorch, so it loads anywhere; it then opens
// LibTorch's libraries by absolute path, and the addon proper after them. glibc resolves the
// addon's dependencies by SONAME among the libraries already open, so neither LD_LIBRARY_PATH nor
// RPATH is needed. Nothing is ever closed: LibTorch's threads and static objects outlive any
// environment.
#include <node_api.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"

namespace {

using RegisterAddon = napi_value (*)(napi_env, napi_value);

napi_value ThrowLoadError(napi_env env, const std::string& message) {
  napi_throw_error(env, "ERR_KARLO_NATIVE", message.c_str());
  return nullptr;
}

bool ReadText(napi_env env, napi_value value, std::string* text) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  text->resize(length);
  return napi_get_value_string_utf8(env, value, text->data(), length + 1, &length) == napi_ok &&
         text->find('\0') == std::string::npos;
}

// The library at the path that is the call's only argument, opened for the life of the process;
// nullptr where a JavaScript exception says why not.
void* OpenArgument(napi_env env, napi_callback_info info, std::string* path) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (count < 1 || !ReadText(env, argument, path)) {
    ThrowLoadError(env, "Expected string for path");
    return nullptr;
  }
  std::string reason;
  void* library = karlo::OpenLibrary(*path, &reason);
  if (library == nullptr) ThrowLoadError(env, reason);
  return library;
}

// open(path)
napi_value Open(napi_env env, napi_callback_info info) {
  std::string path;
  OpenArgument(env, info, &path);
  return nullptr;
}

// What openAhead() has under way.
struct Opening {
  std::vector<std::string> paths;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

// openAhead(...paths): opens libraries on another thread, as far as they can be opened: a promise
// of that. Node waits for its threads before the process ends, so that no library is opened while
// those that are open are torn down.
napi_value OpenAhead(napi_env env, napi_callback_info info) {
  constexpr size_t kMost = 8;
  size_t count = kMost;
  napi_value arguments[kMost];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  auto opening = std::make_unique<Opening>();
  for (size_t i = 0; i < std::min(count, kMost); ++i) {
    if (!ReadText(env, arguments[i], &opening->paths.emplace_back())) {
      return ThrowLoadError(env, "Expected string for path");
    }
  }
  const auto open = [](napi_env, void* data) {
    std::string reason;
    for (const std::string& path : static_cast<Opening*>(data)->paths) {
      karlo::OpenLibrary(path, &reason);
    }
  };
  const auto done = [](napi_env env, napi_status, void* data) {
    const std::unique_ptr<Opening> opening(static_cast<Opening*>(data));
    napi_value undefined = nullptr;
    napi_get_undefined(env, &undefined);
    napi_resolve_deferred(env, opening->deferred, undefined);
    napi_delete_async_work(env, opening->work);
  };
  napi_value promise = nullptr, name = nullptr;
  napi_create_string_utf8(env, "karlo:open", NAPI_AUTO_LENGTH, &name);
  if (napi_create_promise(env, &opening->deferred, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, name, open, done, opening.get(), &opening->work) !=
          napi_ok ||
      napi_queue_async_work(env, opening->work) != napi_ok) {
    return ThrowLoadError(env, "A thread cannot be used");
  }
  opening.release();
  return promise;
}

// loaded(name): the path of a library that this process has loaded already; undefined if it has
// not.
napi_value Loaded(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  std::string name;
  if (count < 1 || !ReadText(env, argument, &name)) {
    return ThrowLoadError(env, "Expected string for name");
  }
  const std::string path = karlo::FindLoaded(name);
  napi_value result = nullptr;
  if (!path.empty()) napi_create_string_utf8(env, path.data(), path.size(), &result);
  return result;
}

// openAddon(path): the exports of the addon proper, made for this environment.
napi_value OpenAddon(napi_env env, napi_callback_info info) {
  std::string path;
  void* library = OpenArgument(env, info, &path);
  if (library == nullptr) return nullptr;
  auto register_addon =
      reinterpret_cast<RegisterAddon>(karlo::FindSymbol(library, "napi_register_module_v1"));
  if (register_addon == nullptr) return ThrowLoadError(env, path + " is not a Node addon");
  napi_value exports = nullptr;
  if (napi_create_object(env, &exports) != napi_ok) return nullptr;
  return register_addon(env, exports);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", nullptr, Open, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openAhead", nullptr, OpenAhead, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"loaded", nullptr, Loaded, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openAddon", nullptr, OpenAddon, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, 4, functions);
  napi_value version = nullptr;
  napi_create_string_utf8(env, KARLO_LIBTORCH_VERSION, NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "libtorch", version);
  return exports;
}
