__global__ void count_up(float* x) {
  x[threadIdx.x] = static_cast<float>(threadIdx.x);
}

void fill(float* x, int n) {
  count_up<<<1, n>>>(x);
}
