//===- KernelList.cpp - a diagram as a list of kernels ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who writes and reads what, before and after a change.
//
//===----------------------------------------------------------------------===//

#include "KernelList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include <algorithm>

using namespace napkin;
using namespace napkin::schedule;

/// Kernels looked at for each array that many read.
static constexpr unsigned mostNeighbours = 6;

static void insertInto(Set &set, unsigned element) {
  auto place = std::lower_bound(set.begin(), set.end(), element);
  if (place == set.end() || *place != element)
    set.insert(place, element);
}

static void eraseFrom(Set &set, unsigned element) {
  auto place = std::lower_bound(set.begin(), set.end(), element);
  if (place != set.end() && *place == element)
    set.erase(place);
}

static Set sorted(Set set) {
  llvm::sort(set);
  set.erase(llvm::unique(set), set.end());
  return set;
}

KernelList::KernelList(FusionCosts &costs)
    : costs(costs), graph(costs.graph), writer(graph.units.size(), -1),
      readers(graph.units.size()) {}

unsigned KernelList::add(KernelSet kernel) {
  unsigned number = kernels.size();
  for (unsigned unit : kernel.writes)
    writer[unit] = int(number);
  for (unsigned unit : graph.reads(kernel.computes))
    insertInto(readers[unit], number);
  for (unsigned unit : kernel.computes)
    for (unsigned argument : graph.units[unit].arguments)
      insertInto(argumentReaders[argument], number);
  kernels.push_back(std::move(kernel));
  position.push_back(0);
  return number;
}

void KernelList::remove(unsigned number) {
  const KernelSet &kernel = *kernels[number];
  for (unsigned unit : kernel.writes)
    if (writer[unit] == int(number))
      writer[unit] = -1;
  for (unsigned unit : graph.reads(kernel.computes))
    eraseFrom(readers[unit], number);
  for (unsigned unit : kernel.computes)
    for (unsigned argument : graph.units[unit].arguments)
      eraseFrom(argumentReaders[argument], number);
  kernels[number].reset();
}

double KernelList::cycles() const {
  double total = 0;
  for (const std::optional<KernelSet> &kernel : kernels)
    if (kernel)
      total += costs.cost(*kernel);
  return total;
}

Set KernelList::all() const {
  Set result;
  for (unsigned i = 0; i < kernels.size(); ++i)
    if (kernels[i])
      result.push_back(i);
  return result;
}

/// The elements of \p set nearest to \p number.
static void appendNearest(Set &result, const Set &set, unsigned number) {
  auto middle = std::lower_bound(set.begin(), set.end(), number);
  auto low = middle - std::min<ptrdiff_t>(middle - set.begin(), mostNeighbours);
  auto high = middle + std::min<ptrdiff_t>(set.end() - middle, mostNeighbours);
  result.append(low, high);
}

Set KernelList::neighbours(unsigned number) const {
  const KernelSet &kernel = at(number);
  Set result;
  for (unsigned unit : graph.reads(kernel.computes)) {
    if (writer[unit] >= 0)
      result.push_back(unsigned(writer[unit]));
    appendNearest(result, readers[unit], number);
  }
  for (unsigned unit : kernel.writes)
    appendNearest(result, readers[unit], number);
  for (unsigned unit : kernel.computes)
    for (unsigned argument : graph.units[unit].arguments)
      appendNearest(result, argumentReaders.at(argument), number);
  result = sorted(std::move(result));
  eraseFrom(result, number);
  return result;
}

Set KernelList::neededOutside(const Set &removed) const {
  Set result;
  for (unsigned number : removed)
    for (unsigned unit : at(number).writes)
      if (graph.units[unit].returned ||
          llvm::any_of(readers[unit], [&](unsigned reader) {
            return !contains(removed, reader);
          }))
        result.push_back(unit);
  return sorted(std::move(result));
}

