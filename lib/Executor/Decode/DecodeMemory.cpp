//===- DecodeMemory.cpp - Loads, stores, atomics ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// State spaces, vectors, cache hints and atomics.
//
//===----------------------------------------------------------------------===//

#include "Checks/Clocks.h"
#include "Decode/Decoder.h"
#include "Decode/Spellings.h"
#include "Machine/Atomics.h"
#include "Machine/Handlers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::isFloat;
using napkin::ptx::isSigned;
using napkin::ptx::Space;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

namespace {

/// The state space of an access; -1 after an error.
int takeSpace(Decoder &d) {
  int space =
      d.takeOneOf({"global", "shared", "local", "const", "param", "shared::cta",
                   "shared::cluster", "param::entry", "param::func"});
  switch (space) {
  case 0:
  case 3:
    return SpaceGlobal;
  case 1:
  case 5:
  case 6:
    return SpaceShared;
  case 2:
    return SpaceLocal;
  case 4:
  case 7:
  case 8:
    return SpaceParam;
  default:
    return SpaceGeneric;
  }
}

/// Ordering modifiers, as Order::decode takes them; the executor's memory is
/// sequentially consistent, so they only matter to the race detector.
uint8_t takeOrdering(Decoder &d, bool isAtomic = false) {
  // An atomic is relaxed at least; device scope is the default.
  uint8_t order = isAtomic;
  d.take("weak");
  if (d.take("volatile"))
    order |= 1;
  if (d.take("relaxed"))
    order |= 1;
  if (d.take("acquire"))
    order |= 1 | 2;
  if (d.take("release"))
    order |= 1 | 4;
  if (d.take("acq_rel"))
    order |= 1 | 2 | 4;
  if (d.take("mmio"))
    order |= 1;
  int scope = d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (order)
    order |= uint8_t(scope < 0 || scope > ScopeDevice ? ScopeDevice : scope)
             << 3;
  return order;
}

/// The last operand is a cache policy.
bool takesPolicy(Decoder &d) {
  const bool hasHint =
      llvm::is_contained(d.instruction->modifiers, "L2::cache_hint");
  if (hasHint && d.count())
    d.cachePolicy(d.operand(d.count() - 1));
  return hasHint;
}

/// 16 bytes are moved at once; 32 from sm_100 on.
bool checkWidth(Decoder &d, Type type, unsigned count) {
  if (typeBits(type) * count <= 128)
    return true;
  std::string unmet = typeBits(type) * count == 256
                          ? unmetNeed(d.module, "sm_100", "8.8")
                          : "is too wide";
  return unmet.empty() ||
         d.fail(fmt::format("a vector of {} .{} {}", count,
                            napkin::ptx::typeName(type).str(), unmet));
}

unsigned takeVector(Decoder &d) {
  return d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1;
}

/// How an access of `count` elements goes to memory: 128 bits as two halves,
/// eight elements of a byte or two as words of 64 bits.
struct Unit {
  unsigned bytes, own;
  bool isWide, isPacked;
  Unit(Type type, unsigned count)
      : bytes(std::max(1u, typeBits(type) / 8)), own(bytes),
        isWide(bytes == 16), isPacked(bytes <= 2 && count == 8) {
    if (isWide || isPacked)
      bytes = 8;
  }
  /// The registers that take part in the access itself.
  llvm::SmallVector<uint32_t, 8>
  cells(Decoder &d, llvm::ArrayRef<uint32_t> references) const {
    llvm::SmallVector<uint32_t, 8> cells;
    if (isPacked)
      for (unsigned word = 0; word < own; ++word)
        cells.push_back(d.temporary(64));
    else if (!isWide)
      llvm::append_range(cells, references);
    else
      for (uint32_t reference : references)
        if (reference == noRegister)
          cells.append(2, noRegister);
        else
          llvm::append_range(cells, Decoder::halves(reference));
    return cells;
  }
  /// Between the words and the elements of a packed access.
  void repack(Decoder &d, Handler handler, llvm::ArrayRef<uint32_t> words,
              llvm::ArrayRef<uint32_t> elements) const {
    unsigned each = 8 / own;
    for (unsigned word = 0; isPacked && word < words.size(); ++word) {
      Instr &i = d.emit(handler);
      i.d = i.a = words[word];
      i.list = d.list(elements.slice(word * each, each));
      i.small0 = each;
      i.small1 = own;
      i.e = 8;
    }
  }
};

/// ld.param of a kernel's parameter: its value is known.
bool loadParameter(Decoder &d, const Decoder::VariablePlace &place,
                   int64_t offset, Type type, unsigned count,
                   llvm::ArrayRef<Decoder::Operand> targets) {
  unsigned bytes = std::max(1u, typeBits(type) / 8);
  if (offset < 0 || uint64_t(offset) + bytes * count > place.bytes)
    return d.fail("the load leaves the parameter");
  if ((place.address + offset) % (bytes * count))
    return d.fail("the load is misaligned");
  for (unsigned j = 0; j < count; ++j) {
    if (targets[j].kind == Kind::Sink)
      continue;
    uint64_t value[2] = {0, 0};
    std::memcpy(&value,
                &d.program.parameters[place.address + offset + j * bytes],
                bytes);
    if (bytes == 1 && isSigned(type))
      value[0] = uint16_t(int8_t(value[0]));
    unsigned bits = std::min(64u, std::max(16u, typeBits(type)));
    auto to = Decoder::halves(d.destination(targets[j], type));
    for (unsigned half = 0; half < std::max(1u, bytes / 8); ++half) {
      Instr &i = d.emit(backend().integer(AluOp::Mov, bits, false));
      i.d = to[half];
      i.a = d.constant(bits, value[half]);
    }
  }
  return !d.failed();
}

} // namespace

