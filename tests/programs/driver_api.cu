// The driver API by itself: contexts, images, kernels, launches, capture, graphs, pools.

#include <cstring>
#include <string>
#include <vector>

#include <cuda.h>
#include <sys/mman.h>

#include "check.h"

namespace {

const char* const ptx =
    ".version 7.0\n.target sm_80\n.address_size 64\n"
    ".visible .global .align 4 .u32 step = 3;\n"
    ".visible .entry add_step(.param .u64 p, .param .u32 n)\n{\n"
    ".reg .b64 %a<5>;\n.reg .b32 %r<8>;\n.reg .pred %p0;\n"
    "ld.param.u64 %a0, [p];\nld.param.u32 %r0, [n];\n"
    "mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmov.u32 %r3, %tid.x;\nmad.lo.s32 %r4, %r1, %r2, %r3;\n"
    "setp.ge.u32 %p0, %r4, %r0;\n@%p0 bra done;\n"
    "mul.wide.u32 %a1, %r4, 4;\nadd.s64 %a2, %a0, %a1;\n"
    "ld.global.u32 %r5, [%a2];\nld.global.u32 %r6, [step];\nadd.u32 %r7, %r5, %r6;\n"
    "st.global.u32 [%a2], %r7;\ndone:\nret;\n}\n"
    ".visible .entry nothing()\n{\nret;\n}\n";

constexpr unsigned n = 1000;

#define DRIVER(call) EXPECT((call) == CUDA_SUCCESS)
#define REFUSED(call, error) EXPECT((call) == (error))

/// The text right before a page that cannot be read, or with bytes behind it that are no text.
CUmodule load_unterminated(bool at_end_of_memory) {
  const size_t page = 4096, bytes = std::strlen(ptx);
  auto* memory =
      static_cast<char*>(mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(memory, 0x91, 3 * page);
  char* at = memory + 2 * page - bytes - (at_end_of_memory ? 1 : 100);
  std::memcpy(at, ptx, bytes);
  CUmodule module = nullptr;
  const CUresult result = cuModuleLoadData(&module, at);
  munmap(memory, 3 * page);
  EXPECT(result == CUDA_SUCCESS);
  return module;
}

unsigned value_at(CUdeviceptr memory, unsigned i) {
  unsigned value = 0;
  EXPECT(cuMemcpyDtoH(&value, memory + i * sizeof value, sizeof value) == CUDA_SUCCESS);
  return value;
}

void contexts() {
  CUdevice device = -1;
  CUcontext context = nullptr;
  int count = 0;
  REFUSED(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  DRIVER(cuInit(0));
  DRIVER(cuDeviceGetCount(&count));
  EXPECT(count == 1);
  DRIVER(cuDeviceGet(&device, 0));
  REFUSED(cuDeviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
  CUdeviceptr memory = 0;
  REFUSED(cuMemAlloc(&memory, 64), CUDA_ERROR_INVALID_CONTEXT);
  DRIVER(cuCtxGetCurrent(&context));
  EXPECT(context == nullptr);

  CUcontext primary = nullptr, own = nullptr, top = nullptr;
  DRIVER(cuDevicePrimaryCtxRetain(&primary, device));
  // CUDA 13's form of the same name.
  DRIVER(cuCtxCreate(&own, nullptr, 0, device));
  DRIVER(cuCtxDestroy(own));
  DRIVER(cuCtxCreate(&own, 0, device));
  EXPECT(own != primary);
  DRIVER(cuCtxPushCurrent(primary));
  DRIVER(cuCtxGetCurrent(&top));
  EXPECT(top == primary);
  DRIVER(cuCtxPopCurrent(&top));
  EXPECT(top == primary);
  DRIVER(cuCtxGetCurrent(&top));
  EXPECT(top == own);
  DRIVER(cuCtxGetDevice_v2(&device, primary));
  EXPECT(device == 0);
  unsigned long long a = 0, b = 0;
  DRIVER(cuCtxGetId(primary, &a));
  DRIVER(cuCtxGetId(own, &b));
  EXPECT(a != b);
  DRIVER(cuCtxDestroy(own));
  REFUSED(cuCtxSetCurrent(own), CUDA_ERROR_INVALID_CONTEXT);
  DRIVER(cuCtxSetCurrent(primary));
  DRIVER(cuCtxSynchronize_v2(primary));
}

void kernels() {
  CUlibrary library = nullptr;
  CUkernel kernel = nullptr;
  CUfunction function = nullptr;
  DRIVER(cuLibraryLoadData(&library, ptx, nullptr, nullptr, 0, nullptr, nullptr, 0));
  unsigned count = 0;
  DRIVER(cuLibraryGetKernelCount(&count, library));
  EXPECT(count == 2);
  REFUSED(cuLibraryGetKernel(&kernel, library, "absent"), CUDA_ERROR_NOT_FOUND);
  DRIVER(cuLibraryGetKernel(&kernel, library, "add_step"));
  const char* name = nullptr;
  DRIVER(cuKernelGetName(&name, kernel));
  EXPECT(std::string(name) == "add_step");
  size_t offset = 0, bytes = 0;
  DRIVER(cuKernelGetParamInfo(kernel, 1, &offset, &bytes));
  EXPECT(offset == 8 && bytes == 4);
  REFUSED(cuKernelGetParamInfo(kernel, 2, &offset, &bytes), CUDA_ERROR_INVALID_VALUE);
  int value = 0;
  DRIVER(cuKernelGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, kernel, 0));
  EXPECT(value > 0);
  DRIVER(cuKernelGetFunction(&function, kernel));
  REFUSED(cuFuncSetAttribute(function, static_cast<CUfunction_attribute>(99), 1), CUDA_ERROR_INVALID_VALUE);
  REFUSED(cuFuncGetAttribute(&value, static_cast<CUfunction_attribute>(99), function),
          CUDA_ERROR_INVALID_VALUE);
  REFUSED(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 1 << 30),
          CUDA_ERROR_INVALID_VALUE);
  DRIVER(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 1024));

  // A kernel of a library and a function launch alike.
  CUdeviceptr memory = 0;
  DRIVER(cuMemAlloc(&memory, n * 4));
  DRIVER(cuMemsetD32(memory, 7, n));
  unsigned length = n;
  void* arguments[] = {&memory, &length};
  CUlaunchConfig config{};
  config.gridDimX = (n + 127) / 128;
  config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = 128;
  config.blockDimY = config.blockDimZ = 1;
  DRIVER(cuLaunchKernelEx(&config, reinterpret_cast<CUfunction>(kernel), arguments, nullptr));
  struct {
    CUdeviceptr memory;
    unsigned length;
  } packed = {memory, n};
  size_t packed_bytes = 12;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &packed_bytes,
                   CU_LAUNCH_PARAM_END};
  DRIVER(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra));
  EXPECT(value_at(memory, n - 1) == 13);
  CUdeviceptr step = 0;
  DRIVER(cuLibraryGetGlobal(&step, &bytes, library, "step"));
  EXPECT(bytes == 4 && value_at(step, 0) == 3);
  int grid = 0, block = 0;
  DRIVER(cuOccupancyMaxPotentialBlockSize(&grid, &block, function, nullptr, 0, 0));
  EXPECT(grid > 0 && block >= 128);
  DRIVER(cuMemFree(memory));
  DRIVER(cuLibraryUnload(library));
  REFUSED(cuLibraryUnload(library), CUDA_ERROR_INVALID_HANDLE);
  REFUSED(cuLaunchKernelEx(&config, reinterpret_cast<CUfunction>(kernel), arguments, nullptr),
          CUDA_ERROR_INVALID_HANDLE);
}

