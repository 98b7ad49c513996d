//===- Tables.h - What the files of a variant give each other --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function per file of this folder; Variant.cpp gathers them.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_VECTOR_TABLES_H
#define NAPKIN_LIB_EXECUTOR_VECTOR_TABLES_H

#include "Vector/Backend.h"

namespace napkin::executor::NAPKIN_VARIANT {

Handler integerHandler(AluOp op, unsigned bits, bool isSigned);
Handler floatHandler(AluOp op, ptx::Type type, unsigned flags);
/// An approximate function with its error; null where it is evaluated exactly.
Handler approximateHandler(AluOp op, ptx::Type type);
Handler halfHandler(AluOp op, ptx::Type type, unsigned flags);
Handler compareHandler(Compare compare, ptx::Type type, bool ftz);
Handler convertHandler(ptx::Type to, ptx::Type from, Rounding rounding,
                       bool ftz, bool saturate, bool relu);
Handler resizeHandler(unsigned to, unsigned from, bool isSigned);
Handler selectHandler(unsigned bits);
Handler loadHandler(AddressSpace space, unsigned unitBytes, unsigned count);
Handler storeHandler(AddressSpace space, unsigned unitBytes, unsigned count);
Handler loadMatrixHandler(unsigned count, bool transposed);
Handler storeMatrixHandler(unsigned count, bool transposed);
Handler mmaHandler(unsigned m, unsigned n, unsigned k, ptx::Type d, ptx::Type a,
                   ptx::Type b, ptx::Type c);
void multiplyWarp(const WarpProduct &product);
void multiplyFaithful(const WarpProduct &product, const TensorUnit &unit);
void exponentsOf(int32_t *to, const float *values, unsigned count,
                 int32_t smallest);
void expandRows(float *to, const char *const *chunks, unsigned rows,
                unsigned stride, ptx::Type type);
void packColumns(float *to, const char *const *chunks, ptx::Type type);
void packRow16(float *to, const char *from, bool isBfloat);

} // namespace napkin::executor::NAPKIN_VARIANT

#endif // NAPKIN_LIB_EXECUTOR_VECTOR_TABLES_H