bool napkin::executor::decodeLoad(Decoder &d) {
  uint8_t order = takeOrdering(d);
  int space = takeSpace(d);
  const bool hasHint = takesPolicy(d);
  d.takeHints();
  d.take("unified");
  unsigned count = takeVector(d);
  Type type = d.takeType();
  if (type == Type::None || type == Type::Pred)
    return d.fail("the type is missing or unknown");
  // A cache policy follows where a hint asks for one.
  if (!d.expectOperands(2 + hasHint) || !checkWidth(d, type, count))
    return false;
  Unit unit(type, count);
  llvm::SmallVector<Decoder::Operand, 8> targets;
  if (d.operand(0).kind == Kind::Vector)
    targets.append(d.operand(0).elements.begin(), d.operand(0).elements.end());
  else
    targets.push_back(d.operand(0));
  if (targets.size() != count)
    return d.fail(fmt::format("expected {} registers", count));
  const Decoder::Operand &from = d.operand(1);
  if (from.kind != Kind::Address)
    return d.fail("expected an address in brackets");
  if (space == SpaceParam) {
    d.info().pipe = Pipe::ALU;
    if (from.elements[0].kind == Kind::Symbol) {
      auto place = d.findVariable(from.elements[0].name);
      if (!place)
        return d.fail(
            fmt::format("unknown parameter '{}'", from.elements[0].name.str()));
      if (place->isKernelParameter)
        return loadParameter(d, *place, from.integer + from.elements[0].integer,
                             type, count, targets);
      space = SpaceLocal;
    }
  }
  Instr at;
  if (!d.address(from, at))
    return false;
  llvm::SmallVector<uint32_t, 8> references;
  for (const auto &target : targets)
    references.push_back(
        target.kind == Kind::Sink ? noRegister : d.destination(target, type));
  auto cells = unit.cells(d, references);
  d.keepInVariable(from, unit.own * count, false);
  Instr &i =
      d.emit(backend().load(AddressSpace(space), unit.bytes, cells.size()));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = order;
  i.strongRead = order;
  i.flags |= order ? MayPoll : 0;
  if (order && (space == SpaceGlobal || space == SpaceGeneric))
    d.program.mayWaitForBlocks = true;
  i.list = d.list(cells);
  unit.repack(d, unpackRegisters, cells, references);
  if (typeBits(type) == 8 && isSigned(type))
    // Sign-extend inside the 16-bit cells.
    for (uint32_t cell : references) {
      if (cell == noRegister)
        continue;
      Instr &extend = d.emit(backend().resize(16, 8, true));
      extend.d = extend.a = cell;
    }
  return !d.failed();
}

