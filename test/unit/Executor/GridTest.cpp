//===- GridTest.cpp - Blocks that wait for each other ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Barriers of the whole grid, chains between blocks, and loops that nobody
// ends.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

/// %r1: block, %r2: blocks; %rd4: address of the block's element of %rd0.
const char *element = R"(
mov.u32 %r1, %ctaid.x; mov.u32 %r2, %nctaid.x;
mad.wide.u32 %rd4, %r1, 4, %rd0;
)";

TEST(Grid, Barrier) {
  // Each block writes its element, all meet, each reads its neighbour's.
  std::string body = std::string(element) + R"(
    setp.ne.u32 %p1, %t, 0;
    @%p1 bra MEET;
    add.u32 %r3, %r1, 100;
    st.global.u32 [%rd4], %r3;
    atom.add.release.gpu.global.u32 %r4, [%rd1], 1;
  SPIN:
    ld.acquire.gpu.global.u32 %r5, [%rd1];
    setp.lt.u32 %p2, %r5, %r2;
    @%p2 bra SPIN;
  MEET:
    bar.sync 0;
    @%p1 bra DONE;
    add.u32 %r6, %r1, 1; rem.u32 %r6, %r6, %r2;
    mad.wide.u32 %rd5, %r6, 4, %rd0;
    ld.global.u32 %r7, [%rd5];
    mad.wide.u32 %rd6, %r1, 4, %rd2;
    st.global.u32 [%rd6], %r7;
  DONE:
  )";
  for (uint64_t seed : {0, 1, 2}) {
    const unsigned blocks = 40;
    Device device;
    std::vector<uint32_t> zero(1);
    uint64_t data = cantFail(device.allocate(4 * blocks, "data")),
             counter = upload(device, zero, "counter"),
             out = cantFail(device.allocate(4 * blocks, "out"));
    Options options;
    options.seed = seed;
    Ran ran = run(kernelText(body, 3), device, {data, counter, out},
                  {{blocks, 1, 1}, {64, 1, 1}}, options);
    EXPECT_EQ(ran.error, "");
    ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
    std::vector<uint32_t> got = download<uint32_t>(device, out, blocks);
    for (unsigned b = 0; b < blocks; ++b)
      EXPECT_EQ(got[b], 100 + (b + 1) % blocks);
  }
}

TEST(Grid, BarrierCoversOnlyWhatCameBefore) {
  // After the meeting each block overwrites what its neighbour is reading.
  std::string body = R"(
    mov.u32 %r1, %ctaid.x; mov.u32 %r2, %nctaid.x;
    mad.wide.u32 %rd4, %r1, 16, %rd0;
    st.global.u32 [%rd4], %r1;
    atom.add.acq_rel.gpu.global.u32 %r4, [%rd1], 1;
  SPIN:
    ld.acquire.gpu.global.u32 %r5, [%rd1];
    setp.lt.u32 %p2, %r5, %r2;
    @%p2 bra SPIN;
    add.u32 %r6, %r1, 1; rem.u32 %r6, %r6, %r2;
    mad.wide.u32 %rd5, %r6, 16, %rd0;
    ld.global.u32 %r7, [%rd5];
  )";
  for (bool writesAgain : {false, true}) {
    Device device;
    uint64_t data = cantFail(device.allocate(64, "data")),
             counter = upload(device, std::vector<uint32_t>(1), "counter");
    std::string text = writesAgain ? body + "st.global.u32 [%rd4], %r7;" : body;
    Ran ran = run(kernelText(text, 2), device, {data, counter},
                  {{4, 1, 1}, {1, 1, 1}});
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.trap(), writesAgain ? "race" : "");
  }
}

TEST(Grid, LaterBlocksAreWaitedFor) {
  // Block b waits for the flag of block b + 1; the last one starts the chain.
  std::string body = std::string(element) + R"(
    add.u32 %r3, %r1, 1;
    setp.eq.u32 %p1, %r3, %r2;
    @%p1 bra DONE;
  SPIN:
    ld.acquire.gpu.global.u32 %r5, [%rd4+4];
    setp.eq.u32 %p2, %r5, 0;
    @%p2 bra SPIN;
  DONE:
    st.release.gpu.global.u32 [%rd4], 1;
  )";
  const unsigned blocks = 20;
  Device device;
  uint64_t flags = upload(device, std::vector<uint32_t>(blocks), "flags");
  Ran ran =
      run(kernelText(body, 1), device, {flags}, {{blocks, 1, 1}, {1, 1, 1}});
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  for (uint32_t flag : download<uint32_t>(device, flags, blocks))
    EXPECT_EQ(flag, 1u);
}

