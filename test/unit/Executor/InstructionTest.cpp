//===- InstructionTest.cpp - Semantics of instructions ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Expected values follow from the PTX manual, not from the executor.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

uint32_t first(const std::string &body, const std::string &target = "sm_80") {
  return warpResult(body, target)[0];
}
float asFloat(uint32_t x) {
  float f;
  std::memcpy(&f, &x, 4);
  return f;
}
float firstFloat(const std::string &body) {
  return asFloat(first(body + " mov.b32 %r31, %f31;"));
}

TEST(Instruction, Integer) {
  EXPECT_EQ(first("mov.u32 %r1, 7; add.s32 %r31, %r1, -9;"), uint32_t(-2));
  EXPECT_EQ(first("mov.u32 %r1, 0xffffffff; mul.hi.u32 %r31, %r1, %r1;"),
            0xfffffffeu);
  EXPECT_EQ(first("mov.u32 %r1, -3; div.s32 %r31, %r1, 2;"), uint32_t(-1));
  EXPECT_EQ(first("mov.u32 %r1, -3; rem.s32 %r31, %r1, 2;"), uint32_t(-1));
  EXPECT_EQ(first("mov.u32 %r1, -8; shr.s32 %r31, %r1, 1;"), uint32_t(-4));
  EXPECT_EQ(first("mov.u32 %r1, 1; shl.b32 %r31, %r1, 32;"), 0u);
  EXPECT_EQ(first("mov.u32 %r1, -8; shr.s32 %r31, %r1, 99;"), 0xffffffffu);
  EXPECT_EQ(first("mov.u32 %r1, 0xff; mov.u32 %r2, 0xabcd0000; bfi.b32 %r31, "
                  "%r1, %r2, 4, 8;"),
            0xabcd0ff0u);
  EXPECT_EQ(first("mov.u32 %r1, 0x00000f80; bfe.s32 %r31, %r1, 7, 5;"),
            0xffffffffu);
  EXPECT_EQ(first("mov.u32 %r1, 0x00000f80; bfe.u32 %r31, %r1, 7, 5;"), 31u);
  EXPECT_EQ(first("mov.u32 %r1, 0x76543210; mov.u32 %r2, 0xfedcba98; prmt.b32 "
                  "%r31, %r1, %r2, 0x7530;"),
            0xfeba7610u);
  EXPECT_EQ(first("mov.u32 %r1, 0x00000080; prmt.b32 %r31, %r1, 0, 0x8888;"),
            0xffffffffu);
  EXPECT_EQ(first("mov.u32 %r1, 0xf0f0f0f0; mov.u32 %r2, 0xcccccccc; mov.u32 "
                  "%r3, 0xaaaaaaaa;"
                  "lop3.b32 %r31, %r1, %r2, %r3, 0x96;"),
            0xf0f0f0f0u ^ 0xccccccccu ^ 0xaaaaaaaau);
  EXPECT_EQ(first("mov.u32 %r1, 0x01020304; mov.u32 %r2, 0x05060708; "
                  "dp4a.u32.u32 %r31, %r1, %r2, 10;"),
            80u);
  EXPECT_EQ(first("mov.u32 %r1, 0xff020304; mov.u32 %r2, 0x01010101; "
                  "dp4a.s32.s32 %r31, %r1, %r2, 0;"),
            8u);
  EXPECT_EQ(first("mov.u32 %r1, 0x12345678; mov.u32 %r2, 0x9abcdef0; "
                  "shf.l.wrap.b32 %r31, %r1, %r2, 8;"),
            0xbcdef012u);
  EXPECT_EQ(first("mov.u32 %r1, 0x00800000; clz.b32 %r31, %r1;"), 8u);
  EXPECT_EQ(first("mov.u32 %r1, 0xff; popc.b32 %r31, %r1;"), 8u);
  EXPECT_EQ(first("mov.u32 %r1, 1; brev.b32 %r31, %r1;"), 0x80000000u);
  EXPECT_EQ(first("mov.u32 %r1, 0xffffffff; add.cc.u32 %r2, %r1, 1; addc.u32 "
                  "%r31, 5, 0;"),
            6u);
  EXPECT_EQ(first("mov.u32 %r1, 0x7fffffff; add.sat.s32 %r31, %r1, 5;"),
            0x7fffffffu);
  EXPECT_EQ(first("mov.b32 %r1, 0x12345678; mov.b32 {%h1, %h2}, %r1; mov.b32 "
                  "%r31, {%h2, %h1};"),
            0x56781234u);
  EXPECT_EQ(first("mov.u32 %r1, 300; cvt.u8.u32 %r31, %r1;"), 44u);
  EXPECT_EQ(first("mov.u32 %r1, 200; cvt.s8.u32 %r31, %r1;"), uint32_t(-56));
  EXPECT_EQ(first("mov.u32 %r1, 300; cvt.sat.u8.u32 %r31, %r1;"), 255u);
  EXPECT_EQ(first("mov.u32 %r1, -1; cvt.s64.s32 %rd5, %r1; shr.u64 %rd6, %rd5, "
                  "40; cvt.u32.u64 %r31, %rd6;"),
            0xffffffu);
  EXPECT_EQ(
      first("mov.u32 %r1, 5; setp.gt.s32 %p1|%p2, %r1, 3; selp.b32 %r2, 1, 0, "
            "%p1; selp.b32 %r3, 2, 4, %p2; add.u32 %r31, %r2, %r3;"),
      5u);
}

