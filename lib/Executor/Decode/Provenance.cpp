//===- Provenance.cpp - Which variable an address is of --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Static variables of shared and local memory lie side by side, so an index
// that leaves one lands in its neighbour, and no bound of an allocation
// notices. Where the text shows that an address was computed from one variable,
// whatever way the control flow took, the access must stay in that variable. An
// address that may be of two variables, or that was loaded or passed, is not
// judged.
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Decode/Decoder.h"
#include "Decode/Names.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

using namespace napkin::executor;
using Kind = napkin::ptx::Operand::Kind;
using napkin::ptx::Space;

namespace {

/// What a register may hold: nothing so far, the address of one variable (its
/// index), what is no such address, or one of several of these.
enum : int { Nothing = -1, Other = -2, Several = -3 };

int join(int a, int b) {
  return a == Nothing ? b : b == Nothing || a == b ? a : Several;
}

/// Addition: an address and a number are an address.
int sum(int a, int b) {
  if (a == Nothing || b == Nothing)
    return Nothing;
  return a == Other ? b : b == Other ? a : int(Several);
}

/// The bounds that an access must keep.
struct Bounds {
  uint64_t begin, bytes;
  unsigned size;
  bool isWrite;
  Space space;
  const char *name;
};

void checkBounds(Warp &w, const Instr &i, uint32_t mask) {
  const Bounds &bounds = *static_cast<const Bounds *>(i.extra);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    // The low 32 bits of a generic address are those of its space.
    uint32_t at =
        uint32_t(i.offset + (i.small0 == 8 ? lane<uint64_t>(w, i.a)[l]
                                           : lane<uint32_t>(w, i.a)[l]));
    uint64_t inside = uint32_t(at - bounds.begin);
    if (inside + bounds.size <= bounds.bytes)
      continue;
    bool isBefore = at < bounds.begin;
    w.machine->trap(
        w, i, l, Trap::Kind::OutOfBounds,
        fmt::format("{} of {} bytes at {} address {:#x}{}, computed from '{}' "
                    "({} bytes at {:#x}), {} {} bytes {} it",
                    bounds.isWrite ? "write" : "read", bounds.size,
                    bounds.space == Space::Shared ? "shared" : "local", at,
                    bounds.space == Space::Shared ? variableAt(w, at, 1) : "",
                    bounds.name, bounds.bytes, bounds.begin,
                    isBefore || inside >= bounds.bytes ? "is" : "ends",
                    isBefore ? bounds.begin - at
                    : inside >= bounds.bytes
                        ? inside - bounds.bytes
                        : inside + bounds.size - bounds.bytes,
                    isBefore ? "before" : "after the end of"),
        at, ~0u, "", /*mayGoOn=*/true);
    return;
  }
}

} // namespace

/// The variable that `name` means, if its bounds are to be kept; else Other.
int Decoder::boundedVariable(llvm::StringRef name) {
  auto known = boundedIndices.try_emplace(name, Other);
  int &index = known.first->second;
  if (!known.second)
    return index;
  auto judge = [&](const ptx::Variable &variable) {
    if (variable.name != name || variable.isExtern || !variable.elements ||
        (variable.space != Space::Shared && variable.space != Space::Local))
      return;
    bounded.push_back(&variable);
    index = int(bounded.size()) - 1;
  };
  llvm::for_each(module.variables, judge);
  llvm::for_each(function->variables, judge);
  return index;
}

int Decoder::provenanceOf(const Operand &operand) {
  if (operand.kind == Kind::Register)
    return provenance[operand.reg];
  if (operand.kind == Kind::Symbol)
    return boundedVariable(operand.name);
  return Other;
}

/// What the result of `i` is the address of.
int Decoder::resultProvenance(const ptx::Instruction &i) {
  auto source = [&](size_t k) {
    return k < i.operands.size() ? provenanceOf(i.operands[k]) : int(Other);
  };
  llvm::StringRef opcode = i.opcode;
  if (opcode == "mov" || opcode == "cvta" || opcode == "cvt")
    return source(1);
  if (opcode == "add" || opcode == "or")
    return sum(source(1), source(2));
  // What is subtracted or multiplied is a number.
  auto number = [](int value) {
    return value == Other || value == Nothing ? value : int(Several);
  };
  if (opcode == "sub")
    return sum(source(1), number(source(2)));
  if (opcode == "mad")
    return sum(sum(number(source(1)), number(source(2))), source(3));
  if (opcode == "selp")
    return join(source(1), source(2));
  return Other;
}

void Decoder::findProvenance() {
  bounded.clear();
  boundedIndices.clear();
  provenance.assign(function->registers.size(), Nothing);
  if (!options.checks)
    return;
  bool changes = true;
  auto meet = [&](const Operand &target, int value) {
    if (target.kind != Kind::Register)
      return;
    int &held = provenance[target.reg];
    int next = join(held, value);
    changes |= next != held;
    held = next;
  };
  // Each register rises at most twice.
  while (changes) {
    changes = false;
    for (const ptx::Instruction &i : function->body) {
      if (i.operands.empty())
        continue;
      int value = resultProvenance(i);
      const Operand &target = i.operands[0];
      meet(target, value);
      // Vectors and lists take what is not followed.
      for (const Operand &element : target.elements)
        if (target.kind != Kind::Address)
          meet(element, Other);
      if (target.second >= 0) {
        int &held = provenance[target.second];
        changes |= held != Several;
        held = Several;
      }
    }
  }
}

void Decoder::keepInVariable(const Operand &address, unsigned size,
                             bool isWrite) {
  if (!options.checks || address.elements.empty())
    return;
  int index = provenanceOf(address.elements[0]);
  if (index < 0 || failed())
    return;
  auto place = findVariable(bounded[index]->name);
  if (!place)
    return;
  Instr at;
  if (!this->address(address, at))
    return;
  auto *bounds = program.memory.Allocate<Bounds>();
  const std::string name = sourceName(bounded[index]->name);
  char *copy = program.memory.Allocate<char>(name.size() + 1);
  *llvm::copy(name, copy) = 0;
  new (bounds)
      Bounds{place->address, place->bytes, size, isWrite, place->space, copy};
  Instr &i = emit(checkBounds);
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.extra = bounds;
}
