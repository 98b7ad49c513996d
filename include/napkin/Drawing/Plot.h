//===- Plot.h - curves ------------------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Curves over two logarithmic axes, as they suit bytes and sizes: a power law
// is a straight line, and its exponent the slope. Marks stand at powers of two
// where numbers are whole multiples of one, and at powers of ten elsewhere.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DRAWING_PLOT_H
#define NAPKIN_DRAWING_PLOT_H

#include <string>
#include <utility>
#include <vector>

namespace napkin::drawing {

/// One curve: its name, and its points, positive numbers in the order in which
/// they are connected.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// A set of curves.
struct Plot {
  std::string title, xLabel, yLabel;
  /// Up to four; the first is drawn strongest.
  std::vector<Series> series;
};

/// \p plot as the text of one SVG file that needs nothing else and follows the
/// reader's light or dark scheme. Points that are not positive are left out.
std::string drawPlot(const Plot &plot);

} // namespace napkin::drawing

#endif // NAPKIN_DRAWING_PLOT_H
