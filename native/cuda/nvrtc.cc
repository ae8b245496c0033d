#include "cuda/nvrtc.h"

#include <algorithm>
#include <stdexcept>

#include "core/dynamic_library.h"
#include "cuda/sources.h"

namespace karlo::cuda {
namespace {

#ifdef _WIN32
constexpr char kLibrary[] = "nvrtc64_130_0.dll";
constexpr char kBuiltins[] = "nvrtc-builtins64_130.dll";
constexpr char kTorchLibrary[] = "torch_cuda.dll";
#else
constexpr char kLibrary[] = "libnvrtc.so.13";
constexpr char kBuiltins[] = "libnvrtc-builtins.so.13.0";
constexpr char kTorchLibrary[] = "libtorch_cuda.so";
#endif

// NVRTC's C interface, as declared in nvrtc.h. 0 is success.
using Handle = void*;
using GetErrorString = const char* (*)(int);
using GetNumber = int (*)(int*);
using CreateProgram = int (*)(Handle*, const char*, const char*, int, const char* const*,
                              const char* const*);
using CompileProgram = int (*)(Handle, int, const char* const*);
using DestroyProgram = int (*)(Handle*);
using GetSize = int (*)(Handle, size_t*);
using GetText = int (*)(Handle, char*);

// The dtype's name in device.cuh.
const char* name_of(c10::ScalarType dtype) {
  if (dtype == c10::ScalarType::BFloat16) return "BFloat16";
  return dtype == c10::ScalarType::Half ? "Half" : "float";
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.find_last_of("/\\") + 1);
}

std::string library_path() {
  const std::string folder = folder_of(find_loaded_library(kTorchLibrary));
  if (folder.empty()) return kLibrary;
  // Where this package's setup unpacks the wheel, and where pip does.
  for (const std::string& place : {folder, folder + "../../nvidia/cu13/lib/"}) {
    std::string ignored;
    if (open_library(place + kLibrary, &ignored) != nullptr) return place + kLibrary;
  }
  return kLibrary;
}

}  // namespace

bool has_kernels_for(c10::ScalarType dtype) {
  return dtype == c10::ScalarType::Float || dtype == c10::ScalarType::BFloat16 ||
         dtype == c10::ScalarType::Half;
}

Nvrtc::Nvrtc(const std::string& path) {
  std::string reason;
  // NVRTC opens it by its name when it compiles, but does not know its own folder.
  open_library(folder_of(path) + kBuiltins, &reason);
  library_ = open_library(path, &reason);
  if (library_ == nullptr) throw std::runtime_error("NVRTC is missing: " + reason);
}

template <class Function>
Function Nvrtc::find(const char* name) const {
  void* function = find_symbol(library_, name);
  if (function == nullptr) throw std::runtime_error(std::string("NVRTC lacks ") + name);
  return reinterpret_cast<Function>(function);
}

void Nvrtc::check(int status, const char* call) const {
  if (status == 0) return;
  throw std::runtime_error(std::string(call) +
                           " failed: " + find<GetErrorString>("nvrtcGetErrorString")(status));
}

std::vector<int> Nvrtc::architectures() const {
  int count = 0;
  check(find<GetNumber>("nvrtcGetNumSupportedArchs")(&count), "nvrtcGetNumSupportedArchs");
  std::vector<int> all(count);
  check(find<GetNumber>("nvrtcGetSupportedArchs")(all.data()), "nvrtcGetSupportedArchs");
  return all;
}

Binary Nvrtc::compile(const std::string& path, c10::ScalarType dtype, int architecture,
                      bool verbose) const {
  std::vector<const char*> names, texts;
  for (const Source& source : sources()) {
    names.push_back(source.path);
    texts.push_back(source.text);
  }
  const std::vector<int> known = architectures();
  const bool exact = std::find(known.begin(), known.end(), architecture) != known.end();
  // The driver compiles PTX for newer GPUs.
  const auto older = std::upper_bound(known.begin(), known.end(), architecture);
  if (older == known.begin()) {
    throw std::runtime_error("NVRTC no longer compiles for architecture " +
                             std::to_string(architecture));
  }
  std::vector<std::string> options{
      "--gpu-architecture=" + (exact ? "sm_" + std::to_string(architecture)
                                     : "compute_" + std::to_string(*(older - 1))),
      "--std=c++17", std::string("--define-macro=KARLO_NUMBER=") + name_of(dtype)};
  if (verbose) options.push_back("--ptxas-options=--verbose");
  std::vector<const char*> words;
  for (const std::string& option : options) words.push_back(option.c_str());

  struct Program {
    Handle handle = nullptr;
    DestroyProgram destroy;
    ~Program() { destroy(&handle); }
  } program{nullptr, find<DestroyProgram>("nvrtcDestroyProgram")};
  const std::string text = "#include \"" + path + "\"\n";
  check(find<CreateProgram>("nvrtcCreateProgram")(&program.handle, text.c_str(), "kernels.cu",
                                                  static_cast<int>(names.size()), texts.data(),
                                                  names.data()),
        "nvrtcCreateProgram");
  const auto read = [&](const char* get_size, const char* get_text) {
    size_t size = 0;
    check(find<GetSize>(get_size)(program.handle, &size), get_size);
    std::string result(size, '\0');
    if (size > 0) check(find<GetText>(get_text)(program.handle, result.data()), get_text);
    return result;
  };
  const int status = find<CompileProgram>("nvrtcCompileProgram")(
      program.handle, static_cast<int>(words.size()), words.data());
  const std::string log = read("nvrtcGetProgramLogSize", "nvrtcGetProgramLog").c_str();
  if (status != 0) throw std::runtime_error("NVRTC cannot compile " + path + ": " + log);
  return {
      exact ? read("nvrtcGetCUBINSize", "nvrtcGetCUBIN") : read("nvrtcGetPTXSize", "nvrtcGetPTX"),
      log};
}

const Nvrtc& nvrtc() {
  static const Nvrtc found(library_path());
  return found;
}

}  // namespace karlo::cuda
