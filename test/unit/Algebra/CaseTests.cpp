//===- CaseTests.cpp - The table of cascades, derived and run ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every case of the table: the form or the refusal word for word, and the error
// of the streamed execution against that of the text as written.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "Expected.h"
#include "gtest/gtest.h"
#include <cstdlib>

using namespace napkin::algebra;
using namespace napkin::algebra::test;

namespace napkin::algebra::test {
std::string derived(const Case &test, Cascade &cascade,
                    std::optional<StreamPlan> &plan) {
  test.build(cascade);
  PlanRefusal refusal;
  PlanOptions options;
  options.inputBoundLog2 = test.inputBoundLog2;
  plan = deriveStreamPlan(cascade.context, cascade.outputs, cascade.x, options,
                          refusal);
  if (!plan)
    return "refused: " + refusal.message + "\n";
  std::string text;
  for (const std::string &line : describe(cascade.context, *plan))
    text += line + "\n";
  return text;
}
} // namespace napkin::algebra::test

namespace {

class AlgebraCase : public testing::TestWithParam<const Case *> {};

TEST_P(AlgebraCase, DerivesAndRuns) {
  const Case &test = *GetParam();
  Cascade cascade;
  std::optional<StreamPlan> plan;
  std::string text = derived(test, cascade, plan);
  // To renew Expected.cpp after a change that was meant.
  if (std::getenv("NAPKIN_PRINT_FORMS")) {
    printf("@@ %s\n%s", test.name, text.c_str());
    return;
  }
  EXPECT_EQ(text, expectedForm(test.name));
  if (!plan || plan->reductions.empty())
    return;
  RunOptions options;
  options.huge = test.huge;
  options.floor = test.floor;
  for (Data data : {Data::Normal, Data::Large, Data::Outlier, Data::Offset}) {
    RunResult result = run(cascade, *plan, data, options);
    EXPECT_EQ(result.onlyStreamBad, 0) << "data " << int(data);
    // Below a few ulps of f32 the two differ by the order of additions.
    double bound = std::max({4 * result.plain, 1e-6, test.tolerance});
    EXPECT_LE(result.stream, bound)
        << "data " << int(data) << ", plain " << result.plain;
    EXPECT_LE(runEmpty(cascade, *plan, data), 2e-6) << "data " << int(data);
  }
}

std::vector<const Case *> all() {
  std::vector<const Case *> result;
  for (const Case &test : cases())
    result.push_back(&test);
  for (const Case &test : moreCases())
    result.push_back(&test);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Table, AlgebraCase, testing::ValuesIn(all()),
                         [](const auto &info) {
                           std::string name;
                           for (char c : std::string(info.param->name))
                             if (isalnum(c))
                               name += c;
                           return name + std::to_string(info.index);
                         });

} // namespace