TEST(Grid, NobodyWrites) {
  std::string body = std::string(element) + R"(
  SPIN:
    ld.acquire.gpu.global.u32 %r5, [%rd4];
    setp.eq.u32 %p2, %r5, 0;
    @%p2 bra SPIN;
  )";
  Device device;
  uint64_t flags = upload(device, std::vector<uint32_t>(4), "flags");
  Ran ran = run(kernelText(body, 1), device, {flags}, {{4, 1, 1}, {1, 1, 1}});
  ASSERT_EQ(ran.trap(), "deadlock");
  EXPECT_NE(ran.result.traps[0].message.find("block 3 warp 0"),
            std::string::npos)
      << ran.result.traps[0].message;
}

TEST(Grid, MoreBlocksThanTheHardwareHolds) {
  // With room for 2 blocks, block 0 waits in vain for the third.
  std::string body = std::string(element) + R"(
    setp.ne.u32 %p1, %r1, 2;
    @!%p1 st.release.gpu.global.u32 [%rd0], 1;
  SPIN:
    ld.acquire.gpu.global.u32 %r5, [%rd0];
    setp.eq.u32 %p2, %r5, 0;
    @%p2 bra SPIN;
  )";
  for (uint32_t processors : {2, 3}) {
    Device device;
    uint64_t flag = upload(device, std::vector<uint32_t>(1), "flag");
    Options options;
    options.hardware = Hardware();
    options.hardware->multiprocessors = processors;
    options.hardware->threads = 2048;
    options.hardware->blocks = 1;
    Ran ran = run(kernelText(body, 1), device, {flag}, {{3, 1, 1}, {1, 1, 1}},
                  options);
    EXPECT_EQ(ran.trap(), processors == 2 ? "deadlock" : "");
    if (processors == 2)
      EXPECT_NE(ran.result.traps[0].message.find("1 blocks found no room"),
                std::string::npos);
  }
}

TEST(Grid, SpinningDoesNotDelayCopies) {
  // Warp 0 spins on a flag that warp 1 sets once its bulk copy has come.
  std::string body = R"(
    setp.ne.u32 %p1, %t, 0;
    @%p1 bra READY;
    mbarrier.init.shared.b64 [b], 1;
    st.shared.u32 [flag], 0;
    fence.proxy.async;
  READY:
    bar.sync 0;
    setp.lt.u32 %p2, %t, 32;
    @%p2 bra SPIN;
    setp.ne.u32 %p3, %t, 32;
    @%p3 bra DONE;
    mbarrier.arrive.expect_tx.shared.b64 _, [b], 64;
    cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes
      [s], [%rd0], 64, [b];
  WAIT:
    mbarrier.try_wait.parity.shared.b64 %p4, [b], 0;
    @!%p4 bra WAIT;
    ld.shared.u32 %r3, [s+4];
    st.release.cta.shared.u32 [flag], %r3;
    bra DONE;
  SPIN:
    ld.acquire.cta.shared.u32 %r4, [flag];
    setp.eq.u32 %p5, %r4, 0;
    @%p5 bra SPIN;
    mad.wide.u32 %rd5, %t, 4, %rd1;
    st.global.u32 [%rd5], %r4;
  DONE:
  )";
  Device device;
  uint64_t in = upload(device, std::vector<uint32_t>(16, 7), "in"),
           out = cantFail(device.allocate(128, "out"));
  Ran ran = run(kernelText(body, 2,
                           ".shared .align 128 .b8 s[64];\n.shared .align 8 "
                           ".b64 b;\n.shared .align 4 .b32 flag;",
                           "sm_90"),
                device, {in, out}, {{1, 1, 1}, {64, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  for (uint32_t value : download<uint32_t>(device, out, 32))
    EXPECT_EQ(value, 7u);
}

} // namespace
