//===- Page.cpp - a compilation on one page ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the sections of the page in order. Everything that comes from a user
// passes escaped().
//===----------------------------------------------------------------------===//

#include "napkin/Page/Page.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Drawing/Plot.h"
#include "napkin/Target/Instruction.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::page;
using llvm::StringRef;
using report::grouped;
using report::KernelReport;

#include "PageParts.inc"

static std::string escaped(StringRef text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::printHTMLEscaped(text, stream);
  return result;
}

static std::string section(StringRef id, StringRef title, StringRef body) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id.str(),
                     title.str(), body.str());
}

static std::string picture(StringRef svg) {
  return "<div class=\"picture\">" + svg.str() + "</div>\n";
}

//===----------------------------------------------------------------------===//
// Plots
//===----------------------------------------------------------------------===//

/// The least bytes over the memory of a block, and where this kernel is.
static std::string plotMemory(const KernelReport &kernel) {
  if (kernel.curve.empty())
    return "";
  drawing::Plot plot;
  plot.title = kernel.entry + ": bytes over memory";
  plot.xLabel = "M, bytes that a block holds";
  plot.yLabel = "bytes";
  plot.series = {
      {"H*, the least for this memory", kernel.curve},
      {"this kernel", {{kernel.memoryBytes, double(kernel.cost.total())}}},
      {"each array once",
       {{kernel.curve.front().first, double(kernel.compulsoryBytes)},
        {kernel.curve.back().first, double(kernel.compulsoryBytes)}}}};
  return drawing::drawPlot(plot);
}

/// The products that the machine of \p kernel makes in a second with its
/// instruction; 0 where it multiplies nothing.
static double peakOf(const KernelReport &kernel,
                     const cost::Hardware &machine) {
  const target::TargetDescription *target =
      target::lookupTarget(machine.target);
  double peak = 0;
  if (target)
    for (const target::MatrixInstruction &row : target->instructions)
      for (const std::string &product : kernel.products)
        if (StringRef(product).starts_with(row.name))
          peak = std::max(peak, machine.productsOf(row));
  return peak * double(machine.multiprocessors) * machine.clockMHz * 1e6;
}

/// Operations per second over operations per byte.
static std::string plotRoofline(const Content &content) {
  if (content.products <= 0 || content.report.kernels.empty())
    return "";
  const KernelReport &first = content.report.kernels.front();
  auto found = cost::loadHardware(first.hardware);
  if (!found) {
    llvm::consumeError(found.takeError());
    return "";
  }
  double microseconds = double(content.report.cycles()) / found->clockMHz;
  double peak = 0, unfused = 0, once = 0;
  for (const KernelReport &kernel : content.report.kernels) {
    peak = std::max(peak, 2 * peakOf(kernel, *found));
    unfused += double(kernel.unfusedBytes);
    once += double(kernel.compulsoryBytes);
  }
  if (peak <= 0 || microseconds <= 0)
    return "";
  double bandwidth =
      found->level("global").bytesPerCycle * found->clockMHz * 1e6;
  double operations = 2 * content.products;
  double bytes = double(content.report.total().total());
  double ridge = peak / bandwidth;
  auto roof = [&](double moved) {
    double intensity = operations / moved;
    return std::pair(intensity, std::min(peak, intensity * bandwidth));
  };
  double low = std::min(ridge, operations / std::max(bytes, unfused)) / 2;
  double high = std::max(ridge, operations / once) * 2;
  drawing::Plot plot;
  plot.title = "roofline of " + found->title;
  plot.xLabel = "operations per byte of global memory";
  plot.yLabel = "op/s";
  plot.series = {{"bandwidth and tensor cores",
                  {{low, low * bandwidth}, {ridge, peak}, {high, peak}}},
                 {"this program, as estimated",
                  {{operations / bytes, operations / (microseconds * 1e-6)}}}};
  if (unfused > 0)
    plot.series.push_back({"at most, if nothing were fused", {roof(unfused)}});
  return drawing::drawPlot(plot);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static std::string cell(StringRef text, bool isNumber = false) {
  return (isNumber ? "<td class=\"number\">" : "<td>") + escaped(text) +
         "</td>";
}

static std::string arrayTable(const KernelReport &kernel) {
  std::string rows = "<tr><th>array</th><th>axes</th><th "
                     "class=\"number\">bytes</th><th "
                     "class=\"number\">times</th><th "
                     "class=\"number\">moved</th><th>levels</th></tr>\n";
  for (const report::ArrayCost &array : kernel.arrays)
    rows += fmt::format(
        "<tr data-array=\"%{}\">{}{}{}{}{}{}</tr>\n", escaped(array.name),
        cell(array.name), cell("(" + array.axes + ")"),
        cell(grouped(array.bytes), true),
        cell(grouped(array.repetitions), true),
        cell(grouped(array.movedBytes), true), cell(array.levels));
  return "<table>" + rows + "</table>\n";
}

static std::string kernelText(const KernelReport &kernel) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel.print(stream);
  // Arrays and reasons stand in tables and lists of their own.
  StringRef facts = StringRef(text).split("\n  arrays\n").first;
  return "<pre>" + escaped(facts) + "</pre>\n";
}

