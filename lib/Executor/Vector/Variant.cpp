//===- Variant.cpp - The table of one variant ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gathers the handlers of this variant. Nothing here runs vector code, so the
// table may be built on any host.
//
//===----------------------------------------------------------------------===//

#include "Vector/Tables.h"

#define NAPKIN_STRING2(x) #x
#define NAPKIN_STRING(x) NAPKIN_STRING2(x)

namespace napkin::executor::NAPKIN_VARIANT {

extern const Backend table;
const Backend table = {NAPKIN_STRING(NAPKIN_VARIANT),
                       integerHandler,
                       floatHandler,
                       compareHandler,
                       convertHandler,
                       resizeHandler,
                       selectHandler,
                       loadHandler,
                       storeHandler,
                       loadMatrixHandler,
                       storeMatrixHandler,
                       mmaHandler,
                       multiplyWarp,
                       multiplyFaithful,
                       exponentsOf,
                       expandRows,
                       packColumns,
                       packRow16};

} // namespace napkin::executor::NAPKIN_VARIANT
