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

inline void* OpenLibrary(const std::string& path, std::string* reason) {
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

inline void* FindSymbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library), name));
}

#else

/// Opens a library for the life of the process. Returns nullptr and the linker's words on failure.
inline void* OpenLibrary(const std::string& path, std::string* reason) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* words = dlerror();
    *reason = words == nullptr ? path + ": cannot be opened" : words;
  }
  return library;
}

inline void* FindSymbol(void* library, const char* name) { return dlsym(library, name); }

#endif

/// Where a library of this file name was loaded from; empty if this process has none.
inline std::string FindLoaded(const std::string& name) {
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
