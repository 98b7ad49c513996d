//===- DecodeBulk.cpp - Operands of bulk copies ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// cp.async.bulk, cp.async.bulk.tensor, cp.reduce.async.bulk(.tensor), their
// groups and prefetches; tensormap instructions; st.async.
//
//===----------------------------------------------------------------------===//

#include "Async/Bulk.h"
#include "Async/TensorMap.h"
#include "Checks/Clocks.h"
#include "Decode/Decoder.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

static bool addressOperand(Decoder &d, const Decoder::Operand &operand,
                           BulkOperand &to) {
  Instr at;
  Decoder::Operand inBrackets = operand;
  // Copies of tensors take a register without brackets too.
  if (operand.kind == Kind::Register &&
      llvm::is_contained(d.instruction->modifiers, "tensor")) {
    inBrackets = Decoder::Operand();
    inBrackets.kind = Kind::Address;
    inBrackets.elements = {operand};
  }
  if (!d.address(inBrackets, at))
    return false;
  to.reference = at.a;
  to.width = at.small0;
  to.offset = at.offset;
  return true;
}

static bool coordinates(Decoder &d, const Decoder::Operand &operand,
                        BulkForm &form) {
  if (operand.kind != Kind::Address || operand.elements.size() != 2 ||
      operand.elements[1].kind != Kind::Vector)
    return d.fail("expected [map, {coordinates}]");
  if (operand.integer || operand.elements[0].integer)
    return d.fail("the address of a tensor map has no offset");
  const auto &list = operand.elements[1].elements;
  if (list.size() != form.rank)
    return d.fail(fmt::format("expected {} coordinates", form.rank));
  // A list of different things counts as bits.
  const bool isMixed = llvm::any_of(list, [&](const auto &each) {
    return each.kind != list[0].kind ||
           d.registerType(each) != d.registerType(list[0]);
  });
  for (unsigned k = 0; k < form.rank; ++k)
    form.coordinates[k] =
        isMixed ? d.source(list[k], Type::B32) : d.number(list[k]);
  return addressOperand(d, operand, form.global);
}

/// The size of a bulk copy.
static uint32_t bulkBytes(Decoder &d, const Decoder::Operand &operand) {
  auto number = d.constantOf(operand);
  if (number && (*number < 0 || *number >= 1 << 20 || *number % 16))
    d.fail("the bytes of a bulk copy are a multiple of 16 below 1048576");
  return d.number(operand);
}

