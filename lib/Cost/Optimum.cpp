//===- Optimum.cpp - the least transfer in closed form ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Geometric programming with as many terms as variables: linear algebra on the
// exponents. The header has the derivation.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Optimum.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin::cost;
using llvm::StringRef;

namespace {
/// Σ coefficient · Π variables^exponents, grouped by the exponents.
struct Part {
  llvm::SmallVector<Rational> exponents; /*one per variable*/
  Expression coefficient;
};
using Row = llvm::SmallVector<Rational>;
} // namespace

/// Groups the terms of \p expression by their powers of \p variables.
static std::vector<Part>
groupByVariables(const Expression &expression,
                 llvm::ArrayRef<std::string> variables) {
  std::vector<Part> parts;
  for (const Monomial &term : expression.terms()) {
    Row exponents;
    Monomial rest = term;
    for (const std::string &variable : variables) {
      exponents.push_back(term.powerOf(variable));
      rest.multiply({Atom::Kind::Symbol, variable, "", 0}, -exponents.back());
    }
    auto found = llvm::find_if(
        parts, [&](const Part &part) { return part.exponents == exponents; });
    if (found == parts.end())
      parts.push_back({exponents, Expression(rest)});
    else
      found->coefficient += Expression(rest);
  }
  return parts;
}

/// Solves \p rows · x = \p right in place, rows square. False when singular or
/// when the fractions leave 64 bits.
static bool solve(llvm::SmallVector<Row> rows, Row right, Row &solution) {
  size_t size = rows.size();
  for (size_t column = 0; column < size; ++column) {
    size_t pivot = column;
    while (pivot < size && rows[pivot][column].isZero())
      ++pivot;
    if (pivot == size)
      return false;
    std::swap(rows[pivot], rows[column]);
    std::swap(right[pivot], right[column]);
    Rational scale = *rows[column][column].inverse();
    for (size_t row = 0; row < size; ++row) {
      if (row == column || rows[row][column].isZero())
        continue;
      std::optional<Rational> factor =
          Rational::multiply(rows[row][column], scale);
      if (!factor)
        return false;
      auto eliminate = [&](Rational &target, Rational source) {
        std::optional<Rational> product = Rational::multiply(*factor, source);
        std::optional<Rational> sum =
            product ? Rational::add(target, -*product) : std::nullopt;
        if (sum)
          target = *sum;
        return sum.has_value();
      };
      for (size_t i = column; i < size; ++i)
        if (!eliminate(rows[row][i], rows[column][i]))
          return false;
      if (!eliminate(right[row], right[column]))
        return false;
    }
  }
  solution.clear();
  for (size_t row = 0; row < size; ++row) {
    std::optional<Rational> value =
        Rational::multiply(right[row], *rows[row][row].inverse());
    if (!value)
      return false;
    solution.push_back(*value);
  }
  return true;
}

static bool isOneMonomial(const Expression &expression) {
  return !expression.overflowed() && expression.terms().size() == 1;
}

