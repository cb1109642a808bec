// Both APIs: advice about managed memory, where it was last prefetched to, and what was advised.

#include <algorithm>
#include <cstring>

#include "cuda/driver_api.h"
#include "cuda/memory_advice.h"
#include "driver/managed.h"

namespace wanren::cuda {
namespace {

using driver::Advice;
using driver::nowhere;
using driver::on_host;
using driver::Status;

// Locations of CUDA's: invalid, a device, the host and its nodes.
constexpr int no_location = 0, device_location = 1, host_location = 2, last_location = 4;

bool exists(int place) {
  return place == on_host ||
         (place >= 0 && static_cast<std::size_t>(place) < driver::Process::made()->devices().size());
}

/// The place that all pieces name, else nowhere.
int common(const std::vector<Advice>& pieces, int Advice::* place) {
  const int first = pieces.front().*place;
  return std::all_of(pieces.begin(), pieces.end(), [&](const Advice& p) { return p.*place == first; })
             ? first
             : nowhere;
}

int type_of(int place) {
  return place == nowhere ? no_location : place == on_host ? host_location : device_location;
}
int id_of(int place) {
  return place == on_host ? 0 : place;
}

}  // namespace

int place_of(int type, int id) {
  if (type == device_location) return id;
  return type >= host_location && type <= last_location ? on_host : nowhere;
}

Status advise(driver::Device& device, const void* at, std::size_t bytes, int advice, int place) {
  const bool names_place = advice == CU_MEM_ADVISE_SET_PREFERRED_LOCATION ||
                           advice == CU_MEM_ADVISE_SET_ACCESSED_BY ||
                           advice == CU_MEM_ADVISE_UNSET_ACCESSED_BY;
  if (advice < CU_MEM_ADVISE_SET_READ_MOSTLY || advice > CU_MEM_ADVISE_UNSET_ACCESSED_BY)
    return Status::cudaErrorInvalidValue;
  if (names_place && !exists(place)) return Status::cudaErrorInvalidDevice;
  return device.advise(at, bytes, [&](Advice& a) {
    switch (advice) {
      case CU_MEM_ADVISE_SET_READ_MOSTLY: a.read_mostly = true; break;
      case CU_MEM_ADVISE_UNSET_READ_MOSTLY: a.read_mostly = false; break;
      case CU_MEM_ADVISE_SET_PREFERRED_LOCATION: a.preferred = place; break;
      case CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION: a.preferred = nowhere; break;
      case CU_MEM_ADVISE_SET_ACCESSED_BY: a.accessed_by.insert(place); break;
      default: a.accessed_by.erase(place);
    }
  });
}

Status prefetch(driver::Device& device, const void* at, std::size_t bytes, int place) {
  if (!exists(place)) return Status::cudaErrorInvalidDevice;
  return device.advise(at, bytes, [&](Advice& a) { a.prefetched = place; });
}

Status range_attribute(const driver::Device& device, void* data, std::size_t data_bytes, int attribute,
                       const void* at, std::size_t bytes) {
  if (data == nullptr || data_bytes == 0 || data_bytes % sizeof(int) != 0 ||
      (attribute != cudaMemRangeAttributeAccessedBy && data_bytes != sizeof(int)))
    return Status::cudaErrorInvalidValue;
  std::vector<Advice> pieces;
  if (const Status status = device.advice(at, bytes, pieces); status != Status::cudaSuccess) return status;
  const int preferred = common(pieces, &Advice::preferred), last = common(pieces, &Advice::prefetched);
  int value = 0;
  switch (attribute) {
    case cudaMemRangeAttributeReadMostly:
      value = std::all_of(pieces.begin(), pieces.end(), [](const Advice& p) { return p.read_mostly; });
      break;
    case cudaMemRangeAttributePreferredLocation: value = preferred; break;
    case cudaMemRangeAttributeLastPrefetchLocation: value = last; break;
    case cudaMemRangeAttributePreferredLocationType: value = type_of(preferred); break;
    case cudaMemRangeAttributePreferredLocationId: value = id_of(preferred); break;
    case cudaMemRangeAttributeLastPrefetchLocationType: value = type_of(last); break;
    case cudaMemRangeAttributeLastPrefetchLocationId: value = id_of(last); break;
    case cudaMemRangeAttributeAccessedBy: {
      auto* const places = static_cast<int*>(data);
      const std::size_t room = data_bytes / sizeof(int);
      std::size_t count = 0;
      for (const int place : pieces.front().accessed_by)
        if (count < room &&
            std::all_of(
                pieces.begin(), pieces.end(), [&](const Advice& p) { return p.accessed_by.contains(place); }))
          places[count++] = place;
      std::fill(places + count, places + room, nowhere);
      return Status::cudaSuccess;
    }
    default: return Status::cudaErrorInvalidValue;
  }
  std::memcpy(data, &value, sizeof value);
  return Status::cudaSuccess;
}

}  // namespace wanren::cuda

