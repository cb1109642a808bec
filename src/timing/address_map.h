#pragma once
// Which die, partition, L2 slice, set, DRAM channel, bank and row a line lives in. Successive lines
// go round the slices (and pairs of lines round the channels); by l2.hash each round starts at a hashed
// offset, so that power-of-two strides spread while any contiguous range stays perfectly balanced.

#include <cstdint>

#include "timing/parameters.h"

namespace wanren::timing {

struct Home {
  std::uint16_t die, partition;
  /// Within any partition's tag store: set * slices + slice, so that a stream walks through the host's
  /// memory in order.
  std::uint32_t set;
  std::uint32_t local;  ///< Line number within its home partition.
};

struct DramPlace {
  std::uint16_t channel, bank;  ///< channel: within the home partition.
  std::uint32_t row;
};

class AddressMap {
 public:
  explicit AddressMap(const Parameters& p);
  Home home(std::uint32_t line) const;
  DramPlace dram(std::uint32_t local) const;
  std::uint32_t slice(std::uint32_t set) const { return slices_.remainder(set); }
  /// What tells the lines of one set apart; `home`: index of the home partition on the package.
  std::uint32_t tag(std::uint32_t local, std::uint32_t home) const {
    return sets_.quotient(slices_.quotient(local)) * homes_ + (homes_ > 1 ? home : 0);
  }
  /// The line number within its home partition again.
  std::uint32_t local(std::uint32_t set, std::uint32_t tag) const {
    const std::uint32_t in_slice =
        undeal(slices_.quotient(set), homes_ > 1 ? all_homes_.quotient(tag) : tag, sets_);
    return undeal(slices_.remainder(set), in_slice, slices_);
  }

 private:
  std::uint32_t turn(std::uint32_t round) const { return round * spread_ >> 12; }
  /// Round-robin place of item x among n, rounds rotated.
  std::uint32_t deal(std::uint32_t x, const Divider& n, std::uint32_t& round) const {
    round = n.quotient(x);
    return n.remainder(x - round * n.divisor() + (turn(round) & 0xfffff));
  }

  std::uint32_t undeal(std::uint32_t place, std::uint32_t round, const Divider& n) const {
    const std::uint32_t turned = n.remainder(turn(round) & 0xfffff);
    return round * n.divisor() + (place >= turned ? place - turned : place + n.divisor() - turned);
  }

  bool contiguous_;
  Divider dies_, die_lines_, die_capacity_, partitions_, partition_lines_, slices_, sets_, channels_, banks_,
      row_chunks_, all_homes_;
  std::uint32_t homes_, chunk_shift_;
  std::uint32_t spread_;  ///< Multiplier of the hash; 0: none.
};

inline AddressMap::AddressMap(const Parameters& p)
    : contiguous_(p.die_contiguous_data),
      dies_(static_cast<std::uint32_t>(p.dies)),
      die_lines_(p.die_lines),
      die_capacity_(p.die_capacity_lines),
      partitions_(static_cast<std::uint32_t>(p.partitions)),
      partition_lines_(p.partition_lines),
      slices_(static_cast<std::uint32_t>(p.slices_per_partition)),
      sets_(p.sets_per_slice),
      channels_(static_cast<std::uint32_t>(p.channels_per_partition)),
      banks_(static_cast<std::uint32_t>(p.banks)),
      all_homes_(static_cast<std::uint32_t>(p.dies * p.partitions)),
      homes_(p.replicate_near || p.replicate_dies ? all_homes_.divisor() : 1),
      chunk_shift_(1),
      spread_(p.l2_rotated ? 0x9e3779b1u : 0) {
  const std::uint32_t chunk_bytes = (1u << p.line_shift) << chunk_shift_;
  row_chunks_ = Divider(std::max<std::uint32_t>(1, static_cast<std::uint32_t>(p.row_bytes) / chunk_bytes));
}

inline Home AddressMap::home(std::uint32_t line) const {
  Home h{};
  std::uint32_t in_die = line, round;
  if (dies_.divisor() > 1) {
    if (contiguous_) {
      const std::uint32_t block = die_capacity_.quotient(line);
      h.die = static_cast<std::uint16_t>(dies_.remainder(block));
      in_die = line - block * die_capacity_.divisor() + dies_.quotient(block) * die_capacity_.divisor();
    } else {
      const std::uint32_t block = die_lines_.quotient(line);
      h.die = static_cast<std::uint16_t>(deal(block, dies_, round));
      in_die = round * die_lines_.divisor() + (line - block * die_lines_.divisor());
    }
  }
  std::uint32_t local = in_die;
  if (partitions_.divisor() > 1) {
    const std::uint32_t block = partition_lines_.quotient(in_die);
    h.partition = static_cast<std::uint16_t>(deal(block, partitions_, round));
    local = round * partition_lines_.divisor() + (in_die - block * partition_lines_.divisor());
  }
  h.local = local;
  std::uint32_t in_slice, wrap;
  const std::uint32_t slice = deal(local, slices_, in_slice);
  h.set = deal(in_slice, sets_, wrap) * slices_.divisor() + slice;
  return h;
}

inline DramPlace AddressMap::dram(std::uint32_t local) const {
  DramPlace d{};
  std::uint32_t in_channel, round;
  d.channel = static_cast<std::uint16_t>(deal(local >> chunk_shift_, channels_, in_channel));
  const std::uint32_t row = row_chunks_.quotient(in_channel);
  d.bank = static_cast<std::uint16_t>(deal(row, banks_, round));
  d.row = round;
  return d;
}

}  // namespace wanren::timing
