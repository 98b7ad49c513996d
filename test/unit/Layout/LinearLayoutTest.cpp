//===- LinearLayoutTest.cpp - Laws of linear layouts ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Layout/LinearLayout.h"
#include "gtest/gtest.h"
#include <map>
#include <random>
#include <set>

using namespace napkin::layout;

/// Accumulator of mma.m16n8k16 (PTX ISA: c0..c3 at rows g and g+8, columns
/// 2t + {0,1}), over `rows` x `columns` and 2^warpBits warps along the rows.
static LinearLayout accumulator(const TileShape &shape, unsigned warpBits) {
  LinearLayout layout;
  layout.add(Place::Register, shape.unit(1, 0))
      .add(Place::Register, shape.unit(0, 3));
  for (unsigned bit = 3; bit < shape.bits(1); ++bit)
    layout.add(Place::Register, shape.unit(1, bit));
  layout.add(Place::Lane, shape.unit(1, 1)).add(Place::Lane, shape.unit(1, 2));
  for (unsigned bit = 0; bit < 3; ++bit)
    layout.add(Place::Lane, shape.unit(0, bit));
  for (unsigned bit = 0; bit < warpBits; ++bit)
    layout.add(Place::Warp, shape.unit(0, 4 + bit));
  return layout;
}

/// B operand of mma.m16n8k16 stored as [n, k], k contiguous.
static LinearLayout operandB(const TileShape &shape, unsigned nAxis,
                             unsigned kAxis) {
  LinearLayout layout;
  layout.add(Place::Register, shape.unit(kAxis, 0));
  layout.add(Place::Register, shape.unit(kAxis, 3));
  for (unsigned bit = 3; bit < shape.bits(nAxis); ++bit)
    layout.add(Place::Register, shape.unit(nAxis, bit));
  for (unsigned bit = 4; bit < shape.bits(kAxis); ++bit)
    layout.add(Place::Register, shape.unit(kAxis, bit));
  layout.add(Place::Lane, shape.unit(kAxis, 1))
      .add(Place::Lane, shape.unit(kAxis, 2));
  for (unsigned bit = 0; bit < 3; ++bit)
    layout.add(Place::Lane, shape.unit(nAxis, bit));
  return layout;
}

TEST(TileShape, FlatCoordinatesAreRowMajor) {
  TileShape shape({4, 8});
  EXPECT_EQ(shape.unit(1, 0), 1u);
  EXPECT_EQ(shape.unit(0, 0), 8u);
  EXPECT_EQ(shape.coordinate(2 * 8 + 5, 0), 2u);
  EXPECT_EQ(shape.coordinate(2 * 8 + 5, 1), 5u);
  EXPECT_EQ(shape.project(2 * 8 + 5, TileShape({8, 4}), {1, 0}), 5u * 4 + 2);
}

TEST(LinearLayout, IsLinear) {
  TileShape shape({16, 64});
  LinearLayout layout = accumulator(shape, 0);
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    uint32_t a = random() % 32, b = random() % 32, l = random() % 32,
             m = random() % 32;
    EXPECT_EQ(layout.apply(a ^ b, l ^ m, 0),
              layout.apply(a, l, 0) ^ layout.apply(b, m, 0));
  }
}

TEST(LinearLayout, AccumulatorMatchesThePtxTables) {
  TileShape shape({16, 8});
  LinearLayout layout = accumulator(shape, 0);
  for (uint32_t lane = 0; lane < 32; ++lane)
    for (uint32_t reg = 0; reg < 4; ++reg) {
      uint32_t row = lane / 4 + (reg >= 2 ? 8 : 0),
               column = 2 * (lane % 4) + (reg & 1);
      EXPECT_EQ(layout.apply(reg, lane, 0), row * 8 + column);
    }
  EXPECT_TRUE(layout.isSurjective(shape));
  EXPECT_TRUE(layout.isInjective());
}

TEST(LinearLayout, SliceKeepsWhatLanesShare) {
  TileShape shape({128, 64}), rows(llvm::ArrayRef<int64_t>{128});
  LinearLayout slice = accumulator(shape, 3).slice(shape, rows, {0});
  EXPECT_EQ(slice.numRegisters(), 2u); // rows g and g + 8
  EXPECT_EQ(slice.replicatedBits(Place::Lane), 0b00011u);
  EXPECT_EQ(slice.apply(1, 0b00100, 2), 8u + 1 + 32);
  EXPECT_TRUE(slice.isSurjective(rows));
}

