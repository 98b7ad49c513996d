//===- LanesTest.cpp - What one lane of a warp orders ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads release and acquire, not warps (PTX manual, chapter 8): what the
// other lanes did is part of it only after a synchronisation of the lanes. Each
// program that races stands beside one that differs in a word and does not.
//
//===----------------------------------------------------------------------===//

#include "RaceSupport.h"

using namespace napkin::executor;

namespace {

const char *syncs[] = {"bar.warp.sync -1;",
                       "bar.sync 1, 32;",
                       "vote.sync.all.pred %p9, %p1, -1;",
                       "shfl.sync.idx.b32 %r9, %r1, 0, 31, -1;",
                       "match.any.sync.b32 %r9, %r1, -1;",
                       "elect.sync _|%p9, -1;"};

/// Warp 0 runs `produce`, warp 1 `consume`; %p1 is thread 0, %p8 lane 0 of each
/// warp. `bar` expects `count` arrivals, `flag` is 0. Every lane's own four
/// bytes are at [%r1] of shared and [%rd5] of global memory.
std::string pass(const std::string &produce, const std::string &consume,
                 unsigned count = 1) {
  return trap("@%p1 mbarrier.init.shared::cta.b64 [bar], " +
                  std::to_string(count) +
                  "; @%p1 st.shared.u32 [s+512], 0; mad.lo.u32 %r1, %r44, 4, "
                  "%r41; mad.wide.u32 %rd5, %r44, 4, %rd0; setp.eq.u32 %p8, "
                  "%r44, 0; bar.sync 0; setp.ne.u32 %p2, %r43, 0; @%p2 bra R;" +
                  produce + "bra D; R:" + consume + "D:",
              {1, 64, 1});
}

const std::string write = "st.shared.u32 [%r1], %t;",
                  read = "ld.shared.u32 %r3, [%r1];",
                  wait = "W: mbarrier.try_wait.parity.shared::cta.b64 %p3, "
                         "[bar], 0; @!%p3 bra W;",
                  poll = "W: ld.acquire.cta.shared.u32 %r2, [s+512]; "
                         "setp.eq.u32 %p3, %r2, 0; @%p3 bra W;";

TEST(Lanes, OneReleases) {
  struct {
    const char *release;
    const std::string &acquire;
  } kinds[] = {
      {"@%p8 mbarrier.arrive.shared::cta.b64 _, [bar];", wait},
      {"@%p8 st.release.cta.shared.u32 [s+512], 1;", poll},
      {"@%p8 red.release.cta.shared.add.u32 [s+512], 1;", poll},
      {"@%p8 atom.release.cta.shared.exch.b32 %r9, [s+512], 1;", poll},
      {"@%p8 atom.acq_rel.cta.shared.or.b32 %r9, [s+512], 1;", poll},
      {"@%p8 fence.acq_rel.cta; @%p8 st.relaxed.cta.shared.u32 [s+512], 1;",
       poll},
      {"fence.acq_rel.cta; @%p8 st.relaxed.cta.shared.u32 [s+512], 1;", poll},
      {"membar.gl; @%p8 st.volatile.shared.u32 [s+512], 1;", poll},
  };
  for (const auto &kind : kinds) {
    EXPECT_EQ(pass(write + kind.release, kind.acquire + read), "race")
        << kind.release;
    for (const char *sync : syncs)
      EXPECT_EQ(pass(write + sync + kind.release, kind.acquire + read), "")
          << sync << kind.release;
    // What it wrote itself it releases.
    EXPECT_EQ(pass("@%p8 st.shared.u32 [s], 7;" + std::string(kind.release),
                   kind.acquire + "ld.shared.u32 %r3, [s];"),
              "")
        << kind.release;
    // A synchronisation after the release is too late.
    EXPECT_EQ(
        pass(write + kind.release + "bar.warp.sync -1;", kind.acquire + read),
        "race")
        << kind.release;
    EXPECT_EQ(pass(write + "bar.warp.sync -1;" + write + kind.release,
                   kind.acquire + read),
              "race")
        << kind.release;
  }
}

TEST(Lanes, AllRelease) {
  EXPECT_EQ(pass(write + "mbarrier.arrive.shared::cta.b64 _, [bar];",
                 wait + read, 32),
            "");
  // Each is a part of the count: the waiting side sees them all.
  const std::string count = "W: ld.acquire.cta.shared.u32 %r2, [s+512]; "
                            "setp.ne.u32 %p3, %r2, 32; @%p3 bra W;";
  EXPECT_EQ(
      pass(write + "red.release.cta.shared.add.u32 [s+512], 1;", count + read),
      "");
  EXPECT_EQ(pass(write + "fence.acq_rel.cta; red.relaxed.cta.shared.add.u32 "
                         "[s+512], 1;",
                 count + read),
            "");
  // One of 32 arrives relaxed: its store is not released.
  EXPECT_EQ(pass(write + "@!%p8 mbarrier.arrive.shared::cta.b64 _, [bar]; @%p8 "
                         "mbarrier.arrive.relaxed.cta.shared::cta.b64 _, "
                         "[bar];",
                 wait + read, 32),
            "race");
}

TEST(Lanes, SomeSynchronise) {
  // Lanes 0 to 15 synchronise, lane 0 releases.
  const std::string half = "setp.lt.u32 %p4, %r44, 16; @!%p4 bra H; "
                           "bar.warp.sync 65535; H:",
                    release = "@%p8 st.release.cta.shared.u32 [s+512], 1;",
                    lower = "setp.ge.u32 %p4, %r44, 16; @%p4 bra D;";
  EXPECT_EQ(pass(write + half + release, poll + read), "race");
  EXPECT_EQ(pass(write + half + release, poll + lower + read), "");
  EXPECT_EQ(pass(write + release, poll + lower + read), "race");
  // What lane 5 learns, lane 0 knows through lane 3.
  auto pair = [](const std::string &a, const std::string &b, unsigned mask) {
    return "setp.eq.u32 %p4, %r44, " + a + "; setp.eq.or.u32 %p4, %r44, " + b +
           ", %p4; @%p4 bar.warp.sync " + std::to_string(mask) + ";";
  };
  const std::string mine = "setp.eq.u32 %p5, %r44, 5; @%p5 st.shared.u32 [s], "
                           "9;",
                    theirs = "ld.shared.u32 %r3, [s];";
  EXPECT_EQ(pass(mine + pair("5", "3", 40) + pair("3", "0", 9) + release,
                 poll + theirs),
            "");
  EXPECT_EQ(pass(mine + pair("3", "0", 9) + pair("5", "3", 40) + release,
                 poll + theirs),
            "race");
}

TEST(Lanes, OneAcquires) {
  const std::string all = write + "bar.warp.sync -1;",
                    arrive = "@%p8 mbarrier.arrive.shared::cta.b64 _, [bar];",
                    store = "@%p8 st.release.cta.shared.u32 [s+512], 1;";
  auto alone = [](const std::string &what) {
    return "@!%p8 bra N;" + what + "N:";
  };
  struct {
    std::string release, acquire;
  } kinds[] = {{arrive, wait},
               {store, poll},
               {store, "W: ld.relaxed.cta.shared.u32 %r2, [s+512]; setp.eq.u32 "
                       "%p3, %r2, 0; @%p3 bra W; fence.acq_rel.cta;"}};
  for (const auto &kind : kinds) {
    EXPECT_EQ(pass(all + kind.release, alone(kind.acquire) + read), "race")
        << kind.acquire;
    for (const char *sync : syncs)
      EXPECT_EQ(pass(all + kind.release, alone(kind.acquire) + sync + read), "")
          << sync;
    EXPECT_EQ(pass(all + kind.release, alone(kind.acquire + "ld.shared.u32 "
                                                            "%r3, [s+64];")),
              "");
  }
  // All see the flag, one fences.
  EXPECT_EQ(pass(all + store,
                 "W: ld.relaxed.cta.shared.u32 %r2, [s+512]; setp.eq.u32 %p3, "
                 "%r2, 0; @%p3 bra W; @%p8 fence.acq_rel.cta;" +
                     read),
            "race");
}

TEST(Lanes, ReadersRelease) {
  // The consumer gives a buffer back that all of its lanes have read.
  const std::string fill = write + "bar.warp.sync -1; @%p8 "
                                   "st.release.cta.shared.u32 [s+512], 1;",
                    again = "V: mbarrier.try_wait.parity.shared::cta.b64 %p3, "
                            "[bar], 0; @!%p3 bra V;" +
                            write,
                    back = "@%p8 mbarrier.arrive.shared::cta.b64 _, [bar];";
  EXPECT_EQ(pass(fill + again, poll + read + back), "race");
  EXPECT_EQ(pass(fill + again, poll + read + "bar.warp.sync -1;" + back), "");
  // Single bytes, two lanes to a half word.
  const std::string address = "add.u32 %r6, %r41, %r44;",
                    put = address + "st.shared.u8 [%r6], %t;",
                    get = address + "ld.shared.u8 %r3, [%r6];";
  EXPECT_EQ(pass(put + back, wait + get), "race");
  EXPECT_EQ(pass(put + "bar.warp.sync -1;" + back, wait + get), "");
  EXPECT_EQ(pass(put + "ld.shared.u8 %r3, [%r6]; st.shared.u8 [%r6], %r3;" +
                     "bar.warp.sync -1;" + back,
                 wait + get),
            "");
}

TEST(Lanes, KnowledgeTravelsByLane) {
  // Warp 0 hands over to one lane of warp 1, another lane of it to warp 2.
  auto relay = [](const std::string &lane, const std::string &between) {
    return trap(
        "@%p1 st.shared.u32 [s+512], 0; @%p1 st.shared.u32 [s+516], 0; "
        "bar.sync 0; setp.eq.u32 %p2, %r43, 1; @%p2 bra M; setp.eq.u32 %p2, "
        "%r43, 2; @%p2 bra R; @!%p1 bra D; st.shared.u32 [s], 3; "
        "st.release.cta.shared.u32 [s+512], 1; bra D; M: setp.eq.u32 %p8, "
        "%r44, 0; @!%p8 bra N; V: ld.acquire.cta.shared.u32 %r2, [s+512]; "
        "setp.eq.u32 %p3, %r2, 0; @%p3 bra V; N:" +
            between + "setp.eq.u32 %p4, %r44, " + lane +
            "; @%p4 st.release.cta.shared.u32 [s+516], 1; bra D; R: W: "
            "ld.acquire.cta.shared.u32 %r2, [s+516]; setp.eq.u32 %p3, %r2, 0; "
            "@%p3 bra W; ld.shared.u32 %r3, [s]; D:",
        {1, 96, 1});
  };
  EXPECT_EQ(relay("0", ""), "");
  EXPECT_EQ(relay("1", ""), "race");
  EXPECT_EQ(relay("1", "bar.warp.sync -1;"), "");
}

TEST(Lanes, OtherBlocks) {
  // Every lane of block 0 writes, lane 0 says so to block 1.
  auto message = [](const std::string &release, const std::string &acquire) {
    return trap(
        "mad.wide.u32 %rd5, %t, 4, %rd0; setp.ne.u32 %p2, %r40, 0; @%p2 "
        "bra R; st.global.u32 [%rd5+128], %t;" +
            release + "bra D; R:" + acquire +
            "ld.global.u32 %r2, [%rd5+128]; D:",
        {2, 32, 1});
  };
  const std::string store = "@%p1 st.release.gpu.global.u32 [%rd0+64], 1;",
                    fenced = "membar.gl; @%p1 st.relaxed.gpu.global.u32 "
                             "[%rd0+64], 1;",
                    load = "W: ld.acquire.gpu.global.u32 %r1, [%rd0+64]; "
                           "setp.eq.u32 %p3, %r1, 0; @%p3 bra W;",
                    sync = "bar.warp.sync -1;",
                    alone = "@!%p1 bra N;" + load + "N:";
  EXPECT_EQ(message(store, load), "race");
  EXPECT_EQ(message(sync + store, load), "");
  EXPECT_EQ(message(fenced, load), "race");
  EXPECT_EQ(message(sync + fenced, load), "");
  EXPECT_EQ(message("bar.sync 0;" + fenced, alone), "race");
  EXPECT_EQ(message("bar.sync 0;" + fenced, alone + "bar.sync 0;"), "");
  // The last block to count up: a barrier must stand before the counting.
  auto last = [](const std::string &between) {
    return trap(
        "mad.lo.u32 %r5, %r40, 32, %t; mad.wide.u32 %rd5, %r5, 4, %rd0; "
        "st.global.u32 [%rd5+128], %r40; membar.gl;" +
            between +
            "@%p1 atom.global.add.u32 %r1, [%rd0], 1; @%p1 "
            "st.shared.u32 [s], %r1; bar.sync 0; ld.shared.u32 %r1, "
            "[s]; setp.ne.u32 %p2, %r1, 3; @%p2 bra D; mad.wide.u32 "
            "%rd6, %t, 4, %rd0; ld.global.u32 %r2, [%rd6+128]; D:",
        {4, 32, 1});
  };
  EXPECT_EQ(last("bar.sync 0;"), "");
  EXPECT_EQ(last("bar.warp.sync -1;"), "");
  EXPECT_EQ(last(""), "race");
}

TEST(Lanes, OneFencesTheProxy) {
  const std::string store = "@%p1 cp.async.bulk.global.shared::cta.bulk_group "
                            "[%rd0], [s], 128; @%p1 cp.async.bulk."
                            "commit_group; @%p1 cp.async.bulk.wait_group 0;";
  auto with = [&](const std::string &between) {
    return trap("mad.lo.u32 %r1, %r44, 4, %r41; st.shared.u32 [%r1], %t;" +
                    between + store,
                {});
  };
  EXPECT_EQ(with("fence.proxy.async; bar.sync 0;"), "");
  EXPECT_EQ(with("bar.sync 0; @%p1 fence.proxy.async;"), "");
  // Lane 0 fences what it wrote alone.
  EXPECT_EQ(with("@%p1 fence.proxy.async; bar.sync 0;"), "proxy-fence");
}

TEST(Lanes, EqualValuesOfBulkStores) {
  // Two warps store a row each to one place.
  auto with = [](const std::string &value, const std::string &second) {
    return trap("shl.b32 %r1, %r43, 7; mad.lo.u32 %r1, %r44, 4, %r1; add.u32 "
                "%r1, %r1, %r41; st.shared.u32 [%r1], " +
                    value +
                    "; fence.proxy.async; bar.sync 0; setp.eq.u32 %p8, %r44, "
                    "0; @!%p8 bra D; shl.b32 %r2, %r43, 7; add.u32 %r2, %r2, "
                    "%r41; setp.eq.u32 %p2, %r43, 1; @%p2 bra S; B: "
                    "cp.async.bulk.global.shared::cta.bulk_group [%rd0], "
                    "[%r2], 128; cp.async.bulk.commit_group; "
                    "cp.async.bulk.wait_group 0; bra D; S:" +
                    second + "D:",
                {1, 64, 1});
  };
  EXPECT_EQ(with("%r44", "bra B;"), "");
  EXPECT_EQ(with("%t", "bra B;"), "race");
  // One of them by an ordinary store.
  EXPECT_EQ(with("5", "st.global.u32 [%rd0+64], 5;"), "");
  EXPECT_EQ(with("5", "st.global.u32 [%rd0+64], 6;"), "race");
  // A reduction changes what is there.
  EXPECT_EQ(with("5", "cp.reduce.async.bulk.global.shared::cta.bulk_group.add."
                      "u32 [%rd0], [%r2], 128; cp.async.bulk.commit_group; "
                      "cp.async.bulk.wait_group 0;"),
            "race");
}

} // namespace
