//===- UndefinedTest.cpp - Values that were never written ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading what nobody wrote is silent until something depends on it.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

/// One warp; %rd0 is 8 KiB of memory of which nothing was written, `s` shared.
Ran runWarp(const std::string &body, const std::string &target = "sm_80") {
  Device device;
  uint64_t out = cantFail(device.allocate(8192, "out"));
  return run(kernelText(".shared .align 128 .b8 s[4096]; mad.wide.u32 %rd9, "
                        "%t, 4, %rd0; shl.b32 %r70, %t, 2; mov.u32 %r71, s; "
                        "add.u32 %r72, %r70, %r71;\n" +
                            body,
                        1, "", target),
             device, {out}, {{1, 1, 1}, {32, 1, 1}});
}
void expectSilent(const std::string &body) {
  Ran ran = runWarp(body);
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "") << body << "\n"
                            << describe(ran.result.traps[0], "t");
}
void expectTrap(const std::string &body, const std::string &load,
                const std::string &use, uint32_t lane = 0) {
  Ran ran = runWarp(body);
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "uninitialized") << body;
  const Trap &trap = ran.result.traps[0];
  EXPECT_EQ(trap.text, load);
  EXPECT_EQ(trap.other, use);
  EXPECT_EQ(trap.thread[0], lane);
}

const char *read = "ld.shared.u32 %r1, [%r72]";
const char *write = "st.global.u32 [%rd9], %r2";

TEST(Undefined, UnusedIsSilent) {
  expectSilent("ld.shared.u32 %r1, [%r72];");
  expectSilent("ld.global.u32 %r1, [%rd9]; add.u32 %r2, %r1, 3; cvt.rn.f32.u32 "
               "%f1, %r2; ex2.approx.f32 %f2, %f1;");
  expectSilent(".local .b32 v; ld.local.u32 %r1, [v]; mov.u32 %r2, %r1;");
  // Overwritten before its use.
  expectSilent("ld.shared.u32 %r1, [%r72]; mov.u32 %r1, 5; add.u32 %r2, %r1, "
               "1; st.global.u32 [%rd9], %r2;");
}

TEST(Undefined, UsesThatMatter) {
  const std::string load = std::string(read) + ";";
  expectTrap(load + "add.u32 %r2, %r1, 1;" + write + ";", read, write);
  expectTrap(load + "cvt.u64.u32 %rd1, %r1; add.u64 %rd1, %rd0, %rd1; "
                    "ld.global.u32 %r2, [%rd1];",
             read, "ld.global.u32 %r2, [%rd1]");
  expectTrap(load + "mul.lo.u32 %r2, %r1, 4; atom.global.add.u32 %r3, [%rd0], "
                    "%r2;",
             read, "atom.global.add.u32 %r3, [%rd0], %r2");
  // One lane is enough: lane 7 alone read.
  expectTrap("mov.u32 %r1, 0; setp.eq.u32 %p1, %t, 7; @%p1 " + load +
                 "add.u32 %r2, %r1, 1;" + write + ";",
             "@%p1 ld.shared.u32 %r1, [%r72]", write, 7);
}

TEST(Undefined, Branches) {
  const std::string branch =
      std::string(read) + "; mov.u32 %r2, 5; mov.u32 %r3, 6; setp.eq.s32 %p1, "
                          "%r1, 77; @%p1 bra X; mov.u32 %r2, 1; X: ";
  // What neither way writes is defined after it, the rest is not.
  expectSilent(branch + "add.u32 %r2, %r2, 1; mov.u32 %r2, %r3; " + write +
               ";");
  expectTrap(branch + write + ";", read, write);
  // Both ways write and meet.
  expectTrap(std::string(read) +
                 "; setp.eq.s32 %p1, %r1, 77; @%p1 bra X; mov.u32 %r2, 1; "
                 "bra.uni Y; X: mov.u32 %r2, 2; Y: " +
                 write + ";",
             read, write);
  // What is done on the way shows.
  expectTrap(std::string(read) + "; mov.u32 %r2, 1; setp.eq.s32 %p1, %r1, 77; "
                                 "@%p1 bra X; st.global.u32 [%rd9], %r2; X:",
             read, write);
  expectTrap(std::string(read) + "; setp.eq.s32 %p1, %r1, 77; @%p1 bra X; "
                                 "bar.sync 0; X:",
             read, "bar.sync 0");
  // Who ends by such a value, and what runs as often as it says.
  expectTrap(std::string(read) + "; setp.eq.s32 %p1, %r1, 77; @%p1 exit;", read,
             "@%p1 exit");
  expectTrap(std::string(read) + "; X: add.u32 %r1, %r1, 1; setp.eq.s32 %p1, "
                                 "%r1, 77; @%p1 bra X;",
             read, "@%p1 bra X");
  // A guarded move leaves an undefined register, whoever moves.
  expectTrap(std::string(read) +
                 "; mov.u32 %r2, 5; setp.eq.s32 %p1, %r1, 77; "
                 "@%p1 mov.u32 %r2, 6;" +
                 write + ";",
             read, write);
}