TEST(LinearLayout, FoldKeepsPartsOfLanesFirst) {
  TileShape shape({128, 64}), parts({128, 4}), more({128, 8});
  LinearLayout whole = accumulator(shape, 3);
  // Four lanes share a row: each keeps its own part, and two rows in registers.
  LinearLayout fold = whole.fold(shape, parts, {0, 1}, 1);
  EXPECT_EQ(fold.numRegisters(), 2u);
  EXPECT_EQ(fold.replicatedBits(Place::Lane), 0u);
  EXPECT_EQ(fold.apply(0, 0b00011, 0), 3u);
  EXPECT_EQ(fold.apply(1, 0b00100, 2), (8u + 1 + 32) * 4);
  EXPECT_TRUE(fold.isSurjective(parts));
  // Further parts are those of registers; without parts it is a slice.
  EXPECT_EQ(whole.fold(shape, more, {0, 1}, 1).numRegisters(), 4u);
  TileShape rows(llvm::ArrayRef<int64_t>{128});
  EXPECT_EQ(whole.fold(shape, rows, {0}, 1), whole.slice(shape, rows, {0}));
}

TEST(LinearLayout, RegisterForInvertsApply) {
  TileShape shape({16, 64});
  LinearLayout layout = accumulator(shape, 0);
  for (uint32_t reg = 0; reg < layout.numRegisters(); ++reg)
    EXPECT_EQ(layout.registerFor(layout.apply(Place::Register, reg)), reg);
  EXPECT_EQ(layout.registerFor(shape.unit(1, 1)), std::nullopt); // a lane's bit
}

// The law behind fast shared memory: whatever the row's length, 8 consecutive
// rows read at one 16-byte column fall into 8 different columns of a line.
TEST(SharedLayout, SwizzleIsABijectionWithoutConflicts) {
  for (int64_t columns : {16, 32, 64, 128, 256}) {
    TileShape shape({64, columns});
    SharedLayout shared = SharedLayout::swizzledRowMajor(shape, 2);
    std::set<uint32_t> bytes;
    for (uint32_t flat = 0; flat < 64 * columns; ++flat)
      bytes.insert(shared.apply(flat));
    EXPECT_EQ(bytes.size(), size_t(64 * columns));
    EXPECT_LT(*bytes.rbegin(), 64 * columns * 2);
    for (uint32_t column = 0; column < columns; column += 8) {
      std::set<uint32_t> lines;
      for (uint32_t row = 0; row < 8; ++row)
        lines.insert(shared.apply(row * columns + column) / 16 % 8);
      EXPECT_EQ(lines.size(), 8u) << columns;
    }
  }
}

TEST(SharedLayout, CoresLieOneBehindTheOther) {
  // 48 x 80: 3 cores of 16 rows and 5 of 16 columns; no byte unused, none
  // twice, and 8 rows of a 16-byte column in 8 different ones of a line.
  TileShape shape({48, 80});
  for (bool padded : {false, true}) {
    SharedLayout shared = padded ? SharedLayout::paddedRowMajor(shape, 2, 16)
                                 : SharedLayout::swizzledRowMajor(shape, 2);
    std::set<uint32_t> bytes;
    for (uint32_t row = 0; row < 48; ++row)
      for (uint32_t column = 0; column < 80; ++column)
        bytes.insert(shared.apply(row << shape.shift(0) | column));
    EXPECT_EQ(bytes.size(), size_t(48 * 80));
    EXPECT_EQ(shared.bytes(), padded ? 48 * (160 + 16) - 16 : 48 * 80 * 2);
    EXPECT_EQ(*bytes.rbegin(), uint32_t(shared.bytes()) - 2);
    for (uint32_t column = 0; column < 80; column += 8)
      for (uint32_t first = 0; first < 48; first += 8) {
        std::set<uint32_t> lines;
        for (uint32_t row = first; row < first + 8; ++row)
          lines.insert(shared.apply(row << shape.shift(0) | column) / 16 % 8);
        EXPECT_EQ(lines.size(), 8u) << first << " " << column;
      }
  }
}

