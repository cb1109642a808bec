#include "cli/child.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/settings.h"

namespace wanren::cli {
namespace {

namespace fs = std::filesystem;

/// The program as execvp would find it, or empty.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), F_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::stringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    folder += '/';
    folder += name;
    if (access(folder.c_str(), X_OK) == 0) return folder;
  }
  return "";
}

/// What frameworks look for beside the libraries. What the user has set stays.
struct Client {
  const char* variable;
  const char* value;
  bool beside_libraries;  ///< The value is a path from the folder of libraries.
};
constexpr Client clients[] = {
    // Triton, and through it torch.compile: an assembler for PTX, and what its launchers are linked with.
    {"TRITON_PTXAS_PATH", "../bin/wanren-ptxas", true},
    {"TRITON_PTXAS_BLACKWELL_PATH", "../bin/wanren-ptxas", true},
    {"TRITON_LIBCUDA_PATH", "", true},
    // CuPy: PTX of its run-time compiler instead of machine code.
    {"CUPY_COMPILE_WITH_PTX", "1", false},
};

std::string prefixed(const char* variable, const std::string& value) {
  const char* old = std::getenv(variable);
  return old != nullptr && *old != '\0' ? value + ":" + old : value;
}

}  // namespace

std::string library_folder() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "lib").string();
}

ChildResult run_child(const ChildOptions& options) {
  ChildResult result;
  const std::string program = find_program(options.command.front());
  if (program.empty()) {
    result.problem = "there is no program '" + options.command.front() + "'; give a path, such as ./" +
                     fs::path(options.command.front()).filename().string() + ", after --";
    result.exit_code = 127;
    return result;
  }
  if (fs::is_directory(program) || access(program.c_str(), X_OK) != 0) {
    result.problem = "'" + program + "' is not an executable program";
    result.exit_code = 126;
    return result;
  }

  char report_path[] = "/tmp/wanren-report-XXXXXX";
  const int report_file = mkstemp(report_path);
  if (report_file < 0) {
    result.problem = std::string("cannot make a file in /tmp: ") + std::strerror(errno);
    result.exit_code = 1;
    return result;
  }
  close(report_file);

  const pid_t child = fork();
  if (child < 0) {
    result.problem = std::string("cannot start a process: ") + std::strerror(errno);
    result.exit_code = 1;
    unlink(report_path);
    return result;
  }
  if (child == 0) {
    for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
    setenv(info(Setting::report).variable.data(), report_path, 1);
    const std::string libraries = library_folder();
    setenv("LD_LIBRARY_PATH", prefixed("LD_LIBRARY_PATH", libraries).c_str(), 1);
    // The package `wanren`, and what makes frameworks find the libraries when they are imported.
    setenv("PYTHONPATH", prefixed("PYTHONPATH", libraries + "/wanren/python").c_str(), 1);
    for (const Client& client : clients) {
      const std::string value = client.beside_libraries
                                    ? (fs::path(libraries) / client.value).lexically_normal().string()
                                    : client.value;
      setenv(client.variable, value.c_str(), 0);
    }
    if (options.model_host_clock)
      setenv("LD_PRELOAD", prefixed("LD_PRELOAD", libraries + "/libwanren_hostclock.so").c_str(), 1);
    if (options.quiet) {
      const int nowhere = open("/dev/null", O_WRONLY);
      dup2(nowhere, STDOUT_FILENO);
    }
    std::vector<char*> arguments;
    arguments.reserve(options.command.size() + 1);
    for (const std::string& argument : options.command)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(program.c_str(), arguments.data());
    _exit(errno == ENOEXEC ? 126 : 127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (WIFSIGNALED(status))
    result.problem = "'" + options.command.front() + "' was ended by signal " +
                     std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";

  std::ifstream file(report_path);
  std::stringstream text;
  text << file.rdbuf();
  unlink(report_path);
  result.report_text = text.str();
  if (!result.report_text.empty())
    if (Result<report::Run> run = report::from_json(result.report_text, "report"); run)
      result.run = std::move(*run);
  return result;
}

}  // namespace wanren::cli
