//===- Cases.h - Cascades with known streaming forms ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of cascades that every change of the algebra is held against: the
// text, and the form or the refusal that must come out.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_ALGEBRA_CASES_H
#define NAPKIN_TEST_UNIT_ALGEBRA_CASES_H

#include "Harness.h"

namespace napkin::algebra::test {

struct Case {
  const char *name;
  /// Fills in the outputs.
  void (*build)(Cascade &);
  double inputBoundLog2 = 32;
  /// Errors are relative to at least this.
  double floor = 0;
  bool huge = false;
  /// The streamed error may be this much whatever the plain one is (the reason
  /// stands beside the case); otherwise 4 times the plain one.
  double tolerance = 0;
};

llvm::ArrayRef<Case> cases();
llvm::ArrayRef<Case> moreCases();
/// The lines of describe(), or "refused: " and the message.
std::string derived(const Case &test, Cascade &cascade,
                    std::optional<StreamPlan> &plan);

} // namespace napkin::algebra::test

#endif // NAPKIN_TEST_UNIT_ALGEBRA_CASES_H
