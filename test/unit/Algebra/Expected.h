//===- Expected.h - Forms that must come out --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What describe() prints for each case of the table.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_ALGEBRA_EXPECTED_H
#define NAPKIN_TEST_UNIT_ALGEBRA_EXPECTED_H

#include <string>

namespace napkin::algebra::test {

/// Empty when there is no such case.
std::string expectedForm(const std::string &name);

} // namespace napkin::algebra::test

#endif // NAPKIN_TEST_UNIT_ALGEBRA_EXPECTED_H
