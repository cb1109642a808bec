#pragma once
// Contract 2: the trace of one warp. A stream of 64-bit words, written by compiled code or the
// interpreter, read by the timing model, which does the coalescing.
//
//   BLOCK  one word:  block id | mask << 32           (mask = lanes active in the block)
//   then, for each of that block's slots in order, one record:
//   word 0: base      memory: address of pattern 0, in the space's own terms (see Space);
//                     barrier: id | expected threads << 32; of a cluster, for threads: the phase's number <<
//                     1 | with cluster_arrive, whether the warp had not arrived before
//   word 1: mask | pattern << 32 | kind << 48 | space << 56
//   kind scaled:  word 2 = scale | scaled-pattern id << 48 (scale sign-extended from 48 bits)
//   kind gather:  words 2..33 = address of each lane (inactive lanes: any value)
//   kind gather32: words 2..17 = 32 32-bit addresses, zero-extended, two a word, lane 0 low
//   kind phase: what an instruction did to mbarriers. base = PhaseOp | entries << 8; words 2… = one entry for
//               each mbarrier: address in the CTA's window, in another CTA's of the cluster with (its rank +
//               1) << 24, | value << 32 (PhaseOp says of what)
//   kind bulk: bulk copies. base = BulkOp | entries << 8; words 2… = BulkEntry for each
//   kind group: groups of asynchronous copies. base = 0: the open group ends; n + 1: waits for all groups of
//               the warp but the n newest; all_copies: waits for all copies
//
// lane address = base + patterns[pattern][lane] + scale * patterns[scaled][lane]. mask already
// includes the instruction's guard; a record with mask 0 is legal and means no access.

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "simt/shape.h"
#include "support/result.h"
#include "support/units.h"

namespace wanren::trace {

inline constexpr int version = 3;

enum class Kind : std::uint8_t {
  affine = 0,
  scaled = 1,
  gather = 2,
  gather32 = 3,
  barrier = 4,
  phase = 5,
  group = 6,
  bulk = 7
};

/// Entries of one mbarrier's lanes are summed up.
enum class PhaseOp : std::uint8_t {
  init,           ///< value: arrivals that complete a phase
  arrive,         ///< value: arrivals
  arrive_expect,  ///< value: bytes to expect, then: | arrivals << 26
  drop,           ///< value: arrivals, which later phases do not expect either
  drop_expect,    ///< value: bytes to expect, then: | such arrivals << 26
  expect,         ///< value: bytes
  complete,       ///< value: bytes
  wait,           ///< value: phases that the mbarrier must have completed since the CTA began
  copy_arrive,    ///< value: arrivals once the warp's copies so far are there; the phase expects as many more
  copy_arrive_in,  ///< the same, of those that the phase expects
};
inline constexpr std::uint64_t all_copies = ~std::uint64_t{0};
/// Beside what a group's record says: of bulk copies, and waits only until their sources have been read.
inline constexpr std::uint64_t bulk_groups = std::uint64_t{1} << 62, sources_read = std::uint64_t{1} << 61;

enum class BulkOp : std::uint8_t { load, store, reduce, prefetch, within_shared };
/// One bulk copy: rows of global memory, and what of shared memory.
struct BulkEntry {
  static constexpr std::uint32_t no_mbarrier = ~0u;
  std::uint64_t global = 0;  ///< First byte of the first row.
  std::uint32_t shared = 0, mbarrier = no_mbarrier;
  std::uint32_t row_bytes = 0,
                bytes = 0;  ///< bytes: what the mbarrier is told, or what is moved in shared memory.
  std::uint16_t rows[4] = {1, 1, 1, 1};  ///< By dimension above the rows' own.
  std::uint64_t stride[4] = {};
  std::uint64_t receivers =
      0;  ///< CTAs of the cluster by rank, each at `shared` and `mbarrier`; 0: as these say.
};
inline constexpr std::size_t bulk_entry_words = sizeof(BulkEntry) / 8;
static_assert(sizeof(BulkEntry) == 72);

constexpr std::uint64_t phase_base(PhaseOp op, std::uint64_t entries) {
  return static_cast<std::uint64_t>(op) | entries << 8;
}

/// Where an access went, generic ones resolved. Addresses: global and constant: DeviceAddress;
/// shared: byte offset in the CTA's window; local: byte offset in the thread's frame plus
/// lane * local_bytes (the frame of lane 0 of the warp begins at 0); param: offset in the buffer; cluster, of
/// another CTA's shared memory: offset among all windows.
enum class Space : std::uint8_t {
  global = 0,
  shared = 1,
  local = 2,
  constant = 3,
  param = 4,
  none = 5,
  cluster = 6
};
/// Ids in barrier records: barrier.cluster.arrive and .wait.
inline constexpr std::uint32_t cluster_arrive = 16, cluster_wait = 17;

constexpr std::uint64_t block_word(simt::BlockId id, LaneMask mask) {
  return id | std::uint64_t{mask} << 32;
}
constexpr std::uint64_t record_word(LaneMask mask, std::uint16_t pattern, Kind kind, Space space) {
  return mask | std::uint64_t{pattern} << 32 | std::uint64_t(kind) << 48 | std::uint64_t(space) << 56;
}

/// Words that one execution of `block` adds at most.
std::uint32_t most_words(const simt::Block& block);
/// The same for a block of so many slots, none of them a bulk copy's.
constexpr std::uint32_t words_for_slots(std::uint32_t slots) {
  return 1 + 34 * slots;
}

struct Record {
  Kind kind;
  Space space;
  LaneMask mask;
  std::uint16_t pattern, scaled;
  std::uint64_t base;
  std::int64_t scale;
  const std::uint64_t* lanes;  ///< gather, gather32, phase, bulk: first payload word; else null

