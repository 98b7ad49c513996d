//===- Operands.cpp - What an operand gives and takes ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sources, destinations, predicates and addresses: which registers and literals
// ptxas takes for a value of a type, and the references to them.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using napkin::ptx::typeName;
using Kind = napkin::ptx::Operand::Kind;
using Type = napkin::ptx::Type;

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

/// Registers of less are no addresses.
unsigned Decoder::leastAddressBits() const {
  auto has = [&](llvm::StringRef modifier) {
    return llvm::is_contained(instruction->modifiers, modifier);
  };
  const bool namesShared = has("shared") || has("shared::cta");
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
    const bool namesSpace =
        llvm::any_of(instruction->modifiers, [](llvm::StringRef modifier) {
          return modifier.starts_with("shared");
        });
    if (opcode() == "mbarrier" && bits == 32 && !namesSpace)
      return fail("a generic address has 64 bits");
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
