#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/errors.h"

namespace karlo {

// A JavaScript object that keeps a T alive. `Traits<T>` provides a name and a type tag, so that
// handles of other types, and other objects, are rejected before they are unwrapped.
//
// Handles have no methods. Native functions take them as arguments, so `this` cannot be wrong.
template <class T>
struct Traits;

template <class T>
class Handle {
 public:
  static Napi::Object wrap(Napi::Env env, std::shared_ptr<T> value) {
    Napi::Object object = Napi::Object::New(env);
    auto cell = std::make_unique<Cell>(Cell{std::move(value)});
    const napi_status status = napi_wrap(env, object, cell.get(), &finalize, nullptr, nullptr);
    if (status != napi_ok) throw Napi::Error::New(env);
    cell.release();
    const napi_type_tag tag = Traits<T>::kTag;
    if (napi_type_tag_object(env, object, &tag) != napi_ok) throw Napi::Error::New(env);
    return object;
  }

  // Returns the T. Throws for any other value and for a disposed handle.
  static std::shared_ptr<T> unwrap(const Napi::Value& value, const char* name) {
    auto& object = find(value, name)->value;
    if (!object) {
      throw CodedError(kDisposed, std::string(name) + " is a " + Traits<T>::kName +
                                      " that was disposed before this call");
    }
    return object;
  }

  // Drops this handle's reference. Running calls keep theirs. Idempotent.
  static void dispose(const Napi::Value& value, const char* name) {
    Cell* cell = find(value, name);
    release(value.Env(), *cell);
  }

  static bool is_disposed(const Napi::Value& value, const char* name) {
    return find(value, name)->value == nullptr;
  }

  static bool is(const Napi::Value& value) {
    if (!value.IsObject()) return false;
    const napi_type_tag tag = Traits<T>::kTag;
    bool matches = false;
    return napi_check_object_type_tag(value.Env(), value, &tag, &matches) == napi_ok && matches;
  }

 private:
  struct Cell {
    std::shared_ptr<T> value;
  };

  static Cell* find(const Napi::Value& value, const char* name) {
    if (!is(value)) throw invalid_argument(Traits<T>::kName, name, value);
    void* cell = nullptr;
    if (napi_unwrap(value.Env(), value, &cell) != napi_ok || cell == nullptr) {
      throw invalid_argument(Traits<T>::kName, name, value);
    }
    return static_cast<Cell*>(cell);
  }

  static void release(Napi::Env env, Cell& cell) {
    if (cell.value) Traits<T>::release(env, *cell.value);
    cell.value.reset();
  }

  static void finalize(napi_env env, void* data, void* /*hint*/) {
    std::unique_ptr<Cell> cell(static_cast<Cell*>(data));
    release(Napi::Env(env), *cell);
  }
};

}  // namespace karlo
