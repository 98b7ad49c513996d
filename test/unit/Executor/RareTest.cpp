//===- RareTest.cpp - Instructions that compilers seldom emit --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Expected values follow from the manual's semantics, worked out by hand.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

uint32_t first(const std::string &body, const std::string &target = "sm_80") {
  return warpResult(body, target)[0];
}

TEST(Rare, Integer) {
  // (2^32 - 1)^2 + carry-producing sum: mad.lo.cc then madc.hi gives 64 bits.
  EXPECT_EQ(first("mov.u32 %r1, 0xffffffff; mad.lo.cc.u32 %r2, %r1, %r1, %r1; "
                  "madc.hi.u32 %r31, %r1, %r1, 0;"),
            0xffffffffu); // (2^32-1)^2 + 2^32-1 = (2^32-1) 2^32
  EXPECT_EQ(first("mov.u32 %r1, 0xffffffff; mad.lo.cc.u32 %r31, %r1, %r1, "
                  "%r1;"),
            0u);
  EXPECT_EQ(first("mov.u32 %r1, 0x12345678; szext.wrap.u32 %r31, %r1, 36;"),
            8u);
  EXPECT_EQ(first("mov.u32 %r1, 0x12345678; szext.clamp.u32 %r31, %r1, 36;"),
            0x12345678u);
  EXPECT_EQ(first("mov.u32 %r1, 0x12345678; szext.clamp.u32 %r31, %r1, 0;"),
            0u);
  // 24 x 24 bits: 0x7fffff^2 >> 16 = 0x3fffff00 (0x3fffff000001 >> 16).
  EXPECT_EQ(first("mov.u32 %r1, 0x7fffff; mad24.hi.sat.s32 %r31, %r1, %r1, "
                  "0x7fffffff;"),
            0x7fffffffu);
  EXPECT_EQ(first("mov.u32 %r1, 0x7fffff; mad24.hi.sat.s32 %r31, %r1, %r1, 1;"),
            0x3fffff01u);
  // a & b of the table 0x80 with c = ~0 is a & b.
  EXPECT_EQ(first("setp.eq.u32 %p2, 0, 0; mov.u32 %r1, 12; mov.u32 %r2, 3; "
                  "mov.u32 %r3, -1; lop3.or.b32 %r4|%p1, %r1, %r2, %r3, 0x80, "
                  "!%p2; selp.b32 %r31, 1, 2, %p1;"),
            2u); // 12 & 3 is 0, or false
  EXPECT_EQ(first("setp.eq.u32 %p2, 0, 0; mov.u32 %r1, 12; mov.u32 %r2, 6; "
                  "mov.u32 %r3, -1; lop3.and.b32 %r4|%p1, %r1, %r2, %r3, 0x80, "
                  "%p2; selp.b32 %r5, 16, 32, %p1; add.u32 %r31, %r4, %r5;"),
            4u + 16u);
  // Two s16: min(-5, 3) = -5 and min(7, 9) = 7, then at least 0.
  EXPECT_EQ(first("mov.u32 %r1, 0x0007fffb; mov.u32 %r2, 0x00090003; "
                  "min.relu.s16x2 %r31, %r1, %r2;",
                  "sm_90"),
            0x00070000u);
  // 300 and -300 saturate to s4 7 and -8, c fills the rest from the left.
  EXPECT_EQ(first("mov.u32 %r1, 300; mov.u32 %r2, -300; mov.u32 %r3, "
                  "0x00abcdef; cvt.pack.sat.s4.s32.b32 %r31, %r1, %r2, %r3;"),
            0xabcdef78u);
  EXPECT_EQ(first("mov.u32 %r1, 2; mov.u32 %r2, 9; cvt.pack.sat.u2.s32.b32 "
                  "%r31, %r1, %r2, 1;"),
            0x1bu);
}

