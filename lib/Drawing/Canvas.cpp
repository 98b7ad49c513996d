//===- Canvas.cpp - shapes, and their SVG -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SVG 1.1 with a style sheet.
//===----------------------------------------------------------------------===//

#include "Canvas.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <fmt/format.h>

using namespace napkin::drawing;
using llvm::StringRef;

/// Of a font of 11 pixels.
static constexpr double characterPixels = 6.62;

/// Colours are those of the memory levels: global blue, shared orange,
/// registers green. The light scheme first, then the dark one.
static constexpr StringRef styleSheet = R"(
svg { --paper: #fff; --ink: #222; --faint: #999; --box: #f4f2ee; --global: #1f62b4; --shared: #c45f00; --registers: #1d8045; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #16181c; --ink: #e6e6e6; --faint: #80858f; --box: #24272d; --global: #7db3f5; --shared: #f2a65a; --registers: #6fd19a; }
}
.paper { fill: var(--paper); }
text { font: 11px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: var(--ink); }
.title { font-weight: bold; }
.faint { fill: var(--faint); }
.strand { fill: none; stroke: var(--ink); stroke-width: 1.3; }
.between { stroke: var(--faint); stroke-dasharray: 4 3; }
.column { stroke: var(--faint); stroke-width: .5; stroke-dasharray: 1 4; }
.op { fill: var(--box); stroke: var(--ink); }
.contract { stroke-width: 1.8; }
.kernel, .stream, .when { fill: none; stroke: var(--ink); }
.kernel { stroke-width: 1.8; }
.stream { stroke: var(--shared); stroke-width: 1.4; }
.when { stroke-dasharray: 6 4; }
.arrow { fill: none; stroke: var(--shared); stroke-width: 1.4; }
.head { fill: var(--shared); }
.global { stroke: var(--global); } text.global, .dot.global, .square.global { fill: var(--global); }
.shared { stroke: var(--shared); } text.shared, .dot.shared, .square.shared { fill: var(--shared); }
.registers { stroke: var(--registers); } text.registers, .dot.registers, .square.registers { fill: var(--registers); }
text.global, text.shared, text.registers { stroke: none; }
.ring { fill: var(--paper); stroke-width: 1.3; }
.rare { stroke-dasharray: 5 4; }
.strand:hover { stroke-width: 3; }
)";

static std::string escaped(StringRef text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::printHTMLEscaped(text, stream);
  return result;
}

double napkin::drawing::textWidth(StringRef text) {
  // Bytes that continue a character do not count.
  return characterPixels * llvm::count_if(text, [](char c) {
           return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
         });
}

void Canvas::box(Point corner, double width, double height, StringRef kind,
                 StringRef hint) {
  shapes += fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" )"
                        R"(width="{:.1f}" height="{:.1f}" rx="5">)",
                        kind.str(), corner.x, corner.y, width, height);
  if (!hint.empty())
    shapes += "<title>" + escaped(hint) + "</title>";
  shapes += "</rect>\n";
}

void Canvas::strand(Point from, Point to, StringRef kind, StringRef name) {
  shapes += fmt::format(R"(<path class="strand {}")", kind.str());
  if (!name.empty())
    shapes += fmt::format(R"( data-array="{}")", escaped(name));
  // Straight as far as it can be, so that it does not cross what stands on it.
  double bend = std::max(from.x, to.x - bendPixels), middle = (bend + to.x) / 2;
  if (from.y == to.y)
    shapes +=
        fmt::format(R"( d="M{:.1f} {:.1f}H{:.1f}"/>)", from.x, from.y, to.x);
  else
    shapes += fmt::format(
        R"( d="M{:.1f} {:.1f}H{:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"/>)",
        from.x, from.y, bend, middle, from.y, middle, to.y, to.x, to.y);
  shapes += "\n";
}

void Canvas::cup(Point first, Point second, StringRef kind) {
  double bulge = 14;
  shapes += fmt::format(
      R"(<path class="strand cup {}" d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}"/>)"
      "\n",
      kind.str(), first.x, first.y, first.x + bulge, first.y, first.x + bulge,
      second.y, second.x, second.y);
}

void Canvas::line(Point from, Point to, StringRef kind) {
  shapes += fmt::format(
      R"(<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)"
      "\n",
      kind.str(), from.x, from.y, to.x, to.y);
}

void Canvas::dot(Point middle, StringRef kind) {
  shapes +=
      fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3.2"/>)"
                  "\n",
                  kind.str(), middle.x, middle.y);
}

void Canvas::square(Point middle, StringRef kind) {
  shapes += fmt::format(
      R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="6" height="6"/>)"
      "\n",
      kind.str(), middle.x - 3, middle.y - 3);
}

void Canvas::loop(Point from, Point to, double height, StringRef kind) {
  double top = from.y - height;
  shapes += fmt::format(
      R"(<path class="{}" d="M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}"/>)"
      "\n",
      kind.str(), from.x, from.y, top, to.x, to.y);
  shapes += fmt::format(R"(<path class="head" d="M{:.1f} {:.1f}l-4 -7h8z"/>)"
                        "\n",
                        to.x, to.y);
}

void Canvas::text(Point where, StringRef text, StringRef kind, Anchor anchor) {
  StringRef name = anchor == Anchor::Start    ? "start"
                   : anchor == Anchor::Middle ? "middle"
                                              : "end";
  shapes += fmt::format(
      R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)"
      "\n",
      kind.str(), where.x, where.y, name.str(), escaped(text));
}

std::string Canvas::svg(double width, double height, StringRef title) const {
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}">
<title>{2}</title>
<style>{3}</style>
<rect class="paper" width="{0:.0f}" height="{1:.0f}"/>
{4}</svg>
)",
      width, height, escaped(title), styleSheet.str(), shapes);
}
