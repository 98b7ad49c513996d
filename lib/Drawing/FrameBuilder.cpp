//===- FrameBuilder.cpp - from operations to nodes in columns ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An operation stands one column behind the last of those that it reads. An
// array takes the place of what it was made of, so that lines stay straight
// where they can.
//===----------------------------------------------------------------------===//

#include "BodyText.h"
#include "Canvas.h"
#include "Frame.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using namespace napkin::drawing;

static constexpr double padding = 12, titlePixels = 20, leastGap = 46,
                        betweenBundles = 8, beginPixels = 44;
static constexpr size_t formulaLimit = 40;

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

static std::string listOf(ArrayAttr axes) {
  std::string text;
  for (Attribute axis : axes)
    text += (text.empty() ? "" : ", ") + cast<StringAttr>(axis).str();
  return text;
}

static std::string gridText(ncd::KernelOp kernel) {
  std::string text;
  for (StringAttr axis : kernel.getGridOrder()) {
    int64_t tile = *kernel.groupSize(axis);
    int64_t size = kernel.getAxisSize(axis).value_or(tile);
    text += fmt::format("{}{}/{} = {}", text.empty() ? "" : " × ", axis.str(),
                        tile, (size + tile - 1) / tile);
  }
  return text;
}

static std::string kernelTitle(ncd::KernelOp kernel) {
  std::string text = "kernel";
  if (auto entry = kernel.getEntry())
    text += " " + entry->str();
  if (std::string grid = gridText(kernel); !grid.empty())
    text += ": blocks " + grid;
  if (auto warps = kernel.getWarps())
    text += fmt::format(", {} warps", *warps);
  return text;
}

static std::string streamTitle(ncd::StreamOp stream) {
  std::string axis = stream.getAxis().str();
  auto kernel = stream->getParentOfType<ncd::KernelOp>();
  std::optional<int64_t> chunk =
      kernel ? kernel.chunkSize(axis) : std::optional<int64_t>();
  std::optional<int64_t> size =
      kernel ? kernel.getAxisSize(axis) : std::optional<int64_t>();
  if (stream.getSingle() || !chunk || !size)
    return "stream over " + axis;
  return fmt::format("{} in {} chunks of {}", axis,
                     (*size + *chunk - 1) / *chunk, *chunk);
}

static std::string mapTitle(ncd::MapOp map) {
  std::string text = bodyText(map, formulaLimit);
  Type element = map.getArrayType().getElementType();
  if (text != "a")
    return text;
  // What only repeats or rounds its operand.
  auto operand = cast<ncd::ArrayType>(map.getInputs().front().getType());
  if (operand.getElementType() == element)
    return "repeat";
  return "to " + ncd::elementTypeName(element).str();
}

/// "d from 32", "p from 1 by 2", "t = 1".
static std::string sliceTitle(ncd::SliceOp slice) {
  int64_t from = int64_t(slice.getFrom()), by = int64_t(slice.getBy());
  if (!slice.getInto())
    return fmt::format("{} = {}", slice.getAxis().str(), from);
  std::string text = fmt::format("{} from {}", slice.getAxis().str(), from);
  return by == 1 ? text : fmt::format("{} by {}", text, by);
}

