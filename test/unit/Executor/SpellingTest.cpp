//===- SpellingTest.cpp - What ptxas refuses is refused --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The list in test/Executor/Inputs/refused_spellings.ptx, which a test beside
// it gives to ptxas as well, and what ptxas takes.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace napkin::executor;

namespace {

/// The error of decoding `instruction`, "" if it decodes.
std::string errorOf(const std::string &head, llvm::StringRef instruction) {
  std::string text = head + "setp.ne.u32 %p0, 0, 0;\n@%p0 " +
                     instruction.str() + "\nL0: L1: END: ret; }\n";
  auto module = napkin::ptx::parse(text, "t.ptx");
  if (!module)
    return toString(module.takeError());
  Device device;
  Arguments arguments;
  arguments.pointer(0).pointer(0);
  Options options;
  options.threads = 1;
  auto result = launch(device, **module, "k", arguments,
                       {{1, 1, 1}, {128, 1, 1}}, options);
  return result ? "" : toString(result.takeError());
}

/// Calls `check` on each spelling of a list and its error, "" if there is none;
/// gives how many there are.
template <class Check>
unsigned judge(const char *name, Check check) {
  std::string folder = NAPKIN_SPELLINGS;
  auto list = llvm::MemoryBuffer::getFile(folder + "/" + name);
  auto registers =
      llvm::MemoryBuffer::getFile(folder + "/spelling_registers.txt");
  if (!list || !registers)
    return 0;
  llvm::SmallVector<llvm::StringRef, 0> lines;
  (*list)->getBuffer().split(lines, '\n', -1, false);
  std::string target = "sm_90a", version = "9.0", head;
  unsigned checked = 0;
  for (llvm::StringRef line : lines) {
    if (line.starts_with("#"))
      continue;
    if (line.consume_front("@ ")) {
      target = line.split(' ').first.str();
      version = line.split(' ').second.str();
      continue;
    }
    head = ".version " + version + "\n.target " + target +
           "\n.address_size 64\n" + (*registers)->getBuffer().str();
    check(line.str() + " for " + target + ", version " + version,
          errorOf(head, line));
    ++checked;
  }
  return checked;
}

TEST(Spellings, WhatPtxasRefuses) {
  unsigned checked =
      judge("refused_spellings.ptx",
            [](const std::string &spelling, const std::string &error) {
              EXPECT_NE(error, "") << spelling;
            });
  EXPECT_GT(checked, 2000u);
}

TEST(Spellings, WhatPtxasTakes) {
  unsigned checked = judge("odd_spellings.ptx", [](const std::string &spelling,
                                                   const std::string &error) {
    EXPECT_EQ(error, "") << spelling;
  });
  EXPECT_GT(checked, 30u);
}

TEST(Spellings, MessagesSayWhatIsWrong) {
  auto messageOf = [](const std::string &instruction, const char *target,
                      const char *version) {
    std::string text = std::string(".version ") + version + "\n.target " +
                       target +
                       "\n.address_size 64\n.visible .entry k() {\n.reg .b32 "
                       "%r<4>; .reg .f32 %f<4>; .reg .b64 %rd<4>; .reg .pred "
                       "%p<2>; .shared .b32 tile[4];\n" +
                       instruction + "\nret; }\n";
    auto module = napkin::ptx::parse(text, "t.ptx");
    Device device;
    auto result = launch(device, **module, "k", Arguments(), LaunchConfig());
    return result ? std::string() : toString(result.takeError());
  };
  auto expect = [&](const std::string &instruction, const char *words,
                    const char *target = "sm_80", const char *version = "8.0") {
    std::string message = messageOf(instruction, target, version);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  expect("add.s32 %r1, %rd1, %r2;",
         "t.ptx:6: error: register %rd1 is .b64, and a value of type .s32 does "
         "not go into it");
  expect("add.f32 %f1, %f2, 1;", "an integer literal is no .f32");
  expect("add.s32 %r1, %r2, 0f3f800000;",
         "a floating-point literal is no .s32");
  expect("sin.f32 %f1, %f2;",
         "'sin' has no form with these modifiers and types; forms (? may be "
         "missing, one of those in parentheses): sin approx ftz? f32");
  expect("redux.sync.add.u32 %r1, %r2, -1;",
         "this instruction needs .target sm_80 or higher, the text says sm_75",
         "sm_75");
  expect("elect.sync %r1|%r2, -1;", "needs .target sm_90 or higher");
  expect("wgmma.fence.sync.aligned;",
         "needs .target sm_90a, the text says sm_90", "sm_90");
  expect("bmsk.clamp.b32 %r1, %r2, %r3;",
         "needs .version 7.6 or higher, the text says 7.0", "sm_80", "7.0");
  expect("mov.u32 %r1, %clusterid.x;",
         "%clusterid.x needs .target sm_90 or higher");
  expect("ld.global.v4.b32 {%r1, %r2, %r3, %rd1}, [%rd2];",
         "registers %r1 (.b32) and %rd1 (.b64) stand in one vector");
  expect("add.s32 %r1|%p1, %r2, %r3;", "operand 0 of 'add' has no second part");
  expect("add.s32 _, %r2, %r3;", "operand 0 of 'add' cannot be '_'");
  expect("add.s32 %r1, %r2, tile;",
         "'add' does not take the address of 'tile'; mov does");
  expect("ld.global.u32 %r1, [16];",
         "an address begins with a register or a variable");
  expect("ld.global.u32 %r1, [tile];",
         "'tile' is a .shared variable, and the address is one of .global "
         "memory");
  expect("cvta.global.u64 %rd1, tile;",
         "'tile' is a .shared variable, and cvta converts from another space");
  expect("cp.async.ca.global.shared [%r1], [%rd1], 16;",
         "'.shared' stands first");
  expect("wgmma.sync.fence.aligned;", "'wgmma' begins with one of: wgmma.fence",
         "sm_90a");
  expect("createpolicy.fractional.L2::evict_last.b64;", "operands");
}

// ptxas takes flags twice, and one odd order of words.
TEST(Spellings, SaidTwice) {
  for (const char *instruction :
       {"add.cc.cc.u32 %r1, %r2, %r3;", "add.sat.sat.s32 %r1, %r2, %r3;",
        "barrier.aligned.sync 0;", "bar.warp.sync -1;",
        "rcp.approx.approx.f32 %f1, %f2;"})
    EXPECT_EQ(errorOf(".version 8.0\n.target sm_80\n.address_size 64\n"
                      ".visible .entry k(.param .u64 p0, .param .u64 p1) {\n"
                      ".reg .pred %p<2>; .reg .b32 %r<4>; .reg .f32 %f<4>;\n",
                      instruction),
              "")
        << instruction;
}

// What they do follows from what ptxas 13.0 makes of them.
TEST(Spellings, WhatOddOnesDo) {
  auto first = [](const std::string &body) { return warpResult(body)[0]; };
  // An address of 16 bits has zeros before it.
  EXPECT_EQ(first(".shared .align 4 .b8 s[65536]; mov.u32 %r1, s; add.u32 "
                  "%r1, %r1, 40000; st.shared.u32 [%r1], 7; cvt.u16.u32 %h1, "
                  "%r1; ld.shared.u32 %r31, [%h1];"),
            7u);
  EXPECT_EQ(first(".shared .align 4 .b8 s[64]; .reg .b8 %b<2>; mov.u32 %r1, s; "
                  "st.shared.u32 [%r1+8], 9; cvt.u16.u32 %h1, %r1; "
                  "cvt.u8.u16 %b1, %h1; ld.shared.u32 %r31, [%b1+8];"),
            9u);
  // Numbers as predicates, `_` as a second part.
  EXPECT_EQ(first("selp.b32 %r31, 3, 4, 1;"), 3u);
  EXPECT_EQ(first("selp.b32 %r31, 3, 4, 0;"), 4u);
  EXPECT_EQ(first("bar.red.popc.u32 %r31, 0, -1;"), 32u);
  EXPECT_EQ(first("bar.red.popc.u32 %r31, 0, 0;"), 0u);
  EXPECT_EQ(first("mov.u32 %r31|_, 6;"), 6u);
  EXPECT_EQ(first("mov.u32 %r31, 1; bra END|_; mov.u32 %r31, 2; END:"), 1u);
  // Types mixed in a vector are bits.
  EXPECT_EQ(first(".shared .align 16 .b8 s[16]; mov.u32 %r1, 1; mov.f32 %f1, "
                  "0f3f800000; st.shared.v2.b32 [s], {%r1, %f1}; "
                  "ld.shared.v2.f32 {%f2, %r31}, [s];"),
            0x3f800000u);
  // A pair of halves is a number where one is added.
  EXPECT_EQ(first(".reg .f16x2 %x<2>; mov.b32 %x1, 0x00010002; add.u32 %r31, "
                  "%x1, 5;"),
            0x00010007u);
  // Bits as multiplicands: 1.0 eight times over k = 8.
  EXPECT_EQ(first("mov.b32 %r1, 0x3c003c00; mma.sync.aligned.m16n8k8.row.col."
                  "f32.f16.f16.f32 {%f1,%f2,%f3,%f4}, {%r1, 0x3c003c00}, "
                  "{%r1}, {0f00000000,0f00000000,0f00000000,0f3f800000}; "
                  "mov.b32 %r31, %f4;"),
            0x41100000u); // 9.0
}

} // namespace
