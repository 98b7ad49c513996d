//===- Explore.h - compare what variations compile to -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Schedules variations of one text and puts what they move side by side:
// `napkinc --what-if` as a table of differences, `napkinc --sweep` as a table,
// as CSV or as a curve.
//
//   std::vector<explore::Outcome> curve = {};
//   for (const std::string &value : sweep.values)
//     curve.push_back(
//         cantFail(explore::schedule(manager, options, sweep.at(value))));
//   explore::printSweep(sweep, curve, llvm::outs());
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXPLORE_EXPLORE_H
#define NAPKIN_EXPLORE_EXPLORE_H

#include "napkin/Explore/Variation.h"

namespace napkin::explore {

/// What one variation was scheduled to.
struct Outcome {
  /// The variations, "" for the text as it is.
  std::string label;
  report::CostReport report;
  /// Estimated time of all kernels, one after the other.
  double microseconds = 0;
  /// Why there is no schedule; empty where there is one.
  std::string refusal;
};

/// Schedules the main buffer of \p manager with \p variations, one after the
/// other. A schedule that is refused is an outcome; a text that is no diagram
/// and a variation that cannot be made are errors.
llvm::Expected<Outcome> schedule(const llvm::SourceMgr &manager,
                                 pipelines::CompileOptions options,
                                 llvm::ArrayRef<Variation> variations);

/// Prints what differs between \p outcomes, of which the first is the text as
/// it is: bytes, time and plans, a column each, and ratios to the first.
void printDifferences(llvm::ArrayRef<Outcome> outcomes, llvm::raw_ostream &out);

/// Prints \p outcomes, one for each value of \p sweep, as a table.
void printSweep(const Sweep &sweep, llvm::ArrayRef<Outcome> outcomes,
                llvm::raw_ostream &out);

/// As comma separated values with a line of names: value, kernels,
/// global_bytes, read_bytes, written_bytes, once_bytes, microseconds, refusal.
void printCSV(const Sweep &sweep, llvm::ArrayRef<Outcome> outcomes,
              llvm::raw_ostream &out);

/// As an SVG file: global bytes over the value, and the bytes of every array
/// once, both axes logarithmic.
std::string plotSweep(const Sweep &sweep, llvm::ArrayRef<Outcome> outcomes);

} // namespace napkin::explore

#endif // NAPKIN_EXPLORE_EXPLORE_H
