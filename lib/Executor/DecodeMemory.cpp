//===- DecodeMemory.cpp - Loads, stores, matrices, atomics -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// State spaces, vectors and fragments.
//
//===----------------------------------------------------------------------===//

#include "Atomics.h"
#include "Clocks.h"
#include "Decoder.h"
#include "Handlers.h"
#include "MatrixShape.h"

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

unsigned takeVector(Decoder &d) {
  return d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1;
}

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
    uint64_t value = 0;
    std::memcpy(&value,
                &d.program.parameters[place.address + offset + j * bytes],
                bytes);
    if (bytes == 1 && isSigned(type))
      value = uint16_t(int8_t(value));
    unsigned bits = std::max(16u, typeBits(type));
    uint32_t to = d.destination(targets[j], type);
    Instr &i = d.emit(backend().integer(AluOp::Mov, bits, false));
    i.d = to;
    i.a = d.constant(bits, value);
  }
  return !d.failed();
}

} // namespace

bool napkin::executor::decodeLoad(Decoder &d) {
  uint8_t order = takeOrdering(d);
  int space = takeSpace(d);
  d.takeHints();
  d.take("unified");
  unsigned count = takeVector(d);
  Type type = d.takeType();
  if (type == Type::None || type == Type::Pred)
    return d.fail("the type is missing or unknown");
  // A trailing operand is a cache policy.
  if (!d.expectOperands(2, 3))
    return false;
  unsigned unit = std::max(1u, typeBits(type) / 8);
  if (unit > 8)
    return d.fail("128-bit loads of one register are not supported");
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
  Instr &i = d.emit(backend().load(AddressSpace(space), unit, count));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = order;
  i.strongRead = order;
  i.flags |= order ? MayPoll : 0;
  if (order && (space == SpaceGlobal || space == SpaceGeneric))
    d.program.mayWaitForBlocks = true;
  i.list = d.list(references);
  if (unit == 1 && isSigned(type) && !d.failed()) {
    // Sign-extend inside the 16-bit cell.
    uint32_t cell = references[0];
    if (count != 1)
      return d.fail("vectors of .s8 are not supported");
    Instr &extend = d.emit(backend().resize(16, 8, true));
    extend.d = extend.a = cell;
  }
  return !d.failed();
}

bool napkin::executor::decodeStore(Decoder &d) {
  if (d.take("async"))
    return decodeStAsync(d);
  if (d.take("bulk"))
    return d.fail("st.bulk is not supported");
  uint8_t order = takeOrdering(d);
  int space = takeSpace(d);
  d.takeHints();
  unsigned count = takeVector(d);
  Type type = d.takeType();
  if (type == Type::None || type == Type::Pred)
    return d.fail("the type is missing or unknown");
  if (!d.expectOperands(2, 3))
    return false;
  unsigned unit = std::max(1u, typeBits(type) / 8);
  if (unit > 8)
    return d.fail("128-bit stores of one register are not supported");
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
  Instr &i = d.emit(backend().store(AddressSpace(space), unit, count));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = order;
  if (order && (space == SpaceGlobal || space == SpaceGeneric))
    d.program.hasGlobalAtomics = true;
  i.list = d.list(references);
  return !d.failed();
}

// prefetch, prefetchu, discard, applypriority, createpolicy
bool napkin::executor::decodePrefetch(Decoder &d) {
  d.takeHints();
  d.takeOneOf({"global", "local", "const", "param"});
  d.take("tensormap");
  d.takePrefix("L");
  if (d.opcode() == "createpolicy") {
    d.takeOneOf({"fractional", "range", "cvt"});
    d.takeHints();
    Type type = d.takeType();
    uint32_t to = d.destination(d.operand(0), type);
    Instr &i = d.emit(backend().integer(AluOp::Mov, 64, false));
    i.d = to;
    i.a = d.constant(64, 0);
    return !d.failed();
  }
  d.emit(doNothing);
  return !d.failed();
}

