//===- Harness.h - Plain text against streamed plan -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Executes a cascade as written and as a plan, over random chunk splits and
// merge trees, and measures both against a double-precision evaluation.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_ALGEBRA_HARNESS_H
#define NAPKIN_TEST_UNIT_ALGEBRA_HARNESS_H

#include "Evaluator.h"
#include <functional>
#include <random>
#include <string>

namespace napkin::algebra::test {

/// Distributions of inputs. Large: 1e4; Outlier: 1 in 100 is 1e3 times larger;
/// Offset: around 1e3.
enum class Data { Normal, Large, Outlier, Offset };

/// Inputs and axes that the cases are written in.
struct Cascade {
  ExprContext context;
  unsigned b, q, x, d, e, k, survivors;
  std::vector<int64_t> extents;
  Expr X, Y, W, G, Q, Kk, V, count;
  std::vector<Expr> outputs;
  std::vector<Expr> inputs;

  Cascade();
  Expr input(llvm::StringRef name, llvm::ArrayRef<unsigned> axes,
             double low = -kInfinity, double high = kInfinity);
  Expr c(double v) { return context.constant(v); }
  Expr sum(unsigned axis, Expr e) {
    return context.reduce(Monoid::Sum, axis, e);
  }
  Expr max(unsigned axis, Expr e) {
    return context.reduce(Monoid::Max, axis, e);
  }
  Expr mean(Expr a) { return context.div(sum(x, a), count); }
  Expr variance(Expr a);
  Expr softmax(Expr t);
  Expr scores();
  Expr sigmoid(Expr a);
  Expr tanh(Expr a);
  Expr masked(Expr s);
};

/// Options of one comparison.
struct RunOptions {
  int trials = 5;
  /// Magnitudes 1e25 and 1e-25 instead of the distribution.
  bool huge = false;
  /// Errors are relative to at least this.
  double floor = 0;
};

/// Worst errors over all outputs, relative to the largest result.
struct RunResult {
  double stream = 0, plain = 0;
  /// Finite reference and finite plain value, but no finite streamed value.
  int onlyStreamBad = 0;
};

RunResult run(Cascade &cascade, const StreamPlan &plan, Data data,
              const RunOptions &options);
/// The same in double precision: the plan must be exact.
double runExact(Cascade &cascade, const StreamPlan &plan, Data data,
                unsigned seed, double &scale, bool &finite);
/// Value of an input at a position of x.
using Signal = std::function<double(int64_t)>;
/// The first element of the first output, streamed in f32 by chunks of `chunk`
/// positions from a state whose members begin as the plan says or, where
/// `start` is given, there; every input that `signals` does not name is 1.
double streamSignals(Cascade &cascade, const StreamPlan &plan,
                     const llvm::StringMap<Signal> &signals, int64_t chunk,
                     const std::vector<double> &start = {});
/// The same of states that begin empty at each chunk and are merged after it.
double mergeSignals(Cascade &cascade, const StreamPlan &plan,
                    const llvm::StringMap<Signal> &signals, int64_t chunk);
/// The same as written, in double precision.
double plainSignals(Cascade &cascade, const llvm::StringMap<Signal> &signals);
/// Merging with empty states, and stepping from one, changes nothing.
double runEmpty(Cascade &cascade, const StreamPlan &plan, Data data);

} // namespace napkin::algebra::test

#endif // NAPKIN_TEST_UNIT_ALGEBRA_HARNESS_H
