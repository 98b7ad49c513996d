//===- RaceTest.cpp - The order of accesses to memory ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs whose data races follow from chapter 8 of the PTX manual, each
// beside one that differs in a word and has none.
//
//===----------------------------------------------------------------------===//

#include "RaceSupport.h"

using namespace napkin::executor;

namespace {

// Message passing: block 0 writes data and a flag, block 1 reads them.
std::string message(const std::string &release, const std::string &acquire,
                    Launch where = {2, 32, 1}) {
  return trap("@!%p1 bra D; setp.ne.u32 %p2, %r40, 0; @%p2 bra R;"
              "st.global.u32 [%rd0], %r45;" +
                  release + "bra D; R:" + acquire +
                  "setp.eq.u32 %p3, %r1, 0; @%p3 bra R; @!%p3 bra L; L:" +
                  "FENCE: ld.global.u32 %r2, [%rd0]; D:",
              where);
}

TEST(Race, ReleaseAndAcquire) {
  const std::string release = "st.release.gpu.global.u32 [%rd0+64], 1;",
                    acquire = "ld.acquire.gpu.global.u32 %r1, [%rd0+64];",
                    relaxedStore = "st.relaxed.gpu.global.u32 [%rd0+64], 1;",
                    relaxedLoad = "ld.relaxed.gpu.global.u32 %r1, [%rd0+64];";
  EXPECT_EQ(message(release, acquire), "");
  EXPECT_EQ(message(relaxedStore, acquire), "race");
  EXPECT_EQ(message(release, relaxedLoad), "race");
  EXPECT_EQ(message("st.volatile.global.u32 [%rd0+64], 1;", acquire), "race");
  // A fence makes a relaxed access part of a release or acquire pattern.
  EXPECT_EQ(message("fence.acq_rel.gpu;" + relaxedStore, acquire), "");
  EXPECT_EQ(message("membar.gl; st.volatile.global.u32 [%rd0+64], 1;", acquire),
            "");
  EXPECT_EQ(message(release, relaxedLoad + "fence.acq_rel.gpu;"), "");
  EXPECT_EQ(
      message("membar.gl;" + relaxedStore, relaxedLoad + "fence.acq_rel.gpu;"),
      "");
  // The wrong side, or too early.
  EXPECT_EQ(message(relaxedStore + "fence.acq_rel.gpu;", acquire), "race");
  EXPECT_EQ(message(release, "fence.acq_rel.gpu;" + relaxedLoad), "race");
  // The flag itself by ordinary accesses.
  EXPECT_EQ(message("st.global.u32 [%rd0+64], 1;", acquire), "race");
}

TEST(Race, Scopes) {
  const std::string release = "st.release.gpu.global.u32 [%rd0+64], 1;",
                    acquire = "ld.acquire.gpu.global.u32 %r1, [%rd0+64];";
  EXPECT_EQ(message("st.release.cta.global.u32 [%rd0+64], 1;", acquire),
            "race");
  EXPECT_EQ(message(release, "ld.acquire.cta.global.u32 %r1, [%rd0+64];"),
            "race");
  EXPECT_EQ(message("fence.acq_rel.cta; st.relaxed.gpu.global.u32 [%rd0+64], "
                    "1;",
                    acquire),
            "race");
  EXPECT_EQ(message("fence.acq_rel.sys; st.relaxed.sys.global.u32 [%rd0+64], "
                    "1;",
                    acquire),
            "");
  // Blocks of one cluster need cluster scope, no more.
  Launch cluster{2, 32, 2};
  EXPECT_EQ(message("st.release.cluster.global.u32 [%rd0+64], 1;",
                    "ld.acquire.cluster.global.u32 %r1, [%rd0+64];", cluster),
            "");
  EXPECT_EQ(message("st.release.cta.global.u32 [%rd0+64], 1;",
                    "ld.acquire.cluster.global.u32 %r1, [%rd0+64];", cluster),
            "race");
  // Atomics of block scope do not exclude other blocks.
  EXPECT_EQ(trap("red.relaxed.gpu.global.add.u32 [%rd0], 1;", {4, 32, 1}), "");
  EXPECT_EQ(trap("red.relaxed.cta.global.add.u32 [%rd0], 1;", {4, 32, 1}),
            "race");
  EXPECT_EQ(trap("red.relaxed.cta.global.add.u32 [%rd0], 1;", {1, 128, 1}), "");
}

// The last block to count up reads what the others wrote.
std::string lastBlock(const std::string &before, const std::string &after) {
  return trap("@!%p1 bra D; mad.wide.u32 %rd5, %r40, 4, %rd0; st.global.u32 "
              "[%rd5+128], %r40;" +
                  before + "atom.global.add.u32 %r1, [%rd0], 1;" + after +
                  "setp.ne.u32 %p2, %r1, 3; @%p2 bra D; ld.global.u32 %r2, "
                  "[%rd0+128]; ld.global.u32 %r3, [%rd0+140]; D:",
              {4, 32, 1});
}

TEST(Race, CountingBlocks) {
  EXPECT_EQ(lastBlock("fence.acq_rel.gpu;", "fence.acq_rel.gpu;"), "");
  EXPECT_EQ(lastBlock("", "fence.acq_rel.gpu;"), "race");
  EXPECT_EQ(lastBlock("fence.acq_rel.gpu;", ""), "race");
  EXPECT_EQ(lastBlock("fence.acq_rel.cta;", "fence.acq_rel.gpu;"), "race");
  // Every thread writes and fences, one counts after a barrier; the barrier
  // after the atomic stands for the fence that the readers lack.
  const std::string body =
      "mad.lo.u32 %r5, %r40, 64, %t; mad.wide.u32 %rd5, %r5, 4, %rd0; "
      "st.global.u32 [%rd5+128], %r40; FENCE bar.sync 0; @%p1 "
      "atom.global.add.u32 %r1, [%rd0], 1; @%p1 st.shared.u32 [s], %r1; "
      "bar.sync 0; ld.shared.u32 %r1, [s]; setp.ne.u32 %p2, %r1, 3; @%p2 bra "
      "D; mad.wide.u32 %rd6, %t, 4, %rd0; ld.global.u32 %r2, [%rd6+128]; D:";
  for (bool fenced : {true, false}) {
    std::string text = body;
    text.replace(text.find("FENCE"), 5, fenced ? "membar.gl;" : "");
    EXPECT_EQ(trap(text, {4, 64, 1}), fenced ? "" : "race");
  }
}

TEST(Race, AtomicsWithoutFencesOrderNothing) {
  const std::string body =
      "setp.ne.u32 %p2, %r43, 0; @%p2 bra R; @%p1 st.shared.u32 [s+4], %r45; "
      "FENCE @%p1 atom.shared.exch.b32 %r1, [s], 1; bra D;"
      "R: setp.ne.u32 %p3, %r44, 0; @%p3 bra D; W: atom.shared.or.b32 %r2, "
      "[s], 0; setp.eq.u32 %p4, %r2, 0; @%p4 bra W; FENCE ld.shared.u32 %r3, "
      "[s+4]; D:";
  auto with = [&](const std::string &fence) {
    std::string text = "@%p1 st.shared.u32 [s], 0; bar.sync 0;" + body;
    for (size_t at; (at = text.find("FENCE")) != std::string::npos;)
      text.replace(at, 5, fence);
    return trap(text, {1, 64, 1});
  };
  EXPECT_EQ(with("fence.acq_rel.cta;"), "");
  EXPECT_EQ(with(""), "race");
}

TEST(Race, ObservedWritesAreOrdered) {
  // Without a fence a flag that was seen may be reset, and nothing else.
  const std::string seen =
      "@!%p1 bra D; setp.ne.u32 %p2, %r40, 0; @%p2 bra R; "
      "st.relaxed.gpu.global.u32 [%rd0+64], 1; bra D; R: "
      "ld.relaxed.gpu.global.u32 %r1, [%rd0+64]; setp.eq.u32 %p3, %r1, 0; "
      "@%p3 bra R;";
  EXPECT_EQ(trap(seen + "st.global.u32 [%rd0+64], 0; D:", {2, 32, 1}), "");
  // Who has not seen it may not.
  EXPECT_EQ(trap("@!%p1 bra D; setp.ne.u32 %p2, %r40, 0; @%p2 bra R; "
                 "st.relaxed.gpu.global.u32 [%rd0+64], 1; bra D; R: "
                 "st.global.u32 [%rd0+64], 0; D:",
                 {2, 32, 1}),
            "race");
}

TEST(Race, LanesOfAWarp) {
  const std::string write = "mad.lo.u32 %r1, %t, 4, %r41; xor.b32 %r2, %r1, 4;"
                            "st.shared.u32 [%r1], %t;",
                    read = "ld.shared.u32 %r3, [%r2];";
  EXPECT_EQ(trap(write + read, {}), "race");
  for (const char *sync :
       {"bar.warp.sync -1;", "bar.sync 0;", "vote.sync.all.pred %p9, %p1, -1;",
        "shfl.sync.idx.b32 %r9, %r1, 0, 31, -1;"})
    EXPECT_EQ(trap(write + sync + read, {}), "") << sync;
  // Each lane its own.
  EXPECT_EQ(trap(write + "ld.shared.u32 %r3, [%r1];", {}), "");
  // Of a cell, each lane its own part.
  EXPECT_EQ(trap("mad.lo.u32 %r1, %t, 2, %r41; cvt.u16.u32 %h1, %t; "
                 "st.shared.u16 [%r1], %h1; ld.shared.u16 %h2, [%r1]; "
                 "st.shared.u16 [%r1], %h1;",
                 {}),
            "");
  // Write after read.
  EXPECT_EQ(trap(write + "bar.warp.sync -1;" + read +
                     "st.shared.u32 [%r1], "
                     "%t;",
                 {}),
            "race");
  EXPECT_EQ(trap(write + "bar.warp.sync -1;" + read +
                     "bar.warp.sync -1; st.shared.u32 [%r1], %t;",
                 {}),
            "");
  // Neighbours synchronise in pairs.
  const std::string pair = "and.b32 %r5, %t, 30; mov.b32 %r6, 3; shl.b32 %r6, "
                           "%r6, %r5; bar.warp.sync %r6;";
  EXPECT_EQ(trap(write + pair + read, {}), "");
  EXPECT_EQ(trap(write + pair +
                     "xor.b32 %r2, %r1, 8; ld.shared.u32 %r3, "
                     "[%r2];",
                 {}),
            "race");
  // Matrices are read by the whole warp.
  const std::string rows = "mad.lo.u32 %r1, %t, 16, %r41; st.shared.v4.u32 "
                           "[%r1], {%t, %t, %t, %t};",
                    matrix = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r3, "
                             "%r4, %r5, %r6}, [%r1];";
  EXPECT_EQ(trap(rows + matrix, {}), "race");
  EXPECT_EQ(trap(rows + "bar.warp.sync -1;" + matrix, {}), "");
  // Global memory.
  const std::string global = "mad.wide.u32 %rd5, %t, 4, %rd0; xor.b32 %r1, %t, "
                             "1; mad.wide.u32 %rd6, %r1, 4, %rd0;"
                             "st.global.u32 [%rd5], %t;";
  EXPECT_EQ(trap(global + "ld.global.u32 %r3, [%rd6];", {}), "race");
  EXPECT_EQ(trap(global + "bar.warp.sync -1; ld.global.u32 %r3, [%rd6];", {}),
            "");
}

TEST(Race, LanesOfOneInstruction) {
  EXPECT_EQ(trap("st.shared.u32 [s], %t;", {}), "race");
  EXPECT_EQ(trap("st.shared.u32 [s], 5;", {}), "");
  EXPECT_EQ(trap("st.global.u32 [%rd0], %t;", {}), "race");
  EXPECT_EQ(trap("shr.u32 %r1, %t, 1; mad.wide.u32 %rd5, %r1, 4, %rd0; "
                 "st.global.u32 [%rd5], %r1;",
                 {}),
            "");
  // The loop's second turn meets the first one's other lanes.
  EXPECT_EQ(trap("mov.b32 %r1, 0; L: add.u32 %r2, %t, %r1; and.b32 %r2, %r2, "
                 "31; mad.lo.u32 %r3, %r2, 4, %r41; st.shared.u32 [%r3], %t; "
                 "add.u32 %r1, %r1, 1; setp.lt.u32 %p2, %r1, 2; @%p2 bra L;",
                 {}),
            "race");
}

TEST(Race, LanesThroughAnMbarrier) {
  // Lane 0 fills a buffer and arrives; the others wait.
  const std::string body =
      "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; bar.warp.sync -1;"
      "@%p1 st.shared.u32 [s], 5; @%p1 mbarrier.arrive.SEM.shared::cta.b64 _, "
      "[bar]; W: mbarrier.try_wait.parity.shared::cta.b64 %p2, [bar], 0; @!%p2 "
      "bra W; ld.shared.u32 %r1, [s];";
  for (const char *semantics : {"release.cta", "relaxed.cta"}) {
    std::string text = body;
    text.replace(text.find("SEM"), 3, semantics);
    EXPECT_EQ(trap(text, {}),
              semantics == std::string("release.cta") ? "" : "race");
  }
}

TEST(Race, PartsOfACell) {
  // Warps 0 and 1 write the halves of 16 bytes; warp 2 reads the first.
  const std::string body =
      "setp.eq.u32 %p2, %r44, 0; setp.lt.and.u32 %p3, %r43, 2, %p2; mad.lo.u32 "
      "%r1, %r43, 8, %r41; @%p3 st.shared.u32 [%r1], %t; ";
  EXPECT_EQ(trap(body + "bar.sync 0; ld.shared.u32 %r2, [s];", {1, 96, 1}), "");
  EXPECT_EQ(trap("setp.eq.u32 %p5, %t, 0; @%p5 st.shared.u32 [s], 1; bar.sync "
                 "0;" +
                     body +
                     "setp.ne.u32 %p4, %r43, 2; @%p4 bra D; nanosleep.u32 1; "
                     "nanosleep.u32 1; ld.shared.u32 %r2, [s]; D:",
                 {1, 96, 1}),
            "race");
}

TEST(Race, RemoteBlocks) {
  // Block 0 reads block 1's memory; block 1 writes it again.
  auto with = [](const std::string &between, const std::string &atEnd,
                 Launch where = {2, 32, 2}) {
    return trap(
        "mad.lo.u32 %r1, %t, 4, %r41; and.b32 %r1, %r1, 1023; st.shared.u32 "
        "[%r1], 3; barrier.cluster.arrive.aligned; "
        "barrier.cluster.wait.aligned; mov.b32 %r3, 1; "
        "mapa.shared::cluster.u32 %r2, %r1, %r3;"
        "setp.eq.u32 %p2, %r42, 0; @%p2 ld.shared::cluster.u32 %r4, [%r2];" +
            between + "setp.eq.u32 %p3, %r42, 1; @%p3 st.shared.u32 [%r1], 3;" +
            atEnd,
        where);
  };
  const std::string meet = "barrier.cluster.arrive.aligned; "
                           "barrier.cluster.wait.aligned;";
  EXPECT_EQ(with(meet, ""), "");
  EXPECT_EQ(with("", meet), "race");
  // 64 warps in a cluster.
  EXPECT_EQ(with(meet, "", {8, 256, 8}), "");
  EXPECT_EQ(with("", meet, {8, 256, 8}), "race");
  // 512 warps: the last one of block 15 writes to block 0, whose last one
  // reads.
  auto last = [&](const std::string &between) {
    return trap("mad.lo.u32 %r1, %r44, 4, %r41; setp.lt.u32 %p2, %t, 32; @%p2 "
                "st.shared.u32 [%r1], 3;" +
                    meet +
                    "mov.b32 %r3, 0; mapa.shared::cluster.u32 %r2, %r1, %r3; "
                    "setp.eq.u32 %p3, %r43, 31; setp.eq.and.u32 %p4, %r42, 15, "
                    "%p3; @%p4 st.shared::cluster.u32 [%r2], 4;" +
                    between +
                    "setp.eq.and.u32 %p5, %r42, 0, %p3; @%p5 ld.shared.u32 "
                    "%r4, [%r1];" +
                    meet,
                {16, 1024, 16});
  };
  EXPECT_EQ(last(meet), "");
  EXPECT_EQ(last(""), "race");
}

TEST(Race, BlockEndsBeforeAPeersAccess) {
  auto with = [](const std::string &atEnd) {
    return trap("mad.lo.u32 %r1, %t, 4, %r41; st.shared.u32 [%r1], 3; "
                "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;"
                "mov.b32 %r3, 1; mapa.shared::cluster.u32 %r2, %r1, %r3;"
                "setp.eq.u32 %p2, %r42, 0; @%p2 ld.shared::cluster.u32 %r4, "
                "[%r2];" +
                    atEnd,
                {2, 32, 2});
  };
  EXPECT_EQ(with("barrier.cluster.arrive.aligned; "
                 "barrier.cluster.wait.aligned;"),
            "");
  EXPECT_EQ(with(""), "exit-in-flight");
  // An arrival at a peer's mbarrier.
  auto arrive = [](const std::string &atEnd) {
    return trap("@%p1 mbarrier.init.shared::cta.b64 [bar], 1; "
                "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; "
                "mov.u32 %r1, bar; mov.b32 %r3, 1; mapa.shared::cluster.u32 "
                "%r2, %r1, %r3; setp.eq.and.u32 %p2, %r42, 0, %p1; @%p2 "
                "mbarrier.arrive.release.cluster.shared::cluster.b64 _, "
                "[%r2];" +
                    atEnd,
                {2, 32, 2});
  };
  const std::string wait =
      "setp.ne.u32 %p5, %r42, 1; @%p5 bra D; W: "
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p6, [bar], 0; "
      "@!%p6 bra W; D:";
  EXPECT_EQ(arrive(wait), "");
  EXPECT_EQ(arrive(""), "exit-in-flight");
}

TEST(Race, RelaxedClusterBarrier) {
  // It orders nothing but what a fence released.
  auto with = [](const std::string &fence, const std::string &semantics) {
    return trap("@%p1 mbarrier.init.shared::cta.b64 [bar], 1;" + fence +
                    "bar.warp.sync -1; barrier.cluster.arrive" + semantics +
                    ".aligned; barrier.cluster.wait.aligned; mov.u32 %r1, bar; "
                    "xor.b32 %r3, %r42, 1; mapa.shared::cluster.u32 %r2, %r1, "
                    "%r3; @%p1 "
                    "mbarrier.arrive.release.cluster.shared::cluster.b64 _, "
                    "[%r2]; W: mbarrier.try_wait.parity.shared::cta.b64 %p6, "
                    "[bar], 0; @!%p6 bra W;",
                {2, 32, 2});
  };
  EXPECT_EQ(with("", ""), "");
  EXPECT_EQ(with("", ".relaxed"), "race");
  EXPECT_EQ(with("fence.mbarrier_init.release.cluster;", ".relaxed"), "");
  EXPECT_EQ(with("fence.acq_rel.cluster;", ".relaxed"), "");
}

TEST(Race, BulkCopiesInGlobalMemory) {
  const std::string setup =
      "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; bar.sync 0;";
  auto load = [&](const std::string &fence) {
    return trap(setup +
                    "mad.wide.u32 %rd5, %t, 4, %rd0; st.global.u32 [%rd5], "
                    "%t;" +
                    fence +
                    "bar.sync 0; @%p1 mbarrier.arrive.expect_tx.shared::cta."
                    "b64 _, [bar], 128; @%p1 cp.async.bulk.shared::cluster."
                    "global.mbarrier::complete_tx::bytes [s], [%rd0], 128, "
                    "[bar]; W: mbarrier.try_wait.parity.shared::cta.b64 %p2, "
                    "[bar], 0; @!%p2 bra W;",
                {});
  };
  EXPECT_EQ(load("fence.proxy.async;"), "");
  EXPECT_EQ(load("fence.proxy.async.global;"), "");
  EXPECT_EQ(load("fence.proxy.async.shared::cta;"), "proxy-fence");
  EXPECT_EQ(load(""), "proxy-fence");
  // A store is there for others after wait_group, not after wait_group.read.
  auto store = [&](const std::string &wait) {
    return trap("mad.lo.u32 %r1, %t, 4, %r41; setp.lt.u32 %p5, %t, 32; @%p5 "
                "st.shared.u32 [%r1], %t; fence.proxy.async.shared::cta; "
                "bar.sync 0; @!%p1 bra M; cp.async.bulk.global.shared::cta."
                "bulk_group [%rd0], [s], 128; cp.async.bulk.commit_group;" +
                    wait +
                    "M: bar.sync 0; setp.lt.u32 %p3, %t, 32; @%p3 bra D; "
                    "mad.wide.u32 %rd5, %r44, 4, %rd0; ld.global.u32 %r3, "
                    "[%rd5]; D: bar.sync 0; @%p1 cp.async.bulk.wait_group 0;",
                {1, 64, 1});
  };
  EXPECT_EQ(store("cp.async.bulk.wait_group 0;"), "");
  EXPECT_EQ(store("cp.async.bulk.wait_group.read 0;"), "race");
  // Reductions of several blocks do not exclude each other; stores do.
  auto blocks = [&](const std::string &copy) {
    return trap("mad.lo.u32 %r1, %t, 4, %r41; st.shared.u32 [%r1], %t; "
                "fence.proxy.async.shared::cta; bar.sync 0; @%p1 " +
                    copy +
                    " [%rd0], [s], 128; @%p1 cp.async.bulk.commit_group; @%p1 "
                    "cp.async.bulk.wait_group 0;",
                {3, 32, 1});
  };
  EXPECT_EQ(blocks("cp.reduce.async.bulk.global.shared::cta.bulk_group.add."
                   "u32"),
            "");
  EXPECT_EQ(blocks("cp.async.bulk.global.shared::cta.bulk_group"), "race");
}

TEST(Race, LoadsAreKnownByTheirOwnMbarrier) {
  // Two loads, two mbarriers: who has waited for the second knows nothing of
  // the first, although another warp has.
  const std::string body =
      ".shared .align 8 .b64 two; @%p1 mbarrier.init.shared::cta.b64 [bar], 1; "
      "@%p1 mbarrier.init.shared::cta.b64 [two], 1; bar.sync 0;"
      "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 128; @%p1 "
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [s], "
      "[%rd0], 128, [bar]; @%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, "
      "[two], 128; @%p1 cp.async.bulk.shared::cluster.global.mbarrier::"
      "complete_tx::bytes [s+512], [%rd0], 128, [two];"
      "setp.gt.u32 %p2, %t, 31; @%p2 bra B; "
      "V: mbarrier.try_wait.parity.shared::cta.b64 %p3, [bar], 0; @!%p3 bra V; "
      "bra D; B: nanosleep.u32 1; nanosleep.u32 1; nanosleep.u32 1; "
      "W: mbarrier.try_wait.parity.shared::cta.b64 %p3, [BAR], 0; @!%p3 bra W; "
      "ld.shared.u32 %r1, [s]; D: bar.sync 0; X: mbarrier.try_wait.parity."
      "shared::cta.b64 %p3, [two], 0; @!%p3 bra X;";
  for (const char *name : {"bar", "two"}) {
    std::string text = body;
    text.replace(text.find("BAR"), 3, name);
    std::string found = trap(text, {1, 64, 1});
    if (name == std::string("bar"))
      EXPECT_EQ(found, "");
    else
      EXPECT_TRUE(found == "race" || found == "async-hazard") << found;
  }
}

TEST(Race, CopiesArriveAtTheWait) {
  // The barrier between cp.async and its wait orders nothing.
  const std::string copy = "mad.lo.u32 %r1, %t, 16, %r41; and.b32 %r2, %t, 31; "
                           "mad.wide.u32 %rd5, "
                           "%r2, 16, %rd0; setp.lt.u32 %p2, %t, 32; @%p2 "
                           "cp.async.cg.shared.global "
                           "[%r1], [%rd5], 16; cp.async.commit_group;",
                    wait = "cp.async.wait_group 0;", meet = "bar.sync 0;",
                    read = "ld.shared.u32 %r3, [s];";
  EXPECT_EQ(trap(copy + wait + meet + read, {1, 64, 1}), "");
  std::string late = trap(copy + meet + wait + read, {1, 64, 1});
  EXPECT_TRUE(late == "race" || late == "async-hazard") << late;
}

} // namespace
