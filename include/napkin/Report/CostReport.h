//===- CostReport.h - what kernels move, and why ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The account of a schedule before anything runs: for each kernel the formula
// of its transfers, the bytes, the least that could be, the level that binds,
// every choice with its reason, and what the operations would have moved one by
// one.
//
// Bytes follow from the `ncd.kernel` alone (its arrays and its group axes) and
// are exact, also where tiles do not divide: elements out of bounds are not
// loaded and not counted. Cycles and reasons are those that `ncd-schedule` left
// in the kernel's `account`; a kernel without it is reported without them.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REPORT_COSTREPORT_H
#define NAPKIN_REPORT_COSTREPORT_H

#include "napkin/Cost/Optimum.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <vector>

namespace llvm::json {
class OStream;
} // namespace llvm::json

namespace napkin::report {

/// 5242880 as "5 242 880"; a real number is rounded.
std::string grouped(int64_t number);
std::string grouped(double number);

/// Global bytes of one launch over its whole grid.
struct KernelCost {
  int64_t globalReadBytes = 0;
  int64_t globalWriteBytes = 0;
  /// Both directions.
  int64_t total() const { return globalReadBytes + globalWriteBytes; }
};

/// One array of a kernel.
struct ArrayCost {
  std::string name;
  /// "h, q, d".
  std::string axes;
  cost::Role role = cost::Role::Read;
  /// The levels that it passes: "global, shared, registers".
  std::string levels;
  /// Bytes of the array, how often they cross, and the product.
  int64_t bytes = 0, repetitions = 1, movedBytes = 0;
};

/// One kernel.
struct KernelReport {
  std::string entry;
  /// Name and title of the machine; the title is empty for an unknown one.
  std::string hardware, hardwareTitle;
  /// "h/1 = 4 × q/128 = 4" and the number of blocks.
  std::string grid;
  int64_t blocks = 1;
  /// Parts of the streamed axis that have blocks of their own.
  int64_t parts = 1;
  std::string stream;
  int64_t warps = 0, stages = 0;
  /// The instructions of its products, each once, and what they round.
  std::vector<std::string> products;
  std::vector<ArrayCost> arrays;
  /// H in values and in bytes; ceilings are kept where a tile does not divide.
  cost::Expression values, bytes;
  KernelCost cost;
  /// Bytes if every array crossed once.
  int64_t compulsoryBytes = 0;
  /// The optimum in bytes as a formula in M, when there is one.
  std::optional<cost::ClosedForm> closedForm;
  std::string noClosedForm;
  /// M for the partition that was chosen, in bytes of that formula, and its
  /// optimum there.
  double memoryBytes = 0, optimumBytes = 0;
  /// The least bytes with all registers and shared memory of a multiprocessor;
  /// never below compulsoryBytes.
  double leastBytes = 0;
  /// The optimum in bytes over the memory of a block in bytes, from 1 KiB to
  /// 1 MiB; empty without a closed form that memory matters to.
  std::vector<std::pair<double, double>> curve;
  /// What the operations would move one kernel each; 0 when not known.
  int64_t unfusedBytes = 0;
  /// Registers per thread and shared bytes per block that tiles take.
  int64_t registers = 0, sharedBytes = 0;
  /// Estimated cycles by level, largest first, and their sum.
  std::vector<std::pair<std::string, int64_t>> cycles;
  int64_t totalCycles = 0;
  /// One sentence per decision.
  std::vector<std::string> reasons;

  /// Estimated cycles of the launch itself.
  int64_t launchCycles() const;
  /// As text, about twenty lines.
  void print(llvm::raw_ostream &os) const;
  /// As one JSON object.
  void writeJSON(llvm::json::OStream &json) const;
};

/// All kernels of a module or diagram, in order.
struct CostReport {
  std::vector<KernelReport> kernels;

  /// Global bytes of all launches.
  KernelCost total() const;
  /// Estimated cycles of all kernels, one after the other.
  int64_t cycles() const;
  /// As text.
  void print(llvm::raw_ostream &os) const;
  /// As one JSON object with a list "kernels".
  void printJSON(llvm::raw_ostream &os) const;
};

/// The arrays and partitions of \p kernel as the cost model wants them.
/// Internal arrays are those of the plain operations in its body.
cost::KernelModel modelOf(ncd::KernelOp kernel);

/// Global bytes of \p kernel. Errors on the kernel: an axis without a static
/// size, a count that leaves 64 bits.
mlir::FailureOr<KernelCost> computeKernelCost(ncd::KernelOp kernel);

/// The report of one kernel. Errors as computeKernelCost().
mlir::FailureOr<KernelReport> buildKernelReport(ncd::KernelOp kernel);

/// The report of every kernel below \p root. Errors as computeKernelCost().
mlir::FailureOr<CostReport> buildCostReport(mlir::Operation *root);

} // namespace napkin::report

#endif // NAPKIN_REPORT_COSTREPORT_H
