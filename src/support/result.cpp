#include "support/result.h"

#include <cstdio>
#include <cstdlib>

namespace wanren {

std::string Error::message() const {
  std::string text;
  if (!place.empty()) text += place + ": ";
  text += cause;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

void check_failed(const char* file, int line, const char* invariant) {
  std::fprintf(stderr, "wanren: internal error: %s:%d: invariant does not hold: %s\n", file, line, invariant);
  std::abort();
}

}  // namespace wanren
