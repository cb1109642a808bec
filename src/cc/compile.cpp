#include "cc/compile.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "cc/advice.h"
#include "cc/cluster_dims.h"
#include "cc/fatbin.h"

namespace wanren::cc {
namespace fs = std::filesystem;
namespace {

using Command = std::vector<std::string>;

void add(Command& command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
}

// clang's messages in blocks that begin with a diagnostic's first line.
std::vector<std::string> blocks(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" generated when compiling for ") != std::string::npos || line.ends_with(" generated."))
      continue;
    const bool first =
        line.find(": error: ") != std::string::npos || line.find(": warning: ") != std::string::npos ||
        line.find(": fatal error: ") != std::string::npos || line.starts_with("In file included from");
    if (first || out.empty()) out.emplace_back();
    out.back() += line + "\n";
  }
  return out;
}

// Both passes parse everything, so most diagnostics come twice: each is shown once.
void show(const std::vector<std::string>& texts) {
  std::set<std::string> seen;
  std::string all;
  for (const std::string& text : texts)
    for (const std::string& block : blocks(text))
      if (seen.insert(block).second) all += block;
  if (!all.empty()) fmt::print(stderr, "{}{}", all, advice_for_missing(all));
}

// Feeds a waiting host pass through the FIFO that it reads at the end of code generation.
Result<void> feed(const std::string& fifo, const std::string& bytes, Process& reader) {
  int fd = -1;
  while ((fd = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
    if (errno != ENXIO) return fail(fifo, std::strerror(errno));
    if (!reader.running()) return {};  // it failed before code generation and has said why
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n > 0)
      done += static_cast<size_t>(n);
    else if (errno == EAGAIN)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    else
      break;  // the reader went away; its exit code tells
  }
  close(fd);
  return {};
}

// What clang makes an error of and nvcc with its host compiler warns of or takes; programs rely on it. Last,
// clang 19 takes indices of packs and gets some wrong, CCCL's lists of types among them.
const Command leniences = {"-Wno-register",
                           "-Wno-c++11-narrowing",
                           "-Wno-reserved-user-defined-literal",
                           "-Wno-invalid-constexpr",
                           "-Wno-enum-constexpr-conversion",
                           "-Wno-missing-template-arg-list-after-template-kw",
                           "-Wno-unknown-pragmas",
                           "-Wno-builtin-macro-redefined",
                           "-U__cpp_pack_indexing"};

}  // namespace

bool Build::announce(const Command& command) const {
  if (options_.verbose || options_.dry_run) fmt::print(stderr, "{}\n", quoted(command));
  return !options_.dry_run;
}

Command Build::common() const {
  Command c = {toolchain_.clang,
               "-x",
               "cuda",
               "-nocudainc",
               "-nocudalib",
               "--cuda-path=/nonexistent",
               "-Xclang",
               "-target-sdk-version=12.3",
               "-isystem",
               toolchain_.include,
               "-include",
               "cuda_runtime.h",
               "-Xclang",
               "-fcuda-allow-variadic-functions",
               "-Wno-unused-command-line-argument",
               "-Wno-pass-failed",
               "-Wno-unknown-cuda-version"};
  add(c, leniences);
  if (!toolchain_.cccl.empty()) add(c, {"-isystem", toolchain_.cccl});
  if (isatty(STDERR_FILENO)) c.push_back("-fcolor-diagnostics");
  if (options_.relocatable) c.push_back("-fgpu-rdc");
  if (options_.fast_math) {
    c.push_back("-fgpu-approx-transcendentals");
    c.push_back("-D__USE_FAST_MATH__=1");
  }
  if (options_.approximate_square_root) c.push_back("-D__WANREN_APPROXIMATE_SQRT__=1");
  if (clusters_) c.push_back(cluster_dims_macro);
  if (late_alignas_) c.push_back("-D__WANREN_LATE_ALIGNAS__");
  add(c, options_.compile);
  return c;
}

