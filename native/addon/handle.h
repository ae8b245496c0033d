#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/errors.h"

namespace karlo {

/// What a JavaScript handle keeps alive. `Traits<T>` names it and tags it, so that a handle of
/// another kind, or any other object, is refused before it is unwrapped.
///
/// Handles are plain objects without methods: every native function takes them as arguments, so
/// there is no `this` to get wrong.
template <class T>
struct Traits;

template <class T>
class Handle {
 public:
  static Napi::Object Wrap(Napi::Env env, std::shared_ptr<T> value) {
    Napi::Object object = Napi::Object::New(env);
    auto cell = std::make_unique<Cell>(Cell{std::move(value)});
    const napi_status status = napi_wrap(env, object, cell.get(), &Finalize, nullptr, nullptr);
    if (status != napi_ok) throw Napi::Error::New(env);
    cell.release();
    const napi_type_tag tag = Traits<T>::kTag;
    if (napi_type_tag_object(env, object, &tag) != napi_ok) throw Napi::Error::New(env);
    return object;
  }

  /// The object behind the handle. Throws for anything else, and for a disposed handle.
  static std::shared_ptr<T> Unwrap(const Napi::Value& value, const char* name) {
    auto& held = Find(value, name)->value;
    if (!held) {
      throw CodedError(kDisposed, std::string(name) + " is a " + Traits<T>::kName +
                                      " that was disposed before this call");
    }
    return held;
  }

  /// Drops this handle's own reference; what runs keeps its own. Idempotent.
  static void Dispose(const Napi::Value& value, const char* name) {
    Cell* cell = Find(value, name);
    Release(value.Env(), *cell);
  }

  static bool IsDisposed(const Napi::Value& value, const char* name) {
    return Find(value, name)->value == nullptr;
  }

  static bool Is(const Napi::Value& value) {
    if (!value.IsObject()) return false;
    const napi_type_tag tag = Traits<T>::kTag;
    bool matches = false;
    return napi_check_object_type_tag(value.Env(), value, &tag, &matches) == napi_ok && matches;
  }

 private:
  struct Cell {
    std::shared_ptr<T> value;
  };

  static Cell* Find(const Napi::Value& value, const char* name) {
    if (!Is(value)) throw Expected(Traits<T>::kName, name, value);
    void* cell = nullptr;
    if (napi_unwrap(value.Env(), value, &cell) != napi_ok || cell == nullptr) {
      throw Expected(Traits<T>::kName, name, value);
    }
    return static_cast<Cell*>(cell);
  }

  static void Release(Napi::Env env, Cell& cell) {
    if (cell.value) Traits<T>::Release(env, *cell.value);
    cell.value.reset();
  }

  static void Finalize(napi_env env, void* data, void* /*hint*/) {
    std::unique_ptr<Cell> cell(static_cast<Cell*>(data));
    Release(Napi::Env(env), *cell);
  }
};

}  // namespace karlo
