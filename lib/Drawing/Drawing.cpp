//===- Drawing.cpp - diagrams as pictures -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Draws frames that have been laid out, and the table below them.
//===----------------------------------------------------------------------===//

#include "napkin/Drawing/Drawing.h"
#include "Canvas.h"
#include "Frame.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using namespace napkin::drawing;

static constexpr double margin = 16, tableRow = 16, tableMargin = 96,
                        tableLine = 3 * tableRow;
/// Two entries of one line of the table are so far apart at least.
static constexpr double entryPixels = 64;

static StringRef classOf(Level level) {
  switch (level) {
  case Level::Global:
    return "global";
  case Level::Shared:
    return "shared";
  case Level::Registers:
    return "registers";
  }
  llvm_unreachable("unknown level");
}

/// "5.24 MB"; the text of a cell.
static std::string bytesText(int64_t bytes) {
  double value = static_cast<double>(bytes);
  for (const char *unit : {"B", "kB", "MB", "GB"}) {
    if (value < 1000)
      return fmt::format("{:.3g} {}", value, unit);
    value /= 1000;
  }
  return fmt::format("{:.3g} TB", value);
}

namespace {
/// What stands below one column of the picture.
struct TableEntry {
  double middle;
  llvm::SmallSetVector<Value, 8> alive;
  bool moves;
  int64_t moved;
  /// The line of the table that it stands in.
  int line = 0;
};

class Painter {
public:
  Painter(Canvas &canvas, Labels &labels) : canvas(canvas), labels(labels) {}

  void paint(const Frame &frame, Point corner);
  void paintTable(Point corner, double width);
  /// The height of the table. Where streams lie above each other, so do the
  /// entries of their columns.
  double tableHeight() const {
    int lines = 1;
    for (const TableEntry &entry : table)
      lines = std::max(lines, entry.line + 1);
    return lines * tableLine + margin;
  }

private:
  /// Where an array leaves what is on the left of a gap.
  struct Port {
    double x;
    Bundle bundle;
  };

  void paintNode(const Node &node, Point corner);
  void paintInside(const Node &node, Point corner);
  void paintElsewhere(const Node &node, Point corner);
  void paintKept(const Node &node, Point corner, const Bundle &in,
                 unsigned index);
  void paintCups(const Node &node, Point corner);
  void paintRings(const Node &node, Point corner);
  void paintLoop(const Frame &frame, Point corner);
  void paintLabels(const Bundle &bundle, Point corner);
  void paintSeparators(const Column &column, Point corner);
  void connect(Port from, Port to, Point corner, StringRef kind = "");
  void addEntry(const Column &column, Point corner);
  void arrangeTable();
  std::string kindOf(Value value) {
    return classOf(labels.levelOf(value)).str();
  }

  Canvas &canvas;
  Labels &labels;
  std::vector<TableEntry> table;
};
} // namespace

//===----------------------------------------------------------------------===//
// Lines between columns
//===----------------------------------------------------------------------===//

void Painter::connect(Port from, Port to, Point corner, StringRef kind) {
  std::string name = labels.nameOf(from.bundle.value);
  for (unsigned index = 0; index < from.bundle.numStrands(); ++index)
    canvas.strand({corner.x + from.x, corner.y + from.bundle.strandY(index)},
                  {corner.x + to.x, corner.y + to.bundle.strandY(index)},
                  kindOf(from.bundle.value) + kind.str(), name);
}

/// Names of an array and its axes, on its lines behind \p corner.
void Painter::paintLabels(const Bundle &bundle, Point corner) {
  std::string kind = kindOf(bundle.value);
  canvas.text({corner.x + 4, corner.y + bundle.top + namePixels - 3},
              labels.headOf(bundle.value), "title " + kind);
  for (unsigned index = 0; index < bundle.numStrands(); ++index)
    if (std::string text = labels.strandOf(bundle.value, index); !text.empty())
      canvas.text({corner.x + 4, corner.y + bundle.strandY(index) - 3}, text,
                  kind);
}

void Painter::paintSeparators(const Column &column, Point corner) {
  SmallVector<std::pair<double, double>> extents;
  for (const Bundle &bundle : column.passing)
    extents.push_back({bundle.top, bundle.top + bundle.height()});
  for (const std::unique_ptr<Node> &node : column.nodes)
    extents.push_back({node->top, node->top + node->height});
  llvm::sort(extents);
  for (size_t i = 0; i + 1 < extents.size(); ++i) {
    double y = corner.y + (extents[i].second + extents[i + 1].first) / 2;
    canvas.line({corner.x + column.left, y},
                {corner.x + column.left + column.width, y}, "between");
  }
}

