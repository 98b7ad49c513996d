//===- TrapTest.cpp - Misuse is noticed ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One wrong kernel for each kind of trap.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

const char *shared256 = ".shared .align 16 .b8 s[256];";

Ran one(const std::string &body, const char *before = "", unsigned threads = 32,
        Options options = {}) {
  Device device;
  std::vector<uint32_t> zeros(64);
  uint64_t in = upload(device, zeros, "in");
  uint64_t out = cantFail(device.allocate(256, "out"));
  return run(kernelText(body, 2, before), device, {in, out},
             {{1, 1, 1}, {threads, 1, 1}}, options);
}

TEST(Trap, OutOfBounds) {
  Ran ran = one("mad.wide.u32 %rd5, %t, 16, %rd0; ld.global.u32 %r1, [%rd5];");
  EXPECT_EQ(ran.trap(), "out-of-bounds");
  EXPECT_EQ(ran.result.traps[0].thread[0], 16u);
  EXPECT_EQ(one("mov.u64 %rd5, 64; ld.global.u32 %r1, [%rd5];").trap(),
            "out-of-bounds");
  EXPECT_EQ(one("st.global.u32 [%rd1+256], %t;").trap(), "out-of-bounds");
  EXPECT_EQ(one("st.shared.u32 [s+256], %t;", shared256).trap(),
            "out-of-bounds");
  EXPECT_EQ(one("st.global.u32 [%rd1+252], 5;").trap(), "");
}

TEST(Trap, Misaligned) {
  EXPECT_EQ(one("ld.global.u32 %r1, [%rd0+2];").trap(), "misaligned");
  EXPECT_EQ(one("ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd0+8];").trap(),
            "misaligned");
  EXPECT_EQ(one("st.shared.v2.u32 [s+4], {%t, %t};", shared256).trap(),
            "misaligned");
}

TEST(Trap, Uninitialized) {
  EXPECT_EQ(one("ld.global.u32 %r1, [%rd1]; st.global.u32 [%rd1], %r1;", "", 1)
                .trap(),
            "uninitialized");
  EXPECT_EQ(
      one("ld.shared.u32 %r1, [s]; st.global.u32 [%rd1], %r1;", shared256, 1)
          .trap(),
      "uninitialized");
  // Three of four bytes are not enough.
  EXPECT_EQ(
      one("mov.b32 %r2, 0; cvt.u16.u32 %h1, %r2; st.global.b8 [%rd1], %h1;"
          "st.global.b8 [%rd1+1], %h1; st.global.b8 [%rd1+2], %h1; "
          "ld.global.u32 %r1, [%rd1]; add.u32 %r1, %r1, 1; st.global.u32 "
          "[%rd1], %r1;",
          "", 1)
          .trap(),
      "uninitialized");
  Options unchecked;
  unchecked.checks = false;
  EXPECT_EQ(one("ld.global.u32 %r1, [%rd1]; st.global.u32 [%rd1], %r1;", "", 1,
                unchecked)
                .trap(),
            "");
}

TEST(Trap, ArriveBeforeSync) {
  // Both of one warp count; two arrivals without a wait are a mistake.
  const std::string first = "setp.ge.u32 %p1, %t, 32; @%p1 bra X; ";
  EXPECT_EQ(one(first + "bar.arrive 1, 64; bar.sync 1, 64; X:", "", 64).trap(),
            "");
  EXPECT_EQ(
      one(first + "bar.arrive 1, 64; bar.arrive 1, 64; X:", "", 64).trap(),
      "barrier-misuse");
}

TEST(Trap, DivergentBarrier) {
  EXPECT_EQ(one("setp.lt.u32 %p1, %t, 16; @%p1 bar.sync 0;").trap(),
            "divergent-barrier");
  EXPECT_EQ(one("setp.lt.u32 %p1, %t, 16; @!%p1 bra L; bar.sync 0; L: add.u32 "
                "%r1, %t, 1;"
                "mad.wide.u32 %rd5, %t, 4, %rd1; st.global.u32 [%rd5], %r1;")
                .trap(),
            "divergent-barrier");
  // Different barriers for the two halves of a warp.
  EXPECT_EQ(one("setp.lt.u32 %p1, %t, 16; @%p1 bra L; bar.sync 0; bra.uni D; "
                "L: bar.sync 1; D:")
                .trap(),
            "divergent-barrier");
  // Threads that have ended are not waited for.
  EXPECT_EQ(one("setp.lt.u32 %p1, %t, 16; @%p1 bra L; bar.sync 0; "
                "st.global.u32 [%rd1], 5; L:")
                .trap(),
            "");
  EXPECT_EQ(
      one("setp.lt.u32 %p1, %t, 16; @%p1 bra L; mov.b32 %r1, 5; L: bar.sync 0;")
          .trap(),
      "");
}

