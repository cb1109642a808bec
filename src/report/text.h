#pragma once
// Quantities as people read them.

#include <cstddef>
#include <string>

namespace wanren::report {

/// A kernel's name without parameters, cut to `width`.
std::string short_name(const std::string& name, std::size_t width);
std::string time_text(double microseconds);  ///< "12.3 us", "4.5 ms"
std::string energy_text(double joules);      ///< "3.2 mJ"

}  // namespace wanren::report
