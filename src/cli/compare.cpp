#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/sensitivity.h"
#include "fmt/format.h"
#include "report/text.h"

namespace wanren::cli {
namespace {

struct Row {
  std::string chip, failure;
  ChildResult result;
  Range range;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

void progress(const std::string& text) {
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r\033[K%s", text.c_str());
}

/// The kernel that took most of the time speaks for the run.
const report::KernelRecord* longest(const report::Run& run) {
  auto it = std::max_element(run.kernels.begin(), run.kernels.end(),
                             [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
  return it == run.kernels.end() ? nullptr : &*it;
}

void print_what_matters(const std::vector<Row>& rows, const RunOptions& options) {
  for (const Row& row : rows) {
    if (!row.range.known) continue;
    const std::string most = matters_text(row.range, row.result.run->busy_us, options.sensitivity_pct);
    fmt::print("{} {}{}\n", row.chip,
               most.empty() ? "depends on no assumption alone by more than 0.2 %" : "owes most to " + most,
               row.range.complete ? "" : fmt::format(" (as far as {} runs tell)", row.range.runs));
  }
}

void print_table(const std::vector<Row>& rows, const RunOptions& options) {
  const Row* base = nullptr;
  for (const Row& row : rows)
    if (row.result.run && row.failure.empty() && row.result.run->busy_us > 0) {
      base = &row;
      break;
    }
  fmt::print("{:<16} {:>11} {:>8} {:>8} {:>9}  {:<26} {}\n", "chip", "kernels", base ? "× " + base->chip : "",
             "power", "energy", "longest kernel bound by", options.sensitivity_pct > 0 ? "range" : "");
  for (const Row& row : rows) {
    if (!row.failure.empty() || !row.result.run) {
      fmt::print("{:<16} does not run: {}\n", row.chip, row.failure);
      continue;
    }
    const report::Run& run = *row.result.run;
    const report::KernelRecord* top = longest(run);
    const std::string range =
        row.range.known ? report::time_text(row.range.low_us) + " – " + report::time_text(row.range.high_us)
                        : "";
    fmt::print(
        "{:<16} {:>11} {:>7.2f}x {:>6.0f} W {:>9}  {:<26} {}\n", row.chip, report::time_text(run.busy_us),
        base != nullptr && run.busy_us > 0 ? base->result.run->busy_us / run.busy_us : 0, run.average_power_w,
        report::energy_text(run.energy_j), top != nullptr ? top->bound_by : "", range);
  }
  // A verdict only where it holds over the whole range.
  std::vector<const Row*> good;
  for (const Row& row : rows)
    if (row.failure.empty() && row.result.run && row.result.run->busy_us > 0) good.push_back(&row);
  if (good.size() < 2) return;
  std::sort(good.begin(), good.end(),
            [](const Row* a, const Row* b) { return a->result.run->busy_us < b->result.run->busy_us; });
  const Row &first = *good[0], &second = *good[1];
  auto low = [](const Row& r) { return r.range.known ? r.range.low_us : r.result.run->busy_us; };
  auto high = [](const Row& r) { return r.range.known ? r.range.high_us : r.result.run->busy_us; };
  if (high(first) < low(second))
    fmt::print(
        "{} is fastest, {:.2f}x {}{}\n", first.chip, second.result.run->busy_us / first.result.run->busy_us,
        second.chip,
        first.range.known
            ? fmt::format(", also if every assumed figure is {:.0f} % off and assumed policies are others",
                          options.sensitivity_pct)
            : "");
  else
    fmt::print("{} and {} cannot be told apart: {} – {} against {} – {}\n", first.chip, second.chip,
               report::time_text(low(first)), report::time_text(high(first)), report::time_text(low(second)),
               report::time_text(high(second)));
}

nlohmann::ordered_json to_json(const std::vector<Row>& rows) {
  nlohmann::ordered_json chips = nlohmann::ordered_json::array(), ratios = nlohmann::ordered_json::object();
  double base_us = 0;
  for (const Row& row : rows) {
    if (!row.failure.empty() || !row.result.run) {
      nlohmann::ordered_json entry;
      entry["chip"]["name"] = row.chip;
      entry["failure"] = row.failure;
      chips.push_back(std::move(entry));
      continue;
    }
    auto entry = nlohmann::ordered_json::parse(row.result.report_text);
    if (row.range.known) {
      nlohmann::ordered_json most = nlohmann::ordered_json::array();
      for (const Move& m : row.range.matters)
        most.push_back({{"key", m.setting.key},
                        {"value", m.setting.value},
                        {"policy", m.policy},
                        {"busy_us", m.us},
                        {"change_pct", 100 * (m.us / row.result.run->busy_us - 1)}});
      entry["range"] = {{"busy_low_us", row.range.low_us},
                        {"busy_high_us", row.range.high_us},
                        {"runs", row.range.runs},
                        {"complete", row.range.complete},
                        {"matters_most", std::move(most)}};
    }
    chips.push_back(std::move(entry));
    const double us = row.result.run->busy_us;
    if (base_us == 0) base_us = us;
    ratios[row.chip] = us > 0 ? base_us / us : 0;
  }
  nlohmann::ordered_json json;
  json["chips"] = std::move(chips);
  json["ratios"] = std::move(ratios);
  return json;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  struct State {
    RunOptions options;
    std::string chips = "br104,br100,a100,h100", json;
  };
  auto state = std::make_shared<State>();
  CLI::App* compare =
      app.add_subcommand("compare", "Run a program on several chips and set the results side by side");
  compare->add_option("--chips", state->chips, "Chips, separated by commas")->capture_default_str();
  compare->add_option("--json", state->json, "Write all reports and the ratios here");
  add_run_options(*compare, state->options);
  compare->callback([state, &action] {
    action = [state] {
      const std::vector<std::string> names = split(state->chips);
      if (names.empty()) return complain("--chips names no chip", bad_usage);
      for (const std::string& name : names)
        if (const std::string problem = check_chip(name, RunOptions{}); !problem.empty())
          return complain(problem, bad_usage);
      std::vector<Row> rows;
      for (std::size_t i = 0; i < names.size(); ++i) {
        progress(fmt::format("wanren: {} ({} of {}) …", names[i], i + 1, names.size()));
        Row row;
        row.chip = names[i];
        ChildOptions child = child_options(state->options, names[i]);
        child.quiet = true;
        row.failure = check_chip(names[i], state->options);
        if (row.failure.empty()) row.result = run_child(child);
        if (!row.result.problem.empty())
          row.failure = row.result.problem;
        else if (row.failure.empty() && !row.result.run)
          row.failure = "it made no CUDA call";
        else if (row.result.run && !row.result.run->failure.empty())
          row.failure = row.result.run->failure;
        else if (row.result.exit_code != 0)
          row.failure = "it ended with exit code " + std::to_string(row.result.exit_code);
        else if (row.failure.empty() && state->options.sensitivity_pct > 0 && state->options.timing != "off")
          row.range = sensitivity(state->options, names[i], row.result.run->busy_us);
        rows.push_back(std::move(row));
      }
      progress("");
      print_table(rows, state->options);
      if (state->options.sensitivity_runs > 0) print_what_matters(rows, state->options);
      if (!state->json.empty()) {
        std::ofstream file(state->json, std::ios::binary);
        file << to_json(rows).dump(1);
        file.close();
        if (!file) return complain("cannot write '" + state->json + "'", failed);
      }
      const bool any =
          std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.failure.empty(); });
      return any ? 0 : failed;
    };
  });
}

}  // namespace wanren::cli