TEST(Rare, Video) {
  // Bytes 0x80 as s8 and the upper half 0x0003: -128 + 3.
  const std::string ab = "mov.u32 %r1, 0x00008001; mov.u32 %r2, 0x0003ffff; "
                         "mov.u32 %r3, 0x11223344; ";
  EXPECT_EQ(first(ab + "vadd.s32.s32.u32 %r31, %r1.b1, %r2.h1;"),
            uint32_t(-125));
  EXPECT_EQ(first(ab + "vadd.u32.s32.u32.sat %r31, %r1.b1, %r2.h1;"), 0u);
  EXPECT_EQ(first(ab + "vsub.s32.s32.u32.sat %r31.b2, %r1.b1, %r2.h1, %r3;"),
            0x11803344u); // -131 saturates to -128
  EXPECT_EQ(first(ab + "vabsdiff.u32.u32.u32.add %r31, %r1.b0, %r2.h1, %r3;"),
            0x11223346u);
  EXPECT_EQ(first(ab + "vshl.u32.u32.u32.sat.clamp %r31, %r1, 20;"),
            0xffffffffu);
  EXPECT_EQ(first(ab + "vshr.s32.s32.u32.wrap %r31, %r1.b1, 34;"),
            uint32_t(-32));
  EXPECT_EQ(first(ab + "vset.s32.u32.lt.max %r31, %r1.b1, %r2.b0, %r3;"),
            0x11223344u);
  EXPECT_EQ(first(ab + "vset.s32.u32.lt %r31, %r1.b1, %r2.b0;"), 1u);
  // 3 * 5 + 1 + 1, shifted; -(3 * 5) + 7; 3 * 5 - 7.
  EXPECT_EQ(
      first("mov.u32 %r1, 300; mov.u32 %r2, 500; vmad.u32.u32.u32.po.shr7 "
            "%r31, %r1, %r2, 10;"),
      150011u >> 7);
  EXPECT_EQ(first("mov.u32 %r1, 3; mov.u32 %r2, 5; mov.u32 %r3, 7; "
                  "vmad.s32.s32.s32 %r31, -%r1, %r2, %r3;"),
            uint32_t(-8));
  EXPECT_EQ(first("mov.u32 %r1, 3; mov.u32 %r2, 5; mov.u32 %r3, 7; "
                  "vmad.s32.u32.u32 %r31, %r1, %r2, -%r3;"),
            8u);
  const std::string packed =
      "mov.u32 %r1, 0x10ff8001; mov.u32 %r2, 0x20010203; "
      "mov.u32 %r3, 0xa0b0c0d0; ";
  EXPECT_EQ(first(packed + "vadd4.u32.u32.u32.sat %r31, %r1, %r2, %r3;"),
            0x30ff8204u);
  EXPECT_EQ(first(packed + "vadd4.u32.u32.u32 %r31.b20, %r1, %r2, %r3;"),
            0xa000c004u);
  // |16-32| + |255-1| + |128-2| + |1-3|
  EXPECT_EQ(
      first(packed +
            "mov.u32 %r4, 5; vabsdiff4.u32.u32.u32.add %r31, %r1, %r2, %r4;"),
      16u + 254 + 126 + 2 + 5);
  // Bytes as s8: averages of (16, 32), (-1, 1), (-128, 2), (1, 3).
  EXPECT_EQ(first(packed + "vavrg4.s32.s32.s32 %r31, %r1, %r2, %r3;"),
            0x1800c102u);
  // Halves 0x10ff, 0x8001 against 0x0203 (h2) twice.
  EXPECT_EQ(first(packed + "vmin2.s32.s32.s32 %r31, %r1, %r2.h22, %r3;"),
            0x02038001u);
  EXPECT_EQ(first(packed +
                  "mov.u32 %r4, 7; vset2.u32.u32.gt.add %r31, %r1, %r2, %r4;"),
            8u);
}

