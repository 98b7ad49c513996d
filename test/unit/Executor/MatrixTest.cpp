//===- MatrixTest.cpp - mma in its rarer forms, wmma -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments are filled by the manual's formulas for row and column, results are
// sums of small integers, so every format holds them exactly.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <functional>

using namespace napkin::executor;

namespace {

int fromHalf(uint16_t h) {
  if (!(h & 0x7fff))
    return 0;
  float v = std::ldexp(float((h & 0x3ff) | 0x400), ((h >> 10) & 31) - 25);
  return h & 0x8000 ? -int(v) : int(v);
}
uint32_t floatBits(float f) {
  uint32_t x;
  std::memcpy(&x, &f, 4);
  return x;
}

enum class Element { F16, BF16, TF32, E4M3, S8, S4, U4, B1, S32, F32 };

unsigned bitsOf(Element e) {
  switch (e) {
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::E4M3:
  case Element::S8:
    return 8;
  case Element::S4:
  case Element::U4:
    return 4;
  case Element::B1:
    return 1;
  default:
    return 32;
  }
}

uint32_t encode(Element e, int v) {
  static const uint32_t e4m3[] = {0, 0x38, 0x40, 0x44}; // 0, 1, 2, 3
  switch (e) {
  case Element::F16:
    return toHalf(v);
  case Element::BF16:
    return toBfloat(float(v));
  case Element::TF32:
  case Element::F32:
    return floatBits(float(v));
  case Element::E4M3:
    return e4m3[std::abs(v)] | (v < 0 ? 0x80 : 0);
  default:
    return uint32_t(v) & uint32_t((uint64_t(1) << bitsOf(e)) - 1);
  }
}

using Matrix = std::vector<std::vector<int>>;

Matrix randomMatrix(unsigned rows, unsigned columns, int low, int high,
                    std::mt19937 &engine) {
  Matrix m(rows, std::vector<int>(columns));
  for (auto &row : m)
    for (int &v : row)
      v = low + int(engine() % unsigned(high - low + 1));
  return m;
}

/// Registers of one operand: [register][lane].
struct Fragment {
  std::vector<uint32_t> words;
  explicit Fragment(unsigned registers) : words(registers * 32) {}
  /// Puts the element with index `i` of a lane, in order of the registers.
  void put(Element e, unsigned lane, unsigned i, int value) {
    unsigned bits = bitsOf(e), per = 32 / bits;
    words[i / per * 32 + lane] |= encode(e, value) << (i % per * bits);
  }
};

std::string registers(const char *kind, unsigned from, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %" : "%") + std::string(kind) + std::to_string(from + i);
  return text + "}";
}

/// Fast numerics, and the models of two tensor cores: sums of small integers
/// are the same in all of them.
std::vector<Options> everyNumerics() {
  std::vector<Options> all(3);
  all[1].numerics = all[2].numerics = Numerics::Faithful;
  all[1].tensorCore = TensorCore::A100;
  all[2].tensorCore = TensorCore::H100;
  return all;
}

/// Runs `instruction`, in which $d $a $b $c $e stand for the operands; the
/// result's registers as bits.
std::vector<uint32_t> runProduct(std::string instruction, unsigned nD, bool fD,
                                 const Fragment &a, const Fragment &b,
                                 const Fragment &c, bool fC,
                                 const std::vector<uint32_t> &e = {},
                                 std::string *trap = nullptr,
                                 const Options &options = {}) {
  Device device;
  uint64_t out = upload(device, std::vector<uint32_t>(nD * 32), "d");
  std::vector<uint64_t> pointers = {
      out, upload(device, a.words, "a"), upload(device, b.words, "b"),
      upload(device, c.words, "c"),
      upload(device, e.empty() ? std::vector<uint32_t>(32) : e, "e")};
  std::string body = "mul.wide.u32 %rd20, %t, 4;\n";
  for (unsigned p = 0; p < 5; ++p)
    body += "add.u64 %rd" + std::to_string(p) + ", %rd" + std::to_string(p) +
            ", %rd20;\n";
  auto load = [&](unsigned pointer, const char *kind, unsigned from,
                  unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      body += std::string("ld.global.") + (*kind == 'f' ? "f32" : "u32") +
              " %" + kind + std::to_string(from + i) + ", [%rd" +
              std::to_string(pointer) + "+" + std::to_string(128 * i) + "];\n";
  };
  unsigned nA = a.words.size() / 32, nB = b.words.size() / 32,
           nC = c.words.size() / 32;
  load(1, "r", 0, nA);
  load(2, "r", 10, nB);
  load(3, fC ? "f" : "r", 20, nC);
  load(4, "r", 30, 1);
  auto replace = [&](const std::string &what, const std::string &with) {
    size_t at = instruction.find(what);
    if (at != std::string::npos)
      instruction.replace(at, what.size(), with);
  };
  replace("$d", registers(fD ? "f" : "r", 40, nD));
  replace("$a", registers("r", 0, nA));
  replace("$b", registers("r", 10, nB));
  replace("$c", registers(fC ? "f" : "r", 20, nC));
  replace("$e", "%r30");
  body += instruction + "\n";
  for (unsigned i = 0; i < nD; ++i)
    body += std::string("st.global.") + (fD ? "f32" : "u32") + " [%rd0+" +
            std::to_string(128 * i) + "], %" + (fD ? "f" : "r") +
            std::to_string(40 + i) + ";\n";
  Ran ran = run(kernelText(body, 5, "", "sm_90a"), device, pointers,
                {{1, 1, 1}, {32, 1, 1}}, options);
  EXPECT_EQ(ran.error, "");
  if (trap)
    *trap = ran.trap();
  else
    EXPECT_EQ(ran.trap(), "");
  return ran.result.traps.empty() ? download<uint32_t>(device, out, nD * 32)
                                  : std::vector<uint32_t>(nD * 32);
}

/// Rows and columns of C and D of m16n8 and m8n8 (manual, m16n8k16): c_i is at
/// row g (g + 8 for i >= 2), column 2 t + (i & 1).
void eachC(
    unsigned m,
    const std::function<void(unsigned, unsigned, unsigned, unsigned)> &f) {
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned i = 0; i < m / 4; ++i)
      f(l, i, l / 4 + (i >= 2 ? 8 : 0), 2 * (l % 4) + (i & 1));
}

