//===- Runtime.h - The CUDA runtime over the executor ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime API (libcudart) by the functions of the driver API. NVIDIA's own
// runtime runs on no driver but NVIDIA's; programs that nvcc built call these
// functions instead, which napkin-run --program gives them.
//
// Only the standard library and the driver are used here.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_RUNTIME_RUNTIME_H
#define NAPKIN_LIB_RUNTIME_RUNTIME_H

#include "../Driver/Api.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace napkin::runtime {

using driver::Address;
using driver::Handle;

/// cudaError_t; the values are those of the driver, and these beside them.
using Error = int;
constexpr Error success = 0, errorInvalidValue = 1,
                errorInvalidConfiguration = 9, errorInvalidSymbol = 13,
                errorInvalidDeviceFunction = 98, errorMissingConfiguration = 52,
                errorInvalidDevice = 101, errorNotSupported = 801;

/// dim3.
struct Extent {
  unsigned x, y, z;
};

/// cudaLaunchConfig_t.
struct LaunchConfig {
  Extent grid, block;
  size_t sharedBytes;
  Handle stream;
  const driver::LaunchAttribute *attributes;
  unsigned numAttributes;
};

/// What nvcc's registration hands over: a fat binary, loaded when something of
/// it is needed.
struct Binary {
  const void *image = nullptr;
  Handle module = nullptr;
};

/// A kernel or a variable of a binary, by the address that the host knows it
/// by.
struct Symbol {
  Binary *binary = nullptr;
  std::string name;
  Handle function = nullptr;
};

/// What is registered. Never destroyed: programs call from destructors.
class Registry {
public:
  static Registry &get();
  std::recursive_mutex lock;
  std::map<const void *, Symbol> kernels, variables;

  /// The kernel behind `entry`, which is the host's stub or a kernel's handle.
  Error findKernel(const void *entry, Handle &function);
  Error findVariable(const void *symbol, Address &address, size_t &bytes);

private:
  Error load(Binary &binary);
};

/// Starts the driver and makes the primary context current, if it is not.
Error ensure();

/// Keeps `error` for cudaGetLastError() and returns it.
Error note(Error error);

/// ensure(), then `body`.
template <typename Body>
Error call(Body body) {
  if (Error error = ensure())
    return note(error);
  return note(body());
}

/// What every exported function is.
#define NAPKIN_RUNTIME                                                         \
  extern "C" __attribute__((visibility("default"))) napkin::runtime::Error

/// The function of the driver called `name`, or null. The driver is opened when
/// the first one is needed: a process that calls none has nothing of it.
void *findDriverFunction(const char *name);

/// A function of the driver.
template <typename Signature>
class DriverFunction;
template <typename... Arguments>
class DriverFunction<int(Arguments...)> {
public:
  explicit constexpr DriverFunction(const char *name) : name(name) {}
  Error operator()(Arguments... arguments) const {
    constexpr Error errorInsufficientDriver = 35;
    auto *function =
        reinterpret_cast<int (*)(Arguments...)>(findDriverFunction(name));
    return function ? function(arguments...) : errorInsufficientDriver;
  }

private:
  const char *name;
};

inline const DriverFunction<int(unsigned)> cuInit{"cuInit"};
inline const DriverFunction<int(int *)> cuDriverGetVersion{
    "cuDriverGetVersion"};
inline const DriverFunction<int(int, const char **)> cuGetErrorString{
    "cuGetErrorString"};
inline const DriverFunction<int(int *)> cuDeviceGetCount{"cuDeviceGetCount"};
inline const DriverFunction<int(char *, int, int)> cuDeviceGetName{
    "cuDeviceGetName"};
inline const DriverFunction<int(char *, int)> cuDeviceGetUuid_v2{
    "cuDeviceGetUuid_v2"};
inline const DriverFunction<int(size_t *, int)> cuDeviceTotalMem_v2{
    "cuDeviceTotalMem_v2"};
inline const DriverFunction<int(int *, int, int)> cuDeviceGetAttribute{
    "cuDeviceGetAttribute"};
inline const DriverFunction<int(char *, int, int)> cuDeviceGetPCIBusId{
    "cuDeviceGetPCIBusId"};
