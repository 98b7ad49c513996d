//===- Scalars.cpp - evaluation of scalar regions -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One loop for each operation of arith and math that a region may hold. What is
// not in the table is an error that names the operation.
//===----------------------------------------------------------------------===//

#include "Scalars.h"
#include "Decisions.h"
#include "FunctionError.h"
#include "ScalarArithmetic.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Reference/Accuracy.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace napkin::reference {

/// Appends instructions to a program.
class ScalarCompiler {
  template <typename Body>
  LogicalResult emit(Operation *op, Body body) {
    program.instructions.push_back({op, std::move(body)});
    return success();
  }

  /// The type to which the float result of \p op rounds, or nullopt for none.
  std::optional<Element> rounding(Operation *op) {
    Element element = elementOf(op->getResult(0).getType());
    if (element == Element::F64 ||
        (element == Element::F32 && options.arithmetic == Arithmetic::Double))
      return std::nullopt;
    return element;
  }

  /// Rounds \p count values at \p values to \p element, if any.
  static void finish(std::optional<Element> element, double *values,
                     int count) {
    if (element)
      roundTo(*element, llvm::MutableArrayRef<double>(values, count));
  }

  /// What the results of \p op are off by, ahead of their rounding.
  FunctionError errorOf(Operation *op) {
    double ulps = 0;
    if (options.arithmetic == Arithmetic::Single &&
        op->getResult(0).getType().isF32())
      ulps = options.functionErrors * documentedError(op).value_or(0);
    return FunctionError(ulps, options.orderSeed.value_or(0) +
                                   program.instructions.size());
  }

  template <typename Function>
  auto unary(Function function) {
    return [this, function](Operation *op) {
      std::optional<Element> element = rounding(op);
      FunctionError error = errorOf(op);
      return emit(op, [=](ScalarProgram &p, int count) mutable {
        const double *a = p.floatsOf(op->getOperand(0));
        double *r = p.floatsOf(op->getResult(0));
        for (int i = 0; i < count; ++i)
          r[i] = function(a[i]);
        error.apply(r, count);
        finish(element, r, count);
        return true;
      });
    };
  }

  template <typename Function>
  auto binary(Function function) {
    return [this, function](Operation *op) {
      std::optional<Element> element = rounding(op);
      FunctionError error = errorOf(op);
      return emit(op, [=](ScalarProgram &p, int count) mutable {
        const double *a = p.floatsOf(op->getOperand(0));
        const double *b = p.floatsOf(op->getOperand(1));
        double *r = p.floatsOf(op->getResult(0));
        for (int i = 0; i < count; ++i)
          r[i] = function(a[i], b[i]);
        error.apply(r, count);
        finish(element, r, count);
        return true;
      });
    };
  }

  template <typename Body>
  LogicalResult integerLoop(Operation *op, Body body) {
    return emit(op, [=](ScalarProgram &p, int count) {
      const int64_t *a = p.integersOf(op->getOperand(0));
      const int64_t *b = p.integersOf(op->getOperand(1));
      int64_t *r = p.integersOf(op->getResult(0));
      for (int i = 0; i < count; ++i)
        if (!body(a[i], b[i], r[i]))
          return false;
      return true;
    });
  }

  /// Arithmetic modulo a power of two.
  template <typename Function>
  auto integer(Function function) {
    return [this, function](Operation *op) {
      unsigned width = widthOf(op->getResult(0).getType());
      return integerLoop(op, [=](int64_t a, int64_t b, int64_t &r) {
        r = wrap(static_cast<int64_t>(function(a, b)), width);
        return true;
      });
    };
  }

  /// A choice by signed order.
  template <typename Function>
  auto ordered(Function function) {
    return [this, function](Operation *op) {
      unsigned width = widthOf(op->getResult(0).getType());
      return integerLoop(op, [=](int64_t a, int64_t b, int64_t &r) {
        r = wrap(function(signedOf(a, width), signedOf(b, width)), width);
        return true;
      });
    };
  }

  /// A choice by unsigned order.
  template <typename Function>
  auto unordered(Function function) {
    return [this, function](Operation *op) {
      unsigned width = widthOf(op->getResult(0).getType());
      return integerLoop(op, [=](int64_t a, int64_t b, int64_t &r) {
        r = wrap(function(bitsOf(a, width), bitsOf(b, width)), width);
        return true;
      });
    };
  }

