//===- CallTest.cpp - Calls and what the runtime owns ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Calls through registers, variable arguments, and the special registers that
// cooperative groups read: the grid's workspace and reserved shared memory.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

/// f(x) = 2x, g(x) = x + 7, h(x, y) = x; `table` = {f, g}.
const char *functions = R"(
.func (.param .b32 out) f(.param .b32 x) { .reg .b32 %a<3>;
  ld.param.u32 %a1, [x]; add.u32 %a2, %a1, %a1; st.param.b32 [out], %a2; ret; }
.func (.param .b32 out) g(.param .b32 x) { .reg .b32 %a<3>;
  ld.param.u32 %a1, [x]; add.u32 %a2, %a1, 7; st.param.b32 [out], %a2; ret; }
.func (.param .b32 out) h(.param .b32 x, .param .b32 y) { .reg .b32 %a<3>;
  ld.param.u32 %a1, [x]; st.param.b32 [out], %a1; ret; }
.global .u64 table[3] = {f, g, h};
)";

/// Lane t calls what table[%r1] names, with t.
const char *callThroughTable = R"(
  mov.u64 %rd1, table; mad.wide.u32 %rd2, %r1, 8, %rd1;
  ld.global.u64 %rd3, [%rd2];
  { .param .b32 a0; .param .b32 r0; st.param.b32 [a0], %t;
    P: .callprototype (.param .b32 _) _ (.param .b32 _);
    call (r0), %rd3, (a0), P;
    ld.param.b32 %r5, [r0]; }
  mad.wide.u32 %rd5, %t, 4, %rd0; st.global.u32 [%rd5], %r5;
)";