bool napkin::executor::decodeStore(Decoder &d) {
  if (d.take("async"))
    return decodeStAsync(d);
  if (d.take("bulk"))
    return d.fail("st.bulk needs sm_100");
  uint8_t order = takeOrdering(d);
  int space = takeSpace(d);
  const bool hasHint = takesPolicy(d);
  d.takeHints();
  unsigned count = takeVector(d);
  Type type = d.takeType();
  if (type == Type::None || type == Type::Pred)
    return d.fail("the type is missing or unknown");
  if (!d.expectOperands(2 + hasHint) || !checkWidth(d, type, count))
    return false;
  Unit unit(type, count);
  if (space == SpaceParam)
    space = SpaceLocal; // an argument of a call
  llvm::SmallVector<uint32_t, 8> references;
  const Decoder::Operand &value = d.operand(1);
  if (value.kind == Kind::Vector)
    for (const auto &element : value.elements)
      references.push_back(d.source(element, type));
  else
    references.push_back(d.source(value, type));
  if (references.size() != count)
    return d.fail(fmt::format("expected {} registers", count));
  Instr at;
  if (!d.address(d.operand(0), at))
    return false;
  auto cells = unit.cells(d, references);
  unit.repack(d, packRegisters, cells, references);
  d.keepInVariable(d.operand(0), unit.own * count, true);
  Instr &i =
      d.emit(backend().store(AddressSpace(space), unit.bytes, cells.size()));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = order;
  if (order && (space == SpaceGlobal || space == SpaceGeneric))
    d.program.hasGlobalAtomics = true;
  i.list = d.list(cells);
  return !d.failed();
}

// createpolicy.fractional p{, f32}; .range p, [a], bytes, bytes; .cvt p, b64
static bool decodeCreatePolicy(Decoder &d) {
  const int kind = d.takeOneOf({"fractional", "range", "cvt"});
  d.takeHints();
  const Type type = d.takeType();
  const bool isRange = kind == 1;
  if (!d.expectOperands(kind == 0 ? 1
                        : isRange ? 4
                                  : 2,
                        kind == 0 ? 2
                        : isRange ? 4
                                  : 2))
    return false;
  Instr at;
  if (isRange && !d.address(d.operand(1), at))
    return false;
  for (size_t k = isRange ? 2 : 1; k < d.count(); ++k)
    d.source(d.operand(k), kind == 0 ? Type::F32
                           : isRange ? Type::U32
                                     : Type::U64);
  if (type != Type::B64)
    return d.fail("a cache policy is a .b64");
  uint32_t to = d.destination(d.operand(0), Type::U64);
  Instr &i = d.emit(backend().integer(AluOp::Mov, 64, false));
  i.d = to;
  i.a = d.constant(64, 0);
  return !d.failed();
}

// prefetch, prefetchu, discard, applypriority, createpolicy
bool napkin::executor::decodePrefetch(Decoder &d) {
  d.takeHints();
  d.takeOneOf({"global", "local", "const", "param"});
  d.take("tensormap");
  d.takePrefix("L");
  if (d.opcode() == "createpolicy")
    return decodeCreatePolicy(d);
  // discard and applypriority name their 128 bytes.
  const bool hasSize = !d.opcode().starts_with("prefetch");
  Instr at;
  if (!d.expectOperands(hasSize ? 2 : 1) || !d.address(d.operand(0), at))
    return false;
  if (hasSize && d.constantOf(d.operand(1)) != 128)
    return d.fail(fmt::format("'{}' is of 128 bytes", d.opcode().str()));
  d.emit(doNothing);
  return !d.failed();
}

