// The `wanren` program.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cc/cc.h"
#include "cli/commands.h"
#include "cli/options.h"

namespace wanren::cli {

int complain(const std::string& text, int code) {
  std::fprintf(stderr, "wanren: %s\n", text.c_str());
  return code;
}

}  // namespace wanren::cli

int main(int argc, char** argv) {
  using namespace wanren::cli;
  // Build systems and frameworks want a compiler and an assembler without further words. Their command lines
  // are no business of the option parser.
  const std::string_view called = argv[0], first = argc > 1 ? argv[1] : "";
  if (called.ends_with("wanren-nvcc")) return wanren::cc::main({argv + 1, argv + argc});
  if (called.ends_with("wanren-ptxas")) return ptxas({argv + 1, argv + argc});
  if (first == "cc") return wanren::cc::main({argv + 2, argv + argc});
  if (first == "ptxas") return ptxas({argv + 2, argv + argc});

  CLI::App app(
      "Wanren: a chiplet GPU in software. Runs CUDA programs on a virtual chip and predicts their time and "
      "energy.",
      "wanren");
  app.require_subcommand(1);
  app.set_version_flag("--version", "wanren 0.1.0");
  app.add_subcommand("cc",
                     "Compile CUDA C++ to an executable: wanren cc [nvcc or clang flags] files.cu -o app");
  app.add_subcommand("ptxas",
                     "Check PTX and pack it for a driver: wanren ptxas [ptxas flags] FILE.ptx -o FILE");
  app.footer(settings_text());
  Action action;
  add_run(app, action);
  add_compare(app, action);
  add_chips(app, action);
  add_lower(app, action);
  if (argc > 1 && argv[1][0] != '-' &&
      app.get_subcommands([&](CLI::App* known) { return known->get_name() == argv[1]; }).empty())
    return complain(
        "unknown command '" + std::string(argv[1]) + "'; use cc, ptxas, run, compare, chips or lower",
        bad_usage);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    app.exit(error);
    return bad_usage;
  }
  return action ? action() : 0;
}