TEST(Trap, BarrierMisuse) {
  EXPECT_EQ(one("mov.u32 %r1, 16; bar.sync %r1;").trap(), "barrier-misuse");
  EXPECT_EQ(one("mov.u32 %r1, 48; bar.sync 1, %r1;").trap(), "barrier-misuse");
  EXPECT_EQ(
      one("setp.lt.u32 %p1, %t, 32; @%p1 bar.sync 1, 64; @!%p1 bar.sync 1, 32;",
          "", 64)
          .trap(),
      "barrier-misuse");
}

TEST(Trap, Deadlock) {
  Ran ran =
      one("setp.lt.u32 %p1, %t, 32; @%p1 bar.sync 1, 64; @!%p1 bar.sync 2, 64;",
          "", 64);
  EXPECT_EQ(ran.trap(), "deadlock");
  EXPECT_NE(ran.result.traps[0].message.find("warp 1"), std::string::npos);
}

TEST(Trap, AsyncCopyBeforeWait) {
  std::string copy =
      "cp.async.ca.shared.global [s], [%rd0], 16; cp.async.commit_group;";
  EXPECT_EQ(one(copy + "ld.shared.u32 %r1, [s];", shared256, 1).trap(),
            "async-hazard");
  EXPECT_EQ(one(copy + "st.shared.u32 [s], %t;", shared256, 1).trap(),
            "async-hazard");
  EXPECT_EQ(
      one(copy + "cp.async.wait_group 0; ld.shared.u32 %r1, [s];", shared256, 1)
          .trap(),
      "");
  EXPECT_EQ(
      one(copy + "cp.async.wait_group 1; ld.shared.u32 %r1, [s];", shared256, 1)
          .trap(),
      "async-hazard");
  // Uncommitted copies are only covered by wait_all.
  std::string bare = "cp.async.ca.shared.global [s], [%rd0], 16;";
  EXPECT_EQ(
      one(bare + "cp.async.wait_group 0; ld.shared.u32 %r1, [s];", shared256, 1)
          .trap(),
      "async-hazard");
  EXPECT_EQ(
      one(bare + "cp.async.wait_all; ld.shared.u32 %r1, [s];", shared256, 1)
          .trap(),
      "");
}

TEST(Trap, UserTrapAndLimit) {
  EXPECT_EQ(one("setp.eq.u32 %p1, %t, 7; @%p1 trap;").trap(), "user-trap");
  Options options;
  options.instructionLimit = 100000;
  EXPECT_EQ(one("L: bra.uni L;", "", 32, options).trap(), "limit");
}

TEST(Trap, Freed) {
  Device device;
  std::vector<uint32_t> zeros(64);
  uint64_t in = upload(device, zeros, "in");
  cantFail(device.free(in));
  EXPECT_EQ(
      run(kernelText("ld.global.u32 %r1, [%rd0];"), device, {in}, {}).trap(),
      "freed");
}