TEST(Rare, HalfPrecision) {
  // 0xffff is the NaN that fills what is outside a tensor: it makes +0.
  EXPECT_EQ(first("mov.b32 %r1, 0x3c00ffff; mov.b32 %r2, 0x40004000; mov.b32 "
                  "%r3, 0x3c003c00; fma.rn.oob.f16x2 %r31, %r1, %r2, %r3;",
                  "sm_90"),
            0x42000000u); // 1 * 2 + 1 = 3 and 0
  // The smallest subnormal is flushed with .ftz only.
  EXPECT_EQ(first("mov.b32 %r1, 0x80010001; abs.ftz.f16x2 %r31, %r1;"), 0u);
  EXPECT_EQ(first("mov.b32 %r1, 0x80010001; abs.f16x2 %r31, %r1;"),
            0x00010001u);
  EXPECT_EQ(first("mov.b32 %r1, 0x80010001; neg.ftz.f16x2 %r31, %r1;"),
            0x00008000u);
  EXPECT_EQ(first("mov.b16 %h1, 0x0001; mov.b16 %h2, 0; setp.gt.ftz.f16 %p1, "
                  "%h1, %h2; setp.gt.f16 %p2, %h1, %h2; selp.b32 %r1, 1, 0, "
                  "%p1; selp.b32 %r2, 2, 0, %p2; add.u32 %r31, %r1, %r2;"),
            2u);
  // -1 and 2: the smaller size with the sign of the product.
  EXPECT_EQ(first("mov.b16 %h1, 0xbc00; mov.b16 %h2, 0x4000; "
                  "min.ftz.xorsign.abs.f16 %h3, %h1, %h2; cvt.u32.u16 %r31, "
                  "%h3;",
                  "sm_86"),
            0xbc00u);
  // Upper halves 1 < 2 holds, lower halves 2 < 1 does not.
  EXPECT_EQ(first("mov.b32 %r1, 0x3c004000; mov.b32 %r2, 0x40003c00; "
                  "set.lt.f16x2.f16x2 %r31, %r1, %r2;"),
            0x3c000000u);
  EXPECT_EQ(first("mov.b32 %r1, 0x3c004000; mov.b32 %r2, 0x40003c00; "
                  "set.lt.u32.f16x2 %r31, %r1, %r2;"),
            0xffff0000u);
  EXPECT_EQ(first("setp.eq.u32 %p3, 0, 1; mov.b32 %r1, 0x3f804000; mov.b32 "
                  "%r2, 0x40003f80; set.lt.or.bf16x2.bf16x2 %r31, %r1, %r2, "
                  "!%p3;",
                  "sm_90"),
            0x3f803f80u);
  EXPECT_EQ(first("setp.eq.u32 %p3, 0, 0; mov.b32 %r1, 0x3c004000; mov.b32 "
                  "%r2, 0x40003c00; setp.lt.xor.f16x2 %p1|%p2, %r1, %r2, %p3; "
                  "selp.b32 %r3, 1, 0, %p1; selp.b32 %r4, 2, 0, %p2; add.u32 "
                  "%r31, %r3, %r4;"),
            1u); // low: false xor true, high: true xor true
}

TEST(Rare, WideRegisters) {
  EXPECT_EQ(
      first(".reg .b128 %q<3>; mov.b64 %rd5, 0x1111111122222222; mov.b64 "
            "%rd6, 0x3333333344444444; mov.b128 %q0, {%rd5, %rd6}; "
            "mov.b128 %q1, %q0; mov.b128 {%rd7, %rd8}, %q1; shr.u64 %rd9, "
            "%rd8, 32; cvt.u32.u64 %r1, %rd9; cvt.u32.u64 %r2, %rd7; "
            "add.u32 %r31, %r1, %r2;",
            "sm_90"),
      0x33333333u + 0x22222222u);
  // Through shared memory; then compare-and-swap of 16 bytes.
  const std::string begin =
      ".reg .b128 %q<5>; .shared .align 16 .b8 s[16]; mov.b64 %rd5, 7; mov.b64 "
      "%rd6, 9; mov.b128 %q0, {%rd5, %rd6}; setp.eq.u32 %p1, %t, 0; @%p1 "
      "st.shared.b128 [s], %q0; bar.sync 0; ";
  EXPECT_EQ(first(begin +
                      "ld.shared.b128 %q1, [s]; mov.b128 {%rd7, %rd8}, %q1; "
                      "cvt.u32.u64 %r31, %rd8;",
                  "sm_90"),
            9u);
  const std::string swap =
      "mov.b64 %rd9, 11; mov.b128 %q2, {%rd9, %rd9}; mov.b128 %q3, {%rd5, "
      "%rd9};"
      "@%p1 atom.shared.cas.b128 %q1, [s], $, %q2; bar.sync 0; "
      "ld.shared.b64 %rd7, [s+8]; cvt.u32.u64 %r31, %rd7;";
  std::string same = begin + swap, other = same;
  same.replace(same.find('$'), 1, "%q0");
  other.replace(other.find('$'), 1, "%q3");
  EXPECT_EQ(first(same, "sm_90"), 11u);
  EXPECT_EQ(first(other, "sm_90"), 9u);
}

