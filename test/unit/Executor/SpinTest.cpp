//===- SpinTest.cpp - Loops that never end, and loops that do --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every kind of wait in a loop, once where nothing will ever end it and once
// where something does.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

const char *sharedLock =
    ".shared .b32 lock;\n.shared .b32 data;\n.shared .align 8 .b64 phase;";

struct Case {
  const char *name, *body;
};

/// Runs `body` on two blocks of 64 threads; %rd0: 16 words, %rd1: a word for
/// each thread.
Ran runLoop(const std::string &body, uint32_t first, Options options = {},
            LaunchConfig config = {{2, 1, 1}, {64, 1, 1}}) {
  Device device;
  std::vector<uint32_t> words(16);
  words[0] = first;
  uint64_t state = upload(device, words, "state"),
           out = upload(device, std::vector<uint32_t>(4096), "out");
  return run(kernelText(body, 2, sharedLock, "sm_90"), device, {state, out},
             config, options);
}

/// Loops that end when the word is no longer 0.
const Case waits[] = {
    {"volatile load", R"(
L: ld.volatile.global.u32 %r1, [%rd0]; setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
    {"acquire load and sleep", R"(
L: nanosleep.u32 100; ld.acquire.gpu.global.u32 %r1, [%rd0];
setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
    {"addition of nothing", R"(
L: atom.global.add.u32 %r1, [%rd0], 0; setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
    {"compare and swap with sleep", R"(
L: atom.acquire.gpu.global.cas.b32 %r1, [%rd0], 1, 1; nanosleep.u32 20;
setp.ne.u32 %p1, %r1, 1; @%p1 bra L;)"},
    {"sleep that grows", R"(
mov.u32 %r5, 8;
L: nanosleep.u32 %r5; min.u32 %r5, %r5, 128; shl.b32 %r5, %r5, 1;
ld.relaxed.gpu.global.u32 %r1, [%rd0]; setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
    {"turns are counted", R"(
mov.u32 %r5, 0;
L: add.u32 %r5, %r5, 1; atom.global.or.b32 %r1, [%rd0], 0;
setp.eq.u32 %p1, %r1, 0; @%p1 bra L;
mov.u32 %r6, %ctaid.x; mad.lo.u32 %r6, %r6, 64, %t;
mad.wide.u32 %rd6, %r6, 4, %rd1; st.global.u32 [%rd6], %r5;)"},
    {"one thread for the block", R"(
setp.ne.u32 %p2, %t, 0;
L: mov.u32 %r1, 0; @%p2 bra M;
ld.acquire.gpu.global.u32 %r1, [%rd0];
M: setp.ne.u32 %p3, %r1, 0; bar.red.or.pred %p4, 0, %p3; @!%p4 bra L;)"},
    {"through shared memory", R"(
setp.ne.u32 %p2, %t, 0;
L: @%p2 bra M;
ld.acquire.gpu.global.u32 %r1, [%rd0]; st.shared.u32 [data], %r1;
M: bar.sync 0; ld.shared.u32 %r2, [data]; bar.sync 0;
setp.eq.u32 %p3, %r2, 0; @%p3 bra L;)"},
    {"ballot of the warp", R"(
L: ld.relaxed.gpu.global.u32 %r1, [%rd0]; setp.ne.u32 %p1, %r1, 0;
vote.sync.any.pred %p2, %p1, -1; @!%p2 bra L;)"},
    {"stores of what is there", R"(
L: st.volatile.global.u32 [%rd0+4], 0; ld.volatile.global.u32 %r1, [%rd0];
setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
    {"weak load", R"(
L: ld.global.u32 %r1, [%rd0]; setp.eq.u32 %p1, %r1, 0; @%p1 bra L;)"},
};

TEST(Spin, WaitsForWhatNobodyWrites) {
  for (const Case &wait : waits)
    for (uint64_t seed : {0, 1}) {
      Options options;
      options.seed = seed;
      Ran ran = runLoop(wait.body, 0, options);
      EXPECT_EQ(ran.error, "") << wait.name;
      ASSERT_EQ(ran.trap(), "deadlock") << wait.name;
      EXPECT_NE(ran.result.traps[0].message.find("nothing changes any more"),
                std::string::npos)
          << ran.result.traps[0].message;
      EXPECT_LT(ran.result.seconds, 10) << wait.name;
    }
}

TEST(Spin, WaitsForWhatIsThere) {
  for (const Case &wait : waits)
    EXPECT_EQ(runLoop(wait.body, 1).trap(), "") << wait.name;
}

TEST(Spin, WaitsForALaterBlock) {
  // The second block writes after a loop of its own that takes long.
  for (const Case &wait : waits) {
    if (std::string(wait.name) == "weak load")
      continue; // Nothing says that it will ever see the value.
    std::string body = std::string(R"(
mov.u32 %r20, %ctaid.x; setp.eq.u32 %p10, %r20, 0; @%p10 bra WAITING;
mov.u32 %r21, 0;
WORK: add.u32 %r21, %r21, 1; setp.lt.u32 %p11, %r21, 300000; @%p11 bra WORK;
setp.eq.u32 %p12, %t, 0;
@%p12 atom.release.gpu.global.exch.b32 %r22, [%rd0], 1;
bra DONE;
WAITING:
)") + wait.body + "\nDONE:";
    Ran ran = runLoop(body, 0);
    EXPECT_EQ(ran.error, "") << wait.name;
    EXPECT_EQ(ran.trap(), "")
        << wait.name << describe(ran.result.traps[0], "t");
  }
}

TEST(Spin, BranchToItself) {
  for (const char *body :
       {"A: bra A;", "A: bra B; B: nanosleep.u32 5; bra A;",
        "mov.u32 %r1, 0; A: xor.b32 %r1, %r1, 1; bra A;",
        "mov.u32 %r1, 0; A: add.u32 %r1, %r1, 1; bra A;",
        "A: setp.eq.u32 %p1, %t, 5; @%p1 bra A; bar.sync 0;"}) {
    Ran ran = runLoop(body, 0);
    EXPECT_EQ(ran.trap(), "deadlock") << body;
    EXPECT_LT(ran.result.seconds, 5) << body;
  }
}

/// Takes the lock, counts, and gives it back where `release` says so.
std::string locked(const std::string &acquire, const std::string &release) {
  return "setp.ne.u32 %p9, %t, 0; @%p9 bra DONE;\n" + acquire + R"(
ld.relaxed.gpu.global.u32 %r4, [%rd0+16]; add.u32 %r4, %r4, 1;
st.relaxed.gpu.global.u32 [%rd0+16], %r4;
)" + release +
         "\nDONE:";
}

TEST(Spin, Locks) {
  const char *swap = "L: atom.acquire.gpu.global.cas.b32 %r1, [%rd0], 0, 1;\n"
                     "setp.ne.u32 %p1, %r1, 0; @%p1 bra L;";
  const char *exchange = "L: atom.acquire.gpu.global.exch.b32 %r1, [%rd0], 1;\n"
                         "setp.ne.u32 %p1, %r1, 0; @%p1 nanosleep.u32 50;\n"
                         "@%p1 bra L;";
  const char *ticket =
      "atom.relaxed.gpu.global.add.u32 %r2, [%rd0+4], 1;\n"
      "L: ld.acquire.gpu.global.u32 %r1, [%rd0]; setp.ne.u32 %p1, %r1, %r2;\n"
      "@%p1 bra L;";
  const char *next = "atom.release.gpu.global.add.u32 %r3, [%rd0], 1;";
  const char *free = "st.release.gpu.global.u32 [%rd0], 0;";
  const LaunchConfig config = {{24, 1, 1}, {32, 1, 1}};
  for (auto [acquire, release] :
       {std::pair(swap, free), std::pair(exchange, free),
        std::pair(ticket, next)}) {
    Ran good = runLoop(locked(acquire, release), 0, {}, config);
    EXPECT_EQ(good.trap(), "") << acquire;
    Ran bad = runLoop(locked(acquire, ""), 0, {}, config);
    EXPECT_EQ(bad.trap(), "deadlock") << acquire;
    EXPECT_NE(bad.result.traps[0].message.find("'state'"), std::string::npos)
        << bad.result.traps[0].message;
  }
}

TEST(Spin, LockInSharedMemory) {
  std::string body = R"(
setp.ne.u32 %p1, %t, 0; @%p1 bra MEET; st.shared.u32 [lock], 0;
MEET: bar.sync 0;
and.b32 %r9, %t, 31; setp.ne.u32 %p2, %r9, 0; @%p2 bra DONE;
L: atom.acquire.cta.shared.cas.b32 %r1, [lock], 0, 1; setp.ne.u32 %p3, %r1, 0;
@%p3 nanosleep.u32 10; @%p3 bra L;
)";
  EXPECT_EQ(
      runLoop(body + "st.release.cta.shared.u32 [lock], 0;\nDONE:", 0).trap(),
      "");
  EXPECT_EQ(runLoop(body + "\nDONE:", 0).trap(), "deadlock");
}

TEST(Spin, TwoWhoHandItBackForEver) {
  // Each block sets the word to its number when it finds the other's.
  std::string body = R"(
mov.u32 %r1, %ctaid.x; xor.b32 %r2, %r1, 1;
L: atom.acq_rel.gpu.global.cas.b32 %r3, [%rd0], %r2, %r1; bra L;
)";
  Ran ran = runLoop(body, 0, {}, {{2, 1, 1}, {1, 1, 1}});
  EXPECT_EQ(ran.trap(), "deadlock");
  EXPECT_LT(ran.result.seconds, 10);
}

TEST(Spin, LongWorkIsNoSpin) {
  // No write for millions of instructions, while others wait for the result;
  // the count itself decides, or the clock does.
  for (const char *work :
       {"mov.u32 %r5, 0; W: add.u32 %r5, %r5, 1;\n"
        "setp.lt.u32 %p2, %r5, 8000000; @%p2 bra W;",
        "mov.u64 %rd5, %clock64; add.u64 %rd5, %rd5, 3000000;\n"
        "W: mov.u64 %rd6, %clock64; setp.lt.u64 %p2, %rd6, %rd5; @%p2 bra "
        "W;"}) {
    std::string body = std::string(R"(
mov.u32 %r1, %ctaid.x; setp.ne.u32 %p1, %r1, 0; @%p1 bra L;
)") + work + R"(
st.release.gpu.global.u32 [%rd0], 1; bra DONE;
L: ld.acquire.gpu.global.u32 %r3, [%rd0]; setp.eq.u32 %p3, %r3, 0; @%p3 bra L;
DONE:)";
    Ran ran = runLoop(body, 0, {}, {{8, 1, 1}, {1, 1, 1}});
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.trap(), "") << work;
  }
}

TEST(Spin, TestWait) {
  // mbarrier.test_wait in a loop: phase 0 ends with 64 arrivals.
  for (const char *count : {"64", "65"}) {
    std::string body =
        std::string("setp.ne.u32 %p1, %t, 0; @%p1 bra READY;\n") +
        "mbarrier.init.shared.b64 [phase], " + count + R"(;
READY: bar.sync 0;
mbarrier.arrive.shared.b64 _, [phase];
L: mbarrier.test_wait.parity.shared.b64 %p2, [phase], 0; @!%p2 bra L;
)";
    Ran ran = runLoop(body, 0);
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.trap(), count[1] == '4' ? "" : "deadlock") << count;
  }
}

} // namespace
