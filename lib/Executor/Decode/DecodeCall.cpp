//===- DecodeCall.cpp - Calls of functions ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arguments are copied to where the callee's parameters lie in the thread's
// memory, results back.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::Space;
using napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

/// Between a register (or a number) and a parameter that is a register.
static bool copyRegister(Decoder &d, const Decoder::Operand &own,
                         const napkin::ptx::Function &callee, size_t position,
                         bool back) {
  const auto &parameter =
      back ? callee.results[position] : callee.parameters[position];
  auto theirs = d.parameterRegister(callee, back, position);
  unsigned bits = std::max(16u, napkin::ptx::typeBits(parameter.type));
  if (!theirs || bits > 64)
    return d.fail("this .reg parameter is not supported");
  uint32_t mine =
      back ? d.destination(own, parameter.type) : d.source(own, parameter.type);
  Instr &i = d.emit(backend().integer(AluOp::Mov, bits, false));
  i.d = back ? mine : *theirs;
  i.a = back ? *theirs : mine;
  if (!back)
    d.alsoWrites(*theirs);
  return !d.failed();
}

static bool copyArguments(Decoder &d, llvm::ArrayRef<Decoder::Operand> own,
                          const napkin::ptx::Function &callee, bool back) {
  const auto &theirs = back ? callee.results : callee.parameters;
  if (own.size() != theirs.size())
    return d.fail(fmt::format("the function has {} of these, the call {}",
                              theirs.size(), own.size()));
  for (size_t j = 0; j < own.size(); ++j) {
    const auto &parameter = theirs[j];
    if (parameter.space == Space::Register) {
      if (!copyRegister(d, own[j], callee, j, back))
        return false;
      continue;
    }
    auto target = d.findVariable(parameter.name, &callee);
    if (!target)
      return d.fail("the function's parameter has no place");
    uint64_t bytes = parameter.bytes();
    if (own[j].kind == Kind::Symbol) {
      auto mine = d.findVariable(own[j].name);
      if (!mine || mine->bytes < bytes)
        return d.fail("the argument is smaller than the parameter");
      if (!parameter.elements)
        bytes = mine->bytes; // the rest of a variadic function's arguments
      if (bytes > target->bytes)
        return d.fail(fmt::format("variadic arguments of {} bytes; at most {} "
                                  "are supported",
                                  bytes, target->bytes));
      Instr &i = d.emit(copyLocal);
      i.offset = back ? mine->address : target->address;
      i.e = back ? target->address : mine->address;
      i.d = bytes;
    } else {
      // A register or a number: through a store or a load of local memory.
      Type type = bytes == 8   ? Type::B64
                  : bytes == 4 ? Type::B32
                  : bytes == 2 ? Type::B16
                               : Type::B8;
      uint32_t reference =
          back ? d.destination(own[j], type) : d.source(own[j], type);
      Instr &i = d.emit(back ? backend().load(SpaceLocal, bytes, 1)
                             : backend().store(SpaceLocal, bytes, 1));
      i.a = d.constant(64, target->address);
      i.small0 = 8;
      i.list = d.list({reference});
    }
  }
  return !d.failed();
}

static bool emitCall(Decoder &d, llvm::StringRef callee,
                     llvm::ArrayRef<Decoder::Operand> arguments,
                     llvm::ArrayRef<Decoder::Operand> results) {
  uint32_t index = d.functionIndex(callee);
  if (d.failed())
    return false;
  const napkin::ptx::Function *function = d.functionAt(index);
  if (!copyArguments(d, arguments, *function, false))
    return false;
  Instr &i = d.emit(callFunction);
  i.e = index;
  d.patchCallLater(d.codeSize() - 1);
  return copyArguments(d, results, *function, true);
}

/// The names of functions whose address the module takes.
static llvm::StringMap<bool> addressTaken(const napkin::ptx::Module &module) {
  llvm::StringMap<bool> names;
  auto add = [&](const Decoder::Operand &operand) {
    if (operand.kind == Kind::Symbol)
      names[operand.name] = true;
  };
  for (const napkin::ptx::Variable &variable : module.variables)
    for (const napkin::ptx::Relocation &relocation : variable.relocations)
      names[relocation.symbol] = true;
  for (const napkin::ptx::Function &function : module.functions)
    for (const napkin::ptx::Instruction &instruction : function.body)
      if (instruction.opcode != "call")
        for (const Decoder::Operand &operand : instruction.operands) {
          add(operand);
          for (const Decoder::Operand &element : operand.elements)
            add(element);
        }
  return names;
}

static bool fits(Decoder &d, llvm::ArrayRef<Decoder::Operand> own,
                 const std::vector<napkin::ptx::Variable> &theirs) {
  if (own.size() != theirs.size())
    return false;
  for (size_t j = 0; j < own.size(); ++j)
    if (own[j].kind == Kind::Symbol) {
      auto mine = d.findVariable(own[j].name);
      if (!mine || mine->bytes != theirs[j].bytes())
        return false;
    }
  return true;
}

