// karlo.node: the library that Node loads. It does not link LibTorch, so it loads on every system.
// It opens LibTorch's libraries by absolute path, and then the addon itself. glibc resolves the
// addon's dependencies by SONAME among the libraries that are already open, so neither
// LD_LIBRARY_PATH nor RPATH is needed. Nothing is ever closed: LibTorch's threads and static
// objects outlive every environment.
#include <node_api.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"

namespace {

using RegisterAddon = napi_value (*)(napi_env, napi_value);

napi_value throw_load_error(napi_env env, const std::string& message) {
  napi_throw_error(env, "ERR_KARLO_NATIVE", message.c_str());
  return nullptr;
}

bool read_text(napi_env env, napi_value value, std::string* text) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  text->resize(length);
  return napi_get_value_string_utf8(env, value, text->data(), length + 1, &length) == napi_ok &&
         text->find('\0') == std::string::npos;
}

// Opens the library at the path that is the call's only argument. Returns nullptr and throws a
// JavaScript exception on failure.
void* open_argument(napi_env env, napi_callback_info info, std::string* path) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (count < 1 || !read_text(env, argument, path)) {
    throw_load_error(env, "Expected string for path");
    return nullptr;
  }
  std::string reason;
  void* library = karlo::open_library(*path, &reason);
  if (library == nullptr) throw_load_error(env, reason);
  return library;
}

// open(path)
napi_value open_path(napi_env env, napi_callback_info info) {
  std::string path;
  open_argument(env, info, &path);
  return nullptr;
}

// A call of openAhead() in progress.
struct Opening {
  std::vector<std::string> paths;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

// openAhead(...paths): opens libraries on another thread and returns a promise. Failures are
// ignored. Node waits for its threads before the process ends, so that no library is opened while
// others are being destroyed.
napi_value open_ahead(napi_env env, napi_callback_info info) {
  constexpr size_t kMaxPaths = 8;
  size_t count = kMaxPaths;
  napi_value arguments[kMaxPaths];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  auto opening = std::make_unique<Opening>();
  for (size_t i = 0; i < std::min(count, kMaxPaths); ++i) {
    if (!read_text(env, arguments[i], &opening->paths.emplace_back())) {
      return throw_load_error(env, "Expected string for path");
    }
  }
  const auto open = [](napi_env, void* data) {
    std::string reason;
    for (const std::string& path : static_cast<Opening*>(data)->paths) {
      karlo::open_library(path, &reason);
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
    return throw_load_error(env, "Cannot queue work on a thread");
  }
  opening.release();
  return promise;
}

// loaded(name): the path of a library that is loaded in this process; undefined if it is not.
napi_value loaded(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  std::string name;
  if (count < 1 || !read_text(env, argument, &name)) {
    return throw_load_error(env, "Expected string for name");
  }
  const std::string path = karlo::find_loaded_library(name);
  napi_value result = nullptr;
  if (!path.empty()) napi_create_string_utf8(env, path.data(), path.size(), &result);
  return result;
}

// openAddon(path): the exports of the addon, created for this environment.
napi_value open_addon(napi_env env, napi_callback_info info) {
  std::string path;
  void* library = open_argument(env, info, &path);
  if (library == nullptr) return nullptr;
  auto register_addon =
      reinterpret_cast<RegisterAddon>(karlo::find_symbol(library, "napi_register_module_v1"));
  if (register_addon == nullptr) return throw_load_error(env, path + " is not a Node addon");
  napi_value exports = nullptr;
  if (napi_create_object(env, &exports) != napi_ok) return nullptr;
  return register_addon(env, exports);
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", nullptr, open_path, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openAhead", nullptr, open_ahead, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"loaded", nullptr, loaded, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"openAddon", nullptr, open_addon, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, 4, functions);
  napi_value version = nullptr;
  napi_create_string_utf8(env, KARLO_LIBTORCH_VERSION, NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "libtorch", version);
  return exports;
}
