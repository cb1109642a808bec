// A program as a compiler of CUDA 11, 12 or 13 would link it: it needs the version node of that release and
// calls the forms that the release's headers mean. Linked against a made-up libcudart; run against Wanren's.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int cudaError_t;
typedef void* handle;
typedef struct {
  unsigned x, y, z;
} dim3;

extern void** __cudaRegisterFatBinary(void* wrapper);
extern void __cudaRegisterFatBinaryEnd(void** fat);
extern void __cudaUnregisterFatBinary(void** fat);
extern void __cudaRegisterFunction(void** fat, const char* host, char* device, const char* name, int limit,
                                   void* tid, void* bid, void* block, void* grid, int* warp);
extern cudaError_t cudaRuntimeGetVersion(int* version);
extern cudaError_t cudaGetDeviceCount(int* count);
extern cudaError_t cudaDeviceGetAttribute(int* value, int attribute, int device);
extern cudaError_t cudaMalloc(void** pointer, size_t bytes);
extern cudaError_t cudaMallocManaged(void** pointer, size_t bytes, unsigned flags);
extern cudaError_t cudaFree(void* pointer);
extern cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, int kind);
extern cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments,
                                    size_t shared, handle stream);
extern cudaError_t cudaDeviceSynchronize(void);
extern cudaError_t cudaGetLastError(void);
extern cudaError_t cudaStreamCreate(handle* stream);
extern cudaError_t cudaStreamBeginCapture(handle stream, int mode);
extern cudaError_t cudaStreamEndCapture(handle stream, handle* graph);
extern cudaError_t cudaGraphLaunch(handle exec, handle stream);
extern cudaError_t cudaStreamSynchronize(handle stream);
#if MAJOR == 12
extern cudaError_t cudaGetDeviceProperties_v2(void* properties, int device);
#define cudaGetDeviceProperties cudaGetDeviceProperties_v2
#else
extern cudaError_t cudaGetDeviceProperties(void* properties, int device);
#endif
#if MAJOR == 11
extern cudaError_t cudaGraphInstantiate(handle* exec, handle graph, handle* error_node, char* log,
                                        size_t bytes);
#else
extern cudaError_t cudaGraphInstantiate(handle* exec, handle graph, unsigned long long flags);
#endif
#if MAJOR == 13
typedef struct {
  int type, id;
} location;
extern cudaError_t cudaStreamGetCaptureInfo(handle stream, int* status, unsigned long long* id, handle* graph,
                                            const handle** dependencies, const void** edges, size_t* count);
extern cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, int advice, location place);
#else
extern cudaError_t cudaStreamGetCaptureInfo(handle stream, int* status, unsigned long long* id);
extern cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, int advice, int device);
#endif

static const char ptx[] =
    ".version 7.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry twice(.param .u64 p)\n{\n"
    ".reg .b64 %a<4>;\n.reg .b32 %r<4>;\n"
    "ld.param.u64 %a0, [p];\nmov.u32 %r0, %tid.x;\nmul.wide.u32 %a1, %r0, 4;\nadd.s64 %a2, %a0, %a1;\n"
    "ld.global.u32 %r1, [%a2];\nadd.s32 %r2, %r1, %r1;\nst.global.u32 [%a2], %r2;\nret;\n}\n";

static const struct {
  unsigned magic, version;
  const void* data;
  const void* file;
} wrapper = {0x466243b1, 1, ptx, NULL};

static void check(cudaError_t error, const char* what) {
  if (error == 0) return;
  printf("FAIL %s: error %d\n", what, error);
  exit(1);
}
#define CALL(call) check(call, #call)

static void twice(void) {}

static void expect(long got, long wanted, const char* what) {
  if (got == wanted) return;
  printf("FAIL %s: %ld, not %ld\n", what, got, wanted);
  exit(1);
}

int main(void) {
  int version = 0, count = 0, units = 0, clusters_size = 0;
  CALL(cudaRuntimeGetVersion(&version));
  expect(version / 1000, MAJOR, "major version");
  CALL(cudaGetDeviceCount(&count));
  expect(count, 1, "devices");

  // multiProcessorCount and warpSize where this version's structure has them; nothing behind its end is
  // written.
#if MAJOR == 13
  enum { size = 1008, warp_size_at = 308, units_at = 384 };
#elif MAJOR == 12
  enum { size = 1032, warp_size_at = 308, units_at = 388 };
#else
  enum { size = 728, warp_size_at = 308, units_at = 388 };
#endif
  unsigned char properties[size + 64];
  memset(properties, 0xa5, sizeof properties);
  CALL(cudaGetDeviceProperties(properties, 0));
  int value = 0;
  memcpy(&value, properties + warp_size_at, 4);
  expect(value, 32, "warpSize");
  CALL(cudaDeviceGetAttribute(&units, 16, 0));
  memcpy(&value, properties + units_at, 4);
  expect(value, units, "multiProcessorCount");
  for (clusters_size = size; clusters_size < size + 64; ++clusters_size)
    expect(properties[clusters_size], 0xa5, "byte behind the structure");

  void** fat = __cudaRegisterFatBinary((void*)&wrapper);
  __cudaRegisterFunction(fat, (const char*)twice, "twice", "twice", -1, NULL, NULL, NULL, NULL, NULL);
  __cudaRegisterFatBinaryEnd(fat);
  unsigned host[32];
  for (unsigned i = 0; i < 32; ++i) host[i] = i;
  void* device = NULL;
  CALL(cudaMalloc(&device, sizeof host));
#if MAJOR == 13
  const location place = {1, 0};
#else
  const int place = 0;
#endif
  void* managed = NULL;
  CALL(cudaMallocManaged(&managed, sizeof host, 1));
  CALL(cudaMemAdvise(managed, sizeof host, 1, place));
  CALL(cudaMemcpy(device, host, sizeof host, 1));
  void* arguments[] = {&device};
  const dim3 one = {1, 1, 1}, block = {32, 1, 1};
  CALL(cudaLaunchKernel((const void*)twice, one, block, arguments, 0, NULL));

  handle stream = NULL, graph = NULL, exec = NULL;
  CALL(cudaStreamCreate(&stream));
  CALL(cudaStreamBeginCapture(stream, 0));
  CALL(cudaLaunchKernel((const void*)twice, one, block, arguments, 0, stream));
  int status = 0;
  unsigned long long id = 0;
#if MAJOR == 13
  const handle* nodes = NULL;
  const void* edges = &id;
  size_t tail = 0;
  CALL(cudaStreamGetCaptureInfo(stream, &status, &id, &graph, &nodes, &edges, &tail));
  expect((long)tail, 1, "captured tail");
  expect(edges == NULL, 1, "edges without data");
#else
  CALL(cudaStreamGetCaptureInfo(stream, &status, &id));
#endif
  expect(status, 1, "capture status");
  CALL(cudaStreamEndCapture(stream, &graph));
#if MAJOR == 11
  CALL(cudaGraphInstantiate(&exec, graph, NULL, NULL, 0));
#else
  CALL(cudaGraphInstantiate(&exec, graph, 0));
#endif
  CALL(cudaGraphLaunch(exec, stream));
  CALL(cudaStreamSynchronize(stream));

  CALL(cudaDeviceSynchronize());
  CALL(cudaMemcpy(host, device, sizeof host, 2));
  for (unsigned i = 0; i < 32; ++i) expect(host[i], 4 * i, "result");
  CALL(cudaFree(device));
  CALL(cudaGetLastError());
  __cudaUnregisterFatBinary(fat);
  printf("PASS\n");
  return 0;
}