TEST(Trap, UnwrittenRegisters) {
  const std::string place = "mad.wide.u32 %rd5, %t, 4, %rd1;",
                    half = "setp.lt.u32 %p1, %t, 16;",
                    store = "st.global.u32 [%rd5], %r1;";
  // As a stored value, an address, a guard, through arithmetic.
  EXPECT_EQ(one(place + store).trap(), "uninitialized");
  EXPECT_EQ(
      one("mad.wide.u32 %rd5, %r1, 4, %rd0; ld.global.u32 %r2, [%rd5];").trap(),
      "uninitialized");
  EXPECT_EQ(one(place +
                "setp.eq.u32 %p1, %r1, 7; mov.u32 %r1, 1; @%p1 bra L; "
                "mov.u32 %r1, 2; L: " +
                store)
                .trap(),
            "uninitialized");
  EXPECT_EQ(one("setp.eq.u32 %p1, %r1, 7; @%p1 exit;").trap(), "uninitialized");
  EXPECT_EQ(one("bar.sync %r1;").trap(), "uninitialized");
  Ran ran = one(place + half + "@%p1 mov.b32 %r1, 3;" + store);
  ASSERT_EQ(ran.trap(), "uninitialized");
  EXPECT_EQ(ran.result.traps[0].thread[0], 16u);
  EXPECT_NE(ran.result.traps[0].message.find("register %r1"),
            std::string::npos);
  // Written in one of two branches, or only in the loop's later turns.
  EXPECT_EQ(one(place + half + "@%p1 bra L; mov.b32 %r1, 1; L:" + store).trap(),
            "uninitialized");
  EXPECT_EQ(one(place + "mov.b32 %r2, 0; L: setp.eq.u32 %p2, %r2, 1; @%p2 "
                        "bra D; st.global.u32 [%rd5], %r1; mov.b32 %r1, 5; "
                        "add.u32 %r2, %r2, 1; bra L; D:")
                .trap(),
            "uninitialized");
  // Written before, on every path, or where it is used.
  EXPECT_EQ(one(place + half +
                "@%p1 bra L; mov.b32 %r1, 1; bra D; L: mov.b32 "
                "%r1, 2; D:" +
                store)
                .trap(),
            "");
  EXPECT_EQ(
      one(place + half + "@%p1 mov.b32 %r1, 3; @!%p1 mov.b32 %r1, 4;" + store)
          .trap(),
      "");
  EXPECT_EQ(one(place + half +
                "@%p1 ld.global.u32 %r2, [%rd0]; add.u32 %r1, "
                "%r2, 1; @%p1 " +
                store)
                .trap(),
            "");
  // A way that only decides about nothing.
  EXPECT_EQ(one("setp.eq.u32 %p1, %r1, 7; @%p1 bra L; L:").trap(), "");
  // Undefined values that nobody uses; idioms that do not depend on them.
  EXPECT_EQ(one(place +
                "mov.b32 %r3, %r2; add.u32 %r4, %r3, %r2; xor.b32 %r1, "
                "%r2, %r2;" +
                store)
                .trap(),
            "");
  Options unchecked;
  unchecked.checks = false;
  EXPECT_EQ(one(place + store, "", 32, unchecked).trap(), "");
}

TEST(Trap, BothAccessesHaveSourceLines) {
  Ran ran = one("setp.lt.u32 %p1, %t, 32;\n.loc 1 7 0\n@%p1 st.shared.u32 "
                "[s], 5;\n.loc 1 9 0\n@!%p1 ld.shared.u32 %r1, [s];",
                (std::string(".file 1 \"k.cu\"\n") + shared256).c_str(), 64);
  ASSERT_EQ(ran.trap(), "race");
  std::string text = describe(ran.result.traps[0], "k.ptx");
  EXPECT_NE(text.find("source k.cu:9"), std::string::npos) << text;
  EXPECT_NE(text.find("the other access, source k.cu:7"), std::string::npos)
      << text;
}

TEST(Trap, WaitGraphs) {
  auto message = [](const std::string &body) {
    Ran ran = one(body, ".shared .align 8 .b64 bar;", 64);
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.trap(), "deadlock");
    return ran.result.traps.empty() ? "" : ran.result.traps[0].message;
  };
  auto has = [](const std::string &text, const std::string &part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  auto barrier = [](const char *count, const char *parity) {
    return std::string("setp.eq.u32 %p1, %t, 0; @%p1 "
                       "mbarrier.init.shared.b64 [bar], ") +
           count +
           "; bar.sync 0; @%p1 mbarrier.arrive.shared.b64 _, [bar]; W: "
           "mbarrier.test_wait.parity.shared.b64 %p2, [bar], " +
           parity + "; @!%p2 bra W;";
  };
  // An arrival is missing, or the count is wrong.
  std::string text = message(barrier("2", "0"));
  has(text, "warps 0, 1 of block 0 wait at line ");
  has(text, "phase 0 (parity 0) of the mbarrier at shared address 0x0 ('bar' + "
            "0) (count 2");
  has(text, "lacks 1 of 2 arrivals");
  has(text, "arrived: warp 0 (waits at line");
  // The parity is wrong.
  has(message(barrier("1", "1")),
      "nobody has waited for phase 0, which is complete: is the parity wrong?");
  // A warp does not come.
  has(message("setp.lt.u32 %p1, %t, 32; @!%p1 bra D; bar.sync 1, 64; D:"),
      "barrier 1: 1 of 2 warps have come; not warp 1 (has ended)");
}