TEST(Instruction, Float) {
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0f3F800000; add.f32 %f31, %f1, 0f40000000;"),
      3.0f);
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 1.5; fma.rn.f32 %f31, %f1, %f1, 0f3F800000;"),
      3.25f);
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0f7FC00000; max.f32 %f31, %f1, 0f3F800000;"),
      1.0f);
  EXPECT_TRUE(std::isnan(firstFloat(
      "mov.f32 %f1, 0f7FC00000; max.NaN.f32 %f31, %f1, 0f3F800000;")));
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0fFF800000; ex2.approx.ftz.f32 %f31, %f1;"),
      0.0f);
  EXPECT_EQ(firstFloat("mov.f32 %f1, 0f40400000; ex2.approx.f32 %f31, %f1;"),
            8.0f);
  EXPECT_EQ(firstFloat("mov.f32 %f1, 0f41000000; lg2.approx.f32 %f31, %f1;"),
            3.0f);
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0f40800000; rcp.approx.ftz.f32 %f31, %f1;"),
      0.25f);
  EXPECT_EQ(firstFloat("mov.f32 %f1, 0f40800000; rsqrt.approx.f32 %f31, %f1;"),
            0.5f);
  EXPECT_NEAR(firstFloat("mov.f32 %f1, 0f3F000000; tanh.approx.f32 %f31, %f1;"),
              std::tanh(0.5f), 1e-7);
  // A subnormal is flushed with .ftz only.
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0f00000001; add.ftz.f32 %f31, %f1, 0f00000001;"),
      0.0f);
  EXPECT_EQ(
      firstFloat("mov.f32 %f1, 0f00000001; add.f32 %f31, %f1, 0f00000001;"),
      asFloat(2));
  // Directed rounding of 1/3.
  EXPECT_EQ(first("mov.f32 %f1, 1.0; div.rz.f32 %f2, %f1, 0f40400000; mov.b32 "
                  "%r31, %f2;"),
            0x3eaaaaaau);
  EXPECT_EQ(first("mov.f32 %f1, 1.0; div.rn.f32 %f2, %f1, 0f40400000; mov.b32 "
                  "%r31, %f2;"),
            0x3eaaaaabu);
  EXPECT_EQ(first("mov.f32 %f1, 0fC0200000; cvt.rni.s32.f32 %r31, %f1;"),
            uint32_t(-2));
  EXPECT_EQ(first("mov.f32 %f1, 0fC0200000; cvt.rmi.s32.f32 %r31, %f1;"),
            uint32_t(-3));
  EXPECT_EQ(first("mov.f32 %f1, 0f4F800000; cvt.rzi.s32.f32 %r31, %f1;"),
            0x7fffffffu);
}

