#include "cc/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "cc/process.h"

namespace wanren::cc {
namespace {

bool starts_with(const std::string& s, const std::string& prefix) {
  return s.compare(0, prefix.size(), prefix) == 0;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text) {
    if (c == separator) {
      parts.push_back(part);
      part.clear();
    } else {
      part += c;
    }
  }
  parts.push_back(part);
  return parts;
}

size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Arguments of a response file: blanks separate, quotes and backslashes protect.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  bool open = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == quote)
        quote = 0;
      else if (c == '\\' && quote == '"' && i + 1 < text.size())
        word += text[++i];
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c, open = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      word += text[++i], open = true;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      if (open) out.push_back(word);
      word.clear(), open = false;
    } else {
      word += c, open = true;
    }
  }
  if (open) out.push_back(word);
  return out;
}

Result<void> expand(const std::vector<std::string>& args, int depth, std::vector<std::string>& out) {
  for (size_t i = 0; i < args.size(); ++i) {
    std::string file;
    if (args[i].size() > 1 && args[i][0] == '@')
      file = args[i].substr(1);
    else if ((args[i] == "-optf" || args[i] == "--options-file") && i + 1 < args.size())
      file = args[++i];
    if (file.empty()) {
      out.push_back(args[i]);
      continue;
    }
    if (depth > 10) return fail(file, "response files include each other", "break the cycle");
    const auto text = read_file(file);
    if (!text) return fail(file, "cannot read the response file", "write @FILE with an existing FILE");
    if (const auto r = expand(words(*text), depth + 1, out); !r) return r;
  }
  return {};
}

// "sm_80", "compute_90a", "80" -> "80", "90a".
Result<std::string> architecture(const std::string& text, const std::string& argument) {
  std::string number = text;
  for (const char* prefix : {"sm_", "compute_", "lto_"})
    if (starts_with(number, prefix)) number = number.substr(std::string(prefix).size());
  static const std::set<std::string> known = {"50", "52", "53", "60", "61", "62", "70", "72",
                                              "75", "80", "86", "87", "89", "90", "90a"};
  if (known.count(number)) return number;
  std::string near;
  for (const std::string& k : known)
    if (near.empty() || distance(k, number) < distance(near, number)) near = k;
  return fail(argument, fmt::format("'{}' is not an architecture that clang 19 compiles for", text),
              fmt::format("use sm_{}, or sm_80, which every shipped chip runs", near));
}

// sm_100 and later: no chip here runs them, and clang 19 does not compile for them.
bool is_newer(const std::string& text) {
  const size_t digit = text.find_first_of("0123456789");
  return digit != std::string::npos && std::atoi(text.c_str() + digit) >= 100;
}

class Parser {
 public:
  explicit Parser(std::vector<std::string> args) : args_(std::move(args)) { fill_tables(); }

  Result<Options> run() {
    for (at_ = 0; at_ < args_.size(); ++at_) {
      if (const auto r = one(args_[at_]); !r) return std::unexpected(r.error());
    }
    return finish();
  }

 private:
  using Take = std::function<Result<void>(const std::string& value)>;

  static Take append(std::vector<std::string>& list, const std::string& prefix) {
    return [&list, prefix](const std::string& v) -> Result<void> {
      list.push_back(prefix + v);
      return {};
    };
  }
  static Take pair(std::vector<std::string>& list, const std::string& flag) {
    return [&list, flag](const std::string& v) -> Result<void> {
      list.push_back(flag);
      list.push_back(v);
      return {};
    };
  }
  static Take ignore() {
    return [](const std::string&) -> Result<void> { return {}; };
  }
  Take commas(std::vector<std::string>& list) {
    return [&list](const std::string& v) -> Result<void> {
      for (const std::string& part : split(v, ',')) list.push_back(part);
      return {};
    };
  }
  Take yes_no(bool& flag, bool when_true) {
    return [&flag, when_true, this](const std::string& v) -> Result<void> {
      if (v == "true" || v == "1")
        flag = when_true;
      else if (v == "false" || v == "0")
        flag = !when_true;
      else
        return fail(args_[at_], fmt::format("'{}' is neither true nor false", v), "write =true or =false");
      return {};
    };
  }

