//===- Instruction.h - Matrix instructions as rows of data ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a target multiplies matrices with. Each target has a table; a row says
// what the instruction computes, D[m,n] = A[m,k] B[k,n] + C[m,n], who issues
// it, which element types it takes, and where each operand's elements live: a
// *fragment* per operand, the coordinate bit that each bit of the register
// number and of the lane number stands for. Whoever lowers a product walks the
// fragments, whoever prices one multiplies the numbers; nobody knows an
// instruction by name.
//
// # A worked row
//
// mma.m16n8k16 holds four f32 accumulators a lane (PTX ISA, "Matrix fragments
// for mma.m16n8k16"): with g = lane / 4 and t = lane % 4, c0 and c1 lie at row
// g, columns 2t and 2t + 1, c2 and c3 eight rows further down. In bits:
//
//     registers = {{column, 0}, {row, 3}}
//     lanes     = {{column, 1}, {column, 2}, {row, 0}, {row, 1}, {row, 2}}
//
// Register 3 (bits 0 and 1) of lane 13 (bits 0, 2 and 3) is at column bit 0 +
// column bit 1 = 3 and row 8 + 1 + 2 = 11: g = 3, t = 1, as the table says.
//
// # The last rows
//
// A scalar multiply-add is an instruction too, of 1 x 1 x 1 and of one thread.
// Its fragments say how a warp's threads stand side by side, four rows by four
// columns each, so that two reads of 16 bytes serve sixteen multiplications. No
// element type and no shape is without an instruction; some are dear.
//
// # What a row cannot say
//
// Factors in shared memory are named (Source) but not described: the layouts
// that wgmma wants there are those of Layout/SharedLayout. Sparse factors and
// block scales have no place yet.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_TARGET_INSTRUCTION_H
#define NAPKIN_TARGET_INSTRUCTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace napkin::target {

/// The element types that instructions know; spelt as in arrays.
enum class Element { F64, F32, TF32, BF16, F16, F8E4M3, F8E5M2, I64, I32, I8 };

/// How \p element is spelt in types: "bf16", "f8E4M3FN", ...
llvm::StringRef elementName(Element element);
/// The element type spelt \p name, or nullopt.
std::optional<Element> parseElement(llvm::StringRef name);
/// Bytes of one element in a register or in memory: tf32 takes 4.
unsigned elementBytes(Element element);
/// Whether every value of \p narrow is a value of \p wide.
bool represents(Element wide, Element narrow);

/// Who issues an instruction together.
enum class Scope { Thread, Warp, Warpgroup };

/// Where an instruction takes a factor from.
enum class Source { Registers, Shared };

/// One bit of a fragment's coordinate: bit `bit` of the operand's first (0) or
/// second (1) axis; axis `nowhere` for a bit in which the threads share the
/// element.
struct FragmentBit {
  unsigned axis;
  unsigned bit;
  static constexpr unsigned nowhere = ~0u;
};

/// Where one operand lives: the coordinate bit of each register bit and lane
/// bit, lowest first. The two axes are (rows, summed) for A, (columns, summed)
/// for B, (rows, columns) for the accumulator.
struct Fragment {
  llvm::SmallVector<FragmentBit, 4> registers;
  llvm::SmallVector<FragmentBit, 5> lanes;

  /// A position inside a fragment: along its first and its second axis.
  struct Position {
    uint32_t first = 0, second = 0;
  };
  /// The position of register \p reg of lane \p lane.
  Position at(uint32_t reg, uint32_t lane = 0) const;
  /// Elements that one lane holds.
  unsigned numRegisters() const { return 1u << registers.size(); }
  /// Positions along the first (0) or second (1) axis.
  unsigned extent(unsigned axis) const;
  /// Lane bits that stand for a bit of \p axis.
  unsigned laneBits(unsigned axis) const;
};

/// One row: a matrix instruction.
struct MatrixInstruction {
  /// "mma.m16n8k16.bf16": how attributes and reports name it.
  llvm::StringRef name;
  /// How PTX spells it.
  llvm::StringRef ptx;
  Scope scope;
  /// Sizes in elements of what one issue computes, for each thread where the
  /// scope is the thread.
  unsigned m, n, k;
  Element a, b, accumulator;
  Source aFrom, bFrom;
  Fragment aFragment, bFragment, accumulatorFragment;
  /// Whether the result is there only after a wait.
  bool asynchronous;
  /// Cycles of one of the four schedulers of a multiprocessor between two
  /// issues.
  double cyclesPerIssue;
  /// Cycles until a dependent instruction can start.
  double latency;

  /// Rows, columns and summed positions of the least step of a warp.
  unsigned rows() const { return accumulatorFragment.extent(0); }
  unsigned columns() const { return accumulatorFragment.extent(1); }
  unsigned depth() const { return k; }
  /// Columns of the least tile: as many steps as one read of 16 bytes a lane
  /// brings factors for.
  unsigned leastColumns() const;
  /// The least tile along an axis that gives rows or columns; which of the two
  /// it gives is decided later.
  unsigned leastFree() const;
  /// Registers of 4 bytes that a lane needs for one step's A or B.
  double aRegisters() const;
  double bRegisters() const;
  /// Products per cycle of one multiprocessor.
  double productsPerCycle() const;
};

} // namespace napkin::target

#endif // NAPKIN_TARGET_INSTRUCTION_H
