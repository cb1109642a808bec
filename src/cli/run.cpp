#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/sensitivity.h"
#include "fmt/format.h"
#include "report/text.h"

namespace wanren::cli {

void add_run(CLI::App& app, Action& action) {
  struct State {
    RunOptions options;
    std::string chip = text_of(Setting::chip), report = text_of(Setting::report),
                trace = text_of(Setting::trace), profile = text_of(Setting::profile);
    bool quiet = false;
  };
  auto state = std::make_shared<State>();
  CLI::App* run = app.add_subcommand("run", "Run a CUDA program on a virtual chip");
  add_setting(*run, Setting::chip, state->chip);
  add_setting(*run, Setting::report, state->report);
  add_setting(*run, Setting::trace, state->trace);
  add_setting(*run, Setting::profile, state->profile);
  run->add_flag("--quiet", state->quiet, "No table at the end");
  add_run_options(*run, state->options);
  run->callback([state, &action] {
    action = [state] {
      if (const std::string problem = check_chip(state->chip, state->options); !problem.empty())
        return complain(problem, bad_usage);
      if (!state->profile.empty() && state->options.timing == "off")
        return complain("--profile counts what timing simulates, and --timing is off; use fast or full",
                        bad_usage);
      ChildOptions child = child_options(state->options, state->chip);
      if (!state->quiet) child.environment[std::string(info(Setting::summary).variable)] = "1";
      if (!state->trace.empty()) child.environment[std::string(info(Setting::trace).variable)] = state->trace;
      if (!state->profile.empty())
        child.environment[std::string(info(Setting::profile).variable)] = state->profile;
      const ChildResult result = run_child(child);
      if (!result.problem.empty()) return complain(result.problem, result.exit_code);
      if (!result.run) {
        complain(
            "'" + state->options.command.front() +
                "' made no CUDA call, so there is nothing to time; is it a CUDA program linked with a shared "
                "libcudart (wanren cc, or nvcc -cudart shared)?",
            0);
        return result.exit_code;
      }
      if (!state->report.empty()) {
        std::ofstream file(state->report, std::ios::binary);
        file << result.report_text;
        file.close();
        if (!file) return complain("cannot write the report to '" + state->report + "'", failed);
      }
      if (state->options.sensitivity_pct > 0 && state->options.timing != "off") {
        const Range range = sensitivity(state->options, state->chip, result.run->busy_us);
        if (range.known)
          std::fprintf(
              stderr, "%s",
              fmt::format(
                  "wanren: kernels {} (between {} and {} if every assumed figure is {:.0f} % off and the "
                  "assumed policies are others)\n",
                  report::time_text(result.run->busy_us), report::time_text(range.low_us),
                  report::time_text(range.high_us), state->options.sensitivity_pct)
                  .c_str());
        if (const std::string most = matters_text(range, result.run->busy_us, state->options.sensitivity_pct);
            !most.empty())
          std::fprintf(stderr, "wanren: what matters most: %s\n", most.c_str());
      }
      return result.exit_code;
    };
  });
}

}  // namespace wanren::cli
