//===- OperandForms.cpp - Operands as ptxas takes them ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What holds for the operands of all instructions, whoever decodes them: which
// may have a second result, be `_` or a variable's name, and what may stand in
// brackets. Found by asking ptxas 13.0.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Decode/Names.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

using namespace napkin::executor;
using Kind = napkin::ptx::Operand::Kind;
using Operand = napkin::ptx::Operand;
using Space = napkin::ptx::Space;

/// Of these the first operand may be `a|p`, where p is a predicate.
static bool hasSecondResult(const napkin::ptx::Instruction &i) {
  auto has = [&](llvm::StringRef modifier) {
    return llvm::is_contained(i.modifiers, modifier);
  };
  if (i.opcode == "match")
    return has("all");
  if (i.opcode == "lop3")
    return has("or") || has("and");
  return llvm::is_contained({"setp", "shfl", "elect"}, i.opcode);
}

/// Of these the first operand may be `_`.
static bool mayDropResult(const napkin::ptx::Instruction &i) {
  if (i.opcode == "match")
    return llvm::is_contained(i.modifiers, "all");
  return llvm::is_contained({"setp", "atom", "lop3", "elect"}, i.opcode) ||
         (i.opcode == "mbarrier" && !i.modifiers.empty() &&
          i.modifiers[0].starts_with("arrive"));
}

/// Calls and branches name functions and labels.
static bool isTransfer(llvm::StringRef opcode) {
  return llvm::is_contained({"call", "bra", "brx"}, opcode);
}

/// The state space that a modifier names.
static std::optional<Space> spaceOf(llvm::StringRef modifier) {
  if (modifier == "global")
    return Space::Global;
  if (modifier == "shared" || modifier.starts_with("shared::"))
    return Space::Shared;
  if (modifier == "local")
    return Space::Local;
  if (modifier == "const")
    return Space::Const;
  if (modifier == "param" || modifier.starts_with("param::"))
    return Space::Param;
  return std::nullopt;
}

static const char *spaceName(Space space) {
  static const char *names[] = {"register", "global", "shared",
                                "local",    "param",  "const"};
  return names[unsigned(space)];
}

/// Where an address operand must point; nothing: anywhere.
static std::optional<Space> spaceOfOperand(const napkin::ptx::Instruction &i,
                                           size_t position) {
  llvm::SmallVector<Space, 2> named;
  for (llvm::StringRef modifier : i.modifiers)
    if (auto space = spaceOf(modifier))
      named.push_back(*space);
  if (i.opcode == "cp" || i.opcode == "tensormap") {
    // Target and source, then an mbarrier.
    if (position < named.size() && position < 2)
      return named[position];
    return position >= 2 ? std::optional(Space::Shared) : std::nullopt;
  }
  if (i.opcode == "mbarrier")
    return Space::Shared;
  static const llvm::StringRef ofOneSpace[] = {
      "ld",       "ldu",      "st",       "atom",         "red",
      "ldmatrix", "stmatrix", "mbarrier", "prefetch",     "wmma",
      "discard",  "multimem", "fence",    "applypriority"};
  if (named.size() == 1 && llvm::is_contained(ofOneSpace, i.opcode))
    return named[0];
  return std::nullopt;
}

