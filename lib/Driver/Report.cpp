//===- Report.cpp - Counters of a program's kernels ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Report.h.
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Demangle/Demangle.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;

/// Adds all that sums; what describes one launch is that of the last.
static void addTo(executor::Counters &to, const executor::Counters &from) {
  to.total += from.total;
  for (unsigned p = 0; p < executor::numPipes; ++p) {
    to.issued[p] += from.issued[p];
    to.threadInstructions[p] += from.threadInstructions[p];
  }
  for (const auto &[type, count] : from.macsByType)
    to.macsByType[type] += count;
  for (const auto &[opcode, count] : from.issuedByOpcode)
    to.issuedByOpcode[opcode] += count;
  to.barriers += from.barriers;
  to.l1Hits += from.l1Hits;
  to.l2ReadSectors += from.l2ReadSectors;
  to.l2WriteSectors += from.l2WriteSectors;
  to.l2Hits += from.l2Hits;
  to.dramReadBytes += from.dramReadBytes;
  to.dramWriteBytes += from.dramWriteBytes;
  to.blocksExecuted += from.blocksExecuted;
  to.blocksInGrid += from.blocksInGrid;
  to.occupancy = from.occupancy;
}

void KernelCounters::add(const std::string &kernel,
                         const executor::Counters &counters) {
  auto found = llvm::find_if(
      entries, [&](const Entry &entry) { return entry.kernel == kernel; });
  if (found == entries.end())
    found = entries.insert(entries.end(), {kernel, 0, {}});
  ++found->launches;
  addTo(found->sum, counters);
}

std::string KernelCounters::table() const {
  std::string text;
  for (const Entry &entry : entries)
    text += fmt::format("{}: {} launch{}\n{}", llvm::demangle(entry.kernel),
                        entry.launches, entry.launches == 1 ? "" : "es",
                        entry.sum.table());
  return text;
}

std::string KernelCounters::json() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::json::OStream j(out, 2);
  j.array([&] {
    for (const Entry &entry : entries)
      j.object([&] {
        j.attribute("kernel", entry.kernel);
        j.attribute("launches", int64_t(entry.launches));
        auto counters = llvm::json::parse(entry.sum.json());
        j.attribute("counters", llvm::cantFail(std::move(counters)));
      });
  });
  out << "\n";
  return text;
}