  template <typename Function>
  LogicalResult convert(Operation *op, Function function) {
    return emit(op, [=](ScalarProgram &p, int count) {
      const int64_t *a = p.integersOf(op->getOperand(0));
      int64_t *r = p.integersOf(op->getResult(0));
      for (int i = 0; i < count; ++i)
        r[i] = function(a[i]);
      return true;
    });
  }

  template <typename Function>
  LogicalResult fromInteger(Operation *op, Function function) {
    std::optional<Element> element = rounding(op);
    return emit(op, [=](ScalarProgram &p, int count) {
      const int64_t *a = p.integersOf(op->getOperand(0));
      double *r = p.floatsOf(op->getResult(0));
      for (int i = 0; i < count; ++i)
        r[i] = function(a[i]);
      finish(element, r, count);
      return true;
    });
  }

  /// Constants are written once.
  LogicalResult constant(arith::ConstantOp op) {
    if (auto value = dyn_cast<FloatAttr>(op.getValue())) {
      double *r = program.floatsOf(op.getResult());
      // APFloat converts only the usual formats to double by itself.
      llvm::APFloat wide = value.getValue();
      bool losesInfo;
      wide.convert(llvm::APFloat::IEEEdouble(),
                   llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      std::fill_n(r, ScalarProgram::blockSize, wide.convertToDouble());
      return success();
    }
    auto value = dyn_cast<IntegerAttr>(op.getValue());
    if (!value || value.getValue().getBitWidth() > 64)
      return op.emitOpError("is not a scalar of at most 64 bits");
    int64_t *r = program.integersOf(op.getResult());
    std::fill_n(r, ScalarProgram::blockSize,
                wrap(value.getValue().getSExtValue(), widthOf(op.getType())));
    return success();
  }

  /// A conversion to a narrower type is a rounding that the text asks for, and
  /// happens in double arithmetic as well; only the diagram in exact arithmetic
  /// has none.
  LogicalResult truncate(arith::TruncFOp op) {
    std::optional<Element> element;
    if (options.storage != Storage::Exact)
      element = elementOf(op.getType());
    return emit(op, [=](ScalarProgram &p, int count) mutable {
      const double *a = p.floatsOf(op.getIn());
      double *r = p.floatsOf(op.getOut());
      std::copy_n(a, count, r);
      finish(element, r, count);
      return true;
    });
  }

  LogicalResult fusedMultiplyAdd(math::FmaOp op) {
    std::optional<Element> element = rounding(op);
    return emit(op, [=](ScalarProgram &p, int count) mutable {
      const double *a = p.floatsOf(op.getA());
      const double *b = p.floatsOf(op.getB());
      const double *c = p.floatsOf(op.getC());
      double *r = p.floatsOf(op.getResult());
      for (int i = 0; i < count; ++i)
        r[i] = std::fma(a[i], b[i], c[i]);
      finish(element, r, count);
      return true;
    });
  }

  LogicalResult compare(arith::CmpFOp op) {
    auto predicate = op.getPredicate();
    return emit(op, [=](ScalarProgram &p, int count) mutable {
      const double *a = p.floatsOf(op.getLhs());
      const double *b = p.floatsOf(op.getRhs());
      int64_t *r = p.integersOf(op.getResult());
      for (int i = 0; i < count; ++i)
        r[i] = compareFloats(predicate, a[i], b[i]);
      return true;
    });
  }

  LogicalResult select(arith::SelectOp op) {
    bool isFloat = isa<FloatType>(op.getType());
    return emit(op, [=](ScalarProgram &p, int count) mutable {
      const int64_t *c = p.integersOf(op.getCondition());
      auto choose = [&](const auto *a, const auto *b, auto *r) {
        for (int i = 0; i < count; ++i)
          r[i] = c[i] ? a[i] : b[i];
      };
      Value a = op.getTrueValue(), b = op.getFalseValue(), r = op.getResult();
      if (isFloat)
        choose(p.floatsOf(a), p.floatsOf(b), p.floatsOf(r));
      else
        choose(p.integersOf(a), p.integersOf(b), p.integersOf(r));
      return true;
    });
  }

  template <typename Op>
  LogicalResult divide(Op op) {
    unsigned width = widthOf(op.getType());
    return integerLoop(op, [=](int64_t x, int64_t y, int64_t &r) {
      if (y == 0)
        return false;
      if constexpr (std::is_same_v<Op, arith::DivUIOp>) {
        r = wrap(bitsOf(x, width) / bitsOf(y, width), width);
        return true;
      } else if constexpr (std::is_same_v<Op, arith::CeilDivUIOp>) {
        uint64_t a = bitsOf(x, width), b = bitsOf(y, width);
        r = wrap(a / b + (a % b != 0), width);
        return true;
      } else if constexpr (std::is_same_v<Op, arith::RemUIOp>) {
        r = wrap(bitsOf(x, width) % bitsOf(y, width), width);
        return true;
      } else {
        int64_t a = signedOf(x, width), b = signedOf(y, width);
        // The quotient of the least integer by -1 does not fit.
        if (b == -1 && a == std::numeric_limits<int64_t>::min())
          return false;
        int64_t quotient = a / b, rest = a % b;
        bool apart = rest != 0 && (rest < 0) != (b < 0);
        if constexpr (std::is_same_v<Op, arith::RemSIOp>)
          quotient = rest;
        else if constexpr (std::is_same_v<Op, arith::FloorDivSIOp>)
          quotient -= apart;
        else if constexpr (std::is_same_v<Op, arith::CeilDivSIOp>)
          quotient += rest != 0 && !apart;
        r = wrap(quotient, width);
        return true;
      }
    });
  }

  template <typename Op>
  LogicalResult shift(Op op) {
    unsigned width = widthOf(op.getType());
    return integerLoop(op, [=](int64_t a, int64_t b, int64_t &r) {
      uint64_t amount = bitsOf(b, width);
      if (amount >= width)
        return false;
      if constexpr (std::is_same_v<Op, arith::ShLIOp>)
        r = wrap(static_cast<int64_t>(uint64_t(a) << amount), width);
      else if constexpr (std::is_same_v<Op, arith::ShRSIOp>)
        r = wrap(signedOf(a, width) >> amount, width);
      else
        r = wrap(static_cast<int64_t>(bitsOf(a, width) >> amount), width);
      return true;
    });
  }

public:
  ScalarCompiler(ScalarProgram &program, const EvaluationOptions &options)
      : program(program), options(options) {}

  void addSlot(Value value) {
    if (isa<FloatType>(value.getType())) {
      program.slots[value] = program.floats.size();
      program.floats.resize(program.floats.size() + ScalarProgram::blockSize);
    } else {
      program.slots[value] = program.integers.size();
      program.integers.resize(program.integers.size() +
                              ScalarProgram::blockSize);
    }
  }

  LogicalResult compile(Operation *op) {
    if (failed(compileAlone(op)))
      return failure();
    if (options.decisions && jumps(op)) {
      ScalarProgram::Run &run = program.instructions.back().run;
      run = options.decisions->watch(op, std::move(run));
    }
    return success();
  }

private:
  LogicalResult compileAlone(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<arith::ConstantOp>([&](auto o) { return constant(o); })
        .Case<ncd::IndexOp>([&](ncd::IndexOp o) {
          program.indices.push_back({o.getAxis().str(), o.getResult()});
          return success();
        })
        // Floats to floats.
        .Case<arith::AddFOp>([&](Operation *o) {
          if (options.hiddenStaysHidden)
            return binary(addHidden)(o);
          return binary([](double a, double b) { return a + b; })(o);
        })
        .Case<arith::SubFOp>(binary([](double a, double b) { return a - b; }))
        .Case<arith::MulFOp>([&](Operation *o) {
          if (options.hiddenStaysHidden)
            return binary(multiplyHidden)(o);
          return binary([](double a, double b) { return a * b; })(o);
        })
        .Case<arith::DivFOp>(binary([](double a, double b) { return a / b; }))
        .Case<arith::RemFOp>(
            binary([](double a, double b) { return std::fmod(a, b); }))
        .Case<arith::MaximumFOp>(binary(maximum))
        .Case<arith::MinimumFOp>(binary(minimum))
        .Case<arith::MaxNumFOp>(
            binary([](double a, double b) { return std::fmax(a, b); }))
        .Case<arith::MinNumFOp>(
            binary([](double a, double b) { return std::fmin(a, b); }))
        .Case<math::PowFOp>(
            binary([](double a, double b) { return std::pow(a, b); }))
        .Case<math::Atan2Op>(
            binary([](double a, double b) { return std::atan2(a, b); }))
        .Case<math::CopySignOp>(
            binary([](double a, double b) { return std::copysign(a, b); }))
        .Case<arith::NegFOp>(unary([](double a) { return -a; }))
        .Case<arith::ExtFOp>(unary([](double a) { return a; }))
        .Case<arith::TruncFOp>([&](arith::TruncFOp o) { return truncate(o); })
        .Case<math::AbsFOp>(unary([](double a) { return std::fabs(a); }))
        .Case<math::ExpOp>(unary([](double a) { return std::exp(a); }))
        .Case<math::Exp2Op>(unary([](double a) { return std::exp2(a); }))
        .Case<math::ExpM1Op>(unary([](double a) { return std::expm1(a); }))
        .Case<math::LogOp>(unary([](double a) { return std::log(a); }))
        .Case<math::Log2Op>(unary([](double a) { return std::log2(a); }))
        .Case<math::Log10Op>(unary([](double a) { return std::log10(a); }))
        .Case<math::Log1pOp>(unary([](double a) { return std::log1p(a); }))
        .Case<math::SqrtOp>(unary([](double a) { return std::sqrt(a); }))
        .Case<math::RsqrtOp>(unary([](double a) { return 1 / std::sqrt(a); }))
        .Case<math::CbrtOp>(unary([](double a) { return std::cbrt(a); }))
        .Case<math::SinOp>(unary([](double a) { return std::sin(a); }))
        .Case<math::CosOp>(unary([](double a) { return std::cos(a); }))
        .Case<math::TanOp>(unary([](double a) { return std::tan(a); }))
        .Case<math::AsinOp>(unary([](double a) { return std::asin(a); }))
        .Case<math::AcosOp>(unary([](double a) { return std::acos(a); }))
        .Case<math::AtanOp>(unary([](double a) { return std::atan(a); }))
        .Case<math::SinhOp>(unary([](double a) { return std::sinh(a); }))
        .Case<math::CoshOp>(unary([](double a) { return std::cosh(a); }))
        .Case<math::AsinhOp>(unary([](double a) { return std::asinh(a); }))
        .Case<math::AcoshOp>(unary([](double a) { return std::acosh(a); }))
        .Case<math::AtanhOp>(unary([](double a) { return std::atanh(a); }))
        .Case<math::TanhOp>(unary([](double a) { return std::tanh(a); }))
        .Case<math::ErfOp>(unary([](double a) { return std::erf(a); }))
        .Case<math::ErfcOp>(unary([](double a) { return std::erfc(a); }))
        .Case<math::CeilOp>(unary([](double a) { return std::ceil(a); }))
        .Case<math::FloorOp>(unary([](double a) { return std::floor(a); }))
        .Case<math::RoundOp>(unary([](double a) { return std::round(a); }))
        .Case<math::RoundEvenOp>(
            unary([](double a) { return std::nearbyint(a); }))
        .Case<math::TruncOp>(unary([](double a) { return std::trunc(a); }))
        .Case<math::FmaOp>([&](math::FmaOp o) { return fusedMultiplyAdd(o); })
        // Between floats and integers.
        .Case<arith::CmpFOp>([&](arith::CmpFOp o) { return compare(o); })
        .Case<arith::SIToFPOp>([&](arith::SIToFPOp o) {
          unsigned width = widthOf(o.getIn().getType());
          return fromInteger(o, [width](int64_t a) {
            return static_cast<double>(signedOf(a, width));
          });
        })
        .Case<arith::UIToFPOp>([&](arith::UIToFPOp o) {
          unsigned width = widthOf(o.getIn().getType());
          return fromInteger(o, [width](int64_t a) {
            return static_cast<double>(bitsOf(a, width));
          });
        })
        .Case<arith::FPToSIOp, arith::FPToUIOp>([&](auto o) {
          unsigned width = widthOf(o.getType());
          return emit(o, [o, width](ScalarProgram &p, int count) mutable {
            const double *a = p.floatsOf(o.getIn());
            int64_t *r = p.integersOf(o.getOut());
            for (int i = 0; i < count; ++i)
              r[i] = wrap(toInteger(a[i]), width);
            return true;
          });
        })
        .Case<arith::SelectOp>([&](arith::SelectOp o) { return select(o); })
        // Integers to integers.
        .Case<arith::CmpIOp>([&](arith::CmpIOp o) {
          unsigned width = widthOf(o.getLhs().getType());
          auto predicate = o.getPredicate();
          return integerLoop(o, [=](int64_t a, int64_t b, int64_t &r) {
            r = compareIntegers(predicate, a, b, width);
            return true;
          });
        })
        .Case<arith::AddIOp>(
            integer([](uint64_t a, uint64_t b) { return a + b; }))
        .Case<arith::SubIOp>(
            integer([](uint64_t a, uint64_t b) { return a - b; }))
        .Case<arith::MulIOp>(
            integer([](uint64_t a, uint64_t b) { return a * b; }))
        .Case<arith::AndIOp>(
            integer([](uint64_t a, uint64_t b) { return a & b; }))
        .Case<arith::OrIOp>(
            integer([](uint64_t a, uint64_t b) { return a | b; }))
        .Case<arith::XOrIOp>(
            integer([](uint64_t a, uint64_t b) { return a ^ b; }))
        .Case<arith::MaxSIOp>(
            ordered([](int64_t a, int64_t b) { return std::max(a, b); }))
        .Case<arith::MinSIOp>(
            ordered([](int64_t a, int64_t b) { return std::min(a, b); }))
        .Case<arith::MaxUIOp>(
            unordered([](uint64_t a, uint64_t b) { return std::max(a, b); }))
        .Case<arith::MinUIOp>(
            unordered([](uint64_t a, uint64_t b) { return std::min(a, b); }))
        .Case<arith::DivSIOp, arith::RemSIOp, arith::DivUIOp, arith::RemUIOp,
              arith::FloorDivSIOp, arith::CeilDivSIOp, arith::CeilDivUIOp>(
            [&](auto o) { return divide(o); })
        .Case<arith::ShLIOp, arith::ShRSIOp, arith::ShRUIOp>(
            [&](auto o) { return shift(o); })
        .Case<math::AbsIOp>([&](math::AbsIOp o) {
          unsigned width = widthOf(o.getType());
          return convert(o, [width](int64_t a) {
            return wrap(a < 0 ? static_cast<int64_t>(0 - uint64_t(a)) : a,
                        width);
          });
        })
        .Case<math::CtPopOp>([&](math::CtPopOp o) {
          unsigned width = widthOf(o.getType());
          return convert(o, [width](int64_t a) {
            return int64_t(llvm::popcount(bitsOf(a, width)));
          });
        })
        .Case<math::CountLeadingZerosOp>([&](math::CountLeadingZerosOp o) {
          unsigned width = widthOf(o.getType());
          return convert(o, [width](int64_t a) {
            return int64_t(llvm::countl_zero(bitsOf(a, width))) - 64 + width;
          });
        })
        .Case<math::CountTrailingZerosOp>([&](math::CountTrailingZerosOp o) {
          unsigned width = widthOf(o.getType());
          return convert(o, [width](int64_t a) {
            return int64_t(
                std::min<unsigned>(llvm::countr_zero(bitsOf(a, width)), width));
          });
        })
        .Case<arith::ExtSIOp, arith::IndexCastOp>([&](auto o) {
          unsigned from = widthOf(o.getIn().getType());
          unsigned to = widthOf(o.getType());
          return convert(
              o, [=](int64_t a) { return wrap(signedOf(a, from), to); });
        })
        .Case<arith::ExtUIOp, arith::IndexCastUIOp>([&](auto o) {
          unsigned from = widthOf(o.getIn().getType());
          unsigned to = widthOf(o.getType());
          return convert(o, [=](int64_t a) {
            return wrap(static_cast<int64_t>(bitsOf(a, from)), to);
          });
        })
        .Case<arith::TruncIOp>([&](arith::TruncIOp o) {
          unsigned to = widthOf(o.getType());
          return convert(o, [=](int64_t a) { return wrap(a, to); });
        })
        .Default([](Operation *other) {
          return other->emitOpError(
              "cannot be evaluated by the reference interpreter");
        });
  }

  ScalarProgram &program;
  const EvaluationOptions &options;
};

} // namespace napkin::reference

FailureOr<ScalarProgram>
ScalarProgram::compile(Block &block, const EvaluationOptions &options) {
  ScalarProgram program;
  ScalarCompiler compiler(program, options);
  for (BlockArgument argument : block.getArguments())
    compiler.addSlot(argument);
  for (Operation &op : block.without_terminator()) {
    for (Value result : op.getResults()) {
      Type type = result.getType();
      bool known = isa<FloatType>(type)
                       ? ncd::isElementType(type)
                       : type.isIndex() || (type.isSignlessInteger() &&
                                            type.getIntOrFloatBitWidth() <= 64);
      if (!known)
        return op.emitOpError("gives a value of type ")
               << type << ", which the reference interpreter does not have";
      compiler.addSlot(result);
    }
  }
  for (Operation &op : block.without_terminator())
    if (failed(compiler.compile(&op)))
      return failure();
  program.yielded = block.getTerminator()->getOperand(0);
  return program;
}

LogicalResult ScalarProgram::run(int count) {
  for (Instruction &instruction : instructions)
    if (!instruction.run(*this, count))
      return instruction.op->emitOpError(
          "has no result for some element: a division by zero, an overflowing "
          "division or a shift by more than the width");
  return success();
}
