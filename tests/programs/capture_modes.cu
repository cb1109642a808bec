// Capture modes: what a thread may not do while a stream captures.

#include <thread>

#include <cuda.h>
#include <cuda_runtime.h>

#include "check.h"

namespace {

__global__ void add(int* to) {
  *to += 1;
}

int* memory;

cudaError_t on_another_thread(cudaError_t (*call)()) {
  cudaError_t error = cudaSuccess;
  std::thread([&] {
    error = call();
    (void)cudaGetLastError();
  }).join();
  return error;
}
cudaError_t allocate() {
  void* pointer = nullptr;
  const cudaError_t error = cudaMalloc(&pointer, 64);
  return error == cudaSuccess ? cudaFree(pointer) : error;
}

/// Captures a kernel and `call`; what EndCapture says.
template <class Call>
cudaError_t capture(cudaStreamCaptureMode mode, Call call) {
  cudaStream_t stream;
  cudaGraph_t graph = nullptr;
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  CUDA(cudaStreamBeginCapture(stream, mode));
  add<<<1, 1, 0, stream>>>(memory);
  call(stream);
  const cudaError_t error = cudaStreamEndCapture(stream, &graph);
  EXPECT((graph != nullptr) == (error == cudaSuccess));
  if (graph != nullptr) CUDA(cudaGraphDestroy(graph));
  (void)cudaGetLastError();
  CUDA(cudaStreamDestroy(stream));
  return error;
}

void what_is_unsafe() {
  const auto invalid = cudaErrorStreamCaptureInvalidated;
  for (const auto mode : {cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal}) {
    EXPECT(capture(mode, [](cudaStream_t stream) {
             EXPECT(allocate() == cudaErrorStreamCaptureUnsupported);
             cudaStreamCaptureStatus status;
             CUDA(cudaStreamIsCapturing(stream, &status));
             EXPECT(status == cudaStreamCaptureStatusInvalidated);
           }) == invalid);
    EXPECT(capture(mode, [](cudaStream_t) {
             int value;
             EXPECT(cudaMemcpy(&value, memory, 4, cudaMemcpyDeviceToHost) ==
                    cudaErrorStreamCaptureUnsupported);
           }) == invalid);
    EXPECT(capture(mode, [](cudaStream_t) {
             EXPECT(cudaDeviceSynchronize() == cudaErrorStreamCaptureUnsupported);
           }) == invalid);
    EXPECT(capture(mode, [](cudaStream_t) {
             CUdeviceptr pointer;
             EXPECT(cuMemAlloc(&pointer, 64) == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
           }) == invalid);
    // Asynchronous work of other streams is nobody's business.
    EXPECT(capture(mode, [](cudaStream_t) {
             cudaStream_t other;
             CUDA(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking));
             CUDA(cudaMemsetAsync(memory, 0, 4, other));
             CUDA(cudaStreamSynchronize(other));
             CUDA(cudaStreamDestroy(other));
           }) == cudaSuccess);
  }
  EXPECT(capture(cudaStreamCaptureModeRelaxed, [](cudaStream_t) { CUDA(allocate()); }) == cudaSuccess);
}

void other_threads() {
  // Global against global only.
  EXPECT(capture(cudaStreamCaptureModeGlobal, [](cudaStream_t) {
           EXPECT(on_another_thread(allocate) == cudaErrorStreamCaptureUnsupported);
         }) == cudaErrorStreamCaptureInvalidated);
  EXPECT(capture(cudaStreamCaptureModeGlobal, [](cudaStream_t) {
           EXPECT(on_another_thread([] {
                    cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;
                    CUDA(cudaThreadExchangeStreamCaptureMode(&mode));
                    EXPECT(mode == cudaStreamCaptureModeGlobal);
                    return allocate();
                  }) == cudaSuccess);
         }) == cudaSuccess);
  EXPECT(capture(cudaStreamCaptureModeThreadLocal,
                 [](cudaStream_t) { EXPECT(on_another_thread(allocate) == cudaSuccess); }) == cudaSuccess);
  // A thread that has made itself relaxed, for one call.
  EXPECT(capture(cudaStreamCaptureModeGlobal, [](cudaStream_t) {
           cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
           CUDA(cudaThreadExchangeStreamCaptureMode(&mode));
           CUDA(allocate());
           CUDA(cudaThreadExchangeStreamCaptureMode(&mode));
           EXPECT(mode == cudaStreamCaptureModeRelaxed);
         }) == cudaSuccess);
  // Who begins, ends, unless it is relaxed.
  static cudaStream_t stream;
  static cudaGraph_t graph;
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  for (const auto mode : {cudaStreamCaptureModeGlobal, cudaStreamCaptureModeRelaxed}) {
    CUDA(cudaStreamBeginCapture(stream, mode));
    const cudaError_t error = on_another_thread([] { return cudaStreamEndCapture(stream, &graph); });
    if (mode == cudaStreamCaptureModeRelaxed) {
      CUDA(error);
    } else {
      EXPECT(error == cudaErrorStreamCaptureWrongThread);
      CUDA(cudaStreamEndCapture(stream, &graph));
    }
    CUDA(cudaGraphDestroy(graph));
  }
  CUDA(cudaStreamDestroy(stream));
}

/// The legacy stream would have to wait for a blocking stream that captures.
void legacy_stream() {
  cudaStream_t stream;
  cudaGraph_t graph = nullptr;
  CUDA(cudaStreamCreate(&stream));
  CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
  add<<<1, 1>>>(memory);
  EXPECT(cudaGetLastError() == cudaErrorStreamCaptureImplicit);
  EXPECT(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
  EXPECT(graph == nullptr);
  (void)cudaGetLastError();
  add<<<1, 1>>>(memory);
  CUDA(cudaDeviceSynchronize());
  CUDA(cudaStreamDestroy(stream));
}

}  // namespace

int main() {
  CUDA(cudaMalloc(&memory, 64));
  what_is_unsafe();
  other_threads();
  legacy_stream();
  CUDA(cudaFree(memory));
  std::printf("PASS\n");
}