  void fill_tables() {
    Options& o = options_;
    flags_ = {
        {"-c", [&] { o.stop = Stop::object; }},
        {"--compile", [&] { o.stop = Stop::object; }},
        {"-dc", [&] { o.stop = Stop::object, o.relocatable = true; }},
        {"--device-c", [&] { o.stop = Stop::object, o.relocatable = true; }},
        {"-dw", [&] { o.stop = Stop::object; }},
        {"--device-w", [&] { o.stop = Stop::object; }},
        {"-dlink", [&] { o.stop = Stop::device_link; }},
        {"--device-link", [&] { o.stop = Stop::device_link; }},
        {"-ptx", [&] { o.stop = Stop::ptx; }},
        {"--ptx", [&] { o.stop = Stop::ptx; }},
        {"-fatbin", [&] { o.stop = Stop::fatbin; }},
        {"--fatbin", [&] { o.stop = Stop::fatbin; }},
        {"-E", [&] { o.stop = Stop::preprocess; }},
        {"--preprocess", [&] { o.stop = Stop::preprocess; }},
        {"-link", [&] { o.stop = Stop::link; }},
        {"--link", [&] { o.stop = Stop::link; }},
        {"-shared", [&] { o.shared = true; }},
        {"--shared", [&] { o.shared = true; }},
        {"-G", [&] { o.debug_device = true; }},
        {"--device-debug", [&] { o.debug_device = true; }},
        {"-g", [&] { o.debug_host = true; }},
        {"--debug", [&] { o.debug_host = true; }},
        {"-lineinfo", [&] { o.line_info = true; }},
        {"--generate-line-info", [&] { o.line_info = true; }},
        {"-g0", [&] { o.line_info = false, o.debug_host = false; }},
        {"-use_fast_math", [&] { o.fast_math = true; }},
        {"--use_fast_math", [&] { o.fast_math = true; }},
        {"-v", [&] { o.verbose = true; }},
        {"--verbose", [&] { o.verbose = true; }},
        {"-dryrun", [&] { o.dry_run = true; }},
        {"--dryrun", [&] { o.dry_run = true; }},
        {"-###", [&] { o.dry_run = true; }},
        {"-h", [&] { o.help = true; }},
        {"--help", [&] { o.help = true; }},
        {"-V", [&] { o.version = true; }},
        {"--version", [&] { o.version = true; }},
    };
    for (const char* f : {"-forward-unknown-to-host-compiler",
                          "--forward-unknown-to-host-compiler",
                          "-forward-unknown-to-host-linker",
                          "--forward-unknown-to-host-linker",
                          "-forward-unknown-opts",
                          "--forward-unknown-opts",
                          "--expt-relaxed-constexpr",
                          "-expt-relaxed-constexpr",
                          "--expt-extended-lambda",
                          "-expt-extended-lambda",
                          "--extended-lambda",
                          "-extended-lambda",
                          "-keep",
                          "--keep",
                          "-clean",
                          "-res-usage",
                          "--resource-usage",
                          "-restrict",
                          "--restrict",
                          "-extra-device-vectorization",
                          "--extra-device-vectorization",
                          "-allow-unsupported-compiler",
                          "--allow-unsupported-compiler",
                          "-m64",
                          "--no-host-device-initializer-list",
                          "-noeh",
                          "--display-error-number",
                          "-Wno-deprecated-gpu-targets",
                          "--time",
                          "-Wreorder",
                          "--source-in-ptx",
                          "-src-in-ptx",
                          "-split-compile",
                          "-dlto",
                          "--dlink-time-opt"})
      flags_[f] = [] {};
    const auto add = [&](std::initializer_list<const char*> names, const Take& take) {
      for (const char* n : names) valued_[n] = take;
    };
    add({"-o", "--output-file"}, [&o](const std::string& v) -> Result<void> {
      o.output = v;
      return {};
    });
    add({"-I", "--include-path"}, append(o.compile, "-I"));
    add({"-isystem", "--system-include"}, pair(o.compile, "-isystem"));
    add({"-iquote"}, pair(o.compile, "-iquote"));
    add({"-D", "--define-macro"}, append(o.compile, "-D"));
    add({"-U", "--undefine-macro"}, append(o.compile, "-U"));
    add({"-include", "--pre-include"}, pair(o.compile, "-include"));
    add({"-L", "--library-path"}, append(o.link, "-L"));
    add({"-l", "--library"}, [this](const std::string& v) -> Result<void> {
      options_.inputs.push_back({"-l" + v, Language::linkable});
      return {};
    });
    add({"-std", "--std"}, [this, &o](const std::string& v) -> Result<void> {
      static const std::set<std::string> known = {"c++11",   "c++14",   "c++17",   "c++20",   "c++23",
                                                  "gnu++11", "gnu++14", "gnu++17", "gnu++20", "gnu++23",
                                                  "c++2a",   "c++2b",   "c++03"};
      if (!known.count(v))
        return fail(args_[at_], fmt::format("'{}' is not a language standard", v),
                    "use c++14, c++17, c++20 or c++23");
      o.compile.push_back("-std=" + (v == "c++03" ? std::string("c++11") : v));
      return {};
    });
    add({"-O", "--optimize"}, [&o](const std::string& v) -> Result<void> {
      o.optimization = "-O" + (v == "4" ? std::string("3") : v);
      return {};
    });
    add({"-arch", "--gpu-architecture"},
        [this](const std::string& v) -> Result<void> { return add_architecture(v); });
    add({"-gencode", "--generate-code"},
        [this](const std::string& v) -> Result<void> { return add_gencode(v); });
    add({"-code", "--gpu-code"}, ignore());
    add({"-rdc", "--relocatable-device-code"}, yes_no(o.relocatable, true));
    add({"-Xcompiler", "--compiler-options"}, [&o](const std::string& v) -> Result<void> {
      // The host compiler links too: what asks it for a library counts there as well.
      for (const std::string& part : split(v, ',')) {
        o.host.push_back(part);
        if (starts_with(part, "-fopenmp") || part == "-pthread") o.link.push_back(part);
      }
      return {};
    });
    add({"-Xclang-device"}, append(o.device, ""));
    add({"-Xlinker", "--linker-options"}, [&o](const std::string& v) -> Result<void> {
      for (const std::string& part : split(v, ',')) o.link.push_back("-Wl," + part);
      return {};
    });
    add({"-ccbin", "--compiler-bindir"}, [&o](const std::string& v) -> Result<void> {
      o.host_compiler = v;
      return {};
    });
    add({"-maxrregcount", "--maxrregcount"}, [this, &o](const std::string& v) -> Result<void> {
      if (v.empty() || v.find_first_not_of("0123456789") != std::string::npos)
        return fail(args_[at_], fmt::format("'{}' is not a number of registers", v),
                    "write a number, as in -maxrregcount=64");
      o.max_registers = std::atoi(v.c_str());
      return {};
    });
    add({"-ftz", "--ftz"}, yes_no(o.ftz, true));
    add({"-prec-div", "--prec-div"}, yes_no(o.approximate_division, false));
    add({"-prec-sqrt", "--prec-sqrt"}, yes_no(o.approximate_square_root, false));
    add({"-fmad", "--fmad"}, yes_no(o.no_contraction, false));
    add({"-cudart", "--cudart"}, [this, &o](const std::string& v) -> Result<void> {
      if (v != "shared" && v != "static" && v != "none")
        return fail(args_[at_], fmt::format("'{}' is not a kind of runtime library", v),
                    "use shared or none");
      o.keep_default_library = v != "none";
      return {};
    });
    add({"-x", "--x"}, [this](const std::string& v) -> Result<void> {
      if (v == "cu" || v == "cuda")
        forced_ = "cu";
      else if (v == "c++")
        forced_ = "cpp";
      else if (v == "c" || v == "none")
        forced_ = v == "c" ? "c" : "";
      else
        return fail(args_[at_], fmt::format("'{}' is not a language", v), "use cu, c++ or c");
      return {};
    });
    add({"-Xptxas",
         "--ptxas-options",
         "-Xnvlink",
         "--nvlink-options",
         "-Xfatbin",
         "--fatbin-options",
         "-diag-suppress",
         "--diag-suppress",
         "-diag-error",
         "--diag-error",
         "-diag-warn",
         "--diag-warn",
         "-t",
         "--threads",
         "--keep-dir",
         "-keep-dir",
         "-odir",
         "--output-directory",
         "-target-dir",
         "--target-directory",
         "-Xcudafe",
         "-Xarchive",
         "--archive-options",
         "-ccbin-options",
         "--default-stream-hint",
         "-idp",
         "-ldir",
         "--libdevice-directory",
         "--Ofast-compile",
         "-Ofast-compile",
         "--cuda-path",
         "-maxntid",
         "--brief-diagnostics"},
        ignore());
    add({"-default-stream", "--default-stream"}, [this, &o](const std::string& v) -> Result<void> {
      if (v == "legacy" || v == "null") return {};
      if (v != "per-thread")
        return fail(args_[at_], fmt::format("'{}' is not a default stream", v), "use legacy or per-thread");
      o.compile.push_back("-DCUDA_API_PER_THREAD_DEFAULT_STREAM=1");
      o.compile.push_back("-fgpu-default-stream=per-thread");
      return {};
    });
    add({"-Werror", "--Werror"}, [&o](const std::string&) -> Result<void> {
      o.compile.push_back("-Werror");
      return {};
    });
  }

