//===- Page.h - a compilation on one page -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that is known of one compilation as one HTML file that needs
// nothing else: the picture of the diagram and of what was made of it, the
// bytes of every array, the formula and its curve over the memory, the
// roofline, the reasons of the schedule, and the PTX beside what each line was
// counted to do when it was executed. Pointing at a wire lights it wherever it
// goes.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PAGE_PAGE_H
#define NAPKIN_PAGE_PAGE_H

#include "napkin/Report/CostReport.h"
#include <map>
#include <string>

namespace napkin::page {

/// What an execution counted for one line of PTX, over all launches.
struct LineCounts {
  /// Times a warp issued it.
  uint64_t issues = 0;
  /// Requested bytes of global memory, and 32-byte sectors.
  uint64_t globalBytes = 0, globalSectors = 0;
  /// Passes of the banks of shared memory, and those beyond the fewest.
  uint64_t sharedWavefronts = 0, conflicts = 0;
};

/// What a page shows; what is empty is left out.
struct Content {
  /// The diagrams' names.
  std::string title;
  /// SVG files: the diagram as it is written, and as it is scheduled.
  std::string written, scheduled;
  report::CostReport report;
  /// Multiplications with an addition that the diagram's contracts make.
  double products = 0;
  std::string ptx;
  /// By number of line, from 1; empty where nothing was executed.
  std::map<unsigned, LineCounts> lines;
  /// What `--verify` printed.
  std::string verification;
};

/// The text of the page.
std::string render(const Content &content);

} // namespace napkin::page

#endif // NAPKIN_PAGE_PAGE_H