static std::string titleOf(Operation *op, Labels &labels) {
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case<ncd::ContractOp>([](auto contract) {
        return "contract " + listOf(contract.getOver());
      })
      .Case<ncd::ReduceOp>([](auto reduce) {
        std::string monoid = "reduce";
        if (auto named = reduce.getMonoid())
          monoid = ncd::stringifyMonoid(*named).str();
        return monoid + " over " + listOf(reduce.getOver());
      })
      .Case<ncd::SplitOp>([](auto split) {
        return "split " + split.getAxis().str() + " into " +
               listOf(split.getInto());
      })
      .Case<ncd::JoinOp>([](auto join) {
        return "join " + listOf(join.getAxes()) + " into " +
               join.getInto().str();
      })
      .Case<ncd::RenameOp>([](auto rename) {
        return listOf(rename.getAxes()) + " is " + listOf(rename.getInto());
      })
      .Case<ncd::SliceOp>([](auto slice) { return sliceTitle(slice); })
      .Case<ncd::ConcatOp>(
          [](auto concat) { return "concat along " + concat.getInto().str(); })
      .Case<ncd::MapOp>([](auto map) { return mapTitle(map); })
      .Case<ncd::KernelOp>([](auto kernel) { return kernelTitle(kernel); })
      .Case<ncd::StreamOp>([](auto stream) { return streamTitle(stream); })
      .Case<ncd::WhenOp>([&](auto when) {
        return "where any of " + labels.nameOf(when.getCondition()) +
               " is true";
      })
      .Default([](Operation *op) {
        std::string name = op->getName().stripDialect().str();
        if (auto over = op->getAttrOfType<ArrayAttr>("over"))
          return name + " over " + listOf(over);
        return name;
      });
}

/// What the whole box computes, for those who point at it.
static std::string hintOf(Operation *op) {
  if (auto map = dyn_cast<ncd::MapOp>(op))
    return bodyText(map, std::string::npos);
  std::string hint;
  if (auto stream = dyn_cast<ncd::StreamOp>(op))
    if (auto gauges = stream.getGauges())
      for (Attribute gauge : *gauges)
        hint += (hint.empty() ? "" : "\n") + cast<StringAttr>(gauge).str();
  if (auto contract = dyn_cast<ncd::ContractOp>(op))
    if (auto product = contract.getProduct())
      hint = product->getInstruction().str();
  return hint;
}

//===----------------------------------------------------------------------===//
// Frames
//===----------------------------------------------------------------------===//

namespace {
class FrameBuilder {
public:
  explicit FrameBuilder(Labels &labels) : labels(labels) {}

  /// Lays out \p groups of operations, one group behind the other.
  Frame build(ArrayRef<Value> inputs, ArrayRef<SmallVector<Operation *>> groups,
              ArrayRef<Value> outputs);

private:
  /// The operations of a frame, before they have places.
  struct Draft {
    SmallVector<SmallVector<Operation *>> columns;
    SmallVector<Value> outputs;
    /// The last column that reads a value; outputs are read behind all.
    llvm::DenseMap<Value, size_t> lastUse;
  };

  Draft draft(ArrayRef<SmallVector<Operation *>> groups,
              ArrayRef<Value> outputs);
  SmallVector<Value> operandsOf(Operation *op);
  std::unique_ptr<Node> makeNode(Operation *op);
  void fillLeaf(Node &node);
  void fillStream(Node &node, ncd::StreamOp stream);
  void fillWhen(Node &node, ncd::WhenOp when);
  void fillFrame(Node &node, Frame inner, ArrayRef<Value> outer);
  Column placeColumn(ArrayRef<Operation *> ops, size_t number,
                     const Draft &draft, SmallVector<Bundle> &before);
  double labelWidth(ArrayRef<Bundle> bundles);
  Value resolve(Value value) const {
    auto it = alias.find(value);
    return it == alias.end() ? value : resolve(it->second);
  }

  Labels &labels;
  /// Arguments of `finish` are what the loop ends with.
  llvm::DenseMap<Value, Value> alias;
};
} // namespace

static void stack(SmallVectorImpl<Bundle> &bundles, double top) {
  for (Bundle &bundle : bundles) {
    bundle.top = top;
    top += bundle.height() + betweenBundles;
  }
}

static double bottomOf(ArrayRef<Bundle> bundles, double otherwise) {
  return bundles.empty() ? otherwise
                         : bundles.back().top + bundles.back().height();
}

/// Arrays that the regions of \p op use from around it, in order of use.
static SmallVector<Value> capturedBy(Operation *op) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  return captured.takeVector();
}

