//===- UndefinedMemory.cpp - Loads and stores of such values ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bytes that nobody wrote mark what they are loaded into. A store of undefined
// bytes makes those of shared and local memory unwritten again. In global
// memory it traps, but for padding: bytes that were only copied, beside others
// that are defined, are as unwritten there as where they come from.
//
//===----------------------------------------------------------------------===//

#include "Checks/UndefinedStep.h"

using namespace napkin::executor;
using Kind = napkin::ptx::Operand::Kind;
using napkin::ptx::Operand;
using Step = UndefinedStep;

bool napkin::executor::markUndefined(Warp &w, const UndefinedRead &read,
                                     const uint8_t *shadow) {
  const napkin::ptx::Instruction &ptx =
      *w.machine->program.sources[read.load->source].ptx;
  bool isMatrix = ptx.opcode == "ldmatrix";
  if (!isMatrix && ptx.opcode != "ld" && ptx.opcode != "ldu")
    return false;
  UndefinedValues &values = valuesOf(w);
  values.reads[{read.load->source, read.lane}] = read;
  Step step(w, *read.load);
  const Operand &to = ptx.operands[0];
  llvm::ArrayRef<Operand> results = elementsOf(to);
  auto add = [&](const Operand &operand, uint32_t inLanes, uint64_t bits) {
    if (operand.kind != Kind::Register)
      return;
    Step::Value value = step.ofRegister(operand.reg);
    value.bits = (value.lanes ? value.bits : 0) | bits;
    value.isCopy = !isMatrix && (value.isCopy || !value.lanes);
    value.lanes |= inLanes;
    value.origin = read.load->source;
    step.set(operand.reg, ~0u, value);
  };
  if (!isMatrix) {
    unsigned unit = read.bytes / results.size();
    const bool isSigned = ptx.modifiers.back().starts_with("s");
    for (unsigned b = 0; b < read.bytes; ++b)
      if (shadow[b] != shadowWritten)
        // Of the last byte the sign goes on.
        add(results[b / unit], 1u << read.lane,
            unit > 8 ? ~uint64_t(0)
            : isSigned && b % unit == unit - 1
                ? ~uint64_t(0) << 8 * (b % unit)
                : uint64_t(255) << 8 * (b % unit));
    return true;
  }
  // Lane l gives row l % 8 of matrix l / 8.
  unsigned matrix = read.lane / 8, row = read.lane % 8;
  bool isTransposed = llvm::is_contained(ptx.modifiers, "trans");
  if (matrix >= results.size())
    return true;
  uint32_t inLanes = 0;
  for (unsigned b = 0; b < 16; ++b) {
    if (shadow[b] == shadowWritten)
      continue;
    unsigned column = b / 2;
    inLanes |=
        1u << (isTransposed ? 4 * column + row / 2 : 4 * row + column / 2);
  }
  add(results[matrix], inLanes, ~uint64_t(0));
  return true;
}

/// The shadow of a lane's own shared or local bytes, or null: they leave the
/// block.
static uint8_t *ownShadow(Warp &w, unsigned lane, uint64_t address,
                          unsigned bytes, AddressSpace space) {
  Block &b = *w.block;
  uint64_t window = address & windowMask;
  if (space == SpaceShared ||
      (space == SpaceGeneric && window == sharedWindow)) {
    uint64_t at = window == sharedWindow ? address - sharedWindow : address;
    return at + bytes <= b.sharedBytes ? b.sharedShadow + at : nullptr;
  }
  if (space == SpaceLocal || (space == SpaceGeneric && window == localWindow)) {
    uint64_t at = window == localWindow ? address - localWindow : address;
    return b.localShadow + (uint64_t(w.index) * lanes + lane) * b.localBytes +
           at;
  }
  return nullptr;
}

