//===- WgmmaTest.cpp - Warpgroup products ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every type, both major orders and every swizzle, against matrices that the
// test lays out by the canonical layouts of the manual (CuTe's notation), and
// the hazards of registers.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

/// Byte offset of element (mn, k), size bytes each, in a canonical layout;
/// swizzle is 0, 32, 64 or 128. lbo and sbo are the strides to use.
uint32_t place(unsigned mn, unsigned k, unsigned size, unsigned swizzle,
               bool kMajor, unsigned lbo, unsigned sbo) {
  unsigned T = 16 / size, offset;
  if (kMajor) {
    if (!swizzle)
      offset = mn % 8 * 16 + mn / 8 * sbo + k % T * size + k / T * lbo;
    else
      offset = mn % 8 * swizzle + mn / 8 * sbo + k * size;
  } else {
    unsigned span = swizzle / 16;
    if (!swizzle)
      offset = mn % T * size + mn / T * sbo + k % 8 * 16 + k / 8 * lbo;
    else
      offset = mn % T * size + mn / T % span * 16 + mn / (T * span) * lbo +
               k % 8 * swizzle + k / 8 * sbo;
  }
  if (swizzle)
    offset ^= (offset >> 7 & (swizzle / 16 - 1)) << 4;
  return offset;
}

struct Form {
  const char *type;
  unsigned size, n;
  unsigned swizzle;
  bool transposeA = false, transposeB = false, aInRegisters = false;
};