bool napkin::executor::decodeBulk(Decoder &d) {
  // "cp" and "reduce" or "async" may have been taken already.
  bool reduce =
      d.info().ptx->modifiers.size() && d.info().ptx->modifiers[0] == "reduce";
  d.take("async");
  if (!d.take("bulk"))
    return d.fail("expected cp.async or cp.async.bulk");
  if (d.take("commit_group")) {
    d.emit(bulkCommit);
    return !d.failed();
  }
  if (d.take("wait_group")) {
    bool read = d.take("read");
    auto number = d.count() == 1 ? d.constantOf(d.operand(0)) : std::nullopt;
    if (!number || *number < 0)
      return d.fail("cp.async.bulk.wait_group needs a number");
    Instr &i = d.emit(bulkWait);
    i.offset = *number;
    i.small0 = read;
    return !d.failed();
  }
  bool prefetch = d.take("prefetch"), tensor = d.take("tensor");
  BulkForm &form = *d.extra<BulkForm>();
  if (tensor) {
    static const char *ranks[] = {"1d", "2d", "3d", "4d", "5d"};
    for (unsigned r = 0; r < 5; ++r)
      if (d.take(ranks[r]))
        form.rank = r + 1;
    if (!form.rank)
      return d.fail("the number of dimensions is missing");
    d.take("tile");
    if (!d.takePrefix("im2col").empty())
      return d.fail("im2col tensor maps are not modelled, tiled ones are");
    if (!d.takePrefix("tile::").empty() || !d.takePrefix("cta_group::").empty())
      return d.fail("gathers, scatters and pairs of blocks need sm_100");
  }
  if (prefetch) {
    bool hint = d.take("L2::cache_hint");
    if (!d.take("L2") || !d.take("global"))
      return d.fail("expected .prefetch.L2.global");
    if (!d.expectOperands((tensor ? 1 : 2) + hint))
      return false;
    if (hint)
      d.cachePolicy(d.operand(d.count() - 1));
    if (tensor ? !coordinates(d, d.operand(0), form)
               : !addressOperand(d, d.operand(0), form.global))
      return false;
    if (!tensor)
      bulkBytes(d, d.operand(1));
    d.emit(doNothing);
    return !d.failed();
  }
  // The first space is the destination.
  const auto &modifiers = d.info().ptx->modifiers;
  llvm::StringRef to, from;
  for (llvm::StringRef m : modifiers)
    if (m == "global" || m == "shared::cta" || m == "shared::cluster") {
      (to.empty() ? to : from) = m;
      d.take(m);
    }
  if (to.empty() || from.empty())
    return d.fail("expected two state spaces");
  if (to == "shared::cta" && from == "shared::cluster")
    return d.fail("a copy between blocks goes from .shared::cta to "
                  ".shared::cluster, which stands first");
  form.store = to == "global";
  form.betweenShared = !form.store && from != "global";
  bool group = d.take("bulk_group"),
       signal = d.take("mbarrier::complete_tx::bytes");
  bool multicast = d.take("multicast::cluster");
  d.takeHints();
  bool hint = false;
  for (llvm::StringRef m : modifiers)
    hint |= m == "L2::cache_hint";
  if (form.store ? !group : !signal)
    return d.fail(form.store ? "a store needs .bulk_group"
                             : "a load needs .mbarrier::complete_tx::bytes");
  if (reduce) {
    static const std::pair<const char *, AtomicOp> ops[] = {
        {"add", AtomicOp::Add},       {"min", AtomicOp::Min},
        {"max", AtomicOp::Max},       {"inc", AtomicOp::Increment},
        {"dec", AtomicOp::Decrement}, {"and", AtomicOp::And},
        {"or", AtomicOp::Or},         {"xor", AtomicOp::Xor}};
    for (auto [name, op] : ops)
      if (d.take(name))
        form.reduction = uint8_t(op);
    if (form.reduction == 255)
      return d.fail("the reduction is missing or unknown");
    d.take("noftz");
    if (!tensor) {
      form.type = d.takeType();
      if (form.type == Type::None)
        return d.fail("the type is missing");
    }
    if (form.store)
      d.program.hasGlobalAtomics = true;
    else if (!form.betweenShared)
      return d.fail("a reduction goes from shared memory");
  }
  size_t extra = (multicast ? 1 : 0) + (hint ? 1 : 0);
  size_t needed = tensor ? (form.store ? 2 : 3) : (form.store ? 3 : 4);
  if (!d.expectOperands(needed + extra))
    return false;
  if (tensor) {
    if (!coordinates(d, d.operand(form.store ? 0 : 1), form) ||
        !addressOperand(d, d.operand(form.store ? 1 : 0), form.shared))
      return false;
  } else {
    if (!addressOperand(d, d.operand(form.store ? 0 : 1), form.global) ||
        !addressOperand(d, d.operand(form.store ? 1 : 0), form.shared))
      return false;
    form.size.reference = bulkBytes(d, d.operand(2));
  }
  const Decoder::Operand &last = d.operand(needed - 1);
  if (!form.store && !addressOperand(d, last, form.mbarrier))
    return false;
  if (!form.store && !tensor && !reduce && !multicast && !hint &&
      !last.elements.empty() && last.elements[0].kind == Kind::Register &&
      d.operandBits(last.elements[0]) < 32)
    return d.fail("the address of an mbarrier is in a register of 32 or 64 "
                  "bits");
  if (multicast) {
    uint32_t narrow = d.source(d.operand(needed), Type::U16);
    form.multicast.reference = d.resized(narrow, 16, 32);
  }
  if (hint)
    d.cachePolicy(d.operand(d.count() - 1));
  Instr &i = d.emit(tensor ? bulkTensor : bulkCopy);
  i.extra = &form;
  return !d.failed();
}

