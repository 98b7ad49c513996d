//===- WgmmaSparseTest.cpp - Sparse and one-bit wgmma ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// K-major matrices without swizzle, small integers, against dense products.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

struct Form {
  const char *type, *sum;
  /// Bits of an element, dense k, elements of a chunk (0: A is dense).
  unsigned bits, k, chunk;
  unsigned selectors;
  int low, high;
};

const Form forms[] = {
    {"f16", "f32", 16, 32, 4, 2, -4, 4},   {"bf16", "f32", 16, 32, 4, 2, -4, 4},
    {"tf32", "f32", 32, 16, 2, 2, -4, 4},  {"e4m3", "f32", 8, 64, 4, 1, -3, 3},
    {"s8", "s32", 8, 64, 4, 1, -128, 127}, {"b1", "s32", 1, 256, 0, 1, 0, 1},
};

uint32_t encode(const std::string &type, int v) {
  float f = v;
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  if (type == "tf32" || type == "f32")
    return bits;
  if (type == "bf16")
    return bits >> 16;
  if (type == "f16")
    return v ? (bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 |
                   (bits >> 13 & 1023)
             : 0;
  if (type == "e4m3")
    return v ? (bits >> 24 & 128) | ((bits >> 23 & 255) - 120) << 3 |
                   (bits >> 20 & 7)
             : 0;
  return uint32_t(v);
}

void check(const Form &form, unsigned selector, bool aInRegisters) {
  SCOPED_TRACE(std::string(form.type) + (aInRegisters ? " RS" : " SS"));
  constexpr unsigned n = 16, offsetB = 8192, sbo = 128, lboA = 2048, lboB = 512;
  unsigned k = form.k, stored = form.chunk ? k / 2 : k;
  std::mt19937 engine(selector + 1);
  std::vector<uint32_t> image(4096), metadata(128);
  // Bit `bit` of row mn, K-major without swizzle: 8 rows of 16 bytes together.
  auto put = [&](unsigned base, unsigned mn, unsigned element, unsigned lbo,
                 int v) {
    unsigned bit = element * form.bits, chunk = bit / 128;
    unsigned at =
        (base + mn % 8 * 16 + mn / 8 * sbo + chunk * lbo) * 8 + bit % 128;
    uint32_t mask = form.bits == 32 ? ~0u : (1u << form.bits) - 1;
    image[at / 32] |= (encode(form.type, v) & mask) << at % 32;
  };
  auto random = [&] {
    return form.low + int(engine() % unsigned(form.high - form.low + 1));
  };
  std::vector<std::vector<int>> a(64, std::vector<int>(k)),
      b(k, std::vector<int>(n));
  for (unsigned row = 0; row < 64; ++row) {
    if (!form.chunk)
      for (unsigned j = 0; j < k; ++j)
        put(0, row, j, lboA, a[row][j] = random());
    for (unsigned c = 0; form.chunk && c < k / form.chunk; ++c) {
      unsigned kept = form.chunk / 2, index[2], nibble;
      if (form.chunk == 2) {
        index[0] = engine() % 2;
        nibble = index[0] ? 0xe : 0x4;
      } else {
        index[0] = engine() % 3;
        index[1] = index[0] + 1 + engine() % (3 - index[0]);
        nibble = index[0] | index[1] << 2;
      }
      for (unsigned i = 0; i < kept; ++i)
        put(0, row, c * kept + i, lboA,
            a[row][c * form.chunk + index[i]] = random());
      // As for mma.sp, each warp for its 16 rows.
      unsigned g = row % 8, below = row / 8 % 2,
               first = 32 * (row / 16) + 4 * g;
      if (form.bits >= 16)
        metadata[first + 2 * selector + c / 4] |= nibble
                                                  << (16 * below + c % 4 * 4);
      else
        metadata[first + 2 * (c / 8) + below] |= nibble << (c % 8 * 4);
    }
  }
  for (unsigned j = 0; j < k; ++j)
    for (unsigned column = 0; column < n; ++column)
      put(offsetB, column, j, lboB, b[j][column] = random());
  Device device;
  uint64_t in = upload(device, image, "in"),
           meta = upload(device, metadata, "metadata"),
           out = upload(device, std::vector<uint32_t>(64 * n), "out");
  auto descriptor = [&](uint64_t start, uint64_t lbo) {
    return std::to_string(uint64_t(sbo >> 4) << 32 | lbo >> 4 << 16 |
                          start >> 4);
  };
  std::string body =
      ".shared .align 1024 .b8 s[16384]; mov.u32 %r2, s; mov.u32 %r1, %t; C: "
      "mad.lo.u32 %r3, %r1, 16, %r2; mad.wide.u32 %rd5, %r1, 16, %rd0; "
      "ld.global.v4.u32 {%r4,%r5,%r6,%r7}, [%rd5]; st.shared.v4.u32 [%r3], "
      "{%r4,%r5,%r6,%r7}; add.u32 %r1, %r1, 128; setp.lt.u32 %p1, %r1, 1024; "
      "@%p1 bra C; fence.proxy.async.shared::cta; bar.sync 0; "
      "mad.wide.u32 %rd6, %t, 4, %rd1; ld.global.u32 %r30, [%rd6];"
      "and.b32 %r10, %t, 3; shr.u32 %r11, %t, 2; and.b32 %r11, %r11, 7; "
      "shr.u32 "
      "%r12, %t, 5; mad.lo.u32 %r13, %r12, 16, %r11;";
  // Row %r13 (and 8 below), four bytes from column 4 t (and 16 further).
  for (unsigned r = 0; aInRegisters && r < 4; ++r)
    body +=
        "add.u32 %r14, %r13, " + std::to_string(8 * (r & 1)) +
        "; and.b32 %r15, %r14, 7; shr.u32 %r16, %r14, 3; mul.lo.u32 %r17, "
        "%r16, 128; mad.lo.u32 %r17, %r15, 16, %r17; mad.lo.u32 %r17, %r10, "
        "4, %r17; cvt.u64.u32 %rd7, %r17; add.u64 %rd7, %rd7, %rd0; "
        "ld.global.u32 %r" +
        std::to_string(20 + r) + ", [%rd7+" + std::to_string(r / 2 * 2048) +
        "];";
  std::string d = "{", kind = std::string(form.sum) == "f32" ? "f" : "r";
  for (unsigned i = 0; i < n / 2; ++i)
    d += (i ? ",%" : "%") + kind + std::to_string(40 + i);
  d += "}";
  body += std::string("wgmma.fence.sync.aligned; wgmma.mma_async") +
          (form.chunk ? ".sp" : "") + ".sync.aligned.m64n16k" +
          std::to_string(k) + "." + form.sum + "." + form.type + "." +
          form.type + (form.bits == 1 ? ".and.popc " : " ") + d + ", " +
          (aInRegisters ? "{%r20,%r21,%r22,%r23}" : descriptor(0, lboA)) +
          ", " + descriptor(offsetB, lboB) +
          (form.chunk ? ", %r30, " + std::to_string(selector) : "") + ", 0" +
          (kind == "r"       ? ""
           : form.bits == 16 ? (aInRegisters ? ", 1, 1, 0" : ", 1, 1, 0, 0")
                             : ", 1, 1") +
          "; wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;";
  for (unsigned i = 0; i < n / 2; ++i) {
    unsigned row = 8 * (i / 2 & 1), column = 8 * (i / 4) + (i & 1);
    body += "add.u32 %r14, %r13, " + std::to_string(row) +
            "; shl.b32 %r14, %r14, 4; mad.lo.u32 %r14, %r10, 2, %r14; add.u32 "
            "%r14, %r14, " +
            std::to_string(column) +
            "; mad.wide.u32 %rd8, %r14, 4, %rd2; st.global." +
            (kind == "f" ? "f32" : "u32") + " [%rd8], %" + kind +
            std::to_string(40 + i) + ";";
  }
  Ran ran = run(kernelText(body, 3, "", "sm_90a"), device, {in, meta, out},
                {{1, 1, 1}, {128, 1, 1}});
  ASSERT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  auto words = download<uint32_t>(device, out, 64 * n);
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < n; ++column) {
      int expected = 0;
      for (unsigned j = 0; j < k; ++j)
        expected += a[row][j] * b[j][column];
      ASSERT_EQ(words[row * n + column], encode(form.sum, expected))
          << row << ", " << column;
    }
  EXPECT_EQ(ran.result.counters.macsByType[form.type], 64u * n * stored);
}

TEST(WgmmaSparse, EveryType) {
  for (const Form &form : forms)
    for (unsigned selector = 0; selector < form.selectors; ++selector)
      for (bool aInRegisters : {false, true})
        check(form, selector, aInRegisters);
}

} // namespace
