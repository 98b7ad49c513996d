//===- Decoder.cpp - From PTX instructions to handlers ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions, modifiers, registers and constants. Variables and specials are in
// DecoderVariables.cpp, the families in Decode*.cpp.
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

static uint64_t floatBits(const napkin::ptx::Operand &operand,
                          napkin::ptx::Type type) {
  double wide;
  float narrow;
  uint64_t bits = operand.integer;
  if (operand.single) {
    uint32_t low = bits;
    std::memcpy(&narrow, &low, 4);
    wide = narrow;
  } else {
    std::memcpy(&wide, &bits, 8);
    narrow = wide;
  }
  if (typeBits(type) == 64) {
    if (operand.single)
      std::memcpy(&bits, &wide, 8);
    return bits;
  }
  if (operand.single)
    return uint32_t(bits);
  uint32_t low;
  std::memcpy(&low, &narrow, 4);
  return low;
}

/// What is in a register: bits, an integer, a float, or a format that only some
/// instructions know: pairs of halves, bf16, tf32, 8-bit floats. The last are
/// in registers of bits or of the very type.
enum class ValueClass : uint8_t { Bits, Integer, Float, Format };

static ValueClass classOf(Type type) {
  switch (type) {
  case Type::B8:
  case Type::B16:
  case Type::B32:
  case Type::B64:
  case Type::B128:
    return ValueClass::Bits;
  case Type::F16:
  case Type::F32:
  case Type::F64:
    return ValueClass::Float;
  case Type::U8:
  case Type::U16:
  case Type::U32:
  case Type::U64:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
  case Type::S4:
  case Type::U4:
  case Type::B1:
    return ValueClass::Integer;
  default:
    return ValueClass::Format;
  }
}

/// Registers of these types may stand side by side in a vector, or one for the
/// other in an instruction.
static bool areAlike(Type a, Type b) {
  ValueClass ofA = classOf(a), ofB = classOf(b);
  return typeBits(a) == typeBits(b) &&
         (ofA == ValueClass::Bits || ofB == ValueClass::Bits ||
          (ofA == ofB && (a == b || ofA == ValueClass::Integer)));
}

/// Of these a register may be wider than the type.
static bool takesWider(llvm::StringRef opcode) {
  return opcode == "ld" || opcode == "ldu" || opcode == "st" || opcode == "cvt";
}

/// "register %f1 is .f32, ..." if `reg` cannot hold a value of `type`.
/// Registers of several types in one vector (`isMixed`) count as bits.
static std::string misfit(const napkin::ptx::Register &reg, Type type,
                          llvm::StringRef opcode, bool isMixed) {
  bool isWider = typeBits(reg.type) > typeBits(type) && takesWider(opcode);
  const ValueClass wanted = classOf(type);
  ValueClass own = isMixed ? ValueClass::Bits : classOf(reg.type);
  // Loads and stores of bits move whatever the register holds.
  if (wanted == ValueClass::Bits && opcode != "cvt" && takesWider(opcode) &&
      typeBits(reg.type) >= typeBits(type))
    return "";
  if (areAlike(reg.type, type) ||
      (isMixed && typeBits(reg.type) == typeBits(type)))
    return "";
  // A pair of halves is an integer of 32 bits, or two of 16, to most others.
  if (reg.type == Type::F16x2 && typeBits(type) == 32 &&
      !llvm::is_contained({"dp2a", "dp4a", "redux", "mbarrier", "vset2"},
                          opcode) &&
      (wanted == ValueClass::Integer || type == Type::S16x2 ||
       type == Type::U16x2))
    return "";
  // Halves of a pair may come in wider bits, other formats not.
  const bool isHalf = type == Type::F16x2 || type == Type::BF16x2;
  if (isWider && (wanted != ValueClass::Format || isHalf) &&
      (own == ValueClass::Bits ||
       (own == ValueClass::Integer && wanted == ValueClass::Integer)))
    return "";
  return fmt::format("register {} is .{}, and a value of type .{} does not go "
                     "into it",
                     reg.name, typeName(reg.type).str(), typeName(type).str());
}