/// Marks what is undefined of a lane's element at `address` as never written.
/// False: it is not in global memory.
static bool storePadding(Warp &w, uint64_t address, unsigned bytes,
                         uint64_t undefined) {
  const RegionView *region = findRegion(w, address);
  if (!region || !region->written || address + bytes > region->end)
    return false;
  for (unsigned b = 0; b < bytes; ++b)
    if (undefined >> 8 * b & 255) {
      const uint64_t at = address - region->begin + b;
      __atomic_fetch_and(region->written + (at >> 6),
                         ~(uint64_t(1) << (at & 63)), __ATOMIC_RELAXED);
    }
  return true;
}

/// Whether every byte is defined or undefined as a whole.
static bool isOfWholeBytes(uint64_t bits) {
  for (; bits; bits >>= 8)
    if ((bits & 255) && (bits & 255) != 255)
      return false;
  return true;
}

/// Lanes of which the store has a byte that is defined: what it copies beside
/// it is padding, as structs have it. So are the bytes after a function's first
/// result.
static uint32_t lanesWithPadding(const UndefinedStep &step,
                                 llvm::ArrayRef<Operand> elements,
                                 unsigned unit) {
  uint32_t result = 0;
  for (const Operand &element : elements) {
    const UndefinedStep::Value value = step.of(element);
    const uint64_t all =
        unit >= 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * unit) - 1;
    result |= ~value.lanes;
    if (isOfWholeBytes(value.bits & all) && (value.bits & all) != all)
      return ~0u;
    if (!value.lanes)
      continue;
    const napkin::ptx::Instruction &load =
        *step.w.machine->program.sources[value.origin].ptx;
    if (value.isCopy && llvm::is_contained(load.modifiers, "param") &&
        load.modifiers.back() == "b8" && load.operands[1].integer)
      return ~0u;
  }
  return result;
}

void napkin::executor::storeUndefined(Warp &w, const Instr &i,
                                      const uint64_t *address, uint32_t mask,
                                      unsigned bytes, AddressSpace space) {
  if (!w.undefined)
    return;
  Step step(w, i);
  llvm::ArrayRef<Operand> elements = elementsOf(step.ptx.operands[1]);
  unsigned unit = bytes / elements.size();
  const uint32_t padded = lanesWithPadding(step, elements, unit);
  for (size_t x = 0; x < elements.size(); ++x) {
    Step::Value value = step.of(elements[x]);
    Step::join(value, step.decided(mask));
    if (step.ptx.guard >= 0)
      Step::join(value, step.ofRegister(step.ptx.guard));
    if (unit < 8)
      value.bits &= (uint64_t(1) << 8 * unit) - 1;
    for (uint32_t rest = value.bits ? value.lanes & mask : 0; rest;
         rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      if (uint8_t *shadow =
              ownShadow(w, l, address[l] + x * unit, unit, space)) {
        // A byte of which some bits are defined counts as written.
        for (unsigned b = 0; b < unit; ++b)
          if (b >= 8 || (value.bits >> 8 * b & 255) == 255)
            shadow[b] = shadowFresh;
        continue;
      }
      if (step.isTold(value))
        continue;
      if (value.isCopy && (padded >> l & 1) && isOfWholeBytes(value.bits) &&
          storePadding(w, address[l] + x * unit, unit, value.bits))
        continue;
      step.trap(i, value, "stores the value");
      return;
    }
  }
}

void napkin::executor::storeMatrixUndefined(Warp &w, const Instr &i,
                                            uint8_t *const *shadow) {
  if (!w.undefined)
    return;
  Step step(w, i);
  llvm::ArrayRef<Operand> matrices = elementsOf(step.ptx.operands[1]);
  bool isTransposed = llvm::is_contained(step.ptx.modifiers, "trans");
  for (size_t m = 0; m < matrices.size(); ++m) {
    uint32_t undefined = step.of(matrices[m]).lanes | step.decided(~0u).lanes;
    for (unsigned l = 0; l < lanes; ++l)
      if ((undefined >> l) & 1)
        for (unsigned e = 0; e < 2; ++e) {
          unsigned row = isTransposed ? 2 * (l % 4) + e : l / 4;
          unsigned column = isTransposed ? l / 4 : 2 * (l % 4) + e;
          std::memset(shadow[8 * m + row] + 2 * column, shadowFresh, 2);
        }
  }
}