TEST(Trap, GlobalRaces) {
  auto trap = [](const std::string &body, unsigned blocks, unsigned threads,
                 unsigned hostThreads = 1) {
    Device device;
    std::vector<uint32_t> zeros(256);
    uint64_t in = upload(device, zeros, "in");
    Options options;
    options.threads = hostThreads;
    Ran ran =
        run(kernelText("mov.u32 %r1, %ctaid.x; mad.wide.u32 %rd5, %t, 4, %rd0; "
                       "xor.b32 %r2, %t, 32; mad.wide.u32 %rd6, %r2, 4, %rd0;" +
                       body),
            device, {in}, {{blocks, 1, 1}, {threads, 1, 1}}, options);
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  for (unsigned host : {1u, 2u}) {
    // Every block writes the same words.
    EXPECT_EQ(trap("st.global.u32 [%rd5], %t;", 64, 32, host), "race");
    EXPECT_EQ(trap("ld.global.u32 %r3, [%rd5]; setp.eq.u32 %p1, %r1, 3; @%p1 "
                   "st.global.u32 [%rd5], %t;",
                   64, 32, host),
              "race");
    EXPECT_EQ(trap("mad.lo.u32 %r4, %r1, 32, %t; mad.wide.u32 %rd7, %r4, 4, "
                   "%rd0; st.global.u32 [%rd7], %t; ld.global.u32 %r5, [%rd7];",
                   8, 32, host),
              "");
  }
  EXPECT_EQ(trap("red.global.add.u32 [%rd5], 1;", 8, 32), "");
  // Two warps of a block.
  EXPECT_EQ(trap("st.global.u32 [%rd5], %t; ld.global.u32 %r3, [%rd6];", 1, 64),
            "race");
  EXPECT_EQ(
      trap("st.global.u32 [%rd5], %t; bar.sync 0; ld.global.u32 %r3, [%rd6];",
           1, 64),
      "");
  EXPECT_EQ(trap("ld.global.u32 %r3, [%rd6]; st.global.u32 [%rd5], %t;", 1, 64),
            "race");
  // A loop around a compare-and-exchange begins with a weak load.
  std::string guess = "ld.global.u32 %r3, [%rd5]; ";
  EXPECT_EQ(trap(guess + "L: mov.u32 %r4, %r3; add.u32 %r5, %r4, 1; "
                         "atom.global.cas.b32 %r3, [%rd5], %r4, %r5; "
                         "setp.ne.u32 %p1, %r3, %r4; @%p1 bra L;",
                 4, 32),
            "");
  EXPECT_EQ(trap(guess + "red.global.add.u32 [%rd5], 1;", 4, 32), "race");
  EXPECT_EQ(trap("atom.global.cas.b32 %r3, [%rd5], 0, 1; "
                 "st.global.u32 [%rd5], 2;",
                 4, 32),
            "race");
  // The last block to count up reads what the others wrote.
  EXPECT_EQ(
      trap("mad.wide.u32 %rd7, %r1, 4, %rd0; setp.eq.u32 %p1, %t, 0; @%p1 "
           "st.global.u32 [%rd7+64], %r1; fence.acq_rel.gpu;"
           "@!%p1 bra D; atom.global.add.u32 %r4, [%rd0], 1; "
           "fence.acq_rel.gpu; setp.eq.u32 %p2, %r4, 3; @!%p2 bra D;"
           "ld.global.u32 %r5, [%rd0+64]; ld.global.u32 %r6, [%rd0+68]; D:",
           4, 32),
      "");
}

TEST(Decode, ErrorsAreLocated) {
  Ran ran = one("frobnicate.u32 %r1, %r2;");
  EXPECT_NE(
      ran.error.find("test.ptx:12: error: unknown instruction 'frobnicate'"),
      std::string::npos)
      << ran.error;
  EXPECT_NE(one("add.u32.funny %r1, %r2, %r3;")
                .error.find("'.funny' is no modifier of 'add'"),
            std::string::npos);
  EXPECT_NE(
      one("add.u32 %r1, %rd2, %r3, %r4;").error.find("expected 3 operands"),
      std::string::npos);
  EXPECT_NE(one("bra NOWHERE;").error.find("unknown name 'NOWHERE'"),
            std::string::npos);
  EXPECT_NE(one("mov.u32 %r1, %foo;").error.find("special register '%foo'"),
            std::string::npos);
}

} // namespace
