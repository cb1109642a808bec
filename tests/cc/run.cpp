#include "run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cc/cc.h"

namespace wanren::cc::testing {

Outcome compile(const std::vector<std::string>& args) {
  const auto catch_into = [](int fd, FILE* file) {
    const int saved = dup(fd);
    dup2(fileno(file), fd);
    return saved;
  };
  const auto text = [](FILE* file) {
    std::string all;
    std::rewind(file);
    for (int c; (c = std::fgetc(file)) != EOF;) all += static_cast<char>(c);
    std::fclose(file);
    return all;
  };
  FILE *out = std::tmpfile(), *err = std::tmpfile();
  std::fflush(nullptr);
  const int saved_out = catch_into(1, out), saved_err = catch_into(2, err);
  Outcome o;
  o.code = cc::main(args);
  std::fflush(nullptr);
  dup2(saved_out, 1), dup2(saved_err, 2);
  close(saved_out), close(saved_err);
  o.out = text(out), o.err = text(err);
  return o;
}

Folder::Folder() {
  char name[] = "/tmp/wanren-test-cc-XXXXXX";
  EXPECT_NE(mkdtemp(name), nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::filesystem::remove_all(path_);
}

std::string Folder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

std::string Folder::read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Outcome shell(const std::string& command) {
  Outcome o;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  for (int c; (c = std::fgetc(pipe)) != EOF;) o.out += static_cast<char>(c);
  const int status = pclose(pipe);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return o;
}

std::string ptx(const std::string& source, std::vector<std::string> flags) {
  const Folder folder;
  std::vector<std::string> args = {"-ptx", "-g0", folder.write("a.cu", source), "-o", folder.path("a.ptx")};
  args.insert(args.end(), flags.begin(), flags.end());
  const Outcome o = compile(args);
  EXPECT_EQ(o.code, 0) << o.err;
  return Folder::read(folder.path("a.ptx"));
}

}  // namespace wanren::cc::testing
