#pragma once

#include <string>

#include "support/result.h"

namespace wanren::cc {

// Where the compiler and Wanren's own files are. The tree is relocatable: everything but clang is found from
// the running program's place (bin/, lib/ and include/wanren/ are siblings; in a build folder the headers are
// the source tree's).
struct Toolchain {
  std::string clang;           // clang++ 19
  std::string include;         // holds cuda_runtime.h
  std::string cccl;            // holds thrust, cub, cuda, nv; empty: nobody fetched them
  std::string runtime_folder;  // holds libcudart.so
  std::string device_library;  // device.bc
};

Result<Toolchain> find_toolchain();

}  // namespace wanren::cc