uint32_t Decoder::source(const Operand &operand, Type type) {
  unsigned bits = std::max(16u, typeBits(type));
  switch (operand.kind) {
  case Kind::Register: {
    if (isPredicate(operand)) {
      fail("a predicate is used as a value");
      return 0;
    }
    if (operand.negated || operand.minus || !operand.part.empty()) {
      fail("a register is negated or taken in part, which this instruction "
           "does not know");
      return 0;
    }
    unsigned own = operandBits(operand);
    uint32_t reference = registerReference(operand.reg);
    touchedNow.push_back(reference);
    usesNow.reads.push_back({reference});
    std::string wrong = misfit(function->registers[operand.reg], type, opcode(),
                               mixedRegisters.contains(operand.reg));
    if (!wrong.empty()) {
      fail(wrong);
      return 0;
    }
    if (own == bits)
      return reference;
    uint32_t cut = temporary(bits);
    Instr &i = emit(backend().resize(bits, own, false));
    i.d = cut;
    i.a = reference;
    return cut;
  }
  case Kind::Integer:
    if (classOf(type) == ValueClass::Float) {
      fail(fmt::format("an integer literal is no .{}; write 0f... or 0d..., or "
                       "a decimal point",
                       typeName(type).str()));
      return 0;
    }
    if (classOf(type) == ValueClass::Format) {
      fail(fmt::format("a literal is no .{}; move its bits into a register",
                       typeName(type).str()));
      return 0;
    }
    return constant(bits, operand.integer);
  case Kind::Float:
    if ((classOf(type) == ValueClass::Integer && opcode() != "st") ||
        classOf(type) == ValueClass::Format || bits < 32 ||
        (classOf(type) == ValueClass::Bits &&
         bits != (operand.single ? 32u : 64u))) {
      fail(fmt::format("a floating-point literal is no .{}",
                       typeName(type).str()));
      return 0;
    }
    return constant(bits, floatBits(operand, type));
  case Kind::Symbol: {
    if (auto place = findVariable(operand.name)) {
      if (bits < 32) {
        fail("an address needs 32 or 64 bits");
        return 0;
      }
      return constant(bits, place->address + operand.integer);
    }
    if (auto address = functionAddress(operand.name))
      return constant(bits, *address);
    fail(fmt::format("unknown name '{}'", operand.name.str()));
    return 0;
  }
  case Kind::Special:
    if (classOf(type) == ValueClass::Float) {
      fail(fmt::format("special register %{} is an integer",
                       operand.name.str()));
      return 0;
    }
    return specialRegister(operand.name, bits);
  default:
    fail("this operand cannot be used here");
    return 0;
  }
}

void Decoder::cachePolicy(const Operand &operand) {
  if (operand.kind == Kind::Float)
    fail("a cache policy is an integer of 64 bits");
  source(operand, Type::U64);
}

uint32_t Decoder::number(const Operand &operand) {
  if (registerType(operand) == Type::F16x2) {
    fail(
        fmt::format("register {} holds two halves, and an integer belongs here",
                    function->registers[operand.reg].name));
    return 0;
  }
  return source(operand, Type::U32);
}

uint32_t Decoder::destination(const Operand &operand, Type type) {
  unsigned bits = std::max(16u, typeBits(type));
  if (operand.kind == Kind::Sink)
    return temporary(bits);
  if (operand.kind != Kind::Register || isPredicate(operand)) {
    fail("the destination must be a register");
    return 0;
  }
  unsigned own = operandBits(operand);
  std::string wrong = misfit(function->registers[operand.reg], type, opcode(),
                             mixedRegisters.contains(operand.reg));
  if (!wrong.empty()) {
    fail(wrong);
    return 0;
  }
  if (!operand.part.empty()) {
    fail("a part of a register cannot be written by this instruction");
    return 0;
  }
  uint32_t reference = registerReference(operand.reg);
  touchedNow.push_back(reference);
  usesNow.writes.push_back(reference);
  if (own == bits)
    return reference;
  uint32_t narrow = temporary(bits);
  widenings.push_back({reference, narrow, own, bits, isSigned(type)});
  return narrow;
}

uint32_t Decoder::predicateRegister(uint32_t reg) {
  uint32_t reference = registerReference(reg);
  usesNow.writes.push_back(reference | predicateId);
  return reference;
}

uint32_t Decoder::predicateSource(const Operand &operand, bool &negated) {
  negated = operand.negated;
  if (auto value = constantOf(operand)) {
    const uint32_t reference = newPredicate();
    Instr &set = emit(predicateConstant);
    set.d = reference;
    set.offset = *value ? -1 : 0;
    return reference;
  }
  if (!isPredicate(operand)) {
    fail("expected a predicate");
    return 0;
  }
  uint32_t reference = registerReference(operand.reg);
  usesNow.reads.push_back({reference | predicateId});
  return reference;
}

