//===- Harness.cpp - Plain text against streamed plan -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See Harness.h.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace llvm;

namespace napkin::algebra::test {

Cascade::Cascade() {
  auto axis = [&](StringRef name, int64_t extent, bool sized = true) {
    extents.push_back(extent);
    return context.axis(name, sized ? extent : 0);
  };
  b = axis("b", 4);
  q = axis("q", 5);
  x = axis("x", 96, false);
  d = axis("d", 8);
  e = axis("e", 7);
  k = axis("k", 6);
  survivors = context.survivorAxis();
  extents.push_back(3);
  X = input("X", {b, x});
  Y = input("Y", {b, x});
  W = input("W", {x, e});
  G = input("G", {x});
  Q = input("Q", {q, d});
  Kk = input("K", {x, d});
  V = input("V", {x, e});
  count = context.size(x);
}

Expr Cascade::input(StringRef name, ArrayRef<unsigned> axes, double low,
                    double high) {
  AxisSet set = 0;
  for (unsigned a : axes)
    set |= axisBit(a);
  inputs.push_back(context.input(name, set, low, high));
  return inputs.back();
}

Expr Cascade::variance(Expr a) {
  Expr difference = context.sub(a, mean(a));
  return mean(context.mul(difference, difference));
}

Expr Cascade::softmax(Expr t) {
  Expr e = context.exp(context.sub(t, max(x, t)));
  return context.div(e, sum(x, e));
}

Expr Cascade::scores() {
  return context.scale(0.35, sum(d, context.mul(Q, Kk)));
}

Expr Cascade::sigmoid(Expr a) {
  return context.call("sigmoid", a, {1, true, 0, 1, false});
}

Expr Cascade::tanh(Expr a) {
  return context.call("tanh", a, {1, true, -1, 1, false});
}

Expr Cascade::masked(Expr s) {
  Expr last = context.add(context.scale(19, context.index(q)), c(10));
  return context.select(context.compare(Comparison::LE, context.index(x), last),
                        s, c(-kInfinity));
}

namespace {
using Generator = std::mt19937_64;

double uniform(Generator &g) { return (g() >> 11) * 0x1p-53; }
int below(Generator &g, int n) { return int(uniform(g) * n); }
double normal(Generator &g) {
  double u = std::max(uniform(g), 1e-300), v = uniform(g);
  return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
}

template <typename T>
using Inputs = std::vector<Value<T>>;

Inputs<double> makeInputs(const Cascade &cascade, Data data, bool huge,
                          Generator &g) {
  Inputs<double> result;
  for (Expr input : cascade.inputs) {
    auto t = std::make_shared<Tensor<double>>();
    int64_t total = 1;
    for (auto [i, n] : enumerate(cascade.extents)) {
      bool has = carries(input, i);
      t->shape.push_back(has ? n : 1);
      total *= has ? n : 1;
    }
    bool main = input->name == "X" || input->name == "Y";
    bool bounded = std::isfinite(input->value) && std::isfinite(input->high);
    for (int64_t i = 0; i < total; ++i) {
      double v = normal(g);
      if (bounded) {
        v = input->value + (input->high - input->value) * uniform(g);
        if (input->name == "L")
          v = std::floor(v);
      } else if (data == Data::Large && (main || input->name == "Q")) {
        v *= 1e4;
      } else if (main || input->name == "K") {
        if (data == Data::Outlier && uniform(g) < 0.01)
          v *= 1e3;
        if (data == Data::Offset)
          v += 1e3;
      }
      if (huge && input->name == "X")
        v *= data == Data::Normal ? 1e-25 : 1e25;
      if (input->variant == 1)
        v = roundTo(v, input->rounding);
      t->data.push_back(float(v));
    }
    result.push_back(t);
  }
  return result;
}

template <typename T>
Value<T> convert(const Value<double> &v) {
  auto t = std::make_shared<Tensor<T>>();
  t->shape = v->shape;
  t->data.assign(v->data.begin(), v->data.end());
  return t;
}

template <typename T>
class Stream {
public:
  using State = std::vector<Value<T>>;

  Stream(const Cascade &cascade, const StreamPlan &plan,
         const Inputs<double> &inputs)
      : cascade(cascade), plan(plan) {
    for (const Value<double> &v : inputs)
      full.push_back(convert<T>(v));
  }

  Evaluator<T> evaluator(int64_t begin, int64_t end) {
    std::vector<typename Evaluator<T>::Span> spans;
    for (auto [i, n] : enumerate(cascade.extents))
      spans.push_back(i == cascade.x
                          ? typename Evaluator<T>::Span{begin, end - begin}
                          : typename Evaluator<T>::Span{0, n});
    Evaluator<T> result(cascade.context, spans);
    result.setSize(cascade.x, cascade.extents[cascade.x]);
    for (auto [expr, value] : zip(cascade.inputs, full))
      result.bind(expr, slice(value, begin, end));
    return result;
  }

