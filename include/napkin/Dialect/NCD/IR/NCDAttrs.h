//===- NCDAttrs.h - attributes of the ncd dialect ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Monoid, and the attributes in NCDAttrs.td and NCDDecisions.td.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDATTRS_H
#define NAPKIN_DIALECT_NCD_IR_NCDATTRS_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "napkin/Dialect/NCD/IR/Decisions.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

#include "napkin/Dialect/NCD/IR/NCDEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "napkin/Dialect/NCD/IR/NCDAttrs.h.inc"

namespace napkin::ncd {

/// Value of an empty reduction by \p monoid over values of \p type, an
/// accumulator type.
mlir::TypedAttr identityOf(Monoid monoid, mlir::Type type);

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_NCDATTRS_H
