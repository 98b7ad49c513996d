//===- Evaluator.h - Executes expressions and plans -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates expressions over small dense arrays in one floating-point type, so
// that a derived plan can be compared with the text it came from.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_ALGEBRA_EVALUATOR_H
#define NAPKIN_TEST_UNIT_ALGEBRA_EVALUATOR_H

#include "napkin/Algebra/StreamPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace napkin::algebra::test {

/// Row major over all axes of the context, extent 1 where an axis is absent.
template <typename T>
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<T> data;
};
template <typename T>
using Value = std::shared_ptr<const Tensor<T>>;

inline double roundTo(double v, Rounding rounding) {
  if (!std::isfinite(v))
    return v;
  if (rounding == Rounding::Grid)
    return std::nearbyint(v);
  int bits = rounding == Rounding::BF16 ? 8 : 11;
  int exponent;
  double m = std::frexp(v, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(m, bits)), exponent - bits);
}

template <typename T>
class Evaluator {
public:
  /// Positions [offset, offset + extent) of each axis.
  struct Span {
    int64_t offset = 0, extent = 1;
  };
  Evaluator(const ExprContext &context, std::vector<Span> spans)
      : context(context), spans(std::move(spans)) {}

  void bind(Expr e, Value<T> value) { memo[e] = std::move(value); }
  /// Total number of positions that |axis| stands for.
  void setSize(unsigned axis, int64_t size) { sizes[axis] = size; }

  Value<T> operator()(Expr e) {
    auto found = memo.find(e);
    if (found != memo.end())
      return found->second;
    Value<T> value = compute(e);
    memo[e] = value;
    return value;
  }

private:
  Value<T> scalar(T v) {
    auto t = std::make_shared<Tensor<T>>();
    t->shape.assign(spans.size(), 1);
    t->data = {v};
    return t;
  }

  template <typename F>
  Value<T> elementwise(llvm::ArrayRef<Value<T>> in, F f) {
    auto out = std::make_shared<Tensor<T>>();
    unsigned rank = spans.size();
    out->shape.assign(rank, 1);
    for (const Value<T> &v : in)
      for (unsigned i = 0; i < rank; ++i)
        out->shape[i] = std::max(out->shape[i], v->shape[i]);
    int64_t total = 1;
    for (int64_t n : out->shape)
      total *= n;
    out->data.resize(total);
    std::vector<std::vector<int64_t>> strides;
    for (const Value<T> &v : in) {
      std::vector<int64_t> s(rank);
      int64_t step = 1;
      for (unsigned i = rank; i-- > 0;) {
        s[i] = v->shape[i] == 1 ? 0 : step;
        step *= v->shape[i];
      }
      strides.push_back(std::move(s));
    }
    std::vector<int64_t> position(rank, 0);
    T args[3];
    for (int64_t n = 0; n < total; ++n) {
      for (unsigned j = 0; j < in.size(); ++j) {
        int64_t at = 0;
        for (unsigned i = 0; i < rank; ++i)
          at += position[i] * strides[j][i];
        args[j] = in[j]->data[at];
      }
      out->data[n] = f(args);
      for (unsigned i = rank; i-- > 0;) {
        if (++position[i] < out->shape[i])
          break;
        position[i] = 0;
      }
    }
    return out;
  }

