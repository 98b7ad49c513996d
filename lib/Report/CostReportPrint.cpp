//===- CostReportPrint.cpp - cost reports as text and JSON ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints cost reports.
//
//===----------------------------------------------------------------------===//

#include "napkin/Report/CostReport.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include <cmath>
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::report;

std::string napkin::report::grouped(int64_t number) {
  std::string digits = std::to_string(number), text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-')
      text += ' ';
    text += digits[i];
  }
  return text;
}

std::string napkin::report::grouped(double number) {
  return grouped(int64_t(std::llround(number)));
}

static std::string ratio(double a, double b) {
  return b > 0 ? fmt::format("{:.2f}", a / b) : "-";
}

/// A line "  label          text".
static void printLine(llvm::raw_ostream &os, const char *label,
                      const std::string &text) {
  os << fmt::format("  {:<13} {}\n", label, text);
}

void KernelReport::print(llvm::raw_ostream &os) const {
  os << "kernel " << entry;
  if (!hardware.empty())
    os << " on " << (hardwareTitle.empty() ? hardware : hardwareTitle);
  os << "\n";
  printLine(os, "grid",
            fmt::format("{}{} block{}", grid.empty() ? "" : grid + ": ", blocks,
                        blocks == 1 ? "" : "s") +
                (warps ? fmt::format(" of {} warps", warps) : ""));
  printLine(os, "stream",
            stream.empty() ? "none: whole axes stay in the block"
                           : stream + fmt::format(", {} stages", stages));
  if (!products.empty())
    printLine(os, "products", llvm::join(products, "; "));
  printLine(os, "H, values", values.str());
  printLine(os, "H, bytes", bytes.str());
  printLine(os, "global bytes",
            fmt::format("{} = {} read + {} written", grouped(cost.total()),
                        grouped(cost.globalReadBytes),
                        grouped(cost.globalWriteBytes)));
  printLine(os, "each once",
            fmt::format("{}; this kernel moves {} times that",
                        grouped(compulsoryBytes),
                        ratio(double(cost.total()), double(compulsoryBytes))));
  if (closedForm && closedForm->beta.isZero()) {
    printLine(os, "optimum",
              "no partition changes H: nothing crosses more than once");
  } else if (closedForm) {
    std::string partition;
    for (const auto &[axis, value] : closedForm->partition)
      partition += fmt::format("{}{} = {}", partition.empty() ? ", at " : ", ",
                               cost::groupVariable(axis), value.str());
    printLine(os, "optimum",
              fmt::format("H* = {} bytes, β = {}{}, under {} ≤ M",
                          closedForm->transfers.str(), closedForm->beta.str(),
                          partition, closedForm->memory.str()));
    printLine(os, "",
              fmt::format("at this partition's M = {}: {}",
                          grouped(memoryBytes), grouped(optimumBytes)));
    printLine(os, "lower bound",
              fmt::format("{} with all registers and shared memory of a "
                          "multiprocessor",
                          grouped(leastBytes)));
  } else if (!noClosedForm.empty()) {
    printLine(os, "optimum", "no closed form: " + noClosedForm);
  }
  if (unfusedBytes > 0)
    printLine(os, "unfused",
              fmt::format("{} if every operation were a kernel of its own, {} "
                          "times as many",
                          grouped(unfusedBytes),
                          ratio(double(unfusedBytes), double(cost.total()))));
  if (registers > 0)
    printLine(os, "a block holds",
              fmt::format("{} bytes of shared memory; {} registers of each "
                          "thread",
                          grouped(sharedBytes), registers));
  if (!cycles.empty()) {
    std::string text;
    for (const auto &[level, count] : cycles)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", level,
                          grouped(count));
    printLine(os, "cycles",
              fmt::format("{} estimated: {}", grouped(totalCycles), text));
    for (const auto &[level, count] : cycles)
      if (level != "launch") {
        printLine(
            os, "binds",
            fmt::format(
                "{}, {:.0f} % of the cycles after the launch", level,
                100.0 * double(count) /
                    std::max<double>(1, double(totalCycles) - launchCycles())));
        break;
      }
  }
  os << "  arrays\n";
  size_t names = 12, axes = 8;
  for (const ArrayCost &array : arrays) {
    names = std::max(names, array.name.size());
    axes = std::max(axes, array.axes.size() + 1);
  }
  for (const ArrayCost &array : arrays)
    os << fmt::format("    {:<{}} ({:<{}} {:>13} bytes × {:<4} = {:>13}  {}\n",
                      array.name, names, array.axes + ")", axes,
                      grouped(array.bytes), array.repetitions,
                      grouped(array.movedBytes), array.levels);
  if (reasons.empty())
    return;
  os << "  why\n";
  for (const std::string &reason : reasons)
    os << "    " << reason << "\n";
}

