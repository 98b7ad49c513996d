//===- UndefinedStep.h - Marks of one instruction --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the files of the undefined values share: the marks of the operands of
// one PTX instruction.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDSTEP_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDSTEP_H

#include "Checks/Undefined.h"
#include "Machine/Launch.h"

#include <cstring>
#include <optional>

#include <fmt/format.h>

namespace napkin::executor {

/// The parts of a vector operand, or the operand alone.
inline llvm::ArrayRef<ptx::Operand> elementsOf(const ptx::Operand &operand) {
  return operand.kind == ptx::Operand::Kind::Vector
             ? llvm::ArrayRef<ptx::Operand>(operand.elements)
             : llvm::ArrayRef<ptx::Operand>(operand);
}

/// The warp's marks, new ones if it has none.
inline UndefinedValues &valuesOf(Warp &w) {
  if (!w.undefined) {
    if (!w.async->undefined)
      w.async->undefined = std::make_shared<UndefinedValues>();
    w.undefined = w.async->undefined.get();
  }
  return *w.undefined;
}

/// One PTX instruction and its warp's marks.
struct UndefinedStep {
  Warp &w;
  const SourceInfo &info;
  using Kind = ptx::Operand::Kind;
  using Operand = ptx::Operand;
  const ptx::Instruction &ptx;
  UndefinedValues &values;
  using Value = UndefinedValues::Value;

  UndefinedStep(Warp &w, const Instr &i)
      : w(w), info(w.machine->program.sources[i.source]), ptx(*info.ptx),
        values(*w.undefined) {}

  uint64_t key(uint32_t reg) const {
    return uint64_t(info.function) << 32 | reg;
  }
  Value ofRegister(uint32_t reg) const {
    return values.registers.lookup(key(reg));
  }
  static void join(Value &to, const Value &from) {
    if (!from.lanes)
      return;
    if (!to.lanes) {
      to = from;
      return;
    }
    to.lanes |= from.lanes;
    to.bits |= from.bits;
    to.isCopy &= from.isCopy;
  }
  /// Of every register that the operand names.
  Value of(const Operand &operand) const {
    Value all;
    if (operand.kind == Kind::Register)
      all = ofRegister(operand.reg);
    for (const Operand &element : operand.elements)
      join(all, of(element));
    return all;
  }
  Value ofAll(size_t first) const {
    Value all;
    for (size_t o = first; o < ptx.operands.size(); ++o)
      join(all, of(ptx.operands[o]));
    return all;
  }
  void set(uint32_t reg, uint32_t mask, Value to) {
    to.lanes &= to.bits ? mask : 0;
    auto found = values.registers.find(key(reg));
    if (found == values.registers.end()) {
      if (to.lanes) {
        values.registers[key(reg)] = to;
        values.registerBits |= registerBit(reg);
      }
      return;
    }
    Value &now = found->second;
    if (to.lanes)
      now.isCopy = to.isCopy && (now.isCopy || !(now.lanes & ~mask));
    now.bits = (now.lanes & ~mask ? now.bits : 0) | (to.lanes ? to.bits : 0);
    now.lanes = (now.lanes & ~mask) | to.lanes;
    if (to.lanes)
      now.origin = to.origin;
    if (now.lanes)
      return;
    values.registers.erase(found);
    values.registerBits = 0;
    for (const auto &entry : values.registers)
      values.registerBits |= registerBit(uint32_t(entry.first));
  }
  void set(const Operand &operand, uint32_t mask, const Value &to) {
    if (operand.kind == Kind::Register) {
      set(operand.reg, mask, to);
      if (operand.second >= 0)
        set(uint32_t(operand.second), mask, to);
    }
    if (operand.kind == Kind::Vector)
      for (const Operand &element : operand.elements)
        set(element, mask, to);
  }
  /// Whether a trap has told of the value's read, so that what follows from it
  /// is no fault of its own.
  bool isTold(const Value &value) const {
    return values.readOf(value.origin, __builtin_ctz(value.lanes)).space ==
           placeNowhere;
  }
  bool trap(const Instr &i, const Value &value, const char *what) {
    const UndefinedRead &read =
        values.readOf(value.origin, __builtin_ctz(value.lanes));
    if (isTold(value)) {
      w.machine->stop(w);
      return false;
    }
    w.machine->trap(w, *read.load, read.lane, Trap::Kind::Uninitialized,
                    fmt::format("{}; line {} {}", describeUndefined(w, read),
                                w.machine->lineOf(i.source), what),
                    read.address,
                    read.load->source == i.source ? ~0u : i.source);
    return false;
  }
  bool isPredicate(const Operand &operand) const {
    return operand.kind == Kind::Register &&
           w.machine->program.functions[info.function]
                   ->registers[operand.reg]
                   .type == ptx::Type::Pred;
  }
  /// What the operand holds in a lane, if it is a register or a number.
  std::optional<uint64_t> valueIn(const Operand &operand, unsigned lane) const {
    if (operand.kind == Kind::Integer)
      return operand.integer;
    if (operand.kind != Kind::Register)
      return std::nullopt;
    const Program &program = w.machine->program;
    const uint32_t reference =
        program.registerReferences[info.function][operand.reg];
    if (isPredicate(operand))
      return (w.predicates[reference] >> lane & 1) ^ unsigned(operand.negated);
    const unsigned bits = napkin::ptx::typeBits(
        program.functions[info.function]->registers[operand.reg].type);
    if (bits > 64)
      return std::nullopt;
    const char *cell = w.base[reference >> 31] + (reference & ~constantBit);
    uint64_t value = 0;
    std::memcpy(&value, cell + lane * std::max(16u, bits) / 8, bits / 8);
    return value;
  }
  /// Lanes in which `operand` is known and has value 0 (`ones`: not 0).
  uint32_t lanesThatAre(const Operand &operand, bool ones) const {
    if (operand.kind == Kind::Integer)
      return (operand.integer != 0) == ones ? ~0u : 0;
    if (operand.kind != Kind::Register)
      return 0;
    uint32_t reference =
        w.machine->program.registerReferences[info.function][operand.reg];
    uint32_t known = ~ofRegister(operand.reg).lanes, result = 0;
    if (isPredicate(operand)) {
      uint32_t value = w.predicates[reference];
      return known & (operand.negated != ones ? value : ~value);
    }
    for (unsigned l = 0; l < lanes; ++l)
      result |= uint32_t((valueIn(operand, l).value_or(!ones) != 0) == ones)
                << l;
    return known & result;
  }

  bool compute(uint32_t mask);
  Value moved(const Value &from) const;
  bool moveParts(uint32_t mask);
  bool product();
  bool enter(const Instr &i, const Value &guard);
  void leave();
  Value decided(uint32_t mask) const;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDSTEP_H