Command Build::device_command(const std::string& source, const std::string& architecture,
                              const std::string& output) const {
  Command c = common();
  add(c, {"--cuda-device-only", "--cuda-gpu-arch=sm_" + architecture, "--cuda-feature=+ptx84", "-S"});
  add(c, {"-Xclang", "-mlink-builtin-bitcode", "-Xclang", toolchain_.device_library});
  c.push_back(options_.debug_device ? "-O0" : options_.optimization == "-O0" ? "-O1" : options_.optimization);
  if (options_.debug_device)
    add(c, {"-g", "--cuda-noopt-device-debug"});
  else if (options_.line_info)
    c.push_back("-gline-tables-only");
  if (options_.fast_math || options_.ftz) c.push_back("-fgpu-flush-denormals-to-zero");
  if (options_.fast_math || options_.approximate_division) add(c, {"-mllvm", "-nvptx-prec-divf32=0"});
  if (options_.fast_math || options_.approximate_square_root) add(c, {"-mllvm", "-nvptx-prec-sqrtf32=0"});
  // What nvcc 13 unrolls, found by giving it loops of every length: register tiles stay in registers.
  add(c, {"-mllvm", "-unroll-threshold=600", "-mllvm", "-unroll-partial-threshold=150"});
  c.push_back(options_.no_contraction ? "-ffp-contract=off" : "-ffp-contract=fast");
  add(c, options_.device);
  add(c, {source, "-o", output});
  return c;
}

std::string Build::finished_ptx(std::string ptx) const {
  if (options_.max_registers > 0) ptx = limit_registers(ptx, options_.max_registers);
  return options_.relocatable ? relocatable_mark + ptx : ptx;
}

bool Build::wants_second_pass(const std::string& messages) {
  if (!clusters_ && messages.find(cluster_dims_marker) != std::string::npos) return clusters_ = true;
  // clang of `__shared__ alignas(16) T x`: the standard has alignas first, nvcc takes it anywhere before the
  // type.
  const bool late = messages.find("an attribute list cannot appear here") != std::string::npos ||
                    messages.find("'alignas' attribute cannot be applied to types") != std::string::npos;
  if (!late_alignas_ && late) return late_alignas_ = true;
  return false;
}

Result<std::string> Build::taken_ptx(const std::string& source, const std::string& architecture,
                                     const std::string& path, const std::vector<std::string>& more) {
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  if (!clusters_) return finished_ptx(std::move(*text));
  const std::string ir_path = path + ".ll";
  Command command = device_command(source, architecture, ir_path);
  add(command, more);
  command.push_back("-emit-llvm");
  auto process = Process::start(command, ir_path + ".log");
  if (!process) return std::unexpected(process.error());
  if (process->wait() != 0) return fail(source, "no IR for its __cluster_dims__: " + process->messages());
  auto ir = read_file(ir_path);
  if (!ir) return std::unexpected(ir.error());
  return finished_ptx(give_clusters(*text, cluster_dims_of(*ir)));
}

Result<int> Build::run_one(const Command& command) {
  if (!announce(command)) return 0;
  auto process = Process::start(command, directory_.file(fmt::format("{}.log", next_file_++)));
  if (!process) return std::unexpected(process.error());
  const int code = process->wait();
  const std::string messages = process->messages();
  fmt::print(stderr, "{}{}", messages, code != 0 ? advice_for_missing(messages) : "");
  return code;
}

Result<int> Build::device_text(const std::string& source, const std::string& architecture,
                               std::string& text) {
  const std::string raw = directory_.file(fmt::format("{}.ptx", next_file_++));
  const Command command = device_command(source, architecture, raw);
  if (!announce(command)) return 0;
  auto process = Process::start(command, raw + ".log");
  if (!process) return std::unexpected(process.error());
  const int code = process->wait();
  const std::string messages = process->messages();
  if (code != 0 && wants_second_pass(messages)) return device_text(source, architecture, text);
  show({messages});
  if (code != 0) return code;
  auto taken = taken_ptx(source, architecture, raw, {});
  if (!taken) return std::unexpected(taken.error());
  text = std::move(*taken);
  return 0;
}

Result<int> Build::device_to_ptx(const std::string& source, const std::string& output) {
  std::string text;
  auto code = device_text(source, options_.architectures[0], text);
  if (!code || *code != 0 || options_.dry_run) return code;
  if (const auto r = write_file(output, text); !r) return std::unexpected(r.error());
  return 0;
}

