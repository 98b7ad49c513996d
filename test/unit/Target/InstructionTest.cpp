//===- InstructionTest.cpp - Fragments against the tables of PTX ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formulas of PTX ISA, "Warp-level matrix instructions: mma", written out
// by hand; the rows of the tables must hold every element where they say.
//
//===----------------------------------------------------------------------===//

#include "napkin/Target/Target.h"
#include "gtest/gtest.h"
#include <functional>
#include <map>

using namespace napkin::layout;
using namespace napkin::target;

namespace {
/// Position of register i of the lane with g = lane / 4 and t = lane % 4.
using Formula = std::function<std::pair<unsigned, unsigned>(
    unsigned g, unsigned t, unsigned i)>;

void check(const Fragment &fragment, unsigned registers,
           const Formula &formula) {
  ASSERT_EQ(fragment.numRegisters(), registers);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < registers; ++i) {
      Fragment::Position at = fragment.at(i, lane);
      auto [first, second] = formula(lane / 4, lane % 4, i);
      EXPECT_EQ(at.first, first) << "lane " << lane << " register " << i;
      EXPECT_EQ(at.second, second) << "lane " << lane << " register " << i;
    }
}

const MatrixInstruction &row(const char *name) {
  const MatrixInstruction *found = lookupInstruction(name);
  EXPECT_TRUE(found) << name;
  return *found;
}

void checkAccumulator16(const MatrixInstruction &mma) {
  check(mma.accumulatorFragment, 4, [](unsigned g, unsigned t, unsigned i) {
    return std::make_pair(i < 2 ? g : g + 8, t * 2 + (i & 1));
  });
}
} // namespace

// "Matrix fragments for mma.m16n8k16 with floating point type"
TEST(Instruction, M16N8K16) {
  for (const char *name : {"mma.m16n8k16.bf16", "mma.m16n8k16.f16"}) {
    const MatrixInstruction &mma = row(name);
    EXPECT_EQ(mma.m, 16u);
    EXPECT_EQ(mma.n, 8u);
    EXPECT_EQ(mma.k, 16u);
    check(mma.aFragment, 8, [](unsigned g, unsigned t, unsigned i) {
      return std::make_pair(i < 2 || (i >= 4 && i < 6) ? g : g + 8,
                            t * 2 + (i & 1) + (i >= 4 ? 8 : 0));
    });
    check(mma.bFragment, 4, [](unsigned g, unsigned t, unsigned i) {
      return std::make_pair(g, t * 2 + (i & 1) + (i >= 2 ? 8 : 0));
    });
    checkAccumulator16(mma);
  }
}

// "Matrix fragments for mma.m16n8k8", .tf32
TEST(Instruction, M16N8K8) {
  const MatrixInstruction &mma = row("mma.m16n8k8.tf32");
  EXPECT_EQ(mma.k, 8u);
  check(mma.aFragment, 4, [](unsigned g, unsigned t, unsigned i) {
    return std::make_pair(i == 0 || i == 2 ? g : g + 8, i < 2 ? t : t + 4);
  });
  check(mma.bFragment, 2, [](unsigned g, unsigned t, unsigned i) {
    return std::make_pair(g, i == 0 ? t : t + 4);
  });
  checkAccumulator16(mma);
}

// "Matrix fragments for mma.m16n8k32", .s8, .e4m3 and .e5m2
TEST(Instruction, M16N8K32) {
  for (const char *name :
       {"mma.m16n8k32.i8", "mma.m16n8k32.f8E4M3FN", "mma.m16n8k32.f8E5M2"}) {
    const MatrixInstruction &mma = row(name);
    EXPECT_EQ(mma.k, 32u);
    check(mma.aFragment, 16, [](unsigned g, unsigned t, unsigned i) {
      return std::make_pair(i < 4 || (i >= 8 && i < 12) ? g : g + 8,
                            t * 4 + (i & 3) + (i >= 8 ? 16 : 0));
    });
    check(mma.bFragment, 8, [](unsigned g, unsigned t, unsigned i) {
      return std::make_pair(g, t * 4 + (i & 3) + (i >= 4 ? 16 : 0));
    });
    checkAccumulator16(mma);
  }
}