void Painter::addEntry(const Column &column, Point corner) {
  bool leaf = llvm::none_of(column.nodes,
                            [](const auto &node) { return !!node->inner; });
  if (!leaf)
    return;
  TableEntry entry{corner.x + column.left + column.width / 2, {}, false, 0, 0};
  for (const Bundle &bundle : column.passing)
    entry.alive.insert(bundle.value);
  for (const std::unique_ptr<Node> &node : column.nodes) {
    llvm::SmallSetVector<Value, 4> own;
    for (const Bundle &bundle : node->ins)
      own.insert(bundle.value);
    for (const Bundle &bundle : node->outs)
      own.insert(bundle.value);
    for (Value value : own) {
      entry.alive.insert(value);
      entry.moved += labels.bytesOf(value);
    }
    entry.moves |= !node->op->getParentOfType<ncd::KernelOp>();
  }
  table.push_back(std::move(entry));
}

void Painter::paint(const Frame &frame, Point corner) {
  SmallVector<Port> ports;
  for (const Bundle &input : frame.inputs) {
    ports.push_back({0, input});
    paintLabels(input, corner);
  }
  paintLoop(frame, corner);
  for (const Column &column : frame.columns) {
    auto portOf = [&](Value value) {
      return llvm::find_if(
          ports, [&](const Port &port) { return port.bundle.value == value; });
    };
    SmallVector<Port> after;
    for (const Bundle &bundle : column.passing) {
      if (const Port *port = portOf(bundle.value); port != ports.end())
        connect(*port, {column.left, bundle}, corner);
      double right = column.left + column.width;
      connect({column.left, bundle}, {right, bundle}, corner);
      after.push_back({right, bundle});
    }
    for (const std::unique_ptr<Node> &node : column.nodes) {
      for (Bundle in : node->ins) {
        in.top += node->top;
        if (const Port *port = portOf(in.value); port != ports.end())
          connect(*port, {node->left, in}, corner);
      }
      Point place{corner.x + node->left, corner.y + node->top};
      paintNode(*node, place);
      for (Bundle out : node->outs) {
        paintLabels(out, {place.x + node->width, place.y});
        out.top += node->top;
        after.push_back({node->left + node->width, out});
      }
    }
    paintSeparators(column, corner);
    addEntry(column, corner);
    ports = std::move(after);
  }
  for (const Bundle &output : frame.outputs)
    for (const Port &port : ports)
      if (port.bundle.value == output.value) {
        connect(port, {frame.width, output}, corner);
        break;
      }
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

/// The axes that an operation sums or walks.
static ArrayAttr actedAxes(Operation *op) {
  return op->getAttrOfType<ArrayAttr>("over");
}

static bool acts(Operation *op, StringAttr axis) {
  ArrayAttr acted = actedAxes(op);
  return acted && llvm::is_contained(acted.getAsRange<StringAttr>(), axis);
}

/// What an axis of the operand \p value is in the result of \p op: itself, or,
/// where it is seen in another way, other axes.
static SmallVector<StringAttr, 2> leadsTo(Operation *op, Value value,
                                          StringAttr axis) {
  auto names = [](ArrayAttr list) {
    return llvm::to_vector<2>(list.getAsRange<StringAttr>());
  };
  SmallVector<StringAttr, 2> same = {axis};
  return llvm::TypeSwitch<Operation *, SmallVector<StringAttr, 2>>(op)
      .Case([&](ncd::SplitOp split) {
        return split.getAxisAttr() == axis ? names(split.getInto()) : same;
      })
      .Case([&](ncd::JoinOp join) {
        return llvm::is_contained(names(join.getAxes()), axis)
                   ? SmallVector<StringAttr, 2>{join.getIntoAttr()}
                   : same;
      })
      .Case([&](ncd::RenameOp rename) {
        for (auto [old, fresh] :
             llvm::zip_equal(names(rename.getAxes()), names(rename.getInto())))
          if (old == axis)
            return SmallVector<StringAttr, 2>{fresh};
        return same;
      })
      .Case([&](ncd::SliceOp slice) {
        if (slice.getAxisAttr() != axis)
          return same;
        return slice.getIntoAttr()
                   ? SmallVector<StringAttr, 2>{slice.getIntoAttr()}
                   : SmallVector<StringAttr, 2>();
      })
      .Case([&](ncd::ConcatOp concat) {
        for (auto [operand, along] :
             llvm::zip_equal(concat.getInputs(), names(concat.getAxes())))
          if (operand == value && along == axis)
            return SmallVector<StringAttr, 2>{concat.getIntoAttr()};
        return same;
      })
      .Default([&](Operation *) { return same; });
}

void Painter::paintNode(const Node &node, Point corner) {
  std::string kind = node.op->getName().stripDialect().str();
  bool composite = node.inner != nullptr;
  canvas.box(corner, node.width, node.height, (composite ? "" : "op ") + kind,
             node.hint);
  canvas.text({corner.x + node.width / 2, corner.y + 14}, node.title, "title",
              Anchor::Middle);
  if (!composite)
    return paintInside(node, corner);
  size_t numInside = node.ins.size();
  if (isa<ncd::WhenOp>(node.op)) {
    numInside -= node.op->getNumOperands();
    paintElsewhere(node, corner);
  }
  for (const Bundle &in : ArrayRef(node.ins).take_front(numInside))
    connect({0, in}, {node.innerLeft, in}, corner);
  for (const auto &[out, inside] : llvm::zip(node.outs, node.inner->outputs))
    connect({node.innerLeft + node.inner->width, out}, {node.width, out},
            corner);
  paint(*node.inner, {corner.x + node.innerLeft, corner.y + node.innerTop});
}

/// The last operands of ncd.when: the condition, which ends here, and what the
/// results are where it is false.
void Painter::paintElsewhere(const Node &node, Point corner) {
  ArrayRef<Bundle> own =
      ArrayRef(node.ins).take_back(node.op->getNumOperands());
  const Bundle &condition = own.front();
  for (unsigned index = 0; index < condition.numStrands(); ++index) {
    Point end{corner.x + node.innerLeft, corner.y + condition.strandY(index)};
    std::string kind = kindOf(condition.value);
    canvas.strand({corner.x, end.y}, end, kind);
    canvas.dot(end, "dot " + kind);
  }
  for (const auto &[in, out] : llvm::zip(own.drop_front(), node.outs))
    connect({0, in}, {node.width, out}, corner, " rare");
}

/// The line of axis \p axis in \p bundle, or nullopt.
static std::optional<unsigned> strandOf(const Bundle &bundle, StringAttr axis) {
  return bundle.type().axisIndex(axis);
}

/// A line that runs through a box, to each result with its axis.
void Painter::paintKept(const Node &node, Point corner, const Bundle &in,
                        unsigned index) {
  std::string kind = kindOf(in.value);
  if (index >= in.type().getRank()) { // a single value, repeated
    canvas.dot({corner.x, corner.y + in.strandY(index)}, "dot " + kind);
    return;
  }
  StringAttr axis = in.type().getAxes()[index];
  double middle = corner.x + node.width / 2, y = corner.y + in.strandY(index);
  bool kept = false;
  for (StringAttr seen : leadsTo(node.op, in.value, axis))
    for (const Bundle &out : node.outs)
      if (std::optional<unsigned> there = strandOf(out, seen)) {
        double to = corner.y + out.strandY(*there);
        canvas.strand({corner.x, y}, {corner.x + node.width, to},
                      kindOf(out.value), labels.nameOf(in.value));
        if (acts(node.op, axis))
          canvas.square({middle, (y + to) / 2}, "square " + kindOf(out.value));
        kept = true;
      }
  if (kept)
    return;
  canvas.strand({corner.x, y}, {middle, y}, kind, labels.nameOf(in.value));
  if (!isa<ncd::ContractOp>(node.op))
    canvas.dot({middle, y}, "dot " + kind);
}

/// Joins the ends of an axis that factors sum against each other.
void Painter::paintCups(const Node &node, Point corner) {
  if (!isa<ncd::ContractOp>(node.op))
    return;
  for (StringAttr axis : actedAxes(node.op).getAsRange<StringAttr>()) {
    std::optional<double> above;
    for (const Bundle &in : node.ins)
      if (std::optional<unsigned> index = strandOf(in, axis)) {
        double y = corner.y + in.strandY(*index), x = corner.x + node.width / 2;
        if (above)
          canvas.cup({x, *above}, {x, y}, kindOf(in.value));
        above = y;
      }
  }
}

/// Axes that only the result has begin in the box.
void Painter::paintRings(const Node &node, Point corner) {
  double middle = corner.x + node.width / 2;
  for (const Bundle &out : node.outs)
    for (unsigned index = 0; index < out.numStrands(); ++index) {
      bool entered =
          index < out.type().getRank() &&
          llvm::any_of(
              node.ins,
              [&](const Bundle &in) {
                return llvm::any_of(in.type().getAxes(), [&](StringAttr axis) {
                  return llvm::is_contained(leadsTo(node.op, in.value, axis),
                                            out.type().getAxes()[index]);
                });
              });
      if (entered)
        continue;
      double y = corner.y + out.strandY(index);
      std::string kind = kindOf(out.value);
      canvas.strand({middle, y}, {corner.x + node.width, y}, kind);
      if (out.type().getRank())
        canvas.dot({middle, y}, "ring " + kind);
    }
}

void Painter::paintInside(const Node &node, Point corner) {
  for (const Bundle &in : node.ins)
    for (unsigned index = 0; index < in.numStrands(); ++index)
      paintKept(node, corner, in, index);
  paintCups(node, corner);
  paintRings(node, corner);
}

/// The border of the columns that are repeated, what the states begin as, and
/// the way back.
void Painter::paintLoop(const Frame &frame, Point corner) {
  for (auto [bundle, begin] : llvm::zip(frame.inputs, frame.begins)) {
    double y = corner.y + bundle.strandY(0);
    canvas.dot({corner.x, y}, "ring " + kindOf(bundle.value));
    canvas.text({corner.x - 4, y - 5}, begin, "faint", Anchor::End);
  }
  if (!frame.loopColumns)
    return;
  canvas.line({corner.x + frame.loopRight, corner.y - 8},
              {corner.x + frame.loopRight, corner.y + frame.height}, "arrow");
  canvas.loop({corner.x + frame.loopRight, corner.y - 2},
              {corner.x + 8, corner.y - 2}, 10, "arrow");
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// Gives entries that would lie on others a line of their own.
void Painter::arrangeTable() {
  llvm::sort(table, [](const TableEntry &a, const TableEntry &b) {
    return a.middle < b.middle;
  });
  std::vector<double> ends;
  for (TableEntry &entry : table) {
    auto free = llvm::find_if(
        ends, [&](double end) { return entry.middle - end >= entryPixels; });
    entry.line = int(free - ends.begin());
    if (free == ends.end())
      ends.push_back(entry.middle);
    else
      *free = entry.middle;
  }
}

void Painter::paintTable(Point corner, double width) {
  if (table.empty())
    return;
  arrangeTable();
  const char *heads[] = {"arrays alive", "their bytes", "bytes moved"};
  bool anyMoves =
      llvm::any_of(table, [](const TableEntry &entry) { return entry.moves; });
  canvas.line({corner.x, corner.y}, {corner.x + width, corner.y}, "column");
  for (int row = 0; row < 2 + anyMoves; ++row)
    canvas.text({corner.x, corner.y + tableRow * (row + 1)}, heads[row],
                "faint");
  const double top = corner.y;
  for (const TableEntry &entry : table) {
    corner.y = top + entry.line * tableLine;
    int64_t bytes = 0;
    for (Value value : entry.alive)
      bytes += labels.bytesOf(value);
    canvas.text({entry.middle, corner.y + tableRow},
                fmt::format("{}", entry.alive.size()), "", Anchor::Middle);
    canvas.text({entry.middle, corner.y + 2 * tableRow}, bytesText(bytes), "",
                Anchor::Middle);
    if (entry.moves)
      canvas.text({entry.middle, corner.y + 3 * tableRow},
                  bytesText(entry.moved), "", Anchor::Middle);
  }
}

/// What the colours say.
static void paintLegend(Canvas &canvas, Point where) {
  for (StringRef level : {"global", "shared", "registers"}) {
    canvas.text(where, level, level);
    where.x += textWidth(level) + margin;
  }
}

std::string napkin::drawing::drawSVG(ModuleOp module) {
  Canvas canvas;
  double top = margin, width = 0;
  std::string title;
  for (auto diagram : module.getOps<ncd::DiagramOp>()) {
    if (diagram.isExternal())
      continue;
    Labels labels(diagram);
    Frame frame = layOut(diagram, labels);
    Painter painter(canvas, labels);
    title += (title.empty() ? "" : ", ") + diagram.getSymName().str();
    canvas.text({margin, top + 12}, diagram.getSymName(), "title");
    if (!diagram.getBody().getOps<ncd::KernelOp>().empty())
      paintLegend(
          canvas,
          {margin + tableMargin + textWidth(diagram.getSymName()), top + 12});
    Point corner{margin + tableMargin, top + 2 * tableRow};
    painter.paint(frame, corner);
    double bottom = corner.y + frame.height + margin;
    painter.paintTable({margin, bottom}, frame.width + tableMargin);
    top = bottom + painter.tableHeight() + margin;
    width = std::max(width, frame.width + tableMargin + 2 * margin);
  }
  return canvas.svg(width, top, title);
}