Result<int> Build::device_to_fatbin(const std::string& source, const std::string& output) {
  std::vector<DeviceCode> codes;
  for (const std::string& architecture : options_.architectures) {
    codes.push_back({architecture, {}});
    auto code = device_text(source, architecture, codes.back().ptx);
    if (!code || *code != 0) return code;
  }
  if (options_.dry_run) return 0;
  if (const auto r = write_file(output, pack(codes)); !r) return std::unexpected(r.error());
  return 0;
}

Result<int> Build::compile_cuda(const std::string& source, const std::string& object) {
  const int number = next_file_++;
  const std::string fifo = directory_.file(fmt::format("{}.fatbin", number));
  Command host = common();
  add(host, {"--cuda-host-only", "-c", "-Xclang", "-fcuda-include-gpubinary", "-Xclang", fifo});
  host.push_back(options_.optimization);
  if (options_.debug_host) host.push_back("-g");
  // Names of internal device symbols end in a hash of this: host and device code must agree on it.
  // clang's driver passes it on for device code and drops it for host code alone.
  std::string unit_id;
  if (options_.relocatable) {
    std::error_code error;
    unit_id = "-cuid=" + fs::absolute(source, error).string() + ":" + object;
    add(host, {"-Xclang", unit_id});
  }
  if (options_.shared) host.push_back("-fPIC");
  // Overflow of signed numbers wraps in what gcc makes of nearly all programs, not in what clang does.
  host.push_back("-fwrapv");
  add(host, options_.host);
  add(host, {source, "-o", object});

  std::vector<Command> devices;
  std::vector<std::string> outputs;
  for (const std::string& a : options_.architectures) {
    outputs.push_back(directory_.file(fmt::format("{}-{}.ptx", number, a)));
    devices.push_back(device_command(source, a, outputs.back()));
    if (!unit_id.empty()) devices.back().push_back(unit_id);
  }
  bool go = true;
  for (const Command& d : devices) go = announce(d) && go;
  if (!announce(host) || !go) return 0;

  if (mkfifo(fifo.c_str(), 0600) != 0)
    return fail(fifo, std::strerror(errno), "set TMPDIR to a local file system");
  std::vector<Process> running;
  for (size_t i = 0; i < devices.size(); ++i) {
    auto p = Process::start(devices[i], outputs[i] + ".log");
    if (!p) return std::unexpected(p.error());
    running.push_back(std::move(*p));
  }
  auto host_process = Process::start(host, fifo + ".log");
  if (!host_process) return std::unexpected(host_process.error());

  std::vector<std::string> messages;
  int code = 0;
  for (Process& p : running) {
    if (const int c = p.wait(); c != 0) code = c;
    messages.push_back(p.messages());
  }
  if (code == 0) {
    std::vector<DeviceCode> codes;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<std::string> more =
          unit_id.empty() ? std::vector<std::string>{} : std::vector{unit_id};
      auto text = taken_ptx(source, options_.architectures[i], outputs[i], more);
      if (!text) return std::unexpected(text.error());
      codes.push_back({options_.architectures[i], std::move(*text)});
    }
    if (const auto r = feed(fifo, pack(codes), *host_process); !r) return std::unexpected(r.error());
    code = host_process->wait();
    messages.push_back(host_process->messages());
  } else {
    host_process->stop();
    for (const std::string& text : messages)
      if (wants_second_pass(text)) return compile_cuda(source, object);
  }
  show(messages);
  if (code == 0 && options_.relocatable)
    if (const auto r = use_common_registration(object); !r) return std::unexpected(r.error());
  return code;
}

Result<int> Build::compile_host(const Input& input, const std::string& object) {
  Command c = {toolchain_.clang,
               "-x",
               input.language == Language::c ? "c" : "c++",
               "-isystem",
               toolchain_.include,
               "-c",
               options_.optimization};
  if (!toolchain_.cccl.empty()) add(c, {"-isystem", toolchain_.cccl});
  if (options_.debug_host) c.push_back("-g");
  if (options_.shared) c.push_back("-fPIC");
  c.push_back("-Wno-unused-command-line-argument");
  c.push_back("-fwrapv");
  if (input.language == Language::cxx) add(c, leniences);
  for (size_t i = 0; i < options_.compile.size(); ++i)
    if (input.language == Language::cxx || !options_.compile[i].starts_with("-std="))
      c.push_back(options_.compile[i]);
  add(c, options_.host);
  add(c, {input.path, "-o", object});
  return run_one(c);
}

