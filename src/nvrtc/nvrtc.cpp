// libnvrtc: a program is written to files and given to `wanren cc -ptx`, which lies beside this library.
#include <dlfcn.h>
#include <nvrtc.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cc/fatbin.h"
#include "cc/process.h"

namespace fs = std::filesystem;
using wanren::cc::Process;
using wanren::cc::TemporaryDirectory;

struct _nvrtcProgram {
  std::string source, name;
  std::vector<std::pair<std::string, std::string>> headers;  // the name by which they are included, text
  std::vector<std::string> expressions;
  std::map<std::string, std::string> lowered;  // of each expression
  bool compiled = false;
  std::string ptx, log, architecture = "52";
  bool for_a_chip = false;  // compiled for sm_ and not compute_: there is a "cubin"
};

namespace {

constexpr const char* name_mark = "wanren_lowered_";

std::string beside_this_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&nvrtcVersion), &info) == 0) return {};
  std::error_code error;
  const fs::path prefix = fs::canonical(info.dli_fname, error).parent_path().parent_path();
  return (prefix / "bin/wanren").string();
}

bool begins(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

/// NVRTC's options as `wanren cc` takes them; what only tunes NVIDIA's compiler is dropped.
struct Translated {
  std::vector<std::string> arguments;
  std::string architecture = "52";
  bool for_a_chip = false, unmarked_is_device = false, has_standard = false;
};
bool only_tunes(const std::string& option) {
  static const std::set<std::string> known = {"-dopt",
                                              "--dopt",
                                              "-ptxas-options",
                                              "--ptxas-options",
                                              "-ewp",
                                              "--extensible-whole-program",
                                              "--minimal",
                                              "-minimal",
                                              "--no-cache",
                                              "-no-cache",
                                              "--device-int128",
                                              "-device-int128",
                                              "--pch",
                                              "-pch",
                                              "--no-source-include",
                                              "-no-source-include",
                                              "--builtin-move-forward",
                                              "-builtin-move-forward",
                                              "--builtin-initializer-list",
                                              "-builtin-initializer-list",
                                              "--modify-stack-limit",
                                              "-modify-stack-limit",
                                              "--device-debug-dwarf",
                                              "--disable-warnings",
                                              "-split-compile",
                                              "--split-compile",
                                              "--fdevice-time-trace",
                                              "-fdevice-time-trace",
                                              "--dlink-time-opt",
                                              "-dlto",
                                              "-arch-native",
                                              "--version-ident"};
  return known.count(option.substr(0, option.find('='))) != 0;
}
Translated translate(int count, const char* const* options) {
  Translated t;
  for (int i = 0; i < count; ++i) {
    std::string option = options[i] == nullptr ? "" : options[i];
    // A blank may stand between an option and its value, within one string too.
    if (const size_t blank = option.find(' '); blank != std::string::npos && option[0] == '-') {
      const size_t value = option.find_first_not_of(' ', blank);
      const std::string head = option.substr(0, blank);
      if (value == std::string::npos)
        option = head;
      else if (head == "-I" || head == "-D" || head == "-U")
        option.erase(blank, value - blank);
      else
        option.replace(blank, value - blank, "=");
    }
    if (option.empty() || only_tunes(option)) continue;
    if (option == "-default-device" || option == "--device-as-default-execution-space") {
      t.unmarked_is_device = true;
      continue;
    }
    const bool next = (option == "-arch" || option == "--gpu-architecture") && i + 1 < count;
    if (next || begins(option, "-arch=") || begins(option, "--gpu-architecture=")) {
      const std::string value = next ? options[++i] : option.substr(option.find('=') + 1);
      t.for_a_chip = begins(value, "sm_");
      t.architecture = value.substr(value.find('_') + 1);
      t.arguments.push_back("-arch=" + value);
      continue;
    }
    if (begins(option, "-std") || begins(option, "--std")) t.has_standard = true;
    t.arguments.push_back(option);
  }
  return t;
}

/// Each expression as a variable whose initializer is what it names: the compiler instantiates it and PTX
/// says its name.
std::string with_expressions(const _nvrtcProgram& program, bool unmarked_is_device) {
  std::string text;
  // Functions without a mark are for both sides, of which only the device's is compiled.
  if (unmarked_is_device) text += "#pragma clang force_cuda_host_device begin\n#line 1\n";
  text += program.source + "\n";
  if (unmarked_is_device) text += "#pragma clang force_cuda_host_device end\n";
  for (size_t i = 0; i < program.expressions.size(); ++i)
    text += "__device__ __attribute__((used)) auto* " + (name_mark + std::to_string(i)) + " = " +
            (program.expressions[i][0] == '&' ? "" : "&") + program.expressions[i] + ";\n";
  return text;
}
/// Takes the lowered names from those variables and the variables from the PTX.
bool take_names(_nvrtcProgram& program) {
  for (size_t i = 0; i < program.expressions.size(); ++i) {
    const std::string mark = name_mark + std::to_string(i) + " = ";
    const size_t at = program.ptx.find(mark);
    if (at == std::string::npos) return false;
    const size_t end = program.ptx.find(';', at), first = program.ptx.rfind('\n', at) + 1;
    std::string name = program.ptx.substr(at + mark.size(), end - at - mark.size());
    if (begins(name, "generic(")) name = name.substr(8, name.find(')') - 8);
    program.lowered[program.expressions[i]] = name;
    program.ptx.erase(first, program.ptx.find('\n', end) + 1 - first);
  }
  return true;
}

nvrtcResult compile(_nvrtcProgram& program, const Translated& options) {
  const auto folder = TemporaryDirectory::create();
  if (!folder) return NVRTC_ERROR_INTERNAL_ERROR;
  for (const auto& [name, text] : program.headers) {
    const fs::path path = fs::path(folder->file("include/" + name)).lexically_normal();
    if (!begins(path.string(), folder->file("").c_str())) {
      program.log =
          "header '" + name + "' lies outside what it is included from: give it a name without ..\n";
      return NVRTC_ERROR_COMPILATION;
    }
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (!wanren::cc::write_file(path, text)) return NVRTC_ERROR_INTERNAL_ERROR;
  }
  const std::string file = fs::path(program.name).filename().string();
  const std::string source = folder->file(file.empty() ? "default_program" : file);
  const std::string output = folder->file("program.ptx"), log = folder->file("log");
  if (!wanren::cc::write_file(source, with_expressions(program, options.unmarked_is_device)))
    return NVRTC_ERROR_INTERNAL_ERROR;

  std::vector<std::string> command = {
      beside_this_library(), "cc",       "-ptx",     "-x", "cu",
      "-D__CUDACC_RTC__=1",  "-include", "assert.h", "-I", folder->file("include")};
  // Where the source would lie if it were a file: its quoted includes are looked for there.
  const fs::path place = fs::path(program.name).parent_path();
  command.insert(command.end(), {"-I", place.empty() ? "." : place.string()});
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  if (!options.has_standard) command.push_back("-std=c++17");
  command.insert(command.end(), {source, "-o", output});
  auto process = Process::start(command, log);
  if (!process) {
    program.log = process.error().message();
    return NVRTC_ERROR_INTERNAL_ERROR;
  }
  const int code = process->wait();
  program.log = process->messages();
  if (code != 0) {
    // `wanren cc` speaks itself of arguments, clang of code.
    return begins(program.log, "wanren cc: -") ? NVRTC_ERROR_INVALID_OPTION : NVRTC_ERROR_COMPILATION;
  }
  auto ptx = wanren::cc::read_file(output);
  if (!ptx) return NVRTC_ERROR_INTERNAL_ERROR;
  program.ptx = std::move(*ptx);
  if (!take_names(program)) return NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
  program.compiled = true;
  return NVRTC_SUCCESS;
}

/// The size of an output, or the output: texts with their terminating zero.
nvrtcResult size_of(nvrtcProgram program, const std::string& text, size_t* size) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (size == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  *size = text.size() + 1;
  return NVRTC_SUCCESS;
}
nvrtcResult copy(nvrtcProgram program, const std::string& text, char* to) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (to == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return NVRTC_SUCCESS;
}
std::string cubin(const _nvrtcProgram& program) {
  return wanren::cc::pack({{program.architecture, program.ptx}});
}
nvrtcResult has_none(nvrtcProgram program, size_t* size) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (size == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  *size = 0;
  return NVRTC_SUCCESS;
}

constexpr int architectures[] = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90};

}  // namespace