int64_t KernelReport::launchCycles() const {
  for (const auto &[level, count] : cycles)
    if (level == "launch")
      return count;
  return 0;
}

void KernelReport::writeJSON(llvm::json::OStream &json) const {
  json.object([&] {
    json.attribute("entry", entry);
    json.attribute("hardware", hardware);
    json.attribute("blocks", blocks);
    json.attribute("parts", parts);
    json.attribute("warps", warps);
    json.attribute("stages", stages);
    json.attributeArray("products", [&] {
      for (const std::string &text : products)
        json.value(text);
    });
    json.attribute("grid", grid);
    json.attribute("stream", stream);
    json.attribute("formula_values", values.str());
    json.attribute("formula_bytes", bytes.str());
    json.attribute("global_read_bytes", cost.globalReadBytes);
    json.attribute("global_write_bytes", cost.globalWriteBytes);
    json.attribute("compulsory_bytes", compulsoryBytes);
    json.attribute("lower_bound_bytes", int64_t(std::llround(leastBytes)));
    json.attribute("unfused_bytes", unfusedBytes);
    if (closedForm) {
      json.attribute("optimum", closedForm->transfers.str());
      json.attribute("beta", closedForm->beta.str());
    }
    json.attribute("registers", registers);
    json.attribute("shared_bytes", sharedBytes);
    json.attributeObject("cycles", [&] {
      for (const auto &[level, count] : cycles)
        json.attribute(level, count);
    });
    json.attributeArray("arrays", [&] {
      for (const ArrayCost &array : arrays)
        json.object([&] {
          json.attribute("name", array.name);
          json.attribute("axes", array.axes);
          json.attribute("role",
                         array.role == cost::Role::Read ? "read" : "written");
          json.attribute("levels", array.levels);
          json.attribute("bytes", array.bytes);
          json.attribute("repetitions", array.repetitions);
          json.attribute("moved_bytes", array.movedBytes);
        });
    });
    json.attributeArray("why", [&] {
      for (const std::string &reason : reasons)
        json.value(reason);
    });
  });
}

void CostReport::print(llvm::raw_ostream &os) const {
  for (const KernelReport &kernel : kernels) {
    kernel.print(os);
    os << "\n";
  }
  KernelCost sum = total();
  os << fmt::format("{} kernel{}, {} global bytes: {} read, {} written\n",
                    kernels.size(), kernels.size() == 1 ? "" : "s",
                    grouped(sum.total()), grouped(sum.globalReadBytes),
                    grouped(sum.globalWriteBytes));
}

void CostReport::printJSON(llvm::raw_ostream &os) const {
  llvm::json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    // The form of docs/report.schema.json.
    json.attribute("report", 1);
    json.attributeArray("kernels", [&] {
      for (const KernelReport &kernel : kernels)
        kernel.writeJSON(json);
    });
    json.attribute("global_read_bytes", total().globalReadBytes);
    json.attribute("global_write_bytes", total().globalWriteBytes);
  });
  os << "\n";
}