/// Gives every array that is needed a writer among \p sets, and takes out what
/// is then computed for nobody. Which arrays are needed changes with that.
std::optional<llvm::SmallVector<KernelSet, 2>>
KernelList::findWriters(const Set &removed,
                        llvm::SmallVector<Set, 3> sets) const {
  const Set outside = neededOutside(removed);
  llvm::SmallVector<Set, 3> writes;
  for (unsigned round = 0; round < 8; ++round) {
    Set needed = outside;
    for (const Set &set : sets)
      for (unsigned unit : graph.reads(set))
        if (writer[unit] < 0 || contains(removed, unsigned(writer[unit])))
          needed.push_back(unit);
    writes.assign(sets.size(), {});
    for (unsigned unit : sorted(needed)) {
      // One that needs it for nothing else writes it, or else the smallest.
      int best = -1;
      bool bestEnds = false;
      for (unsigned i = 0; i < sets.size(); ++i) {
        if (!contains(sets[i], unit))
          continue;
        bool ends = llvm::none_of(graph.units[unit].users, [&](unsigned user) {
          return contains(sets[i], user);
        });
        if (best < 0 || (ends && !bestEnds) ||
            (!ends && !bestEnds && sets[i].size() < sets[best].size())) {
          best = int(i);
          bestEnds = ends;
        }
      }
      if (best < 0)
        return std::nullopt;
      writes[best].push_back(unit);
    }
    bool same = true;
    for (unsigned i = 0; i < sets.size(); ++i) {
      Set closed = graph.close(sets[i], writes[i]);
      same &= closed.size() == sets[i].size();
      sets[i] = std::move(closed);
    }
    if (same)
      break;
    if (round == 7)
      return std::nullopt;
  }
  llvm::SmallVector<KernelSet, 2> made;
  for (unsigned i = 0; i < sets.size(); ++i)
    if (!writes[i].empty())
      made.push_back({std::move(sets[i]), std::move(writes[i])});
  return made;
}

/// Kernels outside that wrote for the removed ones alone write less.
void KernelList::dropUnread(Proposal &proposal, const Set &fewerReads) const {
  Set newReads;
  for (const KernelSet &kernel : proposal.made)
    newReads = unite(newReads, graph.reads(kernel.computes));
  std::map<unsigned, KernelSet> shrunk;
  llvm::SmallVector<unsigned, 8> pending(fewerReads.begin(), fewerReads.end());
  while (!pending.empty()) {
    unsigned unit = pending.pop_back_val();
    int number = writer[unit];
    if (number < 0 || contains(proposal.removed, unsigned(number)) ||
        graph.units[unit].returned || graph.units[unit].fixed ||
        contains(newReads, unit))
      continue;
    bool read = llvm::any_of(readers[unit], [&](unsigned reader) {
      if (contains(proposal.removed, reader))
        return false;
      auto smaller = shrunk.find(reader);
      return smaller == shrunk.end() ||
             contains(graph.reads(smaller->second.computes), unit);
    });
    if (read)
      continue;
    KernelSet &kernel =
        shrunk.try_emplace(unsigned(number), at(unsigned(number)))
            .first->second;
    Set before = graph.reads(kernel.computes);
    kernel.writes = minus(kernel.writes, unit);
    kernel.computes = graph.close(kernel.computes, kernel.writes);
    Set lost = minus(before, graph.reads(kernel.computes));
    pending.append(lost.begin(), lost.end());
  }
  for (auto &[number, kernel] : shrunk) {
    insertInto(proposal.removed, number);
    if (!kernel.writes.empty())
      proposal.made.push_back(std::move(kernel));
  }
}

/// Units that are pinned to a kernel are in one kernel.
bool KernelList::keepsPins(llvm::ArrayRef<KernelSet> made) const {
  llvm::SmallSet<unsigned, 8> seen;
  for (const KernelSet &kernel : made)
    for (unsigned unit : kernel.computes)
      if (graph.units[unit].pinned >= 0 && !seen.insert(unit).second)
        return false;
  return true;
}

std::optional<Proposal> KernelList::propose(const Set &removed,
                                            llvm::SmallVector<Set, 3> sets,
                                            double atLeast) {
  llvm::erase_if(sets, [](const Set &set) { return set.empty(); });
  auto made = findWriters(removed, std::move(sets));
  if (!made)
    return std::nullopt;
  return complete(removed, std::move(*made), atLeast);
}

