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

TEST(Spellings, WhatPtxasRefuses) {
  std::string folder = NAPKIN_SPELLINGS;
  auto list = llvm::MemoryBuffer::getFile(folder + "/refused_spellings.ptx");
  auto registers =
      llvm::MemoryBuffer::getFile(folder + "/spelling_registers.txt");
  ASSERT_TRUE(bool(list) && bool(registers));
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
    EXPECT_NE(errorOf(head, line), "")
        << line.str() << " for " << target << ", version " << version;
    ++checked;
  }
  EXPECT_GT(checked, 500u);
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

} // namespace