extern "C" {

const char* nvrtcGetErrorString(nvrtcResult result) {
  static constexpr const char* names[] = {"NVRTC_SUCCESS",
                                          "NVRTC_ERROR_OUT_OF_MEMORY",
                                          "NVRTC_ERROR_PROGRAM_CREATION_FAILURE",
                                          "NVRTC_ERROR_INVALID_INPUT",
                                          "NVRTC_ERROR_INVALID_PROGRAM",
                                          "NVRTC_ERROR_INVALID_OPTION",
                                          "NVRTC_ERROR_COMPILATION",
                                          "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
                                          "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
                                          "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
                                          "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
                                          "NVRTC_ERROR_INTERNAL_ERROR",
                                          "NVRTC_ERROR_TIME_FILE_WRITE_FAILED"};
  return result >= 0 && static_cast<size_t>(result) < std::size(names) ? names[result]
                                                                       : "NVRTC_ERROR unknown";
}
nvrtcResult nvrtcVersion(int* major, int* minor) {
  if (major == nullptr || minor == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  *major = 12;
  *minor = 8;
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  if (count == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  *count = static_cast<int>(std::size(architectures));
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcGetSupportedArchs(int* archs) {
  if (archs == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  std::memcpy(archs, architectures, sizeof(architectures));
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram* program, const char* source, const char* name, int numHeaders,
                               const char* const* headers, const char* const* includeNames) {
  if (program == nullptr || source == nullptr || numHeaders < 0 ||
      (numHeaders > 0 && (headers == nullptr || includeNames == nullptr)))
    return NVRTC_ERROR_INVALID_INPUT;
  auto* made = new (std::nothrow) _nvrtcProgram;
  if (made == nullptr) return NVRTC_ERROR_OUT_OF_MEMORY;
  made->source = source;
  made->name = name == nullptr ? "default_program" : name;
  for (int i = 0; i < numHeaders; ++i) made->headers.emplace_back(includeNames[i], headers[i]);
  *program = made;
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) {
  if (program == nullptr || *program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  delete *program;
  *program = nullptr;
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int numOptions, const char* const* options) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (numOptions < 0 || (numOptions > 0 && options == nullptr)) return NVRTC_ERROR_INVALID_INPUT;
  const Translated translated = translate(numOptions, options);
  program->architecture = translated.architecture;
  program->for_a_chip = translated.for_a_chip;
  program->ptx.clear(), program->log.clear(), program->lowered.clear();
  program->compiled = false;
  return compile(*program, translated);
}

nvrtcResult nvrtcGetPTXSize(nvrtcProgram program, size_t* size) {
  return size_of(program, program == nullptr ? "" : program->ptx, size);
}
nvrtcResult nvrtcGetPTX(nvrtcProgram program, char* ptx) {
  return copy(program, program == nullptr ? "" : program->ptx, ptx);
}
nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t* size) {
  const nvrtcResult none = has_none(program, size);
  if (none == NVRTC_SUCCESS && program->for_a_chip && program->compiled) *size = cubin(*program).size();
  return none;
}
nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* to) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (to == nullptr || !program->for_a_chip || !program->compiled) return NVRTC_ERROR_INVALID_INPUT;
  const std::string bytes = cubin(*program);
  std::copy(bytes.begin(), bytes.end(), to);
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcGetLTOIRSize(nvrtcProgram program, size_t* size) {
  return has_none(program, size);
}
nvrtcResult nvrtcGetLTOIR(nvrtcProgram program, char*) {
  return program == nullptr ? NVRTC_ERROR_INVALID_PROGRAM : NVRTC_ERROR_INVALID_INPUT;
}
nvrtcResult nvrtcGetOptiXIRSize(nvrtcProgram program, size_t* size) {
  return has_none(program, size);
}
nvrtcResult nvrtcGetOptiXIR(nvrtcProgram program, char*) {
  return program == nullptr ? NVRTC_ERROR_INVALID_PROGRAM : NVRTC_ERROR_INVALID_INPUT;
}
nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t* size) {
  return size_of(program, program == nullptr ? "" : program->log, size);
}
nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* log) {
  return copy(program, program == nullptr ? "" : program->log, log);
}

nvrtcResult nvrtcAddNameExpression(nvrtcProgram program, const char* expression) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (expression == nullptr || *expression == 0) return NVRTC_ERROR_INVALID_INPUT;
  if (program->compiled) return NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION;
  program->expressions.emplace_back(expression);
  return NVRTC_SUCCESS;
}
nvrtcResult nvrtcGetLoweredName(nvrtcProgram program, const char* expression, const char** name) {
  if (program == nullptr) return NVRTC_ERROR_INVALID_PROGRAM;
  if (expression == nullptr || name == nullptr) return NVRTC_ERROR_INVALID_INPUT;
  if (!program->compiled) return NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION;
  const auto found = program->lowered.find(expression);
  if (found == program->lowered.end()) return NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
  *name = found->second.c_str();
  return NVRTC_SUCCESS;
}

}  // extern "C"