TEST(Call, ThroughARegister) {
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Ran ran =
      run(kernelText(std::string("and.b32 %r1, %t, 1;") + callThroughTable, 1,
                     functions),
          device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  auto got = download<uint32_t>(device, out, 32);
  for (uint32_t t = 0; t < 32; ++t)
    EXPECT_EQ(got[t], t & 1 ? t + 7 : 2 * t);
}

TEST(Call, ThroughARegisterUnderAGuard) {
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  std::string body =
      std::string("mov.u32 %r1, 1; setp.lt.u32 %p1, %t, 9;") + callThroughTable;
  body.replace(body.find("call (r0)"), 4, "@%p1 call");
  body.replace(body.find("ld.param.b32"), 0, "@%p1 ");
  body.replace(body.find("st.global"), 0, "@%p1 ");
  Ran ran = run(kernelText(body, 1, functions), device, {out},
                {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  EXPECT_EQ(download<uint32_t>(device, out, 9)[8], 15u);
}

TEST(Call, OfNoFunction) {
  // Two parameters instead of one, and an address that is none.
  for (const char *index : {"mov.u32 %r1, 2;", "mov.u32 %r1, 1; "}) {
    std::string body = std::string(index) + callThroughTable;
    if (index[13] == '1')
      body.replace(body.find("ld.global.u64 %rd3, [%rd2];"), 27,
                   "mov.u64 %rd3, 1000;        ");
    Device device;
    uint64_t out = cantFail(device.allocate(128));
    Ran ran = run(kernelText(body, 1, functions), device, {out},
                  {{1, 1, 1}, {32, 1, 1}});
    EXPECT_EQ(ran.error, "");
    EXPECT_EQ(ran.trap(), "illegal");
  }
}

TEST(Call, VariableArguments) {
  // sum(2, t, 5): the arguments after the first lie one after the other.
  const char *sum = R"(
.func (.param .b32 out) sum(.param .b32 n, .param .align 8 .b8 rest[]) {
  .reg .b32 %a<5>; .reg .b64 %d<2>;
  mov.u64 %d1, rest; ld.local.u32 %a1, [%d1]; ld.local.u32 %a2, [%d1+4];
  ld.param.u32 %a3, [n]; add.u32 %a1, %a1, %a2; add.u32 %a1, %a1, %a3;
  st.param.b32 [out], %a1; ret; }
)";
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  auto body = [](const std::string &bytes) {
    return "{ .param .b32 a0; .param .align 8 .b8 a1[" + bytes +
           "]; .param .b32 r0; st.param.b32 [a0], 2; st.param.b32 [a1], %t; "
           "st.param.b32 [a1+4], 5; call.uni (r0), sum, (a0, a1); "
           "ld.param.b32 %r1, [r0]; } mad.wide.u32 %rd5, %t, 4, %rd0; "
           "st.global.u32 [%rd5], %r1;";
  };
  Ran ran = run(kernelText(body("8"), 1, sum), device, {out},
                {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  EXPECT_EQ(download<uint32_t>(device, out, 32)[9], 16u);
  ran = run(kernelText(body("5000"), 1, sum), device, {out},
            {{1, 1, 1}, {32, 1, 1}});
  EXPECT_NE(ran.error.find("variadic arguments of 5000 bytes"),
            std::string::npos)
      << ran.error;
}

TEST(Call, AddressesAreNoCalls) {
  // A function whose address is taken inside itself does not recurse.
  const char *function = R"(
.func (.param .b64 out) self() { .reg .b64 %d<2>; mov.u64 %d1, self;
  st.param.b64 [out], %d1; ret; }
)";
  Device device;
  uint64_t out = cantFail(device.allocate(8));
  Ran ran = run(kernelText("{ .param .b64 r0; call.uni (r0), self, (); "
                           "ld.param.b64 %rd1, [r0]; } mov.u64 %rd2, self; "
                           "sub.u64 %rd1, %rd1, %rd2; st.global.u64 [%rd0], "
                           "%rd1;",
                           1, function),
                device, {out}, {{1, 1, 1}, {1, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "");
  EXPECT_EQ(download<uint64_t>(device, out, 1)[0], 0u);
}

TEST(Runtime, Printing) {
  // Arguments: t, 2^40 + t, 1.5, "yes". Lanes in order, blocks in order.
  const char *before = R"(
.extern .func (.param .b32 n) vprintf(.param .b64 f, .param .b64 a);
.global .align 1 .b8 format[] = {37,48,51,100,32,37,108,108,117,32,37,46,50,102,
  32,37,115,37,37,10,0};
.global .align 1 .b8 word[] = {121,101,115,0};
)"; // "%03d %llu %.2f %s%%\n", "yes"
  std::string body = R"(
    .local .align 8 .b8 buffer[32];
    setp.gt.u32 %p1, %t, 1; @%p1 bra DONE;
    st.local.u32 [buffer], %t;
    cvt.u64.u32 %rd2, %t; add.u64 %rd2, %rd2, 1099511627776;
    st.local.u64 [buffer+8], %rd2;
    st.local.f64 [buffer+16], 0d3FF8000000000000;
    mov.u64 %rd3, word; cvta.global.u64 %rd3, %rd3;
    st.local.u64 [buffer+24], %rd3;
    mov.u64 %rd4, format; cvta.global.u64 %rd4, %rd4;
    mov.u64 %rd5, buffer; cvta.local.u64 %rd5, %rd5;
    { .param .b64 p0; .param .b64 p1; .param .b32 r;
      st.param.b64 [p0], %rd4; st.param.b64 [p1], %rd5;
      call.uni (r), vprintf, (p0, p1); ld.param.b32 %r1, [r]; }
    st.global.u32 [%rd0], %r1;
  DONE:
  )";
  Device device;
  uint64_t out = cantFail(device.allocate(4));
  Ran ran =
      run(kernelText(body, 1, before), device, {out}, {{2, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  std::string once = "000 1099511627776 1.50 yes%\n"
                     "001 1099511627777 1.50 yes%\n";
  EXPECT_EQ(ran.result.printed, once + once);
  EXPECT_EQ(download<uint32_t>(device, out, 1)[0], 4u);
}

TEST(Runtime, Assertions) {
  const char *before = R"(
.extern .func __assertfail(.param .b64 m, .param .b64 f, .param .b32 l,
  .param .b64 n, .param .b64 s);
.global .align 1 .b8 message[] = {110,62,51,0};
.global .align 1 .b8 file[] = {97,46,99,117,0};
.global .align 1 .b8 function[] = {107,0};
)";
  std::string body = R"(
    setp.ne.u32 %p1, %t, 3; @%p1 bra DONE;
    mov.u64 %rd1, message; cvta.global.u64 %rd1, %rd1;
    mov.u64 %rd2, file; cvta.global.u64 %rd2, %rd2;
    mov.u64 %rd3, function; cvta.global.u64 %rd3, %rd3;
    { .param .b64 p0; .param .b64 p1; .param .b32 p2; .param .b64 p3;
      .param .b64 p4; st.param.b64 [p0], %rd1; st.param.b64 [p1], %rd2;
      st.param.b32 [p2], 17; st.param.b64 [p3], %rd3; st.param.b64 [p4], 1;
      call.uni __assertfail, (p0, p1, p2, p3, p4); }
  DONE:
  )";
  Device device;
  Ran ran =
      run(kernelText(body, 0, before), device, {}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "user-trap");
  EXPECT_EQ(ran.result.traps[0].message,
            "an assertion of the kernel failed: n>3, a.cu:17, in k");
  EXPECT_EQ(ran.result.traps[0].thread[0], 3u);
}

TEST(Runtime, GridWorkspace) {
  // The driver's workspace: its second word counts arrivals; block 0 adds what
  // is missing to 2^31, so the top bit flips when all have come. Twice.
  std::string body = R"(
    mov.u32 %r1, %envreg2; mov.u32 %r2, %envreg1;
    mov.b64 %rd1, {%r1, %r2};
    mov.u32 %r3, %ctaid.x; mov.u32 %r4, %nctaid.x;
    mad.wide.u32 %rd2, %r3, 4, %rd0;
    st.global.u32 [%rd2], %r3;
    mov.u32 %r9, 0;
  AGAIN:
    setp.eq.u32 %p1, %r3, 0; sub.u32 %r5, 0x80000001, %r4;
    selp.u32 %r5, %r5, 1, %p1;
    atom.add.release.gpu.u32 %r6, [%rd1+4], %r5;
  SPIN:
    ld.acquire.gpu.u32 %r7, [%rd1+4]; xor.b32 %r7, %r7, %r6;
    setp.ge.s32 %p2, %r7, 0; @%p2 bra SPIN;
    add.u32 %r8, %r3, 1; rem.u32 %r8, %r8, %r4;
    mad.wide.u32 %rd3, %r8, 4, %rd0;
    setp.eq.u32 %p3, %r9, 0;
    @%p3 ld.global.u32 %r10, [%rd3];
    add.u32 %r9, %r9, 1; setp.lt.u32 %p4, %r9, 2; @%p4 bra AGAIN;
    st.global.u32 [%rd2], %r10;
  )";
  Device device;
  uint64_t out = cantFail(device.allocate(4 * 20));
  for (unsigned launch = 0; launch < 2; ++launch) {
    Ran ran = run(kernelText(body), device, {out}, {{20, 1, 1}, {1, 1, 1}});
    EXPECT_EQ(ran.error, "");
    ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
    auto got = download<uint32_t>(device, out, 20);
    for (unsigned b = 0; b < 20; ++b)
      EXPECT_EQ(got[b], (b + 1) % 20);
  }
}

TEST(Runtime, ElectedLane) {
  // The lowest, whatever the seed.
  for (uint64_t seed : {0, 1}) {
    Device device;
    uint64_t out = cantFail(device.allocate(4));
    Options options;
    options.seed = seed;
    Ran ran = run(kernelText("elect.sync %r1|%p1, -1; @%p1 st.global.u32 "
                             "[%rd0], %t;",
                             1, "", "sm_90a"),
                  device, {out}, {{1, 1, 1}, {32, 1, 1}}, options);
    ASSERT_EQ(ran.error + ran.trap(), "");
    EXPECT_EQ(download<uint32_t>(device, out, 1)[0], 0u);
  }
}

TEST(Runtime, ReservedSharedMemory) {
  // Its words start as zero, and no variable overlaps it.
  auto values = warpResult(
      ".shared .align 4 .u32 own[4]; mov.u32 %r1, %reserved_smem_offset_1; "
      "mov.u32 %r2, own; mov.u32 %r3, %reserved_smem_offset_end; "
      "setp.ge.u32 %p1, %r2, %r3; selp.u32 %r4, 100, 0, %p1; "
      "atom.shared.add.u32 %r5, [%r1], 1; bar.warp.sync -1; "
      "ld.shared.u32 %r6, [%r1]; add.u32 %r31, %r6, %r4;");
  EXPECT_EQ(values[3], 132u);
}

} // namespace
