//===- TensorMapTest.cpp - Tensor maps made on the device ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// tensormap.replace and tensormap.cp_fenceproxy are accesses like others, and a
// map that the device wrote needs its fences before a copy uses it.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "napkin/Executor/Manifest.h"

using namespace napkin::executor;

namespace {

/// Runs `body` on `threads` threads. %rd0 is the generic address of a map of
/// the host over 32 zeros, %rd1 a buffer: a map may be made at 0 and at 128,
/// 2048 holds 32 words 100, 101, ..., the result at 3072 is what the copy
/// brought. `m` and `s` are shared; %p1 is thread 0, %p8 lane 0, %r43 the warp.
Ran runMap(const std::string &body, unsigned threads = 32,
           bool isHostMade = false) {
  const std::string text =
      ".version 8.4\n.target sm_90a\n.address_size 64\n"
      ".visible .entry k(.param .align 64 .b8 map[128], .param .u64 p1)\n"
      "{\n.reg .pred %p<20>; .reg .b32 %r<80>; .reg .b64 %rd<40>;\n"
      ".shared .align 128 .b8 m[128]; .shared .align 128 .b8 s[128]; "
      ".shared .align 8 .b64 bar;\n"
      "ld.param.u64 %rd1, [p1]; mov.u64 %rd2, map; cvta.param.u64 %rd0, %rd2; "
      "mov.u32 %r40, %tid.x; shr.u32 %r43, %r40, 5; and.b32 %r44, %r40, 31; "
      "setp.eq.u32 %p1, %r40, 0; setp.eq.u32 %p8, %r44, 0; mov.b32 %r9, 0; "
      "@%p1 mbarrier.init.shared::cta.b64 [bar], 1; bar.sync 0; "
      "add.u64 %rd5, %rd1, 2048; mad.wide.u32 %rd6, %r44, 4, %rd0; "
      "shl.b32 %r1, %r44, 2; mov.u32 %r2, m; add.u32 %r2, %r2, %r1; "
      "mov.u32 %r3, s; add.u32 %r3, %r3, %r1; add.u64 %rd8, %rd1, 128;\n" +
      body + "\nret;\n}\n";
  Ran ran;
  Device device;
  std::vector<uint32_t> values(1024);
  for (uint32_t i = 0; i < 32; ++i)
    values[512 + i] = 100 + i;
  uint64_t zeros = upload(device, std::vector<uint32_t>(32), "zeros"),
           buffer = upload(device, values, "buffer");
  TensorMapInfo info;
  info.element = "i32";
  info.sizes = {32};
  info.box = {32};
  std::vector<char> map = cantFail(encodeTensorMap(zeros, info));
  if (isHostMade) {
    std::vector<char> made = cantFail(encodeTensorMap(buffer + 2048, info));
    cantFail(device.copyToDevice(buffer, made.data(), made.size()));
  }
  auto module = napkin::ptx::parse(text, "test.ptx");
  if (!module) {
    ran.error = toString(module.takeError());
    return ran;
  }
  Arguments arguments;
  arguments.raw(map.data(), 128).pointer(buffer);
  auto result =
      launch(device, **module, "", arguments, {{1, 1, 1}, {threads, 1, 1}});
  if (!result) {
    ran.error = toString(result.takeError());
    return ran;
  }
  ran.result = std::move(*result);
  if (ran.trap().empty()) {
    std::vector<uint32_t> got(32);
    cantFail(device.copyFromDevice(got.data(), buffer + 3072, 128));
    EXPECT_EQ(got[7], 107u);
  }
  return ran;
}
std::string trap(const std::string &body, unsigned threads = 32,
                 bool isHostMade = false) {
  Ran ran = runMap(body, threads, isHostMade);
  EXPECT_EQ(ran.error, "");
  return ran.trap();
}

const std::string
    sync = "bar.warp.sync -1;",
    stage = "ld.u32 %r4, [%rd6]; st.shared.u32 [%r2], %r4;",
    replace = "@%p8 tensormap.replace.tile.global_address.shared::cta.b1024."
              "b64 [m], %rd5;",
    publish = "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic."
              "release.gpu.sync.aligned [%rd1], [m], 128;",
    build = stage + sync + replace + sync + publish,
    acquire = "fence.proxy.tensormap::generic.acquire.gpu [%rd1], 128;",
    copy = "@%p8 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 128; "
           "@%p8 cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::"
           "complete_tx::bytes [s], [%rd1, {%r9}], [bar];",
    finish = "W: mbarrier.try_wait.parity.shared::cta.b64 %p9, [bar], 0; @!%p9 "
             "bra W; ld.shared.u32 %r5, [%r3]; mad.wide.u32 %rd7, %r44, 4, "
             "%rd1; st.global.u32 [%rd7+3072], %r5;",
    use = copy + finish;

TEST(TensorMap, MadeOnTheDevice) {
  EXPECT_EQ(trap(build + acquire + use), "");
  EXPECT_EQ(trap(build + use), "proxy-fence");
  // The lane that uses it must have acquired, or be ordered after who has.
  EXPECT_EQ(trap(build + "@%p8 " + acquire + use), "");
  EXPECT_EQ(trap(build + "@!%p8 " + acquire + use), "proxy-fence");
  EXPECT_EQ(trap(build + "@!%p8 " + acquire + sync + use), "");
  // Of another map, or before there was one.
  EXPECT_EQ(trap(build +
                 "fence.proxy.tensormap::generic.acquire.gpu [%rd8], 128;" +
                 use),
            "proxy-fence");
  EXPECT_EQ(trap(acquire + build + use), "proxy-fence");
  // A map of the host needs nothing.
  EXPECT_EQ(trap(use, 32, true), "");
}

TEST(TensorMap, ChangesAreAccesses) {
  EXPECT_EQ(trap(stage + replace + sync + publish + acquire + use), "race");
  EXPECT_EQ(trap(stage + sync + replace + publish + acquire + use), "race");
  // Lanes that change one map at a time.
  const std::string two =
      "setp.lt.u32 %p4, %r44, 2; @%p4 tensormap.replace.tile.global_address."
      "shared::cta.b1024.b64 [m], %rd5;";
  EXPECT_EQ(trap(stage + sync + two + sync + publish + acquire + use), "race");
}

TEST(TensorMap, MadeByAnotherWarp) {
  auto with = [](const std::string &between, const std::string &before) {
    return trap("setp.ne.u32 %p2, %r43, 0; @%p2 bra U;" + build + "bra B; U:" +
                    before + "B:" + between + "@!%p2 bra D;" + use + "D:",
                64);
  };
  const std::string barrier = "bar.sync 0;";
  EXPECT_EQ(with(barrier + acquire, ""), "");
  EXPECT_EQ(with(barrier, ""), "proxy-fence");
  EXPECT_EQ(with(barrier, acquire), "proxy-fence");
  EXPECT_EQ(with(acquire, ""), "race");
}

TEST(TensorMap, ChangedInGlobalMemory) {
  const std::string write = "ld.u32 %r4, [%rd6]; mad.wide.u32 %rd9, %r44, 4, "
                            "%rd1; st.global.u32 [%rd9], %r4;" +
                            sync +
                            "@%p8 tensormap.replace.tile.global_address."
                            "global.b1024.b64 [%rd1], %rd5;" +
                            sync,
                    release = "fence.proxy.tensormap::generic.release.gpu;";
  EXPECT_EQ(trap(write + release + acquire + use), "");
  EXPECT_EQ(trap(write + acquire + use), "proxy-fence");
  EXPECT_EQ(trap(write + release + use), "proxy-fence");
  // Changed again after its acquire.
  const std::string again = "@%p8 tensormap.replace.tile.global_address.global."
                            "b1024.b64 [%rd1], %rd5;" +
                            sync + release;
  EXPECT_EQ(trap(write + release + acquire + sync + again + acquire + use), "");
  EXPECT_EQ(trap(write + release + acquire + sync + again + use),
            "proxy-fence");
}

} // namespace
