//===- ParserTest.cpp - The PTX parser -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Structure, located errors, and ten thousand damaged texts.
//
//===----------------------------------------------------------------------===//

#include "napkin/PTX/Parser.h"
#include "napkin/Executor/Manifest.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

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

/// Runs whatever parses; nothing may crash or hang.
void attempt(const std::string &text) {
  auto module = ptx::parse(text, "fuzz.ptx");
  if (!module) {
    std::string error = toString(module.takeError());
    EXPECT_EQ(error.find("fuzz.ptx:"), 0u) << error;
    EXPECT_NE(error.find("error: "), std::string::npos);
    return;
  }
  const ptx::Function *entry = (*module)->onlyEntry();
  if (!entry)
    return;
  executor::Device device;
  std::vector<char> zeros(4096);
  executor::Arguments arguments;
  for (const ptx::Variable &parameter : entry->parameters) {
    if (parameter.bytes() > 4096)
      return;
    std::vector<char> bytes(parameter.bytes());
    if (parameter.bytes() == 8) {
      uint64_t address = cantFail(device.allocate(4096));
      cantFail(device.copyToDevice(address, zeros.data(), 4096));
      memcpy(bytes.data(), &address, 8);
    }
    arguments.raw(bytes.data(), bytes.size());
  }
  executor::Options options;
  options.instructionLimit = 3000;
  options.threads = 1;
  auto result = executor::launch(device, **module, "", arguments,
                                 {{1, 1, 1}, {128, 1, 1}}, options);
  if (!result)
    consumeError(result.takeError());
}

std::vector<std::string> corpus(const char *folder) {
  std::vector<std::string> texts, paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error))
    paths.push_back(it->path());
  std::sort(paths.begin(), paths.end());
  for (const std::string &path : paths)
    texts.push_back((*llvm::MemoryBuffer::getFile(path))->getBuffer().str());
  return texts;
}

/// Deletes, copies, swaps or replaces pieces of `text`.
std::string damage(std::string text, std::mt19937_64 &engine,
                   const std::vector<std::string> &others) {
  static const char *pieces[] = {"%r1",
                                 "0",
                                 "-1",
                                 "99999999999",
                                 "{",
                                 "}",
                                 "[",
                                 "]",
                                 "(",
                                 ")",
                                 ";",
                                 ",",
                                 "@%p1 ",
                                 ".b32",
                                 ".v4",
                                 "0f7FC00000",
                                 "|",
                                 ":",
                                 "_",
                                 "!",
                                 "\"",
                                 "/*",
                                 "//",
                                 "%tid.x",
                                 "bra ",
                                 "ret;",
                                 ".reg .b64 %rd<9>;",
                                 "0x",
                                 "::",
                                 "+",
                                 "-9223372036854775808",
                                 "\xff",
                                 "mov.b32 %r1, %r2;"};
  auto pick = [&](size_t n) { return n ? engine() % n : 0; };
  for (unsigned n = 1 + pick(4); n; --n) {
    size_t at = pick(text.size()),
           length = pick(std::min<size_t>(40, text.size() - at));
    switch (pick(7)) {
    case 0:
      text.erase(at, length);
      break;
    case 1:
      text.insert(pick(text.size()), text.substr(at, length));
      break;
    case 2:
      text.insert(at, pieces[pick(std::size(pieces))]);
      break;
    case 3:
      text[at] = char(engine());
      break;
    case 4:
      text.resize(at + 1);
      break;
    case 5: {
      const std::string &other = others[pick(others.size())];
      size_t from = pick(other.size());
      text.insert(at, other.substr(from, pick(80)));
      break;
    }
    default:
      text.replace(at, length, pieces[pick(std::size(pieces))]);
      break;
    }
    if (text.empty())
      text = " ";
  }
  return text;
}

TEST(Fuzz, DamagedKernels) {
  auto texts = corpus(NAPKIN_PTX_CORPUS);
  ASSERT_FALSE(texts.empty());
  for (const std::string &text : texts) {
    EXPECT_EQ(errorOf(text), "");
    attempt(text);
  }
  const char *variable = getenv("NAPKIN_FUZZ_SEED");
  uint64_t seed = variable ? strtoull(variable, nullptr, 0) : 20250101;
  printf("seed %llu\n", (unsigned long long)seed);
  std::mt19937_64 engine(seed);
  for (unsigned n = 0; n < 10000; ++n) {
    std::string text = damage(texts[n % texts.size()], engine, texts);
    if (getenv("NAPKIN_FUZZ_SAVE"))
      if (FILE *file = fopen(getenv("NAPKIN_FUZZ_SAVE"), "wb")) {
        fwrite(text.data(), 1, text.size(), file);
        fclose(file);
      }
    attempt(text);
  }
}

TEST(Fuzz, DamagedManifests) {
  std::vector<std::string> texts = {
      R"({"napkin": 1, "target": "sm_80", "ptx": "a.ptx", "arrays": [{"name": "q", "role": "input", "element": "bf16",
 "axes": [{"name": "h", "size": 4}, {"name": "d", "size": 64}], "bytes": 512}, {"name": "o", "role": "output", "element": "f32", "bytes": 16}],
 "kernels": [{"entry": "k", "grid": [2, 1, 1], "block": [128], "cluster": [1, 1, 1], "dynamic_shared_bytes": 1024,
 "arguments": [{"array": "q"}, {"scalar": "i32", "value": 5}, {"scalar": "f32", "value": 0.5},
 {"tensor_map": {"array": "q", "element": "bf16", "sizes": [64, 4], "strides": [128], "box": [64, 2], "swizzle": 128}}],
 "predicted": {"global_read_bytes": 100, "global_write_bytes": 16}}]})"};
  ASSERT_TRUE(bool(executor::parseManifest(texts[0], "m.json")));
  std::mt19937_64 engine(7);
  for (unsigned n = 0; n < 10000; ++n) {
    auto manifest =
        executor::parseManifest(damage(texts[0], engine, texts), "m.json");
    if (!manifest) {
      EXPECT_EQ(toString(manifest.takeError()).find("m.json: error: "), 0u);
    }
  }
}

} // namespace
