//===- AsyncCopy.cpp - cp.async --------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Non-bulk asynchronous copies. From issue to wait the target is marked as
// incoming, so any access to it traps whenever the data really arrives; the
// data arrives at issue or at the wait, as the launch's options say.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using Type = napkin::ptx::Type;

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

static void move(Warp &w, PendingCopy &copy, unsigned l) {
  char *target = w.block->shared + copy.target[l];
  if (copy.fromBytes[l])
    std::memcpy(target, copy.from[l], copy.fromBytes[l]);
  std::memset(target + copy.fromBytes[l], 0, copy.bytes - copy.fromBytes[l]);
}

/// Nothing asynchronous is on its way to these 4, 8 or 16 bytes.
static bool isSettled(const uint8_t *shadow, unsigned bytes) {
  for (unsigned at = 0; at < bytes; at += 4) {
    uint32_t word;
    std::memcpy(&word, shadow + at, 4);
    if (word == 0 || word == ~0u)
      continue;
    for (unsigned b = at; b < at + 4; ++b)
      if (shadow[b] != shadowFresh && shadow[b] != shadowWritten)
        return false;
  }
  return true;
}

static uint64_t addressOf(Warp &w, uint32_t reference, unsigned width,
                          unsigned l) {
  return width == 8 ? lane<uint64_t>(w, reference)[l]
                    : lane<uint32_t>(w, reference)[l];
}

// a + offset: target, small0 its width; list: {source address, its width,
// source size or noRegister, ignore predicate or noRegister, negated}, source
// offset in extra.
HANDLER(copyAsync) {
  unsigned bytes = i.small1;
  int64_t fromOffset = *static_cast<const int64_t *>(i.extra);
  WarpAsync &async = *w.async;
  async.copies.emplace_back();
  PendingCopy &copy = async.copies.back();
  copy.mask = mask;
  copy.source = i.source;
  copy.bytes = bytes;
  uint64_t from[lanes] = {};
  uint32_t target[lanes] = {}, reading = 0;
  const bool checks = w.block->checks;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t to = addressOf(w, i.a, i.small0, l) + i.offset;
    if (i.small0 == 4)
      to = uint32_t(to);
    if ((to & windowMask) == sharedWindow)
      to -= sharedWindow;
    from[l] = addressOf(w, i.list[0], i.list[1], l) + fromOffset;
    uint32_t size = bytes;
    if (i.list[2] != noRegister)
      size = std::min<uint32_t>(lane<uint32_t>(w, i.list[2])[l], bytes);
    if (i.list[3] != noRegister &&
        (((w.predicates[i.list[3]] >> l) & 1) != i.list[4]))
      size = 0;
    if (to % bytes || to + bytes > w.block->sharedBytes) {
      translate(w, i, l, to, bytes, SpaceShared, Access::Write);
      return;
    }
    // Only the bytes that are read must exist.
    if (from[l] % bytes) {
      translate(w, i, l, from[l], bytes, SpaceGlobal, Access::Read);
      return;
    }
    copy.target[l] = target[l] = to;
    copy.fromBytes[l] = size;
    copy.group[l] = async.groups[l];
    copy.from[l] = nullptr;
    if (size) {
      reading |= 1u << l;
      const RegionView *r = w.regions[i.source];
      if (!r || from[l] < r->begin || from[l] + size > r->end) {
        r = findRegion(w, from[l]);
        if (!r || from[l] + size > r->end) {
          translate(w, i, l, from[l], size & (~size + 1), SpaceGlobal,
                    Access::Read);
          if (!(w.event & EventTrap))
            translate(w, i, l, from[l] + size - 1, 1, SpaceGlobal,
                      Access::Read);
          return;
        }
        w.regions[i.source] = r;
      }
      copy.from[l] = r->data + (from[l] - r->begin);
      const Marks marks{nullptr, r->written, from[l] - r->begin};
      if (checks && !allWritten(marks, size)) {
        trapMarks(w, i, l, from[l], size, marks, Access::Read, 0);
        return;
      }
    }
    uint8_t *shadow = w.block->sharedShadow + to;
    if (checks && !isSettled(shadow, bytes)) {
      trapMarks(w, i, l, to, bytes, {shadow}, Access::Write, 1);
      return;
    }
  }
  // Requested bytes follow the source size lane by lane.
  InstructionCounters &count = w.counters[i.source];
  if (reading) {
    countGlobal(w, i, from, reading, bytes, Access::Read);
    for (uint32_t rest = reading; rest; rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      count.globalReadBytes -= bytes - copy.fromBytes[l];
    }
    if (w.block->races)
      raceGlobal(w, i, from, reading, bytes, Access::Read);
  }
  countShared(w, i, target, mask, bytes, Access::Write);
  if (w.block->races)
    raceShared(w, i, target, mask, bytes, Access::Write);
  if (w.event & EventTrap)
    return;
  const Options &options = w.machine->options;
  bool now = options.completion == Completion::Earliest;
  if (options.completion == Completion::Random) {
    w.random = w.random * 6364136223846793005ull + 1442695040888963407ull;
    now = w.random >> 63;
  }
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    if (now)
      move(w, copy, l);
    std::memset(w.block->sharedShadow + copy.target[l], shadowIncoming, bytes);
  }
  copy.done = now;
}

