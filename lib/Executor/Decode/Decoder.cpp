//===- Decoder.cpp - From PTX instructions to handlers ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions, modifiers, registers and constants. Operands are in Operands.cpp,
// variables and specials in DecoderVariables.cpp, the families in Decode*.cpp.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Decode/Spellings.h"
#include "Machine/Handlers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using napkin::ptx::typeName;
using Kind = napkin::ptx::Operand::Kind;
using Type = napkin::ptx::Type;

Decoder::Decoder(Program &program, const ptx::Module &module,
                 const LaunchConfig &config, const Options &options,
                 Device &device)
    : program(program), module(module), config(config), options(options),
      device(device) {
  program.module = &module;
}

bool Decoder::fail(const std::string &what) {
  if (!error.empty())
    return false;
  if (instruction)
    error =
        fmt::format("{}:{}: error: {}\n  {}", module.file,
                    instruction->position.line, what, instruction->text.str());
  else
    error =
        fmt::format("{}:{}: error: {}", module.file,
                    (function ? function : program.entry)->position.line, what);
  return false;
}

bool Decoder::isSm90() const {
  unsigned number = 0;
  llvm::StringRef(module.target)
      .drop_front(std::min<size_t>(3, module.target.size()))
      .take_while([](char c) { return c >= '0' && c <= '9'; })
      .getAsInteger(10, number);
  return number >= 90;
}

bool Decoder::expectOperands(size_t low, size_t high) {
  high = std::max(low, high);
  if (count() >= low && count() <= high)
    return true;
  return fail(low == high
                  ? fmt::format("expected {} operands, found {}", low, count())
                  : fmt::format("expected {} to {} operands, found {}", low,
                                high, count()));
}

bool Decoder::take(llvm::StringRef name) {
  for (size_t i = 0; i < instruction->modifiers.size(); ++i)
    if (!used[i] && instruction->modifiers[i] == name)
      return used[i] = true;
  return false;
}

int Decoder::takeOneOf(std::initializer_list<llvm::StringRef> names) {
  int index = 0;
  for (llvm::StringRef name : names) {
    if (take(name))
      return index;
    ++index;
  }
  return -1;
}

napkin::ptx::Type Decoder::takeType() {
  for (size_t i = 0; i < instruction->modifiers.size(); ++i) {
    if (used[i])
      continue;
    Type type = ptx::typeFromName(instruction->modifiers[i]);
    if (type == Type::None)
      continue;
    used[i] = true;
    return type;
  }
  return Type::None;
}

llvm::StringRef Decoder::peek() const {
  for (size_t i = 0; i < instruction->modifiers.size(); ++i)
    if (!used[i])
      return instruction->modifiers[i];
  return "";
}

llvm::StringRef Decoder::takePrefix(llvm::StringRef prefix) {
  for (size_t i = 0; i < instruction->modifiers.size(); ++i)
    if (!used[i] && instruction->modifiers[i].starts_with(prefix)) {
      used[i] = true;
      return instruction->modifiers[i];
    }
  return "";
}

void Decoder::takeHints() {
  for (size_t i = 0; i < instruction->modifiers.size(); ++i) {
    llvm::StringRef m = instruction->modifiers[i];
    if (m == "ca" || m == "cg" || m == "cs" || m == "lu" || m == "cv" ||
        m == "wb" || m == "wt" || m == "nc" || m.starts_with("L1::") ||
        m.starts_with("L2::"))
      used[i] = true;
  }
}

bool Decoder::isPredicate(const Operand &operand) const {
  return operand.kind == Kind::Register &&
         function->registers[operand.reg].type == Type::Pred;
}

napkin::ptx::Type Decoder::registerType(const Operand &operand) const {
  return operand.kind == Kind::Register ? function->registers[operand.reg].type
                                        : Type::None;
}

unsigned Decoder::operandBits(const Operand &operand) const {
  if (operand.kind != Kind::Register)
    return 0;
  unsigned bits = typeBits(function->registers[operand.reg].type);
  return bits == 8 ? 16 : bits;
}

uint32_t Decoder::temporary(unsigned bits) {
  if (bits < 16)
    bits = 16;
  // Aligned to the vector width of the host.
  uint32_t at = (program.registerBytes + 63) & ~63u;
  program.registerBytes = at + lanes * bits / 8;
  return at;
}

uint32_t Decoder::registerReference(uint32_t reg) {
  uint32_t &reference = registerReferences[reg];
  if (reference == noRegister) {
    Type type = function->registers[reg].type;
    reference =
        type == Type::Pred ? program.predicates++ : temporary(typeBits(type));
  }
  return reference;
}

