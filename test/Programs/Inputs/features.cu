// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What else programs ask of the runtime: variables, pitched, managed and host
// memory, streams and events, occupancy, attributes, cooperative launches and
// printf.
#include <cooperative_groups.h>
#include <cstdio>
#include <cstring>

__constant__ float factors[4];
__device__ int counter;

__global__ void scale(const float *x, float *y, size_t pitch, int width) {
  const char *from = reinterpret_cast<const char *>(x) + blockIdx.x * pitch;
  char *to = reinterpret_cast<char *>(y) + blockIdx.x * pitch;
  for (int i = threadIdx.x; i < width; i += blockDim.x)
    reinterpret_cast<float *>(to)[i] =
        factors[blockIdx.x % 4] * reinterpret_cast<const float *>(from)[i];
  if (threadIdx.x == 0)
    atomicAdd(&counter, 1);
}

__global__ void both(int *x) {
  x[blockIdx.x] = blockIdx.x + 1;
  cooperative_groups::this_grid().sync();
  if (blockIdx.x == 0 && threadIdx.x == 0)
    printf("the other block wrote %d\n", x[1]);
}

template <typename T>
__global__ void large(T *x) {
  extern __shared__ T tile[];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

#define CHECK(call)                                                            \
  do {                                                                         \
    cudaError_t error = call;                                                  \
    if (error != cudaSuccess) {                                                \
      std::printf("%s: %s\n", #call, cudaGetErrorName(error));                 \
      return 1;                                                                \
    }                                                                          \
  } while (0)

int main() {
  const int width = 37, height = 5;
  float host[height][width], back[height][width], f[] = {1, 2, 4, 8};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      host[y][x] = y + x;
  float *in, *out;
  size_t pitch, other;
  CHECK(cudaMallocPitch(&in, &pitch, width * 4, height));
  CHECK(cudaMallocPitch(&out, &other, width * 4, height));
  cudaStream_t stream;
  cudaEvent_t begin, end;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  CHECK(cudaMemcpyToSymbol(factors, f, sizeof f));
  CHECK(cudaMemcpy2DAsync(in, pitch, host, width * 4, width * 4, height,
                          cudaMemcpyHostToDevice, stream));
  CHECK(cudaEventRecord(begin, stream));
  scale<<<height, 32, 0, stream>>>(in, out, pitch, width);
  CHECK(cudaGetLastError());
  CHECK(cudaEventRecord(end, stream));
  CHECK(cudaMemcpy2DAsync(back, width * 4, out, pitch, width * 4, height,
                          cudaMemcpyDeviceToHost, stream));
  CHECK(cudaStreamSynchronize(stream));
  float milliseconds = -1;
  CHECK(cudaEventElapsedTime(&milliseconds, begin, end));
  int count = 0;
  CHECK(cudaMemcpyFromSymbol(&count, counter, sizeof count));
  std::printf("y[3][36] = %g, %d blocks, %s\n", back[3][36], count,
              milliseconds > 0 ? "timed" : "not timed");

  int *managed;
  CHECK(cudaMallocManaged(&managed, 2 * sizeof(int)));
  void *arguments[] = {&managed};
  CHECK(cudaLaunchCooperativeKernel((void *)both, dim3(2), dim3(32), arguments,
                                    0, 0));
  CHECK(cudaDeviceSynchronize());
  std::printf("managed %d %d\n", managed[0], managed[1]);

  int blocks = 0;
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, large<double>));
  CHECK(cudaFuncSetAttribute(large<double>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize,
                             100000));
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, large<double>,
                                                      128, 100000));
  std::printf("at most %d threads, %d blocks\n", attributes.maxThreadsPerBlock,
              blocks);
  double *pinned;
  CHECK(cudaMallocHost(&pinned, 128 * sizeof(double)));
  for (int i = 0; i < 128; ++i)
    pinned[i] = i;
  large<<<1, 128, 100000>>>(pinned);
  CHECK(cudaDeviceSynchronize());
  std::printf("pinned[0] = %g\n", pinned[0]);
  large<<<1, 2000>>>(pinned);
  std::printf("2000 threads: %s\n", cudaGetErrorName(cudaGetLastError()));
  large<<<1, 128, 110000>>>(pinned);
  std::printf("more shared memory: %s\n", cudaGetErrorName(cudaGetLastError()));
  cudaArray_t array;
  cudaChannelFormatDesc description = cudaCreateChannelDesc<float>();
  std::printf("arrays: %s\n",
              cudaGetErrorName(cudaMallocArray(&array, &description, 4)));
  CHECK(cudaFree(in));
  CHECK(cudaFree(out));
  CHECK(cudaFree(managed));
  CHECK(cudaFreeHost(pinned));
  return 0;
}
