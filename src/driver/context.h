#pragma once
// Contexts: what a host thread works with. Devices own their memory, modules and streams, so a context of a
// device is little more than a name for it; the device's primary context is the runtime API's.

#include <cstdint>

#include "driver/device.h"

namespace wanren::driver {

struct Context {
  Device& device;
  unsigned flags = 0;
  unsigned long long id = 0;
  bool primary = false;
  int retained = 0;  ///< Primary contexts: retains that have not been released.
};

/// The device's primary context; there is one for each device, and it lives as long as the process.
Context& primary_context(Device& device);
/// Made by the program; current on the calling thread.
Context* create_context(Device& device, unsigned flags);
/// False: not a context that create_context made and that still lives. It is taken off the calling thread's
/// stack.
bool destroy_context(Context* context);
/// Whether the handle is a context that lives.
bool is_context(const void* handle);

/// The top of the calling thread's stack, or null.
Context* current_context();
/// Replaces the top; null takes it off.
void set_current_context(Context* context);
void push_context(Context* context);
/// The context that was on top, or null.
Context* pop_context();

}  // namespace wanren::driver
