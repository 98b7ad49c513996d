//===- WmmaTest.cpp - wmma.load, wmma.mma, wmma.store ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whole products from memory to memory, so that the layout of fragments, which
// the manual leaves open, does not matter; one test pins the layout that the
// assembler uses.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

using namespace napkin::executor;

namespace {

struct Form {
  unsigned m, n, k;
  const char *input;
  /// Bits of an input element, registers of A, B and of the sums.
  unsigned bits, registersA, registersB, registersC;
  const char *sum;
};

const Form forms[] = {
    {16, 16, 16, "f16", 16, 8, 8, 8, "f32"},
    {8, 32, 16, "f16", 16, 8, 8, 8, "f32"},
    {32, 8, 16, "f16", 16, 8, 8, 8, "f32"},
    {16, 16, 16, "bf16", 16, 4, 4, 8, "f32"},
    {8, 32, 16, "bf16", 16, 2, 8, 8, "f32"},
    {32, 8, 16, "bf16", 16, 8, 2, 8, "f32"},
    {16, 16, 16, "s8", 8, 2, 2, 8, "s32"},
    {8, 32, 16, "u8", 8, 1, 4, 8, "s32"},
    {32, 8, 16, "s8", 8, 4, 1, 8, "s32"},
    {16, 16, 8, "tf32", 32, 4, 4, 8, "f32"},
    {8, 8, 4, "f64", 64, 1, 1, 2, "f64"},
    {8, 8, 32, "s4", 4, 1, 1, 2, "s32"},
    {8, 8, 128, "b1", 1, 1, 1, 2, "s32"},
    {16, 16, 16, "f16", 16, 8, 8, 4, "f16"},
    {8, 32, 16, "f16", 16, 8, 8, 4, "f16"},
    {32, 8, 16, "f16", 16, 8, 8, 4, "f16"},
};

uint64_t encode(const std::string &type, int v) {
  if (type == "f16")
    return toHalf(v);
  if (type == "bf16")
    return toBfloat(float(v));
  if (type == "f32" || type == "tf32") {
    float f = v;
    uint32_t x;
    std::memcpy(&x, &f, 4);
    return x;
  }
  if (type == "f64") {
    double f = v;
    uint64_t x;
    std::memcpy(&x, &f, 8);
    return x;
  }
  return uint64_t(int64_t(v));
}

unsigned bitsOf(const std::string &type) {
  return type == "f64"                     ? 64
         : type == "f16" || type == "bf16" ? 16
         : type == "s8" || type == "u8"    ? 8
         : type == "s4"                    ? 4
         : type == "b1"                    ? 1
                                           : 32;
}

/// A matrix in memory.
struct Stored {
  std::vector<uint8_t> bytes;
  unsigned stride;
  bool columns;
  std::string type;
  Stored(unsigned rows, unsigned cols, unsigned pad, bool columns,
         std::string type)
      : stride((columns ? rows : cols) + pad), columns(columns), type(type) {
    bytes.resize(size_t(stride) * (columns ? cols : rows) * bitsOf(type) / 8 +
                 8);
  }
  size_t at(unsigned row, unsigned column) const {
    return columns ? column * stride + row : row * stride + column;
  }
  void put(unsigned row, unsigned column, int v) {
    unsigned bits = bitsOf(type);
    size_t bit = at(row, column) * bits;
    uint64_t word, mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
    std::memcpy(&word, &bytes[bit / 8], 8);
    word = (word & ~(mask << bit % 8)) | (encode(type, v) & mask) << bit % 8;
    std::memcpy(&bytes[bit / 8], &word, 8);
  }
  uint64_t get(unsigned row, unsigned column) const {
    unsigned bits = bitsOf(type);
    size_t bit = at(row, column) * bits;
    uint64_t word;
    std::memcpy(&word, &bytes[bit / 8], 8);
    return bits == 64 ? word : word >> bit % 8 & ((uint64_t(1) << bits) - 1);
  }
};

std::string list(const std::string &kind, unsigned from, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %" : "%") + kind + std::to_string(from + i);
  return text + "}";
}

std::string kindOf(const std::string &type) {
  return type == "f64" ? "fd" : type == "f32" ? "f" : "r";
}

/// D = A B + C with the given layouts; false if any element is wrong.
void check(const Form &form, bool columnA, bool columnB, bool columnC,
           bool columnD, bool viaShared) {
  std::string type = form.input, sum = form.sum;
  std::string shape = "m" + std::to_string(form.m) + "n" +
                      std::to_string(form.n) + "k" + std::to_string(form.k);
  SCOPED_TRACE(shape + "." + type + "." + sum + (columnA ? " col" : " row") +
               (columnB ? " col" : " row") + (columnC ? " col" : " row") +
               (columnD ? " col" : " row"));
  // Padding keeps every row aligned to its fragment's size.
  unsigned pad = 256 / form.bits, padC = 256 / bitsOf(sum);
  std::mt19937 engine(1);
  int low = type == "u8" || type == "b1" ? 0 : -4, high = type == "b1" ? 1 : 4;
  Stored a(form.m, form.k, pad, columnA, type),
      b(form.k, form.n, pad, columnB, type),
      c(form.m, form.n, padC, columnC, sum),
      d(form.m, form.n, padC, columnD, sum);
  auto random = [&] { return low + int(engine() % unsigned(high - low + 1)); };
  std::vector<std::vector<int>> va(form.m, std::vector<int>(form.k)),
      vb(form.k, std::vector<int>(form.n)),
      vc(form.m, std::vector<int>(form.n));
  for (unsigned i = 0; i < form.m; ++i)
    for (unsigned k = 0; k < form.k; ++k)
      a.put(i, k, va[i][k] = random());
  for (unsigned k = 0; k < form.k; ++k)
    for (unsigned j = 0; j < form.n; ++j)
      b.put(k, j, vb[k][j] = random());
  for (unsigned i = 0; i < form.m; ++i)
    for (unsigned j = 0; j < form.n; ++j)
      c.put(i, j, vc[i][j] = random());
  auto layout = [](bool column) { return column ? "col." : "row."; };
  std::string types = type == "f16" ? sum + "." + sum
                                    : sum + "." + type + "." + type + "." + sum;
  std::string kind = kindOf(sum), in = type == "f64" ? "fd" : "r",
              head = "sync.aligned.";
  std::string from = "[%rd0]", space = "";
  std::string body;
  if (viaShared) {
    // A goes through shared memory.
    space = ".shared";
    from = "[%r70]";
    body = "mov.u32 %r70, s; shl.b32 %r71, %t, 2; add.u32 %r72, %r70, %r71;\n"
           "mul.wide.u32 %rd20, %t, 4; add.u64 %rd20, %rd20, %rd0;\n";
    for (size_t at = 0; at + 128 <= a.bytes.size() + 127; at += 128)
      body += "ld.global.u32 %r73, [%rd20+" + std::to_string(at) +
              "]; st.shared.u32 [%r72+" + std::to_string(at) + "], %r73;\n";
    body += "bar.sync 0;\n";
    a.bytes.resize((a.bytes.size() + 127) / 128 * 128);
  }
  body += "wmma.load.a." + head + layout(columnA) + shape + space + "." + type +
          " " + list(in, 0, form.registersA) + ", " + from + ", " +
          std::to_string(a.stride) + ";\n";
  body += "wmma.load.b." + head + layout(columnB) + shape + ".global." + type +
          " " + list(in, 8, form.registersB) + ", [%rd1], " +
          std::to_string(b.stride) + ";\n";
  body += "mov.u32 %r60, " + std::to_string(c.stride) + ";\n";
  body += "wmma.load.c." + head + layout(columnC) + shape + "." + sum + " " +
          list(kind, kind == "fd" ? 10 : 20, form.registersC) +
          ", [%rd2], %r60;\n";
  body += std::string("wmma.mma.") + (type == "b1" ? "and.popc." : "") + head +
          layout(columnA) + layout(columnB) + shape + "." + types + " " +
          list(kind, kind == "fd" ? 14 : 30, form.registersC) + ", " +
          list(in, 0, form.registersA) + ", " + list(in, 8, form.registersB) +
          ", " + list(kind, kind == "fd" ? 10 : 20, form.registersC) + ";\n";
  body += "wmma.store.d." + head + layout(columnD) + shape + ".global." + sum +
          " [%rd3], " + list(kind, kind == "fd" ? 14 : 30, form.registersC) +
          ", " + std::to_string(d.stride) + ";\n";
  Device device;
  std::vector<uint64_t> pointers = {
      upload(device, a.bytes, "a"), upload(device, b.bytes, "b"),
      upload(device, c.bytes, "c"), upload(device, d.bytes, "d")};
  Ran ran = run(kernelText(body, 4, ".shared .align 128 .b8 s[8192];"), device,
                pointers, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  ASSERT_EQ(ran.trap(), "") << describe(ran.result.traps[0], "t");
  d.bytes = download<uint8_t>(device, pointers[3], d.bytes.size());
  for (unsigned i = 0; i < form.m; ++i)
    for (unsigned j = 0; j < form.n; ++j) {
      int expected = vc[i][j];
      for (unsigned k = 0; k < form.k; ++k)
        expected += va[i][k] * vb[k][j];
      uint64_t mask =
          bitsOf(sum) == 64 ? ~uint64_t(0) : (uint64_t(1) << bitsOf(sum)) - 1;
      ASSERT_EQ(d.get(i, j), encode(sum, expected) & mask) << i << ", " << j;
    }
  EXPECT_EQ(ran.result.counters.macsByType[type],
            uint64_t(form.m) * form.n * form.k);
}

TEST(Wmma, EveryShapeTypeAndLayout) {
  for (const Form &form : forms)
    for (unsigned layouts = 0; layouts < 16; ++layouts) {
      bool columnA = layouts & 1, columnB = layouts & 2;
      if (form.bits < 8 && (columnA || !columnB))
        continue; // .row.col only
      check(form, columnA, columnB, layouts & 4, layouts & 8, layouts & 4);
    }
}

// The assembler's layout for sm_80, read off its code for a load: registers are
// those of mma.m16n8k16, f16 multiplicands come twice.
TEST(Wmma, FragmentLayout) {
  Device device;
  std::vector<uint16_t> a(256);
  for (unsigned i = 0; i < 256; ++i)
    a[i] = i;
  uint64_t in = upload(device, a, "a"),
           out = upload(device, std::vector<uint32_t>(8 * 32), "out");
  std::string body = "wmma.load.a.sync.aligned.row.m16n16k16.global.f16 " +
                     list("r", 0, 8) +
                     ", [%rd0];\n"
                     "mul.wide.u32 %rd20, %t, 4; add.u64 %rd1, %rd1, %rd20;\n";
  for (unsigned r = 0; r < 8; ++r)
    body += "st.global.u32 [%rd1+" + std::to_string(128 * r) + "], %r" +
            std::to_string(r) + ";\n";
  Ran ran =
      run(kernelText(body, 2), device, {in, out}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  auto words = download<uint32_t>(device, out, 8 * 32);
  for (unsigned r = 0; r < 8; ++r)
    for (unsigned l = 0; l < 32; ++l) {
      unsigned row = l / 4 + 8 * (r & 1),
               column = 2 * (l % 4) + 8 * (r >> 1 & 1);
      uint32_t first = row * 16 + column;
      EXPECT_EQ(words[r * 32 + l], first | (first + 1) << 16);
    }
}

TEST(Wmma, MisalignedTraps) {
  Device device;
  uint64_t in = upload(device, std::vector<uint16_t>(512), "a");
  Ran ran = run(kernelText("wmma.load.a.sync.aligned.row.m16n16k16.f16 " +
                           list("r", 0, 8) + ", [%rd0+8];"),
                device, {in}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "illegal");
  ran = run(kernelText("wmma.load.a.sync.aligned.row.m16n16k16.f16 " +
                       list("r", 0, 8) + ", [%rd0], 17;"),
            device, {in}, {{1, 1, 1}, {32, 1, 1}});
  EXPECT_EQ(ran.trap(), "illegal");
}

} // namespace
