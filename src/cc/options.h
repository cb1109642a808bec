#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace wanren::cc {

enum class Stop { link, object, ptx, fatbin, preprocess, device_link };
enum class Language { cuda, cxx, c, linkable };

struct Input {
  std::string path;
  Language language = Language::linkable;
};

// A command line, understood.
struct Options {
  Stop stop = Stop::link;
  std::string output;
  std::vector<Input> inputs;               // in order, so that archives keep their place among objects
  std::vector<std::string> architectures;  // "80", "90a"; never empty
  std::vector<std::string> compile;        // both passes: -I, -D, -std=, -O, ...
  std::vector<std::string> host;           // host passes only: -Xcompiler
  std::vector<std::string> device;         // device passes only
  std::vector<std::string> link;           // -l, -L, -Xlinker; after the inputs
  std::string host_compiler;               // -ccbin: kept for host C and C++ sources
  std::string optimization = "-O3";
  bool relocatable = false;
  bool shared = false;
  bool debug_device = false;  // -G
  bool debug_host = false;    // -g
  bool line_info = true;
  bool fast_math = false;
  bool ftz = false;
  bool approximate_division = false;
  bool approximate_square_root = false;
  bool no_contraction = false;
  int max_registers = 0;
  bool verbose = false;
  bool dry_run = false;
  bool keep_default_library = true;  // -cudart none clears it
  bool help = false;
  bool version = false;
};

// Errors name the argument, what was meant, and the nearest valid spelling.
Result<Options> parse(const std::vector<std::string>& args);

}  // namespace wanren::cc