int product(const Matrix &a, const Matrix &b, unsigned row, unsigned column) {
  int sum = 0;
  for (unsigned k = 0; k < b.size(); ++k)
    sum += a[row][k] * b[k][column];
  return sum;
}

struct IntegerForm {
  const char *name;
  Element element;
  unsigned m, k;
  int low, high;
};

// The manual's formulas for 4-bit and 1-bit fragments, written per element: a
// register holds E neighbours in k.
TEST(Matrix, BelowAByte) {
  const IntegerForm forms[] = {
      {"m8n8k32.row.col.s32.s4.s4.s32", Element::S4, 8, 32, -8, 7},
      {"m16n8k32.row.col.s32.u4.u4.s32", Element::U4, 16, 32, 0, 15},
      {"m16n8k64.row.col.s32.s4.s4.s32", Element::S4, 16, 64, -8, 7},
      {"m8n8k128.row.col.s32.b1.b1.s32.and.popc", Element::B1, 8, 128, 0, 1},
      {"m8n8k128.row.col.s32.b1.b1.s32.xor.popc", Element::B1, 8, 128, 0, 1},
      {"m16n8k128.row.col.s32.b1.b1.s32.and.popc", Element::B1, 16, 128, 0, 1},
      {"m16n8k256.row.col.s32.b1.b1.s32.xor.popc", Element::B1, 16, 256, 0, 1},
  };
  std::mt19937 engine(7);
  for (const IntegerForm &form : forms) {
    SCOPED_TRACE(form.name);
    unsigned e = 32 / bitsOf(form.element), m = form.m, k = form.k;
    Matrix a = randomMatrix(m, k, form.low, form.high, engine),
           b = randomMatrix(k, 8, form.low, form.high, engine),
           c = randomMatrix(m, 8, -1000, 1000, engine);
    Fragment fa(m * k / 32 / e), fb(8 * k / 32 / e), fc(m / 4);
    for (unsigned l = 0; l < 32; ++l) {
      unsigned g = l / 4, t = l % 4;
      for (unsigned i = 0; i < m * k / 32; ++i) {
        unsigned r = i / e;
        // m16: registers alternate between rows g and g + 8.
        unsigned row = m == 16 ? g + 8 * (r % 2) : g;
        unsigned column = t * e + i % e + (m == 16 ? r / 2 : r) * 4 * e;
        fa.put(form.element, l, i, a[row][column]);
      }
      for (unsigned i = 0; i < 8 * k / 32; ++i)
        fb.put(form.element, l, i, b[t * e + i % e + i / e * 4 * e][g]);
    }
    eachC(m, [&](unsigned l, unsigned i, unsigned row, unsigned column) {
      fc.put(Element::S32, l, i, c[row][column]);
    });
    auto d = runProduct(std::string("mma.sync.aligned.") + form.name +
                            " $d, $a, $b, $c;",
                        m / 4, false, fa, fb, fc, false);
    bool isXor = std::string(form.name).find(".xor") != std::string::npos;
    eachC(m, [&](unsigned l, unsigned i, unsigned row, unsigned column) {
      int sum = 0;
      for (unsigned x = 0; x < k; ++x)
        sum += isXor ? a[row][x] ^ b[x][column] : a[row][x] * b[x][column];
      EXPECT_EQ(int(d[i * 32 + l]), c[row][column] + sum);
    });
  }
}