uint32_t Decoder::constant(unsigned bits, uint64_t value) {
  bits = bits < 16 ? 16 : bits;
  if (bits > 64) {
    fail("an operand of 128 bits must be a register");
    return 0;
  }
  if (bits < 64)
    value &= (uint64_t(1) << bits) - 1;
  auto [found, isNew] = constants.try_emplace({bits, value}, 0);
  if (isNew) {
    uint32_t at = program.constants.size();
    program.constants.resize(at + lanes * bits / 8);
    for (unsigned l = 0; l < lanes; ++l)
      std::memcpy(&program.constants[at + l * bits / 8], &value, bits / 8);
    program.constants.resize((program.constants.size() + 63) & ~size_t(63));
    found->second = at | constantBit;
  }
  return found->second;
}

std::optional<int64_t> Decoder::constantOf(const Operand &operand) {
  if (operand.kind == Kind::Integer)
    return operand.integer;
  return std::nullopt;
}

Instr &Decoder::emit(Handler handler) {
  if (!handler)
    fail("this combination of types and modifiers is not supported");
  program.code.emplace_back();
  Instr &i = program.code.back();
  i.run = handler;
  if (ownGuard != noGuard) {
    i.guard = ownGuard;
  } else if (instruction->guard >= 0) {
    i.guard = registerReference(instruction->guard);
    i.guardNegated = instruction->guardNegated;
  }
  i.source = program.sources.size() - 1;
  i.flags = firstMicro ? Counted : 0;
  firstMicro = false;
  return i;
}

const uint32_t *Decoder::list(llvm::ArrayRef<uint32_t> references) {
  uint32_t *copy = program.memory.Allocate<uint32_t>(references.size());
  std::copy(references.begin(), references.end(), copy);
  return copy;
}

/// The bits of all registers of an operand.
static uint64_t registerBits(const napkin::ptx::Operand &operand) {
  uint64_t bits = 0;
  if (operand.kind == Kind::Register)
    bits |= registerBit(operand.reg);
  if (operand.second >= 0)
    bits |= registerBit(uint32_t(operand.second));
  for (const napkin::ptx::Operand &element : operand.elements)
    bits |= registerBits(element);
  return bits;
}

bool Decoder::decodeInstruction() {
  used.assign(instruction->modifiers.size(), false);
  for (size_t k = 0; k < used.size(); ++k)
    used[k] = isRepetition(instruction->modifiers, k);
  widenings.clear();
  touchedNow.clear();
  usesNow = RegisterUses();
  firstMicro = true;
  const InstructionInfo *found = findInstruction(instruction->opcode);
  program.sources.push_back(
      {instruction, found ? found->pipe : Pipe::Control, 0, ""});
  info().function = currentFunction;
  for (const ptx::Operand &operand : instruction->operands)
    info().registers |= registerBits(operand);
  if (instruction->guard >= 0)
    info().registers |= registerBit(instruction->guard);
  if (!found) {
    if (const char *why = refusal(instruction->opcode))
      return fail(fmt::format("'{}' is not modelled: {}",
                              instruction->opcode.str(), why));
    return fail(
        fmt::format("unknown instruction '{}'", instruction->opcode.str()));
  }
  std::string wrong = checkSpelling(module, *instruction);
  if (!wrong.empty())
    return fail(wrong);
  if (!checkVectors() || !checkOperandForms())
    return false;
  found->decode(*this);
  if (failed())
    return false;
  for (const Widening &w : widenings) {
    Instr &i = emit(backend().resize(w.toBits, w.fromBits, w.isSigned));
    i.d = w.to;
    i.a = w.from;
  }
  program.touched.push_back(touchedNow);
  if (instruction->guard >= 0) {
    usesNow.isGuarded = true;
    usesNow.reads.push_back(
        {registerReference(instruction->guard) | predicateId, true, true});
  }
  program.uses.push_back(std::move(usesNow));
  if (llvm::StringRef rest = peek(); !rest.empty())
    return fail(
        fmt::format("modifier '.{}' is not supported here", rest.str()));
  return !failed();
}

