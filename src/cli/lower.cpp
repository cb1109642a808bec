#include "lower/program.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "cli/commands.h"
#include "fmt/format.h"
#include "ptx/fatbinary.h"
#include "ptx/module.h"
#include "simt/kernel.h"

namespace wanren::cli {
namespace {

struct Request {
  std::string file, chip = "br100", kernel;
  std::uint32_t registers = lower::any_registers;
  bool simt = false;
};

Result<std::vector<ptx::PtxImage>> images(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path))
    return fail(path, "cannot be read",
                "name a PTX text, a fat binary, or a program that wanren cc or nvcc built");
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto found = ptx::extract(std::as_bytes(std::span(bytes)));
  if (found && found->empty())
    return fail(path, "holds no PTX", "compile with PTX for the chip, as wanren cc does");
  return found;
}

/// The last image is the one for the newest architecture, which a driver would take.
int show(const Request& request) {
  Result<chip::Spec> chip = chip::load(request.chip);
  if (!chip) return complain(chip.error().message(), bad_usage);
  auto found = images(request.file);
  if (!found) return complain(found.error().message(), bad_usage);
  bool any = false;
  for (const ptx::PtxImage& image : *found) {
    Result<ptx::Module> module = ptx::parse(image.text, request.file);
    if (!module) return complain(module.error().message(), failed);
    for (const ptx::Function& function : module->functions) {
      if (!function.is_kernel || function.name.find(request.kernel) == std::string::npos) continue;
      any = true;
      Result<simt::Kernel> kernel = simt::build(*module, function.name, request.file);
      if (!kernel) return complain(kernel.error().message(), failed);
      if (request.simt) fmt::print("{}\n", simt::dump(*kernel));
      Result<lower::MachineProgram> program = lower::lower(*kernel, *chip, request.registers);
      if (!program) return complain(program.error().message(), failed);
      fmt::print("{}\n", lower::dump(*program, *kernel));
    }
  }
  if (!any)
    return complain(
        request.file + ": no kernel has '" + request.kernel + "' in its name; leave --kernel out to see all",
        failed);
  return 0;
}

}  // namespace

void add_lower(CLI::App& app, Action& action) {
  CLI::App* sub =
      app.add_subcommand("lower", "Show the instructions that a chip would run for a kernel, block by block");
  auto request = std::make_shared<Request>();
  sub->add_option("file", request->file, "PTX text, fat binary, or program")->required();
  sub->add_option("--chip", request->chip, "Shipped chip, alias, or TOML file")->capture_default_str();
  sub->add_option("--kernel", request->kernel, "Only kernels with this in their mangled name");
  sub->add_option("--registers", request->registers, "At most so many registers per thread")
      ->check(CLI::Range(16, 255));
  sub->add_flag("--simt", request->simt, "The SIMT IR as well, whose blocks these are");
  sub->callback([request, &action] { action = [request] { return show(*request); }; });
}

}  // namespace wanren::cli