uint32_t Decoder::predicateDestination(const Operand &operand) {
  if (operand.kind == Kind::Sink)
    return noRegister;
  if (!isPredicate(operand) || operand.negated) {
    fail("the destination must be a predicate");
    return 0;
  }
  return predicateRegister(operand.reg);
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

/// Registers of less are no addresses.
unsigned Decoder::leastAddressBits() const {
  auto has = [&](llvm::StringRef modifier) {
    return llvm::is_contained(instruction->modifiers, modifier);
  };
  const bool namesShared = has("shared") || has("shared::cta");
  if (opcode() == "mbarrier" && !namesShared && !has("shared::cluster"))
    return 64;
  const bool isWide =
      ((opcode().ends_with("matrix") || has("mbarrier")) && !namesShared) ||
      (has("async") && opcode() != "cp") || opcode() == "wmma" ||
      opcode() == "createpolicy" ||
      (opcode() == "tensormap" && instruction->modifiers[0] == "replace") ||
      (opcode() == "prefetch" && has("tensormap"));
  return isWide ? 32 : 16;
}

bool Decoder::address(const Operand &operand, Instr &to) {
  // `to` may move while the base is cut: the caller passes a copy.
  if (operand.kind != Kind::Address || operand.elements.empty())
    return fail("expected an address in brackets");
  const Operand &base = operand.elements[0];
  to.offset = operand.integer;
  switch (base.kind) {
  case Kind::Register: {
    const unsigned bits = operandBits(base), least = leastAddressBits();
    const ValueClass held = classOf(registerType(base));
    // ptxas does not look at what holds the address of a tensor map.
    const bool isMap = operand.elements.size() > 1 || opcode() == "fence";
    if (bits < least || bits > 64 || isPredicate(base) ||
        (!isMap && (held == ValueClass::Float || held == ValueClass::Format)))
      return fail(fmt::format("an address is in a register of {} to 64 bits "
                              "that holds bits or an integer",
                              least == 16 ? 8 : least));
    const uint32_t given =
        source(base, bits == 64                          ? Type::B64
                     : bits == 32                        ? Type::B32
                     : typeBits(registerType(base)) == 8 ? Type::B8
                                                         : Type::B16);
    if (failed())
      return false;
    usesNow.reads.back().isStrict = true;
    to.a = resized(given, bits, std::max(32u, bits));
    to.small0 = std::max(32u, bits) / 8;
    return !failed();
  }
  case Kind::Integer:
    // Where checkOperandForms() lets it stand.
    to.a = constant(64, base.integer);
    to.small0 = 8;
    return true;
  case Kind::Symbol: {
    auto place = findVariable(base.name);
    if (!place)
      return fail(fmt::format("unknown variable '{}'", base.name.str()));
    to.a = constant(64, place->address + base.integer);
    to.small0 = 8;
    return true;
  }
  default:
    return fail("the address must be a register, a variable or a number");
  }
}

/// The elements of a vector must be of one type, beside which bits of the same
/// width may stand; all are bits then.
bool Decoder::checkVectors() {
  mixedRegisters.clear();
  auto check = [&](const Operand &operand, auto &self) -> bool {
    const Operand *first = nullptr, *typed = nullptr;
    bool hasBits = false;
    for (const Operand &element : operand.elements) {
      if (!self(element, self))
        return false;
      if (operand.kind != Kind::Vector || element.kind != Kind::Register)
        continue;
      for (const Operand *other : {first, typed})
        if (other && !areAlike(registerType(*other), registerType(element)))
          return fail(
              fmt::format("registers {} (.{}) and {} (.{}) stand in one vector",
                          function->registers[other->reg].name,
                          typeName(registerType(*other)).str(),
                          function->registers[element.reg].name,
                          typeName(registerType(element)).str()));
      first = first ? first : &element;
      if (classOf(registerType(element)) == ValueClass::Bits)
        hasBits = true;
      else
        typed = typed ? typed : &element;
    }
    if (hasBits && typed)
      for (const Operand &element : operand.elements)
        if (element.kind == Kind::Register)
          mixedRegisters.insert(element.reg);
    return true;
  };
  return llvm::all_of(operands(), [&](const Operand &operand) {
    return check(operand, check);
  });
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