// "Matrix fragments for mma.m8n8k4 with .f64 floating point type"
TEST(Instruction, M8N8K4) {
  const MatrixInstruction &mma = row("mma.m8n8k4.f64");
  EXPECT_EQ(mma.m, 8u);
  EXPECT_EQ(mma.k, 4u);
  check(mma.aFragment, 1,
        [](unsigned g, unsigned t, unsigned) { return std::make_pair(g, t); });
  check(mma.bFragment, 1,
        [](unsigned g, unsigned t, unsigned) { return std::make_pair(g, t); });
  check(mma.accumulatorFragment, 2, [](unsigned g, unsigned t, unsigned i) {
    return std::make_pair(g, t * 2 + i);
  });
}

// Every element of a warp's accumulators is in one place, every factor in as
// many as there are lanes that share it, and a lane has both factors of each of
// its accumulators.
TEST(Instruction, FragmentsFitTogether) {
  for (const char *target : {"sm_80", "sm_86", "sm_89"})
    for (const MatrixInstruction &mma : lookupTarget(target)->instructions) {
      std::map<std::pair<unsigned, unsigned>, unsigned> places;
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < mma.accumulatorFragment.numRegisters(); ++i) {
          Fragment::Position at = mma.accumulatorFragment.at(i, lane);
          ++places[{at.first, at.second}];
        }
      EXPECT_EQ(places.size(), size_t(mma.rows()) * mma.columns())
          << mma.name.str();
      for (auto &[at, count] : places)
        EXPECT_EQ(count, 1u) << mma.name.str();
      EXPECT_EQ(mma.aFragment.extent(0), mma.rows()) << mma.name.str();
      EXPECT_EQ(mma.bFragment.extent(0), mma.columns()) << mma.name.str();
      EXPECT_EQ(mma.aFragment.extent(1), mma.k) << mma.name.str();
      EXPECT_EQ(mma.bFragment.extent(1), mma.k) << mma.name.str();
      if (mma.scope != Scope::Thread)
        continue;
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < mma.accumulatorFragment.numRegisters(); ++i) {
          Fragment::Position at = mma.accumulatorFragment.at(i, lane);
          bool hasRow = false, hasColumn = false;
          for (unsigned j = 0; j < mma.aFragment.numRegisters(); ++j)
            hasRow |= mma.aFragment.at(j, lane).first == at.first;
          for (unsigned j = 0; j < mma.bFragment.numRegisters(); ++j)
            hasColumn |= mma.bFragment.at(j, lane).first == at.second;
          EXPECT_TRUE(hasRow && hasColumn)
              << mma.name.str() << " lane " << lane;
        }
    }
}

TEST(Instruction, ValuesOfOneTypeInAnother) {
  using E = Element;
  EXPECT_TRUE(represents(E::F16, E::F8E4M3));
  EXPECT_TRUE(represents(E::F16, E::F8E5M2));
  EXPECT_TRUE(represents(E::BF16, E::F8E5M2));
  EXPECT_TRUE(represents(E::TF32, E::F16));
  EXPECT_TRUE(represents(E::TF32, E::BF16));
  EXPECT_TRUE(represents(E::I32, E::I8));
  EXPECT_TRUE(represents(E::F64, E::I32));
  EXPECT_FALSE(represents(E::F16, E::BF16));
  EXPECT_FALSE(represents(E::BF16, E::F16));
  EXPECT_FALSE(represents(E::TF32, E::F32));
  EXPECT_FALSE(represents(E::F8E5M2, E::F8E4M3));
  EXPECT_FALSE(represents(E::F32, E::I32));
  EXPECT_FALSE(represents(E::I32, E::F16));
}

