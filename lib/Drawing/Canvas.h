//===- Canvas.h - shapes, and their SVG -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects lines, boxes and texts in drawing order, in pixels with y downwards,
// and writes them as one SVG file. How things look is a style sheet of classes;
// text is of one width per character, so that its extent is known here.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRAWING_CANVAS_H
#define NAPKIN_LIB_DRAWING_CANVAS_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace napkin::drawing {

struct Point {
  double x, y;
};

/// Left, middle or right of the text stands at its point.
enum class Anchor { Start, Middle, End };

/// The width in which a line goes from one height to another.
inline constexpr double bendPixels = 40;

/// Pixels that \p text takes in the small font; characters count, not bytes.
double textWidth(llvm::StringRef text);

class Canvas {
public:
  /// A box with its upper left corner at \p corner. \p hint is what a reader
  /// sees who points at it.
  void box(Point corner, double width, double height, llvm::StringRef kind,
           llvm::StringRef hint = "");
  /// A line that leaves and arrives horizontally. \p name is of the array that
  /// it belongs to: pointing at one line lights all of the array.
  void strand(Point from, Point to, llvm::StringRef kind,
              llvm::StringRef name = "");
  /// The cup of two lines that are summed against each other: it bulges to the
  /// right of both points, which have one x.
  void cup(Point first, Point second, llvm::StringRef kind);
  /// A straight line.
  void line(Point from, Point to, llvm::StringRef kind);
  void dot(Point middle, llvm::StringRef kind);
  void square(Point middle, llvm::StringRef kind);
  /// An arrow from \p from over \p height above to \p to, which have one y.
  void loop(Point from, Point to, double height, llvm::StringRef kind);
  void text(Point where, llvm::StringRef text, llvm::StringRef kind,
            Anchor anchor = Anchor::Start);

  /// The file, of \p width by \p height pixels, called \p title.
  std::string svg(double width, double height, llvm::StringRef title) const;

private:
  std::string shapes;
};

} // namespace napkin::drawing

#endif // NAPKIN_LIB_DRAWING_CANVAS_H
