//===- Compare.cpp - setp --------------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A comparison gives one bit per lane; it may combine with a predicate and
// write the complement as well.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

using ptx::Type;

template <Compare C>
struct Test {
  template <class T>
  static bool apply(T a, T b) {
    switch (C) {
    case Compare::Eq:
      return a == b;
    case Compare::Ne:
      return a < b || a > b;
    case Compare::Lt:
    case Compare::Lo:
      return a < b;
    case Compare::Le:
    case Compare::Ls:
      return a <= b;
    case Compare::Gt:
    case Compare::Hi:
      return a > b;
    case Compare::Ge:
    case Compare::Hs:
      return a >= b;
    case Compare::Equ:
      return !(a < b || a > b);
    case Compare::Neu:
      return !(a == b);
    case Compare::Ltu:
      return !(a >= b);
    case Compare::Leu:
      return !(a > b);
    case Compare::Gtu:
      return !(a <= b);
    case Compare::Geu:
      return !(a < b);
    case Compare::Num:
      return a == a && b == b;
    case Compare::Nan:
      return !(a == a && b == b);
    }
    return false;
  }
};

struct Same {
  template <class T>
  static T load(T a) {
    return a;
  }
};
struct Flushed {
  static float load(float a) { return flush(a); }
};
struct HalfIn {
  static float load(u16 a) { return halfToFloat(a); }
};
struct FlushedHalfIn {
  static float load(u16 a) { return halfToFloat(a & 0x7c00 ? a : a & 0x8000); }
};
struct BfloatIn {
  static float load(u16 a) { return bfloatToFloat(a); }
};

template <class T, Compare C, class In>
void compare(Warp &w, const Instr &i, u32 mask) {
  const T *a = lane<T>(w, i.a), *b = lane<T>(w, i.b);
  u32 r = 0;
  NAPKIN_LANES r |= u32(Test<C>::apply(In::load(a[l]), In::load(b[l]))) << l;
  u32 p = r, q = ~r;
  if (i.small0) {
    u32 c = w.predicates[i.c];
    c = i.small1 ? ~c : c;
    p = i.small0 == 1 ? p & c : i.small0 == 2 ? p | c : p ^ c;
    q = i.small0 == 1 ? q & c : i.small0 == 2 ? q | c : q ^ c;
  }
  if (i.d != noRegister)
    w.predicates[i.d] = (w.predicates[i.d] & ~mask) | (p & mask);
  if (i.e != noRegister)
    w.predicates[i.e] = (w.predicates[i.e] & ~mask) | (q & mask);
}

// clang-format off
#define CASE(X) case Compare::X: return compare<T, Compare::X, In>;
template <class T, class In> Handler integers(Compare c) {
  switch (c) {
    CASE(Eq) CASE(Ne) CASE(Lt) CASE(Le) CASE(Gt) CASE(Ge) CASE(Lo) CASE(Ls)
    CASE(Hi) CASE(Hs)
  default: return nullptr;
  }
}
template <class T, class In> Handler floats(Compare c) {
  switch (c) {
    CASE(Eq) CASE(Ne) CASE(Lt) CASE(Le) CASE(Gt) CASE(Ge) CASE(Equ) CASE(Neu)
    CASE(Ltu) CASE(Leu) CASE(Gtu) CASE(Geu) CASE(Num) CASE(Nan)
  default: return nullptr;
  }
}
#undef CASE
// clang-format on

} // namespace

Handler compareHandler(Compare c, ptx::Type type, bool ftz) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return integers<u16, Same>(c);
  case Type::B32:
  case Type::U32:
    return integers<u32, Same>(c);
  case Type::B64:
  case Type::U64:
    return integers<u64, Same>(c);
  case Type::S16:
    return integers<s16, Same>(c);
  case Type::S32:
    return integers<s32, Same>(c);
  case Type::S64:
    return integers<s64, Same>(c);
  case Type::F32:
    return ftz ? floats<float, Flushed>(c) : floats<float, Same>(c);
  case Type::F64:
    return ftz ? nullptr : floats<double, Same>(c);
  case Type::F16:
    return ftz ? floats<u16, FlushedHalfIn>(c) : floats<u16, HalfIn>(c);
  case Type::BF16:
    return ftz ? nullptr : floats<u16, BfloatIn>(c);
  default:
    return nullptr;
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT
