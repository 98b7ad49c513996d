//===- Handlers.h - Handlers that need no host vectors ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Control flow, communication between lanes, synchronisation, atomics and
// asynchronous copies.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_HANDLERS_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_HANDLERS_H

#include "Machine/Machine.h"

namespace napkin::executor {

#define NAPKIN_HANDLER(name) void name(Warp &w, const Instr &i, uint32_t mask);

// Predicates: d = a op b, small0 and small1 negate the sources.
NAPKIN_HANDLER(predicateAnd)
NAPKIN_HANDLER(predicateOr)
NAPKIN_HANDLER(predicateXor)
NAPKIN_HANDLER(predicateNot)
NAPKIN_HANDLER(checkCallee)
NAPKIN_HANDLER(predicateConstant)
/// d (register) = predicate a ? all ones / 1.0f / 1 (offset) : 0.
NAPKIN_HANDLER(predicateToValue)
NAPKIN_HANDLER(selectPredicate)

// Packed 16-bit integers, carries.
NAPKIN_HANDLER(packedAdd16)
NAPKIN_HANDLER(packedMinS16)
NAPKIN_HANDLER(packedMinU16)
NAPKIN_HANDLER(packedMaxS16)
NAPKIN_HANDLER(packedMaxU16)
/// d = c where no element of a or b is 0xffff, else 0 (small0 bytes).
NAPKIN_HANDLER(clearOutOfBounds)
NAPKIN_HANDLER(videoOperation)
NAPKIN_HANDLER(carry32)
NAPKIN_HANDLER(carry64)

// mov between vectors of registers and one register: list, small0 = parts,
// small1 = bytes of a part.
NAPKIN_HANDLER(packRegisters)
NAPKIN_HANDLER(unpackRegisters)
NAPKIN_HANDLER(isSpace)
/// d (small0 bytes) = a time that rises with each reading, shifted by small1.
NAPKIN_HANDLER(readClock)
NAPKIN_HANDLER(testNumber)
NAPKIN_HANDLER(packSaturated)

// Control flow: e = target.
NAPKIN_HANDLER(branchTo)
NAPKIN_HANDLER(branchPolling)
NAPKIN_HANDLER(branchIndexed)
NAPKIN_HANDLER(callFunction)
NAPKIN_HANDLER(returnOrExit)
NAPKIN_HANDLER(exitLanes)
NAPKIN_HANDLER(doNothing)
NAPKIN_HANDLER(yieldWarp)
NAPKIN_HANDLER(userTrap)
NAPKIN_HANDLER(printLanes)
NAPKIN_HANDLER(failAssertion)
NAPKIN_HANDLER(copyLocal)
/// alloca: d = an address, a bytes, b pointer, c base, e limit, offset
/// alignment.
NAPKIN_HANDLER(allocateStack)

// Lanes.
NAPKIN_HANDLER(shuffle)
NAPKIN_HANDLER(vote)
NAPKIN_HANDLER(matchAny)
NAPKIN_HANDLER(matchAll)
NAPKIN_HANDLER(reduce)
NAPKIN_HANDLER(elect)
NAPKIN_HANDLER(activeMask)
NAPKIN_HANDLER(warpBarrier)
NAPKIN_HANDLER(moveMatrix)
/// d = addresses of a wmma's words (MatrixAddress), a = base, b = stride.
NAPKIN_HANDLER(matrixAddress)
/// Products that the backends don't have: sparse, below a byte, rounded f64.
NAPKIN_HANDLER(matrixProduct)
/// m8n8k4 of f16: four products, each by eight lanes.
NAPKIN_HANDLER(quadProduct)

// Blocks.
NAPKIN_HANDLER(barrierArriveWait)
NAPKIN_HANDLER(memoryFence)
NAPKIN_HANDLER(clusterArrive)
NAPKIN_HANDLER(clusterWait)

// Memory.
NAPKIN_HANDLER(atomicOperation)
NAPKIN_HANDLER(copyAsync)
NAPKIN_HANDLER(copyAsyncCommit)
NAPKIN_HANDLER(copyAsyncWait)
NAPKIN_HANDLER(copyAsyncArrive)

// mbarrier objects and bulk copies.
NAPKIN_HANDLER(mbarrierInit)
NAPKIN_HANDLER(mbarrierInvalidate)
NAPKIN_HANDLER(mbarrierArrive)
NAPKIN_HANDLER(mbarrierTest)
NAPKIN_HANDLER(mbarrierPending)
NAPKIN_HANDLER(bulkCopy)
NAPKIN_HANDLER(bulkTensor)
NAPKIN_HANDLER(bulkCommit)
NAPKIN_HANDLER(bulkWait)
NAPKIN_HANDLER(tensormapReplace)
NAPKIN_HANDLER(tensormapCopy)
NAPKIN_HANDLER(tensormapFence)

// Warpgroups and clusters.
NAPKIN_HANDLER(wgmmaFence)
NAPKIN_HANDLER(wgmmaCommit)
NAPKIN_HANDLER(wgmmaWait)
NAPKIN_HANDLER(wgmmaProduct)
NAPKIN_HANDLER(setRegisters)
NAPKIN_HANDLER(mapAddress)
NAPKIN_HANDLER(blockRankOf)
NAPKIN_HANDLER(storeAsync)

#undef NAPKIN_HANDLER

/// Splits the running fragment: lanes of `mask` continue at `target` (with the
/// call stack `depth` deep), the others where they are.
void splitWarp(Warp &w, uint32_t mask, uint32_t target, int stackChange,
               uint32_t returnTo);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_HANDLERS_H
