// libcuda's entry points for callers with a stream per thread; entry_points.cpp fills the table.

#include "cuda/trampolines.inc"

.macro WR_JUMP
  jmp *wanren_per_thread+8*row(%rip)
.endm

.macro per_thread name
  trampoline \name
  next_row
.endm

#define WR_HAVE(symbol, name, since)
#define WR_LACK(symbol, name, since)
#define WR_PER_THREAD(symbol, name, since, function) per_thread symbol
#define WR_LACK_PER_THREAD(symbol, name, since)
#include "cuda/driver.def"
