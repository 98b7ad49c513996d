//===- Plot.cpp - curves ----------------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Draws curves on the canvas of the diagrams.
//===----------------------------------------------------------------------===//

#include "napkin/Drawing/Plot.h"
#include "Canvas.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

using namespace napkin::drawing;

/// "64K" of 65536 for powers of two, "10M" of 1e7 for powers of ten.
static std::string markOf(double value, double base) {
  static constexpr const char *units[] = {"", "K", "M", "G", "T", "P", "E"};
  double step = base == 2 ? 1024 : 1000;
  size_t unit = 0;
  for (; value >= step && unit + 1 < std::size(units); ++unit)
    value /= step;
  return fmt::format("{:g}{}", value, units[unit]);
}

namespace {

constexpr double plotWidth = 460, plotHeight = 260;
constexpr double left = 84, top = 44, right = 24, lineHeight = 16;
/// A mark's label is about so wide: marks stand no closer.
constexpr double labelPixels = 56;

/// A logarithmic axis: where numbers stand, and which are marked.
class Axis {
public:
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }

  /// Ends the collection: an axis has some extent, and ends at marks.
  void close(double length) {
    pixels = length;
    if (!(low <= high))
      low = 1, high = 2;
    int exponent;
    base = low >= 1 && std::frexp(low, &exponent) == 0.5 ? 2 : 10;
    first = std::floor(log(low) + 1e-9);
    last = std::max(std::ceil(log(high) - 1e-9), first + 1);
  }

  double at(double value) const {
    return (log(value) - first) / (last - first) * pixels;
  }

  /// The exponents that are marked.
  std::vector<double> marks(double distance) const {
    double step = std::max(1.0, std::ceil((last - first) * distance / pixels));
    std::vector<double> result;
    for (double exponent = first; exponent <= last; exponent += step)
      result.push_back(exponent);
    return result;
  }

  double valueOf(double exponent) const { return std::pow(base, exponent); }

  std::string markAt(double exponent) const {
    return markOf(valueOf(exponent), base);
  }

private:
  double log(double value) const { return std::log(value) / std::log(base); }

  double low = std::numeric_limits<double>::infinity(), high = 0;
  double first = 0, last = 1, base = 10, pixels = 1;
};

} // namespace

static constexpr const char *kinds[] = {"global", "shared", "registers",
                                        "faint"};

std::string napkin::drawing::drawPlot(const Plot &plot) {
  Axis x, y;
  for (const Series &series : plot.series)
    for (auto [a, b] : series.points)
      if (a > 0 && b > 0) {
        x.add(a);
        y.add(b);
      }
  x.close(plotWidth);
  y.close(plotHeight);
  Canvas canvas;
  double bottom = top + plotHeight;
  canvas.text({left, 20}, plot.title, "title");
  for (double exponent : y.marks(28)) {
    double height = bottom - y.at(y.valueOf(exponent));
    canvas.line({left, height}, {left + plotWidth, height}, "column");
    canvas.text({left - 8, height + 4}, y.markAt(exponent), "faint",
                Anchor::End);
  }
  for (double exponent : x.marks(labelPixels)) {
    double place = left + x.at(x.valueOf(exponent));
    canvas.line({place, top}, {place, bottom}, "column");
    canvas.text({place, bottom + lineHeight}, x.markAt(exponent), "faint",
                Anchor::Middle);
  }
  canvas.text({left + plotWidth / 2, bottom + 2.2 * lineHeight}, plot.xLabel,
              "", Anchor::Middle);
  canvas.text({left - 8, top - 10}, plot.yLabel, "", Anchor::End);
  double legend = bottom + 3.6 * lineHeight;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const Series &series = plot.series[i];
    const char *kind = kinds[i % std::size(kinds)];
    bool isFirst = true;
    Point last{};
    for (auto [a, b] : series.points) {
      if (!(a > 0 && b > 0))
        continue;
      Point point{left + x.at(a), bottom - y.at(b)};
      if (!isFirst)
        canvas.line(last, point, fmt::format("strand {}", kind));
      canvas.dot(point, fmt::format("dot {}", kind));
      last = point;
      isFirst = false;
    }
    canvas.line({left, legend - 4}, {left + 24, legend - 4},
                fmt::format("strand {}", kind));
    canvas.text({left + 32, legend}, series.name, kind);
    legend += lineHeight;
  }
  return canvas.svg(left + plotWidth + right, legend, plot.title);
}
