//===- DecodeControl.cpp - Branches, barriers, lanes -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Branches, barriers, exchange between lanes, fences.
//
//===----------------------------------------------------------------------===//

#include "Checks/Clocks.h"
#include "Decode/Decoder.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::Space;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

bool napkin::executor::decodeBranch(Decoder &d) {
  d.take("uni");
  if (!d.expectOperands(1))
    return false;
  if (d.operand(0).kind != Kind::Label)
    return d.fail("the target must be a label");
  Instr &i = d.emit(branchTo);
  i.e = d.operand(0).integer;
  d.patchLater(d.codeSize() - 1);
  return !d.failed();
}

// brx.idx index, table;
bool napkin::executor::decodeBrx(Decoder &d) {
  d.take("uni");
  if (!d.take("idx") || !d.expectOperands(2) ||
      d.operand(1).kind != Kind::Label)
    return d.fail("brx is .idx index, table");
  size_t at = d.operand(1).integer;
  if (at >= d.body().size() || d.body()[at].opcode != "branchtargets")
    return d.fail("the table must be a .branchtargets directive");
  llvm::SmallVector<uint32_t, 16> targets;
  for (const auto &target : d.body()[at].operands)
    targets.push_back(target.integer);
  uint32_t index = d.source(d.operand(0), Type::U32);
  Instr &i = d.emit(branchIndexed);
  i.a = index;
  uint32_t *table = const_cast<uint32_t *>(d.list(targets));
  i.list = table;
  i.offset = targets.size();
  d.tables.push_back({table, unsigned(targets.size())});
  return !d.failed();
}

// ret, exit
bool napkin::executor::decodeReturn(Decoder &d) {
  d.take("uni");
  bool isExit = d.opcode() == "exit" || d.function->isEntry;
  Instr &i = d.emit(isExit ? exitLanes : returnOrExit);
  if (isExit)
    i.flags |= IsExit;
  return !d.failed();
}

// bar, barrier: sync, arrive, red; bar.warp.sync; barrier.cluster
bool napkin::executor::decodeBarrier(Decoder &d) {
  if (d.take("warp")) {
    if (!d.take("sync") || !d.expectOperands(1))
      return d.fail("bar.warp needs .sync and a mask");
    uint32_t mask = d.number(d.operand(0));
    Instr &i = d.emit(warpBarrier);
    i.a = mask;
    return !d.failed();
  }
  if (d.take("cluster")) {
    int kind = d.takeOneOf({"arrive", "wait"});
    bool relaxed = d.takeOneOf({"release", "relaxed", "acquire"}) == 1;
    bool aligned = d.take("aligned");
    if (kind < 0)
      return d.fail("barrier.cluster needs .arrive or .wait");
    Instr &i = d.emit(kind ? clusterWait : clusterArrive);
    i.small0 = relaxed;
    // Each thread counts: the warp comes when all its lanes have.
    i.flags |= Aligned | (aligned ? 0 : NotStrict);
    return !d.failed();
  }
  d.take("cta");
  int kind = d.takeOneOf({"sync", "arrive", "red"});
  bool aligned = d.take("aligned") || d.opcode() == "bar";
  if (kind < 0)
    return d.fail("expected .sync, .arrive or .red");
  int operation = kind == 2 ? d.takeOneOf({"popc", "and", "or"}) : -1;
  if (kind == 2 && operation < 0)
    return d.fail("expected .popc, .and or .or");
  Type type = kind == 2 ? d.takeType() : Type::None;
  size_t first = kind == 2 ? 1 : 0;
  size_t extra = kind == 2 ? 1 : 0;
  if (!d.expectOperands(first + 1 + extra, first + 2 + extra))
    return false;
  bool hasCount = d.count() == first + 2 + extra;
  if (kind == 1 && !hasCount)
    return d.fail("bar.arrive needs a thread count");
  auto number = d.constantOf(d.operand(first));
  if (number && (*number < 0 || *number > 15))
    return d.fail("barriers are numbered from 0 to 15");
  auto given = hasCount ? d.constantOf(d.operand(first + 1)) : std::nullopt;
  if (given && (*given < 0 || *given % lanes))
    return d.fail(
        fmt::format("the threads of a barrier are a multiple of {}", lanes));
  uint32_t id = d.number(d.operand(first));
  uint32_t threads = hasCount ? d.number(d.operand(first + 1)) : noRegister;
  uint32_t predicate = noRegister, to = noRegister;
  bool negated = false;
  if (kind == 2) {
    predicate = d.predicateSource(d.operand(d.count() - 1), negated);
    to = operation == 0 ? d.destination(d.operand(0), Type::U32)
                        : d.predicateDestination(d.operand(0));
    if (operation == 0 ? type != Type::U32 : type != Type::Pred)
      return d.fail("bar.red is .popc.u32, .and.pred or .or.pred");
  }
  Instr &i = d.emit(barrierArriveWait);
  i.a = id;
  i.b = threads;
  i.c = predicate;
  i.d = to;
  i.small0 = kind | (operation + 1) << 4;
  i.small1 = negated;
  i.flags |= Aligned | (aligned ? 0 : NotStrict);
  return !d.failed();
}

