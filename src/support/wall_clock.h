#pragma once
// Real host time, unaffected by a modelled host clock that `wanren run` may have put under the program.

namespace wanren {

/// Seconds since an arbitrary fixed moment.
double wall_seconds();

}  // namespace wanren
