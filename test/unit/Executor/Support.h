//===- Support.h - Helpers of the executor's tests -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Small kernels from text, and arrays of bf16.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_EXECUTOR_SUPPORT_H
#define NAPKIN_TEST_UNIT_EXECUTOR_SUPPORT_H

#include "napkin/Executor/Executor.h"
#include "napkin/PTX/Parser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace napkin::executor {

/// A kernel `k` around `body`, with 64-bit parameters p0, p1, ... and registers
/// %p, %r, %rd, %f, %h of each kind; %rd0, %rd1, ... hold the parameters.
inline std::string kernelText(const std::string &body, unsigned parameters = 1,
                              const std::string &before = "",
                              const std::string &target = "sm_80") {
  std::string text = ".version 9.0\n.target " + target +
                     "\n.address_size 64\n" + before + "\n.visible .entry k(";
  for (unsigned i = 0; i < parameters; ++i)
    text += (i ? ", " : "") + std::string(".param .u64 p") + std::to_string(i);
  text += ")\n{\n.reg .pred %p<20>; .reg .b16 %h<40>; .reg .b32 %r<80>; .reg "
          ".b64 %rd<40>;\n"
          ".reg .f32 %f<80>; .reg .f64 %fd<20>; .reg .u32 %t;\n";
  for (unsigned i = 0; i < parameters; ++i)
    text += "ld.param.u64 %rd" + std::to_string(i) + ", [p" +
            std::to_string(i) + "];\n";
  return text + "mov.u32 %t, %tid.x;\n" + body + "\nret;\n}\n";
}

struct Ran {
  std::string error;
  LaunchResult result;
  /// Name of the first trap, "" if none.
  std::string trap() const {
    return result.traps.empty() ? "" : trapName(result.traps[0].kind).str();
  }
};

inline Ran run(const std::string &text, Device &device,
               const std::vector<uint64_t> &pointers, LaunchConfig config,
               Options options = {}) {
  Ran ran;
  auto module = ptx::parse(text, "test.ptx");
  if (!module) {
    ran.error = toString(module.takeError());
    return ran;
  }
  Arguments arguments;
  for (uint64_t p : pointers)
    arguments.pointer(p);
  auto result = launch(device, **module, "", arguments, config, options);
  if (!result) {
    ran.error = toString(result.takeError());
    return ran;
  }
  ran.result = std::move(*result);
  return ran;
}

/// Runs one warp of `body`, which stores 32-bit results at [%rd0 + 4 * tid].
template <class T = uint32_t>
std::vector<T> warpResult(const std::string &body,
                          const std::string &target = "sm_80") {
  Device device;
  uint64_t out = cantFail(device.allocate(32 * sizeof(T)));
  std::string store =
      sizeof(T) == 8
          ? "mad.wide.u32 %rd30, %t, 8, %rd0;\nst.global.u64 [%rd30], %rd31;"
          : "mad.wide.u32 %rd30, %t, 4, %rd0;\nst.global.u32 [%rd30], %r31;";
  Ran ran = run(kernelText(body + "\n" + store, 1, "", target), device, {out},
                {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "")
      << (ran.result.traps.empty() ? "" : describe(ran.result.traps[0], "t"));
  std::vector<T> values(32);
  cantFail(device.copyFromDevice(values.data(), out, 32 * sizeof(T)));
  return values;
}

/// A small integer as f16.
inline uint16_t toHalf(int v) {
  if (!v)
    return 0;
  int exponent;
  float fraction = std::frexp(std::fabs(float(v)), &exponent);
  return uint16_t((v < 0 ? 0x8000 : 0) | (exponent + 14) << 10 |
                  (unsigned(fraction * 2048) & 0x3ff));
}

inline uint16_t toBfloat(float f) {
  uint32_t x;
  std::memcpy(&x, &f, 4);
  return uint16_t((x + 0x7fff + ((x >> 16) & 1)) >> 16);
}
inline float fromBfloat(uint16_t h) {
  uint32_t x = uint32_t(h) << 16;
  float f;
  std::memcpy(&f, &x, 4);
  return f;
}

/// Seeded bf16 values.
inline std::vector<uint16_t> randomBfloat(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> values(count);
  for (uint16_t &v : values)
    v = toBfloat(normal(engine));
  return values;
}

template <class T>
uint64_t upload(Device &device, const std::vector<T> &values,
                const char *name) {
  uint64_t address = cantFail(device.allocate(values.size() * sizeof(T), name));
  cantFail(
      device.copyToDevice(address, values.data(), values.size() * sizeof(T)));
  return address;
}
template <class T>
std::vector<T> download(Device &device, uint64_t address, size_t count) {
  std::vector<T> values(count);
  uint64_t missing = 0;
  cantFail(device.copyFromDevice(values.data(), address, count * sizeof(T),
                                 &missing));
  EXPECT_EQ(missing, 0u);
  return values;
}

} // namespace napkin::executor

#endif // NAPKIN_TEST_UNIT_EXECUTOR_SUPPORT_H
