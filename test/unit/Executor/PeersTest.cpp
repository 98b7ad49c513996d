//===- PeersTest.cpp - Kernels of other compilers --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Text that nvcc and Triton emitted, against answers computed here in double.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "napkin/Executor/Manifest.h"

using namespace napkin::executor;

namespace {

std::unique_ptr<napkin::ptx::Module> peer(const char *name) {
  auto module =
      napkin::ptx::parseFile(std::string(NAPKIN_TEST_INPUTS) + "/" + name);
  if (!module) {
    ADD_FAILURE() << toString(module.takeError());
    return nullptr;
  }
  return std::move(*module);
}

LaunchResult go(Device &device, const napkin::ptx::Module &module,
                const Arguments &arguments, const LaunchConfig &config,
                const Options &options = {}) {
  auto result = launch(device, module, "", arguments, config, options);
  if (!result) {
    ADD_FAILURE() << toString(result.takeError());
    return {};
  }
  for (const Trap &trap : result->traps)
    ADD_FAILURE() << describe(trap, module.file);
  return std::move(*result);
}

/// C = A B (or A Bᵀ), error relative to the largest possible sum.
void checkProduct(const std::vector<uint16_t> &a,
                  const std::vector<uint16_t> &b,
                  const std::vector<uint16_t> &c, int m, int n, int k,
                  bool transposed = false) {
  for (int i = 0; i < m; i += 7)
    for (int j = 0; j < n; j += 5) {
      double sum = 0, size = 0;
      for (int x = 0; x < k; ++x) {
        double p = double(fromBfloat(a[i * k + x])) *
                   fromBfloat(transposed ? b[j * k + x] : b[x * n + j]);
        sum += p;
        size += std::fabs(p);
      }
      ASSERT_NEAR(fromBfloat(c[i * n + j]), sum,
                  std::fabs(sum) / 256 + size * 1e-6)
          << i << ", " << j;
    }
}

const int M = 256, N = 384, K = 192;

TEST(Peers, NvccGemmSm80) {
  auto module = peer("nvcc_gemm_mma_sm80.ptx");
  ASSERT_TRUE(module);
  Device device;
  auto a = randomBfloat(M * K, 1), b = randomBfloat(K * N, 2);
  uint64_t da = upload(device, a, "a"), db = upload(device, b, "b");
  uint64_t dc = cantFail(device.allocate(M * N * 2, "c"));
  Arguments arguments;
  arguments.pointer(da).pointer(db).pointer(dc).i32(M).i32(N).i32(K);
  for (Completion completion :
       {Completion::Latest, Completion::Earliest, Completion::Random}) {
    Options options;
    options.completion = completion;
    LaunchResult result =
        go(device, *module, arguments,
           {{N / 128, M / 128, 1}, {128, 1, 1}, {1, 1, 1}, 65536}, options);
    checkProduct(a, b, download<uint16_t>(device, dc, M * N), M, N, K);
    EXPECT_EQ(result.counters.total.tensorMacs, uint64_t(M) * N * K);
    // Each block reads its rows of A and columns of B once.
    EXPECT_EQ(result.counters.total.globalReadBytes,
              uint64_t(M / 128) * (N / 128) * (128 * K + K * 128) * 2);
    EXPECT_EQ(result.counters.total.globalWriteBytes, uint64_t(M) * N * 2);
  }
}

TEST(Peers, TritonGemmSm80) {
  auto module = peer("triton_gemm_k64_s3_sm80.ptx");
  ASSERT_TRUE(module);
  Device device;
  auto a = randomBfloat(M * K, 3), b = randomBfloat(K * N, 4);
  uint64_t da = upload(device, a, "a"), db = upload(device, b, "b");
  uint64_t dc = cantFail(device.allocate(M * N * 2, "c"));
  Arguments arguments;
  arguments.pointer(da)
      .pointer(db)
      .pointer(dc)
      .i32(M)
      .i32(N)
      .i32(K)
      .i32(K)
      .i32(N)
      .i32(N);
  arguments.pointer(0).pointer(0);
  LaunchResult result =
      go(device, *module, arguments,
         {{(M / 128) * (N / 128), 1, 1}, {256, 1, 1}, {1, 1, 1}, 65536});
  checkProduct(a, b, download<uint16_t>(device, dc, M * N), M, N, K);
  EXPECT_EQ(result.counters.total.tensorMacs, uint64_t(M) * N * K);
}

/// Softmax attention in double for row i of head h.
void checkAttention(const std::vector<uint16_t> &q,
                    const std::vector<uint16_t> &k,
                    const std::vector<uint16_t> &v,
                    const std::vector<uint16_t> &o, const std::vector<float> &m,
                    int heads, int length, double scale) {
  const int d = 64;
  for (int h = 0; h < heads; ++h)
    for (int i = 0; i < length; i += 13) {
      std::vector<double> p(length);
      double top = -1e300, sum = 0;
      for (int j = 0; j < length; ++j) {
        double s = 0;
        for (int x = 0; x < d; ++x)
          s += double(fromBfloat(q[(h * length + i) * d + x])) *
               fromBfloat(k[(h * length + j) * d + x]);
        p[j] = s * scale;
        top = std::max(top, p[j]);
      }
      for (double &x : p)
        sum += x = std::exp(x - top);
      ASSERT_NEAR(m[h * length + i], (top + std::log(sum)) * 1.4426950408889634,
                  1e-3);
      for (int x = 0; x < d; x += 3) {
        double r = 0;
        for (int j = 0; j < length; ++j)
          r += p[j] * fromBfloat(v[(h * length + j) * d + x]);
        // p is rounded to bf16 before the second product.
        ASSERT_NEAR(fromBfloat(o[(h * length + i) * d + x]), r / sum, 0.01)
            << h << " " << i << " " << x;
      }
    }
}

TEST(Peers, TritonAttentionSm80) {
  auto module = peer("triton_attn_ptr_d64_nc_sm80.ptx");
  ASSERT_TRUE(module);
  const int heads = 2, length = 256, d = 64, size = heads * length * d;
  Device device;
  auto q = randomBfloat(size, 5), k = randomBfloat(size, 6),
       v = randomBfloat(size, 7);
  uint64_t dq = upload(device, q, "q"), dk = upload(device, k, "k"),
           dv = upload(device, v, "v");
  uint64_t dm = cantFail(device.allocate(heads * length * 4, "m"));
  uint64_t dout = cantFail(device.allocate(size * 2, "o"));
  Arguments arguments;
  arguments.f32(0.125f).pointer(dm).pointer(dq).pointer(dk).pointer(dv).pointer(
      dout);
  arguments.i32(size)
      .i32(length * d)
      .i32(d)
      .i32(d)
      .i32(d)
      .i32(d)
      .i32(1)
      .i32(heads)
      .i32(length);
  arguments.pointer(0).pointer(0);
  LaunchResult result =
      go(device, *module, arguments,
         {{length / 128, heads, 1}, {128, 1, 1}, {1, 1, 1}, 49152});
  checkAttention(q, k, v, download<uint16_t>(device, dout, size),
                 download<float>(device, dm, heads * length), heads, length,
                 0.125);
  // Per block: its tile of Q once, all of K and V.
  EXPECT_EQ(result.counters.total.globalReadBytes,
            uint64_t(heads) * (length / 128) * (128 * d + 2 * length * d) * 2);
  EXPECT_EQ(result.counters.total.globalWriteBytes,
            uint64_t(size) * 2 + heads * length * 4);
}

/// A map over rows x columns of bf16, with what Triton passes after it.
void addMap(Arguments &arguments, uint64_t address, uint64_t rows,
            uint64_t columns, uint32_t boxRows, uint32_t boxColumns) {
  TensorMapInfo info;
  info.sizes = {columns, rows};
  info.strides = {columns * 2};
  info.box = {boxColumns, boxRows};
  info.swizzle = 128;
  auto map = cantFail(encodeTensorMap(address, info));
  arguments.raw(map.data(), map.size());
  arguments.i32(rows).i32(columns).i64(columns).i64(1);
}

const Completion completions[] = {Completion::Latest, Completion::Earliest,
                                  Completion::Random};

TEST(Peers, TritonGemmSm90) {
  auto module = peer("triton_gemm_tma_k64_s4_sm90.ptx");
  ASSERT_TRUE(module);
  Device device;
  auto a = randomBfloat(M * K, 8), b = randomBfloat(N * K, 9);
  uint64_t da = upload(device, a, "a"), db = upload(device, b, "b");
  uint64_t dc = cantFail(device.allocate(M * N * 2, "c"));
  Arguments arguments;
  addMap(arguments, da, M, K, 128, 64);
  addMap(arguments, db, N, K, 128, 64);
  addMap(arguments, dc, M, N, 128, 64);
  arguments.i32(M).i32(N).i32(K).pointer(0).pointer(0);
  for (Completion completion : completions) {
    Options options;
    options.completion = completion;
    options.seed = unsigned(completion);
    LaunchResult result =
        go(device, *module, arguments,
           {{(M / 128) * (N / 128), 1, 1}, {128, 1, 1}, {1, 1, 1}, 131104},
           options);
    checkProduct(a, b, download<uint16_t>(device, dc, M * N), M, N, K, true);
    EXPECT_EQ(result.counters.total.tensorMacs, uint64_t(M) * N * K);
  }
}

TEST(Peers, TritonAttentionSm90) {
  auto module = peer("triton_attn_tma_d64_nc_sm90.ptx");
  ASSERT_TRUE(module);
  const int heads = 2, length = 256, d = 64, size = heads * length * d;
  Device device;
  auto q = randomBfloat(size, 5), k = randomBfloat(size, 6),
       v = randomBfloat(size, 7);
  uint64_t dq = upload(device, q, "q"), dk = upload(device, k, "k"),
           dv = upload(device, v, "v");
  uint64_t dm = cantFail(device.allocate(heads * length * 4, "m"));
  uint64_t dout = cantFail(device.allocate(size * 2, "o"));
  Arguments arguments;
  arguments.f32(0.125f).pointer(dm).i32(1).i32(heads);
  addMap(arguments, dq, heads * length, d, 128, 64);
  addMap(arguments, dk, heads * length, d, 64, 64);
  addMap(arguments, dv, heads * length, d, 64, 64);
  addMap(arguments, dout, heads * length, d, 128, 64);
  arguments.i32(length).pointer(0).pointer(0);
  for (Completion completion : completions) {
    Options options;
    options.completion = completion;
    options.seed = unsigned(completion);
    LaunchResult result =
        go(device, *module, arguments,
           {{length / 128, heads, 1}, {128, 1, 1}, {1, 1, 1}, 65592}, options);
    checkAttention(q, k, v, download<uint16_t>(device, dout, size),
                   download<float>(device, dm, heads * length), heads, length,
                   0.125);
    EXPECT_EQ(result.counters.total.globalReadBytes,
              uint64_t(heads) * (length / 128) * (128 * d + 2 * length * d) *
                  2);
  }
}

} // namespace