TEST(Instruction, NarrowFormats) {
  // a goes into the upper half.
  EXPECT_EQ(first("mov.f32 %f1, 1.0; mov.f32 %f2, 2.0; cvt.rn.bf16x2.f32 %r31, "
                  "%f1, %f2;"),
            0x3f804000u);
  EXPECT_EQ(first("mov.f32 %f1, 1.0; mov.f32 %f2, 2.0; cvt.rn.f16x2.f32 %r31, "
                  "%f1, %f2;"),
            0x3c004000u);
  EXPECT_EQ(first("mov.b32 %r1, 0x3c004000; mov.b32 %r2, 0x3c003c00; "
                  "add.rn.f16x2 %r31, %r1, %r2;"),
            0x40004200u);
  EXPECT_EQ(
      first("mov.b32 %r1, 0x3f804000; fma.rn.bf16x2 %r31, %r1, %r1, %r1;"),
      0x400040c0u);
  // e4m3: 448 is the largest, overflow saturates, NaN is 7f; e5m2 keeps 57344.
  EXPECT_EQ(
      first("mov.f32 %f1, 448.0; mov.f32 %f2, 1000.0; "
            "cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2; cvt.u32.u16 %r31, %h1;",
            "sm_89"),
      0x7e7eu);
  EXPECT_EQ(
      first("mov.f32 %f1, 0f7FC00000; mov.f32 %f2, 1.0; "
            "cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2; cvt.u32.u16 %r31, %h1;",
            "sm_89"),
      0x7f38u);
  EXPECT_EQ(
      first("mov.f32 %f1, 1.0; mov.f32 %f2, 0f7F800000; "
            "cvt.rn.satfinite.e5m2x2.f32 %h1, %f1, %f2; cvt.u32.u16 %r31, %h1;",
            "sm_89"),
      0x3c7bu);
  EXPECT_EQ(first("mov.b32 %r1, 0x00003830; cvt.u16.u32 %h1, %r1; "
                  "cvt.rn.f16x2.e4m3x2 %r31, %h1;",
                  "sm_89"),
            0x3c003800u);
  // tf32: ties away from zero.
  EXPECT_EQ(first("mov.b32 %f1, 0x3f801000; cvt.rna.tf32.f32 %r31, %f1;"),
            0x3f802000u);
}

TEST(Instruction, Lanes) {
  auto values = warpResult("shfl.sync.bfly.b32 %r31, %t, 1, 31, -1;");
  for (unsigned l = 0; l < 32; ++l)
    EXPECT_EQ(values[l], l ^ 1);
  values = warpResult("shfl.sync.up.b32 %r31, %t, 2, 0, -1;");
  EXPECT_EQ(values[1], 1u);
  EXPECT_EQ(values[5], 3u);
  values = warpResult(
      "shfl.sync.down.b32 %r31, %t, 1, 0x1807, -1;"); // segments of 8
  EXPECT_EQ(values[6], 7u);
  EXPECT_EQ(values[7], 7u);
  values =
      warpResult("setp.lt.u32 %p1, %t, 5; vote.sync.ballot.b32 %r31, %p1, -1;");
  EXPECT_EQ(values[9], 31u);
  values = warpResult("redux.sync.add.s32 %r31, %t, -1;");
  EXPECT_EQ(values[3], 496u);
  values = warpResult("and.b32 %r1, %t, 3; match.any.sync.b32 %r31, %r1, -1;");
  EXPECT_EQ(values[1], 0x22222222u);
  values =
      warpResult("elect.sync %r1|%p1, -1; selp.b32 %r31, 1, 0, %p1;", "sm_90a");
  EXPECT_EQ(values[0], 1u);
  EXPECT_EQ(values[1], 0u);
}

