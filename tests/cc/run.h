#pragma once

#include <string>
#include <vector>

namespace wanren::cc::testing {

struct Outcome {
  int code = 0;
  std::string out, err;
};

// Runs cc::main with stdout and stderr caught.
Outcome compile(const std::vector<std::string>& args);

// A directory of its own for each test.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const;  // its path
  static std::string read(const std::string& path);

 private:
  std::string path_;
};

// Runs a shell command; its exit code and output.
Outcome shell(const std::string& command);

// PTX of `source`, which must compile.
std::string ptx(const std::string& source, std::vector<std::string> flags = {});

}  // namespace wanren::cc::testing
