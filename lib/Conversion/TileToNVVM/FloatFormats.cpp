//===- FloatFormats.cpp - Conversions of tf32 and 8-bit floats ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM has no types for tf32 and for 8-bit floats: on the device they are an
// f32 whose last 13 bits are zero, and an i8. Conversions of 8-bit floats are
// written out in f16 and integers, the same on every target: the instructions
// of sm_89 saturate, and a value beyond the range becomes an infinity, or NaN
// in f8E4M3FN, which has none.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace napkin;

namespace {

/// Builds conversions at one place.
class FormatBuilder {
public:
  FormatBuilder(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc), i1(builder.getI1Type()),
        i16(builder.getI16Type()), i32(builder.getI32Type()),
        f16(builder.getF16Type()), f32(builder.getF32Type()) {}

  /// The f16 that equals an 8-bit float; every one has one.
  Value decode(Value byte, FloatType format) {
    Value bits = LLVM::ZExtOp::create(builder, loc, i16, byte);
    if (isa<Float8E5M2Type>(format)) // f16 without its last eight bits
      return cast(shift(bits, 8), f16);
    // Sign, then exponent and fraction at their place; the bias differs by 8.
    Value sign = shift(both(bits, constant(i16, 0x80)), 8);
    Value size = both(bits, constant(i16, 0x7f));
    Value scaled = LLVM::FMulOp::create(
        builder, loc, cast(either(sign, shift(size, 7)), f16),
        LLVM::ConstantOp::create(builder, loc, f16,
                                 builder.getF16FloatAttr(256.0)));
    Value isNaN = equals(size, constant(i16, 0x7f));
    return LLVM::SelectOp::create(builder, loc, isNaN,
                                  cast(constant(i16, 0x7e00), f16), scaled);
  }

  /// The 8-bit float nearest to an f32, ties to even.
  Value encode(Value value, FloatType format) {
    const llvm::fltSemantics &semantics = format.getFloatSemantics();
    unsigned fraction = llvm::APFloat::semanticsPrecision(semantics) - 1;
    int32_t least = llvm::APFloat::semanticsMinExponent(semantics);
    unsigned dropped = 23 - fraction;
    bool infinite = isa<Float8E5M2Type>(format);
    // Codes of the largest finite value and of what lies beyond it.
    int32_t largest = infinite ? 0x7b : 0x7e, beyond = infinite ? 0x7c : 0x7f;
    Value bits = cast(value, i32);
    Value size = both(bits, constant(i32, 0x7fffffff));
    // Normal results: round the fraction, then move the exponent's bias.
    Value odd = both(shiftRight(size, dropped), constant(i32, 1));
    Value rounded =
        add(add(size, odd), constant(i32, (1 << (dropped - 1)) - 1));
    Value normal = add(shiftRight(rounded, dropped),
                       constant(i32, -((127 + least - 1) << fraction)));
    // Smaller ones: added to a number whose last place is theirs.
    float unit = std::ldexp(1.0f, least - int(fraction) + 23);
    Value sum = LLVM::FAddOp::create(
        builder, loc, cast(size, f32),
        LLVM::ConstantOp::create(builder, loc, f32,
                                 builder.getF32FloatAttr(unit)));
    Value small = add(cast(sum, i32),
                      constant(i32, -int32_t(llvm::bit_cast<uint32_t>(unit))));
    Value isSmall =
        LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ult, size,
                             constant(i32, (127 + least) << 23));
    Value code = LLVM::SelectOp::create(builder, loc, isSmall, small, normal);
    Value fits = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sle,
                                      code, constant(i32, largest));
    code =
        LLVM::SelectOp::create(builder, loc, fits, code, constant(i32, beyond));
    Value isNaN = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ugt,
                                       size, constant(i32, 0x7f800000));
    code =
        LLVM::SelectOp::create(builder, loc, isNaN, constant(i32, 0x7f), code);
    Value sign = both(shiftRight(bits, 24), constant(i32, 0x80));
    return LLVM::TruncOp::create(builder, loc, builder.getI8Type(),
                                 either(code, sign));
  }

private:
  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, type,
                                    builder.getIntegerAttr(type, value));
  }
  Value cast(Value value, Type type) {
    return LLVM::BitcastOp::create(builder, loc, type, value);
  }
  Value shift(Value value, int64_t bits) {
    return LLVM::ShlOp::create(builder, loc, value,
                               constant(value.getType(), bits));
  }
  Value shiftRight(Value value, int64_t bits) {
    return LLVM::LShrOp::create(builder, loc, value,
                                constant(value.getType(), bits));
  }
  Value both(Value a, Value b) {
    return LLVM::AndOp::create(builder, loc, a, b);
  }
  Value either(Value a, Value b) {
    return LLVM::OrOp::create(builder, loc, a, b);
  }
  Value add(Value a, Value b) {
    return LLVM::AddOp::create(builder, loc, a, b);
  }
  Value equals(Value a, Value b) {
    return LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, a, b);
  }

  OpBuilder &builder;
  Location loc;
  Type i1, i16, i32, f16, f32;
};

} // namespace

bool napkin::isEmulatedFloat(Type type) {
  return isa<FloatTF32Type, Float8E4M3FNType, Float8E5M2Type>(type);
}

Value napkin::convertFloat(OpBuilder &builder, Location loc, Value value,
                           Type from, Type to) {
  auto resize = [&](Value source, Type type) -> Value {
    if (source.getType() == type)
      return source;
    if (source.getType().getIntOrFloatBitWidth() < type.getIntOrFloatBitWidth())
      return LLVM::FPExtOp::create(builder, loc, type, source);
    return LLVM::FPTruncOp::create(builder, loc, type, source);
  };
  Type f32 = builder.getF32Type();
  FormatBuilder formats(builder, loc);
  if (isa<Float8E4M3FNType, Float8E5M2Type>(from)) {
    value = formats.decode(value, cast<FloatType>(from));
    if (isa<BFloat16Type>(to)) // as wide as f16, by way of what holds both
      value = resize(value, f32);
  }
  if (isa<FloatTF32Type>(to)) {
    Value bits =
        KernelEmitter::callIntrinsic(builder, loc, "llvm.nvvm.f2tf32.rna",
                                     builder.getI32Type(), resize(value, f32));
    return LLVM::BitcastOp::create(builder, loc, f32, bits);
  }
  if (isa<Float8E4M3FNType, Float8E5M2Type>(to))
    return formats.encode(resize(value, f32), cast<FloatType>(to));
  return resize(value, to);
}