TEST(Rare, VectorsOfBytes) {
  const std::string store =
      ".shared .align 8 .b8 s[8]; mov.b32 %r1, 0x80ff7f01; mov.b32 %r2, "
      "0x04030281; setp.eq.u32 %p1, %t, 0; @%p1 st.shared.v2.b32 [s], {%r1, "
      "%r2}; bar.sync 0; ";
  // 1 + 127 - 1 - 128
  EXPECT_EQ(first(store + "ld.shared.v4.s8 {%r3, %r4, %r5, %r6}, [s]; add.s32 "
                          "%r7, %r3, %r4; add.s32 %r8, %r5, %r6; add.s32 %r31, "
                          "%r7, %r8;"),
            uint32_t(-1));
  EXPECT_EQ(first(store + "ld.weak.shared.v4.u8 {%r3, _, %r5, _}, [s]; add.s32 "
                          "%r31, %r3, %r5;"),
            0x100u);
}

TEST(Rare, EightHalves) {
  // Elements 0 to 7 are 1, 2, 4, ... 128; the last and the third are taken.
  EXPECT_EQ(first(".shared .align 16 .b8 s[16]; mov.b32 %r1, 0x00020001; "
                  "mov.b32 %r2, 0x00080004; mov.b32 %r3, 0x00200010; mov.b32 "
                  "%r4, 0x00800040; setp.eq.u32 %p1, %t, 0; @%p1 "
                  "st.shared.v4.b32 [s], {%r1, %r2, %r3, %r4}; bar.sync 0; "
                  "ld.shared.v8.b16 {%h0, %h1, %h2, %h3, %h4, %h5, %h6, %h7}, "
                  "[s]; add.u16 %h8, %h2, %h7; cvt.u32.u16 %r31, %h8;",
                  "sm_90"),
            132u);
}

TEST(Rare, Spaces) {
  EXPECT_EQ(
      first(".const .b32 c[4]; .global .b32 g[4]; .shared .b32 s[4]; "
            ".local .b32 m[4]; "
            "cvta.const.u64 %rd5, c; cvta.global.u64 %rd6, g; "
            "cvta.shared.u64 %rd7, s; cvta.local.u64 %rd8, m; "
            "isspacep.const %p1, %rd5; isspacep.global %p2, %rd5; "
            "isspacep.global %p3, %rd6; isspacep.shared %p4, %rd7; "
            "isspacep.local %p5, %rd8; isspacep.shared %p6, %rd8; "
            "selp.b32 %r1, 1, 0, %p1; selp.b32 %r2, 2, 0, %p2; selp.b32 "
            "%r3, 4, 0, %p3; selp.b32 %r4, 8, 0, %p4; selp.b32 %r5, 16, 0, "
            "%p5; selp.b32 %r6, 32, 0, %p6; add.u32 %r31, %r1, %r2; "
            "add.u32 %r31, %r31, %r3; add.u32 %r31, %r31, %r4; add.u32 "
            "%r31, %r31, %r5; add.u32 %r31, %r31, %r6;"),
      1u + 4 + 8 + 16);
}

TEST(Rare, VectorRegisters) {
  EXPECT_EQ(first(".reg .v4 .b32 v; .shared .align 16 .b8 s[16]; mov.b32 v.x, "
                  "1; mov.b32 v.y, 2; mov.b32 v.z, 4; mov.b32 v.a, 8; setp.eq."
                  "u32 %p1, %t, 0; @%p1 st.shared.v4.b32 [s], v; bar.sync 0; "
                  "ld.shared.b32 %r31, [s+12];"),
            8u);
}

