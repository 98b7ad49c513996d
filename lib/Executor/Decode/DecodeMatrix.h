//===- DecodeMatrix.h - What matrix instructions share ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shapes and fragments of mma and wmma, while they are decoded.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_DECODE_DECODEMATRIX_H
#define NAPKIN_LIB_EXECUTOR_DECODE_DECODEMATRIX_H

#include "Decode/Decoder.h"
#include "Numerics/MatrixProducts.h"

namespace napkin::executor {

/// What a register of D or C holds of elements of this type.
ptx::Type matrixCell(ptx::Type type);
/// The same of A and B.
ptx::Type multiplicandCell(ptx::Type type);
/// .popc does not stand before the operation whose ones it counts.
bool isBitOperationInOrder(const Decoder &d);
/// Appends the references of a vector of `count` registers (or of one). A
/// multiplicand takes literals only beside registers.
bool takeRegisters(Decoder &d, const Decoder::Operand &operand, unsigned count,
                   ptx::Type type, bool isTarget,
                   llvm::SmallVectorImpl<uint32_t> &to,
                   bool isMultiplicand = false);
/// Consumes the next modifier that names a type, those below a byte too.
ptx::Type takeMatrixType(Decoder &d);
/// Consumes .row and .col in the order they are written; true: .col.
llvm::SmallVector<bool, 2> takeLayouts(Decoder &d);
/// Consumes .m16n8k16 and the like.
bool takeMatrixShape(Decoder &d, MatrixShape &shape);
/// Checks shape and types, and fills in what follows from them.
bool completeShape(Decoder &d, MatrixShape &shape);
/// The sparsity selector: which lanes of four give metadata.
bool takeSelector(Decoder &d, MatrixShape &shape,
                  const Decoder::Operand &operand);
/// The metadata of a sparse product.
bool takeMetadata(Decoder &d, const MatrixShape &shape,
                  const Decoder::Operand &operand, uint32_t &reference);
/// One product: `registers` of D, A, B, C and perhaps metadata, in this order.
Instr &emitProduct(Decoder &d, const MatrixShape &shape,
                   llvm::ArrayRef<uint32_t> registers);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_DECODE_DECODEMATRIX_H