TEST(Undefined, ThroughMemory) {
  // Stored and read again, by another lane; unused bytes stay harmless.
  const std::string move = std::string(read) +
                           "; st.shared.u32 [%r72+512], %r1; bar.sync 0; "
                           "ld.shared.u32 %r2, [s+512];";
  expectSilent(move);
  expectTrap(move + write + ";", "ld.shared.u32 %r2, [s+512]", write);
  expectSilent("ld.shared.u32 %r1, [%r72]; st.shared.u32 [%r72+512], %r1; "
               "st.shared.u32 [%r72+512], 3; ld.shared.u32 %r2, [%r72+512]; "
               "st.global.u32 [%rd9], %r2;");
  expectTrap(".local .b32 v; ld.shared.u32 %r1, [%r72]; st.local.u32 [v], %r1; "
             "ld.local.u32 %r2, [v]; st.global.u32 [%rd9], %r2;",
             "ld.local.u32 %r2, [v]", write);
}

TEST(Undefined, MasksDecide) {
  const std::string load = std::string(read) + ";";
  const std::string store = std::string(write) + ";";
  expectSilent(load + "setp.lt.u32 %p1, %t, 32; selp.u32 %r2, 7, %r1, %p1;" +
               store);
  expectTrap(load + "setp.lt.u32 %p1, %t, 31; selp.u32 %r2, 7, %r1, %p1;" +
                 store,
             read, write, 31);
  expectSilent(load + "mov.u32 %r3, 0; and.b32 %r2, %r1, %r3;" + store);
  expectTrap(load + "mov.u32 %r3, 1; and.b32 %r2, %r1, %r3;" + store, read,
             write);
  // In bounds and positive: the second does not matter where the first fails.
  expectSilent(load + "setp.gt.u32 %p1, %t, 40; setp.gt.s32 %p2, %r1, 0; "
                      "and.pred %p3, %p1, %p2; @%p3 st.global.u32 [%rd9], 1;");
}

TEST(Undefined, Shuffles) {
  // Lane 5 reads; lane 4 gets the value, lane 5 gets lane 4's.
  const std::string body =
      "mov.u32 %r1, 0; setp.eq.u32 %p1, %t, 5; @%p1 ld.shared.u32 %r1, [%r72]; "
      "shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1; setp.eq.u32 %p2, %t, ";
  expectSilent(body + "5; @%p2 st.global.u32 [%rd9], %r2;");
  expectTrap(body + "4; @%p2 st.global.u32 [%rd9], %r2;",
             "@%p1 ld.shared.u32 %r1, [%r72]", "@%p2 st.global.u32 [%rd9], %r2",
             5);
}

