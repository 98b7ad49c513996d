//===- CounterTest.cpp - Bytes, sectors, conflicts -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts that follow from the definitions by hand.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

InstructionCounters count(const std::string &body) {
  Device device;
  std::vector<uint8_t> zeros(65536);
  uint64_t in = upload(device, zeros, "in");
  Ran ran = run(kernelText(body, 1, ".shared .align 128 .b8 s[8192];"), device,
                {in}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error + ran.trap(), "");
  return ran.result.counters.total;
}

std::string loadGlobal(int stride,
                       const std::string &op = "ld.global.u32 %r1, [%rd5]") {
  return "mad.wide.u32 %rd5, %t, " + std::to_string(stride) + ", %rd0; " + op +
         ";";
}

TEST(Counter, Sectors) {
  EXPECT_EQ(count(loadGlobal(4)).globalReadSectors, 4u);
  EXPECT_EQ(count(loadGlobal(4)).globalReadBytes, 128u);
  EXPECT_EQ(count(loadGlobal(0)).globalReadSectors, 1u);
  EXPECT_EQ(count(loadGlobal(0)).globalReadBytes, 128u);
  EXPECT_EQ(count(loadGlobal(32)).globalReadSectors, 32u);
  EXPECT_EQ(count(loadGlobal(16, "ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd5]"))
                .globalReadSectors,
            16u);
  EXPECT_EQ(
      count(loadGlobal(64, "st.global.u32 [%rd5], %t")).globalWriteSectors,
      32u);
  EXPECT_EQ(count("setp.lt.u32 %p1, %t, 8;" +
                  loadGlobal(4, "@%p1 ld.global.u32 %r1, [%rd5]"))
                .globalReadBytes,
            32u);
}

std::string storeShared(int stride,
                        const std::string &op = "st.shared.u32 [%r2], %t") {
  return "mov.u32 %r1, s; mad.lo.u32 %r2, %t, " + std::to_string(stride) +
         ", %r1; " + op + ";";
}

TEST(Counter, BankConflicts) {
  auto wavefronts = [](const InstructionCounters &c) {
    return std::make_pair(c.sharedWavefronts, c.sharedConflicts);
  };
  using Pair = std::pair<uint64_t, uint64_t>;
  EXPECT_EQ(wavefronts(count(storeShared(4))), Pair(1, 0));
  EXPECT_EQ(wavefronts(count(storeShared(8))), Pair(2, 1));
  EXPECT_EQ(wavefronts(count(storeShared(128))), Pair(32, 31));
  EXPECT_EQ(wavefronts(count(storeShared(132))), Pair(1, 0));
  // 16-byte accesses go in phases of 8 lanes: four wavefronts are the fewest.
  EXPECT_EQ(wavefronts(count(
                storeShared(16, "st.shared.v4.u32 [%r2], {%t,%t,%t,%t}"))),
            Pair(4, 0));
  EXPECT_EQ(wavefronts(count(
                storeShared(32, "st.shared.v4.u32 [%r2], {%t,%t,%t,%t}"))),
            Pair(8, 4));
  EXPECT_EQ(
      wavefronts(count(storeShared(8, "st.shared.v2.u32 [%r2], {%t,%t}"))),
      Pair(2, 0));
  // One address for all lanes is a broadcast.
  EXPECT_EQ(wavefronts(count("mov.u32 %r1, 0; setp.eq.u32 %p1, %t, 0; @%p1 "
                             "st.shared.u32 [s], %r1; bar.warp.sync -1;"
                             "ld.shared.u32 %r2, [s];")),
            Pair(2, 0));
}

TEST(Counter, Sampling) {
  Device device;
  std::vector<uint8_t> zeros(65536);
  uint64_t in = upload(device, zeros, "in");
  Options options;
  options.sampleBlocks = 3;
  Ran ran = run(kernelText(loadGlobal(4)), device, {in},
                {{12, 1, 1}, {32, 1, 1}}, options);
  EXPECT_EQ(ran.result.counters.blocksExecuted, 3u);
  EXPECT_EQ(ran.result.counters.total.globalReadBytes, 12u * 128);
}

TEST(Counter, SameOnAnyNumberOfThreads) {
  std::string body = "mov.u32 %r1, %ctaid.x; mad.lo.u32 %r2, %r1, 32, %t; "
                     "mad.wide.u32 %rd5, %r2, 4, %rd0;"
                     "ld.global.u32 %r3, [%rd5]; add.u32 %r3, %r3, %r2; "
                     "st.global.u32 [%rd5], %r3;";
  std::string json[2];
  std::vector<uint32_t> values[2];
  for (unsigned threads : {1u, 2u}) {
    Device device;
    std::vector<uint32_t> zeros(64 * 32);
    uint64_t in = upload(device, zeros, "in");
    Options options;
    options.threads = threads;
    Ran ran =
        run(kernelText(body), device, {in}, {{64, 1, 1}, {32, 1, 1}}, options);
    json[threads - 1] = ran.result.counters.json(true);
    values[threads - 1] = download<uint32_t>(device, in, 64 * 32);
  }
  EXPECT_EQ(json[0], json[1]);
  EXPECT_EQ(values[0], values[1]);
}

