//===- Report.cpp - Counters and traps as text -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// JSON and tables.
//
//===----------------------------------------------------------------------===//

#include "Machine/Launch.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

using namespace napkin::executor;

llvm::StringRef napkin::executor::pipeName(Pipe pipe) {
  static const char *names[] = {
      "alu",    "fma",    "mufu",  "half",    "double",
      "lsu",    "tensor", "async", "control", "synchronization",
      "convert"};
  return names[unsigned(pipe)];
}

llvm::StringRef napkin::executor::trapName(Trap::Kind kind) {
  static const char *names[] = {
      "out-of-bounds",   "misaligned",        "uninitialized",
      "freed",           "read-only",         "race",
      "async-hazard",    "divergent-barrier", "barrier-misuse",
      "mbarrier-misuse", "deadlock",          "wgmma-hazard",
      "proxy-fence",     "register-pool",     "exit-in-flight",
      "limit",           "illegal",           "user-trap"};
  return names[unsigned(kind)];
}

std::optional<Approximation>
napkin::executor::parseApproximation(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Approximation>>(name)
      .Case("exact", Approximation::Exact)
      .Case("typical", Approximation::Typical)
      .Case("worst", Approximation::Worst)
      .Default(std::nullopt);
}

/// ", source a.h:3, f(int) inlined at a.cu:9", or nothing without a line.
static std::string sourceOf(const std::string &file, uint32_t line,
                            llvm::ArrayRef<InlinedCall> inlined) {
  if (!line)
    return "";
  std::string text = fmt::format(", source {}:{}", file, line);
  for (const InlinedCall &call : inlined)
    text += fmt::format(", {}{}inlined at {}:{}", call.function,
                        call.function.empty() ? "" : " ", call.file, call.line);
  return text;
}

std::string napkin::executor::describe(const Trap &t, llvm::StringRef file) {
  std::string text =
      fmt::format("{}:{}: trap: {}: {}\n  {}\n", file.str(), t.line,
                  trapName(t.kind).str(), t.message, t.text);
  text +=
      fmt::format("  thread ({}, {}, {}) of block ({}, {}, {})", t.thread[0],
                  t.thread[1], t.thread[2], t.block[0], t.block[1], t.block[2]);
  text += sourceOf(t.sourceFile, t.sourceLine, t.inlined) + "\n";
  if (t.otherLine)
    text += fmt::format(
        "{}:{}: note: the other access{}\n  {}\n", file.str(), t.otherLine,
        sourceOf(t.otherSourceFile, t.otherSourceLine, t.otherInlined),
        t.other);
  return text;
}

namespace {

struct Field {
  const char *name;
  uint64_t InstructionCounters::*value;
};

} // namespace

using IC = InstructionCounters;
static const Field fields[] = {
    {"warp_instructions", &IC::warps},
    {"thread_instructions", &IC::threads},
    {"global_read_bytes", &IC::globalReadBytes},
    {"global_write_bytes", &IC::globalWriteBytes},
    {"global_read_sectors", &IC::globalReadSectors},
    {"global_write_sectors", &IC::globalWriteSectors},
    {"shared_read_bytes", &IC::sharedReadBytes},
    {"shared_write_bytes", &IC::sharedWriteBytes},
    {"shared_wavefronts", &IC::sharedWavefronts},
    {"shared_bank_conflicts", &IC::sharedConflicts},
    {"remote_read_bytes", &IC::remoteReadBytes},
    {"remote_write_bytes", &IC::remoteWriteBytes},
    {"multicast_bytes", &IC::multicastBytes},
    {"local_read_bytes", &IC::localReadBytes},
    {"local_write_bytes", &IC::localWriteBytes},
    {"constant_read_bytes", &IC::constantReadBytes},
    {"tensor_macs", &IC::tensorMacs},
    {"atomics", &IC::atomics},
};
static_assert(sizeof(fields) / sizeof(Field) * sizeof(uint64_t) ==
                  sizeof(InstructionCounters),
              "every counter is reported");

InstructionCounters &
napkin::executor::operator+=(InstructionCounters &to,
                             const InstructionCounters &from) {
  for (const Field &field : fields)
    to.*field.value += from.*field.value;
  return to;
}

static void scale(InstructionCounters &c, uint64_t numerator,
                  uint64_t denominator) {
  for (const Field &field : fields) {
    uint64_t &value = c.*field.value;
    value = uint64_t((unsigned __int128)value * numerator / denominator);
  }
}

void Machine::summarize(Counters &c, llvm::ArrayRef<InstructionCounters> sum) {
  c.occupancy = occupancy;
  if (c.blocksInGrid != c.blocksExecuted)
    c.barriers = c.barriers * c.blocksInGrid / c.blocksExecuted;
  for (size_t s = 0; s < sum.size(); ++s) {
    const SourceInfo &info = program.sources[s];
    InstructionCounters row = sum[s];
    // wgmma is issued by four warps for one product.
    row.tensorMacs = row.warps * info.macs;
    if (c.blocksInGrid != c.blocksExecuted)
      scale(row, c.blocksInGrid, c.blocksExecuted);
    c.total += row;
    c.issued[unsigned(info.pipe)] += row.warps;
    c.threadInstructions[unsigned(info.pipe)] += row.threads;
    if (info.macs && row.tensorMacs)
      c.macsByType[info.macType] += row.tensorMacs;
    if (row.warps)
      c.issuedByOpcode[info.ptx->opcode.str()] += row.warps;
    c.rows.push_back({info.ptx->position.line, info.ptx->text.str(), row});
  }
}

