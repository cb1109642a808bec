#pragma once
// One function per subcommand; each adds its options to `app` and sets `run` as what to do.

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace wanren::cli {

/// Exit codes of wanren itself; `run` passes the program's own on.
inline constexpr int bad_usage = 2;
inline constexpr int failed = 1;

using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_chips(CLI::App& app, Action& action);
void add_lower(CLI::App& app, Action& action);

/// An assembler's command line; returns its exit code.
int ptxas(const std::vector<std::string>& arguments);

/// "wanren: text" on standard error; returns `code`.
int complain(const std::string& text, int code);

}  // namespace wanren::cli