Result<int> Build::preprocess(const Input& input) {
  Command c =
      input.language == Language::cuda ? common() : Command{toolchain_.clang, "-isystem", toolchain_.include};
  if (input.language == Language::cuda)
    c.push_back("--cuda-host-only");
  else
    add(c, options_.compile);
  add(c, options_.host);
  add(c, {"-E", input.path});
  if (!options_.output.empty()) add(c, {"-o", options_.output});
  return run_one(c);
}

Result<int> Build::link(const std::vector<std::string>& objects) {
  Command c = {toolchain_.clang};
  if (options_.shared) c.push_back("-shared");
  add(c, objects);
  const std::string libraries = "-L" + toolchain_.runtime_folder;
  c.push_back(libraries);
  add(c, options_.link);
  if (options_.keep_default_library) {
    std::error_code error;
    if (!options_.dry_run && !fs::exists(toolchain_.runtime_folder + "/libcudart.so", error))
      return fail(toolchain_.runtime_folder + "/libcudart.so", "the runtime library is not there",
                  "build the target cudart, or install again; -cudart none links without it");
    add(c, {"-Wl,-rpath," + toolchain_.runtime_folder, "-lcudart", "-lpthread", "-ldl"});
  }
  add(c, {"-o", options_.output.empty() ? std::string("a.out") : options_.output});
  // What build systems look for in nvcc's words: folders, architectures, and the libraries by which they know
  // the link line.
  if (options_.verbose || options_.dry_run) {
    fmt::print(stderr, "#$ PATH={}\n#$ INCLUDES={}\n#$ LIBRARIES={}\n",
               fs::path(toolchain_.clang).parent_path().string(), quoted({"-I" + toolchain_.include}),
               quoted({libraries}));
    for (const std::string& a : options_.architectures)
      fmt::print(stderr, "#$ device code: -arch compute_{}\n", a);
  }
  return run_one(c);
}

Result<int> Build::run() {
  std::vector<std::string> objects;
  const auto beside = [](const std::string& path, const char* extension) {
    return fs::path(path).stem().string() + extension;
  };
  for (const Input& input : options_.inputs) {
    clusters_ = late_alignas_ = false;
    if (input.language == Language::linkable) {
      objects.push_back(input.path);
      continue;
    }
    Result<int> code = 0;
    if (options_.stop == Stop::ptx || options_.stop == Stop::fatbin) {
      if (input.language != Language::cuda)
        return fail(input.path, "only CUDA C++ sources become PTX", "use -x cu if it is one");
      const bool text = options_.stop == Stop::ptx;
      const std::string output =
          options_.output.empty() ? beside(input.path, text ? ".ptx" : ".fatbin") : options_.output;
      code = text ? device_to_ptx(input.path, output) : device_to_fatbin(input.path, output);
    } else if (options_.stop == Stop::preprocess) {
      code = preprocess(input);
    } else {
      const std::string object = options_.stop == Stop::object
                                     ? (options_.output.empty() ? beside(input.path, ".o") : options_.output)
                                     : directory_.file(fmt::format("{}.o", next_file_++));
      code =
          input.language == Language::cuda ? compile_cuda(input.path, object) : compile_host(input, object);
      objects.push_back(object);
    }
    if (!code || *code != 0) return code;
  }
  if (options_.stop == Stop::link) return link(objects);
  if (options_.stop == Stop::device_link) {
    // Device code is linked when the program loads; makefiles still expect the object.
    const std::string empty = directory_.file("device_link.c");
    if (const auto r = write_file(empty, "typedef int wanren_links_device_code_at_load;\n"); !r)
      return std::unexpected(r.error());
    return compile_host({empty, Language::c}, options_.output.empty() ? "a_dlink.o" : options_.output);
  }
  return 0;
}

}  // namespace wanren::cc