std::optional<Proposal>
KernelList::complete(const Set &removed, llvm::SmallVector<KernelSet, 2> made,
                     double atLeast) {
  if (!keepsPins(made))
    return std::nullopt;
  Proposal proposal;
  proposal.removed = removed;
  proposal.made = std::move(made);
  Set before, after;
  for (unsigned number : removed)
    before = unite(before, graph.reads(at(number).computes));
  for (const KernelSet &kernel : proposal.made)
    after = unite(after, graph.reads(kernel.computes));
  dropUnread(proposal, minus(before, after));
  double old = 0, least = 0;
  for (unsigned number : proposal.removed)
    old += costs.cost(at(number));
  for (const KernelSet &kernel : proposal.made)
    least += costs.least(kernel);
  if (old - least <= atLeast)
    return std::nullopt;
  double now = 0;
  for (const KernelSet &kernel : proposal.made) {
    least -= costs.least(kernel);
    now += costs.cost(kernel);
    if (old - now - least <= atLeast)
      return std::nullopt;
  }
  proposal.gain = old - now;
  return proposal;
}

bool KernelList::isAcyclic(const Set &removed,
                           llvm::ArrayRef<KernelSet> made) const {
  // Kernels that were there before are in order, so that a circle goes through
  // a new one; and outside of those only through what comes after the first
  // that was removed.
  unsigned first = ~0u;
  for (unsigned number : removed)
    first = std::min(first, position[number]);
  unsigned count = kernels.size();
  llvm::SmallDenseMap<unsigned, unsigned, 16> newWriter;
  for (auto [i, kernel] : llvm::enumerate(made))
    for (unsigned unit : kernel.writes)
      newWriter[unit] = count + i;
  auto sourcesOf = [&](unsigned number) {
    const KernelSet &kernel =
        number < count ? *kernels[number] : made[number - count];
    Set sources;
    for (unsigned unit : graph.reads(kernel.computes)) {
      auto entry = newWriter.find(unit);
      if (entry != newWriter.end())
        sources.push_back(entry->second);
      else if (writer[unit] >= 0 &&
               !contains(removed, unsigned(writer[unit])) &&
               position[writer[unit]] > first)
        sources.push_back(unsigned(writer[unit]));
    }
    return sources;
  };
  enum State { Open = 1, Done };
  llvm::SmallDenseMap<unsigned, State, 16> state;
  for (unsigned root = count; root < count + made.size(); ++root) {
    if (state.count(root))
      continue;
    llvm::SmallVector<std::pair<unsigned, Set>, 16> stack;
    stack.push_back({root, sourcesOf(root)});
    state[root] = Open;
    while (!stack.empty()) {
      auto &[number, sources] = stack.back();
      if (sources.empty()) {
        state[number] = Done;
        stack.pop_back();
        continue;
      }
      unsigned source = sources.pop_back_val();
      auto [entry, fresh] = state.try_emplace(source, Open);
      if (!fresh && entry->second == Open)
        return false;
      if (fresh)
        stack.push_back({source, sourcesOf(source)});
    }
  }
  return true;
}

Set KernelList::apply(const Set &removed, llvm::ArrayRef<KernelSet> made) {
  for (unsigned number : removed)
    remove(number);
  Set numbers;
  for (const KernelSet &kernel : made)
    numbers.push_back(add(kernel));
  renumber();
  return numbers;
}

void KernelList::renumber() {
  for (auto [place, number] : llvm::enumerate(order()))
    position[number] = place;
}

llvm::SmallVector<unsigned, 0> KernelList::order() const {
  std::vector<unsigned> waiting(kernels.size(), 0);
  std::vector<llvm::SmallVector<unsigned, 2>> next(kernels.size());
  // What may run now: the kernel whose last unit comes first.
  std::map<unsigned, unsigned> ready;
  unsigned count = 0;
  for (unsigned number = 0; number < kernels.size(); ++number) {
    if (!kernels[number])
      continue;
    ++count;
    Set sources;
    for (unsigned unit : graph.reads(kernels[number]->computes))
      if (writer[unit] >= 0)
        sources.push_back(unsigned(writer[unit]));
    sources = sorted(std::move(sources));
    waiting[number] = sources.size();
    for (unsigned source : sources)
      next[source].push_back(number);
  }
  auto makeReady = [&](unsigned number) {
    ready.emplace(kernels[number]->writes.back(), number);
  };
  for (unsigned number = 0; number < kernels.size(); ++number)
    if (kernels[number] && !waiting[number])
      makeReady(number);
  llvm::SmallVector<unsigned, 0> result;
  while (!ready.empty()) {
    unsigned number = ready.begin()->second;
    ready.erase(ready.begin());
    result.push_back(number);
    for (unsigned reader : next[number])
      if (--waiting[reader] == 0)
        makeReady(reader);
  }
  if (result.size() != count)
    result.clear();
  return result;
}
