#pragma once
// What the program's static initialisers register: fat binaries, kernels and variables by host address.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "driver/device.h"

namespace wanren::cuda {

/// The wrapper that compilers put around a fat binary (facts of the binary interface).
struct FatBinaryWrapper {
  std::uint32_t magic;    ///< 0x466243b1
  std::uint32_t version;  ///< 1; 2 for relocatable code
  const void* data;
  /// Version 2: the fat binaries that the vendor's linker made `data` of, up to a null.
  const void* const* parts;
};

class Registry {
 public:
  static Registry& instance();

  struct Unit {
    std::vector<const void*> data;  ///< One fat binary, or the parts of a linked one.
    bool relocatable = false;
    bool unloaded = false;
  };

  Unit* add_unit(const FatBinaryWrapper& wrapper);
  void remove_unit(Unit* unit);
  void add_function(Unit* unit, const void* host, const char* name);
  void add_variable(Unit* unit, const void* host, const char* name, std::size_t bytes);

  /// Loads the unit's module on first use on a device; all relocatable units of the program are one module.
  driver::Loaded<driver::Function*> function(const void* host, driver::Device& device);
  /// False: no such variable. A module that does not load counts as unknown; its error is logged.
  bool variable(const void* host, driver::Device& device, void** address, std::size_t* bytes);
  const char* name_of(const void* host) const;

 private:
  struct Symbol {
    Unit* unit;
    std::string name;
    std::size_t bytes = 0;
    std::map<const driver::Device*, driver::Function*> function;
  };
  driver::Loaded<driver::Module*> module_of(Unit* unit, driver::Device& device);

  mutable std::recursive_mutex mutex_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::unordered_map<const void*, Symbol> functions_, variables_;
  std::map<std::pair<const Unit*, const driver::Device*>, driver::Module*> modules_;
};

}  // namespace wanren::cuda
