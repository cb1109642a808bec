// libcudart's symbols of one version: each jumps through the table that libcuda exports.

#include "cuda/trampolines.inc"

.macro WR_JUMP
  movq wanren_runtime@GOTPCREL(%rip), %r11
  jmp *8*row(%r11)
.endm

.macro versioned name first last
  .if \first <= WR_MAJOR && \last >= WR_MAJOR
  trampoline \name
  .endif
  next_row
.endm

#define WR_HAVE(symbol, first, last, function) versioned symbol, first, last
#define WR_PER_THREAD(symbol, first, last, function) versioned symbol, first, last
#define WR_LACK(symbol, first, last) versioned symbol, first, last
#include "cuda/runtime.def"