void images() {
  for (const bool at_end : {false, true}) DRIVER(cuModuleUnload(load_unterminated(at_end)));
  // Two relocatable texts, of which one calls the other.
  std::string caller =
      ".version 7.0\n.target sm_80\n.address_size 64\n.extern .global .u32 shared_value;\n"
      ".visible .entry read(.param .u64 p)\n{\n.reg .b64 %a0;\n.reg .b32 %r0;\n"
      "ld.param.u64 %a0, [p];\nld.global.u32 %r0, [shared_value];\nst.global.u32 [%a0], %r0;\nret;\n}\n";
  std::string owner =
      ".version 7.0\n.target sm_80\n.address_size 64\n.visible .global .u32 shared_value = 42;\n";
  CUlinkState link = nullptr;
  DRIVER(cuLinkCreate(0, nullptr, nullptr, &link));
  DRIVER(cuLinkAddData(link, CU_JIT_INPUT_PTX, caller.data(), caller.size(), "caller", 0, nullptr, nullptr));
  DRIVER(cuLinkAddData(link, CU_JIT_INPUT_PTX, owner.data(), owner.size(), "owner", 0, nullptr, nullptr));
  void* image = nullptr;
  size_t bytes = 0;
  DRIVER(cuLinkComplete(link, &image, &bytes));
  CUmodule module = nullptr;
  CUfunction read = nullptr;
  DRIVER(cuModuleLoadData(&module, image));
  DRIVER(cuLinkDestroy(link));
  DRIVER(cuModuleGetFunction(&read, module, "read"));
  CUdeviceptr memory = 0;
  DRIVER(cuMemAlloc(&memory, 4));
  void* arguments[] = {&memory};
  DRIVER(cuLaunchKernel(read, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
  EXPECT(value_at(memory, 0) == 42);
  DRIVER(cuMemFree(memory));
  DRIVER(cuModuleUnload(module));
}

void capture() {
  CUmodule module = nullptr;
  CUfunction add = nullptr;
  DRIVER(cuModuleLoadData(&module, ptx));
  DRIVER(cuModuleGetFunction(&add, module, "add_step"));
  CUstream stream = nullptr, side = nullptr;
  CUevent forked = nullptr, joined = nullptr;
  DRIVER(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  DRIVER(cuStreamCreate(&side, CU_STREAM_NON_BLOCKING));
  DRIVER(cuEventCreate(&forked, 0));
  DRIVER(cuEventCreate(&joined, 0));
  CUdeviceptr memory = 0, other = 0, temporary = 0;
  DRIVER(cuMemAlloc(&memory, n * 4));
  DRIVER(cuMemAlloc(&other, n * 4));
  DRIVER(cuMemsetD32(memory, 0, n));
  DRIVER(cuMemsetD32(other, 0, n));
  unsigned length = n;
  void* on_memory[] = {&memory, &length};
  void* on_other[] = {&other, &length};

  CUstreamCaptureStatus status;
  DRIVER(cuStreamIsCapturing(stream, &status));
  EXPECT(status == CU_STREAM_CAPTURE_STATUS_NONE);
  REFUSED(cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED),
          CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  DRIVER(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  DRIVER(cuStreamIsCapturing(stream, &status));
  EXPECT(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  DRIVER(cuMemsetD32Async(memory, 1, n, stream));
  DRIVER(cuEventRecord(forked, stream));
  DRIVER(cuStreamWaitEvent(side, forked, 0));
  DRIVER(cuMemsetD32Async(other, 5, n, side));
  DRIVER(cuLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, side, on_other, nullptr));
  DRIVER(cuEventRecord(joined, side));
  DRIVER(cuLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, on_memory, nullptr));
  DRIVER(cuMemAllocAsync(&temporary, n * 4, stream));
  DRIVER(cuMemcpyDtoDAsync(temporary, memory, n * 4, stream));
  DRIVER(cuMemFreeAsync(temporary, stream));
  REFUSED(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  DRIVER(cuStreamWaitEvent(stream, joined, 0));
  CUgraph graph = nullptr, current = nullptr;
  const CUgraphNode* tail = nullptr;
  size_t count = 0;
  cuuint64_t id = 0;
  DRIVER(cuStreamGetCaptureInfo(stream, &status, &id, &current, &tail, &count));
  EXPECT(count == 2 && current != nullptr && id != 0);
  DRIVER(cuStreamEndCapture(stream, &graph));
  EXPECT(graph == current);
  DRIVER(cuGraphGetNodes(graph, nullptr, &count));
  EXPECT(count == 7);
  DRIVER(cuGraphGetEdges(graph, nullptr, nullptr, &count));
  EXPECT(count == 6);
  DRIVER(cuCtxSynchronize());
  EXPECT(value_at(memory, 0) == 0 && value_at(other, 0) == 0);  // nothing has run

  CUgraphExec exec = nullptr;
  DRIVER(cuGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < 3; ++i) DRIVER(cuGraphLaunch(exec, stream));
  DRIVER(cuStreamSynchronize(stream));
  EXPECT(value_at(memory, n - 1) == 4 && value_at(other, n - 1) == 8);

  // One more kernel by hand, then other parameters in the executable graph.
  CUgraphNode nodes[8];
  count = 8;
  DRIVER(cuGraphGetNodes(graph, nodes, &count));
  CUgraphNodeType type;
  DRIVER(cuGraphNodeGetType(nodes[0], &type));
  EXPECT(type == CU_GRAPH_NODE_TYPE_MEMSET);
  CUDA_MEMSET_NODE_PARAMS fill{};
  DRIVER(cuGraphMemsetNodeGetParams(nodes[0], &fill));
  EXPECT(fill.value == 1 && fill.dst == memory && fill.width == n);
  fill.value = 100;
  DRIVER(cuGraphExecMemsetNodeSetParams(exec, nodes[0], &fill, nullptr));
  DRIVER(cuGraphLaunch(exec, stream));
  DRIVER(cuStreamSynchronize(stream));
  EXPECT(value_at(memory, 3) == 103);
  DRIVER(cuGraphExecDestroy(exec));
  DRIVER(cuGraphDestroy(graph));

  // Work of a stream that does not come back is an error, and the streams go on.
  DRIVER(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  DRIVER(cuEventRecord(forked, stream));
  DRIVER(cuStreamWaitEvent(side, forked, 0));
  DRIVER(cuMemsetD32Async(other, 5, n, side));
  REFUSED(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT(graph == nullptr);
  DRIVER(cuMemsetD32Async(other, 6, n, side));
  DRIVER(cuStreamSynchronize(side));
  EXPECT(value_at(other, 1) == 6);
  DRIVER(cuStreamDestroy(stream));
  DRIVER(cuStreamDestroy(side));
  DRIVER(cuMemFree(memory));
  DRIVER(cuMemFree(other));
  DRIVER(cuModuleUnload(module));
}

void pools() {
  CUmemPoolProps properties{};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  CUmemoryPool pool = nullptr;
  DRIVER(cuMemPoolCreate(&pool, &properties));
  CUdeviceptr memory = 0;
  DRIVER(cuMemAllocFromPoolAsync(&memory, 1 << 20, pool, nullptr));
  cuuint64_t used = 0;
  DRIVER(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  EXPECT(used == 1 << 20);
  DRIVER(cuMemsetD8(memory, 9, 1 << 20));
  DRIVER(cuMemFreeAsync(memory, nullptr));
  DRIVER(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  EXPECT(used == 0);
  DRIVER(cuMemPoolDestroy(pool));
  REFUSED(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);

  CUDA_MEMCPY2D copy{};
  unsigned char host[4][16];
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 16; ++x) host[y][x] = static_cast<unsigned char>(16 * y + x);
  size_t pitch = 0;
  DRIVER(cuMemAllocPitch(&memory, &pitch, 16, 4, 4));
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = host;
  copy.srcPitch = 16;
  copy.srcXInBytes = 4;
  copy.srcY = 1;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = memory;
  copy.dstPitch = pitch;
  copy.WidthInBytes = 8;
  copy.Height = 2;
  DRIVER(cuMemcpy2D(&copy));
  unsigned char row[8];
  DRIVER(cuMemcpyDtoH(row, memory + pitch, 8));
  for (int x = 0; x < 8; ++x) EXPECT(row[x] == 16 * 2 + 4 + x);
  int ordinal = -1;
  unsigned type = 0;
  size_t range = 0;
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                      CU_POINTER_ATTRIBUTE_RANGE_SIZE};
  void* data[] = {&ordinal, &type, &range};
  DRIVER(cuPointerGetAttributes(3, attributes, data, memory + 8));
  EXPECT(ordinal == 0 && type == CU_MEMORYTYPE_DEVICE && range == pitch * 4);
  DRIVER(cuPointerGetAttributes(2, attributes, data, reinterpret_cast<CUdeviceptr>(host)));
  EXPECT(ordinal == CU_DEVICE_INVALID && type == 0);
  DRIVER(cuMemFree(memory));
}

}  // namespace

int main() {
  contexts();
  kernels();
  images();
  capture();
  pools();
  std::printf("PASS\n");
}
