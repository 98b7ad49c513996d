//===- Frame.h - operations in columns --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where everything of a picture stands. A frame is a row of columns; a column
// stacks boxes and arrays that pass by them; a box of an operation with a
// region of arrays holds a frame of its own. Between two columns the arrays
// are reordered, so that what a box takes stands in front of it.
//
//   inputs | column | gap | column | gap | outputs
//    %q ---[contract]--\
//    %k ---[        ]   ---[softmax]---[contract]--- result
//    %v ------------------------------[        ]
//
// All numbers are pixels, y downwards; positions in a node are from its upper
// left corner, those of a frame from the frame's.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRAWING_FRAME_H
#define NAPKIN_LIB_DRAWING_FRAME_H

#include "mlir/IR/AsmState.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include <memory>
#include <string>
#include <vector>

namespace napkin::drawing {

/// Where an array lives.
enum class Level { Global, Shared, Registers };

/// The distance of two lines of one array, and the height of its name.
inline constexpr double strandPixels = 16, namePixels = 14;

/// An array at a place: its name, and below it one line per axis, from the top
/// in the order of storage. An array without axes has one line.
struct Bundle {
  mlir::Value value;
  double top = 0;

  ncd::ArrayType type() const {
    return llvm::cast<ncd::ArrayType>(value.getType());
  }
  unsigned numStrands() const { return std::max(1u, type().getRank()); }
  double height() const { return namePixels + strandPixels * numStrands() + 4; }
  double strandY(unsigned index) const {
    return top + namePixels + strandPixels * (index + 1) - 2;
  }
};

struct Frame;

/// The box of one operation.
struct Node {
  mlir::Operation *op = nullptr;
  /// What stands on top, and what a reader sees who points at the box.
  std::string title, hint;
  /// What enters on the left and leaves on the right.
  llvm::SmallVector<Bundle> ins, outs;
  double left = 0, top = 0, width = 0, height = 0;
  /// The operations inside, with the place of their frame in the node.
  std::unique_ptr<Frame> inner;
  double innerLeft = 0, innerTop = 0;
};

/// Boxes, and arrays that pass by.
struct Column {
  Column() = default;
  Column(Column &&) = default;

  double left = 0, width = 0;
  std::vector<std::unique_ptr<Node>> nodes;
  llvm::SmallVector<Bundle> passing;
};

struct Frame {
  /// Left and right border. Inputs that stand for states of a loop have a text
  /// of what they begin as.
  llvm::SmallVector<Bundle> inputs, outputs;
  llvm::SmallVector<std::string> begins;
  std::vector<Column> columns;
  /// Columns of the loop of a stream; 0: no loop.
  size_t loopColumns = 0;
  double loopRight = 0;
  double width = 0, height = 0;
};

/// Names, sizes and levels of the arrays of one diagram.
class Labels {
public:
  explicit Labels(ncd::DiagramOp diagram);
  /// "%q", as the IR is printed; an argument of a kernel or of a loop has the
  /// name of what it is outside.
  std::string nameOf(mlir::Value value);
  /// "%q: bf16".
  std::string headOf(mlir::Value value);
  /// "q 512", in a kernel "q 128/512"; "" where there is no such axis.
  std::string strandOf(mlir::Value value, unsigned index);
  Level levelOf(mlir::Value value);
  /// Bytes of \p value that exist at a time: in a kernel those of a block's
  /// tile. Axes of unknown size count as one position.
  int64_t bytesOf(mlir::Value value);

private:
  mlir::AsmState state;
};

/// Places everything of \p diagram.
Frame layOut(ncd::DiagramOp diagram, Labels &labels);

} // namespace napkin::drawing

#endif // NAPKIN_LIB_DRAWING_FRAME_H