  BulkOp bulk_op() const { return static_cast<BulkOp>(base & 0xff); }
  PhaseOp phase_op() const { return static_cast<PhaseOp>(base & 0xff); }
  std::size_t entries() const { return base >> 8 & 0xff; }
};

/// Reads the record at `words` and returns the word after it.
inline const std::uint64_t* read_record(const std::uint64_t* words, Record& out) {
  out.base = words[0];
  const std::uint64_t head = words[1];
  out.mask = static_cast<LaneMask>(head);
  out.pattern = static_cast<std::uint16_t>(head >> 32);
  out.kind = static_cast<Kind>(head >> 48 & 0xff);
  out.space = static_cast<Space>(head >> 56);
  out.scaled = 0;
  out.scale = 0;
  out.lanes = nullptr;
  words += 2;
  switch (out.kind) {
    case Kind::scaled:
      out.scale = static_cast<std::int64_t>(words[0] << 16) >> 16;
      out.scaled = static_cast<std::uint16_t>(words[0] >> 48);
      return words + 1;
    case Kind::gather: out.lanes = words; return words + 32;
    case Kind::gather32: out.lanes = words; return words + 16;
    case Kind::phase: out.lanes = words; return words + out.entries();
    case Kind::bulk: out.lanes = words; return words + out.entries() * bulk_entry_words;
    case Kind::affine:
    case Kind::barrier:
    case Kind::group: return words;
  }
  return words;
}

/// All 32 lane addresses of a memory record.
std::array<std::uint64_t, warp_size> addresses(const Record& record,
                                               std::span<const simt::LanePattern> patterns);

/// Readable text of a chunk for people and tests: the version, then one line a record.
std::string dump(std::span<const std::uint64_t> words, const simt::Kernel& kernel,
                 std::span<const simt::LanePattern> patterns);

/// Text of dump() back to words. Errors: another version, a line that is no record; place is `name`:line.
Result<std::vector<std::uint64_t>> parse_dump(const std::string& text, const std::string& name);

}  // namespace wanren::trace
