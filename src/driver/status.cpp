#include "driver/status.h"

namespace wanren::driver {
namespace {

struct Row {
  Status status;
  const char *runtime, *driver, *text;
};

constexpr Row rows[] = {
#define WR_STATUS(value, runtime, driver, text) {Status::runtime, #runtime, #driver, text},
#include "driver/status.def"
#undef WR_STATUS
};

const Row* find(Status status) {
  for (const Row& row : rows)
    if (row.status == status) return &row;
  return nullptr;
}

}  // namespace

const char* runtime_name(Status status) {
  const Row* row = find(status);
  return row != nullptr ? row->runtime : nullptr;
}

const char* driver_name(Status status) {
  const Row* row = find(status);
  return row != nullptr ? row->driver : nullptr;
}

const char* text(Status status) {
  const Row* row = find(status);
  return row != nullptr ? row->text : nullptr;
}

int driver_value(Status status) {
  switch (status) {
    case Status::cudaErrorInvalidConfiguration:
    case Status::cudaErrorInvalidPitchValue:
    case Status::cudaErrorInvalidDevicePointer:
    case Status::cudaErrorInvalidMemcpyDirection: return 1;
    case Status::cudaErrorInsufficientDriver: return 999;
    case Status::cudaErrorInvalidSymbol:
    case Status::cudaErrorInvalidDeviceFunction: return 500;
    default: return static_cast<int>(status);
  }
}

Status from_driver_value(int value) {
  for (const Row& row : rows)
    if (driver_value(row.status) == value) return row.status;
  return Status::cudaErrorUnknown;
}

Status status_of(simt::Fault fault) {
  switch (fault) {
    case simt::Fault::none: return Status::cudaSuccess;
    case simt::Fault::illegal_address: return Status::cudaErrorIllegalAddress;
    case simt::Fault::misaligned_address: return Status::cudaErrorMisalignedAddress;
    case simt::Fault::assertion: return Status::cudaErrorAssert;
    case simt::Fault::stack_overflow: return Status::cudaErrorHardwareStackError;
    case simt::Fault::invalid_address_space: return Status::cudaErrorInvalidAddressSpace;
    case simt::Fault::invalid_pc: return Status::cudaErrorInvalidPc;
    case simt::Fault::illegal_instruction: return Status::cudaErrorIllegalInstruction;
    case simt::Fault::timeout:
    case simt::Fault::deadlock: return Status::cudaErrorLaunchTimeout;
    case simt::Fault::trap: return Status::cudaErrorLaunchFailure;
  }
  return Status::cudaErrorUnknown;
}

}  // namespace wanren::driver
