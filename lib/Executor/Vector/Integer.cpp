//===- Integer.cpp - Integer handlers --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integer and bit operations. Division by zero gives all ones, as the hardware
// does; shifts clamp.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

template <class T>
struct Wide;
template <>
struct Wide<u16> {
  using type = u32;
};
template <>
struct Wide<s16> {
  using type = s32;
};
template <>
struct Wide<u32> {
  using type = u64;
};
template <>
struct Wide<s32> {
  using type = s64;
};
template <>
struct Wide<u64> {
  using type = unsigned __int128;
};
template <>
struct Wide<s64> {
  using type = __int128;
};
template <class T>
struct Unsigned;
template <>
struct Unsigned<u16> {
  using type = u16;
};
template <>
struct Unsigned<s16> {
  using type = u16;
};
template <>
struct Unsigned<u32> {
  using type = u32;
};
template <>
struct Unsigned<s32> {
  using type = u32;
};
template <>
struct Unsigned<u64> {
  using type = u64;
};
template <>
struct Unsigned<s64> {
  using type = u64;
};
template <class T>
constexpr bool isSignedType = T(-1) < T(0);
template <class T>
constexpr unsigned width = sizeof(T) * 8;

#define OP1(Name, expression)                                                  \
  template <class T>                                                           \
  struct Name {                                                                \
    using U = typename Unsigned<T>::type;                                      \
    using W = typename Wide<T>::type;                                          \
    static T apply(T a) { return T(expression); }                              \
  };
#define OP2(Name, expression)                                                  \
  template <class T>                                                           \
  struct Name {                                                                \
    using U = typename Unsigned<T>::type;                                      \
    using W = typename Wide<T>::type;                                          \
    static T apply(T a, T b) { return T(expression); }                         \
  };
#define OP3(Name, expression)                                                  \
  template <class T>                                                           \
  struct Name {                                                                \
    using U = typename Unsigned<T>::type;                                      \
    using W = typename Wide<T>::type;                                          \
    static T apply(T a, T b, T c) { return T(expression); }                    \
  };

OP1(Copy, a)
OP2(Add, U(a) + U(b))
OP2(Sub, U(a) - U(b))
OP2(MulLo, u64(U(a)) * u64(U(b)))
OP2(MulHi, (W(a) * W(b)) >> width<T>)
OP3(MadLo, u64(U(a)) * u64(U(b)) + u64(U(c)))
OP3(MadHi, U((W(a) * W(b)) >> width<T>) + U(c))
OP3(Sad, U(c) + (a < b ? U(b) - U(a) : U(a) - U(b)))
OP1(Neg, U(0) - U(a))
OP1(Abs, a < 0 ? T(U(0) - U(a)) : a)
OP2(Min, a < b ? a : b)
OP2(Max, a > b ? a : b)
OP2(And, a &b)
OP2(Or, a | b)
OP2(Xor, a ^ b)
OP1(Not, ~a)
OP1(Cnot, a == 0 ? 1 : 0)