void check(const Form &f, Completion completion) {
  const unsigned k = 32 / f.size, m = 64, n = f.n;
  std::vector<uint8_t> memory(65536);
  std::vector<float> a(m * k), b(n * k);
  std::mt19937 engine(7);
  bool integer = f.type[0] == 's', bytes = f.size == 1;
  auto put = [&](uint32_t at, float v) {
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    if (std::string(f.type) == "bf16") {
      uint16_t h = bits >> 16;
      std::memcpy(&memory[at], &h, 2);
    } else if (std::string(f.type) == "f16") {
      uint16_t h = v == 0 ? 0
                          : uint16_t((bits >> 16 & 0x8000) |
                                     (((bits >> 23 & 255) - 112) << 10) |
                                     (bits >> 13 & 1023));
      std::memcpy(&memory[at], &h, 2);
    } else if (f.size == 4) {
      std::memcpy(&memory[at], &bits, 4);
    } else if (integer) {
      memory[at] = uint8_t(int8_t(v));
    } else {
      // e4m3 of a small integer.
      unsigned mantissa = v == 0 ? 0 : bits >> 20 & 7,
               exponent = v == 0 ? 0 : (bits >> 23 & 255) - 120;
      memory[at] = uint8_t((bits >> 24 & 128) | exponent << 3 | mantissa);
    }
  };
  // Strides that leave gaps, so that a wrong one is noticed.
  unsigned sw = f.swizzle;
  auto strides = [&](bool kMajor) -> std::pair<unsigned, unsigned> {
    if (kMajor)
      return sw ? std::make_pair(16u, 8 * sw) : std::make_pair(5120u, 128u);
    return sw ? std::make_pair(8 * sw * (k / 8), 8 * sw)
              : std::make_pair(4096u, 128u);
  };
  auto [lboA, sboA] = strides(!f.transposeA);
  auto [lboB, sboB] = strides(!f.transposeB);
  const unsigned offsetB = 16384;
  for (unsigned i = 0; i < m; ++i)
    for (unsigned j = 0; j < k; ++j) {
      a[i * k + j] = int(engine() % 9) - 4;
      put(place(i, j, f.size, sw, !f.transposeA, lboA, sboA), a[i * k + j]);
    }
  for (unsigned i = 0; i < n; ++i)
    for (unsigned j = 0; j < k; ++j) {
      b[i * k + j] = int(engine() % 9) - 4;
      put(offsetB + place(i, j, f.size, sw, !f.transposeB, lboB, sboB),
          b[i * k + j]);
    }
  Device device;
  uint64_t in = upload(device, memory, "in");
  uint64_t out = cantFail(device.allocate(m * n * 4, "out"));
  uint64_t mode = sw == 128 ? 1 : sw == 64 ? 2 : sw == 32 ? 3 : 0;
  auto descriptor = [&](unsigned start, unsigned lbo, unsigned sbo) {
    return std::to_string(int64_t(mode << 62 | uint64_t(sbo >> 4) << 32 |
                                  uint64_t(lbo >> 4) << 16 | start >> 4));
  };
  std::string d, registers = ".reg .b32 %d<" + std::to_string(n / 2) + ">;",
                 zero;
  const char *accumulator = integer ? "s32" : "f32";
  for (unsigned r = 0; r < n / 2; ++r) {
    d += (r ? "," : "") + std::string("%d") + std::to_string(r);
    zero +=
        "mov.b32 %d" + std::to_string(r) + (integer ? ", 1;" : ", 0f3F800000;");
  }
  std::string body = registers +
                     ".shared .align 1024 .b8 s[65536]; mov.u32 %r2, s;"
                     "mov.u32 %r1, %t; C: mad.lo.u32 %r3, %r1, 16, %r2; "
                     "mad.wide.u32 %rd5, %r1, 16, %rd0;"
                     "ld.global.v4.u32 {%r4,%r5,%r6,%r7}, [%rd5]; "
                     "st.shared.v4.u32 [%r3], {%r4,%r5,%r6,%r7};"
                     "add.u32 %r1, %r1, 128; setp.lt.u32 %p1, %r1, 4096; @%p1 "
                     "bra C; fence.proxy.async.shared::cta; bar.sync 0;";
  body += zero;
  if (f.aInRegisters) {
    // Fragment of m16n8k16: read straight from the K-major layout without
    // swizzle.
    for (unsigned r = 0; r < 4; ++r)
      body += "shr.u32 %r10, %t, 2; and.b32 %r11, %r10, 7; shr.u32 %r12, %t, "
              "5; mad.lo.u32 %r11, %r12, 16, %r11; add.u32 %r11, %r11, " +
              std::to_string(8 * (r & 1)) +
              "; and.b32 %r13, %t, 3; shr.u32 %r14, %r11, 3; and.b32 %r15, "
              "%r11, 7; mul.lo.u32 %r16, %r14, 128;"
              "mad.lo.u32 %r16, %r15, 16, %r16; mad.lo.u32 %r16, %r13, 4, "
              "%r16; ld.shared.u32 %r" +
              std::to_string(20 + r) + ", [%r16+" +
              std::to_string((r >> 1) * 5120) + "];";
  }
  body += "wgmma.fence.sync.aligned; setp.eq.u32 %p2, 0, 0; "
          "wgmma.mma_async.sync.aligned.m64n" +
          std::to_string(n) + "k" + std::to_string(k) + "." + accumulator +
          "." + f.type + "." + f.type + " {" + d + "}, " +
          (f.aInRegisters ? std::string("{%r20,%r21,%r22,%r23}")
                          : descriptor(0, lboA, sboA)) +
          ", " + descriptor(offsetB, lboB, sboB) + ", %p2" +
          (integer                ? ""
           : bytes || f.size == 4 ? ", 1, 1"
                                  : std::string(", 1, 1") +
                                        (f.aInRegisters ? ""
                                         : f.transposeA ? ", 1"
                                                        : ", 0") +
                                        (f.transposeB ? ", 1" : ", 0")) +
          "; wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;";
  // Each thread stores its registers one after another.
  body += "mul.lo.u32 %r1, %t, " + std::to_string(n / 2) +
          "; mad.wide.u32 %rd6, %r1, 4, %rd1;";
  for (unsigned r = 0; r < n / 2; ++r)
    body += "st.global.u32 [%rd6+" + std::to_string(4 * r) + "], %d" +
            std::to_string(r) + ";";
  Options options;
  options.completion = completion;
  Ran ran = run(kernelText(body, 2, "", "sm_90a"), device, {in, out},
                {{1, 1, 1}, {128, 1, 1}}, options);
  ASSERT_EQ(ran.error + ran.trap(), "")
      << (ran.result.traps.empty() ? "" : describe(ran.result.traps[0], "t"));
  auto got = download<float>(device, out, m * n);
  for (unsigned thread = 0; thread < 128; ++thread)
    for (unsigned r = 0; r < n / 2; ++r) {
      unsigned w = thread / 32, g = thread % 32 / 4, t = thread % 4;
      unsigned row = 16 * w + g + 8 * (r / 2 % 2),
               column = 8 * (r / 4) + 2 * t + r % 2;
      float expected = 1;
      for (unsigned j = 0; j < k; ++j)
        expected += a[row * k + j] * b[column * k + j];
      float value = got[thread * n / 2 + r];
      if (integer) {
        int32_t i;
        std::memcpy(&i, &value, 4);
        value = i;
      }
      ASSERT_EQ(value, expected) << f.type << " n" << n << " swizzle " << sw
                                 << " row " << row << " column " << column;
    }
  EXPECT_EQ(ran.result.counters.total.tensorMacs, uint64_t(m) * n * k);
}

TEST(Wgmma, KMajor) {
  for (Completion completion : {Completion::Latest, Completion::Earliest})
    for (unsigned swizzle : {0u, 32u, 64u, 128u}) {
      check({"bf16", 2, 64, swizzle}, completion);
      check({"f16", 2, 16, swizzle}, completion);
      check({"tf32", 4, 8, swizzle}, completion);
      check({"e4m3", 1, 32, swizzle}, completion);
      check({"s8", 1, 96, swizzle}, completion);
    }
}