TEST(Instruction, ChoiceByElementTypes) {
  using E = Element;
  auto name = [](const char *target, E factor, E sum, bool tf32 = false) {
    const MatrixInstruction *row =
        lookupTarget(target)->choose(factor, sum, tf32);
    return row ? row->name.str() : "none";
  };
  EXPECT_EQ(name("sm_80", E::BF16, E::F32), "mma.m16n8k16.bf16");
  EXPECT_EQ(name("sm_80", E::F16, E::F32), "mma.m16n8k16.f16");
  EXPECT_EQ(name("sm_80", E::TF32, E::F32), "mma.m16n8k8.tf32");
  EXPECT_EQ(name("sm_80", E::F32, E::F32), "fma.f32");
  EXPECT_EQ(name("sm_80", E::F32, E::F32, true), "mma.m16n8k8.tf32");
  EXPECT_EQ(name("sm_80", E::F64, E::F64), "mma.m8n8k4.f64");
  EXPECT_EQ(name("sm_89", E::F64, E::F64), "mma.m8n8k4.f64");
  EXPECT_EQ(name("sm_80", E::I8, E::I32), "mma.m16n8k32.i8");
  EXPECT_EQ(name("sm_80", E::I32, E::I32), "mad.i32");
  EXPECT_EQ(name("sm_80", E::I64, E::I64), "mad.i64");
  // Where there is no instruction for 8-bit floats they widen to f16.
  EXPECT_EQ(name("sm_80", E::F8E4M3, E::F32), "mma.m16n8k16.f16");
  EXPECT_EQ(name("sm_89", E::F8E4M3, E::F32), "mma.m16n8k32.f8E4M3FN");
  EXPECT_EQ(name("sm_89", E::F8E5M2, E::F32), "mma.m16n8k32.f8E5M2");
}

TEST(Instruction, RatesOfTheA100) {
  auto rate = [](const char *name) {
    return lookupTarget("sm_80")->find(name)->productsPerCycle();
  };
  EXPECT_EQ(rate("mma.m16n8k16.bf16"), 1024);
  EXPECT_EQ(rate("mma.m16n8k8.tf32"), 512);
  EXPECT_EQ(rate("mma.m16n8k32.i8"), 2048);
  EXPECT_EQ(rate("mma.m8n8k4.f64"), 64);
  EXPECT_EQ(rate("fma.f32"), 64);
  EXPECT_EQ(rate("fma.f64"), 32);
}

// A tile of several steps and warps is covered once by each operand.
TEST(Instruction, TilesOfEveryRow) {
  for (const MatrixInstruction &mma : lookupTarget("sm_89")->instructions) {
    TileShape shape({64, 64});
    WarpGrid warps{1, 1};
    for (Operand operand : {Operand::A, Operand::B, Operand::Accumulator}) {
      const Fragment &fragment = operand == Operand::A ? mma.aFragment
                                 : operand == Operand::B
                                     ? mma.bFragment
                                     : mma.accumulatorFragment;
      LinearLayout layout = tileLayout(fragment, operand, shape, {0, 1}, warps);
      EXPECT_TRUE(layout.isSurjective(shape)) << mma.name.str();
      EXPECT_EQ(layout.isInjective(), operand == Operand::Accumulator)
          << mma.name.str();
    }
  }
}

// Eight lanes in a row write eight pieces that lie in different banks, whatever
// the length of a row: rows are an odd number of pieces apart.
TEST(CopyLayout, PaddedRowsHaveNoConflicts) {
  for (int64_t columns : {16, 32, 48, 64, 80, 96, 112, 128, 192, 256})
    for (int64_t rows : {16, 32, 64, 128})
      for (unsigned warpBits : {0u, 2u, 3u}) {
        TileShape shape({rows, columns});
        LinearLayout layout = paddedCopyLayout(shape, 8, warpBits);
        EXPECT_TRUE(layout.isSurjective(shape)) << rows << " x " << columns;
        int64_t pieces = columns / 8 + 1;
        for (uint32_t warp = 0; warp < 1u << warpBits; ++warp)
          for (uint32_t lane = 0; lane < 32; lane += 8) {
            std::map<int64_t, int64_t>
                banks; // of 16 bytes, and the piece there
            for (uint32_t i = 0; i < 8; ++i) {
              uint32_t flat = layout.apply(0, lane + i, warp);
              int64_t piece = shape.coordinate(flat, 0) * pieces +
                              shape.coordinate(flat, 1) / 8;
              auto [entry, fresh] = banks.try_emplace(piece % 8, piece);
              EXPECT_EQ(entry->second, piece) << rows << " x " << columns;
            }
          }
      }
}