TEST(Instruction, GroupsOfLanes) {
  // Quads with a mask each, as cooperative groups make them.
  std::string quad =
      "and.b32 %r1, %t, 28; mov.u32 %r2, 15; shl.b32 %r3, %r2, %r1;";
  auto values =
      warpResult(quad + "shfl.sync.down.b32 %r31, %t, 2, 0x1c1f, %r3;");
  EXPECT_EQ(values[5], 7u);
  EXPECT_EQ(values[7], 7u);
  values = warpResult(quad + "redux.sync.add.u32 %r31, %t, %r3;");
  EXPECT_EQ(values[4], 4u + 5 + 6 + 7);
  values = warpResult(quad + "setp.eq.u32 %p1, %t, 5; vote.sync.any.pred %p2, "
                             "%p1, %r3; selp.b32 %r31, 1, 0, %p2;");
  EXPECT_EQ(values[6], 1u);
  EXPECT_EQ(values[9], 0u);
}

TEST(Instruction, Divergence) {
  // A loop whose trips depend on the lane, then a common tail.
  auto values = warpResult(
      "mov.u32 %r31, 0; mov.u32 %r1, %t; L: setp.eq.u32 %p1, %r1, 0; @%p1 bra "
      "D;"
      "add.u32 %r31, %r31, %r1; sub.u32 %r1, %r1, 1; bra.uni L; D: add.u32 "
      "%r31, %r31, 100;"
      "shfl.sync.idx.b32 %r2, %r31, 31, 31, -1; add.u32 %r31, %r31, %r2;");
  for (unsigned l = 0; l < 32; ++l)
    EXPECT_EQ(values[l], l * (l + 1) / 2 + 100 + 596);
  // A lane that spins until another lane writes must not starve it.
  values = warpResult(
      "setp.eq.u32 %p1, %t, 0; @%p1 bra W; mov.u32 %r31, 1; bra.uni D;"
      "W: mov.u32 %r31, 2; D: add.u32 %r31, %r31, 0;");
  EXPECT_EQ(values[0], 2u);
  EXPECT_EQ(values[1], 1u);
  // A table of branches.
  values = warpResult(
      "and.b32 %r1, %t, 3; T: .branchtargets A, B, C, C; brx.idx %r1, T;"
      "A: mov.u32 %r31, 10; bra.uni D; B: mov.u32 %r31, 20; bra.uni D; C: "
      "mov.u32 %r31, 30; D:");
  EXPECT_EQ(values[4], 10u);
  EXPECT_EQ(values[5], 20u);
  EXPECT_EQ(values[7], 30u);
}

