//===- Passes.td - passes that only print -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reports on IR that they do not change.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REPORT_PASSES_TD
#define NAPKIN_REPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

def CostReportPass : Pass<"ncd-cost-report"> {
  let summary = "Print what every kernel moves, and why";
  let description = [{
    Prints the cost report of the kernels in the IR to standard error, as text or
    JSON. The IR stays as it is. Bytes need the kernels alone; cycles and reasons
    are those that `ncd-schedule` left with their locations, so run both in one
    process.
  }];
  let options = [
    Option<"json", "json", "bool", /*default=*/"false",
           "Print JSON rather than text">,
  ];
}

#endif // NAPKIN_REPORT_PASSES_TD