bool napkin::executor::decodeLdmatrix(Decoder &d) {
  bool transposed = d.take("trans");
  if (!d.take("sync") || !d.take("aligned"))
    return d.fail("ldmatrix needs .sync.aligned");
  if (!d.take("m8n8"))
    return d.fail("ldmatrix supports .m8n8");
  unsigned count = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
  d.takeOneOf({"shared", "shared::cta"});
  if (!count || d.takeType() != Type::B16 || !d.expectOperands(2))
    return d.fail("ldmatrix needs .x1, .x2 or .x4 and .b16");
  Instr at;
  if (!d.address(d.operand(1), at))
    return false;
  llvm::SmallVector<uint32_t, 4> references;
  if (d.operand(0).kind == Kind::Vector)
    for (const auto &element : d.operand(0).elements)
      references.push_back(d.destination(element, Type::B32));
  else
    references.push_back(d.destination(d.operand(0), Type::B32));
  if (references.size() != count)
    return d.fail(fmt::format("expected {} registers", count));
  Instr &i = d.emit(backend().loadMatrix(count, transposed));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.flags |= Aligned;
  i.list = d.list(references);
  return !d.failed();
}

bool napkin::executor::decodeStmatrix(Decoder &d) {
  bool transposed = d.take("trans");
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
    return d.fail("stmatrix needs .sync.aligned and .m8n8");
  unsigned count = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
  d.takeOneOf({"shared", "shared::cta"});
  if (!count || d.takeType() != Type::B16 || !d.expectOperands(2))
    return d.fail("stmatrix needs .x1, .x2 or .x4 and .b16");
  Instr at;
  if (!d.address(d.operand(0), at))
    return false;
  llvm::SmallVector<uint32_t, 4> references;
  if (d.operand(1).kind == Kind::Vector)
    for (const auto &element : d.operand(1).elements)
      references.push_back(d.source(element, Type::B32));
  else
    references.push_back(d.source(d.operand(1), Type::B32));
  if (references.size() != count)
    return d.fail(fmt::format("expected {} registers", count));
  Instr &i = d.emit(backend().storeMatrix(count, transposed));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.flags |= Aligned;
  i.list = d.list(references);
  return !d.failed();
}

bool napkin::executor::decodeMovmatrix(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") ||
      !d.take("trans") || d.takeType() != Type::B16 || !d.expectOperands(2))
    return d.fail("movmatrix is .sync.aligned.m8n8.trans.b16 d, a");
  uint32_t a = d.source(d.operand(1), Type::B32),
           to = d.destination(d.operand(0), Type::B32);
  Instr &i = d.emit(moveMatrix);
  i.d = to;
  i.a = a;
  i.flags |= Aligned;
  return !d.failed();
}