bool napkin::executor::decodeShuffle(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("shfl without .sync does not exist on sm_70 and later");
  int mode = d.takeOneOf({"up", "down", "bfly", "idx"});
  if (mode < 0 || typeBits(d.takeType()) != 32 || !d.expectOperands(5))
    return d.fail("shfl.sync needs .up, .down, .bfly or .idx, and .b32");
  uint32_t a = d.source(d.operand(1), Type::B32),
           b = d.source(d.operand(2), Type::B32),
           c = d.source(d.operand(3), Type::B32), m = d.number(d.operand(4));
  int32_t second = d.operand(0).second;
  uint32_t p = second >= 0 ? d.predicateRegister(second) : noRegister;
  Decoder::Operand target = d.operand(0);
  uint32_t to = d.destination(target, Type::B32);
  Instr &i = d.emit(shuffle);
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = c;
  i.e = m;
  i.offset = p;
  i.small0 = mode;
  return !d.failed();
}

bool napkin::executor::decodeVote(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("vote without .sync does not exist on sm_70 and later");
  int mode = d.takeOneOf({"all", "any", "uni", "ballot"});
  Type type = d.takeType();
  if (mode < 0 || !d.expectOperands(3) ||
      (mode == 3 ? type != Type::B32 : type != Type::Pred))
    return d.fail("vote.sync is .all, .any or .uni with .pred, or .ballot.b32");
  bool negated = false;
  uint32_t p = d.predicateSource(d.operand(1), negated);
  uint32_t m = d.number(d.operand(2));
  uint32_t to = mode == 3 ? d.destination(d.operand(0), Type::B32)
                          : d.predicateDestination(d.operand(0));
  Instr &i = d.emit(vote);
  i.d = to;
  i.a = p;
  i.e = m;
  i.small0 = mode;
  i.small1 = negated;
  return !d.failed();
}

bool napkin::executor::decodeMatch(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("match needs .sync");
  int all = d.takeOneOf({"any", "all"});
  Type type = d.takeType();
  if (all < 0 || (typeBits(type) != 32 && typeBits(type) != 64) ||
      !d.expectOperands(3))
    return d.fail("match.sync needs .any or .all and .b32 or .b64");
  uint32_t a = d.source(d.operand(1), type), m = d.number(d.operand(2));
  int32_t second = d.operand(0).second;
  uint32_t p = second >= 0 ? d.predicateRegister(second) : noRegister;
  uint32_t to = d.destination(d.operand(0), Type::U32);
  Instr &i = d.emit(all ? matchAll : matchAny);
  i.d = to;
  i.a = a;
  i.e = m;
  i.offset = p;
  i.small0 = typeBits(type) / 8;
  return !d.failed();
}

bool napkin::executor::decodeRedux(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("redux needs .sync");
  int op = d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  Type type = d.takeType();
  if (op < 0 || typeBits(type) != 32 || napkin::ptx::isFloat(type) ||
      !d.expectOperands(3))
    return d.fail("redux.sync supports .add, .min, .max, .and, .or, .xor on "
                  "32-bit integers");
  uint32_t a = d.source(d.operand(1), type), m = d.number(d.operand(2));
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i = d.emit(reduce);
  i.d = to;
  i.a = a;
  i.e = m;
  i.small0 = op;
  i.small1 = type == Type::S32;
  return !d.failed();
}