TEST(Matrix, SaturatesBelowAByte) {
  Fragment a(1), b(1), c(2);
  for (unsigned l = 0; l < 32; ++l)
    for (unsigned i = 0; i < 8; ++i) {
      a.put(Element::S4, l, i, 7);
      b.put(Element::S4, l, i, 7);
    }
  std::fill(c.words.begin(), c.words.end(), 0x7fffffffu);
  auto d =
      runProduct("mma.sync.aligned.m8n8k32.row.col.satfinite.s32.s4.s4.s32 "
                 "$d, $a, $b, $c;",
                 2, false, a, b, c, false);
  EXPECT_EQ(d[0], 0x7fffffffu);
  d = runProduct(
      "mma.sync.aligned.m8n8k32.row.col.s32.s4.s4.s32 $d, $a, $b, $c;", 2,
      false, a, b, c, false);
  EXPECT_EQ(d[0], 0x7fffffffu + 32 * 49);
}

struct SparseForm {
  const char *shape;
  const char *types;
  Element element;
  unsigned k;
  /// Dense elements of a chunk, and how many neighbours go together.
  unsigned chunk, unit;
  /// Lanes of four that give metadata.
  unsigned givers;
  int low, high;
};

const SparseForm sparseForms[] = {
    {"m16n8k16", "f32.f16.f16.f32", Element::F16, 16, 4, 1, 1, -4, 4},
    {"m16n8k32", "f32.f16.f16.f32", Element::F16, 32, 4, 1, 2, -4, 4},
    {"m16n8k32", "f32.bf16.bf16.f32", Element::BF16, 32, 4, 1, 2, -4, 4},
    {"m16n8k8", "f32.tf32.tf32.f32", Element::TF32, 8, 2, 1, 1, -4, 4},
    {"m16n8k16", "f32.tf32.tf32.f32", Element::TF32, 16, 2, 1, 2, -4, 4},
    {"m16n8k64", "f32.e4m3.e4m3.f32", Element::E4M3, 64, 4, 1, 4, -3, 3},
    {"m16n8k32", "s32.s8.s8.s32", Element::S8, 32, 4, 1, 2, -128, 127},
    {"m16n8k64", "s32.s8.s8.s32", Element::S8, 64, 4, 1, 4, -128, 127},
    {"m16n8k64", "s32.s4.s4.s32", Element::S4, 64, 8, 2, 2, -8, 7},
    {"m16n8k128", "s32.s4.s4.s32", Element::S4, 128, 8, 2, 4, -8, 7},
};