template <class T>
struct Div {
  static T apply(T a, T b) {
    if (b == 0)
      return T(-1);
    if (isSignedType<T> && b == T(-1))
      return T(typename Unsigned<T>::type(0) - typename Unsigned<T>::type(a));
    return a / b;
  }
};
template <class T>
struct Rem {
  static T apply(T a, T b) {
    if (b == 0)
      return a;
    if (isSignedType<T> && b == T(-1))
      return 0;
    return a % b;
  }
};
template <class T>
struct MulWide {
  using W = typename Wide<T>::type;
  static W apply(T a, T b) { return W(a) * W(b); }
};
template <class T>
struct MadWide {
  using W = typename Wide<T>::type;
  static W apply(T a, T b, W c) { return W(u64(W(a) * W(b)) + u64(c)); }
};
template <class T>
struct Shl {
  static T apply(T a, u32 b) {
    return b >= width<T> ? T(0) : T(a << (b & (width<T> - 1)));
  }
};
template <class T>
struct Shr {
  static T apply(T a, u32 b) {
    return b >= width<T> ? T(a < 0 ? T(-1) : T(0))
                         : T(a >> (b & (width<T> - 1)));
  }
};
struct AddSat {
  static s32 apply(s32 a, s32 b) {
    s64 r = s64(a) + b;
    return r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : s32(r);
  }
};
struct SubSat {
  static s32 apply(s32 a, s32 b) {
    s64 r = s64(a) - b;
    return r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : s32(r);
  }
};
struct MadHiSat {
  static s32 apply(s32 a, s32 b, s32 c) {
    s64 r = ((s64(a) * b) >> 32) + c;
    return r > INT32_MAX ? INT32_MAX : r < INT32_MIN ? INT32_MIN : s32(r);
  }
};
template <class T>
struct Popc {
  static u32 apply(T a) {
    return __builtin_popcountll(typename Unsigned<T>::type(a));
  }
};
template <class T>
struct Clz {
  static u32 apply(T a) {
    u64 x = typename Unsigned<T>::type(a);
    return x ? __builtin_clzll(x) - (64 - width<T>) : width<T>;
  }
};
template <class T, bool Shift>
struct Bfind {
  static u32 apply(T a) {
    u64 x = typename Unsigned<T>::type(a < 0 ? ~a : a);
    if (!x)
      return ~0u;
    u32 position = 63 - __builtin_clzll(x);
    return Shift ? width<T> - 1 - position : position;
  }
};
template <class T>
struct Brev {
  static T apply(T a) {
    u64 x = typename Unsigned<T>::type(a), r = 0;
    for (unsigned i = 0; i < width<T>; ++i)
      r |= ((x >> i) & 1) << (width<T> - 1 - i);
    return T(r);
  }
};
template <class T>
struct Bfe {
  static T apply(T a, u32 b, u32 c) {
    constexpr u32 msb = width<T> - 1;
    u32 pos = b & 255, len = c & 255;
    u64 x = typename Unsigned<T>::type(a);
    bool sign = false;
    if (isSignedType<T> && len) {
      u32 at = pos + len - 1;
      sign = (x >> (at < msb ? at : msb)) & 1;
    }
    u64 r = sign ? ~u64(0) : 0;
    u64 field = pos > msb ? 0 : x >> pos;
    u32 take = pos > msb ? 0 : (len < msb + 1 - pos ? len : msb + 1 - pos);
    u64 keep = take >= 64 ? ~u64(0) : (u64(1) << take) - 1;
    return T((r & ~keep) | (field & keep));
  }
};
// bfi d, a, b, c, e: the fourth source is in Instr::e.
template <class T>
void bfi(Warp &w, const Instr &i, u32 mask) {
  T *d = lane<T>(w, i.d);
  const T *a = lane<T>(w, i.a), *b = lane<T>(w, i.b);
  const u32 *c = lane<u32>(w, i.c), *e = lane<u32>(w, i.e);
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    u32 pos = c[l] & 255, len = e[l] & 255;
    u64 field = len >= 64 ? ~u64(0) : (u64(1) << len) - 1;
    u64 keep = pos >= width<T> ? 0 : field << pos;
    u64 put = pos >= width<T> ? 0 : u64(a[l]) << pos;
    d[l] = T((u64(b[l]) & ~keep) | (put & keep));
  }
}
template <bool Clamp>
struct Bmsk {
  static u32 apply(u32 a, u32 b) {
    if (!Clamp) {
      a &= 31;
      b &= 31;
    }
    if (a >= 32)
      return 0;
    u64 m = b >= 32 ? ~u64(0) : (u64(1) << b) - 1;
    return u32(m << a);
  }
};
template <bool Clamp>
struct Szext {
  static s32 apply(s32 a, u32 b) {
    if (!Clamp)
      b &= 31;
    if (b >= 32)
      return a;
    if (b == 0)
      return 0;
    return s32(u32(a) << (32 - b)) >> (32 - b);
  }
};
// lop3: the table is in Instr::offset.
void lop3(Warp &w, const Instr &i, u32 mask) {
  u32 *d = lane<u32>(w, i.d);
  const u32 *a = lane<u32>(w, i.a), *b = lane<u32>(w, i.b),
            *c = lane<u32>(w, i.c);
  u32 m[8];
  for (unsigned t = 0; t < 8; ++t)
    m[t] = (i.offset >> t) & 1 ? ~0u : 0;
  NAPKIN_LANES {
    u32 x = a[l], y = b[l], z = c[l];
    u32 r = (m[0] & ~x & ~y & ~z) | (m[1] & ~x & ~y & z) |
            (m[2] & ~x & y & ~z) | (m[3] & ~x & y & z) | (m[4] & x & ~y & ~z) |
            (m[5] & x & ~y & z) | (m[6] & x & y & ~z) | (m[7] & x & y & z);
    d[l] = (mask >> l) & 1 ? r : d[l];
  }
}
template <AluOp Mode>
struct Prmt {
  static u32 apply(u32 a, u32 b, u32 c) {
    u64 both = u64(b) << 32 | a;
    u32 r = 0;
    for (unsigned i = 0; i < 4; ++i) {
      u32 sel, n = c & 3;
      switch (Mode) {
      case AluOp::PrmtF4e:
        sel = n + i;
        break;
      case AluOp::PrmtB4e:
        sel = (8 + n - i) & 7;
        break;
      case AluOp::PrmtRc8:
        sel = n;
        break;
      case AluOp::PrmtEcl:
        sel = i > n ? i : n;
        break;
      case AluOp::PrmtEcr:
        sel = i < n ? i : n;
        break;
      case AluOp::PrmtRc16:
        sel = (n & 1) * 2 + (i & 1);
        break;
      default:
        sel = (c >> (4 * i)) & 15;
        break;
      }
      u32 byte = (both >> (8 * (sel & 7))) & 255;
      if (Mode == AluOp::Prmt && (sel & 8))
        byte = byte & 128 ? 255 : 0;
      r |= byte << (8 * i);
    }
    return r;
  }
};
template <bool Left, bool Clamp>
struct Shf {
  static u32 apply(u32 a, u32 b, u32 c) {
    u32 n = Clamp ? (c < 32 ? c : 32) : c & 31;
    u64 both = u64(b) << 32 | a;
    return Left ? u32((both << n) >> 32) : u32(both >> n);
  }
};
template <class A, class B>
struct Dp4a {
  static s32 apply(u32 a, u32 b, u32 c) {
    for (unsigned i = 0; i < 4; ++i)
      c += u32(s32(A(a >> (8 * i))) * s32(B(b >> (8 * i))));
    return s32(c);
  }
};
template <class A, class B, bool High>
struct Dp2a {
  static s32 apply(u32 a, u32 b, u32 c) {
    for (unsigned i = 0; i < 2; ++i)
      c += u32(s32(A(a >> (16 * i))) * s32(B(b >> (8 * i + (High ? 16 : 0)))));
    return s32(c);
  }
};
struct Fns {
  static u32 apply(u32 a, u32 base, s32 offset) {
    base &= 31;
    if (offset == 0)
      return (a >> base) & 1 ? base : ~0u;
    s32 step = offset > 0 ? 1 : -1, count = offset > 0 ? offset : -offset;
    for (s32 at = base; at >= 0 && at < 32; at += step)
      if ((a >> at) & 1 && --count == 0)
        return at;
    return ~0u;
  }
};
template <class T>
struct Mul24 {
  static s64 wide(T a, T b) {
    constexpr int up = 8;
    return s64(T(T(u32(a) << up) >> up)) * s64(T(T(u32(b) << up) >> up));
  }
};
template <class T>
struct Mul24Lo {
  static T apply(T a, T b) { return T(Mul24<T>::wide(a, b)); }
};
template <class T>
struct Mul24Hi {
  static T apply(T a, T b) { return T(Mul24<T>::wide(a, b) >> 16); }
};
template <class T>
struct Mad24Lo {
  static T apply(T a, T b, T c) {
    return T(u32(Mul24<T>::wide(a, b)) + u32(c));
  }
};
template <class T>
struct Mad24Hi {
  static T apply(T a, T b, T c) {
    return T(u32(Mul24<T>::wide(a, b) >> 16) + u32(c));
  }
};

