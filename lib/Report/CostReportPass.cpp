//===- CostReportPass.cpp - print cost reports ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-cost-report.
//
//===----------------------------------------------------------------------===//

#include "napkin/Report/CostReport.h"
#include "napkin/Report/Passes.h"

namespace napkin::report {
#define GEN_PASS_DEF_COSTREPORTPASS
#include "napkin/Report/Passes.h.inc"
} // namespace napkin::report

namespace {
struct CostReportPrinter
    : napkin::report::impl::CostReportPassBase<CostReportPrinter> {
  using CostReportPassBase::CostReportPassBase;

  void runOnOperation() override {
    mlir::FailureOr<napkin::report::CostReport> report =
        napkin::report::buildCostReport(getOperation());
    if (mlir::failed(report))
      return signalPassFailure();
    if (json)
      report->printJSON(llvm::errs());
    else
      report->print(llvm::errs());
    markAllAnalysesPreserved();
  }
};
} // namespace
