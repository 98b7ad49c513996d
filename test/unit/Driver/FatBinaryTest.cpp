//===- FatBinaryTest.cpp - PTX out of fat binaries -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fat binaries as nvcc writes them, made here byte by byte, and damaged ones.
//
//===----------------------------------------------------------------------===//

#include "FatBinary.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Compression.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

using namespace napkin::driver;

namespace {

constexpr uint64_t plain = 0x11, lz4 = 0x2011, zstd = 0x8011;

template <typename T>
void put(std::string &to, size_t at, T value) {
  std::memcpy(&to[at], &value, sizeof value);
}

/// An entry with `stored`, which expands to `bytes`.
std::string entry(bool isPtx, unsigned capability, uint64_t flags,
                  std::string stored, uint64_t bytes) {
  const uint32_t compressed = flags == plain ? 0 : stored.size();
  stored.resize((stored.size() + 7) / 8 * 8);
  std::string head(64, '\0');
  put<uint16_t>(head, 0, isPtx ? 1 : 2);
  put<uint16_t>(head, 2, 0x101);
  put<uint32_t>(head, 4, head.size());
  put<uint64_t>(head, 8, stored.size());
  put<uint32_t>(head, 16, compressed);
  put<uint32_t>(head, 28, capability);
  put<uint64_t>(head, 40, flags);
  put<uint64_t>(head, 56, flags == plain ? 0 : bytes);
  return head + stored;
}

std::string fat(const std::string &entries) {
  std::string head(16, '\0');
  put<uint32_t>(head, 0, 0xba55ed50);
  put<uint16_t>(head, 4, 1);
  put<uint16_t>(head, 6, 16);
  put<uint64_t>(head, 8, entries.size());
  return head + entries;
}

std::string ptx(const char *target) {
  return std::string(".version 8.0\n.target ") + target + "\n";
}

std::string compressed(const std::string &text) {
  llvm::SmallVector<uint8_t> to;
  llvm::compression::zstd::compress(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(text.data()),
                     text.size()),
      to);
  return std::string(to.begin(), to.end());
}

/// The text that a device of `capability` takes, or what is said.
std::string read(const std::string &image, unsigned capability = 90) {
  auto result = readImage(image.data(), image.size(), capability);
  if (!result)
    return toString(result.takeError());
  return (result->nothingFits ? "nothing: " : "") + result->ptx;
}

TEST(FatBinary, TakesTheLatestTextThatTheDeviceRuns) {
  std::string all = fat(entry(true, 80, plain, ptx("sm_80"), 0) +
                        entry(true, 90, plain, ptx("sm_90a"), 0) +
                        entry(false, 90, plain, "machine code", 0) +
                        entry(true, 100, plain, ptx("sm_100"), 0));
  EXPECT_EQ(read(all, 90), ptx("sm_90a"));
  EXPECT_EQ(read(all, 89), ptx("sm_80"));
  EXPECT_EQ(read(all, 100), ptx("sm_100"));
  // sm_90a runs on sm_90 and no other.
  EXPECT_EQ(read(fat(entry(true, 80, plain, ptx("sm_80"), 0) +
                     entry(true, 90, plain, ptx("sm_90a"), 0)),
                 100),
            ptx("sm_80"));
}

TEST(FatBinary, ReadsTextsAndWrappers) {
  EXPECT_EQ(read(ptx("sm_80")), ptx("sm_80"));
  EXPECT_EQ(read(""), "");
  std::string inner = fat(entry(true, 80, plain, ptx("sm_80"), 0));
  std::string wrapper(24, '\0');
  put<uint32_t>(wrapper, 0, 0x466243b1);
  put<const char *>(wrapper, 8, inner.data());
  EXPECT_EQ(read(wrapper), ptx("sm_80"));
  put<const char *>(wrapper, 8, nullptr);
  EXPECT_EQ(read(wrapper), "the wrapper of a fat binary holds none");
}

TEST(FatBinary, SaysWhatThereIsWhenNothingFits) {
  EXPECT_EQ(read(std::string("\x7f"
                             "ELF\2\1\1\0",
                             8)),
            "nothing: machine code (a cubin)");
  EXPECT_EQ(read(fat(entry(false, 90, plain, "code", 0) +
                     entry(true, 100, plain, ptx("sm_100"), 0))),
            "nothing: machine code for sm_90, PTX for sm_100");
  EXPECT_EQ(read(fat("")), "nothing: nothing");
}

TEST(FatBinary, Expands) {
  std::string text = ptx("sm_80");
  for (int i = 0; i < 100; ++i)
    text += "add.s32 %r1, %r1, 1;\n";
  EXPECT_EQ(read(fat(entry(true, 80, zstd, compressed(text), text.size()))),
            text);
  // Two literals, then four bytes from one back, then five literals.
  const std::string block("\x20"
                          "ab\1\0\x50"
                          "cdefg",
                          11);
  EXPECT_EQ(read(fat(entry(true, 80, lz4, block, 11))), "abbbbbcdefg");
  // A length that goes on: 15 + 255 + 3 literals.
  std::string longer = std::string("\xf0\xff\3", 3) + std::string(273, 'x');
  EXPECT_EQ(read(fat(entry(true, 80, lz4, longer, 273))),
            std::string(273, 'x'));
}

TEST(FatBinary, RefusesDamage) {
  EXPECT_EQ(read(fat(entry(true, 80, lz4, "\x20", 11))),
            "a fat binary's PTX does not expand (LZ4)");
  EXPECT_EQ(read(fat(entry(true, 80, zstd, "nonsense", 11)))
                .find("a fat binary's PTX does not expand: "),
            0u);
  std::string cut = fat(entry(true, 80, plain, ptx("sm_80"), 0));
  EXPECT_EQ(read(cut.substr(0, 40)), "a fat binary that is cut off");
  put<uint64_t>(cut, 24, 1 << 20);
  EXPECT_EQ(read(cut), "a fat binary with an entry that leaves it");
}

TEST(FatBinary, SurvivesAnyBlock) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string block(random() % 40, '\0'), to;
    for (char &byte : block)
      byte = random() % 4 ? random() % 32 : random();
    if (expandLz4(block, random() % 300, to))
      EXPECT_LE(to.size(), 300u);
  }
}

} // namespace