/// The operations of a block that draw a box.
static SmallVector<Operation *> operationsOf(Block &block) {
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    if (op.getNumResults() &&
        llvm::all_of(op.getResultTypes(), llvm::IsaPred<ncd::ArrayType>))
      ops.push_back(&op);
  return ops;
}

static SmallVector<Value> yieldedBy(Block &block) {
  return SmallVector<Value>(block.getTerminator()->getOperands());
}

/// What an operation reads, with what its regions use.
SmallVector<Value> FrameBuilder::operandsOf(Operation *op) {
  SmallVector<Value> operands(op->getOperands());
  if (isa<ncd::StreamOp, ncd::WhenOp>(op))
    for (Value value : capturedBy(op))
      if (isa<ncd::ArrayType>(value.getType()))
        operands.push_back(value);
  for (Value &operand : operands)
    operand = resolve(operand);
  return operands;
}

FrameBuilder::Draft
FrameBuilder::draft(ArrayRef<SmallVector<Operation *>> groups,
                    ArrayRef<Value> outputs) {
  Draft draft;
  llvm::DenseMap<Value, size_t> madeIn;
  size_t first = 0;
  for (const SmallVector<Operation *> &group : groups) {
    for (Operation *op : group) {
      size_t column = first;
      for (Value operand : operandsOf(op))
        if (auto made = madeIn.find(operand); made != madeIn.end())
          column = std::max(column, made->second + 1);
      draft.columns.resize(std::max(draft.columns.size(), column + 1));
      draft.columns[column].push_back(op);
      for (Value operand : operandsOf(op)) {
        size_t &last = draft.lastUse[operand];
        last = std::max(last, column);
      }
      for (Value result : op->getResults())
        madeIn[result] = column;
    }
    first = draft.columns.size();
  }
  for (Value output : outputs) {
    draft.outputs.push_back(resolve(output));
    draft.lastUse[draft.outputs.back()] = draft.columns.size();
  }
  return draft;
}

