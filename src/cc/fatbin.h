#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace wanren::cc {

struct DeviceCode {
  std::string architecture;  // "80"
  std::string ptx;
};

// An uncompressed fat binary with one PTX entry per architecture (layout: facts of the binary interface, see
// src/ptx/fatbinary.cpp, which reads it).
std::string pack(const std::vector<DeviceCode>& codes);

// First line of PTX that takes part in load-time device linking.
inline constexpr const char* relocatable_mark = "// wanren: relocatable\n";

// `ptx` with .maxnreg on each entry function.
std::string limit_registers(const std::string& ptx, int registers);

// Host objects of clang's -fgpu-rdc call one registration function per file, named after the file, which a
// device linker would define. Renames it in the object's string table to __cudaRegisterLinkedBinary, which
// cuda_runtime.h defines.
Result<void> use_common_registration(const std::string& object_path);

}  // namespace wanren::cc
