#pragma once
// What a program has advised about its managed memory. The memory is one memory here, wherever it is advised
// to be, so advice changes nothing but the answers of cudaMemRangeGetAttribute.

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace wanren::driver {

/// A device's number, or one of these; the numbers are CUDA's.
inline constexpr int on_host = -1, nowhere = -2;

struct Advice {
  bool read_mostly = false;
  int preferred = nowhere, prefetched = nowhere;
  std::set<int> accessed_by;
};

/// The advice for each byte of one allocation.
class AdvisedRange {
 public:
  explicit AdvisedRange(std::size_t bytes) : bytes_(bytes) { pieces_[0] = {}; }

  void change(std::size_t begin, std::size_t end, const std::function<void(Advice&)>& how) {
    split(begin);
    split(end);
    for (auto it = pieces_.find(begin); it != pieces_.end() && it->first < end; ++it) how(it->second);
  }
  /// That of all pieces of the range.
  std::vector<Advice> over(std::size_t begin, std::size_t end) const {
    std::vector<Advice> found;
    for (auto it = --pieces_.upper_bound(begin); it != pieces_.end() && it->first < end; ++it)
      found.push_back(it->second);
    return found;
  }

 private:
  void split(std::size_t at) {
    if (at < bytes_) pieces_.try_emplace(at, std::prev(pieces_.upper_bound(at))->second);
  }

  std::size_t bytes_;
  std::map<std::size_t, Advice> pieces_;  ///< By where they begin.
};

}  // namespace wanren::driver
