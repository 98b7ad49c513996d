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

} // namespace