TEST(Undefined, ShufflesFromIdleLanes) {
  // Lanes below 20 shuffle; lanes 4 to 15 ask lanes that do not.
  const std::string half = "setp.lt.u32 %p1, %t, 20; mov.u32 %r2, 7; @!%p1 bra "
                           "E; ",
                    down = "shfl.sync.down.b32 %r2, %t, 16, 31, -1",
                    asked = "setp.gt.u32 %p2, %t, 3; setp.lt.and.u32 %p2, %t, "
                            "16, %p2; ";
  expectTrap(half + down + "; E: " + write + ";", down, write, 4);
  // Nobody asks for the result.
  expectSilent(half + down + "; E: " + asked + "@!%p2 " + write + ";");
  // By a guard, or by a mask that does not name the source.
  expectTrap("setp.lt.u32 %p1, %t, 20; mov.u32 %r2, 7; @%p1 " + down + "; " +
                 write + ";",
             "@%p1 " + down, write, 4);
  const std::string named = "shfl.sync.bfly.b32 %r2, %t, 16, 31, %r3";
  expectTrap("mov.u32 %r3, 65535; setp.gt.u32 %p1, %t, 15; @%p1 mov.u32 %r3, "
             "0xffff0000; " +
                 named + "; " + write + ";",
             named, write, 0);
  // The reduction inside a branch: lane 0 sums what other lanes do not have.
  std::string sum = half + "mov.u32 %r2, %t; activemask.b32 %r3; ", last;
  for (const char *step : {"16", "8", "4", "2", "1"}) {
    last = std::string("shfl.sync.down.b32 %r4, %r2, ") + step + ", 31, %r3";
    sum += last + "; add.u32 %r2, %r2, %r4; ";
  }
  const char *add = "@%p3 red.global.add.u32 [%rd0], %r2";
  Ran ran = runWarp(sum + "setp.eq.u32 %p3, %t, 0; " + add + "; E:");
  EXPECT_EQ(ran.trap(), "uninitialized");
  // With all lanes in it, and with values that end at the mask.
  std::string whole = sum;
  whole.replace(whole.find("%t, 20"), 6, "%t, 32");
  expectSilent("st.global.u32 [%rd9], 0; bar.warp.sync -1;" + whole +
               "setp.eq.u32 %p3, %t, 0; " + add + "; E:");
  expectSilent(half + "shfl.sync.down.b32 %r2, %t, 16, 19, -1; E: " + write +
               ";");
  // Lanes that have ended take no part either.
  expectTrap("setp.ge.u32 %p1, %t, 20; @%p1 exit; " + down + "; " + write + ";",
             down, write, 4);
}

/// ldmatrix of A (16x16) and B (16x8) of which `rows` rows of A and `columns`
/// of B's columns were written, mma, and a store of result `d` by `lanes`.
std::string product(unsigned rows, unsigned columns, const std::string &d,
                    const std::string &lanes) {
  return "mov.u32 %r20, 0; setp.lt.u32 %p1, %t, " + std::to_string(rows) +
         "; shl.b32 %r21, %t, 4; add.u32 %r21, %r21, %r71; @%p1 "
         "st.shared.v4.b32"
         " [%r21], {%r20, %r20, %r20, %r20}; @%p1 st.shared.v4.b32 [%r21+256], "
         "{%r20, %r20, %r20, %r20}; setp.lt.u32 %p2, %t, " +
         std::to_string(columns) +
         "; @%p2 st.shared.v4.b32 [%r21+512], {%r20, %r20, %r20, %r20}; @%p2 "
         "st.shared.v4.b32 [%r21+640], {%r20, %r20, %r20, %r20}; bar.sync 0;\n"
         "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, %r2, %r3, %r4}, "
         "[%r21];\n"
         "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r5, %r6}, [%r21+512];\n"
         "mov.f32 %f0, 0f00000000; mma.sync.aligned.m16n8k16.row.col.f32.f16."
         "f16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, "
         "{%f0, %f0, %f0, %f0};\n" +
         lanes + " @%p3 st.global.f32 [%rd9], " + d + ";";
}

TEST(Undefined, RowsOfProducts) {
  // Rows of 16 bytes: 0-7 and 8-15 of the left half, then of the right one.
  // f1 is row lane / 4, f3 row lane / 4 + 8; columns 2 (lane % 4) and the next.
  const std::string all = "setp.lt.u32 %p3, %t, 32;",
                    first = "setp.lt.u32 %p3, %t, 12;",
                    other = "setp.eq.u32 %p3, %t, 12;";
  expectSilent(product(16, 8, "%f4", all));
  // Rows 0-2 were written.
  expectSilent(product(3, 8, "%f2", first));
  EXPECT_EQ(runWarp(product(3, 8, "%f2", other)).trap(), "uninitialized");
  EXPECT_EQ(runWarp(product(3, 8, "%f3", first)).trap(), "uninitialized");
  // Columns 0-4 were written: columns 4 and 5 are lane % 4 = 2.
  const std::string lane2 = "setp.eq.u32 %p3, %t, 2;";
  expectSilent(product(16, 5, "%f1", lane2));
  EXPECT_EQ(runWarp(product(16, 5, "%f2", lane2)).trap(), "uninitialized");
}

