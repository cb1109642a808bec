#pragma once
// Contract 4: the chip spec. Plain immutable data read from a chip file; every figure has a unit
// and an origin.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/result.h"

namespace wanren::chip {

enum class Origin : std::uint8_t { datasheet, measured, paper, derived, assumed };
std::string_view name(Origin origin);

/// Where one figure comes from.
struct Provenance {
  Origin origin = Origin::assumed;
  std::string source;  ///< Who, where; for `derived` the formula; for `assumed` why.
  std::string text;    ///< The value as written, with its unit.
};

/// What a chip does with a PTX feature it meets.
enum class Support : std::uint8_t { native, emulated, refused };

struct Spec {
  using integer = std::int64_t;
  using real = double;
  using text = std::string;
  using flag = bool;

  std::string name;                  ///< "br100"
  std::vector<std::string> aliases;  ///< "a100" of a100-sxm-80g
  std::string file;                  ///< Where it was read from, for messages.

#define WR_SECTION_BEGIN(section, doc) struct section##_section {
#define WR_FIELD(type, member, unit, better, domain, doc) type member{};
#define WR_SECTION_END(section) \
  }                             \
  section;
#include "chip/fields.def"
#undef WR_SECTION_BEGIN
#undef WR_FIELD
#undef WR_SECTION_END

  /// "fp64", "mma_fp16" … ; features not listed are native.
  std::map<std::string, Support> features;
  /// By "section.member".
  std::map<std::string, Provenance> provenance;

  int units() const { return static_cast<int>(package.dies * package.units_per_die); }
  double core_hz() const { return clock.core * 1e6; }
  /// Picoseconds of one core cycle at `mhz`.
  static double cycle_ps(double mhz) { return 1e6 / mhz; }
};

/// What a figure may be, both ends included.
struct Domain {
  enum class Kind : std::uint8_t { free, range, power_of_two, words } kind = Kind::free;
  double low = 0, high = 0;
};

/// Which way a figure makes a chip faster or thriftier.
enum class Better : std::uint8_t { neither, more, less };

/// One row of fields.def.
struct Field {
  enum class Type : std::uint8_t { integer, real, text, flag } type;
  std::string_view section, member, unit;
  Better better;
  Domain domain;
  std::string_view doc;
  std::string key() const { return std::string(section) + "." + std::string(member); }
};
const std::vector<Field>& fields();

struct Section {
  std::string_view name, doc;
};
/// In the order of fields().
const std::vector<Section>& sections();

/// Names that [features] admits.
const std::vector<std::string>& known_features();

/// Reads a chip by shipped name, alias or path of a TOML file; resolves `inherits`, checks units,
/// ranges and consistency. Errors name file:line:column, the key and the nearest valid spelling.
Result<Spec> load(const std::string& name_or_file);

/// Reads `text` as if it were in `file`.
Result<Spec> parse(std::string_view text, const std::string& file);

/// Names of all shipped chips, aliases left out.
std::vector<std::string> shipped();

/// One change: key "d2d.bandwidth", value with unit "224GB/s" (or plain, in the canonical unit).
struct Change {
  std::string key, value;
};
/// From "d2d.bandwidth=224GB/s".
Result<Change> parse_change(const std::string& text);

/// Makes all changes, then checks the whole; a refused set leaves the spec alone. Origins become
/// `assumed`, source "set on the command line".
Result<void> set(Spec& spec, const std::vector<Change>& settings);
Result<void> set(Spec& spec, const std::string& key, const std::string& value);

/// A figure in its canonical unit; text and flags as text.
std::string value_text(const Spec& spec, const Field& field);

/// Hex digest of all figures (not of origins): equal hashes, equal predictions.
std::string hash(const Spec& spec);

/// Share of numeric figures whose origin is `assumed`, 0..1.
double assumed_share(const Spec& spec);

}  // namespace wanren::chip
