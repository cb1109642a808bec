#pragma once
// Which die, partition, L2 slice, set, DRAM channel, bank and row a line lives in. Successive lines
// go round the slices (and pairs of lines round the channels), as l2.hash deals them.

#include <cstdint>

#include "timing/divider.h"
#include "timing/parameters.h"
#include "timing/policies/data_placement.h"

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
        sizes_.dealer.undeal(slices_.quotient(set), homes_ > 1 ? all_homes_.quotient(tag) : tag, sets_);
    return sizes_.dealer.undeal(slices_.remainder(set), in_slice, slices_);
  }

 private:
  const DataPlacement& placement_;
  DataPlacement::Sizes sizes_;
  Divider partitions_, partition_lines_, slices_, sets_, channels_, banks_, row_chunks_, all_homes_;
  std::uint32_t homes_, chunk_shift_;
};

inline AddressMap::AddressMap(const Parameters& p)
    : placement_(*p.data_placement),
      sizes_(placement_sizes(p)),
      partitions_(static_cast<std::uint32_t>(p.partitions)),
      partition_lines_(p.partition_lines),
      slices_(static_cast<std::uint32_t>(p.slices_per_partition)),
      sets_(p.sets_per_slice),
      channels_(static_cast<std::uint32_t>(p.channels_per_partition)),
      banks_(static_cast<std::uint32_t>(p.banks)),
      all_homes_(static_cast<std::uint32_t>(p.dies * p.partitions)),
      homes_(p.replicate_near || p.replicate_dies ? all_homes_.divisor() : 1),
      chunk_shift_(1) {
  const std::uint32_t chunk_bytes = (1u << p.line_shift) << chunk_shift_;
  row_chunks_ = Divider(std::max<std::uint32_t>(1, static_cast<std::uint32_t>(p.row_bytes) / chunk_bytes));
}

inline Home AddressMap::home(std::uint32_t line) const {
  Home h{};
  std::uint32_t in_die = line, round;
  if (sizes_.dies.divisor() > 1) {
    const DataPlacement::Place place = placement_.place(line, sizes_);
    h.die = static_cast<std::uint16_t>(place.die);
    in_die = place.line;
  }
  std::uint32_t local = in_die;
  if (partitions_.divisor() > 1) {
    const std::uint32_t block = partition_lines_.quotient(in_die);
    h.partition = static_cast<std::uint16_t>(sizes_.dealer.deal(block, partitions_, round));
    local = round * partition_lines_.divisor() + (in_die - block * partition_lines_.divisor());
  }
  h.local = local;
  std::uint32_t in_slice, wrap;
  const std::uint32_t slice = sizes_.dealer.deal(local, slices_, in_slice);
  h.set = sizes_.dealer.deal(in_slice, sets_, wrap) * slices_.divisor() + slice;
  return h;
}

inline DramPlace AddressMap::dram(std::uint32_t local) const {
  DramPlace d{};
  std::uint32_t in_channel, round;
  d.channel = static_cast<std::uint16_t>(sizes_.dealer.deal(local >> chunk_shift_, channels_, in_channel));
  const std::uint32_t row = row_chunks_.quotient(in_channel);
  d.bank = static_cast<std::uint16_t>(sizes_.dealer.deal(row, banks_, round));
  d.row = round;
  return d;
}

}  // namespace wanren::timing