/// Operands of a sparse product, and the dense A they stand for.
struct SparseOperands {
  Matrix a, b, c;
  Fragment fa, fb, fc;
  std::vector<uint32_t> metadata;
};

/// Where the metadata of a chunk goes is taken from CUTLASS' order of it in
/// memory (host_reorder.h): 16-bit words (row g, then row g + 8) of a thread
/// for 16 columns of 16-bit elements; 32-bit words, one row each, for smaller
/// ones.
SparseOperands makeSparse(const SparseForm &form, unsigned selector,
                          std::mt19937 &engine) {
  unsigned k = form.k, bits = bitsOf(form.element), e = 32 / bits;
  SparseOperands o{Matrix(16, std::vector<int>(k)),
                   randomMatrix(k, 8, form.low, form.high, engine),
                   randomMatrix(16, 8, -100, 100, engine),
                   Fragment(16 * k / 2 / 32 / e),
                   Fragment(8 * k / 32 / e),
                   Fragment(4),
                   std::vector<uint32_t>(32)};
  unsigned kept = form.chunk / 2;
  Matrix stored(16, std::vector<int>(k / 2));
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned chunk = 0; chunk < k / form.chunk; ++chunk) {
      unsigned first, second, nibble;
      if (form.chunk == 2) {
        first = second = engine() % 2;
        nibble = first ? 0xe : 0x4;
      } else {
        first = engine() % 3;
        second = first + 1 + engine() % (3 - first);
        nibble = first | second << 2;
      }
      for (unsigned i = 0; i < kept; ++i) {
        int v = form.low + int(engine() % unsigned(form.high - form.low + 1));
        unsigned place = i / form.unit ? second : first;
        stored[row][chunk * kept + i] = v;
        o.a[row][chunk * form.chunk + place * form.unit + i % form.unit] = v;
      }
      unsigned g = row % 8, low = row < 8 ? 0 : 1;
      unsigned lane, shift;
      if (bits >= 16) {
        lane = chunk / 4;
        shift = 16 * low + 4 * (chunk % 4);
      } else {
        lane = 2 * (chunk / 8) + low;
        shift = 4 * (chunk % 8);
      }
      o.metadata[4 * g + selector * form.givers + lane] |= nibble << shift;
    }
  for (unsigned l = 0; l < 32; ++l) {
    unsigned g = l / 4, t = l % 4;
    // The stored elements of a register come from neighbouring chunks.
    for (unsigned i = 0; i < 16 * k / 2 / 32; ++i) {
      unsigned r = i / e;
      o.fa.put(form.element, l, i,
               stored[g + 8 * (r % 2)][t * e + i % e + r / 2 * 4 * e]);
    }
    for (unsigned i = 0; i < 8 * k / 32; ++i)
      o.fb.put(form.element, l, i, o.b[t * e + i % e + i / e * 4 * e][g]);
  }
  return o;
}

TEST(Matrix, Sparse) {
  std::mt19937 engine(11);
  for (const SparseForm &form : sparseForms)
    for (unsigned selector = 0; selector < 4 / form.givers; ++selector)
      for (const char *variant : {"sp", "sp::ordered_metadata"}) {
        SCOPED_TRACE(std::string(form.shape) + "." + form.types);
        SparseOperands o = makeSparse(form, selector, engine);
        bool isFloat = form.types[0] == 'f';
        Element sum = isFloat ? Element::F32 : Element::S32;
        eachC(16, [&](unsigned l, unsigned i, unsigned row, unsigned column) {
          o.fc.put(sum, l, i, o.c[row][column]);
        });
        for (const Options &options : everyNumerics()) {
          auto d = runProduct(std::string("mma.") + variant + ".sync.aligned." +
                                  form.shape + ".row.col." + form.types +
                                  " $d, $a, $b, $c, $e, " +
                                  std::to_string(selector) + ";",
                              4, isFloat, o.fa, o.fb, o.fc, isFloat, o.metadata,
                              nullptr, options);
          eachC(16, [&](unsigned l, unsigned i, unsigned row, unsigned column) {
            int expected = o.c[row][column] + product(o.a, o.b, row, column);
            EXPECT_EQ(d[i * 32 + l], encode(sum, expected));
          });
        }
      }
}

