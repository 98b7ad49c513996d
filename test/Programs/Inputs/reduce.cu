// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sum and a sorted order by CUB, as a user of the library writes them.
#include <cstdio>
#include <cub/cub.cuh>
#include <vector>

#define CHECK(call)                                                            \
  do {                                                                         \
    cudaError_t error = call;                                                  \
    if (error != cudaSuccess) {                                                \
      std::printf("%s: %s\n", #call, cudaGetErrorString(error));               \
      return 1;                                                                \
    }                                                                          \
  } while (0)

int main() {
  const int n = 70001;
  std::vector<int> x(n);
  long long expected = 0;
  for (int i = 0; i < n; ++i)
    expected += x[i] = (i * 7919) % 1000 - 300;
  int *in;
  long long *out, sum = 0;
  CHECK(cudaMalloc(&in, n * sizeof(int)));
  CHECK(cudaMalloc(&out, sizeof sum));
  CHECK(cudaMemcpy(in, x.data(), n * sizeof(int), cudaMemcpyDefault));
  void *scratch = nullptr;
  size_t bytes = 0;
  CHECK(cub::DeviceReduce::Reduce(scratch, bytes, in, out, n,
                                  cuda::std::plus<>{}, 0ll));
  CHECK(cudaMalloc(&scratch, bytes));
  CHECK(cub::DeviceReduce::Reduce(scratch, bytes, in, out, n,
                                  cuda::std::plus<>{}, 0ll));
  CHECK(cudaMemcpy(&sum, out, sizeof sum, cudaMemcpyDeviceToHost));
  std::printf("sum %lld, expected %lld\n", sum, expected);
  return sum != expected;
}