TEST(SharedLayout, PartsLieWhereTheWholeHasThem) {
  struct Case {
    llvm::SmallVector<int64_t, 2> whole, part;
    unsigned axis;
    int64_t from;
    bool inSwizzle, inPadded;
  };
  const Case cases[] = {
      {{32, 576}, {32, 512}, 1, 0, true, true},   // 9 cores of 64
      {{32, 576}, {32, 64}, 1, 512, true, true},  // the last one
      {{16, 192}, {16, 128}, 1, 64, true, true},  // of 3 cores the last two
      {{64, 128}, {64, 64}, 1, 64, true, true},   // half a row
      {{64, 128}, {32, 128}, 0, 32, true, true},  // half of the rows
      {{64, 256}, {64, 96}, 1, 0, true, true},    // 3 cores of one
      {{64, 64}, {64, 32}, 1, 8, false, true},    // amid what is swizzled
      {{48, 576}, {48, 512}, 1, 0, false, true}}; // digits of two axes
  for (const Case &each : cases) {
    TileShape whole(each.whole), part(each.part);
    for (bool padded : {false, true}) {
      SharedLayout layout = padded ? SharedLayout::paddedRowMajor(whole, 2, 16)
                                   : SharedLayout::swizzledRowMajor(whole, 2);
      std::optional<SharedPart> found =
          layout.part(whole, part, each.axis, each.from);
      ASSERT_EQ(found.has_value(), padded ? each.inPadded : each.inSwizzle);
      if (!found)
        continue;
      for (int64_t row = 0; row < each.part[0]; ++row)
        for (int64_t column = 0; column < each.part[1]; ++column) {
          uint32_t own = uint32_t(row) << part.shift(0) | uint32_t(column);
          int64_t there[] = {row, column};
          there[each.axis] += each.from;
          uint32_t flat =
              uint32_t(there[0]) << whole.shift(0) | uint32_t(there[1]);
          ASSERT_EQ(found->offset + found->layout.apply(own),
                    layout.apply(flat));
        }
    }
  }
}

TEST(LinearLayout, RegistersPastTheEndDoNotExist) {
  // 96 = 3 cores of 32: two bits of the register say which, one of four values
  // stands for no core.
  TileShape shape({16, 96});
  EXPECT_EQ(shape.bits(1), 7u);
  EXPECT_EQ(shape.coreBits(1), 5u);
  EXPECT_EQ(shape.elements(), 16 * 96);
  LinearLayout layout = accumulator(shape, 0);
  EXPECT_TRUE(layout.isSurjective(shape));
  EXPECT_EQ(layout.numRegisters() * 32, 16u * 128);
  EXPECT_EQ(layout.registersOf(shape).size() * 32, size_t(16 * 96));
  for (uint32_t reg : layout.registersOf(shape))
    for (uint32_t lane = 0; lane < 32; ++lane)
      EXPECT_TRUE(shape.contains(layout.apply(reg, lane, 0)));
}

TEST(LdMatrix, FormsFollowFromTheComposition) {
  TileShape keys({64, 128}); // [x, d], d contiguous
  SharedLayout shared = SharedLayout::swizzledRowMajor(keys, 2);
  auto direct = planLdMatrix(compose(operandB(keys, 0, 1), shared)); // k = d
  ASSERT_TRUE(direct);
  EXPECT_FALSE(direct->transposed);
  EXPECT_EQ(direct->matrixBits.size(), 2u);
  auto transposed =
      planLdMatrix(compose(operandB(keys, 1, 0), shared)); // k = x
  ASSERT_TRUE(transposed);
  EXPECT_TRUE(transposed->transposed);
  for (auto &plan : {*direct, *transposed})
    EXPECT_EQ(wavefronts(plan.laneImages, 16), 4u); // 4 matrices of 128 bytes
  // The accumulator's pairs lie along a row as well, so a tile may be read back
  // in the layout in which it was computed.
  EXPECT_TRUE(planLdMatrix(compose(accumulator(keys, 0), shared)));
}

TEST(Wavefronts, CountsConflicts) {
  EXPECT_EQ(wavefronts({4, 8, 16, 32, 64}, 4), 1u);
  EXPECT_EQ(wavefronts({128, 256, 512, 1024, 2048}, 4), 32u);
  EXPECT_EQ(wavefronts({16, 32, 64, 128, 256}, 16), 4u);
  EXPECT_EQ(wavefronts({0, 0, 0, 0, 0}, 4), 1u); // broadcast
}
