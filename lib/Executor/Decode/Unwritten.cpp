//===- Unwritten.cpp - Registers that were never written -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compilers compute with undefined registers whose results nobody uses: lanes
// that a guarded load left out, undefined parts of a vector. So an undefined
// operand makes a result undefined, and only what depends on it for good traps:
// an address, a guard, a value stored to global memory, an operand of a
// synchronisation. Values that pass through other lanes or through memory of
// the block count as defined.
//
// Dataflow over each function says which registers are written on every path to
// their uses. Only the others, few or none, are followed at run time.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"

#include "llvm/ADT/BitVector.h"

#include <fmt/format.h>

using namespace napkin::executor;

/// What undefined operands do to an instruction.
static UndefinedRule ruleOf(const SourceInfo &info, const RegisterUses &uses) {
  llvm::StringRef opcode = info.ptx->opcode;
  auto has = [&](llvm::StringRef modifier) {
    return llvm::is_contained(info.ptx->modifiers, modifier);
  };
  for (const char *strict : {"bar", "barrier", "mbarrier", "brx", "tensormap",
                             "setmaxnreg", "cp", "atom", "red"})
    if (opcode == strict)
      return UndefinedRule::Use;
  if (opcode == "st")
    return has("global") ? UndefinedRule::Use : UndefinedRule::Define;
  // Across lanes or through memory; merging of parts and choices.
  if (info.pipe == Pipe::LSU || info.pipe == Pipe::Tensor ||
      info.pipe == Pipe::Async || info.pipe == Pipe::Synchronization ||
      info.pipe == Pipe::Control)
    return UndefinedRule::Define;
  for (const char *merging :
       {"shfl", "vote", "match", "redux", "elect", "activemask", "movmatrix",
        "mma", "wmma", "wgmma", "selp", "slct", "bfi", "prmt", "call"})
    if (opcode == merging)
      return UndefinedRule::Define;
  // x xor x is 0 whatever x is.
  if ((opcode == "xor" || opcode == "sub") && uses.reads.size() == 2 &&
      uses.reads[0].id == uses.reads[1].id)
    return UndefinedRule::Define;
  return UndefinedRule::Propagate;
}

namespace {

/// The instructions of one function, by number of their PTX instruction.
struct Flow {
  Program &program;
  uint32_t begin, end;
  /// First micro-instruction of each.
  std::vector<uint32_t> code;
  llvm::DenseMap<uint32_t, uint32_t> dense;
  std::vector<uint32_t> ids;

  Flow(Program &program, uint32_t begin, uint32_t end)
      : program(program), begin(begin), end(end) {}
  const RegisterUses &uses(uint32_t s) const { return program.uses[s]; }
  uint32_t number(uint32_t id) {
    auto [found, isNew] = dense.try_emplace(id, ids.size());
    if (isNew)
      ids.push_back(id);
    return found->second;
  }

  /// Where control goes after instruction `s`.
  void successors(uint32_t s, llvm::SmallVectorImpl<uint32_t> &to) const {
    bool falls = true;
    for (uint32_t at = code[s - begin];
         at < program.code.size() && program.code[at].source == s; ++at) {
      const Instr &i = program.code[at];
      if (i.run == branchTo || i.run == branchPolling)
        to.push_back(program.code[i.e].source);
      else if (i.run == branchIndexed)
        for (int64_t k = 0; k < i.offset; ++k)
          to.push_back(program.code[i.list[k]].source);
      else if (i.run != exitLanes && i.run != returnOrExit && i.run != userTrap)
        continue;
      falls &= i.guard != noGuard;
    }
    if (falls && s + 1 < end)
      to.push_back(s + 1);
  }

  /// Applies instruction `s`; `visit` sees registers that it reads and that may
  /// be undefined.
  template <class F>
  void apply(uint32_t s, llvm::BitVector &written, F visit) {
    const RegisterUses &u = uses(s);
    UndefinedRule rule = ruleOf(program.sources[s], u);
    bool defined = true;
    for (const RegisterUse &read : u.reads) {
      uint32_t n = number(read.id);
      if (written.test(n))
        continue;
      if (read.isStrict || rule != UndefinedRule::Define)
        visit(n);
      defined &= read.isStrict || rule != UndefinedRule::Propagate;
    }
    for (uint32_t id : u.writes) {
      uint32_t n = number(id);
      if (!defined)
        written.reset(n);
      else if (!u.isGuarded)
        written.set(n);
    }
  }
};

} // namespace