inline const DriverFunction<int(void **, int)> cuDeviceGetDefaultMemPool{
    "cuDeviceGetDefaultMemPool"};
inline const DriverFunction<int(void **, int)> cuDevicePrimaryCtxRetain{
    "cuDevicePrimaryCtxRetain"};
inline const DriverFunction<int(int)> cuDevicePrimaryCtxReset_v2{
    "cuDevicePrimaryCtxReset_v2"};
inline const DriverFunction<int(void **)> cuCtxGetCurrent{"cuCtxGetCurrent"};
inline const DriverFunction<int(void *)> cuCtxSetCurrent{"cuCtxSetCurrent"};
inline const DriverFunction<int()> cuCtxSynchronize{"cuCtxSynchronize"};
inline const DriverFunction<int(int, size_t)> cuCtxSetLimit{"cuCtxSetLimit"};
inline const DriverFunction<int(size_t *, int)> cuCtxGetLimit{"cuCtxGetLimit"};
inline const DriverFunction<int(int *, int *)> cuCtxGetStreamPriorityRange{
    "cuCtxGetStreamPriorityRange"};
inline const DriverFunction<int(void **, const void *)> cuModuleLoadData{
    "cuModuleLoadData"};
inline const DriverFunction<int(void *)> cuModuleUnload{"cuModuleUnload"};
inline const DriverFunction<int(void **, void *, const char *)>
    cuModuleGetFunction{"cuModuleGetFunction"};
inline const DriverFunction<int(uint64_t *, size_t *, void *, const char *)>
    cuModuleGetGlobal_v2{"cuModuleGetGlobal_v2"};
inline const DriverFunction<int(int *, int, void *)> cuFuncGetAttribute{
    "cuFuncGetAttribute"};
inline const DriverFunction<int(void *, int, int)> cuFuncSetAttribute{
    "cuFuncSetAttribute"};
inline const DriverFunction<int(const char **, void *)> cuFuncGetName{
    "cuFuncGetName"};
inline const DriverFunction<int(uint64_t *, size_t)> cuMemAlloc_v2{
    "cuMemAlloc_v2"};
inline const DriverFunction<int(uint64_t *, size_t *, size_t, size_t, unsigned)>
    cuMemAllocPitch_v2{"cuMemAllocPitch_v2"};
inline const DriverFunction<int(uint64_t *, size_t, unsigned)>
    cuMemAllocManaged{"cuMemAllocManaged"};
inline const DriverFunction<int(uint64_t *, size_t, void *)> cuMemAllocAsync{
    "cuMemAllocAsync"};
inline const DriverFunction<int(uint64_t *, size_t, void *, void *)>
    cuMemAllocFromPoolAsync{"cuMemAllocFromPoolAsync"};
inline const DriverFunction<int(uint64_t)> cuMemFree_v2{"cuMemFree_v2"};
inline const DriverFunction<int(uint64_t, void *)> cuMemFreeAsync{
    "cuMemFreeAsync"};
inline const DriverFunction<int(size_t *, size_t *)> cuMemGetInfo_v2{
    "cuMemGetInfo_v2"};
inline const DriverFunction<int(void **, size_t, unsigned)> cuMemHostAlloc{
    "cuMemHostAlloc"};
inline const DriverFunction<int(void *)> cuMemFreeHost{"cuMemFreeHost"};
inline const DriverFunction<int(void *, size_t, unsigned)> cuMemHostRegister_v2{
    "cuMemHostRegister_v2"};
inline const DriverFunction<int(void *)> cuMemHostUnregister{
    "cuMemHostUnregister"};
inline const DriverFunction<int(uint64_t *, void *, unsigned)>
    cuMemHostGetDevicePointer_v2{"cuMemHostGetDevicePointer_v2"};
inline const DriverFunction<int(unsigned *, void *)> cuMemHostGetFlags{
    "cuMemHostGetFlags"};
inline const DriverFunction<int(void *, int, void *)> cuMemPoolSetAttribute{
    "cuMemPoolSetAttribute"};
inline const DriverFunction<int(void *, int, void *)> cuMemPoolGetAttribute{
    "cuMemPoolGetAttribute"};
inline const DriverFunction<int(void *, size_t)> cuMemPoolTrimTo{
    "cuMemPoolTrimTo"};
