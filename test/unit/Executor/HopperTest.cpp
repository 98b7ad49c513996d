//===- HopperTest.cpp - mbarriers, bulk copies, wgmma ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// sm_90a: tensor copies in one to five dimensions, warpgroup products in every
// type and layout, clusters, and the misuse of each.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "napkin/Executor/Manifest.h"

using namespace napkin::executor;

namespace {

std::string hopper(const std::string &body, unsigned parameters = 1,
                   const std::string &before = "") {
  return kernelText(body, parameters, before, "sm_90a");
}

const std::string wait =
    "W: mbarrier.try_wait.parity.shared::cta.b64 %p9, [bar], 0; @!%p9 bra W;";
const std::string setup =
    ".shared .align 1024 .b8 s[32768]; .shared .align 8 .b64 bar;"
    "setp.eq.u32 %p1, %t, 0; @%p1 mbarrier.init.shared::cta.b64 [bar], 1; "
    "bar.sync 0;";

/// Runs a kernel with a tensor map as its first parameter: over `address`, or
/// the 128 bytes that `encoded` gives.
Ran runWithMap(Device &device, const std::string &body,
               const TensorMapInfo &info, uint64_t address, uint64_t out,
               LaunchConfig config, Options options = {},
               const std::string &attribute = "",
               const char *encoded = nullptr) {
  std::string text =
      ".version 8.4\n.target sm_90a\n.address_size 64\n"
      ".visible .entry k(.param .align 64 .b8 map[128], .param .u64 p1)\n" +
      attribute +
      "{\n.reg .pred %p<20>; .reg .b32 %r<80>; .reg .b64 %rd<40>; .reg .u32 "
      "%t; .reg .b16 %h<8>;\n"
      "ld.param.u64 %rd1, [p1]; mov.u64 %rd2, map; cvta.param.u64 %rd0, %rd2; "
      "mov.u32 %t, %tid.x;\n" +
      body + "\nret;\n}\n";
  Ran ran;
  auto module = napkin::ptx::parse(text, "test.ptx");
  if (!module) {
    ran.error = toString(module.takeError());
    return ran;
  }
  std::vector<char> bytes;
  if (encoded) {
    bytes.assign(encoded, encoded + 128);
  } else {
    auto map = encodeTensorMap(address, info);
    if (!map) {
      ran.error = toString(map.takeError());
      return ran;
    }
    bytes = *map;
  }
  Arguments arguments;
  arguments.raw(bytes.data(), 128).pointer(out);
  auto result = launch(device, **module, "", arguments, config, options);
  if (!result)
    ran.error = toString(result.takeError());
  else
    ran.result = std::move(*result);
  return ran;
}

TEST(Hopper, TensorCopies) {
  for (unsigned rank = 1; rank <= 5; ++rank)
    for (uint32_t swizzle : {0u, 32u, 64u, 128u}) {
      // i32 elements; each is its own linear index plus one.
      TensorMapInfo info;
      info.element = "i32";
      info.swizzle = swizzle;
      uint64_t elements = 1, stride = 4;
      uint32_t inner = swizzle ? swizzle / 4 : 8;
      for (unsigned d = 0; d < rank; ++d) {
        uint64_t size = d == 0 ? 40 : 5;
        info.sizes.push_back(size);
        info.box.push_back(d == 0 ? inner : d < 3 ? 3 : 2);
        if (d)
          info.strides.push_back(stride);
        stride *= size;
        elements *= size;
      }
      std::vector<uint32_t> values(elements);
      for (size_t i = 0; i < elements; ++i)
        values[i] = i + 1;
      Device device;
      uint64_t in = upload(device, values, "in");
      uint32_t count = 1;
      std::string coordinates;
      // Starts before the tensor in dimension 0, beyond its middle in the
      // others.
      int begin[5] = {-4, 3, 3, 4, 4};
      for (unsigned d = 0; d < rank; ++d) {
        count *= info.box[d];
        coordinates +=
            (d ? ", " : "") + std::string("%r") + std::to_string(40 + d);
      }
      uint64_t out = cantFail(device.allocate(count * 4, "out"));
      std::string body = setup;
      for (unsigned d = 0; d < rank; ++d)
        body += "mov.b32 %r" + std::to_string(40 + d) + ", " +
                std::to_string(begin[d]) + ";";
      std::string bytes = std::to_string(count * 4);
      body += "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], " +
              bytes +
              ";"
              "@%p1 cp.async.bulk.tensor." +
              std::to_string(rank) +
              "d.shared::cluster.global.tile"
              ".mbarrier::complete_tx::bytes [s], [%rd0, {" +
              coordinates + "}], [bar];" + wait +
              "mov.u32 %r1, %t; mov.u32 %r2, s;"
              "L: setp.ge.u32 %p2, %r1, " +
              std::to_string(count) +
              "; @%p2 bra D; mad.lo.u32 %r3, %r1, 4, %r2;"
              "ld.shared.u32 %r4, [%r3]; mad.wide.u32 %rd5, %r1, 4, %rd1; "
              "st.global.u32 [%rd5], %r4;"
              "add.u32 %r1, %r1, 32; bra L; D:";
      Ran ran =
          runWithMap(device, body, info, in, out, {{1, 1, 1}, {32, 1, 1}});
      ASSERT_EQ(ran.error + ran.trap(), "")
          << (ran.result.traps.empty() ? ""
                                       : describe(ran.result.traps[0], "t"));
      auto got = download<uint32_t>(device, out, count);
      for (uint32_t linear = 0; linear < count; ++linear) {
        uint32_t rest = linear;
        uint64_t index = 0, step = 1;
        bool inside = true;
        for (unsigned d = 0; d < rank; ++d) {
          int64_t c = begin[d] + int64_t(rest % info.box[d]);
          rest /= info.box[d];
          inside &= c >= 0 && c < int64_t(info.sizes[d]);
          index += c * step;
          step *= info.sizes[d];
        }
        // The swizzle of the manual's tables, on 16-byte chunks of a row of the
        // span.
        uint32_t byte = linear * 4;
        if (swizzle) {
          uint32_t row = byte / 128, chunk = byte / 16 % 8,
                   mask = swizzle / 16 - 1;
          byte = row * 128 + (chunk ^ (row & mask)) * 16 + byte % 16;
        }
        ASSERT_EQ(got[byte / 4], inside ? values[index] : 0)
            << rank << " " << swizzle << " " << linear;
      }
    }
}

// The first half is what the CuTe DSL 4.8.1 encodes for bf16[256, 2, 128] with
// boxes of 128 x 1 x 64 and a swizzle of 128 bytes; it leaves the rest alone.
TEST(Hopper, TensorMapOfAnotherEncoder) {
  const uint32_t words[16] = {0, 0,          0x00246522, 0x20, 0x10, 0,
                              0, 0,          0x7f,       0xff, 1,    0,
                              0, 0x3f000000, 0x7f,       0};
  std::vector<uint16_t> values(256 * 2 * 128);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = uint16_t(i * 7);
  Device device;
  uint64_t in = upload(device, values, "in");
  uint64_t out = cantFail(device.allocate(128 * 64 * 2, "out"));
  char encoded[128];
  std::memset(encoded, 0xa5, 128);
  std::memcpy(encoded, words, 64);
  std::memcpy(encoded, &in, 8);
  std::string body =
      setup +
      "mov.b32 %r40, 64; mov.b32 %r41, 128; mov.b32 %r42, 1;"
      "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 16384;"
      "@%p1 cp.async.bulk.tensor.3d.shared::cluster.global.tile"
      ".mbarrier::complete_tx::bytes [s], [%rd0, {%r40, %r41, %r42}], [bar];" +
      wait +
      "mov.u32 %r1, %t; mov.u32 %r2, s; L: mad.lo.u32 %r3, %r1, 4, %r2;"
      "ld.shared.u32 %r4, [%r3]; mad.wide.u32 %rd5, %r1, 4, %rd1; "
      "st.global.u32 [%rd5], %r4; add.u32 %r1, %r1, 32; "
      "setp.lt.u32 %p2, %r1, 4096; @%p2 bra L;";
  Ran ran = runWithMap(device, body, {}, in, out, {{1, 1, 1}, {32, 1, 1}}, {},
                       "", encoded);
  ASSERT_EQ(ran.error + ran.trap(), "");
  auto got = download<uint16_t>(device, out, 128 * 64);
  for (unsigned row = 0; row < 128; ++row)
    for (unsigned column = 0; column < 64; ++column) {
      unsigned chunk = column / 8 ^ (row & 7);
      ASSERT_EQ(got[row * 64 + chunk * 8 + column % 8],
                values[((128 + row) * 2 + 1) * 128 + 64 + column])
          << row << " " << column;
    }
  std::memset(encoded + 8, 0, 4);
  ran = runWithMap(device, body, {}, in, out, {{1, 1, 1}, {32, 1, 1}}, {}, "",
                   encoded);
  EXPECT_EQ(ran.trap(), "illegal");
}

TEST(Hopper, TensorStoreAndReduce) {
  TensorMapInfo info;
  info.element = "f32";
  info.sizes = {32, 4};
  info.strides = {128};
  info.box = {32, 2};
  std::string body =
      setup +
      "mov.u32 %r2, s; mad.lo.u32 %r3, %t, 4, %r2; cvt.rn.f32.u32 %r4, %t;"
      "st.shared.u32 [%r3], %r4; st.shared.u32 [%r3+128], %r4; "
      "fence.proxy.async.shared::cta; bar.sync 0;"
      "mov.b32 %r5, 0; mov.b32 %r6, 3;"
      "@%p1 cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%rd0, {%r5, "
      "%r5}], [s];"
      "@%p1 cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.bulk_group "
      "[%rd0, {%r5, %r6}], [s];"
      "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;";
  for (bool isFenced : {true, false}) {
    Device device;
    std::vector<float> zeros(128, 1.0f);
    uint64_t in = upload(device, zeros, "in");
    std::string text = body;
    if (!isFenced)
      text.erase(text.find("fence.proxy"),
                 strlen("fence.proxy.async.shared::cta;"));
    Ran ran = runWithMap(device, text, info, in, in, {{1, 1, 1}, {32, 1, 1}});
    if (!isFenced) {
      EXPECT_EQ(ran.trap(), "proxy-fence") << ran.error;
      continue;
    }
    ASSERT_EQ(ran.error + ran.trap(), "");
    auto got = download<float>(device, in, 128);
    EXPECT_EQ(got[5], 5.0f);
    EXPECT_EQ(got[32 + 7], 7.0f);
    EXPECT_EQ(got[64 + 7], 1.0f);
    EXPECT_EQ(got[96 + 7], 8.0f); // 1 + 7; the second row of the box is outside
    EXPECT_EQ(ran.result.counters.total.globalWriteBytes, 256u + 128u);
  }
}

TEST(Hopper, StoresOfWholeWarps) {
  // All lanes issue the same store: it is done, and counted, once. With lanes
  // that differ in the coordinate there are two, into the same rows.
  TensorMapInfo info;
  info.element = "f32";
  info.sizes = {32, 4};
  info.strides = {128};
  info.box = {32, 2};
  for (bool isSame : {true, false}) {
    Device device;
    std::vector<uint32_t> zeros(128);
    uint64_t out = upload(device, zeros, "out");
    std::string body =
        std::string("mov.u32 %r2, s; mad.lo.u32 %r3, %t, 4, %r2; "
                    "st.shared.u32 [%r3], %t; add.u32 %r7, %t, 1; "
                    "st.shared.u32 [%r3+128], %r7; "
                    "fence.proxy.async.shared::cta; bar.sync 0;") +
        (isSame ? "mov.b32 %r6, 2;" : "shr.u32 %r6, %t, 4;") +
        "mov.b32 %r5, 0;"
        "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%rd0, {%r5, "
        "%r6}], [s]; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;";
    Ran ran = runWithMap(device, setup + body, info, out, out,
                         {{1, 1, 1}, {32, 1, 1}});
    if (!isSame) {
      EXPECT_EQ(ran.trap(), "race") << ran.error;
      continue;
    }
    ASSERT_EQ(ran.error + ran.trap(), "");
    EXPECT_EQ(download<uint32_t>(device, out, 128)[64 + 9], 9u);
    EXPECT_EQ(ran.result.counters.total.globalWriteBytes, 256u);
  }
}

TEST(Hopper, BulkCopies) {
  Device device;
  std::vector<uint32_t> values(64);
  for (uint32_t i = 0; i < 64; ++i)
    values[i] = i * 3;
  uint64_t in = upload(device, values, "in"),
           out = cantFail(device.allocate(256, "out"));
  std::string body =
      setup +
      "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 256;"
      "@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[s], [%rd0], 256, [bar];" +
      wait +
      "bar.sync 0; fence.proxy.async.shared::cta;"
      "@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd1], [s], 256; "
      "cp.async.bulk.commit_group;"
      "cp.async.bulk.wait_group.read 0;";
  Ran ran = run(hopper(body, 2), device, {in, out}, {{1, 1, 1}, {64, 1, 1}});
  ASSERT_EQ(ran.error + ran.trap(), "")
      << (ran.result.traps.empty() ? "" : describe(ran.result.traps[0], "t"));
  EXPECT_EQ(download<uint32_t>(device, out, 64), values);
}

TEST(Hopper, MbarrierMisuse) {
  auto trap = [](const std::string &body, unsigned threads = 32) {
    Device device;
    std::vector<uint32_t> zeros(64);
    uint64_t in = upload(device, zeros, "in");
    Ran ran = run(hopper(body), device, {in}, {{1, 1, 1}, {threads, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  std::string shared = ".shared .align 8 .b64 bar; setp.eq.u32 %p1, %t, 0;";
  EXPECT_EQ(trap(shared + "@%p1 mbarrier.arrive.shared::cta.b64 %rd5, [bar];"),
            "mbarrier-misuse");
  EXPECT_EQ(trap(shared + "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; @%p1 "
                          "mbarrier.arrive.shared::cta.b64 _, [bar], 2;"),
            "mbarrier-misuse");
  EXPECT_EQ(trap(shared + "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; @%p1 "
                          "st.shared.u32 [bar], %t;"),
            "mbarrier-misuse");
  EXPECT_EQ(trap(shared + "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; @%p1 "
                          "mbarrier.init.shared::cta.b64 [bar], 1;"),
            "mbarrier-misuse");
  // One arrival is missing.
  EXPECT_EQ(trap(shared +
                 "@%p1 mbarrier.init.shared::cta.b64 [bar], 2; bar.sync 0; "
                 "@%p1 mbarrier.arrive.shared::cta.b64 _, [bar];" +
                 wait),
            "deadlock");
  // More bytes are expected than arrive.
  EXPECT_EQ(trap(setup +
                 "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], "
                 "512; @%p1 cp.async.bulk.shared::cluster.global"
                 ".mbarrier::complete_tx::bytes [s], [%rd0], 256, [bar];" +
                 wait),
            "deadlock");
  // Read before the wait; exit with the copy in flight.
  std::string copy = setup +
                     "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], "
                     "256; @%p1 cp.async.bulk.shared::cluster.global"
                     ".mbarrier::complete_tx::bytes [s], [%rd0], 256, [bar];";
  EXPECT_EQ(trap(copy + "ld.shared.u32 %r1, [s];" + wait), "async-hazard");
  EXPECT_EQ(trap(copy), "exit-in-flight");
  // Another warp reads although only the first waited.
  EXPECT_EQ(trap(copy + "setp.lt.u32 %p3, %t, 32; @!%p3 bra R;" + wait +
                     "bra D; R: nanosleep.u32 5; nanosleep.u32 5; "
                     "ld.shared.u32 %r1, [s]; D:",
                 64),
            "async-hazard");
  // A fresh barrier lets a wait for parity 1 pass.
  EXPECT_EQ(trap(setup + "Q: mbarrier.try_wait.parity.shared::cta.b64 %p9, "
                         "[bar], 1; @!%p9 bra Q;"),
            "");
}

TEST(Hopper, MbarrierStates) {
  auto values = warpResult(
      ".shared .align 8 .b64 bar; setp.eq.u32 %p1, %t, 0; @%p1 "
      "mbarrier.init.shared::cta.b64 [bar], 40; bar.sync 0;"
      "mbarrier.arrive.shared::cta.b64 %rd5, [bar]; mbarrier.pending_count.b64 "
      "%r31, %rd5;"
      "@%p1 mbarrier.arrive.shared::cta.b64 _, [bar], 8; W: "
      "mbarrier.test_wait.shared::cta.b64 %p2, [bar], %rd5; @!%p2 bra W;",
      "sm_90a");
  EXPECT_EQ(values[0], 40u);
  EXPECT_EQ(values[31], 9u);
}

TEST(Hopper, Races) {
  auto trap = [](const std::string &body, unsigned threads = 64) {
    Device device;
    std::vector<uint32_t> zeros(64);
    uint64_t in = upload(device, zeros, "in");
    Ran ran = run(hopper(".shared .align 16 .b8 s[1024]; mov.u32 %r1, s; "
                         "mad.lo.u32 %r2, %t, 4, %r1; xor.b32 %r3, %r2, 128;" +
                         body),
                  device, {in}, {{1, 1, 1}, {threads, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  EXPECT_EQ(
      trap("st.shared.u32 [%r2], %t; bar.sync 0; ld.shared.u32 %r4, [%r3];"),
      "");
  EXPECT_EQ(trap("st.shared.u32 [%r2], %t; st.shared.u32 [%r3], %t;"),
            "race"); // write after write
  // Compilers let warps store one value each to the same place: no order of
  // the two stores can be seen.
  std::string same = "and.b32 %r5, %t, 31; mad.lo.u32 %r6, %r5, 4, %r1; ";
  EXPECT_EQ(trap(same + "st.shared.u32 [%r6], %r5; bar.sync 0; "
                        "ld.shared.u32 %r4, [%r6];"),
            "");
  EXPECT_EQ(trap(same + "add.u32 %r7, %r5, %t; st.shared.u32 [%r6], %r7;"),
            "race");
  EXPECT_EQ(trap(same + "st.shared.u32 [%r6], %r5; st.shared.u8 [%r6], %t;"),
            "race"); // bytes 32 to 63 over 0 to 31
  EXPECT_EQ(trap(same + "setp.lt.u32 %p1, %t, 32; @%p1 st.shared.u32 [%r6], "
                        "%r5; @!%p1 ld.shared.u32 %r4, [%r6];"),
            "race"); // a read without a barrier
  EXPECT_EQ(trap("st.global.u32 [%rd0], 7; bar.sync 0; "
                 "ld.global.u32 %r4, [%rd0];"),
            "");
  EXPECT_EQ(trap("st.global.u32 [%rd0], %t;"), "race");
  EXPECT_EQ(trap("st.shared.u32 [%r2], %t; bar.sync 0; ld.shared.u32 %r4, "
                 "[%r3]; st.shared.u32 [%r2], %t;"),
            "race"); // write after read
  EXPECT_EQ(trap("st.shared.u32 [%r2], %t; bar.sync 0; ld.shared.u32 %r4, "
                 "[%r3]; bar.sync 0; st.shared.u32 [%r2], %t;"),
            "");
  // Each warp has its own bytes of one 16-byte cell.
  EXPECT_EQ(
      trap("shr.u32 %r5, %t, 5; mad.lo.u32 %r6, %r5, 4, %r1; and.b32 %r8, %t, "
           "31; setp.eq.u32 %p1, %r8, 0; @%p1 st.shared.u32 [%r6], %r5; @%p1 "
           "ld.shared.u32 %r7, [%r6]; @%p1 st.shared.u32 [%r6], %r5;"),
      "");
  EXPECT_EQ(trap("mov.u32 %r5, 0; setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 "
                 "[s], %r5; bar.sync 0; atom.shared.add.u32 %r6, [s], 1; "
                 "bar.sync 0; ld.shared.u32 %r7, [s];"),
            "");
  EXPECT_EQ(
      trap("mov.u32 %r5, 0; setp.eq.u32 %p1, %t, 0; @%p1 st.shared.u32 [s], "
           "%r5; bar.sync 0; setp.lt.u32 %p2, %t, 32; @%p2 atom.shared.add.u32 "
           "%r6, [s], 1; @!%p2 ld.shared.u32 %r7, [s];"),
      "race");
}

TEST(Hopper, Clusters) {
  Device device;
  uint64_t out = cantFail(device.allocate(4 * 32 * 4, "out"));
  // Each block reads the number of its neighbour out of that block's memory.
  std::string body =
      ".shared .align 16 .b8 s[128]; mov.u32 %r1, s; mad.lo.u32 %r2, %t, 4, "
      "%r1; mov.u32 %r3, %cluster_ctarank;"
      "mad.lo.u32 %r4, %r3, 100, %t; st.shared.u32 [%r2], %r4; "
      "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;"
      "xor.b32 %r5, %r3, 1; mapa.shared::cluster.u32 %r6, %r2, %r5; "
      "ld.shared::cluster.u32 %r7, [%r6];"
      "mov.u32 %r8, %ctaid.x; mad.lo.u32 %r9, %r8, 32, %t; mad.wide.u32 %rd5, "
      "%r9, 4, %rd0; st.global.u32 [%rd5], %r7;"
      "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;";
  Ran ran =
      run(hopper(body), device, {out}, {{4, 1, 1}, {32, 1, 1}, {2, 1, 1}});
  ASSERT_EQ(ran.error + ran.trap(), "")
      << (ran.result.traps.empty() ? "" : describe(ran.result.traps[0], "t"));
  auto got = download<uint32_t>(device, out, 128);
  EXPECT_EQ(got[5], 105u);
  EXPECT_EQ(got[32 + 5], 5u);
  EXPECT_EQ(got[64 + 7], 107u);
  // Multicast: one load, every block of the cluster receives it.
  TensorMapInfo info;
  info.element = "i32";
  info.sizes = {32};
  info.box = {32};
  std::vector<uint32_t> values(32);
  for (uint32_t i = 0; i < 32; ++i)
    values[i] = i + 7;
  uint64_t in = upload(device, values, "in");
  body = setup +
         "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 128; "
         "fence.mbarrier_init.release.cluster; barrier.cluster.arrive.aligned; "
         "barrier.cluster.wait.aligned;"
         "mov.u32 %r3, %cluster_ctarank; setp.eq.and.u32 %p2, %r3, 0, %p1; "
         "mov.b32 %r4, 0; mov.b16 %h1, 3;"
         "@%p2 "
         "cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx:"
         ":bytes.multicast::cluster [s], [%rd0, {%r4}], [bar], %h1;" +
         wait +
         "mov.u32 %r1, s; mad.lo.u32 %r2, %t, 4, %r1; ld.shared.u32 %r7, [%r2];"
         "mov.u32 %r8, %ctaid.x; mad.lo.u32 %r9, %r8, 32, %t; mad.wide.u32 "
         "%rd5, %r9, 4, %rd1; st.global.u32 [%rd5], %r7;"
         "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;";
  ran = runWithMap(device, body, info, in, out,
                   {{2, 1, 1}, {32, 1, 1}, {2, 1, 1}});
  ASSERT_EQ(ran.error + ran.trap(), "")
      << (ran.result.traps.empty() ? "" : describe(ran.result.traps[0], "t"));
  got = download<uint32_t>(device, out, 128);
  EXPECT_EQ(got[32 + 9], 16u);
  EXPECT_EQ(got[9], 16u);
  EXPECT_EQ(ran.result.counters.total.globalReadBytes, 128u);
  // The copy signals the other block's object, whose initialisation is not
  // fenced.
  body.erase(body.find("fence.mbarrier_init"),
             strlen("fence.mbarrier_init.release.cluster;"));
  ran = runWithMap(device, body, info, in, out,
                   {{2, 1, 1}, {32, 1, 1}, {2, 1, 1}});
  EXPECT_EQ(ran.trap(), "proxy-fence");
}

TEST(Hopper, WarpgroupsActAlike) {
  auto trap = [](const std::string &body) {
    Device device;
    uint64_t in = upload(device, std::vector<uint32_t>(64), "in");
    Ran ran = run(hopper(".shared .align 128 .b8 s[4096]; mov.b32 %r9, 0;"
                         "mov.u32 %r1, s; mad.lo.u32 %r2, %t, 32, %r1; "
                         "st.shared.v4.u32 [%r2], {%r9, %r9, %r9, %r9}; "
                         "st.shared.v4.u32 [%r2+16], {%r9, %r9, %r9, %r9}; "
                         "fence.proxy.async; bar.sync 0; setp.lt.u32 %p1, %t, "
                         "96; shr.u32 %r3, %r1, 4; cvt.u64.u32 %rd5, %r3; "
                         "or.b64 %rd5, %rd5, 68720001024;" +
                         body),
                  device, {in}, {{1, 1, 1}, {128, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  const std::string product =
      "wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64n8k16.f32."
      "bf16.bf16 {%f0, %f1, %f2, %f3}, %rd5, %rd5, 0, 1, 1, 0, 0; "
      "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;";
  EXPECT_EQ(trap(product), "");
  EXPECT_EQ(trap("@%p1 add.u64 %rd5, %rd5, 1;" + product), "wgmma-hazard");
  EXPECT_EQ(trap("@!%p1 bra D; wgmma.fence.sync.aligned; D:"), "wgmma-hazard");
  // Nobody may go on before all have issued it.
  EXPECT_EQ(trap("@!%p1 bra D;" + product + "D:"), "deadlock");
  EXPECT_EQ(trap("@!%p1 bra L; setmaxnreg.dec.sync.aligned.u32 40; bra D; L: "
                 "setmaxnreg.dec.sync.aligned.u32 48; D:"),
            "register-pool");
  EXPECT_EQ(trap("@!%p1 bra D; setmaxnreg.dec.sync.aligned.u32 40; D:"),
            "register-pool");
  EXPECT_EQ(trap("setmaxnreg.dec.sync.aligned.u32 40;"), "");
}

TEST(Hopper, SetMaxNReg) {
  Device device;
  uint64_t out = cantFail(device.allocate(4, "out"));
  auto text = [](const char *first, const char *second) {
    std::string body = std::string("setp.lt.u32 %p1, %t, 128; @%p1 bra A; ") +
                       first + "; bra D; A: " + second + "; D:";
    std::string kernel = hopper(body);
    kernel.replace(kernel.find(")\n{"), 2,
                   ")\n.maxntid 256, 1, 1\n.maxnreg 128\n");
    return kernel;
  };
  EXPECT_EQ(run(text("setmaxnreg.dec.sync.aligned.u32 40",
                     "setmaxnreg.inc.sync.aligned.u32 208"),
                device, {out}, {{1, 1, 1}, {256, 1, 1}})
                .trap(),
            "");
  EXPECT_EQ(run(text("mov.u32 %r1, 0; bar.sync 1, 256",
                     "setmaxnreg.inc.sync.aligned.u32 208; bar.sync 1, 256"),
                device, {out}, {{1, 1, 1}, {256, 1, 1}})
                .trap(),
            "deadlock");
  // Warps that end give nothing back.
  EXPECT_EQ(run(text("mov.u32 %r1, 0", "setmaxnreg.inc.sync.aligned.u32 208"),
                device, {out}, {{1, 1, 1}, {256, 1, 1}})
                .trap(),
            "deadlock");
}

TEST(Hopper, RegistersAtEntry) {
  // Warpgroup 0 goes down, the others go up. ptxas 13.0 reports 240, 168 and
  // 128 registers for 256, 384 and 512 threads.
  auto trap = [](unsigned threads, unsigned down, unsigned up,
                 const std::string &directives = ".minnctapersm 1") {
    Device device;
    uint64_t out = cantFail(device.allocate(4, "out"));
    std::string kernel = hopper("setp.lt.u32 %p1, %t, 128; @%p1 bra A; "
                                "setmaxnreg.inc.sync.aligned.u32 " +
                                std::to_string(up) +
                                "; bra D; A: setmaxnreg.dec.sync.aligned.u32 " +
                                std::to_string(down) + "; D:");
    kernel.replace(kernel.find(")\n{"), 2,
                   ")\n.maxntid " + std::to_string(threads) + ", 1, 1\n" +
                       directives + "\n");
    Ran ran = run(kernel, device, {out}, {{1, 1, 1}, {threads, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  EXPECT_EQ(trap(256, 24, 240), "");
  EXPECT_EQ(trap(256, 24, 232), "");
  EXPECT_EQ(trap(384, 24, 240), "");
  EXPECT_EQ(trap(384, 24, 248), "deadlock");
  EXPECT_EQ(trap(384, 40, 232), "");
  EXPECT_EQ(trap(384, 48, 232), "deadlock");
  EXPECT_EQ(trap(512, 24, 160), "");
  EXPECT_EQ(trap(512, 32, 168), "deadlock");
  // Two blocks to a multiprocessor, and a count of its own.
  EXPECT_EQ(trap(256, 24, 232, ".minnctapersm 2"), "");
  EXPECT_EQ(trap(256, 32, 240, ".minnctapersm 2"), "deadlock");
  EXPECT_EQ(trap(384, 24, 208, ".maxnreg 128"), "deadlock");
  EXPECT_EQ(trap(384, 24, 176, ".maxnreg 128"), "");
  // More than there is.
  EXPECT_EQ(trap(384, 176, 232), "register-pool");
}

} // namespace
