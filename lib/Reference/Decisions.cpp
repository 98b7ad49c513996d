//===- Decisions.cpp - operations whose results jump ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Decisions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace napkin::reference;

/// Positions of the operands at whose values the result of \p op jumps.
static llvm::SmallVector<unsigned, 2> jumpingOperands(Operation *op) {
  return llvm::TypeSwitch<Operation *, llvm::SmallVector<unsigned, 2>>(op)
      .Case<arith::FPToSIOp, arith::FPToUIOp, math::RoundOp, math::RoundEvenOp,
            math::FloorOp, math::CeilOp, math::TruncOp, arith::RemFOp>(
          [](Operation *) { return llvm::SmallVector<unsigned, 2>{0}; })
      .Case([](arith::CmpFOp) { return llvm::SmallVector<unsigned, 2>{0, 1}; })
      // The sign of the second operand; the cut of the arc tangent.
      .Case([](math::CopySignOp) { return llvm::SmallVector<unsigned, 2>{1}; })
      .Case(
          [](napkin::ncd::TopKOp) { return llvm::SmallVector<unsigned, 2>{0}; })
      .Case([](math::Atan2Op) { return llvm::SmallVector<unsigned, 2>{0}; })
      .Default([](Operation *) { return llvm::SmallVector<unsigned, 2>(); });
}

bool napkin::reference::jumps(Operation *op) {
  return !jumpingOperands(op).empty();
}

void Decisions::begin(Mode next) {
  mode = next;
  for (auto &entry : sites)
    entry.second->next = 0;
}

void Decisions::shift(Shift next, double by, uint64_t seed) {
  begin(Mode::Shift);
  direction = next;
  factor = by;
  random.seed(seed);
}

bool Decisions::hasErrors() const {
  return llvm::any_of(
      sites, [](const auto &entry) { return entry.second->maxError > 0; });
}

Decisions::Site &Decisions::siteOf(Operation *op) {
  std::unique_ptr<Site> &site = sites[op];
  if (!site) {
    site = std::make_unique<Site>();
    site->op = op;
    for (unsigned operand : jumpingOperands(op))
      site->operands.push_back({operand, {}});
  }
  return *site;
}

bool Decisions::recordSite(Site &site, const ScalarProgram::Run &run,
                           ScalarProgram &program, int count) {
  for (auto &[position, values] : site.operands) {
    const double *now = program.floatsOf(site.op->getOperand(position));
    values.insert(values.end(), now, now + count);
  }
  if (!run(program, count))
    return false;
  Value result = site.op->getResult(0);
  if (isa<FloatType>(result.getType())) {
    const double *now = program.floatsOf(result);
    site.floats.insert(site.floats.end(), now, now + count);
  } else {
    const int64_t *now = program.integersOf(result);
    site.integers.insert(site.integers.end(), now, now + count);
  }
  return true;
}

void Decisions::measureErrors(Site &site, std::vector<double> &exact,
                              const double *now, int count) {
  const double *recorded = exact.data() + site.next;
  for (int i = 0; i < count; ++i)
    if (std::isfinite(now[i]) && std::isfinite(recorded[i])) {
      site.maxError = std::max(site.maxError, std::fabs(now[i] - recorded[i]));
      site.maxValue = std::max(site.maxValue, std::fabs(recorded[i]));
    }
}

bool Decisions::measureSite(Site &site, const ScalarProgram::Run &run,
                            ScalarProgram &program, int count) {
  for (auto &[position, values] : site.operands)
    measureErrors(site, values, program.floatsOf(site.op->getOperand(position)),
                  count);
  if (!run(program, count))
    return false;
  Value result = site.op->getResult(0);
  if (isa<FloatType>(result.getType()))
    std::copy_n(site.floats.data() + site.next, count,
                program.floatsOf(result));
  else
    std::copy_n(site.integers.data() + site.next, count,
                program.integersOf(result));
  site.next += count;
  return true;
}

bool Decisions::shiftSite(Site &site, const ScalarProgram::Run &run,
                          ScalarProgram &program, int count) {
  if (site.maxError == 0)
    return run(program, count);
  double shift = reachOf(site);
  // Both operands of a comparison may be off.
  shift *= static_cast<double>(site.operands.size());
  double *operand =
      program.floatsOf(site.op->getOperand(site.operands.front().first));
  std::vector<double> own(operand, operand + count);
  for (int i = 0; i < count; ++i) {
    double sign = direction == Shift::Up ? 1 : -1;
    if (direction == Shift::Random)
      sign = static_cast<double>(random() % 3) - 1;
    operand[i] += sign * shift;
  }
  bool good = run(program, count);
  // A result in another slot: the operand is what it was for its other users.
  std::copy(own.begin(), own.end(), operand);
  return good;
}

ScalarProgram::Run Decisions::watch(Operation *op, ScalarProgram::Run run) {
  Site &site = siteOf(op);
  return
      [this, &site, run = std::move(run)](ScalarProgram &program, int count) {
        switch (mode) {
        case Mode::Record:
          return recordSite(site, run, program, count);
        case Mode::Measure:
          return measureSite(site, run, program, count);
        case Mode::Shift:
          return shiftSite(site, run, program, count);
        }
        llvm_unreachable("unknown mode");
      };
}

void Decisions::exchange(llvm::ArrayRef<double> row,
                         std::vector<int64_t> &order, double distance) {
  for (size_t begin = 0, end; begin < order.size(); begin = end) {
    end = begin + 1;
    while (end < order.size() &&
           row[order[end - 1]] - row[order[end]] <= distance)
      ++end;
    auto first = order.begin() + begin, last = order.begin() + end;
    // Any of them may be found at any of their places.
    if (direction == Shift::Down)
      std::fill(first, last, *std::min_element(first, last));
    if (direction == Shift::Up)
      std::fill(first, last, *std::max_element(first, last));
    if (direction == Shift::Random)
      std::shuffle(first, last, random);
  }
}

std::vector<int64_t> Decisions::order(Operation *op,
                                      llvm::ArrayRef<double> row) {
  Site &site = siteOf(op);
  std::vector<double> &exact = site.operands.front().second;
  std::vector<int64_t> order(row.size());
  if (mode == Mode::Measure) {
    measureErrors(site, exact, row.data(), int(row.size()));
    std::copy_n(site.integers.data() + site.next, row.size(), order.begin());
    site.next += row.size();
    return order;
  }
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return row[a] > row[b]; });
  if (mode == Mode::Record) {
    exact.insert(exact.end(), row.begin(), row.end());
    site.integers.insert(site.integers.end(), order.begin(), order.end());
  } else if (site.maxError > 0) {
    // Both of two elements may be off.
    exchange(row, order, 2 * reachOf(site));
  }
  return order;
}