TEST(Matrix, MalformedMetadataTraps) {
  std::mt19937 engine(3);
  SparseOperands o = makeSparse(sparseForms[0], 0, engine);
  std::string trap;
  o.metadata.assign(32, 0); // both indices 0
  runProduct("mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 $d, $a, $b, "
             "$c, $e, 0;",
             4, true, o.fa, o.fb, o.fc, true, o.metadata, &trap);
  EXPECT_EQ(trap, "illegal");
  o.metadata.assign(32, 0x11111111); // (1, 0): falls
  runProduct("mma.sp::ordered_metadata.sync.aligned.m16n8k16.row.col.f32.f16."
             "f16.f32 $d, $a, $b, $c, $e, 0;",
             4, true, o.fa, o.fb, o.fc, true, o.metadata, &trap);
  EXPECT_EQ(trap, "illegal");
}

// Four products, each by eight lanes (manual, m8n8k4 with .f16).
TEST(Matrix, QuadProducts) {
  std::mt19937 engine(5);
  for (bool columnsA : {false, true})
    for (bool rowsB : {false, true})
      for (bool halfC : {false, true})
        for (bool halfD : {false, true}) {
          Matrix a[4], b[4], c[4];
          Fragment fa(2), fb(2), fc(halfC ? 4 : 8);
          for (unsigned q = 0; q < 4; ++q) {
            a[q] = randomMatrix(8, 4, -3, 3, engine);
            b[q] = randomMatrix(4, 8, -3, 3, engine);
            c[q] = randomMatrix(8, 8, -9, 9, engine);
          }
          auto placeC = [](unsigned l, unsigned i, bool half, unsigned &row,
                           unsigned &column) {
            unsigned low = l < 16 ? 0 : 4;
            row = half ? l % 4 + low : (l & 1) + (i & 2) + low;
            column = half ? i : (i & 4) + (l & 2) + (i & 1);
          };
          for (unsigned l = 0; l < 32; ++l) {
            unsigned q = l % 16 / 4, low = l < 16 ? 0 : 4, row, column;
            for (unsigned i = 0; i < 4; ++i) {
              fa.put(Element::F16, l, i,
                     columnsA ? a[q][i + low][l % 4] : a[q][l % 4 + low][i]);
              fb.put(Element::F16, l, i,
                     rowsB ? b[q][l % 4][i + low] : b[q][i][l % 4 + low]);
            }
            for (unsigned i = 0; i < 8; ++i) {
              placeC(l, i, halfC, row, column);
              fc.put(halfC ? Element::F16 : Element::F32, l, i,
                     c[q][row][column]);
            }
          }
          std::string name =
              std::string("mma.sync.aligned.m8n8k4.") +
              (columnsA ? "col." : "row.") + (rowsB ? "row." : "col.") +
              (halfD ? "f16" : "f32") + ".f16.f16." + (halfC ? "f16" : "f32");
          SCOPED_TRACE(name);
          for (const Options &options : everyNumerics()) {
            auto d =
                runProduct(name + " $d, $a, $b, $c;", halfD ? 4 : 8, !halfD, fa,
                           fb, fc, !halfC, {}, nullptr, options);
            for (unsigned l = 0; l < 32; ++l)
              for (unsigned i = 0; i < 8; ++i) {
                unsigned q = l % 16 / 4, row, column;
                placeC(l, i, halfD, row, column);
                int expected =
                    c[q][row][column] + product(a[q], b[q], row, column);
                if (halfD)
                  EXPECT_EQ(
                      fromHalf(uint16_t(d[i / 2 * 32 + l] >> (16 * (i & 1)))),
                      expected);
                else
                  EXPECT_EQ(d[i * 32 + l], floatBits(float(expected)));
              }
          }
        }
}

} // namespace
