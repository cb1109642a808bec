#include "trace/trace.h"

#include "simt/opcode_traits.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <iterator>
#include <string_view>

namespace wanren::trace {
namespace {

constexpr std::string_view version_line = "trace version ";
constexpr std::string_view kind_names[] = {"affine",  "scaled", "gather", "gather32",
                                           "barrier", "phase",  "group",  "bulk"};
constexpr std::string_view phase_names[] = {"init",        "arrive",        "arrive_expect", "drop",
                                            "drop_expect", "expect",        "complete",      "wait",
                                            "copy_arrive", "copy_arrive_in"};
constexpr std::string_view bulk_names[] = {"load", "store", "reduce", "prefetch", "within_shared"};
constexpr std::string_view space_names[] = {"global", "shared", "local",  "constant",
                                            "param",  "none",   "cluster"};

// Words of a record's tail, given its first one.
std::size_t tail_words(Kind kind, std::uint64_t base) {
  switch (kind) {
    case Kind::phase: return base >> 8 & 0xff;
    case Kind::bulk: return (base >> 8 & 0xff) * bulk_entry_words;
    case Kind::scaled: return 1;
    case Kind::gather: return warp_size;
    case Kind::gather32: return warp_size / 2;
    case Kind::affine:
    case Kind::barrier:
    case Kind::group: return 0;
  }
  return 0;
}

std::string_view next_word(std::string_view& line) {
  const std::size_t start = line.find_first_not_of(' ');
  if (start == std::string_view::npos) return {};
  const std::size_t end = std::min(line.find(' ', start), line.size());
  const std::string_view word = line.substr(start, end - start);
  line.remove_prefix(end);
  return word;
}

// A number in the given base that fills the whole word.
template <class T>
bool number(std::string_view word, T& out, int base = 10) {
  if (base == 16 && word.starts_with("0x")) word.remove_prefix(2);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out, base);
  return error == std::errc{} && end == word.data() + word.size() && !word.empty();
}

// "key=" and a number.
template <class T>
bool field(std::string_view& line, std::string_view key, T& out, int base = 10) {
  std::string_view word = next_word(line);
  if (!word.starts_with(key)) return false;
  word.remove_prefix(key.size());
  return number(word, out, base);
}

template <std::size_t N>
int index_of(const std::string_view (&names)[N], std::string_view word) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == word) return static_cast<int>(i);
  return -1;
}

bool parse_block(std::string_view line, std::vector<std::uint64_t>& out) {
  simt::BlockId id = 0;
  LaneMask mask = 0;
  if (!number(next_word(line), id) || !field(line, "mask=", mask, 16)) return false;
  out.push_back(block_word(id, mask));
  return true;
}

bool parse_record(Kind kind, std::string_view line, std::vector<std::uint64_t>& out) {
  const int space = index_of(space_names, next_word(line));
  LaneMask mask = 0;
  std::uint64_t base = 0;
  if (space < 0 || !field(line, "mask=", mask, 16)) return false;
  if (kind == Kind::barrier) {
    std::uint32_t id = 0, threads = 0;
    if (!field(line, "id=", id) || !field(line, "threads=", threads)) return false;
    base = id | std::uint64_t{threads} << 32;
  } else if (kind == Kind::phase) {
    const int op = index_of(phase_names, next_word(line));
    std::uint64_t entries = 0;
    if (op < 0 || !field(line, "entries=", entries) || entries > warp_size) return false;
    base = phase_base(static_cast<PhaseOp>(op), entries);
  } else if (kind == Kind::bulk) {
    const int op = index_of(bulk_names, next_word(line));
    std::uint64_t entries = 0;
    if (op < 0 || !field(line, "entries=", entries) || entries > warp_size) return false;
    base = static_cast<std::uint64_t>(op) | entries << 8;
  } else if (!field(line, "base=", base, 16)) {
    return false;
  }
  std::uint16_t pattern = 0;
  if (!field(line, "pattern=", pattern)) return false;
  out.push_back(base);
  out.push_back(record_word(mask, pattern, kind, static_cast<Space>(space)));
  if (kind == Kind::scaled) {
    std::int64_t scale = 0;
    std::uint16_t scaled = 0;
    if (!field(line, "scale=", scale) || !field(line, "scaled=", scaled)) return false;
    out.push_back((static_cast<std::uint64_t>(scale) & 0xffff'ffff'ffff) | std::uint64_t{scaled} << 48);
  }
  if (kind == Kind::gather || kind == Kind::gather32 || kind == Kind::phase || kind == Kind::bulk) {
    if (next_word(line) != "lanes") return false;
    for (std::size_t i = 0; i < tail_words(kind, base); ++i) {
      std::uint64_t word = 0;
      if (!number(next_word(line), word, 16)) return false;
      out.push_back(word);
    }
  }
  // What may follow is the list of addresses, for readers only.
  const std::string_view rest = next_word(line);
  return rest.empty() || rest == "->";
}

}  // namespace

std::uint32_t most_words(const simt::Block& block) {
  std::uint32_t words = words_for_slots(block.slots);
  for (const simt::Inst& inst : block.insts)
    if (simt::copies_bulk(inst.op)) words += static_cast<std::uint32_t>(warp_size * bulk_entry_words);
  return words;
}