template <class T>
Handler byType(AluOp op) {
  using W = typename Wide<T>::type;
  switch (op) {
  case AluOp::Mov:
    return unary<T, T, Copy<T>>;
  case AluOp::Add:
    return binary<T, T, T, Add<T>>;
  case AluOp::Sub:
    return binary<T, T, T, Sub<T>>;
  case AluOp::MulLo:
    return binary<T, T, T, MulLo<T>>;
  case AluOp::MulHi:
    return binary<T, T, T, MulHi<T>>;
  case AluOp::MadLo:
    return ternary<T, T, T, T, MadLo<T>>;
  case AluOp::MadHi:
    return ternary<T, T, T, T, MadHi<T>>;
  case AluOp::MulWide:
    if constexpr (sizeof(T) < 8)
      return binary<W, T, T, MulWide<T>>;
    return nullptr;
  case AluOp::MadWide:
    if constexpr (sizeof(T) < 8)
      return ternary<W, T, T, W, MadWide<T>>;
    return nullptr;
  case AluOp::Sad:
    return ternary<T, T, T, T, Sad<T>>;
  case AluOp::Div:
    return binary<T, T, T, Div<T>>;
  case AluOp::Rem:
    return binary<T, T, T, Rem<T>>;
  case AluOp::Abs:
    return unary<T, T, Abs<T>>;
  case AluOp::Neg:
    return unary<T, T, Neg<T>>;
  case AluOp::Min:
    return binary<T, T, T, Min<T>>;
  case AluOp::Max:
    return binary<T, T, T, Max<T>>;
  case AluOp::And:
    return binary<T, T, T, And<T>>;
  case AluOp::Or:
    return binary<T, T, T, Or<T>>;
  case AluOp::Xor:
    return binary<T, T, T, Xor<T>>;
  case AluOp::Not:
    return unary<T, T, Not<T>>;
  case AluOp::Cnot:
    return unary<T, T, Cnot<T>>;
  case AluOp::Shl:
    return binary<T, T, u32, Shl<T>>;
  case AluOp::Shr:
    return binary<T, T, u32, Shr<T>>;
  case AluOp::Popc:
    return unary<u32, T, Popc<T>>;
  case AluOp::Clz:
    return unary<u32, T, Clz<T>>;
  case AluOp::Bfind:
    return unary<u32, T, Bfind<T, false>>;
  case AluOp::BfindShift:
    return unary<u32, T, Bfind<T, true>>;
  case AluOp::Brev:
    return unary<T, T, Brev<T>>;
  case AluOp::Bfe:
    return ternary<T, T, u32, u32, Bfe<T>>;
  default:
    return nullptr;
  }
}