void napkin::executor::completeCopies(Warp &w, uint32_t mask,
                                      const uint32_t *limit) {
  WarpAsync &async = *w.async;
  size_t kept = 0;
  for (size_t at = 0; at < async.copies.size(); ++at) {
    PendingCopy &copy = async.copies[at];
    uint32_t finished = 0;
    for (uint32_t rest = copy.mask & mask; rest; rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      if (copy.group[l] >= limit[l])
        continue;
      if (!copy.done)
        move(w, copy, l);
      std::memset(w.block->sharedShadow + copy.target[l], shadowWritten,
                  copy.bytes);
      finished |= 1u << l;
    }
    copy.mask &= ~finished;
    if (finished && w.races) {
      // The data is there from now on, not from the issue: barriers between the
      // two order nothing.
      Instr writer;
      writer.source = copy.source;
      raceShared(w, writer, copy.target, finished, copy.bytes, Access::Write);
    }
    if (copy.mask) {
      if (kept != at)
        async.copies[kept] = copy;
      ++kept;
    }
  }
  async.copies.resize(kept);
}

uint32_t napkin::executor::pendingSource(Warp &w, uint64_t address) {
  address &= (1u << clusterShift) - 1;
  for (uint32_t x = 0; x < w.block->numWarps; ++x)
    for (const PendingCopy &copy : w.block->warps[x].async->copies)
      for (unsigned l = 0; l < lanes; ++l)
        if (((copy.mask >> l) & 1) && address >= copy.target[l] &&
            address < uint64_t(copy.target[l]) + copy.bytes)
          return copy.source;
  return ~0u;
}

HANDLER(copyAsyncCommit) {
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    ++w.async->groups[__builtin_ctz(rest)];
  (void)i;
}

// offset: groups that may stay pending; -1: none, uncommitted copies included.
HANDLER(copyAsyncWait) {
  uint32_t limit[lanes];
  for (unsigned l = 0; l < lanes; ++l) {
    uint32_t groups = w.async->groups[l];
    limit[l] = i.offset < 0                  ? ~0u
               : groups > uint64_t(i.offset) ? groups - uint32_t(i.offset)
                                             : 0;
  }
  completeCopies(w, mask, limit);
}

bool napkin::executor::decodeCp(Decoder &d) {
  if (d.take("reduce") || !d.take("async"))
    return decodeBulk(d);
  if (d.peek() == "bulk")
    return decodeBulk(d);
  if (d.take("commit_group")) {
    d.emit(copyAsyncCommit);
    return !d.failed();
  }
  if (d.take("wait_all")) {
    Instr &i = d.emit(copyAsyncWait);
    i.offset = -1;
    return !d.failed();
  }
  if (d.take("wait_group")) {
    if (!d.expectOperands(1))
      return false;
    auto number = d.constantOf(d.operand(0));
    if (!number || *number < 0)
      return d.fail("cp.async.wait_group needs a number");
    Instr &i = d.emit(copyAsyncWait);
    i.offset = *number;
    return !d.failed();
  }
  if (d.peek().starts_with("mbarrier")) {
    d.takePrefix("mbarrier");
    if (!d.take("arrive"))
      return d.fail("cp.async.mbarrier needs .arrive");
    bool keepsCount = d.take("noinc");
    d.takeOneOf({"shared", "shared::cta"});
    Instr at;
    if (d.takeType() != Type::B64 || !d.expectOperands(1) ||
        !d.address(d.operand(0), at))
      return d.fail("cp.async.mbarrier.arrive needs .b64 and an address");
    Instr &i = d.emit(copyAsyncArrive);
    i.a = at.a;
    i.offset = at.offset;
    i.small0 = at.small0;
    i.small1 = keepsCount;
    return !d.failed();
  }
  bool global = d.take("cg"), all = d.take("ca");
  d.takeOneOf({"shared", "shared::cta"});
  if (global == all || !d.take("global"))
    return d.fail("cp.async needs .ca or .cg and .shared.global");
  const bool hasPolicy =
      llvm::is_contained(d.instruction->modifiers, "L2::cache_hint");
  d.takeHints();
  if (!d.expectOperands(3 + hasPolicy, 4 + hasPolicy))
    return false;
  auto bytes = d.constantOf(d.operand(2));
  if (!bytes || (*bytes != 4 && *bytes != 8 && *bytes != 16) ||
      (global && *bytes != 16))
    return d.fail("the size of cp.async is 4, 8 or 16 bytes, 16 with .cg");
  Instr to, from;
  if (!d.address(d.operand(0), to) || !d.address(d.operand(1), from))
    return false;
  uint32_t size = noRegister, ignore = noRegister;
  bool negated = false;
  if (hasPolicy)
    d.cachePolicy(d.operand(d.count() - 1));
  // Between them what is read of the source, or whether it is.
  if (d.count() == 4u + hasPolicy) {
    auto number = d.constantOf(d.operand(3));
    if (number && (*number < 0 || *number > *bytes))
      return d.fail("cp.async reads from 0 to all of its bytes");
    if (d.isPredicate(d.operand(3)))
      ignore = d.predicateSource(d.operand(3), negated);
    else
      size = d.source(d.operand(3), Type::U32);
  }
  int64_t *offset = d.extra<int64_t>();
  *offset = from.offset;
  Instr &i = d.emit(copyAsync);
  i.a = to.a;
  i.offset = to.offset;
  i.small0 = to.small0;
  i.small1 = *bytes;
  i.list = d.list({from.a, from.small0, size, ignore, uint32_t(negated)});
  i.extra = offset;
  return !d.failed();
}
