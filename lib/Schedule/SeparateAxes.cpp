//===- SeparateAxes.cpp - one name, several wires ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the wires as classes of (array, axis) and renames all but the first of
// each name.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/SeparateAxes.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace napkin;

namespace {
/// The wires of one diagram.
class Separator {
public:
  explicit Separator(ncd::DiagramOp diagram)
      : diagram(diagram), context(diagram.getContext()) {}

  void run() {
    if (!read())
      return;
    nameWires();
    if (!renamed.empty())
      rewrite();
  }

private:
  /// An axis of an array, by number.
  using End = unsigned;

  bool read();
  void readOperation(Operation &op);
  void addEnds(Value value);
  End endOf(Value value, StringAttr axis) const {
    return ends.lookup({value, axis});
  }
  void connect(Value one, Value other, StringAttr axis) {
    wires.unionSets(endOf(one, axis), endOf(other, axis));
  }
  void nameWires();
  StringAttr freshName(StringAttr axis, Value value);
  /// What the axis of \p value is called from now on.
  StringAttr nameOf(Value value, StringAttr axis) const;
  void rewrite();

  ncd::DiagramOp diagram;
  MLIRContext *context;
  DenseMap<std::pair<Value, StringAttr>, End> ends;
  /// In order of appearance.
  SmallVector<std::pair<Value, StringAttr>> appearances;
  llvm::EquivalenceClasses<End> wires;
  /// Axes that are summed or reduced somewhere, and the ends at which.
  DenseSet<StringAttr> reduced;
  DenseSet<StringAttr> taken;
  /// New names of wires, by their leading end; the names that they had.
  DenseMap<End, StringAttr> renamed;
  llvm::MapVector<StringAttr, std::pair<StringAttr, int64_t>> record;
};
} // namespace

static ncd::ArrayType typeOf(Value value) {
  return cast<ncd::ArrayType>(value.getType());
}

/// Whether kernels read \p argument itself, and not only views of it.
static bool isRead(BlockArgument argument) {
  return argument.use_empty() ||
         !llvm::all_of(argument.getUsers(), llvm::IsaPred<ncd::ViewOp>);
}

void Separator::addEnds(Value value) {
  for (StringAttr axis : typeOf(value).getAxes()) {
    ends[{value, axis}] = appearances.size();
    wires.insert(appearances.size());
    appearances.push_back({value, axis});
    taken.insert(axis);
  }
}

/// An operation connects what its operands and its result call alike.
void Separator::readOperation(Operation &op) {
  Value result = op.getResult(0);
  addEnds(result);
  SmallVector<StringAttr> over;
  if (auto contract = dyn_cast<ncd::ContractOp>(op))
    over = contract.getOverAxes();
  if (auto reduce = dyn_cast<ncd::ReduceOp>(op))
    over = reduce.getOverAxes();
  reduced.insert(over.begin(), over.end());
  DenseMap<StringAttr, Value> first;
  for (StringAttr axis : typeOf(result).getAxes())
    first[axis] = result;
  for (Value operand : op.getOperands())
    for (StringAttr axis : typeOf(operand).getAxes()) {
      Value other = first.try_emplace(axis, operand).first->second;
      connect(other, operand, axis);
    }
}

/// Returns false where the diagram holds what cannot be rewritten.
bool Separator::read() {
  Block &body = diagram.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    if (isRead(argument))
      addEnds(argument);
    else
      taken.insert(typeOf(argument).getAxes().begin(),
                   typeOf(argument).getAxes().end());
  }
  for (Operation &op : body.without_terminator()) {
    // What is seen of memory has wires of its own.
    if (isa<ncd::ViewOp>(op)) {
      addEnds(op.getResult(0));
      continue;
    }
    if (!isa<ncd::ContractOp, ncd::MapOp, ncd::ReduceOp>(op))
      return false;
    readOperation(op);
  }
  return true;
}

/// "d_v" for axis d of the argument v, with a number where that is taken.
StringAttr Separator::freshName(StringAttr axis, Value value) {
  std::string base = axis.str();
  if (auto argument = dyn_cast<BlockArgument>(value))
    base += "_" + diagram.getArgumentName(argument.getArgNumber());
  std::string name = base;
  for (unsigned i = 2; taken.contains(StringAttr::get(context, name)) ||
                       name == axis.getValue();
       ++i)
    name = base + "_" + std::to_string(i);
  auto result = StringAttr::get(context, name);
  taken.insert(result);
  return result;
}

void Separator::nameWires() {
  DenseMap<StringAttr, End> firstWire;
  DenseSet<End> seen;
  for (auto [end, appearance] : llvm::enumerate(appearances)) {
    auto [value, axis] = appearance;
    End wire = wires.getLeaderValue(end);
    if (!reduced.contains(axis) || !seen.insert(wire).second ||
        firstWire.try_emplace(axis, wire).second)
      continue;
    StringAttr name = freshName(axis, value);
    renamed[wire] = name;
    record[name] = {axis, typeOf(value).sizeOf(axis)};
  }
}

StringAttr Separator::nameOf(Value value, StringAttr axis) const {
  return renamed.lookup_or(wires.getLeaderValue(endOf(value, axis)), axis);
}

void Separator::rewrite() {
  Block &body = diagram.getBody().front();
  // Operations first: their lists of axes are read with the old names.
  for (Operation &op : body.without_terminator()) {
    if (auto over = op.getAttrOfType<ArrayAttr>("over")) {
      SmallVector<Attribute> names;
      for (StringAttr axis : over.getAsRange<StringAttr>())
        for (Value operand : op.getOperands())
          if (typeOf(operand).hasAxis(axis)) {
            names.push_back(nameOf(operand, axis));
            break;
          }
      op.setAttr("over", ArrayAttr::get(context, names));
    }
    if (auto map = dyn_cast<ncd::MapOp>(op))
      for (auto index : map.getBody().front().getOps<ncd::IndexOp>())
        index.setAxisAttr(nameOf(map.getResult(), index.getAxisAttr()));
  }
  auto retype = [&](Value value) {
    ncd::ArrayType type = typeOf(value);
    SmallVector<StringAttr> names;
    for (StringAttr axis : type.getAxes())
      names.push_back(nameOf(value, axis));
    value.setType(ncd::ArrayType::get(context, names, type.getSizes(),
                                      type.getElementType(),
                                      type.getStrides()));
  };
  for (BlockArgument argument : body.getArguments())
    if (isRead(argument))
      retype(argument);
  for (Operation &op : body.without_terminator())
    retype(op.getResult(0));
  diagram.setFunctionType(
      FunctionType::get(context, body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
  SmallVector<NamedAttribute> entries;
  for (auto &[name, axis] : record)
    entries.push_back(
        {name, ncd::PartitionAttr::get(context, {axis.first}, {axis.second})});
  diagram->setAttr("ncd.joined", DictionaryAttr::get(context, entries));
}

void napkin::schedule::separateAxes(ncd::DiagramOp diagram) {
  Separator(diagram).run();
}

SmallVector<std::string, 2>
napkin::schedule::wiresCalled(ncd::DiagramOp diagram, StringRef name) {
  SmallVector<std::string, 2> wires = {name.str()};
  if (auto record = diagram->getAttrOfType<DictionaryAttr>("ncd.joined"))
    for (NamedAttribute entry : record)
      if (auto written = dyn_cast<ncd::PartitionAttr>(entry.getValue());
          written && written.getAxes().size() == 1 &&
          written.getAxes().front() == name)
        wires.push_back(entry.getName().str());
  return wires;
}
