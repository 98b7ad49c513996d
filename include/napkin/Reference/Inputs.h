//===- Inputs.h - random inputs of a diagram --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which of a diagram's arguments are masks follows from what is done with them,
// not from their names.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_INPUTS_H
#define NAPKIN_REFERENCE_INPUTS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Reference/Random.h"

namespace napkin::reference {

/// Random values for an array of type \p type. Requires: static sizes.
Tensor randomTensor(ncd::ArrayType type, Distribution distribution,
                    uint64_t seed);

/// The axes along which scores are folded to which \p argument of a diagram is
/// added: empty where it is not a mask. Scores are what goes through maps into
/// a softmax, a logsumexp or a maximum, or into an exponential, which counts as
/// folded along the last axis. An argument may be widened, narrowed or scaled
/// before it is added.
std::vector<std::string> foldedAxesOfMask(mlir::BlockArgument argument);

/// Random values for \p argument of a diagram. Requires: static sizes.
Tensor randomInput(mlir::BlockArgument argument, Distribution distribution,
                   uint64_t seed);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_INPUTS_H
