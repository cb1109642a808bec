// A kernel that runs until the host tells it to stop, and answers what the host asks meanwhile: the device
// goes on as far as the host has come, and no further.
#include <cuda_runtime.h>

#include "check.h"

struct Mailbox {
  int request, answer, stop;
};

__global__ void serve(volatile Mailbox* box) {
  int served = 0;
  while (!box->stop) {
    if (box->request == served) continue;
    served = box->request;
    box->answer = 10 * served;
    __threadfence_system();
  }
}

int main() {
  Mailbox* box = nullptr;
  CUDA(cudaHostAlloc(&box, sizeof(Mailbox), cudaHostAllocMapped));
  *box = Mailbox{};
  cudaStream_t stream;
  CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  serve<<<1, 1, 0, stream>>>(box);
  for (int i = 1; i <= 3; ++i) {
    box->request = i;
    int polls = 0;
    while (*static_cast<volatile int*>(&box->answer) != 10 * i) {
      EXPECT(cudaStreamQuery(stream) == cudaErrorNotReady);
      EXPECT(++polls < 100);
    }
  }
  box->stop = 1;
  CUDA(cudaStreamSynchronize(stream));
  CUDA(cudaStreamQuery(stream));
  CUDA(cudaStreamDestroy(stream));
  CUDA(cudaFreeHost(box));
  std::printf("PASS\n");
}