TEST(Rare, GlobalAtomicsFlushSubnormals) {
  Device device;
  uint64_t cell = upload(device, std::vector<uint32_t>{1, 0}, "cell");
  const std::string add = "setp.ne.u32 %p1, %t, 0; @%p1 exit; mov.b32 %f1, "
                          "0f00000001; ";
  Ran ran = run(kernelText(add + "red.global.add.f32 [%rd0], %f1;"), device,
                {cell}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(download<uint32_t>(device, cell, 2)[0], 0u);
  // In shared memory they are kept: 1 + 1 = 2 of the smallest.
  EXPECT_EQ(
      first(".shared .align 4 .b32 s; setp.eq.u32 %p1, %t, 0; mov.b32 "
            "%f1, 0f00000001; @%p1 st.shared.f32 [s], %f1; @%p1 "
            "red.shared.add.f32 [s], %f1; bar.sync 0; ld.shared.b32 %r31, "
            "[s];"),
      2u);
}

TEST(Rare, ReductionBetweenSharedMemories) {
  const std::string body =
      ".shared .align 16 .b32 from[16]; .shared .align 16 .b32 to[16]; .shared "
      ".align 8 .b64 m; mov.u32 %r1, from; mov.u32 %r2, to; mov.u32 %r3, m; "
      "setp.ne.u32 %p1, %t, 0; setp.gt.u32 %p2, %t, 15; shl.b32 %r4, %t, 2; "
      "add.u32 %r5, %r1, %r4; add.u32 %r6, %r2, %r4; add.u32 %r7, %t, 100; "
      "@!%p2 st.shared.u32 [%r5], %t; @!%p2 st.shared.u32 [%r6], %r7; @!%p1 "
      "mbarrier.init.shared.b64 [%r3], 1; fence.mbarrier_init.release.cluster; "
      "fence.proxy.async.shared::cta; bar.sync 0; @%p1 bra W; "
      "mbarrier.arrive.expect_tx.shared.b64 _, [%r3], 64; "
      "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::"
      "bytes.$ [%r2], [%r1], 64, [%r3]; W: mbarrier.try_wait.parity.shared.b64 "
      "%p3, [%r3], 0; @!%p3 bra W; mov.u32 %r31, 0; @!%p2 ld.shared.u32 %r31, "
      "[%r6];";
  for (auto [operation, expected] :
       {std::make_pair("add.u32", 110u), std::make_pair("max.u32", 105u),
        std::make_pair("and.b32", 105u & 5u)}) {
    std::string text = body;
    text.replace(text.find('$'), 1, operation);
    EXPECT_EQ(warpResult(text, "sm_90")[5], expected);
  }
}

TEST(Rare, CallsThroughPointers) {
  const std::string functions =
      ".func (.param .b32 o) twice(.param .b32 i) { .reg .b32 %x; ld.param.b32 "
      "%x, [i]; shl.b32 %x, %x, 1; st.param.b32 [o], %x; ret; }\n"
      ".func (.param .b32 o) more(.param .b32 i) { .reg .b32 %x; ld.param.b32 "
      "%x, [i]; add.u32 %x, %x, 100; st.param.b32 [o], %x; ret; }\n"
      ".global .align 8 .u64 table[2] = {twice, more};\n";
  const std::string body =
      "and.b32 %r1, %t, 1; mul.wide.u32 %rd1, %r1, 8; mov.u64 %rd2, table; "
      "add.u64 %rd2, %rd2, %rd1; ld.global.u64 %rd3, [%rd2];\n"
      "{ .param .b32 a; .param .b32 b; st.param.b32 [a], %t;\n"
      "P: .callprototype (.param .b32 _) _ (.param .b32 _);\n"
      "call (b), %rd3, (a), P; ld.param.b32 %r31, [b]; }\n"
      "mul.wide.u32 %rd30, %t, 4; add.u64 %rd30, %rd30, %rd0; st.global.u32 "
      "[%rd30], %r31;";
  Device device;
  uint64_t out = upload(device, std::vector<uint32_t>(32), "out");
  Ran ran = run(kernelText(body, 1, functions), device, {out},
                {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  auto values = download<uint32_t>(device, out, 32);
  for (uint32_t l = 0; l < 32; ++l)
    EXPECT_EQ(values[l], l % 2 ? l + 100 : 2 * l);
  // An address that is no function's.
  std::string wrong = body;
  wrong.insert(wrong.find("{ .param"), "add.u64 %rd3, %rd3, 77;");
  ran = run(kernelText(wrong, 1, functions), device, {out},
            {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.trap(), "illegal");
}

TEST(Rare, RegisterParameters) {
  const std::string function = ".func (.reg .b32 o) sum(.reg .b32 i, .reg .b32 "
                               "j) { add.u32 o, i, j; ret; "
                               "}\n";
  Device device;
  uint64_t out = upload(device, std::vector<uint32_t>(32), "out");
  Ran ran = run(kernelText("call (%r1), sum, (%t, 5); call (%r31), sum, (%r1, "
                           "%r1); mul.wide.u32 %rd30, %t, 4; add.u64 %rd30, "
                           "%rd30, %rd0; st.global.u32 [%rd30], %r31;",
                           1, function),
                device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  EXPECT_EQ(download<uint32_t>(device, out, 32)[7], 24u);
}

TEST(Rare, Stack) {
  // The second area follows the first; after stackrestore it is had again.
  const std::string body =
      "mov.u64 %rd5, 64; alloca.u64 %rd6, %rd5, 16; stacksave.u64 %rd7; "
      "alloca.u64 %rd8, %rd5, 16; st.local.u32 [%rd8], %t; stackrestore.u64 "
      "%rd7; alloca.u64 %rd9, %rd5, 16; ld.local.u32 %r1, [%rd9]; sub.u64 "
      "%rd10, "
      "%rd8, %rd6; cvt.u32.u64 %r2, %rd10; add.u32 %r31, %r1, %r2;";
  EXPECT_EQ(warpResult(body)[3], 67u);
  Device device;
  Ran ran = run(kernelText("mov.u64 %rd5, 20000; alloca.u64 %rd6, %rd5;"),
                device, {0}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.trap(), "illegal");
}

TEST(Rare, ClocksRise) {
  EXPECT_EQ(first("mov.u64 %rd5, %clock64; L: mov.u64 %rd6, %clock64; sub.u64 "
                  "%rd7, %rd6, %rd5; setp.lt.u64 %p1, %rd7, 1000; @%p1 bra L; "
                  "mov.u32 %r31, 1;"),
            1u);
}

TEST(Rare, LaunchDirectives) {
  auto error = [](const std::string &directive, LaunchConfig config) {
    std::string text = kernelText("");
    text.insert(text.find("\n{"), "\n" + directive);
    Device device;
    return run(text, device, {0}, config).error;
  };
  EXPECT_EQ(error(".reqntid 32, 2", {{1, 1, 1}, {32, 2, 1}}), "");
  EXPECT_NE(error(".reqntid 32, 2", {{1, 1, 1}, {64, 1, 1}}), "");
  EXPECT_EQ(error(".maxntid 32, 2", {{1, 1, 1}, {64, 1, 1}}), "");
  EXPECT_NE(error(".maxntid 32, 2", {{1, 1, 1}, {96, 1, 1}}), "");
  EXPECT_EQ(error(".maxclusterrank 2", {{4, 1, 1}, {32, 1, 1}, {2, 1, 1}}), "");
  EXPECT_NE(error(".maxclusterrank 2", {{4, 1, 1}, {32, 1, 1}, {4, 1, 1}}), "");
  EXPECT_EQ(
      error(".reqnctapercluster 2, 2", {{2, 2, 1}, {32, 1, 1}, {2, 2, 1}}), "");
  EXPECT_NE(
      error(".reqnctapercluster 2, 2", {{4, 2, 1}, {32, 1, 1}, {4, 1, 1}}), "");
  EXPECT_NE(error(".blocksareclusters", {{1, 1, 1}, {32, 1, 1}}), "");
}

TEST(Rare, Alias) {
  Device device;
  uint64_t out = upload(device, std::vector<uint32_t>(32), "out");
  Ran ran =
      run(kernelText("call (%r31), other, (%t); mul.wide.u32 %rd30, %t, 4; "
                     "add.u64 %rd30, %rd30, %rd0; st.global.u32 [%rd30], "
                     "%r31;",
                     1,
                     ".func (.reg .b32 o) one(.reg .b32 i) { add.u32 o, i, "
                     "1; ret; }\n.alias other, one;\n"),
          device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(download<uint32_t>(device, out, 32)[5], 6u);
}

TEST(Rare, RefusedByName) {
  auto error = [](const std::string &body) {
    Device device;
    return run(kernelText(body), device, {0}, {{1, 1, 1}, {32, 1, 1}}).error;
  };
  EXPECT_NE(error("tex.2d.v4.f32.s32 {%f1,%f2,%f3,%f4}, [%rd1, {%r1,%r2}];")
                .find("'tex' is not modelled: textures"),
            std::string::npos);
  EXPECT_NE(error("multimem.st.global.b32 [%rd1], %r1;").find("several GPUs"),
            std::string::npos);
  EXPECT_NE(error("mov.u32 %r1, %pm0;").find("%pm"), std::string::npos);
  EXPECT_NE(error("add.u32 %r1.b0, %r2, %r3;").find("part of a register"),
            std::string::npos);
}

} // namespace
