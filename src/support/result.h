#pragma once
// What a user can cause is an Error in a Result; what only we can cause is a WR_CHECK.

#include <expected>
#include <string>
#include <utility>

namespace wanren {

/// A mistake in something a user gave us. `place` is file:line:column or the like (may be empty),
/// `cause` says what is wrong, `remedy` what to do about it (may be empty).
struct Error {
  std::string place;
  std::string cause;
  std::string remedy;

  /// "place: cause; remedy" on one line.
  std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string place, std::string cause, std::string remedy = {}) {
  return std::unexpected<Error>(Error{std::move(place), std::move(cause), std::move(remedy)});
}

[[noreturn]] void check_failed(const char* file, int line, const char* invariant);

}  // namespace wanren

/// Aborts with file, line and the invariant's text. Never used for what a user can cause.
#define WR_CHECK(invariant) ((invariant) ? (void)0 : ::wanren::check_failed(__FILE__, __LINE__, #invariant))
