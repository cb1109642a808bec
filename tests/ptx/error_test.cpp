// What a mistake in PTX text is told: place, cause, nearest spelling.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "module_text.h"

namespace wanren::ptx {
namespace {

struct Case {
  const char* body;
  const char* place;
  const char* cause;   ///< a part of it
  const char* remedy;  ///< a part of it
};

const Case cases[] = {
    {"ad.s32 %r1, %r2, %r3;", "k.ptx:10:1", "unknown instruction 'ad'", "did you mean 'add'?"},
    {"  mull.lo.s32 %r1, %r2, %r3;", "k.ptx:10:3", "unknown instruction 'mull'", "did you mean 'mul'?"},
    {"add.s33 %r1, %r2, %r3;", "k.ptx:10:4", "'add' has no modifier '.s33'", "did you mean '.s3"},
    {"ld.glbal.u32 %r1, [%rd1];", "k.ptx:10:3", "'ld' has no modifier '.glbal'", "did you mean '.global'?"},
    {"add.row.f32 %f1, %f2, %f3;", "k.ptx:10:4", "'add' has no modifier '.row'", ""},
    {"add.rn.rz.f32 %f1, %f2, %f3;", "k.ptx:10:7", "'.rz' contradicts", ""},
    {"\nmov.u32 %r1, %tdi.x;", "k.ptx:11:14", "unknown register '%tdi.x'", "did you mean '%tid.x'?"},
    {"mov.u32 %r1, %r40;", "k.ptx:10:14", "unknown register '%r40'", "%r<40> declares 40 registers"},
    {"bra nowhere;", "k.ptx:10:5", "nothing is named 'nowhere'", ""},
    {"mov.u32 %r1, %r2", "k.ptx:11:1", "expected ';', found '}'", ""},
    {"mov.u32 %r1, #;", "k.ptx:10:14", "unexpected character '#'", ""},
    {"@%r1 ret;", "k.ptx:10:2", "'%r1' guards an instruction but is not a predicate", ""},
    {"mov.u32 %r1, 1 / 0;", "k.ptx:10:16", "division by zero", ""},
    {"mov.f32 %f1, 0f3F8;", "k.ptx:10:14", "malformed number '0f3F8'", "0f takes 8 hexadecimal digits"},
    {"ld.u32 %r1, [%rd1+%r2];", "k.ptx:10:19", "only a constant may be added", ""},
    {"cp.async.ca.shared.global [%r1], [%rd1], 5;", "k.ptx:10:43", "copies 4, 8 or 16 bytes", ""},
    {"bar.red.u32 %r1, 0, %p1;", "k.ptx:10:1", "'bar' needs .sync", ""},
    {".reg .u33 a;", "k.ptx:10:6", "unknown word '.u33'", "did you mean '.u3"},
    {".sharde .b32 a;", "k.ptx:10:1", "unknown directive '.sharde'", "did you mean '.shared'?"},
    {"L: L: ret;", "k.ptx:10:4", "'L' is declared twice", ""},
    {".reg .b32 a; .reg .b32 a;", "k.ptx:10:24", "'a' is declared twice", ""},
    {"{ ret;", "k.ptx:7:1", "'{' is never closed", ""},
    {"/* ret;", "k.ptx:10:1", "comment without end", ""},
};

TEST(Error, NamesPlaceTokenAndNearestSpelling) {
  for (const Case& c : cases) {
    auto module = parse(kernel_text(c.body), "k.ptx");
    ASSERT_FALSE(module) << c.body;
    EXPECT_EQ(module.error().place, c.place) << c.body << ": " << module.error().message();
    EXPECT_THAT(module.error().cause, testing::HasSubstr(c.cause)) << c.body;
    EXPECT_THAT(module.error().remedy, testing::HasSubstr(c.remedy)) << c.body;
  }
}

TEST(Error, DeepNestingIsRefusedNotOverflowed) {
  const std::string deep(100000, '(');
  EXPECT_FALSE(parse(kernel_text("mov.u32 %r1, " + deep + ";"), "t"));
  EXPECT_FALSE(parse(kernel_text(std::string(100000, '{')), "t"));
  EXPECT_FALSE(parse(kernel_text("mov.u32 %r1, " + std::string(100000, '-') + "1;"), "t"));
  EXPECT_FALSE(parse(kernel_text("mov.b64 " + std::string(100000, '{') + ";"), "t"));
}

TEST(Error, HugeDeclarationsCostNoMemory) {
  EXPECT_TRUE(parse(".version 8.0 .target sm_80 .global .b32 a[1000000000];", "t"));
  auto module = parse(".version 8.0 .target sm_80 .global .b32 a[10000000000][10000000000];", "t");
  ASSERT_FALSE(module);
  EXPECT_THAT(module.error().cause, testing::HasSubstr("2^40"));
}

TEST(Error, EveryPrefixOfAModuleEndsInAnErrorOrAModule) {
  const std::string text = kernel_text(
      "{ .reg .b32 t; mov.u32 t, (1+2); @%p1 bra L; call (x), f, (y); ld.global.v2.u32 {%r1, %r2}, [%rd1+4]; "
      "L: }");
  for (std::size_t size = 0; size < text.size(); ++size) {
    auto module = parse(std::string_view(text).substr(0, size), "t");
    EXPECT_TRUE(module || !module.error().place.empty()) << size;
  }
}

}  // namespace
}  // namespace wanren::ptx
