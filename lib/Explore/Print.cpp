//===- Print.cpp - outcomes side by side ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables, CSV and curves.
//===----------------------------------------------------------------------===//

#include "napkin/Drawing/Plot.h"
#include "napkin/Explore/Explore.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::explore;
using llvm::ArrayRef;
using llvm::StringRef;

/// Characters of UTF-8.
static size_t lengthOf(StringRef text) {
  return llvm::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
}

namespace {

/// Cells in columns that are as wide as they have to be. The first column
/// stands at the left, the others at the right or, where they are words, at the
/// left.
class Table {
public:
  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }

  void print(llvm::raw_ostream &out, size_t leftColumns) const {
    std::vector<size_t> widths;
    for (const std::vector<std::string> &row : rows) {
      widths.resize(std::max(widths.size(), row.size()));
      for (auto [width, cell] : llvm::zip(widths, row))
        width = std::max(width, lengthOf(cell));
    }
    for (const std::vector<std::string> &row : rows) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        std::string space(widths[i] - lengthOf(row[i]), ' ');
        bool isLeft = i == 0 || i >= leftColumns;
        line += (i ? "  " : "") + (isLeft ? row[i] + space : space + row[i]);
      }
      out << StringRef(line).rtrim() << "\n";
    }
  }

private:
  std::vector<std::vector<std::string>> rows;
};

} // namespace

static int64_t onceBytes(const Outcome &outcome) {
  int64_t sum = 0;
  for (const report::KernelReport &kernel : outcome.report.kernels)
    sum += kernel.compulsoryBytes;
  return sum;
}

/// "1.25", or "-" where the first has no value.
static std::string ratio(double value, double first) {
  return first > 0 ? fmt::format("{:.2f}", value / first) : "-";
}

/// The plan of kernel \p index of \p outcome in one line, "" where there is
/// none.
static std::string planOf(const Outcome &outcome, size_t index) {
  if (index >= outcome.report.kernels.size())
    return "";
  const report::KernelReport &kernel = outcome.report.kernels[index];
  std::string text =
      kernel.entry + ": " + (kernel.grid.empty() ? "one block" : kernel.grid);
  if (!kernel.stream.empty())
    text += fmt::format("; {}, {} stage{}", kernel.stream, kernel.stages,
                        kernel.stages == 1 ? "" : "s");
  return text + fmt::format("; {} warps, {} shared bytes, {} registers",
                            kernel.warps, report::grouped(kernel.sharedBytes),
                            kernel.registers);
}

static void printPlans(ArrayRef<Outcome> outcomes, llvm::raw_ostream &out) {
  for (const Outcome &outcome : outcomes) {
    out << "\n"
        << (outcome.label.empty() ? "as it is" : "what if " + outcome.label)
        << "\n";
    if (!outcome.refusal.empty())
      out << "  refused: " << outcome.refusal << "\n";
    for (size_t i = 0; i < outcome.report.kernels.size(); ++i)
      out << "  " << planOf(outcome, i) << "\n";
  }
}

void napkin::explore::printDifferences(ArrayRef<Outcome> outcomes,
                                       llvm::raw_ostream &out) {
  const Outcome &first = outcomes.front();
  Table table;
  table.add({"", "kernels", "global bytes", "times", "read", "written",
             "each once", "microseconds", "times"});
  for (const Outcome &outcome : outcomes) {
    std::string label = outcome.label.empty() ? "as it is" : outcome.label;
    if (!outcome.refusal.empty()) {
      table.add({label, "refused"});
      continue;
    }
    report::KernelCost total = outcome.report.total();
    table.add(
        {label, std::to_string(outcome.report.kernels.size()),
         report::grouped(total.total()),
         ratio(double(total.total()), double(first.report.total().total())),
         report::grouped(total.globalReadBytes),
         report::grouped(total.globalWriteBytes),
         report::grouped(onceBytes(outcome)),
         fmt::format("{:.1f}", outcome.microseconds),
         ratio(outcome.microseconds, first.microseconds)});
  }
  table.print(out, 9);
  printPlans(outcomes, out);
}

void napkin::explore::printSweep(const Sweep &sweep, ArrayRef<Outcome> outcomes,
                                 llvm::raw_ostream &out) {
  Table table;
  table.add({sweep.title(), "kernels", "global bytes", "each once", "times",
             "microseconds", "plan"});
  for (auto [value, outcome] : llvm::zip(sweep.values, outcomes)) {
    if (!outcome.refusal.empty()) {
      table.add({value, "", "", "", "", "", "refused: " + outcome.refusal});
      continue;
    }
    int64_t bytes = outcome.report.total().total();
    table.add({value, std::to_string(outcome.report.kernels.size()),
               report::grouped(bytes), report::grouped(onceBytes(outcome)),
               ratio(double(bytes), double(onceBytes(outcome))),
               fmt::format("{:.1f}", outcome.microseconds),
               planOf(outcome, 0)});
    for (size_t i = 1; i < outcome.report.kernels.size(); ++i)
      table.add({"", "", "", "", "", "", planOf(outcome, i)});
  }
  table.print(out, 6);
}

/// \p text as one value of CSV (RFC 4180).
static std::string quoted(StringRef text) {
  if (text.find_first_of(",\"\n") == StringRef::npos)
    return text.str();
  std::string result = "\"";
  for (char c : text)
    result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

void napkin::explore::printCSV(const Sweep &sweep, ArrayRef<Outcome> outcomes,
                               llvm::raw_ostream &out) {
  out << quoted(sweep.title())
      << ",kernels,global_bytes,read_bytes,written_bytes,once_bytes,"
         "microseconds,refusal\n";
  for (auto [value, outcome] : llvm::zip(sweep.values, outcomes)) {
    if (!outcome.refusal.empty()) {
      out << value << ",,,,,,," << quoted(outcome.refusal) << "\n";
      continue;
    }
    report::KernelCost total = outcome.report.total();
    out << fmt::format("{},{},{},{},{},{},{:.3f},\n", value,
                       outcome.report.kernels.size(), total.total(),
                       total.globalReadBytes, total.globalWriteBytes,
                       onceBytes(outcome), outcome.microseconds);
  }
}

std::string napkin::explore::plotSweep(const Sweep &sweep,
                                       ArrayRef<Outcome> outcomes) {
  drawing::Plot plot;
  plot.title = "global bytes over " + sweep.title();
  plot.xLabel = sweep.title();
  plot.yLabel = "bytes";
  plot.series = {{"global bytes", {}}, {"each array once", {}}};
  for (auto [value, outcome] : llvm::zip(sweep.values, outcomes)) {
    if (!outcome.refusal.empty())
      continue;
    double x = std::stod(value);
    plot.series[0].points.push_back(
        {x, double(outcome.report.total().total())});
    plot.series[1].points.push_back({x, double(onceBytes(outcome))});
  }
  return drawing::drawPlot(plot);
}