Handler only32(AluOp op, bool isSigned) {
  switch (op) {
  case AluOp::AddSat:
    return binary<s32, s32, s32, AddSat>;
  case AluOp::SubSat:
    return binary<s32, s32, s32, SubSat>;
  case AluOp::MadHiSat:
    return ternary<s32, s32, s32, s32, MadHiSat>;
  case AluOp::Lop3:
    return lop3;
  case AluOp::Prmt:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::Prmt>>;
  case AluOp::PrmtF4e:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtF4e>>;
  case AluOp::PrmtB4e:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtB4e>>;
  case AluOp::PrmtRc8:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtRc8>>;
  case AluOp::PrmtEcl:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtEcl>>;
  case AluOp::PrmtEcr:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtEcr>>;
  case AluOp::PrmtRc16:
    return ternary<u32, u32, u32, u32, Prmt<AluOp::PrmtRc16>>;
  case AluOp::ShfLWrap:
    return ternary<u32, u32, u32, u32, Shf<true, false>>;
  case AluOp::ShfLClamp:
    return ternary<u32, u32, u32, u32, Shf<true, true>>;
  case AluOp::ShfRWrap:
    return ternary<u32, u32, u32, u32, Shf<false, false>>;
  case AluOp::ShfRClamp:
    return ternary<u32, u32, u32, u32, Shf<false, true>>;
  case AluOp::Dp4aSS:
    return ternary<s32, u32, u32, u32, Dp4a<s8, s8>>;
  case AluOp::Dp4aSU:
    return ternary<s32, u32, u32, u32, Dp4a<s8, u8>>;
  case AluOp::Dp4aUS:
    return ternary<s32, u32, u32, u32, Dp4a<u8, s8>>;
  case AluOp::Dp4aUU:
    return ternary<s32, u32, u32, u32, Dp4a<u8, u8>>;
  case AluOp::Dp2aLoSS:
    return ternary<s32, u32, u32, u32, Dp2a<s16, s8, false>>;
  case AluOp::Dp2aLoSU:
    return ternary<s32, u32, u32, u32, Dp2a<s16, u8, false>>;
  case AluOp::Dp2aLoUS:
    return ternary<s32, u32, u32, u32, Dp2a<u16, s8, false>>;
  case AluOp::Dp2aLoUU:
    return ternary<s32, u32, u32, u32, Dp2a<u16, u8, false>>;
  case AluOp::Dp2aHiSS:
    return ternary<s32, u32, u32, u32, Dp2a<s16, s8, true>>;
  case AluOp::Dp2aHiSU:
    return ternary<s32, u32, u32, u32, Dp2a<s16, u8, true>>;
  case AluOp::Dp2aHiUS:
    return ternary<s32, u32, u32, u32, Dp2a<u16, s8, true>>;
  case AluOp::Dp2aHiUU:
    return ternary<s32, u32, u32, u32, Dp2a<u16, u8, true>>;
  case AluOp::Bmsk:
    return isSigned ? binary<u32, u32, u32, Bmsk<true>>
                    : binary<u32, u32, u32, Bmsk<false>>;
  case AluOp::SzextWrap:
    return isSigned ? binary<s32, s32, u32, Szext<false>> : nullptr;
  case AluOp::SzextClamp:
    return isSigned ? binary<s32, s32, u32, Szext<true>> : nullptr;
  case AluOp::Fns:
    return ternary<u32, u32, u32, s32, Fns>;
  case AluOp::Mul24Lo:
    return isSigned ? binary<s32, s32, s32, Mul24Lo<s32>>
                    : binary<u32, u32, u32, Mul24Lo<u32>>;
  case AluOp::Mul24Hi:
    return isSigned ? binary<s32, s32, s32, Mul24Hi<s32>>
                    : binary<u32, u32, u32, Mul24Hi<u32>>;
  case AluOp::Mad24Lo:
    return isSigned ? ternary<s32, s32, s32, s32, Mad24Lo<s32>>
                    : ternary<u32, u32, u32, u32, Mad24Lo<u32>>;
  case AluOp::Mad24Hi:
    return isSigned ? ternary<s32, s32, s32, s32, Mad24Hi<s32>>
                    : ternary<u32, u32, u32, u32, Mad24Hi<u32>>;
  default:
    return nullptr;
  }
}

