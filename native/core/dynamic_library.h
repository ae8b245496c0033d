#pragma once

#include <string>
#include <utility>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#ifdef __linux__
#include <link.h>
#elif defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

namespace karlo {

#ifdef _WIN32

inline void* open_library(const std::string& path, std::string* reason) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  HMODULE library = LoadLibraryExW(
      wide.c_str(), nullptr, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
  if (library == nullptr) {
    *reason = path + ": Windows error " + std::to_string(GetLastError());
  }
  return reinterpret_cast<void*>(library);
}

inline void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library), name));
}

#else

// Opens a library until the process ends. Returns nullptr and the linker's message on failure.
inline void* open_library(const std::string& path, std::string* reason) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* message = dlerror();
    *reason = message == nullptr ? path + ": cannot be opened" : message;
  }
  return library;
}

inline void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

#endif

// The path from which a library with this file name was loaded; empty if it is not loaded.
inline std::string find_loaded_library(const std::string& name) {
#ifdef _WIN32
  char path[32768] = {};
  const HMODULE library = GetModuleHandleA(name.c_str());
  if (library == nullptr || GetModuleFileNameA(library, path, sizeof path) == 0) return "";
  return path;
#else
  const std::string ending = "/" + name;
  const auto matches = [&ending](const std::string& path) {
    return path.size() > ending.size() &&
           path.compare(path.size() - ending.size(), ending.size(), ending) == 0;
  };
#ifdef __APPLE__
  for (uint32_t i = 0; i < _dyld_image_count(); ++i) {
    const char* path = _dyld_get_image_name(i);
    if (path != nullptr && matches(path)) return path;
  }
  return "";
#else
  using Search = std::pair<decltype(matches)&, std::string>;
  Search search{matches, ""};
  dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void* data) {
        auto& [is_wanted, found] = *static_cast<Search*>(data);
        if (!is_wanted(library->dlpi_name)) return 0;
        found = library->dlpi_name;
        return 1;
      },
      &search);
  return search.second;
#endif
#endif
}

}  // namespace karlo