  Result<void> add_architecture(const std::string& v) {
    for (const std::string& one : split(v, ',')) {
      if (one == "native" || one == "all" || one == "all-major") {
        options_.architectures.push_back("80");
        continue;
      }
      const auto a = architecture(one, args_[at_]);
      if (!a && !is_newer(one)) return std::unexpected(a.error());
      if (a)
        options_.architectures.push_back(*a);
      else if (!newer_)
        newer_ = a.error();
    }
    return {};
  }

  // arch=compute_80,code=[sm_80,compute_80]: each code is PTX of its own architecture here.
  Result<void> add_gencode(const std::string& v) {
    std::string arch;
    std::string text = v;
    text.erase(
        std::remove_if(text.begin(), text.end(), [](char c) { return c == '"' || c == '[' || c == ']'; }),
        text.end());
    for (const std::string& part : split(text, ',')) {
      if (starts_with(part, "arch=")) arch = part.substr(5);
    }
    if (arch.empty())
      return fail(args_[at_], fmt::format("'{}' names no arch=compute_XX", v),
                  "write -gencode arch=compute_80,code=sm_80");
    return add_architecture(arch);
  }

  Result<void> one(const std::string& a) {
    if (a.size() < 2 || a[0] != '-') {
      add_input(a);
      return {};
    }
    if (const auto f = flags_.find(a); f != flags_.end()) {
      f->second();
      return {};
    }
    if (a == "-cubin" || a == "--cubin" || a == "-lib" || a == "--lib")
      return fail(a, "Wanren makes no machine code of NVIDIA GPUs and no such archives",
                  "use -ptx or -fatbin for device code, -c and ar for libraries");
    if (a == "-Werror") {
      options_.compile.push_back(a);
      return {};
    }
    // --flag=value and -flag=value.
    if (const size_t equals = a.find('='); equals != std::string::npos) {
      const std::string name = a.substr(0, equals);
      if (const auto v = valued_.find(name); v != valued_.end() && name.size() > 2)
        return v->second(a.substr(equals + 1));
    }
    if (const auto v = valued_.find(a); v != valued_.end()) {
      if (a == "-O") return v->second("2");
      if (at_ + 1 >= args_.size())
        return fail(a, "a value is missing after it", fmt::format("write {} VALUE", a));
      return v->second(args_[++at_]);
    }
    // -Idir, -DX=1, -lm, -O3, -t4.
    if (a[1] != '-')
      if (const auto v = valued_.find(a.substr(0, 2)); v != valued_.end()) return v->second(a.substr(2));
    if (passes_to_clang(a)) return {};
    std::string near;
    const auto consider = [&](const std::string& name) {
      if (near.empty() || distance(name, a) < distance(near, a)) near = name;
    };
    for (const auto& f : flags_) consider(f.first);
    for (const auto& v : valued_) consider(v.first);
    return fail(a, "unknown option",
                fmt::format("did you mean {}? Options for clang itself go through -Xcompiler", near));
  }

