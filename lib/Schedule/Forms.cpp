//===- Forms.cpp - which forms a kernel may have ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Room behind rows in shared memory, rows of a warp, sums in parts.
//
//===----------------------------------------------------------------------===//

#include "Loops.h"
#include "napkin/Schedule/Evaluate.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::schedule;

int64_t RegionFacts::countProducts() const {
  return llvm::count_if(region.operations, [&](unsigned index) {
    return region.graph.operations[index].kind == OperationKind::Contract;
  });
}

bool RegionFacts::chunksDivide(const Candidate &candidate) const {
  auto divides = [&](std::optional<unsigned> axis) {
    return !axis ||
           region.graph.axes[*axis].size % candidate.extent[*axis] == 0;
  };
  return divides(candidate.stream) && divides(candidate.inner);
}

int64_t RegionFacts::mostRowTiles() const {
  return countProducts() > 2 ? 1 : limits.mostRowTiles;
}

bool RegionFacts::isFactor(unsigned input) const {
  return llvm::any_of(region.operations, [&](unsigned index) {
    const Operation &operation = region.graph.operations[index];
    return operation.kind == OperationKind::Contract &&
           llvm::is_contained(operation.operands, input);
  });
}

bool RegionFacts::mayPad(const Candidate &candidate) const {
  return hasContract && llvm::all_of(region.inputs, [&](unsigned input) {
           const ArrayValue &array = region.graph.values[input];
           if (!isFactor(input) || array.axes.empty())
             return true;
           unsigned last = array.axes.back();
           return candidate.extent[last] > 1 &&
                  region.graph.axes[last].size * array.bytes() % 16 == 0;
         });
}

int64_t RegionFacts::partsOfSums(const Candidate &candidate,
                                 const Evaluation &result) const {
  if (!candidate.stream || !hasContract || !hasReduction || !ownsRows ||
      result.warpRows != candidate.warps)
    return 1;
  return int64_t(1) << instruction->accumulatorFragment.laneBits(1);
}
