//===- Exploring.h - --what-if and --sweep ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options that schedule variations of one text and compare them.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKINC_EXPLORING_H
#define NAPKIN_TOOLS_NAPKINC_EXPLORING_H

#include "napkin/Pipelines/Pipelines.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace napkin::driver {

/// What is to be compared.
struct ExploreRequest {
  /// Variations, each a list separated by commas that are made together.
  std::vector<std::string> whatIf;
  /// A range of one number; empty: none.
  std::string sweep;
  bool asCSV = false, asPlot = false;

  bool isAsked() const { return !whatIf.empty() || !sweep.empty(); }
};

/// The table, the CSV or the curve that \p request asks for. Errors are one
/// line, "error: ..." or with a place.
llvm::Expected<std::string> explore(const llvm::SourceMgr &manager,
                                    const pipelines::CompileOptions &options,
                                    const ExploreRequest &request);

} // namespace napkin::driver

#endif // NAPKIN_TOOLS_NAPKINC_EXPLORING_H