static std::string reasonList(const KernelReport &kernel) {
  std::string items;
  for (const std::string &reason : kernel.reasons)
    items += "<li>" + escaped(reason) + "</li>\n";
  return items.empty() ? "" : "<h3>why</h3>\n<ul>\n" + items + "</ul>\n";
}

static std::string kernelSections(const Content &content) {
  std::string body;
  for (const KernelReport &kernel : content.report.kernels)
    body += "<h3>kernel " + escaped(kernel.entry) + "</h3>\n" +
            kernelText(kernel) + arrayTable(kernel) + reasonList(kernel);
  return body;
}

/// The name of the argument or result that a line of PTX has the address of,
/// as pictures call it; empty: none.
static std::string arrayOf(StringRef line, const Content &content) {
  if (!line.contains("ld.param"))
    return "";
  // Parameters are the arrays of the report, in its order.
  for (const KernelReport &kernel : content.report.kernels) {
    auto [before, number] = line.split("[" + kernel.entry + "_param_");
    unsigned index = 0;
    if (!number.consumeInteger(10, index) && number.starts_with("]") &&
        index < kernel.arrays.size())
      return "%" + kernel.arrays[index].name;
  }
  return "";
}

static std::string ptxTable(const Content &content) {
  bool counted = !content.lines.empty();
  std::string rows = "<tr><th class=\"number\">line</th>";
  if (counted)
    rows += "<th class=\"number\">issues</th><th class=\"number\">global "
            "bytes</th><th class=\"number\">sectors</th><th "
            "class=\"number\">wavefronts</th><th "
            "class=\"number\">conflicts</th>";
  rows += "<th></th></tr>\n";
  llvm::SmallVector<StringRef> lines;
  StringRef(content.ptx).split(lines, '\n');
  for (unsigned number = 1; number <= lines.size(); ++number) {
    StringRef line = lines[number - 1];
    std::string name = arrayOf(line, content);
    rows += name.empty()
                ? std::string("<tr class=\"line\">")
                : "<tr class=\"line\" data-array=\"" + escaped(name) + "\">";
    rows += cell(std::to_string(number), true);
    if (counted) {
      auto found = content.lines.find(number);
      LineCounts counts =
          found == content.lines.end() ? LineCounts() : found->second;
      for (uint64_t count :
           {counts.issues, counts.globalBytes, counts.globalSectors,
            counts.sharedWavefronts, counts.conflicts})
        rows += cell(count ? grouped(int64_t(count)) : "", true);
    }
    rows += cell(line) + "</tr>\n";
  }
  return "<div class=\"scroll\"><table>" + rows + "</table></div>\n";
}

std::string napkin::page::render(const Content &content) {
  report::KernelCost total = content.report.total();
  std::string body = fmt::format(
      "<h1>{}</h1>\n<p>{} kernel{}, {} bytes of global memory: {} read, {} "
      "written.</p>\n",
      escaped(content.title), content.report.kernels.size(),
      content.report.kernels.size() == 1 ? "" : "s", grouped(total.total()),
      grouped(total.globalReadBytes), grouped(total.globalWriteBytes));
  std::string links;
  auto add = [&](StringRef id, StringRef title, const std::string &text) {
    if (text.empty())
      return;
    links += fmt::format("<a href=\"#{}\">{}</a>", id.str(), title.str());
    body += section(id, title, text);
  };
  add("written", "The diagram",
      content.written.empty() ? "" : picture(content.written));
  add("scheduled", "What was made of it",
      content.scheduled.empty() ? "" : picture(content.scheduled));
  std::string plots = plotRoofline(content);
  for (const KernelReport &kernel : content.report.kernels)
    plots += plotMemory(kernel);
  add("plots", "Roofline, and bytes over memory",
      plots.empty() ? "" : "<div class=\"plots\">" + plots + "</div>\n");
  add("kernels", "Bytes and reasons", kernelSections(content));
  add("verification", "Executed",
      content.verification.empty()
          ? ""
          : "<pre>" + escaped(content.verification) + "</pre>\n");
  std::string note =
      content.lines.empty()
          ? "<p class=\"note\">With --verify each line has what an execution "
            "counted for it.</p>\n"
          : "";
  add("ptx", "PTX", content.ptx.empty() ? "" : note + ptxTable(content));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n"
      "<style>{}</style>\n<nav>{}</nav>\n{}<script>{}</script>\n</html>\n",
      escaped(content.title), page_css.str(), links, body, page_js.str());
}
