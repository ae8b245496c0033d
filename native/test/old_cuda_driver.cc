// libcuda.so.1 as a driver of CUDA 12.2 shows itself to those who ask for its version.
extern "C" {

__attribute__((visibility("default"))) int cuInit(unsigned) { return 0; }

__attribute__((visibility("default"))) int cuDriverGetVersion(int* version) {
  *version = 12020;
  return 0;
}

}  // extern "C"