  State empty() {
    State state;
    for (const PlanMember &member : plan.members) {
      auto t = std::make_shared<Tensor<T>>();
      int64_t total = 1;
      for (auto [i, n] : enumerate(cascade.extents)) {
        t->shape.push_back(carries(member.state, i) ? n : 1);
        total *= t->shape.back();
      }
      t->data.assign(total, T(member.initial));
      state.push_back(t);
    }
    return state;
  }

  State step(const State &old, int64_t begin, int64_t end) {
    Evaluator<T> evaluate = evaluator(begin, end);
    return apply(evaluate, old, nullptr,
                 [](const PlanMember &m) { return m.step; });
  }

  State merge(const State &a, const State &b) {
    Evaluator<T> evaluate = evaluator(0, 0);
    return apply(evaluate, a, &b, [](const PlanMember &m) { return m.merge; });
  }

  std::vector<Value<T>> finish(const State &state) {
    Evaluator<T> evaluate = evaluator(0, 0);
    bind(evaluate, state, 0);
    for (Expr r : plan.reductions)
      if (live(plan.finish.lookup(r)))
        evaluate.bind(r, evaluate(plan.finish.lookup(r)));
    std::vector<Value<T>> results;
    for (Expr output : cascade.outputs)
      results.push_back(evaluate(output));
    return results;
  }

  std::vector<Value<T>> plain() {
    Evaluator<T> evaluate = evaluator(0, cascade.extents[cascade.x]);
    std::vector<Value<T>> results;
    for (Expr output : cascade.outputs)
      results.push_back(evaluate(output));
    return results;
  }

  /// Runs of steps from empty states, merged in random order.
  State random(Generator &g) {
    int64_t n = cascade.extents[cascade.x];
    std::vector<int64_t> cuts = {0, n};
    for (int i = below(g, 10); i > 0; --i)
      cuts.push_back(1 + below(g, n - 1));
    llvm::sort(cuts);
    std::vector<State> parts = {empty()};
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      if (uniform(g) < 0.4)
        parts.push_back(empty());
      if (cuts[i] < cuts[i + 1])
        parts.back() = step(parts.back(), cuts[i], cuts[i + 1]);
    }
    while (parts.size() > 1) {
      int i = below(g, parts.size());
      std::swap(parts[i], parts.back());
      State last = std::move(parts.back());
      parts.pop_back();
      int j = below(g, parts.size());
      parts[j] = merge(parts[j], last);
    }
    return parts[0];
  }

private:
  bool live(Expr e) {
    if (e->kind == Kind::State)
      return any_of(plan.members,
                    [&](const PlanMember &m) { return m.state == e; });
    return all_of(e->operands, [&](Expr o) { return live(o); });
  }

  template <typename F>
  State apply(Evaluator<T> &evaluate, const State &a, const State *b, F pick) {
    bind(evaluate, a, 0);
    if (b)
      bind(evaluate, *b, 1);
    State result;
    for (const PlanMember &member : plan.members)
      result.push_back(evaluate(pick(member)));
    return result;
  }

  void bind(Evaluator<T> &evaluate, const State &state, unsigned variant) {
    auto &context = const_cast<ExprContext &>(cascade.context);
    for (auto [member, value] : zip(plan.members, state))
      evaluate.bind(
          context.state(member.state->number, member.state->axes, variant),
          value);
  }

  Value<T> slice(const Value<T> &v, int64_t begin, int64_t end) {
    int64_t extent = v->shape[cascade.x];
    if (extent == 1 || (begin == 0 && end == extent))
      return v;
    int64_t outer = 1, inner = 1;
    for (auto [i, n] : enumerate(v->shape))
      (i < cascade.x ? outer : inner) *= i == cascade.x ? 1 : n;
    auto t = std::make_shared<Tensor<T>>();
    t->shape = v->shape;
    t->shape[cascade.x] = end - begin;
    for (int64_t o = 0; o < outer; ++o)
      t->data.insert(t->data.end(),
                     v->data.begin() + (o * extent + begin) * inner,
                     v->data.begin() + (o * extent + end) * inner);
    return t;
  }

  const Cascade &cascade;
  const StreamPlan &plan;
  Inputs<T> full;
};

/// Worst error relative to the largest finite reference; counts results that
/// are not finite where the reference is.
template <typename T>
double error(const std::vector<Value<T>> &got,
             const std::vector<Value<double>> &reference, double floor,
             std::vector<bool> &bad, double *scaleOut = nullptr) {
  double worst = 0;
  bad.clear();
  for (auto [v, ref] : zip(got, reference)) {
    double scale = floor, difference = 0;
    for (size_t i = 0; i < ref->data.size(); ++i) {
      double r = ref->data[i], y = v->data[v->data.size() == 1 ? 0 : i];
      bad.push_back(std::isfinite(r) && !std::isfinite(y));
      if (!std::isfinite(r) || !std::isfinite(y))
        continue;
      scale = std::max(scale, std::fabs(r));
      difference = std::max(difference, std::fabs(y - r));
    }
    if (scaleOut)
      *scaleOut = scale;
    worst = std::max(worst, scale > 0 ? difference / scale : difference);
  }
  return worst;
}
} // namespace

