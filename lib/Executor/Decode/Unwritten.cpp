//===- Unwritten.cpp - Registers that were never written -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dataflow over each function says which registers are written on every path to
// their uses. Only the others, few or none, are followed at run time: who reads
// one before it was written makes it an undefined value, as a load of memory
// that nobody wrote does (Checks/Undefined.h).
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"

#include "llvm/ADT/BitVector.h"

using namespace napkin::executor;

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
  /// not have been written.
  template <class F>
  void apply(uint32_t s, llvm::BitVector &written, F visit) {
    const RegisterUses &u = uses(s);
    for (const RegisterUse &read : u.reads)
      if (uint32_t n = number(read.id); !written.test(n))
        visit(n);
    for (uint32_t id : u.writes)
      if (!u.isGuarded)
        written.set(number(id));
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
  // Whoever calls the function has written its parameters.
  llvm::BitVector atEntry(flow.ids.size());
  for (size_t r = 0; r < function->parameters.size(); ++r) {
    if (function->parameters[r].space != ptx::Space::Register)
      continue;
    auto reference = parameterRegister(*function, false, r);
    auto found = reference ? flow.dense.find(*reference) : flow.dense.end();
    if (found != flow.dense.end())
      atEntry.set(found->second);
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
  in[flow.begin] = atEntry;
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
  llvm::DenseMap<uint32_t, uint32_t> tracked, indices;
  for (unsigned n : suspicious.set_bits())
    tracked[flow.ids[n]] = program.followedRegisters++;
  for (size_t r = 0; r < registerReferences.size(); ++r) {
    const bool isPredicate = function->registers[r].type == ptx::Type::Pred;
    if (registerReferences[r] != noRegister)
      indices[registerReferences[r] | (isPredicate ? predicateId : 0)] = r;
  }
  program.unwritten.resize(program.sources.size());
  for (uint32_t s = flow.begin; s < flow.end; ++s) {
    const RegisterUses &u = flow.uses(s);
    UnwrittenCheck check;
    for (const RegisterUse &read : u.reads)
      if (auto found = tracked.find(read.id); found != tracked.end())
        check.reads.push_back(
            {found->second, indices.lookup(read.id), read.isGuard});
    for (uint32_t id : u.writes)
      if (auto found = tracked.find(id); found != tracked.end())
        check.writes.push_back(found->second);
    if (check.reads.empty() && check.writes.empty())
      continue;
    program.unwritten[s] = std::move(check);
    program.code[flow.code[s - flow.begin]].flags |= TouchesUnwritten;
  }
}

void napkin::executor::touchUnwritten(Warp &w, const Instr &i, uint32_t mask) {
  const UnwrittenCheck &check = w.machine->program.unwritten[i.source];
  for (const UnwrittenCheck::Read &read : check.reads)
    // The guard is read by all lanes.
    if (uint32_t bad =
            (read.isGuard ? w.active : mask) & ~w.written[read.number])
      markUnwritten(w, i, read.reg, bad);
  for (uint32_t target : check.writes)
    w.written[target] |= mask;
}