TEST(Undefined, StoredMatrices) {
  // stmatrix carries what is undefined: lane 9 holds row 2, columns 2 and 3.
  const std::string body =
      "mov.u32 %r1, 0; setp.eq.u32 %p1, %t, 9; @%p1 ld.shared.u32 %r1, "
      "[%r72+2048]; shl.b32 %r21, %t, 4; add.u32 %r21, %r21, %r71; "
      "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r21], {%r1}; bar.sync 0; "
      "ld.shared.u32 %r2, [s+";
  Ran ran = runWarp(body + "32]; st.global.u32 [%rd9], %r2;", "sm_90a");
  EXPECT_EQ(ran.trap(), "");
  ran = runWarp(body + "36]; st.global.u32 [%rd9], %r2;", "sm_90a");
  EXPECT_EQ(ran.trap(), "uninitialized");
}

// A register that was never written is like memory that was never written.
TEST(Undefined, Registers) {
  const std::string half = "setp.lt.u32 %p1, %t, 16; @%p1 mov.u32 %r1, 5;";
  // Through other lanes, through shared memory, through a product.
  const std::string shuffle = "shfl.sync.bfly.b32 %r2, %r1, 16, 31, -1";
  expectTrap(half + shuffle + ";" + write + ";", shuffle, write, 16);
  expectSilent(half + shuffle + "; @!%p1 " + write + ";");
  const std::string put = "st.shared.u32 [%r72], %r1",
                    get = "ld.shared.u32 %r2, [%r72]";
  expectTrap(half + put + ";" + get + ";" + write + ";", get, write, 16);
  expectSilent(half + put + ";" + get + "; @%p1 " + write + ";");
  const std::string product =
      "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1,%f2,%f3,%f4}, "
      "{%r3,%r3}, {%r1}, {0f00000000,0f00000000,0f00000000,0f00000000}";
  const std::string store = "st.global.f32 [%rd9], %f1";
  expectTrap("mov.u32 %r3, 0; " + half + product + ";" + store + ";", product,
             store, 16);
  // Parts that are not chosen.
  expectSilent(half + "selp.b32 %r2, %r1, 7, %p1; " + write + ";");
  expectSilent("mov.u32 %r3, 9; prmt.b32 %r2, %r3, %r1, 0x3210; " +
               std::string(write) + ";");
  const std::string merge = "prmt.b32 %r2, %r3, %r1, 0x7210";
  expectTrap("mov.u32 %r3, 9; " + merge + ";" + write + ";", merge, write);
  // It may be written later, and is then defined.
  expectSilent(half +
               "add.u32 %r2, %r1, 1; @!%p1 mov.u32 %r1, 6; add.u32 %r2, "
               "%r1, 1; " +
               write + ";");
}