// tensormap.replace.tile.field{.space}.b1024.type [map], {ordinal,} value
// tensormap.cp_fenceproxy.global.shared::cta...sync.aligned [to], [from], 128
bool napkin::executor::decodeTensormap(Decoder &d) {
  if (d.take("cp_fenceproxy")) {
    d.take("global");
    d.take("shared::cta");
    d.take("tensormap::generic");
    d.takeOneOf({"release"});
    int scope = d.takeOneOf({"cta", "cluster", "gpu", "sys"});
    d.take("sync");
    bool aligned = d.take("aligned");
    Instr to, from;
    if (!d.expectOperands(3) || !d.address(d.operand(0), to) ||
        !d.address(d.operand(1), from))
      return false;
    if (d.constantOf(d.operand(2)) != 128)
      return d.fail("a tensor map has 128 bytes");
    int64_t *offset = d.extra<int64_t>();
    *offset = from.offset;
    Instr &i = d.emit(tensormapCopy);
    i.a = to.a;
    i.offset = to.offset;
    i.small0 = to.small0;
    i.b = from.a;
    i.small1 = from.small0;
    i.c = scope < 0 || scope > ScopeDevice ? ScopeDevice : scope;
    i.extra = offset;
    if (aligned)
      i.flags |= Aligned;
    return !d.failed();
  }
  if (!d.take("replace") || !d.take("tile"))
    return d.fail("expected tensormap.replace.tile");
  int field = d.takeOneOf({"global_address", "rank", "box_dim", "global_dim",
                           "global_stride", "element_stride", "elemtype",
                           "interleave_layout", "swizzle_mode", "fill_mode"});
  int space = d.takeOneOf({"global", "shared::cta"});
  if (field < 0 || !d.take("b1024"))
    return d.fail("the field is missing or unknown");
  Type type = d.takeType();
  bool indexed = field >= 2 && field <= 5;
  if (!d.expectOperands(indexed ? 3 : 2))
    return false;
  Instr at;
  if (!d.address(d.operand(0), at))
    return false;
  auto index = indexed ? d.constantOf(d.operand(1)) : std::optional<int64_t>(0);
  if (!index || *index < 0 || *index > 4)
    return d.fail("the ordinal must be a number from 0 to 4");
  bool wide = typeBits(type) == 64;
  const Decoder::Operand &given = d.operand(indexed ? 2 : 1);
  // These are part of the instruction: how many values there are.
  static const unsigned choices[] = {13, 3, 4, 2};
  auto number = d.constantOf(given);
  if (field >= 6 && (!number || *number < 0 || *number >= choices[field - 6]))
    return d.fail(fmt::format("the value of this field is a number below {}",
                              choices[field - 6]));
  uint32_t value = d.source(given, wide ? Type::B64 : Type::U32);
  Instr &i = d.emit(tensormapReplace);
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.small1 = wide ? 8 : 4;
  i.b = value;
  i.c = field;
  i.e = *index;
  i.d = space == 1 ? SpaceShared : space == 0 ? SpaceGlobal : SpaceGeneric;
  return !d.failed();
}

// st.async.weak.shared::cluster.mbarrier::complete_tx::bytes{.v2,.v4}.type [a],
// b, [mbar]
static bool storeOrReduceAsync(Decoder &d, bool reduce) {
  d.take("weak");
  d.take("relaxed");
  d.take("cluster");
  d.take("shared::cluster");
  if (!d.take("mbarrier::complete_tx::bytes"))
    return d.fail("expected .mbarrier::complete_tx::bytes");
  int op = reduce ? d.takeOneOf({"add", "min", "max", "and", "or", "xor",
                                 "exch", "cas", "inc", "dec"})
                  : 255;
  if (op < 0)
    return d.fail("the operation is missing or unknown");
  unsigned count = d.take("v2") ? 2 : d.take("v4") ? 4 : 1;
  Type type = d.takeType();
  if (typeBits(type) < 32 || !d.expectOperands(3))
    return d.fail("st.async needs 32 or 64 bits and three operands");
  BulkForm &form = *d.extra<BulkForm>();
  form.type = type;
  form.reduction = op;
  if (!addressOperand(d, d.operand(0), form.shared) ||
      !addressOperand(d, d.operand(2), form.mbarrier))
    return false;
  llvm::SmallVector<uint32_t, 4> values;
  if (d.operand(1).kind == Kind::Vector)
    for (const auto &element : d.operand(1).elements)
      values.push_back(d.source(element, type));
  else
    values.push_back(d.source(d.operand(1), type));
  if (values.size() != count)
    return d.fail(fmt::format("expected {} registers", count));
  Instr &i = d.emit(storeAsync);
  i.extra = &form;
  i.list = d.list(values);
  i.small0 = count;
  i.small1 = typeBits(type) / 8;
  return !d.failed();
}
bool napkin::executor::decodeStAsync(Decoder &d) {
  return storeOrReduceAsync(d, false);
}
bool napkin::executor::decodeRedAsync(Decoder &d) {
  return storeOrReduceAsync(d, true);
}
