//===- ParserTest.cpp - The PTX parser -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Structure and located errors; test/unit/Fuzz damages texts.
//
//===----------------------------------------------------------------------===//

#include "napkin/PTX/Parser.h"

#include <gtest/gtest.h>

using namespace napkin;

namespace {

const std::string head = ".version 8.0\n.target sm_80\n.address_size 64\n";

std::string errorOf(const std::string &text) {
  auto module = ptx::parse(text, "a.ptx");
  return module ? "" : toString(module.takeError());
}

TEST(Parser, Structure) {
  auto module = cantFail(ptx::parse(
      head + ".global .align 8 .b8 g[3][4] = {1, 2, 3};\n"
             ".visible .entry k(.param .u64 .ptr .global .align 16 p, .param "
             ".align 64 .b8 m[128])\n"
             ".maxntid 128, 1, 1\n{\n.reg .b32 %r<4>; .reg .pred %p;\n"
             "L: @!%p mad.wide.s32 %r1, %r2, -5, {%r3, _}; // comment\n"
             "bra L; { .reg .b32 %r1; L: bra L; }\n}\n",
      "a.ptx"));
  EXPECT_EQ(module->target, "sm_80");
  EXPECT_EQ(module->variables[0].elements, 12u);
  EXPECT_EQ(module->variables[0].initializer.size(), 3u);
  const ptx::Function &k = module->functions[0];
  EXPECT_TRUE(k.isEntry);
  EXPECT_EQ(k.parameters[0].alignment, 8u);
  EXPECT_TRUE(k.parameters[0].isPointer);
  EXPECT_EQ(k.parameters[1].bytes(), 128u);
  EXPECT_EQ(k.maxThreads[0], 128u);
  ASSERT_EQ(k.body.size(), 3u);
  EXPECT_EQ(k.body[0].opcode, "mad");
  EXPECT_EQ(k.body[0].modifiers.size(), 2u);
  EXPECT_TRUE(k.body[0].guardNegated);
  EXPECT_EQ(k.body[0].operands[2].integer, -5);
  EXPECT_EQ(k.body[0].text, "@!%p mad.wide.s32 %r1, %r2, -5, {%r3, _}");
  EXPECT_EQ(k.body[0].position.line, 9u);
  // Labels belong to scopes.
  EXPECT_EQ(k.body[1].operands[0].integer, 0);
  EXPECT_EQ(k.body[2].operands[0].integer, 2);
  EXPECT_EQ(k.registers.size(), 6u);
}

TEST(Parser, ErrorsAreLocated) {
  EXPECT_EQ(errorOf(""),
            "a.ptx:1:1: error: no .version directive: is this PTX?");
  EXPECT_EQ(errorOf(head + ".visible .entry k()\n{\nadd.u32 %r1, %r2"),
            "a.ptx:6:17: error: expected ';' after the instruction, found the "
            "end of the text");
  EXPECT_NE(
      errorOf(head + ".entry k()\n{\n/* open").find("comment without end"),
      std::string::npos);
  EXPECT_NE(errorOf(head + ".entry k()\n{\nbra X;\n}")
                .find("a.ptx:6:5: error: unknown name 'X'"),
            std::string::npos);
  EXPECT_NE(errorOf(head + ".entry k()\n{\n.reg .b32 %r<99999999999>;\n}")
                .find("a.ptx:6:14: error: the number of registers"),
            std::string::npos);
  EXPECT_NE(errorOf(head + ".entry k()\n{\n.reg .b32 a, a;\n}")
                .find("declared twice"),
            std::string::npos);
  EXPECT_NE(errorOf(head + ".entry k()\n{\n@%p ret;\n}")
                .find("expected a predicate register"),
            std::string::npos);
  EXPECT_NE(errorOf(head + ".frob;").find("directive '.frob' is not supported"),
            std::string::npos);
}

} // namespace