// Whoever calls a function has written its parameters.
TEST(Undefined, ParametersInRegisters) {
  Device device;
  uint64_t out = cantFail(device.allocate(128, "out"));
  Ran ran = run(
      kernelText("mad.wide.u32 %rd9, %t, 4, %rd0; call (%r2), f, (%t, %rd9); "
                 "st.global.u32 [%rd9], %r2;",
                 1,
                 ".func (.reg .b32 o) f (.reg .b32 i, .reg .b64 p) { "
                 "st.global.u32 [p], i; add.u32 o, i, 1; ret; }"),
      device, {out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error + ran.trap(), "");
}

// Fields of a word, written one by one, and parts that nobody looks at.
TEST(Undefined, Bits) {
  const std::string store = std::string(write) + ";",
                    load = "ld.shared.u32 %r1, [%r72]",
                    field = load + "; and.b32 %r1, %r1, -16; or.b32 %r1, %r1, "
                                   "5; st.shared.u32 [%r72], %r1;",
                    again = "ld.shared.u32 %r3, [%r72]";
  expectSilent(field + again + "; and.b32 %r2, %r3, 15;" + store);
  expectTrap(field + again + "; and.b32 %r2, %r3, 0xf00;" + store, again,
             write);
  expectTrap(field + again + "; shr.u32 %r2, %r3, 4;" + store, again, write);
  // The mask from a register; all fields are there.
  expectSilent("mov.u32 %r5, 0xffff0000; mov.u32 %r6, 0xffff; " + load +
               "; and.b32 %r2, %r1, %r5; or.b32 %r2, %r2, 7; and.b32 %r2, %r2, "
               "%r6;" +
               store);
  // Registers that were never written.
  const std::string insert = "bfi.b32 %r3, %t, %r1, 8, 4";
  expectSilent(insert + "; bfe.u32 %r2, %r3, 8, 4;" + store);
  expectTrap(insert + "; bfe.u32 %r2, %r3, 8, 5;" + store, insert, write);
  expectTrap(insert + "; bfe.s32 %r2, %r3, 6, 4;" + store, insert, write);
  const std::string pack = "mov.b32 %r3, {%h1, %h2}";
  expectSilent("mov.u16 %h1, 3; " + pack + "; mov.b32 {%h3, %h4}, %r3; " +
               "cvt.u32.u16 %r2, %h3;" + store);
  expectTrap("mov.u16 %h1, 3; " + pack + "; mov.b32 {%h3, %h4}, %r3; " +
                 "cvt.u32.u16 %r2, %h4;" + store,
             pack, write);
  const std::string shift = "shl.b32 %r2, %r1, 32";
  expectSilent(shift + ";" + store);
  const std::string narrow = "cvt.u16.u32 %h1, %r3";
  expectSilent("mov.u32 %r4, 1; prmt.b32 %r3, %r4, %r1, 0x5410; " + narrow +
               "; cvt.u32.u16 %r2, %h1;" + store);
  const std::string table = "lop3.b32 %r2, %r1, %t, 0, 0x80"; // a & b & c
  expectSilent(table + ";" + store);
  const std::string either = "lop3.b32 %r2, %r1, %t, 0, 0xfe"; // a | b | c
  expectTrap(either + ";" + store, either, write);
  // Signs go on.
  const std::string byte = "ld.shared.s8 %r1, [%r72+3]";
  expectTrap("mov.u32 %r3, 0; st.shared.u16 [%r72], %h9; " + byte +
                 "; shr.u32 %r2, %r1, 20;" + store,
             byte, write);
  // Arithmetic depends on all bits.
  const std::string part = "and.b32 %r3, %r1, 15";
  expectTrap(part + "; add.u32 %r2, %r3, 1; and.b32 %r2, %r2, 0x7fffffff;" +
                 store,
             part, write);
}

// Padding goes with what it lies beside; nobody can tell it from what was
// there.
TEST(Undefined, Padding) {
  auto unwritten = [](const std::string &body) {
    Device device;
    uint64_t out = cantFail(device.allocate(512, "out"));
    Ran ran = run(kernelText(".shared .align 16 .b8 s[512]; shl.b32 %r70, %t, "
                             "4; mov.u32 %r71, s; add.u32 %r72, %r70, %r71; "
                             "cvt.u64.u32 %rd8, %r70; add.u64 %rd9, %rd0, "
                             "%rd8; st.shared.u8 [%r72], 7; st.shared.u32 "
                             "[%r72+4], 8; st.shared.u16 [%r72+8], 9;\n" +
                                 body,
                             1),
                  device, {out}, {{1, 1, 1}, {32, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap().empty()
               ? std::to_string(device.unwritten(out, 512).count / 32)
               : ran.trap();
  };
  // {char, int, short} is copied word by word, or all at once.
  EXPECT_EQ(unwritten("ld.shared.u32 %r1, [%r72]; mov.b32 %r2, %r1; "
                      "st.global.u32 [%rd9], %r2;"),
            "15");
  EXPECT_EQ(unwritten("ld.shared.v4.b32 {%r1,%r2,%r3,%r4}, [%r72]; "
                      "st.global.v4.b32 [%rd9], {%r1,%r2,%r3,%r4};"),
            "9");
  // A whole word that nobody wrote, a computed one, and a part of one.
  EXPECT_EQ(unwritten("ld.shared.u32 %r1, [%r72+12]; st.global.u32 [%rd9], "
                      "%r1;"),
            "uninitialized");
  EXPECT_EQ(unwritten("ld.shared.u32 %r1, [%r72]; and.b32 %r2, %r1, 0xffff; "
                      "st.global.u32 [%rd9], %r2;"),
            "uninitialized");
  EXPECT_EQ(unwritten("ld.shared.u32 %r1, [%r72+12]; st.global.v2.b32 [%rd9], "
                      "{%r1, %r5};"),
            "uninitialized");
  // What is read of it later matters as ever.
  EXPECT_EQ(unwritten("ld.shared.u32 %r1, [%r72]; st.global.u32 [%rd9], %r1; "
                      "ld.global.u8 %r2, [%rd9+1]; add.u32 %r2, %r2, 1; "
                      "st.global.u32 [%rd9], %r2;"),
            "uninitialized");
}

} // namespace