  // clang's own flags that mean the same in both passes, and those of linking.
  bool passes_to_clang(const std::string& a) {
    if (starts_with(a, "-Wl,") || a == "-pthread" || starts_with(a, "-fuse-ld") || a == "-rdynamic" ||
        a == "-static-libstdc++" || a == "-static-libgcc" || starts_with(a, "-fsanitize")) {
      options_.link.push_back(a);
      if (a[1] != 'W' && !starts_with(a, "-fuse-ld") && a != "-rdynamic") options_.host.push_back(a);
      return true;
    }
    if (starts_with(a, "-W") || starts_with(a, "-f") || a == "-w" || a == "-pedantic" || a == "-MD" ||
        a == "-MMD" || a == "-MP") {
      (starts_with(a, "-M") || a == "-fPIC" || a == "-fopenmp" ? options_.host : options_.compile)
          .push_back(a);
      if (a == "-fopenmp") options_.link.push_back(a);
      return true;
    }
    if (a == "-MF" || a == "-MT" || a == "-MQ") {
      options_.host.push_back(a);
      if (at_ + 1 < args_.size()) options_.host.push_back(args_[++at_]);
      return true;
    }
    if (starts_with(a, "-m") && a != "-m32") {
      options_.host.push_back(a);
      return true;
    }
    return false;
  }

