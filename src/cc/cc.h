#pragma once

#include <string>
#include <vector>

namespace wanren::cc {

// `wanren cc`: compiles CUDA C++ with clang. Arguments are nvcc's and clang's, without the program's name.
// Messages go to stderr, --help and --version to stdout. Returns the exit code: 0, or 1 after a failed
// compilation or a bad command line.
int main(const std::vector<std::string>& args);

}  // namespace wanren::cc
