#include <fmt/core.h>

#include <cstdio>

#include "cc/cc.h"
#include "cc/compile.h"
#include "cc/options.h"
#include "cc/process.h"
#include "cc/toolchain.h"

namespace wanren::cc {
namespace {

constexpr const char* help_text =
    R"(usage: wanren cc [options] files... -o app

Compiles CUDA C++ with clang into an ordinary host program whose device code is PTX. nvcc's options:
  -o FILE                 output; -c objects only, -ptx device code as text, -fatbin the same
                          in the container that cuModuleLoad takes, -E preprocess, -shared library
  -arch=sm_XX             architecture (default sm_80, which every chip runs); -gencode arch=...,code=... for several
  -O0 ... -O3, -std=c++17, -I -D -U -L -l -include -isystem, @FILE (more arguments from a file)
  -rdc=true, -dc          relocatable device code, linked when the program loads
  -lineinfo (default), -G, -g, -g0
  -use_fast_math, -ftz=true, -prec-div=false, -prec-sqrt=false, -fmad=false, -maxrregcount=N
  -Xcompiler A,B  -Xlinker A,B   for the host compiler and the linker; -Xptxas and its kin are accepted and have no effect
  -v, --dryrun            show the commands; only show them
clang is found on PATH as clang++-19; WANREN_CLANG names another one.
)";

int report(const Error& error) {
  fmt::print(stderr, "wanren cc: {}\n", error.message());
  return 1;
}

}  // namespace

int main(const std::vector<std::string>& args) {
  const auto options = parse(args);
  if (!options) return report(options.error());
  if (options->help) {
    fmt::print("{}", help_text);
    return 0;
  }
  if (options->version) {
    // The line that build systems look for in nvcc --version.
    fmt::print(
        "wanren cc: CUDA C++ compiler driver on clang 19\nCuda compilation tools, release 12.8, V12.8.0\n");
    return 0;
  }
  const auto toolchain = find_toolchain();
  if (!toolchain) return report(toolchain.error());
  const auto directory = TemporaryDirectory::create();
  if (!directory) return report(directory.error());
  const auto code = Build(*options, *toolchain, *directory).run();
  if (!code) return report(code.error());
  return *code == 0 ? 0 : 1;
}

}  // namespace wanren::cc
