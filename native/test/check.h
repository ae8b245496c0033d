#pragma once

#include <cstdio>
#include <string>

// A test is a program: it prints a line a check and exits with failures().
namespace karlo::testing {

inline int& failures() {
  static int count = 0;
  return count;
}

inline void check(bool good, const std::string& what) {
  std::printf("%s %s\n", good ? "ok  " : "FAIL", what.c_str());
  if (!good) ++failures();
}

}  // namespace karlo::testing