using namespace wanren;
using namespace wanren::cuda;

namespace {

/// Device::advise for each of parallel arrays; place i holds from the range numbered first[i] on. `place`
/// null: none is named, and the ranges' contents may go, which they need not.
template <class Pointer, class Location>
driver::Status batch(driver::Device& device, Pointer* ranges, const size_t* bytes, size_t count,
                     const Location* places, const size_t* first, size_t place_count) {
  constexpr auto invalid = driver::Status::cudaErrorInvalidValue;
  if (ranges == nullptr || bytes == nullptr || count == 0) return invalid;
  if (places != nullptr && (first == nullptr || place_count == 0 || place_count > count || first[0] != 0))
    return invalid;
  size_t which = 0;
  for (size_t i = 0; i < count; ++i) {
    while (places != nullptr && which + 1 < place_count && first[which + 1] <= i) ++which;
    const auto* const at = reinterpret_cast<const void*>(ranges[i]);
    const driver::Status status =
        places != nullptr ? prefetch(device, at, bytes[i], place_of(places[which].type, places[which].id))
                          : device.advise(at, bytes[i], [](driver::Advice&) {});
    if (status != driver::Status::cudaSuccess) return status;
  }
  return driver::Status::cudaSuccess;
}

}  // namespace

extern "C" {

// The driver API.

#undef cuMemAdvise
#undef cuMemPrefetchAsync
CUresult cuMemAdvise(CUdeviceptr pointer, size_t bytes, CUmem_advise advice, CUdevice place) {
  WR_CURRENT(device);
  return code(advise(*device, pointer_of(pointer), bytes, advice, place));
}
CUresult cuMemAdvise_v2(CUdeviceptr pointer, size_t bytes, CUmem_advise advice, CUmemLocation where) {
  return cuMemAdvise(pointer, bytes, advice, place_of(where.type, where.id));
}
CUresult cuMemPrefetchAsync(CUdeviceptr pointer, size_t bytes, CUdevice place, CUstream) {
  WR_CURRENT(device);
  return code(prefetch(*device, pointer_of(pointer), bytes, place));
}
CUresult cuMemPrefetchAsync_v2(CUdeviceptr pointer, size_t bytes, CUmemLocation where, unsigned int flags,
                               CUstream stream) {
  if (flags != 0) return invalid_value;
  return cuMemPrefetchAsync(pointer, bytes, place_of(where.type, where.id), stream);
}
CUresult cuMemRangeGetAttribute(void* data, size_t data_bytes, CUmem_range_attribute attribute,
                                CUdeviceptr pointer, size_t bytes) {
  WR_CURRENT(device);
  return code(range_attribute(*device, data, data_bytes, attribute, pointer_of(pointer), bytes));
}
CUresult cuMemRangeGetAttributes(void** data, size_t* data_bytes, CUmem_range_attribute* attributes,
                                 size_t count, CUdeviceptr pointer, size_t bytes) {
  if (data == nullptr || data_bytes == nullptr || attributes == nullptr || count == 0) return invalid_value;
  for (size_t i = 0; i < count; ++i)
    if (const CUresult error = cuMemRangeGetAttribute(data[i], data_bytes[i], attributes[i], pointer, bytes);
        error != CUDA_SUCCESS)
      return error;
  return CUDA_SUCCESS;
}
CUresult cuMemPrefetchBatchAsync(CUdeviceptr* ranges, size_t* bytes, size_t count, CUmemLocation* places,
                                 size_t* first, size_t place_count, unsigned long long flags, CUstream) {
  if (flags != 0 || places == nullptr) return invalid_value;
  WR_CURRENT(device);
  return code(batch(*device, ranges, bytes, count, places, first, place_count));
}
CUresult cuMemDiscardBatchAsync(CUdeviceptr* ranges, size_t* bytes, size_t count, unsigned long long flags,
                                CUstream) {
  if (flags != 0) return invalid_value;
  WR_CURRENT(device);
  return code(batch<CUdeviceptr, CUmemLocation>(*device, ranges, bytes, count, nullptr, nullptr, 0));
}
CUresult cuMemDiscardAndPrefetchBatchAsync(CUdeviceptr* ranges, size_t* bytes, size_t count,
                                           CUmemLocation* places, size_t* first, size_t place_count,
                                           unsigned long long flags, CUstream stream) {
  return cuMemPrefetchBatchAsync(ranges, bytes, count, places, first, place_count, flags, stream);
}

// The runtime API.

cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, cudaMemoryAdvise advice, int place) {
  WR_DEVICE(device);
  return note(advise(*device, pointer, bytes, advice, place));
}
cudaError_t cudaMemAdvise_v2(const void* pointer, size_t bytes, cudaMemoryAdvise advice,
                             cudaMemLocation where) {
  WR_DEVICE(device);
  return note(advise(*device, pointer, bytes, advice, place_of(where.type, where.id)));
}
cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, int place, cudaStream_t) {
  WR_DEVICE(device);
  return note(prefetch(*device, pointer, bytes, place));
}
cudaError_t cudaMemPrefetchAsync_v2(const void* pointer, size_t bytes, cudaMemLocation where,
                                    unsigned int flags, cudaStream_t) {
  if (flags != 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(prefetch(*device, pointer, bytes, place_of(where.type, where.id)));
}
cudaError_t cudaMemRangeGetAttribute(void* data, size_t data_bytes, cudaMemRangeAttribute attribute,
                                     const void* pointer, size_t bytes) {
  WR_DEVICE(device);
  return note(range_attribute(*device, data, data_bytes, attribute, pointer, bytes));
}
cudaError_t cudaMemRangeGetAttributes(void** data, size_t* data_bytes, cudaMemRangeAttribute* attributes,
                                      size_t count, const void* pointer, size_t bytes) {
  if (data == nullptr || data_bytes == nullptr || attributes == nullptr || count == 0)
    return note(cudaErrorInvalidValue);
  for (size_t i = 0; i < count; ++i)
    if (const cudaError_t error =
            cudaMemRangeGetAttribute(data[i], data_bytes[i], attributes[i], pointer, bytes);
        error != cudaSuccess)
      return error;
  return cudaSuccess;
}
cudaError_t cudaMemPrefetchBatchAsync(void** ranges, size_t* bytes, size_t count, cudaMemLocation* places,
                                      size_t* first, size_t place_count, unsigned long long flags,
                                      cudaStream_t) {
  if (flags != 0 || places == nullptr) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(batch(*device, ranges, bytes, count, places, first, place_count));
}
cudaError_t cudaMemDiscardBatchAsync(void** ranges, size_t* bytes, size_t count, unsigned long long flags,
                                     cudaStream_t) {
  if (flags != 0) return note(cudaErrorInvalidValue);
  WR_DEVICE(device);
  return note(batch<void*, cudaMemLocation>(*device, ranges, bytes, count, nullptr, nullptr, 0));
}
cudaError_t cudaMemDiscardAndPrefetchBatchAsync(void** ranges, size_t* bytes, size_t count,
                                                cudaMemLocation* places, size_t* first, size_t place_count,
                                                unsigned long long flags, cudaStream_t stream) {
  return cudaMemPrefetchBatchAsync(ranges, bytes, count, places, first, place_count, flags, stream);
}

}  // extern "C"