TEST(Wgmma, MnMajor) {
  for (unsigned swizzle : {0u, 32u, 64u, 128u}) {
    check({"bf16", 2, 128, swizzle, false, true}, Completion::Latest);
    check({"bf16", 2, 64, swizzle, true, false}, Completion::Latest);
    check({"f16", 2, 64, swizzle, true, true}, Completion::Earliest);
  }
}

TEST(Wgmma, RegistersForA) {
  check({"bf16", 2, 64, 0, false, false, true}, Completion::Latest);
  check({"f16", 2, 8, 0, false, true, true}, Completion::Earliest);
}

TEST(Wgmma, Hazards) {
  auto trap = [](const std::string &body) {
    std::string text =
        ".shared .align 1024 .b8 s[8192]; mov.u32 %r2, s; mov.u32 %r1, %t; "
        "mov.u32 %r4, 0;"
        "C: mad.lo.u32 %r3, %r1, 16, %r2; st.shared.v4.u32 [%r3], "
        "{%r4,%r4,%r4,%r4}; add.u32 %r1, %r1, 128;"
        "setp.lt.u32 %p1, %r1, 512; @%p1 bra C; fence.proxy.async.shared::cta; "
        "bar.sync 0; mov.b64 %rd5, 0x4000004000010000;"
        "mov.f32 %f1, 0.0; mov.f32 %f2, 0.0; mov.f32 %f3, 0.0; mov.f32 %f4, "
        "0.0;" +
        body;
    Device device;
    uint64_t out = cantFail(device.allocate(4, "out"));
    Ran ran = run(kernelText(text, 1, "", "sm_90a"), device, {out},
                  {{1, 1, 1}, {128, 1, 1}});
    EXPECT_EQ(ran.error, "");
    return ran.trap();
  };
  std::string fence = "wgmma.fence.sync.aligned;",
              product = "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                        "{%f1,%f2,%f3,%f4}, %rd5, %rd5, 1, 1, 1, 0, 0;",
              commit = "wgmma.commit_group.sync.aligned;",
              wait = "wgmma.wait_group.sync.aligned 0;",
              use = "add.f32 %f5, %f1, %f2;";
  EXPECT_EQ(trap(fence + product + product + commit + wait + use), "");
  EXPECT_EQ(trap(product + commit + wait + use), "wgmma-hazard");
  EXPECT_EQ(trap(fence + product + commit + use + wait), "wgmma-hazard");
  EXPECT_EQ(trap(fence + product + wait + use), "wgmma-hazard");
  EXPECT_EQ(
      trap(fence + product + commit + "wgmma.wait_group.sync.aligned 1;" + use),
      "wgmma-hazard");
  EXPECT_EQ(
      trap(fence + product + commit + wait + "mov.f32 %f1, 0.0;" + product),
      "wgmma-hazard");
  // The operand is overwritten while the product may still read it.
  EXPECT_EQ(trap(fence + product + commit +
                 "bar.sync 0; st.shared.u32 [s], %r4;" + wait),
            "race");
  EXPECT_EQ(
      trap(fence + product + commit + wait +
           "bar.sync 0; setp.eq.u32 %p2, %t, 0; @%p2 st.shared.u32 [s], %r4;"),
      "");
}

// scale-d may be a negated predicate; .aligned may be missing.
TEST(Wgmma, NegatedScale) {
  for (bool keeps : {false, true}) {
    Device device;
    uint64_t out = cantFail(device.allocate(512, "out"));
    Ran ran = run(
        kernelText(
            ".shared .align 1024 .b8 s[4096]; mov.u32 %r2, s; mov.u32 %r4, 0; "
            "mad.lo.u32 %r3, %t, 16, %r2; st.shared.v4.u32 [%r3], "
            "{%r4,%r4,%r4,%r4}; st.shared.v4.u32 [%r3+2048], "
            "{%r4,%r4,%r4,%r4}; fence.proxy.async.shared::cta; bar.sync 0; "
            "mov.b64 %rd5, 0x4000000000000000; mov.f32 %f1, 0f40A00000; "
            "mov.f32 %f2, 0.0; mov.f32 %f3, 0.0; mov.f32 %f4, 0.0; "
            "setp.eq.u32 %p1, 0, " +
                std::string(keeps ? "1" : "0") +
                "; wgmma.fence.sync; wgmma.mma_async.sync.m64n8k16.f32.f16.f16 "
                "{%f1,%f2,%f3,%f4}, %rd5, %rd5, !%p1, 1, 1, 0, 0; "
                "wgmma.commit_group.sync; wgmma.wait_group.sync 0; "
                "mad.wide.u32 %rd6, %t, 4, %rd0; st.global.f32 [%rd6], %f1;",
            1, "", "sm_90a"),
        device, {out}, {{1, 1, 1}, {128, 1, 1}});
    ASSERT_EQ(ran.error + ran.trap(), "");
    EXPECT_EQ(download<float>(device, out, 1)[0], keeps ? 5.0f : 0.0f);
  }
}

} // namespace
