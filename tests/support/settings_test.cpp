// The table of settings: what the environment may say, and how a wrong word is refused.

#include "support/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace wanren {
namespace {

/// A variable for the length of a test.
class Scoped {
 public:
  Scoped(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    setenv(name, value, 1);
  }
  ~Scoped() {
    if (had_)
      setenv(name_, old_.c_str(), 1);
    else
      unsetenv(name_);
  }

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

TEST(Settings, EveryVariableIsInTheTableOnce) {
  std::set<std::string_view> seen;
  for (const SettingInfo& setting : setting_table()) {
    EXPECT_TRUE(seen.insert(setting.variable).second) << setting.variable;
    EXPECT_FALSE(setting.doc.empty()) << setting.variable;
    EXPECT_TRUE(setting.option.empty() || setting.option.starts_with("--")) << setting.variable;
  }
}

TEST(Settings, AWordThatIsNotAllowedIsRefusedWithThoseThatAre) {
  const Scoped timing("WANREN_TIMING", "slow");
  const Result<Settings> settings = settings_from_environment();
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().message(),
            "WANREN_TIMING: 'slow' is not one of its values; use one of off|fast|full|predict");
}

TEST(Settings, ANumberThatIsNoneIsRefused) {
  const Scoped threads("WANREN_THREADS", "many");
  const Result<Settings> settings = settings_from_environment();
  ASSERT_FALSE(settings.has_value());
  EXPECT_EQ(settings.error().place, "WANREN_THREADS");
}

TEST(Settings, AnEmptyNumberIsTheDefaultAndAnEmptyTextIsItself) {
  const Scoped threads("WANREN_THREADS", ""), devices("CUDA_VISIBLE_DEVICES", "");
  const Result<Settings> settings = settings_from_environment();
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->threads, 0);
  EXPECT_EQ(settings->visible_devices, "");
  EXPECT_EQ(text_of(Setting::engine), "jit");
}

TEST(Settings, ABrokenPromiseEndsTheProgramAndNamesStageAndPlace) {
  verified("stage", "place", "");
  EXPECT_DEATH(verified("lower", "saxpy for a100", "slot 3 not consumed"),
               "internal error: lower: saxpy for a100: slot 3 not consumed");
}

}  // namespace
}  // namespace wanren
