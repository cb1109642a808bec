#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "support/result.h"

namespace wanren::cc {

// A child process whose stderr goes to a file.
class Process {
 public:
  static Result<Process> start(const std::vector<std::string>& command, const std::string& stderr_path);
  Process(Process&& other) noexcept
      : pid_(other.pid_), code_(other.code_), stderr_path_(std::move(other.stderr_path_)) {
    other.pid_ = -1;
  }
  Process& operator=(Process&&) = delete;
  ~Process();

  bool running();
  int wait();  // the exit code; 128 + signal after a signal
  void stop();
  std::string messages() const;  // what it wrote to stderr

 private:
  Process(pid_t pid, std::string stderr_path) : pid_(pid), stderr_path_(std::move(stderr_path)) {}
  pid_t pid_;
  int code_ = -1;
  std::string stderr_path_;
};

// A directory that is removed with all it holds.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<std::string> read_file(const std::string& path);
Result<void> write_file(const std::string& path, const std::string& bytes);
std::string quoted(const std::vector<std::string>& command);  // for a shell

}  // namespace wanren::cc