/// What is in brackets: the base must be a register or a variable of the space
/// that is named.
bool Decoder::checkAddress(const Operand &operand, size_t position) {
  if (operand.elements.empty())
    return true;
  const Operand &base = operand.elements[0];
  if (base.kind == Kind::Integer) {
    // ptxas takes them where it emits nothing.
    bool isNothing = (opcode() == "prefetch" &&
                      llvm::is_contained(instruction->modifiers, "local")) ||
                     opcode() == "fence";
    return isNothing ||
           fail("an address begins with a register or a variable; move the "
                "number into a register");
  }
  if (base.kind != Kind::Symbol)
    return true;
  auto wanted = spaceOfOperand(*instruction, position);
  auto place = findVariable(base.name);
  if (place && !wanted && opcode() != "fence" &&
      (place->space == Space::Const ||
       (place->space == Space::Param && place->isKernelParameter)))
    return fail(fmt::format("'{}' is a .{} variable, which a generic address "
                            "does not reach",
                            sourceName(base.name), spaceName(place->space)));
  if (opcode() == "prefetchu" && place && place->space != Space::Global)
    return fail(fmt::format("'{}' is a .{} variable, and prefetchu takes a "
                            "generic address",
                            sourceName(base.name), spaceName(place->space)));
  // Parameters of functions that are called lie in local memory.
  const bool mayBeParameter =
      (wanted == Space::Param && opcode() != "prefetch" &&
       !(place && place->space == Space::Local)) ||
      (place && place->space == Space::Param &&
       !(place->isKernelParameter && wanted == Space::Shared));
  if (!wanted || !place || *wanted == place->space || mayBeParameter)
    return true;
  return fail(fmt::format("'{}' is a .{} variable, and the address is one of "
                          ".{} memory",
                          sourceName(base.name), spaceName(place->space),
                          spaceName(*wanted)));
}

/// The variable of a cvta: of the space that it converts from.
bool Decoder::checkConverted(const Operand &operand) {
  auto place = findVariable(operand.name);
  auto wanted = instruction->modifiers.empty()
                    ? std::nullopt
                    : spaceOf(instruction->modifiers[0]);
  if (!place || (wanted && *wanted == place->space))
    return true;
  return fail(fmt::format("'{}' is a .{} variable, and cvta converts from "
                          "another space, or to one",
                          sourceName(operand.name), spaceName(place->space)));
}

bool Decoder::checkOperandForms() {
  if (isTransfer(opcode())) {
    for (const Operand &operand : operands())
      if (operand.second >= 0)
        return fail("a label has no second part");
    return true;
  }
  for (size_t k = 0; k < count(); ++k) {
    const Operand &operand = operands()[k];
    // `%r1|_` drops what is not there.
    if (operand.second == -2 && operand.kind != Kind::Register &&
        operand.kind != Kind::Sink)
      return fail(fmt::format("operand {} of '{}' has no second part", k,
                              opcode().str()));
    if (operand.second >= 0 &&
        (k || !hasSecondResult(*instruction) ||
         function->registers[operand.second].type != ptx::Type::Pred))
      return fail(fmt::format(
          "operand {} of '{}' has no second part{}", k, opcode().str(),
          hasSecondResult(*instruction) && !k ? " but a predicate" : ""));
    if (operand.kind == Kind::Sink &&
        (k || !mayDropResult(*instruction) ||
         (operand.second != -1 && opcode() == "mbarrier")))
      return fail(
          fmt::format("operand {} of '{}' cannot be '_'", k, opcode().str()));
    if (operand.kind == Kind::Symbol && opcode() == "cvta") {
      if (!checkConverted(operand))
        return false;
      continue;
    }
    if (operand.kind == Kind::Symbol && !(k == 1 && opcode() == "mov"))
      return fail(fmt::format("'{}' does not take the address of '{}'; mov "
                              "does",
                              opcode().str(), sourceName(operand.name)));
    // A vector, and the coordinates beside the address of a tensor map.
    auto hasNoSymbol = [&](const Operand &vector) {
      for (const Operand &element : vector.elements)
        if (vector.kind == Kind::Vector && element.kind == Kind::Symbol)
          return fail(fmt::format("the address of '{}' cannot stand in a "
                                  "vector; mov gives it to a register",
                                  sourceName(element.name)));
      return true;
    };
    if (!hasNoSymbol(operand) || !llvm::all_of(operand.elements, hasNoSymbol))
      return false;
    if (operand.kind == Kind::Address && !checkAddress(operand, k))
      return false;
  }
  return true;
}
