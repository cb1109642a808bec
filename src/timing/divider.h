#pragma once
// Dividing lines among places: division by a constant, and dealing round robin.

#include <cstdint>

namespace wanren::timing {

/// x / d and x % d for 32-bit x by one multiplication.
class Divider {
 public:
  Divider() = default;
  explicit Divider(std::uint32_t d) : d_(d), magic_(~std::uint64_t{0} / d + 1) {}
  std::uint32_t quotient(std::uint32_t x) const {
    return d_ == 1 ? x : static_cast<std::uint32_t>(static_cast<unsigned __int128>(magic_) * x >> 64);
  }
  std::uint32_t remainder(std::uint32_t x) const { return x - quotient(x) * d_; }
  std::uint32_t divisor() const { return d_; }

 private:
  std::uint32_t d_ = 1;
  std::uint64_t magic_ = 0;
};

/// Deals items round n places. Each round may start elsewhere, by a hash, so that power-of-two strides spread
/// while any contiguous range stays perfectly balanced.
class Dealer {
 public:
  /// `turn`: multiplier of the hash; 0: every round starts at place 0.
  explicit Dealer(std::uint32_t turn = 0) : turn_(turn) {}
  std::uint32_t deal(std::uint32_t item, const Divider& n, std::uint32_t& round) const {
    round = n.quotient(item);
    return n.remainder(item - round * n.divisor() + start(round));
  }
  /// The item again.
  std::uint32_t undeal(std::uint32_t place, std::uint32_t round, const Divider& n) const {
    const std::uint32_t turned = n.remainder(start(round));
    return round * n.divisor() + (place >= turned ? place - turned : place + n.divisor() - turned);
  }

 private:
  std::uint32_t start(std::uint32_t round) const { return round * turn_ >> 12 & 0xfffff; }

  std::uint32_t turn_;
};

}  // namespace wanren::timing