inline const DriverFunction<int(void *, int, uint64_t)> cuPointerGetAttribute{
    "cuPointerGetAttribute"};
inline const DriverFunction<int(uint64_t, uint64_t, size_t, void *)>
    cuMemcpyAsync{"cuMemcpyAsync"};
inline const DriverFunction<int(uint64_t, const void *, size_t, void *)>
    cuMemcpyHtoDAsync_v2{"cuMemcpyHtoDAsync_v2"};
inline const DriverFunction<int(void *, uint64_t, size_t, void *)>
    cuMemcpyDtoHAsync_v2{"cuMemcpyDtoHAsync_v2"};
inline const DriverFunction<int(uint64_t, uint64_t, size_t, void *)>
    cuMemcpyDtoDAsync_v2{"cuMemcpyDtoDAsync_v2"};
inline const DriverFunction<int(const napkin::driver::Copy2D *, void *)>
    cuMemcpy2DAsync_v2{"cuMemcpy2DAsync_v2"};
inline const DriverFunction<int(uint64_t, unsigned char, size_t, void *)>
    cuMemsetD8Async{"cuMemsetD8Async"};
inline const DriverFunction<int(uint64_t, size_t, unsigned char, size_t, size_t,
                                void *)>
    cuMemsetD2D8Async{"cuMemsetD2D8Async"};
inline const DriverFunction<int(void **, unsigned, int)>
    cuStreamCreateWithPriority{"cuStreamCreateWithPriority"};
inline const DriverFunction<int(void *)> cuStreamDestroy_v2{
    "cuStreamDestroy_v2"};
inline const DriverFunction<int(void *)> cuStreamSynchronize{
    "cuStreamSynchronize"};
inline const DriverFunction<int(void *)> cuStreamQuery{"cuStreamQuery"};
inline const DriverFunction<int(void *, void *, unsigned)> cuStreamWaitEvent{
    "cuStreamWaitEvent"};
inline const DriverFunction<int(void *, unsigned *)> cuStreamGetFlags{
    "cuStreamGetFlags"};
inline const DriverFunction<int(void *, int *)> cuStreamGetPriority{
    "cuStreamGetPriority"};
inline const DriverFunction<int(void *, unsigned long long *)> cuStreamGetId{
    "cuStreamGetId"};
inline const DriverFunction<int(void *, void (*)(void *), void *)>
    cuLaunchHostFunc{"cuLaunchHostFunc"};
inline const DriverFunction<int(void *, void (*)(void *, int, void *), void *,
                                unsigned)>
    cuStreamAddCallback{"cuStreamAddCallback"};
inline const DriverFunction<int(void **, unsigned)> cuEventCreate{
    "cuEventCreate"};
inline const DriverFunction<int(void *)> cuEventDestroy_v2{"cuEventDestroy_v2"};
inline const DriverFunction<int(void *, void *)> cuEventRecord{"cuEventRecord"};
inline const DriverFunction<int(void *)> cuEventQuery{"cuEventQuery"};
inline const DriverFunction<int(void *)> cuEventSynchronize{
    "cuEventSynchronize"};
inline const DriverFunction<int(float *, void *, void *)> cuEventElapsedTime{
    "cuEventElapsedTime"};
inline const DriverFunction<int(const napkin::driver::LaunchConfigEx *, void *,
                                void **, void **)>
    cuLaunchKernelEx{"cuLaunchKernelEx"};
inline const DriverFunction<int(int *, void *, int, size_t, unsigned)>
    cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags{
        "cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags"};
inline const DriverFunction<int(size_t *, void *, int, int)>
    cuOccupancyAvailableDynamicSMemPerBlock{
        "cuOccupancyAvailableDynamicSMemPerBlock"};
inline const DriverFunction<int(int *, void *,
                                const napkin::driver::LaunchConfigEx *)>
    cuOccupancyMaxActiveClusters{"cuOccupancyMaxActiveClusters"};
inline const DriverFunction<int(const char *, void **, int, uint64_t, int *)>
    cuGetProcAddress_v2{"cuGetProcAddress_v2"};

} // namespace napkin::runtime

#endif // NAPKIN_LIB_RUNTIME_RUNTIME_H