  void add_input(const std::string& path) {
    std::string ext = std::filesystem::path(path).extension().string();
    if (!ext.empty()) ext = ext.substr(1);
    if (!forced_.empty()) ext = forced_;
    Input in{path, Language::linkable};
    if (ext == "cu" || ext == "cuh")
      in.language = Language::cuda;
    else if (ext == "cpp" || ext == "cc" || ext == "cxx" || ext == "C")
      in.language = Language::cxx;
    else if (ext == "c")
      in.language = Language::c;
    options_.inputs.push_back(in);
  }

  Result<Options> finish() {
    Options& o = options_;
    if (o.help || o.version) return std::move(options_);
    std::vector<std::string> unique;
    for (const std::string& a : o.architectures)
      if (std::find(unique.begin(), unique.end(), a) == unique.end()) unique.push_back(a);
    // Beside one that runs they are left out; alone they are refused.
    if (unique.empty() && newer_) return std::unexpected(*newer_);
    o.architectures = unique.empty() ? std::vector<std::string>{"80"} : unique;
    size_t files = 0;
    for (const Input& in : o.inputs) {
      if (starts_with(in.path, "-l")) continue;
      ++files;
      if (!std::filesystem::exists(in.path)) return fail(in.path, "no such file", "check the path");
    }
    if (files == 0) return fail({}, "no input files", "name a source, as in: wanren cc saxpy.cu -o saxpy");
    const bool per_file =
        o.stop == Stop::object || o.stop == Stop::ptx || o.stop == Stop::fatbin || o.stop == Stop::preprocess;
    size_t sources = 0;
    for (const Input& in : o.inputs) sources += in.language != Language::linkable;
    if (per_file && sources == 0)
      return fail({}, "no source file among the inputs", "name a .cu, .cpp or .c file, or use -x cu");
    if (per_file && o.stop != Stop::preprocess && sources > 1 && !o.output.empty())
      return fail("-o " + o.output, fmt::format("one output cannot hold {} files", sources),
                  "leave -o out, or compile one at a time");
    if (o.stop == Stop::ptx && o.architectures.size() > 1)
      return fail("-ptx", "PTX text is for one architecture", "name one with -arch=sm_XX");
    return std::move(options_);
  }

  std::vector<std::string> args_;
  size_t at_ = 0;
  std::string forced_;
  std::optional<Error> newer_;  ///< What to say of an architecture after the last that runs.
  Options options_;
  std::map<std::string, std::function<void()>> flags_;
  std::map<std::string, Take> valued_;
};

}  // namespace

Result<Options> parse(const std::vector<std::string>& args) {
  std::vector<std::string> expanded;
  if (const auto r = expand(args, 0, expanded); !r) return std::unexpected(r.error());
  return Parser(std::move(expanded)).run();
}

}  // namespace wanren::cc
