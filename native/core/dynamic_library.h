#pragma once

#include <string>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
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

}  // namespace karlo