double FrameBuilder::labelWidth(ArrayRef<Bundle> bundles) {
  double width = 0;
  for (const Bundle &bundle : bundles) {
    width = std::max(width, textWidth(labels.headOf(bundle.value)));
    for (unsigned index = 0; index < bundle.numStrands(); ++index)
      width = std::max(width, textWidth(labels.strandOf(bundle.value, index)));
  }
  return width;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

void FrameBuilder::fillLeaf(Node &node) {
  for (Value operand : operandsOf(node.op))
    node.ins.push_back({operand});
  for (Value result : node.op->getResults())
    node.outs.push_back({result});
  stack(node.ins, titlePixels);
  stack(node.outs, titlePixels);
  node.width = std::max(64.0, textWidth(node.title) + 2 * padding);
  node.height = std::max(bottomOf(node.ins, titlePixels + 16),
                         bottomOf(node.outs, titlePixels + 16)) +
                4;
}

/// Puts a frame into a node. \p outer is what the inputs of the frame are
/// outside; null for what begins inside.
void FrameBuilder::fillFrame(Node &node, Frame inner, ArrayRef<Value> outer) {
  // Beside a loop stands what its states begin as.
  node.innerLeft = inner.loopColumns ? beginPixels : padding;
  node.innerTop = titlePixels + (inner.loopColumns ? 16 : 0);
  for (auto [bundle, value] : llvm::zip(inner.inputs, outer))
    if (value)
      node.ins.push_back({value, bundle.top + node.innerTop});
  for (auto [result, bundle] : llvm::zip(node.op->getResults(), inner.outputs))
    node.outs.push_back({result, bundle.top + node.innerTop});
  node.width = std::max(inner.width + node.innerLeft + padding,
                        textWidth(node.title) + 2 * padding);
  node.height = node.innerTop + inner.height + padding;
  node.inner = std::make_unique<Frame>(std::move(inner));
}

/// What a state begins as, where that is one number.
static std::string beginOf(Value state) {
  auto map = state.getDefiningOp<ncd::MapOp>();
  return map && map.getInputs().empty() ? bodyText(map, 12) : "";
}

void FrameBuilder::fillStream(Node &node, ncd::StreamOp stream) {
  Block &step = stream.getStep().front(), &finish = stream.getFinish().front();
  SmallVector<Value> inputs, outer;
  for (Value state : stream.getStepStates()) {
    inputs.push_back(state);
    outer.push_back(Value());
  }
  for (auto [chunk, operand] :
       llvm::zip_equal(stream.getStepChunks(), stream.getInputs())) {
    inputs.push_back(chunk);
    outer.push_back(resolve(operand));
  }
  for (Value value : capturedBy(stream))
    if (isa<ncd::ArrayType>(value.getType()) &&
        !llvm::is_contained(outer, resolve(value))) {
      inputs.push_back(resolve(value));
      outer.push_back(resolve(value));
    }
  SmallVector<Value> yields = yieldedBy(step), outputs = yieldedBy(finish);
  for (auto [argument, state] : llvm::zip(finish.getArguments(), yields))
    alias[argument] = state;
  llvm::append_range(outputs,
                     ArrayRef<Value>(yields).drop_front(stream.getNumStates()));
  // Behind the loop the states are still there.
  SmallVector<Operation *> loop = operationsOf(step);
  Frame inner = build(inputs, {loop, operationsOf(finish)}, outputs);
  for (Value state : yieldedBy(stream.getInit().front()))
    inner.begins.push_back(beginOf(state));
  fillFrame(node, std::move(inner), outer);
}

/// The condition and the results elsewhere enter below what is computed anew.
void FrameBuilder::fillWhen(Node &node, ncd::WhenOp when) {
  Block &body = when.getBody().front();
  SmallVector<Value> own = operandsOf(when), captured;
  captured.assign(own.begin() + when->getNumOperands(), own.end());
  fillFrame(node, build(captured, {operationsOf(body)}, yieldedBy(body)),
            captured);
  own.truncate(when->getNumOperands());
  node.height -= padding;
  for (Value value : own) {
    node.ins.push_back({value, node.height});
    node.height += node.ins.back().height() + betweenBundles;
  }
}

std::unique_ptr<Node> FrameBuilder::makeNode(Operation *op) {
  auto node = std::make_unique<Node>();
  node->op = op;
  node->title = titleOf(op, labels);
  node->hint = hintOf(op);
  if (auto kernel = dyn_cast<ncd::KernelOp>(op)) {
    Block &body = kernel.getBody().front();
    SmallVector<Value> arguments(body.getArguments());
    fillFrame(*node, build(arguments, {operationsOf(body)}, yieldedBy(body)),
              operandsOf(op));
  } else if (auto stream = dyn_cast<ncd::StreamOp>(op)) {
    fillStream(*node, stream);
  } else if (auto when = dyn_cast<ncd::WhenOp>(op)) {
    fillWhen(*node, when);
  } else {
    fillLeaf(*node);
  }
  return node;
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// Stacks boxes and passing arrays, near the height of what they come from, and
/// leaves in \p before what stands on the column's right.
Column FrameBuilder::placeColumn(ArrayRef<Operation *> ops, size_t number,
                                 const Draft &draft,
                                 SmallVector<Bundle> &before) {
  struct Slot {
    Node *node;
    Bundle passing;
    double wanted;
    size_t number; // where two want the same place, the first one has it

    double height() const { return node ? node->height : passing.height(); }
    bool operator<(const Slot &other) const {
      return std::tie(wanted, number) < std::tie(other.wanted, other.number);
    }
  };
  Column column;
  SmallVector<Slot> slots;
  llvm::DenseMap<Value, double> topOf;
  for (const Bundle &bundle : before)
    topOf[bundle.value] = bundle.top;
  for (Operation *op : ops) {
    column.nodes.push_back(makeNode(op));
    Node &node = *column.nodes.back();
    column.width = std::max(column.width, node.width);
    double sum = 0;
    unsigned found = 0;
    for (const Bundle &in : node.ins)
      if (auto it = topOf.find(in.value); it != topOf.end()) {
        sum += it->second - in.top;
        ++found;
      }
    slots.push_back({&node, {}, found ? sum / found : 0, slots.size()});
  }
  for (const Bundle &bundle : before)
    if (auto last = draft.lastUse.find(bundle.value);
        last != draft.lastUse.end() && last->second > number)
      slots.push_back({nullptr, bundle, bundle.top, slots.size()});
  llvm::sort(slots);
  // One below the other; then all as high as they want to be on average.
  double bottom = 0, low = 0;
  SmallVector<double> tops;
  for (const Slot &slot : slots) {
    tops.push_back(std::max(bottom, slot.wanted));
    low += (tops.back() - slot.wanted) / slots.size();
    bottom = tops.back() + slot.height() + (slot.node ? 2 : 1) * betweenBundles;
  }
  double rise = slots.empty() ? 0 : std::min(low, tops.front());
  before.clear();
  for (auto [slot, top] : llvm::zip_equal(slots, tops)) {
    if (Node *node = slot.node) {
      node->top = top - rise;
      for (const Bundle &out : node->outs)
        before.push_back({out.value, node->top + out.top});
      continue;
    }
    slot.passing.top = top - rise;
    column.passing.push_back(slot.passing);
    before.push_back(slot.passing);
  }
  return column;
}

Frame FrameBuilder::build(ArrayRef<Value> inputs,
                          ArrayRef<SmallVector<Operation *>> groups,
                          ArrayRef<Value> outputs) {
  Frame frame;
  for (Value input : inputs)
    frame.inputs.push_back({input});
  stack(frame.inputs, 0);
  frame.height = bottomOf(frame.inputs, 0);
  Draft plan = draft(groups, outputs);
  if (groups.size() > 1)
    frame.loopColumns = draft(groups.take_front(), {}).columns.size();
  SmallVector<Bundle> before = frame.inputs;
  double left = 0;
  for (auto [number, ops] : llvm::enumerate(plan.columns)) {
    left += std::max(leastGap, labelWidth(before) + bendPixels + 6);
    Column column = placeColumn(ops, number, plan, before);
    column.left = left;
    for (const std::unique_ptr<Node> &node : column.nodes) {
      node->left = left + (column.width - node->width) / 2;
      frame.height = std::max(frame.height, node->top + node->height);
    }
    for (const Bundle &bundle : column.passing)
      frame.height = std::max(frame.height, bundle.top + bundle.height());
    left += column.width;
    if (number + 1 == frame.loopColumns)
      frame.loopRight = left + padding / 2;
    frame.columns.push_back(std::move(column));
  }
  llvm::DenseMap<Value, double> topOf;
  for (const Bundle &bundle : before)
    topOf[bundle.value] = bundle.top;
  double bottom = 0;
  for (Value output : plan.outputs) {
    Bundle bundle{output, std::max(bottom, topOf.lookup(output))};
    bottom = bundle.top + bundle.height() + betweenBundles;
    frame.outputs.push_back(bundle);
  }
  frame.height = std::max(frame.height, bottomOf(frame.outputs, 0));
  frame.width = left + std::max(leastGap, labelWidth(before) + bendPixels + 6);
  return frame;
}

Frame napkin::drawing::layOut(ncd::DiagramOp diagram, Labels &labels) {
  Block &body = diagram.getBody().front();
  SmallVector<Value> arguments(body.getArguments());
  return FrameBuilder(labels).build(arguments, {operationsOf(body)},
                                    yieldedBy(body));
}
