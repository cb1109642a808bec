// Traces of compiled code say what the interpreter's say.

#include <gtest/gtest.h>

#include "harness.h"
#include "interp/interp.h"

namespace wanren::jit::test {
namespace {

class Trace : public testing::TestWithParam<semantics::Case> {};

TEST_P(Trace, CompiledCodeLeavesTheInterpretersTrace) {
  const semantics::Case& c = GetParam();
  auto kernel = semantics::build_kernel(c.text, c.name);
  ASSERT_TRUE(kernel) << kernel.error().message();
  const auto code = compile(*kernel, {static_cast<std::uint32_t>(c.lanes), 1, 1}, engine::Flavour::traced);
  ASSERT_TRUE(code);
  std::string text[2];
  std::vector<std::uint8_t> memory[2];
  semantics::SingleWarp warp(*kernel, c.lanes);
  constexpr std::size_t stride = 256;
  std::uint8_t* in = warp.allocate(stride * (c.in.size() + 1));
  const std::size_t out_bytes = stride * (c.out.size() + 1) + 4096;
  std::uint8_t* out = warp.allocate(out_bytes);
  for (int run = 0; run < 2; ++run) {
    std::memset(out, 0, out_bytes);
    for (std::size_t k = 0; k < c.in.size(); ++k)
      for (std::size_t l = 0; l < static_cast<std::size_t>(c.lanes); ++l) {
        const std::uint64_t v = c.in[k].bits(l);
        std::memcpy(in + k * stride + l * c.in[k].bytes(), &v, c.in[k].bytes());
      }
    warp.parameter(0, reinterpret_cast<std::uint64_t>(in));
    warp.parameter(1, reinterpret_cast<std::uint64_t>(out));
    std::vector<std::uint64_t> words(1 << 16);
    warp.trace_into(words, 4096);
    fiber_entry = code->entry();
    ASSERT_EQ(warp.run(run == 0 ? interp::run_warp : run_as_fiber), simt::Fault::none);
    const std::size_t n = static_cast<std::size_t>(warp.context().trace_cursor - words.data());
    text[run] = expand({words.data(), n}, *kernel, run == 0 ? interp::patterns() : code->patterns());
    memory[run].assign(out, out + out_bytes);
  }
  EXPECT_EQ(text[0], text[1]);
  EXPECT_TRUE(memory[0] == memory[1]);
}

std::vector<semantics::Case> traced_cases() {
  std::vector<semantics::Case> all;
  for (semantics::Case& c : semantics::read_cases(WANREN_SOURCE_DIR "/tests/semantics"))
    for (const char* family :
         {"ld", "st_", "atom", "red_", "cp_", "cvta", "wmma", "shfl_guarded", "special", "cvt_s32"})
      if (c.name.starts_with(family)) {
        all.push_back(std::move(c));
        break;
      }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Cases, Trace, testing::ValuesIn(traced_cases()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& ch : name)
    if (!std::isalnum(static_cast<unsigned char>(ch))) ch = '_';
  return name;
});

}  // namespace
}  // namespace wanren::jit::test
