#include "cli/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "chip/sensitivity.h"
#include "fmt/format.h"

namespace wanren::cli {
namespace {

constexpr std::size_t most_named = 3;
constexpr double negligible = 0.002;  // of the nominal time

class Search {
 public:
  Search(const RunOptions& options, const std::string& name, double nominal_us, chip::Spec chip)
      : options_(options),
        name_(name),
        nominal_us_(nominal_us),
        chip_(std::move(chip)),
        share_(options.sensitivity_pct / 100),
        figures_(chip::assumed_figures(chip_)) {}

  Range run() {
    range_.low_us = range_.high_us = nominal_us_;
    std::vector<chip::Change> slow, fast;
    policies(slow, fast);
    const auto with = [](std::vector<chip::Change> settings, const std::vector<chip::Change>& more) {
      settings.insert(settings.end(), more.begin(), more.end());
      return settings;
    };
    const std::optional<double> worst = time(with(moved(figures_, -share_), slow));
    const std::optional<double> best = time(with(moved(figures_, share_), fast));
    if (!worst || !best) return {};
    widen(*worst);
    widen(*best);
    range_.known = true;
    if (options_.sensitivity_runs > 0) figures(slow.empty() ? worst : time(moved(figures_, -share_)));
    rank();
    return std::move(range_);
  }

 private:
  struct Group {
    std::vector<std::string> keys;
    double us = 0;
    double change = 0;
  };

  std::vector<chip::Change> moved(const std::vector<std::string>& keys, double share) const {
    return chip::shifted(chip_, keys, share);
  }

  std::optional<double> time(const std::vector<chip::Change>& settings) {
    ChildOptions child = child_options(options_, name_, settings);
    child.quiet = true;
    ++range_.runs;
    const ChildResult result = run_child(child);
    if (!result.run || result.exit_code != 0) return std::nullopt;
    return result.run->busy_us;
  }

  void widen(double us) {
    range_.low_us = std::min(range_.low_us, us);
    range_.high_us = std::max(range_.high_us, us);
  }

  // Each other word on its own; a word with which the program does not run says nothing about its time.
  void policies(std::vector<chip::Change>& slow, std::vector<chip::Change>& fast) {
    for (const std::vector<chip::Change>& others : chip::assumed_choices(chip_)) {
      double low = nominal_us_, high = nominal_us_;
      const chip::Change *slowest = nullptr, *fastest = nullptr;
      for (const chip::Change& other : others) {
        const std::optional<double> us = time({other});
        if (!us) continue;
        widen(*us);
        range_.matters.push_back({other, true, *us});
        if (*us > high) high = *us, slowest = &other;
        if (*us < low) low = *us, fastest = &other;
      }
      if (slowest != nullptr) slow.push_back(*slowest);
      if (fastest != nullptr) fast.push_back(*fastest);
    }
  }

  // A group of figures that are all worse costs at least what its costliest member does, so halving the
  // costliest group first finds the figures in order of what they cost.
  void figures(std::optional<double> all_us) {
    if (!all_us) return;
    std::vector<Group> groups = {group(figures_, *all_us)};
    int runs = 0;
    for (std::size_t found = 0; found < most_named && !groups.empty();) {
      const auto costliest = std::max_element(
          groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.change < b.change; });
      const Group top = std::move(*costliest);
      groups.erase(costliest);
      if (top.change < negligible) return;
      if (top.keys.size() == 1) {
        const std::vector<chip::Change> settings = moved(top.keys, -share_);
        if (!settings.empty()) range_.matters.push_back({settings[0], false, top.us}), ++found;
        continue;
      }
      if (runs + 2 > options_.sensitivity_runs) {
        range_.complete = false;
        return;
      }
      const auto middle = top.keys.begin() + static_cast<std::ptrdiff_t>(top.keys.size() / 2);
      for (std::vector<std::string> half :
           {std::vector(top.keys.begin(), middle), std::vector(middle, top.keys.end())}) {
        ++runs;
        if (const std::optional<double> us = time(moved(half, -share_)))
          groups.push_back(group(std::move(half), *us));
      }
    }
  }

  Group group(std::vector<std::string> keys, double us) const {
    return {std::move(keys), us, std::abs(us / nominal_us_ - 1)};
  }

  void rank() {
    const auto change = [&](const Move& m) { return std::abs(std::log(m.us / nominal_us_)); };
    std::erase_if(range_.matters, [&](const Move& m) { return m.us <= 0 || change(m) < negligible; });
    std::stable_sort(range_.matters.begin(), range_.matters.end(),
                     [&](const Move& a, const Move& b) { return change(a) > change(b); });
    if (range_.matters.size() > most_named) range_.matters.resize(most_named);
  }

  const RunOptions& options_;
  const std::string& name_;
  double nominal_us_;
  chip::Spec chip_;
  double share_;
  std::vector<std::string> figures_;
  Range range_;
};

}  // namespace

Range sensitivity(const RunOptions& options, const std::string& chip, double nominal_us) {
  Result<chip::Spec> spec = load_chip(chip, options);
  if (!spec || nominal_us <= 0) return {};
  return Search(options, chip, nominal_us, std::move(*spec)).run();
}

std::string matters_text(const Range& range, double nominal_us, double share_pct) {
  std::string text;
  for (const Move& m : range.matters) {
    if (!text.empty()) text += ", ";
    text += m.policy ? fmt::format("{} = {}", m.setting.key, m.setting.value)
                     : fmt::format("{} {:.0f} % worse", m.setting.key, share_pct);
    text += fmt::format(" {:+.1f} %", 100 * (m.us / nominal_us - 1));
  }
  return text;
}

}  // namespace wanren::cli
