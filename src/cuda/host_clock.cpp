// The modelled host clock, for the preloaded clock library of `wanren run`.

#include "driver/device.h"

/// Nanoseconds on the host's modelled timeline since the device was made; 0 while there is no device.
extern "C" unsigned long long wanren_host_clock_ns() {
  wanren::driver::Device* device = wanren::driver::Device::made();
  return device != nullptr ? device->host_clock_ns() : 0;
}