bool Decoder::decodeFunction(uint32_t index) {
  currentFunction = index;
  function = queue[index];
  instruction = nullptr;
  registerReferences.assign(function->registers.size(), noRegister);
  if (!placeFunctionVariables(*function))
    return false;
  // The first registers are the .reg parameters, which callers know.
  llvm::copy(parameterRegisters[function->name], registerReferences.begin());
  findProvenance();
  functionStarts[index] = program.code.size();
  const uint32_t firstSource = program.sources.size();
  std::vector<uint32_t> starts;
  branches.clear();
  tables.clear();
  for (const ptx::Instruction &next : function->body) {
    starts.push_back(program.code.size());
    if (next.opcode == "branchtargets" || next.opcode == "callprototype" ||
        next.opcode == "calltargets")
      continue;
    instruction = &next;
    if (!decodeInstruction())
      return false;
  }
  starts.push_back(program.code.size());
  // Falling off the end returns.
  static const ptx::Instruction implicitReturn = [] {
    ptx::Instruction i;
    i.opcode = "ret";
    i.text = "ret (end of function)";
    return i;
  }();
  instruction = &implicitReturn;
  if (!decodeInstruction())
    return false;
  for (uint32_t at : branches)
    program.code[at].e = starts[program.code[at].e];
  for (uint32_t at : branches)
    markPolling(at);
  for (auto [table, size] : tables)
    for (unsigned i = 0; i < size; ++i)
      table[i] = starts[table[i]];
  program.functions.push_back(function);
  program.registerReferences.push_back(registerReferences);
  if (options.checks)
    findUnwritten(firstSource);
  return true;
}

/// A loop around a strong load or a returning atomic may wait for others: each
/// turn of it lets them run.
void Decoder::markPolling(uint32_t branch) {
  Instr &i = program.code[branch];
  if (i.run != branchTo || i.e > branch)
    return;
  for (uint32_t at = i.e; at < branch; ++at)
    if (program.code[at].flags & MayPoll) {
      i.run = branchPolling;
      return;
    }
}

uint32_t Decoder::functionIndex(llvm::StringRef name) {
  auto [found, isNew] = functionIndices.try_emplace(name, queue.size());
  if (isNew) {
    const ptx::Function *callee = module.findFunction(name);
    queue.push_back(callee);
    functionStarts.push_back(0);
    if (!callee || !callee->isDefined)
      fail(fmt::format("function '{}' has no body here", name.str()));
    else if (!placeFunctionVariables(*callee))
      return found->second;
  }
  return found->second;
}

bool Decoder::checkRecursion() {
  // Callers before callees; what is never free of callers is in a circle.
  std::vector<std::vector<uint32_t>> callees(queue.size());
  std::vector<uint32_t> callers(queue.size(), 0), depth(queue.size(), 0), free;
  for (auto [from, to] : callEdges) {
    callees[from].push_back(to);
    ++callers[to];
  }
  for (uint32_t f = 0; f < queue.size(); ++f)
    if (!callers[f])
      free.push_back(f);
  for (size_t done = 0; done < free.size(); ++done)
    for (uint32_t to : callees[free[done]]) {
      depth[to] = std::max(depth[to], depth[free[done]] + 1);
      if (!--callers[to])
        free.push_back(to);
    }
  for (uint32_t f = 0; f < queue.size(); ++f) {
    function = queue[f];
    if (callers[f])
      return fail(
          fmt::format("function '{}' is recursive, or is called by one that "
                      "is, which is not supported",
                      queue[f]->name.str()));
    if (depth[f] + 1 >= maximumCallDepth)
      return fail("calls are nested too deeply");
  }
  return true;
}

llvm::Error Decoder::run(const ptx::Function &entry,
                         const Arguments &arguments) {
  program.entry = &entry;
  auto finish = [&]() -> llvm::Error {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                   error.c_str());
  };
  function = &entry;
  queue.push_back(&entry);
  functionStarts.push_back(0);
  functionIndices[entry.name] = 0;
  if (!placeVariables(arguments))
    return finish();
  for (uint32_t i = 0; i < queue.size(); ++i)
    if (!decodeFunction(i))
      return finish();
  instruction = nullptr;
  if (!checkRecursion())
    return finish();
  for (uint32_t at : calls)
    program.code[at].e = functionStarts[program.code[at].e];
  // Instructions that share registers with some wgmma are watched.
  for (Instr &i : program.code) {
    std::vector<uint32_t> &touched = program.touched[i.source];
    if (!(i.flags & Counted) || program.productRegisters.empty())
      continue;
    llvm::erase_if(touched, [&](uint32_t r) {
      return !program.productRegisters.count(r);
    });
    if (!touched.empty() && !program.sources[i.source].isProduct)
      i.flags |= TouchesProducts;
  }
  return llvm::Error::success();
}

llvm::Error napkin::executor::decode(Program &program,
                                     const ptx::Module &module,
                                     const ptx::Function &entry,
                                     const Arguments &arguments,
                                     const LaunchConfig &config,
                                     const Options &options, Device &device) {
  Decoder decoder(program, module, config, options, device);
  return decoder.run(entry, arguments);
}