  Value<T> reduce(Expr e, Value<T> in) {
    unsigned axis = e->axis, rank = spans.size();
    int64_t extent = spans[axis].extent;
    int64_t inner = 1, outer = 1;
    for (unsigned i = 0; i < rank; ++i)
      (i < axis ? outer : inner) *= i == axis ? 1 : in->shape[i];
    bool repeated = in->shape[axis] == 1;
    auto out = std::make_shared<Tensor<T>>();
    out->shape = in->shape;
    out->shape[axis] = 1;
    unsigned k = e->monoid == Monoid::TopK ? e->number : 1;
    if (k > 1 || e->monoid == Monoid::TopK)
      out->shape[const_cast<ExprContext &>(context).survivorAxis()] = k;
    out->data.resize(outer * inner * k);
    std::vector<T> row(extent);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        for (int64_t x = 0; x < extent; ++x)
          row[x] = in->data[(o * (repeated ? 1 : extent) + (repeated ? 0 : x)) *
                                inner +
                            i];
        T *at = &out->data[(o * inner + i) * k];
        switch (e->monoid) {
        case Monoid::Sum:
          *at = 0;
          for (T v : row)
            *at += v;
          break;
        case Monoid::Prod:
          *at = 1;
          for (T v : row)
            *at *= v;
          break;
        case Monoid::Max:
        case Monoid::Or:
          *at = -T(kInfinity);
          for (T v : row)
            *at = std::max(*at, v);
          break;
        case Monoid::Min:
        case Monoid::And:
          *at = T(kInfinity);
          for (T v : row)
            *at = std::min(*at, v);
          break;
        case Monoid::ArgMax:
          *at = T(std::max_element(row.begin(), row.end()) - row.begin() +
                  spans[axis].offset);
          break;
        case Monoid::TopK:
          std::sort(row.begin(), row.end(), std::greater<T>());
          for (unsigned j = 0; j < k; ++j)
            at[j] = j < row.size() ? row[j] : -T(kInfinity);
          break;
        case Monoid::Other:
          std::sort(row.begin(), row.end());
          *at = row[row.size() / 2];
          break;
        }
      }
    return out;
  }

  Value<T> combine(Expr e, Value<T> a, Value<T> b) {
    // Survivors lie along the last axis.
    auto out = std::make_shared<Tensor<T>>(*a);
    unsigned k = e->number;
    for (size_t at = 0; at < out->data.size(); at += k) {
      std::vector<T> row(a->data.begin() + at, a->data.begin() + at + k);
      row.insert(row.end(), b->data.begin() + at, b->data.begin() + at + k);
      std::sort(row.begin(), row.end(), std::greater<T>());
      std::copy(row.begin(), row.begin() + k, out->data.begin() + at);
    }
    return out;
  }

  Value<T> compute(Expr e) {
    std::vector<Value<T>> in;
    if (e->kind != Kind::Reference)
      for (Expr operand : e->operands)
        in.push_back((*this)(operand));
    auto map = [&](auto f) { return elementwise(in, f); };
    switch (e->kind) {
    case Kind::Constant:
      return scalar(T(e->value));
    case Kind::Index: {
      auto t = std::make_shared<Tensor<T>>();
      t->shape.assign(spans.size(), 1);
      t->shape[e->axis] = spans[e->axis].extent;
      for (int64_t i = 0; i < spans[e->axis].extent; ++i)
        t->data.push_back(T(spans[e->axis].offset + i));
      return t;
    }
    case Kind::Size:
      return scalar(T(sizes.lookup(e->axis)));
    case Kind::Input:
    case Kind::State:
    case Kind::Reference:
    case Kind::Shifted:
      assert(false && "unbound");
      return scalar(0);
    case Kind::Add:
      return map([](T *a) { return a[0] + a[1]; });
    case Kind::Sub:
      return map([](T *a) { return a[0] - a[1]; });
    case Kind::Mul:
      return map([](T *a) { return a[0] * a[1]; });
    case Kind::Div:
      return map([](T *a) { return a[0] / a[1]; });
    case Kind::Neg:
      return map([](T *a) { return -a[0]; });
    case Kind::Exp:
      return map([](T *a) { return std::exp(a[0]); });
    case Kind::Exp2:
      return map([](T *a) { return std::exp2(a[0]); });
    case Kind::Log:
      return map([](T *a) { return std::log(a[0]); });
    case Kind::Sqrt:
      return map([](T *a) { return std::sqrt(a[0]); });
    case Kind::Rsqrt:
      return map([](T *a) { return 1 / std::sqrt(a[0]); });
    case Kind::Abs:
      return map([](T *a) { return std::fabs(a[0]); });
    case Kind::Fma:
      return map([](T *a) { return std::fma(a[0], a[1], a[2]); });
    case Kind::Power:
      return map([e](T *a) { return std::pow(a[0], T(e->value)); });
    case Kind::PowerBy:
      return map([](T *a) { return std::pow(a[0], a[1]); });
    case Kind::Max:
      return map([](T *a) { return std::max(a[0], a[1]); });
    case Kind::Min:
      return map([](T *a) { return std::min(a[0], a[1]); });
    case Kind::Compare:
      return map([e](T *a) -> T {
        switch (e->comparison) {
        case Comparison::LT:
          return a[0] < a[1];
        case Comparison::LE:
          return a[0] <= a[1];
        case Comparison::GT:
          return a[0] > a[1];
        case Comparison::GE:
          return a[0] >= a[1];
        case Comparison::EQ:
          return a[0] == a[1];
        case Comparison::NE:
          return a[0] != a[1];
        }
        return 0;
      });
    case Kind::Select:
      return map([](T *a) { return a[0] != 0 ? a[1] : a[2]; });
    case Kind::Not:
      return map([](T *a) { return T(a[0] == 0); });
    case Kind::Guard:
      return map([](T *a) { return a[0] == -T(kInfinity) ? T(0) : a[0]; });
    case Kind::Round:
      return map([e](T *a) { return T(roundTo(a[0], e->rounding)); });
    case Kind::Call:
      if (e->name == "tanh")
        return map([](T *a) { return std::tanh(a[0]); });
      if (e->name == "sin")
        return map([](T *a) { return std::sin(a[0]); });
      assert(e->name == "sigmoid");
      return map([](T *a) { return 1 / (1 + std::exp(-a[0])); });
    case Kind::Reduce:
      return reduce(e, in[0]);
    case Kind::Combine:
      return combine(e, in[0], in[1]);
    }
    return scalar(0);
  }

  const ExprContext &context;
  std::vector<Span> spans;
  llvm::DenseMap<Expr, Value<T>> memo;
  llvm::DenseMap<unsigned, int64_t> sizes;
};

} // namespace napkin::algebra::test

#endif // NAPKIN_TEST_UNIT_ALGEBRA_EVALUATOR_H