void Decoder::findUnwritten(uint32_t firstSource) {
  Flow flow(program, firstSource, program.sources.size());
  for (uint32_t at = functionStarts[currentFunction]; at < program.code.size();
       ++at)
    while (flow.code.size() + firstSource <= program.code[at].source)
      flow.code.push_back(at);
  for (uint32_t s = flow.begin; s < flow.end; ++s) {
    for (const RegisterUse &read : flow.uses(s).reads)
      flow.number(read.id);
    for (uint32_t id : flow.uses(s).writes)
      flow.number(id);
  }
  // Basic blocks: the state is kept where control joins.
  const uint32_t count = flow.end - flow.begin;
  std::vector<bool> isLeader(count + 1);
  llvm::SmallVector<uint32_t, 8> next;
  isLeader[0] = true;
  for (uint32_t s = flow.begin; s < flow.end; ++s) {
    next.clear();
    flow.successors(s, next);
    if (next.size() == 1 && next[0] == s + 1)
      continue;
    for (uint32_t to : next)
      isLeader[to - flow.begin] = true;
    isLeader[s + 1 - flow.begin] = true;
  }
  llvm::DenseMap<uint32_t, llvm::BitVector> in;
  in[flow.begin] = llvm::BitVector(flow.ids.size());
  std::vector<uint32_t> open{flow.begin};
  llvm::BitVector suspicious(flow.ids.size());
  while (!open.empty()) {
    uint32_t s = open.back();
    open.pop_back();
    llvm::BitVector state = in[s];
    for (;; ++s) {
      flow.apply(s, state, [&](uint32_t n) { suspicious.set(n); });
      if (s + 1 >= flow.end || isLeader[s + 1 - flow.begin])
        break;
    }
    next.clear();
    flow.successors(s, next);
    for (uint32_t to : next) {
      auto [found, isNew] = in.try_emplace(to, state);
      if (isNew) {
        open.push_back(to);
        continue;
      }
      llvm::BitVector joined = found->second;
      joined &= state;
      if (joined != found->second) {
        found->second = joined;
        open.push_back(to);
      }
    }
  }
  if (suspicious.none())
    return;
  // Number them for the launch, and mark what touches them.
  llvm::DenseMap<uint32_t, uint32_t> tracked;
  for (unsigned n : suspicious.set_bits()) {
    tracked[flow.ids[n]] = program.unwrittenNames.size();
    program.unwrittenNames.push_back(registerNames.lookup(flow.ids[n]));
  }
  program.unwritten.resize(program.sources.size());
  for (uint32_t s = flow.begin; s < flow.end; ++s) {
    const RegisterUses &u = flow.uses(s);
    UnwrittenCheck check;
    check.rule = ruleOf(program.sources[s], u);
    for (const RegisterUse &read : u.reads)
      if (auto found = tracked.find(read.id); found != tracked.end())
        check.reads.push_back({found->second, read.isStrict, read.isGuard});
    for (uint32_t id : u.writes)
      if (auto found = tracked.find(id); found != tracked.end())
        check.writes.push_back(found->second);
    if (check.reads.empty() && check.writes.empty())
      continue;
    program.unwritten[s] = std::move(check);
    program.code[flow.code[s - flow.begin]].flags |= TouchesUnwritten;
  }
}

bool napkin::executor::touchUnwritten(Warp &w, const Instr &i, uint32_t mask) {
  const Program &program = w.machine->program;
  const UnwrittenCheck &check = program.unwritten[i.source];
  uint32_t undefined = 0;
  for (const UnwrittenCheck::Read &read : check.reads) {
    // The guard is read by all lanes.
    uint32_t bad = (read.isGuard ? w.active : mask) & ~w.written[read.reg];
    if (!bad)
      continue;
    if (read.isStrict || check.rule == UndefinedRule::Use) {
      w.machine->trap(w, i, __builtin_ctz(bad), Trap::Kind::Uninitialized,
                      fmt::format("register {} is {} and was never written",
                                  program.unwrittenNames[read.reg],
                                  read.isGuard    ? "the guard"
                                  : read.isStrict ? "an address"
                                                  : "an operand"));
      return false;
    }
    if (check.rule == UndefinedRule::Propagate)
      undefined |= bad;
  }
  for (uint32_t target : check.writes)
    w.written[target] = (w.written[target] | mask) & ~undefined;
  return true;
}