TEST(Instruction, Calls) {
  const char *function =
      ".func (.param .b32 out) twice(.param .b32 x) { .reg .b32 %a<3>; "
      "ld.param.u32 %a1, [x];"
      " setp_dummy: add.u32 %a2, %a1, %a1; st.param.b32 [out], %a2; ret; }\n";
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Ran ran = run(kernelText("{ .param .b32 a0; .param .b32 r0; st.param.b32 "
                           "[a0], %t; call.uni (r0), twice, (a0);"
                           "ld.param.b32 %r1, [r0]; } mad.wide.u32 %rd5, %t, "
                           "4, %rd0; st.global.u32 [%rd5], %r1;",
                           1, function),
                device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  EXPECT_EQ(download<uint32_t>(device, out, 32)[9], 18u);
}

// LLVM gives the results of all functions one name.
TEST(Instruction, FunctionsThatShareNames) {
  const char *functions =
      ".func (.param .b32 func_retval0) twice(.param .b32 x) "
      "{ .reg .b32 %a<3>; ld.param.u32 %a1, [x]; add.u32 %a2, %a1, %a1; "
      "st.param.b32 [func_retval0], %a2; ret; }\n"
      ".func (.param .b32 func_retval0) twice_and_one(.param .b32 x) "
      "{ .reg .b32 %a<3>; { .param .b32 a0; .param .b32 r0; "
      "ld.param.u32 %a1, [x]; st.param.b32 [a0], %a1; "
      "call.uni (r0), twice, (a0); ld.param.b32 %a2, [r0]; } "
      "add.u32 %a2, %a2, 1; st.param.b32 [func_retval0], %a2; ret; }\n";
  auto call = [](const std::string &name, const std::string &to) {
    return "{ .param .b32 a0; .param .b32 r0; st.param.b32 [a0], %t; call.uni "
           "(r0), " +
           name + ", (a0); ld.param.b32 " + to + ", [r0]; }\n";
  };
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Ran ran = run(kernelText(call("twice", "%r1") + call("twice_and_one", "%r2") +
                               call("twice", "%r3") +
                               "mad.lo.u32 %r4, %r2, 100, %r1; mad.lo.u32 %r4, "
                               "%r3, 10000, %r4; mad.wide.u32 %rd5, %t, 4, "
                               "%rd0; st.global.u32 [%rd5], %r4;",
                           1, functions),
                device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  EXPECT_EQ(download<uint32_t>(device, out, 32)[9], 181918u);
}

TEST(Instruction, LocalAndConstant) {
  auto values = warpResult(".local .align 4 .b8 depot[64]; mov.u64 %rd5, "
                           "depot; mul.wide.u32 %rd6, %t, 2;"
                           "st.local.u32 [depot+8], %t; cvta.local.u64 %rd7, "
                           "%rd5; ld.u32 %r31, [%rd7+8];");
  EXPECT_EQ(values[13], 13u);
  Device device;
  uint64_t out = cantFail(device.allocate(4));
  Ran ran =
      run(kernelText("ld.const.u32 %r1, [table+8]; st.global.u32 [%rd0], %r1;",
                     1, ".const .align 4 .u32 table[4] = {5, 6, 7, 8};"),
          device, {out}, {});
  EXPECT_EQ(ran.error + ran.trap(), "");
  EXPECT_EQ(download<uint32_t>(device, out, 1)[0], 7u);
}

TEST(Instruction, Atomics) {
  Device device;
  std::vector<uint32_t> init(8);
  init[2] = 100;
  uint64_t out = upload(device, init, "out");
  Ran ran = run(
      kernelText(
          "atom.global.add.u32 %r1, [%rd0], 1; red.global.max.u32 [%rd0+4], %t;"
          "atom.global.cas.b32 %r2, [%rd0+8], 100, %t; mov.b32 %r3, 0x3c003c00;"
          "red.global.add.noftz.f16x2 [%rd0+12], %r3; mov.f32 %f1, 0.5; "
          "red.global.add.f32 [%rd0+16], %f1;"
          "atom.global.inc.u32 %r4, [%rd0+20], 9;"),
      device, {out}, {{3, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error + ran.trap(), "");
  auto v = download<uint32_t>(device, out, 8);
  EXPECT_EQ(v[0], 96u);
  EXPECT_EQ(v[1], 31u);
  EXPECT_EQ(v[2], 0u);
  EXPECT_EQ(v[3], 0x56005600u); // 96
  EXPECT_EQ(asFloat(v[4]), 48.0f);
  EXPECT_EQ(v[5], 6u); // 96 increments of a counter modulo 10
}

TEST(Instruction, MatrixLoads) {
  // Rows of 8 halves: element (r, c) is 8 r + c.
  std::string fill = "mul.lo.u32 %r1, %t, 2; add.u32 %r2, %r1, 1; shl.b32 %r3, "
                     "%r2, 16; or.b32 %r3, %r3, %r1;"
                     "mov.u32 %r4, s; mad.lo.u32 %r5, %t, 4, %r4; "
                     "st.shared.u32 [%r5], %r3; bar.sync 0;"
                     "and.b32 %r6, %t, 7; mad.lo.u32 %r7, %r6, 16, %r4;";
  std::string shared = ".shared .align 16 .b8 s[128]; ";
  auto values =
      warpResult(shared + fill +
                 "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r31}, [%r7];");
  for (unsigned l = 0; l < 32; ++l)
    EXPECT_EQ(values[l], (2 * l) | (2 * l + 1) << 16);
  values = warpResult(
      shared + fill +
      "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r31}, [%r7];");
  for (unsigned l = 0; l < 32; ++l) {
    unsigned row = 2 * (l % 4), column = l / 4;
    EXPECT_EQ(values[l], (8 * row + column) | (8 * (row + 1) + column) << 16);
  }
}

} // namespace
