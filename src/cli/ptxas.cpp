// `wanren ptxas`: stands where frameworks look for an assembler. The PTX is checked and lowered for the
// chip, then put in the container that cuModuleLoad takes: what runs it compiles it for the launch.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "cc/fatbin.h"
#include "cli/commands.h"
#include "fmt/format.h"
#include "lower/program.h"
#include "ptx/module.h"
#include "simt/kernel.h"
#include "support/settings.h"

namespace wanren::cli {
namespace {

/// ptxas's own exit code for any error in its input.
constexpr int assembler_failed = 255;

struct Request {
  std::vector<std::string> inputs;
  std::string output = "elf.o", architecture = "sm_52", entry;
  int registers = 0;
  bool verbose = false, help = false, version = false;
};

struct Option {
  std::string_view long_name, short_name;
  bool takes_value;
};
/// Those that exist; the ones that parse() does not name change nothing here.
constexpr Option known[] = {
    {"--output-file", "-o", true},
    {"--gpu-name", "-arch", true},
    {"--verbose", "-v", false},
    {"--version", "-V", false},
    {"--help", "-h", false},
    {"--maxrregcount", "-maxrregcount", true},
    {"--entry", "-e", true},
    {"--opt-level", "-O", true},
    {"--regAllocOptLevel", "-regAllocOptLevel", true},
    {"--fmad", "-fmad", true},
    {"--generate-line-info", "-lineinfo", false},
    {"--device-debug", "-g", false},
    {"--suppress-debug-info", "-suppress-debug-info", false},
    {"--compile-only", "-c", false},
    {"--def-load-cache", "-dlcm", true},
    {"--def-store-cache", "-dscm", true},
    {"--warn-on-spills", "-warn-spills", false},
    {"--warn-on-local-memory-usage", "-warn-lmem-usage", false},
    {"--warning-as-error", "-Werror", false},
    {"--disable-warnings", "-w", false},
    {"--disable-optimizer-constants", "-disable-optimizer-consts", false},
    {"--allow-expensive-optimizations", "-allow-expensive-optimizations", true},
    {"--position-independent-code", "-pic", true},
    {"--preserve-relocs", "-preserve-relocs", false},
    {"--machine", "-m", true},
    {"--input-as-string", "-ias", true},
    {"--split-compile", "-split-compile", true},
};

Result<Request> parse(const std::vector<std::string>& arguments) {
  Request request;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.size() < 2 || word[0] != '-') {
      request.inputs.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    std::string name = word.substr(0, equals), value;
    // -O3 and -m64 have their values attached.
    if (equals == std::string::npos && word.size() == 3 && (word[1] == 'O' || word[1] == 'm'))
      name = word.substr(0, 2), value = word.substr(2);
    const auto option = std::ranges::find_if(
        known, [&](const Option& o) { return name == o.long_name || name == o.short_name; });
    if (option == std::end(known))
      return fail("ptxas", "unknown option '" + word + "'",
                  "leave it out, or see ptxas's own list of options");
    if (equals != std::string::npos) value = word.substr(equals + 1);
    if (option->takes_value && value.empty()) {
      if (i + 1 == arguments.size()) return fail("ptxas", "'" + word + "' lacks its value", "give one");
      value = arguments[++i];
    }
    if (option->long_name == "--output-file") request.output = value;
    if (option->long_name == "--gpu-name") request.architecture = value;
    if (option->long_name == "--entry") request.entry = value;
    if (option->long_name == "--verbose") request.verbose = true;
    if (option->long_name == "--help") request.help = true;
    if (option->long_name == "--version") request.version = true;
    if (option->long_name == "--maxrregcount") {
      const char* end = value.data() + value.size();
      if (std::from_chars(value.data(), end, request.registers).ptr != end || request.registers < 0)
        return fail("ptxas --maxrregcount", "'" + value + "' is not a number of registers", "give 16 to 255");
    }
  }
  if (!request.help && !request.version && request.inputs.size() != 1)
    return fail("ptxas", fmt::format("{} input files", request.inputs.size()), "name one file of PTX");
  return request;
}

/// What `ptxas -v` says of one kernel, in its words.
Result<void> describe(const ptx::Module& module, const ptx::Function& function, const Request& request,
                      const chip::Spec& chip) {
  auto kernel = simt::build(module, function.name, request.inputs.front());
  if (!kernel) return std::unexpected(kernel.error());
  if (!request.verbose) return {};
  const auto program = lower::lower(
      *kernel, chip,
      request.registers > 0 ? static_cast<std::uint32_t>(request.registers) : lower::any_registers);
  if (!program) return std::unexpected(program.error());
  fmt::print(stderr,
             "ptxas info    : Compiling entry function '{}' for '{}'\n"
             "ptxas info    : Function properties for {}\n"
             "    {} bytes stack frame, {} bytes spill stores, {} bytes spill loads\n"
             "ptxas info    : Used {} registers, {} bytes smem\n",
             function.name, request.architecture, function.name, kernel->local_bytes + program->spill_bytes,
             program->spill_bytes, program->spill_bytes, program->registers_per_thread,
             kernel->static_shared_bytes);
  return {};
}

Result<void> assemble(const Request& request) {
  const std::string& path = request.inputs.front();
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return fail(path, "cannot be read", "name a file of PTX");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (request.registers > 0) text = cc::limit_registers(text, request.registers);
  const auto chip = chip::load(split_list(text_of(Setting::chip)).front());
  if (!chip) return std::unexpected(chip.error());
  const auto module = ptx::parse(text, path);
  if (!module) return std::unexpected(module.error());
  if (request.verbose) fmt::print(stderr, "ptxas info    : 0 bytes gmem\n");
  for (const ptx::Function& function : module->functions) {
    if (!function.is_kernel || (!request.entry.empty() && function.name != request.entry)) continue;
    if (const auto done = describe(*module, function, request, *chip); !done) return done;
  }
  const std::size_t digits = request.architecture.find_first_of("0123456789");
  if (digits == std::string::npos)
    return fail("ptxas --gpu-name", "'" + request.architecture + "' is no architecture",
                "give one such as sm_80");
  std::ofstream out(request.output, std::ios::binary);
  out << cc::pack({{request.architecture.substr(digits), text}});
  out.close();
  if (!out) return fail(request.output, "cannot be written", "check the folder and the disk");
  return {};
}

}  // namespace

int ptxas(const std::vector<std::string>& arguments) {
  const auto request = parse(arguments);
  const auto done = !request                            ? Result<void>(std::unexpected(request.error()))
                    : request->help || request->version ? Result<void>()
                                                        : assemble(*request);
  if (!done) {
    fmt::print(stderr, "ptxas fatal   : {}\n", done.error().message());
    return assembler_failed;
  }
  // The line that frameworks look for in ptxas --version.
  if (request->version)
    fmt::print("wanren ptxas: PTX for virtual chips\nCuda compilation tools, release 12.8, V12.8.0\n");
  if (request->help)
    fmt::print(
        "usage: wanren ptxas [ptxas's options] FILE.ptx -o FILE\n"
        "Checks PTX and packs it for cuModuleLoad; -v: registers and spills on the chip of WANREN_CHIP.\n");
  return 0;
}

}  // namespace wanren::cli