bool napkin::executor::decodeMma(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned"))
    return d.fail("mma needs .sync.aligned");
  llvm::StringRef name = d.takePrefix("m");
  MatrixShape *s = d.extra<MatrixShape>();
  *s = {};
  llvm::StringRef rest = name;
  if (!rest.consume_front("m") || rest.consumeInteger(10, s->m) ||
      !rest.consume_front("n") || rest.consumeInteger(10, s->n) ||
      !rest.consume_front("k") || rest.consumeInteger(10, s->k) ||
      !rest.empty())
    return d.fail("the shape of mma is missing or malformed");
  if (!d.take("row") || !d.take("col"))
    return d.fail("mma needs .row.col");
  s->saturate = d.take("satfinite");
  d.take("kind::f8f6f4");
  s->d = d.takeType();
  s->a = d.takeType();
  s->b = d.takeType();
  s->c = d.takeType();
  if (s->c == Type::None)
    return d.fail("mma needs four types that are known");
  bool eight = s->a == Type::U8 || s->a == Type::S8,
       small = s->a == Type::E4M3 || s->a == Type::E5M2;
  bool half = s->a == Type::F16 || s->a == Type::BF16;
  s->bitsA = typeBits(s->a);
  s->signedA = isSigned(s->a);
  s->signedB = isSigned(s->b);
  bool shapeFits =
      s->n == 8 &&
      ((half && s->m == 16 && (s->k == 8 || s->k == 16)) ||
       (s->a == Type::TF32 && s->m == 16 && (s->k == 4 || s->k == 8)) ||
       (eight && ((s->m == 16 && (s->k == 16 || s->k == 32)) ||
                  (s->m == 8 && s->k == 16))) ||
       (small && s->m == 16 && (s->k == 32 || s->k == 16)) ||
       (s->a == Type::F64 &&
        ((s->m == 8 && s->k == 4) ||
         (s->m == 16 && (s->k == 4 || s->k == 8 || s->k == 16)))));
  bool bFits = eight   ? (s->b == Type::U8 || s->b == Type::S8)
               : small ? (s->b == Type::E4M3 || s->b == Type::E5M2)
                       : s->a == s->b;
  bool dFits = s->a == Type::F64 ? s->d == Type::F64 && s->c == Type::F64
               : eight           ? s->d == Type::S32 && s->c == Type::S32
               : s->a == Type::F16 || small
                   ? (s->d == Type::F32 || s->d == Type::F16) &&
                         (s->c == Type::F32 || s->c == Type::F16)
                   : s->d == Type::F32 && s->c == Type::F32;
  if (!shapeFits || !bFits || !dFits)
    return d.fail("this shape and these types of mma are not supported");
  s->elements =
      s->a == Type::F64 ? 1 : 32 / (s->a == Type::TF32 ? 32 : s->bitsA);
  s->registersA = s->m * s->k / lanes / s->elements;
  s->registersB = 8 * s->k / lanes / s->elements;
  s->registersD = s->m * 8 / lanes / (s->d == Type::F16 ? 2 : 1);
  s->registersC = s->m * 8 / lanes / (s->c == Type::F16 ? 2 : 1);
  if (!d.expectOperands(4))
    return false;
  llvm::SmallVector<uint32_t, 32> references;
  auto fragment = [&](const Decoder::Operand &operand, unsigned size, Type type,
                      bool isTarget) {
    llvm::ArrayRef<Decoder::Operand> elements = operand;
    if (operand.kind == Kind::Vector)
      elements = operand.elements;
    if (elements.size() != size) {
      d.fail(fmt::format("a fragment has {} registers, expected {}",
                         elements.size(), size));
      return;
    }
    for (const auto &element : elements)
      references.push_back(isTarget ? d.destination(element, type)
                                    : d.source(element, type));
  };
  auto cell = [&](Type type) {
    return type == Type::F64   ? Type::F64
           : type == Type::F32 ? Type::F32
                               : Type::B32;
  };
  fragment(d.operand(0), s->registersD, cell(s->d), true);
  fragment(d.operand(1), s->registersA,
           s->a == Type::F64 ? Type::F64 : Type::B32, false);
  fragment(d.operand(2), s->registersB,
           s->a == Type::F64 ? Type::F64 : Type::B32, false);
  fragment(d.operand(3), s->registersC, cell(s->c), false);
  if (d.failed())
    return false;
  d.info().macs = uint64_t(s->m) * s->n * s->k;
  d.info().macType = ptx::typeName(s->a).data();
  Instr &i = d.emit(backend().mma(s->m, s->n, s->k, s->d, s->a, s->b, s->c));
  i.list = d.list(references);
  i.extra = s;
  i.flags |= Aligned;
  return !d.failed();
}

// atom, red
bool napkin::executor::decodeAtom(Decoder &d) {
  if (d.take("async"))
    return decodeRedAsync(d);
  bool red = d.opcode() == "red";
  uint8_t order = takeOrdering(d, true);
  int space = takeSpace(d);
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
  case AtomicOp::Exchange:
    isOk = t == Type::B32 || t == Type::B64;
    break;
  case AtomicOp::CompareExchange:
    isOk = t == Type::B16 || t == Type::B32 || t == Type::B64;
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
  if (!d.expectOperands(needed, needed + 1))
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
