//===- Backend.h - Handlers compiled for one kind of host ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The files of this folder are compiled once per instruction set of the host
// (NAPKIN_VARIANT names the namespace); the best one that the host has is
// chosen at run time. Results are the same bits in each.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_VECTOR_BACKEND_H
#define NAPKIN_LIB_EXECUTOR_VECTOR_BACKEND_H

#include "Machine/Machine.h"
#include "Numerics/MatrixShape.h"
#include "napkin/PTX/Type.h"

namespace napkin::executor {

/// Elementwise operations.
enum class AluOp : uint8_t {
  Mov,
  Add,
  Sub,
  MulLo,
  MulHi,
  MulWide,
  MadLo,
  MadHi,
  MadWide,
  Sad,
  Div,
  DivFull, // an approximate form only (div.full)
  Rem,
  Abs,
  Neg,
  Min,
  Max,
  And,
  Or,
  Xor,
  Not,
  Cnot,
  Shl,
  Shr,
  Popc,
  Clz,
  Bfind,
  BfindShift,
  Brev,
  Bfe,
  Bfi,
  Bmsk,
  SzextWrap,
  SzextClamp,
  Lop3,
  Prmt,
  PrmtF4e,
  PrmtB4e,
  PrmtRc8,
  PrmtEcl,
  PrmtEcr,
  PrmtRc16,
  ShfLWrap,
  ShfLClamp,
  ShfRWrap,
  ShfRClamp,
  Dp4aSS,
  Dp4aSU,
  Dp4aUS,
  Dp4aUU,
  Dp2aLoSS,
  Dp2aLoSU,
  Dp2aLoUS,
  Dp2aLoUU,
  Dp2aHiSS,
  Dp2aHiSU,
  Dp2aHiUS,
  Dp2aHiUU,
  Fns,
  Mul24Lo,
  Mul24Hi,
  Mad24Lo,
  Mad24Hi,
  AddSat,
  SubSat,
  MadHiSat,
  // Floating point.
  Mul,
  Fma,
  Rcp,
  Sqrt,
  Rsqrt,
  Sin,
  Cos,
  Lg2,
  Ex2,
  Tanh,
  Copysign,
  Slct
};

/// Flags of floating operations.
enum FloatFlags : unsigned {
  FlagFtz = 1,
  FlagSat = 2,
  FlagNaN = 4,
  FlagXorSign = 8,
  FlagRelu = 16,
  /// Directed rounding, 2 bits: 0 nearest even, 1 zero, 2 down, 3 up.
  FlagRoundShift = 5,
  FlagRoundMask = 3u << 5,
  /// With an error within the manual's bound: small0 has FlagFtz, small1 is 1
  /// where the error is as large as the bound.
  FlagApproximate = 1u << 7
};

/// Comparison of setp/set.
enum class Compare : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Lo,
  Ls,
  Hi,
  Hs,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan
};

/// Rounding of cvt.
enum class Rounding : uint8_t { None, Rn, Rz, Rm, Rp, Rna, Rni, Rzi, Rmi, Rpi };

/// What one variant offers. A null handler means: no such form.
struct Backend {
  const char *name;
  /// d, a, b, c at the width of the type; shifts take 32-bit b.
  Handler (*integer)(AluOp op, unsigned bits, bool isSigned);
  Handler (*floating)(AluOp op, ptx::Type type, unsigned flags);
  /// Writes predicate d (and e, if given) = a cmp b; small0 is how it combines
  /// with predicate c: 0 alone, 1 and, 2 or, 3 xor; small1: c negated.
  Handler (*compare)(Compare compare, ptx::Type type, bool ftz);
  Handler (*convert)(ptx::Type to, ptx::Type from, Rounding rounding, bool ftz,
                     bool saturate, bool relu);
  /// d (to bits wide) = a (from bits wide), zero- or sign-extended or cut.
  Handler (*resize)(unsigned to, unsigned from, bool isSigned);
  /// d = predicate c ? a : b.
  Handler (*select)(unsigned bits);
  /// list = destinations or sources; a = address register; offset added.
  /// small0 = address width in bytes.
  Handler (*load)(AddressSpace space, unsigned unitBytes, unsigned count);
  Handler (*store)(AddressSpace space, unsigned unitBytes, unsigned count);
  Handler (*loadMatrix)(unsigned count, bool transposed);
  Handler (*storeMatrix)(unsigned count, bool transposed);
  /// list = D, A, B, C registers in that order.
  Handler (*mma)(unsigned m, unsigned n, unsigned k, ptx::Type d, ptx::Type a,
                 ptx::Type b, ptx::Type c);
  /// Products of decoded operands: in f32 in the order of k, and as a tensor
  /// core adds.
  void (*multiplyWarp)(const WarpProduct &product);
  void (*multiplyFaithful)(const WarpProduct &product, const TensorUnit &unit);
  /// Fills MatrixOperand::exponents; `smallest`: of subnormal numbers.
  void (*exponentsOf)(int32_t *to, const float *values, unsigned count,
                      int32_t smallest);
  /// 16 bytes of each row to floats at to[row * stride].
  void (*expandRows)(float *to, const char *const *chunks, unsigned rows,
                     unsigned stride, ptx::Type type);
  /// 16 bytes of each of eight columns to rows of B (see WarpProduct).
  void (*packColumns)(float *to, const char *const *chunks, ptx::Type type);
  /// One such row from the 16-bit numbers of eight columns, side by side.
  void (*packRow16)(float *to, const char *from, bool isBfloat);
};

/// The best variant for this host.
const Backend &backend();

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_VECTOR_BACKEND_H