std::optional<ClosedForm> napkin::cost::findClosedForm(const KernelModel &model,
                                                       Unit unit,
                                                       std::string *whyNot) {
  auto refuse = [&](const std::string &reason) {
    if (whyNot)
      *whyNot = reason;
    return std::nullopt;
  };
  Expression transfers = model.transfers(unit).smooth();
  llvm::SmallVector<std::string> variables, axes;
  for (const std::string &axis : model.groupAxes)
    if (transfers.mentions(groupVariable(axis))) {
      variables.push_back(groupVariable(axis));
      axes.push_back(axis);
    }
  ClosedForm result;
  if (variables.empty()) {
    result.transfers = transfers;
    result.beta = 0;
    return result;
  }

  // Group axes that no transfer mentions are carried by everything: one
  // position per block. What is streamed can be taken thin.
  Expression memory = model.residency(unit);
  for (const std::string &axis : model.streamAxes) {
    std::string chunk = streamVariable(axis);
    if (transfers.mentions(chunk))
      return refuse("the loop over '" + axis + "' reads an array again");
    memory = memory.filter(
        [&](const Monomial &term) { return !term.mentions(chunk); });
  }
  for (const std::string &axis : model.groupAxes)
    if (!llvm::is_contained(axes, axis))
      memory = memory.substitute(groupVariable(axis), Monomial(1));
  result.memory = memory.leading();

  std::vector<Part> terms = groupByVariables(transfers, variables);
  Expression fixed;
  llvm::erase_if(terms, [&](const Part &part) {
    bool constant = llvm::all_of(part.exponents,
                                 [](Rational power) { return power.isZero(); });
    if (constant)
      fixed += part.coefficient;
    return constant;
  });
  std::vector<Part> constraint = groupByVariables(result.memory, variables);
  llvm::erase_if(constraint, [&](const Part &part) {
    return llvm::all_of(part.exponents,
                        [](Rational power) { return power.isZero(); });
  });
  if (constraint.size() != 1)
    return refuse("the memory '" + result.memory.str() +
                  "' is not one product of partitions");
  if (terms.size() != variables.size())
    return refuse(std::to_string(terms.size()) + " repeated transfers for " +
                  std::to_string(variables.size()) + " partitions");

  // Σ_k w_k·E_k = a: the matrix has one column per term.
  size_t count = terms.size();
  llvm::SmallVector<Row> matrix(count, Row(count));
  for (size_t variable = 0; variable < count; ++variable)
    for (size_t term = 0; term < count; ++term)
      matrix[variable][term] = -terms[term].exponents[variable];
  Row weights;
  if (!solve(matrix, constraint[0].exponents, weights))
    return refuse("the partitions do not act independently");
  Rational sum = 0;
  for (Rational weight : weights) {
    if (weight.numerator() <= 0)
      return refuse("a partition is better taken at its end");
    sum = Rational::add(sum, weight).value_or(0);
  }
  std::optional<Rational> beta = sum.inverse();
  if (!beta)
    return refuse("the exponents leave 64 bits");

  // W·(Π (c_k/w_k)^w_k · c/M)^(1/W). Sums are only raised to whole powers.
  Monomial perMemory;
  perMemory.multiply({Atom::Kind::Symbol, "M", "", 0}, -1);
  Expression varying;
  if (count == 1 && weights[0] == Rational(1)) {
    varying = terms[0].coefficient * constraint[0].coefficient *
              Expression(perMemory);
  } else {
    Monomial product = perMemory;
    if (!isOneMonomial(constraint[0].coefficient))
      return refuse("a root of the sum '" + constraint[0].coefficient.str() +
                    "'");
    product = product * constraint[0].coefficient.terms()[0];
    for (size_t term = 0; term < count; ++term) {
      if (!isOneMonomial(terms[term].coefficient))
        return refuse("a root of the sum '" + terms[term].coefficient.str() +
                      "'");
      Monomial share = terms[term].coefficient.terms()[0];
      share.multiply(*weights[term].inverse());
      product = product * share.power(weights[term]);
    }
    product = product.power(*beta);
    product.multiply(sum);
    varying = Expression(product);
  }
  result.beta = *beta;
  result.transfers = varying + fixed;

  // g from t_k = w_k·H/W, where a single product allows it.
  if (isOneMonomial(varying)) {
    llvm::SmallVector<Row> transposed(count, Row(count));
    for (size_t term = 0; term < count; ++term)
      for (size_t variable = 0; variable < count; ++variable)
        transposed[term][variable] = -terms[term].exponents[variable];
    std::vector<Monomial> ratios; // c_k / t_k = Π g^E
    for (size_t term = 0; term < count; ++term) {
      Monomial value = varying.terms()[0];
      value.multiply(weights[term]);
      value.multiply(*beta);
      ratios.push_back(terms[term].coefficient.terms()[0] * value.power(-1));
    }
    for (size_t variable = 0; variable < count; ++variable) {
      // Row `variable` of the inverse: solve against the unit vectors.
      Monomial value;
      for (size_t term = 0; term < count; ++term) {
        Row unitVector(count), column;
        unitVector[term] = 1;
        if (!solve(transposed, unitVector, column))
          return refuse("the partitions do not act independently");
        value = value * ratios[term].power(column[variable]);
      }
      result.partition.push_back({axes[variable], Expression(value)});
    }
  }
  return result;
}