// atom, red
bool napkin::executor::decodeAtom(Decoder &d) {
  if (d.take("async"))
    return decodeRedAsync(d);
  bool red = d.opcode() == "red";
  uint8_t order = takeOrdering(d, true);
  int space = takeSpace(d);
  const bool hasHint = takesPolicy(d);
  d.takeHints();
  AtomicForm *form = d.extra<AtomicForm>();
  *form = {};
  int op = d.takeOneOf(
      {"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  if (op < 0)
    return d.fail("the operation is missing or unknown");
  bool noFtz = d.take("noftz");
  form->op = AtomicOp(op);
  form->count = takeVector(d);
  form->type = d.takeType();
  form->order = order;
  if (form->type == Type::None)
    return d.fail("the type is missing or unknown");
  Type t = form->type;
  bool half = t == Type::F16 || t == Type::F16x2 || t == Type::BF16 ||
              t == Type::BF16x2;
  bool isOk = true;
  switch (form->op) {
  case AtomicOp::Add:
    isOk = t != Type::B32 && t != Type::B64 && typeBits(t) >= 16;
    break;
  case AtomicOp::Min:
  case AtomicOp::Max:
    isOk = t == Type::U32 || t == Type::S32 || t == Type::U64 ||
           t == Type::S64 || half;
    break;
  case AtomicOp::And:
  case AtomicOp::Or:
  case AtomicOp::Xor:
    isOk = t == Type::B32 || t == Type::B64;
    break;
  case AtomicOp::Exchange:
    isOk = t == Type::B32 || t == Type::B64 || t == Type::B128;
    break;
  case AtomicOp::CompareExchange:
    isOk =
        t == Type::B16 || t == Type::B32 || t == Type::B64 || t == Type::B128;
    break;
  default:
    isOk = t == Type::U32;
    break;
  }
  if (!isOk || (half && !noFtz))
    return d.fail(
        "this operation does not take this type (half types need .noftz)");
  form->elementBytes = typeBits(t) / 8;
  form->returns = !red;
  bool cas = form->op == AtomicOp::CompareExchange;
  size_t first = red ? 0 : 1;
  size_t needed = first + 2 + (cas ? 1 : 0);
  if (!d.expectOperands(needed + hasHint))
    return false;
  Instr at;
  if (!d.address(d.operand(first), at))
    return false;
  llvm::SmallVector<uint32_t, 8> references;
  auto values = [&](const Decoder::Operand &operand, bool isTarget) {
    llvm::ArrayRef<Decoder::Operand> elements = operand;
    if (operand.kind == Kind::Vector)
      elements = operand.elements;
    if (elements.size() != form->count) {
      d.fail(fmt::format("expected {} registers", form->count));
      return;
    }
    for (const auto &element : elements)
      references.push_back(isTarget ? d.destination(element, t)
                                    : d.source(element, t));
  };
  values(d.operand(first + 1), false);
  if (cas)
    values(d.operand(first + 2), false);
  if (!red)
    values(d.operand(0), true);
  if (d.failed())
    return false;
  d.keepInVariable(d.operand(first), form->elementBytes * form->count, true);
  Instr &i = d.emit(atomicOperation);
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = space;
  i.list = d.list(references);
  i.extra = form;
  if (space == SpaceGlobal || space == SpaceGeneric)
    d.program.hasGlobalAtomics = true;
  if (form->returns) {
    i.flags |= MayPoll;
    d.program.mayWaitForBlocks |= d.program.hasGlobalAtomics;
  }
  return !d.failed();
}