RunResult run(Cascade &cascade, const StreamPlan &plan, Data data,
              const RunOptions &options) {
  RunResult result;
  for (int trial = 0; trial < options.trials; ++trial) {
    Generator g(trial * 7 + int(data) + 1);
    Inputs<double> inputs = makeInputs(cascade, data, options.huge, g);
    std::vector<Value<double>> reference =
        Stream<double>(cascade, plan, inputs).plain();
    Stream<float> stream(cascade, plan, inputs);
    std::vector<bool> badStream, badPlain;
    std::vector<Value<float>> got = stream.finish(stream.random(g));
    result.stream = std::max(result.stream,
                             error(got, reference, options.floor, badStream));
    result.plain = std::max(result.plain, error(stream.plain(), reference,
                                                options.floor, badPlain));
    for (size_t i = 0; i < badStream.size(); ++i)
      result.onlyStreamBad += badStream[i] && !badPlain[i];
  }
  return result;
}

double runExact(Cascade &cascade, const StreamPlan &plan, Data data,
                unsigned seed, double &scale, bool &finite) {
  Generator g(seed);
  Inputs<double> inputs = makeInputs(cascade, data, false, g);
  Stream<double> stream(cascade, plan, inputs);
  std::vector<Value<double>> reference = stream.plain();
  std::vector<bool> bad;
  double result =
      error(stream.finish(stream.random(g)), reference, 0, bad, &scale);
  finite = !is_contained(bad, true);
  return result;
}

static Inputs<double> signalInputs(const Cascade &cascade,
                                   const StringMap<Signal> &signals) {
  Inputs<double> inputs;
  for (Expr input : cascade.inputs) {
    auto t = std::make_shared<Tensor<double>>();
    int64_t inner = 1, outer = 1;
    for (auto [i, extent] : enumerate(cascade.extents)) {
      t->shape.push_back(carries(input, i) ? extent : 1);
      (i < cascade.x ? outer : inner) *= i == cascade.x ? 1 : t->shape.back();
    }
    auto signal = signals.find(input->name);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t x = 0; x < t->shape[cascade.x]; ++x)
        t->data.insert(t->data.end(), inner,
                       signal == signals.end() ? 1 : signal->second(x));
    inputs.push_back(t);
  }
  return inputs;
}

double streamSignals(Cascade &cascade, const StreamPlan &plan,
                     const StringMap<Signal> &signals, int64_t chunk,
                     const std::vector<double> &start) {
  int64_t n = cascade.extents[cascade.x];
  Stream<float> stream(cascade, plan, signalInputs(cascade, signals));
  auto state = stream.empty();
  for (size_t i = 0; i < start.size(); ++i) {
    auto t = std::make_shared<Tensor<float>>(*state[i]);
    t->data.assign(t->data.size(), float(start[i]));
    state[i] = t;
  }
  for (int64_t x = 0; x < n; x += chunk)
    state = stream.step(state, x, std::min(x + chunk, n));
  return stream.finish(state)[0]->data[0];
}

double mergeSignals(Cascade &cascade, const StreamPlan &plan,
                    const StringMap<Signal> &signals, int64_t chunk) {
  int64_t n = cascade.extents[cascade.x];
  Stream<float> stream(cascade, plan, signalInputs(cascade, signals));
  auto state = stream.empty();
  for (int64_t x = 0; x < n; x += chunk)
    state = stream.merge(
        state, stream.step(stream.empty(), x, std::min(x + chunk, n)));
  return stream.finish(state)[0]->data[0];
}

double plainSignals(Cascade &cascade, const StringMap<Signal> &signals) {
  return Stream<double>(cascade, StreamPlan(), signalInputs(cascade, signals))
      .plain()[0]
      ->data[0];
}

double runEmpty(Cascade &cascade, const StreamPlan &plan, Data data) {
  Generator g(1);
  Stream<float> stream(cascade, plan, makeInputs(cascade, data, false, g));
  int64_t n = cascade.extents[cascade.x];
  auto once = stream.step(stream.empty(), 0, n);
  std::vector<Value<double>> reference;
  for (const Value<float> &v : stream.finish(once))
    reference.push_back(convert<double>(std::make_shared<Tensor<double>>(
        Tensor<double>{v->shape, {v->data.begin(), v->data.end()}})));
  auto nothing = stream.merge(stream.empty(), stream.empty());
  double worst = 0;
  std::vector<bool> bad;
  for (const auto &state :
       {stream.merge(stream.empty(), once), stream.merge(once, stream.empty()),
        stream.merge(nothing, once), stream.step(nothing, 0, n)}) {
    worst = std::max(worst, error(stream.finish(state), reference, 0, bad));
    if (is_contained(bad, true))
      return kInfinity;
  }
  return worst;
}

} // namespace napkin::algebra::test