TEST(Counters, Occupancy) {
  // The numbers of CUDA's occupancy calculator.
  Hardware a100, h100;
  a100.threads = h100.threads = 2048;
  a100.blocks = h100.blocks = 32;
  a100.registers = h100.registers = 65536;
  a100.sharedBytes = 163 * 1024;
  h100.sharedBytes = 227 * 1024;
  struct Case {
    const Hardware &hardware;
    uint32_t threads, registers, shared, blocks;
    const char *limit;
  } cases[] = {
      {a100, 32, 0, 0, 32, "blocks"},
      {a100, 256, 32, 0, 8, "threads"},
      // 168 x 32 registers a warp: 12 warps of 65536, which are one block of 8.
      {a100, 256, 168, 0, 1, "registers"},
      {a100, 128, 64, 0, 8, "registers"},
      // 72 registers are 2304 a warp: 28 warps.
      {a100, 128, 72, 0, 7, "registers"},
      {a100, 128, 65, 0, 7, "registers"},
      {a100, 128, 0, 49152, 3, "shared memory"},
      {h100, 128, 168, 113 * 1024, 2, "shared memory"},
      {h100, 384, 168, 227 * 1024, 1, "registers"},
      {a100, 1024, 72, 0, 0, "registers"},
  };
  for (const Case &c : cases) {
    Occupancy got = occupancy(c.hardware, c.threads, c.registers, c.shared);
    EXPECT_EQ(got.blocksPerMultiprocessor, c.blocks) << c.threads;
    EXPECT_EQ(got.limit, c.limit) << c.threads << " " << c.registers;
  }
}

TEST(Counters, BlocksThatDoNotFit) {
  Device device;
  uint64_t out = cantFail(device.allocate(4));
  Options options;
  options.hardware = Hardware();
  options.hardware->name = "small";
  options.hardware->threads = 1024;
  options.hardware->blocks = 16;
  options.hardware->sharedBytes = 48 * 1024;
  LaunchConfig config;
  config.dynamicSharedBytes = 64 * 1024;
  Ran ran = run(kernelText(""), device, {out}, config, options);
  EXPECT_NE(ran.error.find("65536 bytes of shared memory exceed the 49152"),
            std::string::npos)
      << ran.error;
  options = Options();
  options.cacheModel = true;
  ran = run(kernelText(""), device, {out}, {}, options);
  EXPECT_NE(ran.error.find("needs a hardware description"), std::string::npos);
}

TEST(Counters, DramBytes) {
  // A block per 4 KiB reads all of it three times and writes it once. A cache
  // of the whole array fetches and writes each byte once; one of 1 KiB fetches
  // three times.
  std::string body = R"(
    mov.u32 %r1, %ctaid.x; mad.lo.u32 %r1, %r1, 1024, %t;
    mov.u32 %r2, 0; mov.u32 %r5, 0;
  AGAIN:
    mov.u32 %r3, 0;
  NEXT:
    mad.lo.u32 %r4, %r3, 32, %r1;
    mad.wide.u32 %rd3, %r4, 4, %rd0;
    ld.global.u32 %r6, [%rd3];
    add.u32 %r5, %r5, %r6;
    add.u32 %r3, %r3, 1;
    setp.lt.u32 %p1, %r3, 32;
    @%p1 bra NEXT;
    add.u32 %r2, %r2, 1;
    setp.lt.u32 %p1, %r2, 3;
    @%p1 bra AGAIN;
    mad.wide.u32 %rd3, %r1, 4, %rd1;
    st.global.u32 [%rd3], %r5;
  )";
  for (uint64_t cache : {1 << 20, 1 << 10}) {
    Device device;
    uint64_t in = upload(device, std::vector<uint32_t>(4096, 1), "in"),
             out = cantFail(device.allocate(16384, "out"));
    Options options;
    options.cacheModel = true;
    options.hardware = Hardware();
    options.hardware->multiprocessors = 1;
    options.hardware->threads = 32;
    options.hardware->blocks = 1;
    options.hardware->cacheBytes = cache;
    Ran ran = run(kernelText(body, 2), device, {in, out},
                  {{4, 1, 1}, {32, 1, 1}}, options);
    ASSERT_EQ(ran.trap(), "");
    uint64_t times = cache == 1 << 20 ? 1 : 3;
    EXPECT_EQ(ran.result.counters.dramReadBytes, 16384 * times);
    EXPECT_EQ(ran.result.counters.dramWriteBytes, 4u * 128);
    EXPECT_EQ(ran.result.counters.l2ReadSectors, 3u * 16384 / 32);
  }
}

} // namespace