/// A call through a register: for each function that fits and whose address is
/// taken, the lanes that name it call it.
static bool callIndirectly(Decoder &d, const Decoder::Operand &callee,
                           llvm::ArrayRef<Decoder::Operand> arguments,
                           llvm::ArrayRef<Decoder::Operand> results) {
  uint32_t target = d.source(callee, Type::U64);
  llvm::StringMap<bool> taken = addressTaken(d.module);
  llvm::SmallVector<const napkin::ptx::Function *, 8> candidates;
  llvm::SmallVector<uint32_t, 8> addresses(1);
  for (const napkin::ptx::Function &function : d.module.functions)
    if (!function.isEntry && function.isDefined && taken.count(function.name) &&
        fits(d, arguments, function.parameters) &&
        fits(d, results, function.results)) {
      candidates.push_back(&function);
      addresses.push_back(*d.functionAddress(function.name));
    }
  addresses[0] = candidates.size();
  if (d.failed())
    return false;
  Instr &check = d.emit(checkCallee);
  check.a = target;
  check.list = d.list(addresses);
  for (size_t c = 0; c < candidates.size(); ++c) {
    uint32_t chosen = d.newPredicate(),
             address = d.constant(64, addresses[c + 1]);
    Instr &clear = d.emit(predicateConstant);
    clear.d = chosen;
    clear.offset = 0;
    clear.guard = noGuard;
    Instr &same = d.emit(backend().compare(Compare::Eq, Type::U64, false));
    same.d = chosen;
    same.e = noRegister;
    same.a = target;
    same.b = address;
    d.guardBy(chosen);
    bool called = emitCall(d, candidates[c]->name, arguments, results);
    d.guardBy(noGuard);
    if (!called)
      return false;
  }
  return !d.failed();
}

/// Where each operand, a variable of at least so many bytes, is in local
/// memory.
static bool places(Decoder &d, llvm::ArrayRef<Decoder::Operand> operands,
                   llvm::ArrayRef<unsigned> bytes,
                   llvm::SmallVectorImpl<uint32_t> &to) {
  bool isFine = operands.size() == bytes.size();
  for (size_t o = 0; isFine && o < bytes.size(); ++o) {
    auto place = operands[o].kind == Kind::Symbol
                     ? d.findVariable(operands[o].name)
                     : std::nullopt;
    isFine = place && place->bytes >= bytes[o] &&
             (place->space == Space::Local || place->space == Space::Param);
    if (isFine)
      to.push_back(place->address);
  }
  return isFine || d.fail("these are not the parameters of this function of "
                          "the device's runtime");
}

// (message, file, line, function, bytes of a character)
static bool decodeAssertion(Decoder &d,
                            llvm::ArrayRef<Decoder::Operand> arguments) {
  llvm::SmallVector<uint32_t, 5> at;
  if (!places(d, arguments, {8, 8, 4, 8, 8}, at))
    return false;
  Instr &i = d.emit(failAssertion);
  i.list = d.list({at[0], at[1], at[3], at[2]});
  return !d.failed();
}

// (count) of (format, arguments)
static bool decodePrint(Decoder &d, llvm::ArrayRef<Decoder::Operand> arguments,
                        llvm::ArrayRef<Decoder::Operand> results) {
  llvm::SmallVector<uint32_t, 3> at;
  if (!places(d, arguments, {8, 8}, at) || !places(d, results, {4}, at))
    return false;
  Instr &i = d.emit(printLanes);
  i.offset = at[0];
  i.e = at[1];
  i.d = at[2];
  return !d.failed();
}

// call{.uni} (results), function, (arguments), prototype;
bool napkin::executor::decodeCall(Decoder &d) {
  d.take("uni");
  llvm::ArrayRef<Decoder::Operand> results, arguments;
  size_t at = 0;
  if (d.count() && d.operand(0).kind == Kind::List)
    results = d.operand(at++).elements;
  if (at >= d.count())
    return d.fail("the function is missing");
  const Decoder::Operand &callee = d.operand(at++);
  if (at < d.count() && d.operand(at).kind == Kind::List)
    arguments = d.operand(at++).elements;
  if (callee.kind == Kind::Register)
    return callIndirectly(d, callee, arguments, results);
  if (callee.kind != Kind::Symbol)
    return d.fail("the function must be a name or a register");
  if (callee.name == "__assertfail")
    return decodeAssertion(d, arguments);
  if (callee.name == "vprintf")
    return decodePrint(d, arguments, results);
  return emitCall(d, callee.name, arguments, results);
}

// stacksave d; stackrestore a; alloca d, size, alignment. The stack is an area
// of each thread's local memory that begins with the first of these.
bool napkin::executor::decodeStack(Decoder &d) {
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::U64)
    return d.fail("the type is .u32 or .u64");
  auto stack = d.stackArea();
  unsigned bits = napkin::ptx::typeBits(type);
  uint32_t address = d.temporary(64);
  if (d.opcode() == "stackrestore") {
    if (!d.expectOperands(1))
      return false;
    uint32_t a = d.resized(d.source(d.operand(0), type), bits, 64);
    Instr &i = d.emit(backend().integer(AluOp::Sub, 64, false));
    i.d = stack.pointer;
    i.a = a;
    i.b = d.constant(64, stack.base);
    return !d.failed();
  }
  if (d.opcode() == "stacksave") {
    if (!d.expectOperands(1))
      return false;
    Instr &i = d.emit(backend().integer(AluOp::Add, 64, false));
    i.d = address;
    i.a = stack.pointer;
    i.b = d.constant(64, stack.base);
  } else {
    if (!d.expectOperands(2, 3))
      return false;
    auto alignment =
        d.count() == 3 ? d.constantOf(d.operand(2)) : std::optional<int64_t>(8);
    if (!alignment || *alignment < 1 || (*alignment & (*alignment - 1)) ||
        *alignment > int64_t(stack.bytes))
      return d.fail("the alignment of alloca is a power of two");
    uint32_t size = d.resized(d.source(d.operand(1), type), bits, 64);
    Instr &i = d.emit(allocateStack);
    i.d = address;
    i.a = size;
    i.b = stack.pointer;
    i.c = stack.base;
    i.e = stack.bytes;
    i.offset = *alignment;
  }
  uint32_t to = d.destination(d.operand(0), type);
  Instr &copy = d.emit(bits == 64 ? backend().integer(AluOp::Mov, 64, false)
                                  : backend().resize(bits, 64, false));
  copy.d = to;
  copy.a = address;
  return !d.failed();
}
