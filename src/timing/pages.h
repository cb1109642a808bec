#pragma once
// Memory for large tables that are read at random: huge pages where the host has them, since otherwise
// most of the time goes into address translation.

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace wanren::timing {

template <class T>
struct HugePages {
  using value_type = T;
  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}
  T* allocate(std::size_t n) {
    constexpr std::size_t page = std::size_t{2} << 20;
    const std::size_t bytes = n * sizeof(T);
    const std::size_t align = bytes >= page ? page : 128;
    void* at = std::aligned_alloc(align, (bytes + align - 1) / align * align);
    if (!at) throw std::bad_alloc();
    if (bytes >= page) madvise(at, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t) { std::free(at); }
  template <class U>
  bool operator==(const HugePages<U>&) const {
    return true;
  }
};

}  // namespace wanren::timing