// elect.sync d|p, membermask
bool napkin::executor::decodeElect(Decoder &d) {
  if (!d.take("sync") || !d.expectOperands(2))
    return d.fail("elect is elect.sync d|p, mask");
  int32_t second = d.operand(0).second;
  if (second < 0)
    return d.fail("elect.sync needs a predicate");
  uint32_t m = d.number(d.operand(1));
  uint32_t p = d.predicateRegister(second),
           to = d.destination(d.operand(0), Type::U32);
  Instr &i = d.emit(elect);
  i.d = to;
  i.offset = p;
  i.e = m;
  return !d.failed();
}

bool napkin::executor::decodeActivemask(Decoder &d) {
  if (d.takeType() != Type::B32 || !d.expectOperands(1))
    return d.fail("activemask needs .b32");
  uint32_t to = d.destination(d.operand(0), Type::B32);
  Instr &i = d.emit(activeMask);
  i.d = to;
  return !d.failed();
}

// fence, membar: see memoryFence and tensormapFence.
bool napkin::executor::decodeFence(Decoder &d) {
  uint8_t kind = 1;
  if (d.take("proxy")) {
    int which =
        d.takeOneOf({"async", "alias", "tensormap::generic", "async::generic"});
    kind = which == 2 ? 4 : which == 1 ? 5 : 2;
    if (which < 0)
      return d.fail("the proxy is missing or unknown");
  } else if (d.take("mbarrier_init")) {
    kind = 3;
  }
  int semantics = d.takeOneOf({"sc", "acq_rel", "acquire", "release"});
  int scope = d.takeOneOf({"cta", "cluster", "gpu", "sys", "gl"});
  int space = d.takeOneOf({"global", "shared::cta", "shared::cluster"});
  d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"});
  Instr at;
  // The acquire of a tensor map names it.
  const bool isMapFence = kind == 4, isAcquire = isMapFence && semantics == 2;
  if (!d.expectOperands(isAcquire ? 2 : 0) ||
      (isAcquire && !d.address(d.operand(0), at)))
    return false;
  if (isAcquire && d.constantOf(d.operand(1)) != 128)
    return d.fail("a tensor map has 128 bytes");
  Instr &i = d.emit(isMapFence ? tensormapFence : memoryFence);
  i.small0 = isMapFence ? at.small0 : kind;
  i.a = at.a;
  i.offset = at.offset;
  uint8_t reach = scope < 0 || scope > ScopeDevice ? ScopeDevice : scope;
  i.small1 = kind == 2        ? (space < 0    ? 3
                                 : space == 0 ? 2
                                              : 1)
             : semantics == 2 ? 1 | reach << 2
             : semantics == 3 ? 2 | reach << 2
                              : 3 | reach << 2;
  return !d.failed();
}

bool napkin::executor::decodeNanosleep(Decoder &d) {
  d.takeType();
  if (!d.expectOperands(1))
    return false;
  d.number(d.operand(0));
  d.emit(yieldWarp);
  return !d.failed();
}

// griddepcontrol, pmevent, membar-like instructions without effect here
bool napkin::executor::decodeNothing(Decoder &d) {
  d.takeOneOf({"launch_dependents", "wait"});
  const bool isMask = d.take("mask"), isEvent = d.opcode() == "pmevent";
  if (!d.expectOperands(isEvent ? 1 : 0))
    return false;
  auto event = isEvent ? d.constantOf(d.operand(0)) : 0;
  if (!event || *event < 0 || *event > (isMask ? 65535 : 15))
    return d.fail("pmevent takes the number of an event from 0 to 15, or with "
                  ".mask 16 bits");
  d.emit(doNothing);
  return !d.failed();
}

// trap, brkpt
bool napkin::executor::decodeTrap(Decoder &d) {
  d.emit(userTrap);
  return !d.failed();
}
