#pragma once

#include <string>

#include "cc/options.h"
#include "cc/process.h"
#include "cc/toolchain.h"

namespace wanren::cc {

// One build: compiles the inputs as far as the options say. Diagnostics of clang go to stderr as they are.
class Build {
 public:
  Build(const Options& options, const Toolchain& toolchain, const TemporaryDirectory& directory)
      : options_(options), toolchain_(toolchain), directory_(directory) {}

  // The exit code; an Error only for what clang did not already say.
  Result<int> run();

 private:
  Result<int> compile_cuda(const std::string& source, const std::string& object);
  Result<int> compile_host(const Input& input, const std::string& object);
  // The finished PTX of `source` in `text`, which a dry run leaves alone.
  Result<int> device_text(const std::string& source, const std::string& architecture, std::string& text);
  Result<int> device_to_ptx(const std::string& source, const std::string& output);
  Result<int> device_to_fatbin(const std::string& source, const std::string& output);
  Result<int> preprocess(const Input& input);
  Result<int> link(const std::vector<std::string>& objects);
  Result<int> run_one(const std::vector<std::string>& command);

  std::vector<std::string> common() const;
  std::vector<std::string> device_command(const std::string& source, const std::string& architecture,
                                          const std::string& output) const;
  std::string finished_ptx(std::string ptx) const;
  // The PTX at `path` that compiling `source` has made, finished.
  Result<std::string> taken_ptx(const std::string& source, const std::string& architecture,
                                const std::string& path, const std::vector<std::string>& more);
  // `messages` ask for another pass, which begins now.
  bool wants_second_pass(const std::string& messages);
  bool announce(const std::vector<std::string>& command) const;  // false: dry run, do nothing

  const Options& options_;
  const Toolchain& toolchain_;
  const TemporaryDirectory& directory_;
  int next_file_ = 0;
  bool clusters_ = false;      // The file at hand has __cluster_dims__: its second pass.
  bool late_alignas_ = false;  // It has alignas where only attributes of the GNU form may stand: the same.
};

}  // namespace wanren::cc
