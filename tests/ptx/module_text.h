#pragma once
// A module around a few lines, and modules compared member by member.

#include <string>

#include "ptx/module.h"

namespace wanren::ptx {

/// `body` in a kernel with registers %p0-9 (pred), %h (b16), %r (b32), %f (f32), %rd (b64), %fd (f64),
/// %q (b128); the body's first line is line 10.
inline std::string kernel_text(const std::string& body) {
  return ".version 8.4\n.target sm_90a\n.address_size 64\n"
         ".global .b32 g[4];\n.func (.param .b32 o) f(.param .b32 i);\n"
         ".visible .entry k(.param .u64 a)\n{ .reg .pred %p<10>; .reg .b16 %h<10>; .reg .b32 %r<40>;\n"
         ".reg .f32 %f<40>; .reg .b64 %rd<10>; .reg .f64 %fd<40>; .reg .b128 %q<4>;\n"
         ".param .b32 x; .param .b32 y;\n" +
         body + "\n}\n";
}

/// Empty if the two are equal but for lines of PTX text; else what differs.
std::string difference(const Module& a, const Module& b);

}  // namespace wanren::ptx