static void write(llvm::json::OStream &j, const InstructionCounters &c) {
  for (const Field &field : fields)
    j.attribute(field.name, int64_t(c.*field.value));
}

std::string Counters::json(bool perLine) const {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::json::OStream j(out, 2);
  j.object([&] {
    write(j, total);
    j.attribute("barriers", int64_t(barriers));
    j.attribute("blocks_executed", int64_t(blocksExecuted));
    j.attribute("blocks_in_grid", int64_t(blocksInGrid));
    j.attributeObject("occupancy", [&] {
      j.attribute("threads_per_block", int64_t(occupancy.threadsPerBlock));
      j.attribute("warps_per_block", int64_t(occupancy.warpsPerBlock));
      j.attribute("shared_bytes_per_block",
                  int64_t(occupancy.sharedBytesPerBlock));
      if (occupancy.registersPerThread)
        j.attribute("registers_per_thread",
                    int64_t(occupancy.registersPerThread));
      if (!occupancy.blocksPerMultiprocessor)
        return;
      j.attribute("hardware", occupancy.hardware);
      j.attribute("blocks_per_multiprocessor",
                  int64_t(occupancy.blocksPerMultiprocessor));
      j.attribute("limit", occupancy.limit);
    });
    j.attribute("l1_hits", int64_t(l1Hits));
    j.attribute("l2_read_sectors", int64_t(l2ReadSectors));
    j.attribute("l2_write_sectors", int64_t(l2WriteSectors));
    j.attribute("l2_hits", int64_t(l2Hits));
    j.attribute("dram_read_bytes", int64_t(dramReadBytes));
    j.attribute("dram_write_bytes", int64_t(dramWriteBytes));
    j.attributeObject("issued", [&] {
      for (unsigned p = 0; p < numPipes; ++p)
        j.attribute(pipeName(Pipe(p)), int64_t(issued[p]));
    });
    j.attributeObject("macs_by_type", [&] {
      for (const auto &[type, macs] : macsByType)
        j.attribute(type, int64_t(macs));
    });
    j.attributeObject("issued_by_opcode", [&] {
      for (const auto &[opcode, count] : issuedByOpcode)
        j.attribute(opcode, int64_t(count));
    });
    if (perLine)
      j.attributeArray("lines", [&] {
        for (const Row &row : rows)
          if (row.counters.warps)
            j.object([&] {
              j.attribute("line", int64_t(row.line));
              j.attribute("text", llvm::json::fixUTF8(row.text));
              write(j, row.counters);
            });
      });
  });
  out << "\n";
  return text;
}

std::string Counters::table() const {
  std::string text;
  auto line = [&](const char *name, uint64_t value) {
    text += fmt::format("  {:<28}{:>16}\n", name, value);
  };
  line("global read bytes", total.globalReadBytes);
  line("global write bytes", total.globalWriteBytes);
  line("global read sectors", total.globalReadSectors);
  line("global write sectors", total.globalWriteSectors);
  line("shared read bytes", total.sharedReadBytes);
  line("shared write bytes", total.sharedWriteBytes);
  line("shared wavefronts", total.sharedWavefronts);
  line("shared bank conflicts", total.sharedConflicts);
  if (total.localReadBytes || total.localWriteBytes) {
    line("local read bytes", total.localReadBytes);
    line("local write bytes", total.localWriteBytes);
  }
  auto ifAny = [&](const char *name, uint64_t value) {
    if (value)
      line(name, value);
  };
  ifAny("constant read bytes", total.constantReadBytes);
  ifAny("remote read bytes", total.remoteReadBytes);
  ifAny("remote write bytes", total.remoteWriteBytes);
  ifAny("multicast bytes", total.multicastBytes);
  ifAny("atomics", total.atomics);
  if (l2ReadSectors || l2WriteSectors) {
    line("L1 hits", l1Hits);
    line("L2 read sectors", l2ReadSectors);
    line("L2 write sectors", l2WriteSectors);
    line("L2 hits", l2Hits);
    line("DRAM read bytes", dramReadBytes);
    line("DRAM write bytes", dramWriteBytes);
  }
  for (const auto &[type, macs] : macsByType)
    line(("tensor MACs, " + type).c_str(), macs);
  for (unsigned p = 0; p < numPipes; ++p)
    if (issued[p])
      line(("issued to " + pipeName(Pipe(p)).str()).c_str(), issued[p]);
  line("thread instructions", total.threads);
  line("barriers", barriers);
  line("threads per block", occupancy.threadsPerBlock);
  line("shared bytes per block", occupancy.sharedBytesPerBlock);
  if (occupancy.registersPerThread)
    line("registers per thread", occupancy.registersPerThread);
  if (occupancy.blocksPerMultiprocessor)
    text += fmt::format(
        "  {:<28}{:>16}  ({}, limited by {}{})\n", "blocks per multiprocessor",
        occupancy.blocksPerMultiprocessor, occupancy.hardware, occupancy.limit,
        occupancy.registersPerThread ? "" : "; registers unknown");
  if (blocksExecuted != blocksInGrid)
    text += fmt::format(
        "  sampled: {} of {} blocks were executed, counts are scaled\n",
        blocksExecuted, blocksInGrid);
  return text;
}