template <class T>
struct SelectHandler {
  static void run(Warp &w, const Instr &i, u32 mask) {
    T *d = lane<T>(w, i.d);
    const T *a = lane<T>(w, i.a), *b = lane<T>(w, i.b);
    u32 p = w.predicates[i.c];
    NAPKIN_LANES {
      T r = (p >> l) & 1 ? a[l] : b[l];
      d[l] = (mask >> l) & 1 ? r : d[l];
    }
  }
};

template <class D, class A>
struct Resize {
  static D apply(A a) { return D(a); }
};

} // namespace

Handler integerHandler(AluOp op, unsigned bits, bool isSigned) {
  if (op == AluOp::Bfi)
    return bits == 32 ? bfi<u32> : bits == 64 ? bfi<u64> : nullptr;
  if (bits == 32)
    if (Handler found = only32(op, isSigned))
      return found;
  switch (bits) {
  case 16:
    return isSigned ? byType<s16>(op) : byType<u16>(op);
  case 32:
    return isSigned ? byType<s32>(op) : byType<u32>(op);
  case 64:
    return isSigned ? byType<s64>(op) : byType<u64>(op);
  default:
    return nullptr;
  }
}

Handler selectHandler(unsigned bits) {
  return bits == 16   ? SelectHandler<u16>::run
         : bits == 32 ? SelectHandler<u32>::run
         : bits == 64 ? SelectHandler<u64>::run
                      : nullptr;
}

// Widths 8 keep their value in a 16-bit register.
Handler resizeHandler(unsigned to, unsigned from, bool s) {
#define FROM(F, bitsFrom)                                                      \
  if (from == bitsFrom && s) {                                                 \
    using A = s##F;                                                            \
    if (to == 16)                                                              \
      return unary<u16, A, Resize<u16, A>>;                                    \
    if (to == 32)                                                              \
      return unary<u32, A, Resize<u32, A>>;                                    \
    if (to == 64)                                                              \
      return unary<u64, A, Resize<u64, A>>;                                    \
  }                                                                            \
  if (from == bitsFrom && !s) {                                                \
    using A = u##F;                                                            \
    if (to == 16)                                                              \
      return unary<u16, A, Resize<u16, A>>;                                    \
    if (to == 32)                                                              \
      return unary<u32, A, Resize<u32, A>>;                                    \
    if (to == 64)                                                              \
      return unary<u64, A, Resize<u64, A>>;                                    \
  }
  FROM(16, 16)
  FROM(32, 32)
  FROM(64, 64)
#undef FROM
  if (from == 8 && s) {
    struct Narrow {
      static u16 apply(u16 a) { return u16(s16(s8(a))); }
    };
    return to == 16 ? unary<u16, u16, Narrow> : nullptr;
  }
  if (from == 8) {
    struct Narrow {
      static u16 apply(u16 a) { return a & 255; }
    };
    return to == 16 ? unary<u16, u16, Narrow> : nullptr;
  }
  return nullptr;
}

} // namespace napkin::executor::NAPKIN_VARIANT