std::array<std::uint64_t, warp_size> addresses(const Record& record,
                                               std::span<const simt::LanePattern> patterns) {
  std::array<std::uint64_t, warp_size> result{};
  switch (record.kind) {
    case Kind::barrier:
    case Kind::phase:
    case Kind::bulk:
    case Kind::group: break;
    case Kind::gather: std::memcpy(result.data(), record.lanes, sizeof result); break;
    case Kind::gather32:
      for (int l = 0; l < warp_size; ++l) result[l] = record.lanes[l / 2] >> (l % 2 * 32) & 0xffffffff;
      break;
    case Kind::affine:
    case Kind::scaled: {
      WR_CHECK(record.pattern < patterns.size() && record.scaled < patterns.size());
      const simt::LanePattern& pattern = patterns[record.pattern];
      const simt::LanePattern& scaled = patterns[record.scaled];
      for (int l = 0; l < warp_size; ++l)
        result[l] = record.base + static_cast<std::uint64_t>(pattern[l]) +
                    static_cast<std::uint64_t>(record.scale) * static_cast<std::uint64_t>(scaled[l]);
      break;
    }
  }
  return result;
}

std::string dump(std::span<const std::uint64_t> words, const simt::Kernel& kernel,
                 std::span<const simt::LanePattern> patterns) {
  std::string out = fmt::format("{}{}\n", version_line, version);
  auto to = std::back_inserter(out);
  const std::uint64_t* at = words.data();
  const std::uint64_t* const end = at + words.size();
  while (at < end) {
    const auto id = static_cast<simt::BlockId>(*at);
    fmt::format_to(to, "block {} mask={:08x}\n", id, static_cast<LaneMask>(*at >> 32));
    ++at;
    if (id >= kernel.blocks.size()) {
      fmt::format_to(to, "malformed: no such block\n");
      return out;
    }
    for (std::uint16_t slot = 0; slot < kernel.blocks[id].slots; ++slot) {
      if (end - at < 2) {
        fmt::format_to(to, "malformed: record cut short\n");
        return out;
      }
      const auto kind = static_cast<std::uint8_t>(at[1] >> 48);
      const auto space = static_cast<std::uint8_t>(at[1] >> 56);
      if (kind >= std::size(kind_names) || space >= std::size(space_names) ||
          static_cast<std::size_t>(end - at) < 2 + tail_words(static_cast<Kind>(kind), at[0])) {
        fmt::format_to(to, "malformed: record {:016x} {:016x}\n", at[0], at[1]);
        return out;
      }
      Record r;
      at = read_record(at, r);
      fmt::format_to(to, "  {} {} mask={:08x} ", kind_names[kind], space_names[space], r.mask);
      if (r.kind == Kind::barrier)
        fmt::format_to(to, "id={} threads={}", static_cast<std::uint32_t>(r.base), r.base >> 32);
      else if (r.kind == Kind::phase)
        fmt::format_to(to, "{} entries={}", phase_names[std::min<std::size_t>(r.base & 0xff, 9)],
                       r.entries());
      else if (r.kind == Kind::bulk)
        fmt::format_to(to, "{} entries={}", bulk_names[std::min<std::size_t>(r.base & 0xff, 4)], r.entries());
      else
        fmt::format_to(to, "base=0x{:x}", r.base);
      fmt::format_to(to, " pattern={}", r.pattern);
      if (r.kind == Kind::scaled) fmt::format_to(to, " scale={} scaled={}", r.scale, r.scaled);
      if (r.lanes != nullptr) {
        out += " lanes";
        for (std::size_t i = 0; i < tail_words(r.kind, r.base); ++i) fmt::format_to(to, " {:x}", r.lanes[i]);
      }
      const bool computed = (r.kind == Kind::affine || r.kind == Kind::scaled) &&
                            r.pattern < patterns.size() && r.scaled < patterns.size();
      if (computed) {
        const auto lanes = addresses(r, patterns);
        fmt::format_to(to, " -> {:x} {:x} … {:x}", lanes[0], lanes[1], lanes[warp_size - 1]);
      }
      out += '\n';
    }
  }
  return out;
}

Result<std::vector<std::uint64_t>> parse_dump(const std::string& text, const std::string& name) {
  std::vector<std::uint64_t> out;
  std::string_view rest = text;
  int line_number = 0, written = 0;
  while (!rest.empty()) {
    ++line_number;
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string place = fmt::format("{}:{}", name, line_number);
    if (written == 0) {
      if (!line.starts_with(version_line) || !number(line.substr(version_line.size()), written) ||
          written <= 0)
        return fail(place, "this is no trace", "a trace's first line is 'trace version N'");
      if (written != version)
        return fail(place,
                    fmt::format("a trace of version {}; this program reads version {}", written, version),
                    "write the trace again with this program");
      continue;
    }
    const std::string_view word = next_word(line);
    if (word.empty()) continue;
    const int kind = index_of(kind_names, word);
    const bool good = word == "block" ? parse_block(line, out)
                                      : kind >= 0 && parse_record(static_cast<Kind>(kind), line, out);
    if (!good) return fail(place, "neither a block nor a record", "");
  }
  if (written == 0) return fail(name, "this is no trace", "a trace's first line is 'trace version N'");
  return out;
}

}  // namespace wanren::trace
