//===- Estimate.h - times of a whole program --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the cost model says of the time of all kernels, and how little any
// program could take that does the same. For the manifest, so that a launcher
// can print both beside what it measures.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PIPELINES_ESTIMATE_H
#define NAPKIN_LIB_PIPELINES_ESTIMATE_H

#include "mlir/IR/BuiltinOps.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Report/CostReport.h"
#include "napkin/Target/Target.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace napkin::pipelines {

/// Multiplications of all contracts by the element type of their factors. An
/// element type that no instruction knows is not among them.
using Products = std::map<target::Element, int64_t>;

/// Counts the products of the diagrams in \p module as they are written: what a
/// mask hides is multiplied too. Contracts whose axes have no size count
/// nothing.
Products countProducts(mlir::ModuleOp module);

/// Times in microseconds.
struct Estimate {
  /// The name of the machine.
  std::string hardware;
  double microseconds = 0;
  /// Of each kernel.
  std::vector<double> kernels;
  /// The least time: inputs and outputs cross once at the whole bandwidth, all
  /// products are made by the best instruction of the target on every
  /// multiprocessor, one beside the other.
  double roofline = 0;
  int64_t multiplyAdds = 0;
};

/// The estimate for the kernels of \p report, whose inputs and outputs have
/// \p bytes bytes, on \p hardware; nullopt where the report has no cycles.
std::optional<Estimate> estimate(const report::CostReport &report,
                                 const Products &products, int64_t bytes,
                                 const cost::Hardware &hardware,
                                 const target::TargetDescription &target,
                                 bool allowTF32);

} // namespace napkin::pipelines

#endif // NAPKIN_LIB_PIPELINES_ESTIMATE_H
