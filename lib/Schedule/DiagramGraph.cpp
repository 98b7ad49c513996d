//===- DiagramGraph.cpp - a diagram as a plain graph ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads diagrams; counts scalar operations; asks the streaming algebra.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/DiagramGraph.h"
#include "ContractShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <vector>

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// Arrays beyond this would overflow sums of their bytes.
static constexpr int64_t mostBytes = int64_t(1) << 50;

namespace {
/// Fills one DiagramGraph.
class Reader {
public:
  Reader(DiagramGraph &result, const target::TargetDescription &target,
         bool roundToTF32)
      : result(result), graph(result.graph), target(target),
        roundToTF32(roundToTF32) {}

  LogicalResult addValue(Value value, int definition, StringRef name,
                         Location location);
  LogicalResult addOperation(mlir::Operation *op);
  unsigned indexOf(Value value) const { return indices.lookup(value); }

private:
  void countScalars(mlir::Operation *op, schedule::Operation &operation);
  unsigned bodyOf(mlir::Operation *op);

  DiagramGraph &result;
  Graph &graph;
  const target::TargetDescription &target;
  bool roundToTF32;
  DenseMap<Value, unsigned> indices;
  /// Bodies that were seen, by what describes them.
  std::map<std::vector<const void *>, unsigned> bodies;
};
} // namespace

LogicalResult Reader::addValue(Value value, int definition, StringRef name,
                               Location location) {
  auto type = cast<ncd::ArrayType>(value.getType());
  ArrayValue array;
  array.name = name.str();
  array.definition = definition;
  array.bits = 8 * ncd::elementBytes(type.getElementType());
  int64_t bytes = array.bytes();
  for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes())) {
    if (ShapedType::isDynamic(size))
      return emitError(location)
             << "axis '" << axis.getValue()
             << "' has no static size, and schedules are made for sizes; write "
                "its size";
    if (llvm::MulOverflow(bytes, size, bytes) || bytes > mostBytes) {
      const int64_t *largest = llvm::max_element(type.getSizes());
      StringAttr longest = type.getAxes()[largest - type.getSizes().begin()];
      return emitError(location)
             << "an array of more than 2^50 bytes has no schedule; make its "
                "axis '"
             << longest.getValue() << "' of size " << *largest << " smaller";
    }
    std::optional<unsigned> index = graph.findAxis(axis.getValue());
    if (!index) {
      index = graph.axes.size();
      graph.axes.push_back({axis.getValue().str(), size});
    }
    array.axes.push_back(*index);
  }
  indices[value] = graph.values.size();
  graph.values.push_back(std::move(array));
  result.values.push_back(value);
  return success();
}

void Reader::countScalars(mlir::Operation *op, schedule::Operation &operation) {
  op->walk([&](mlir::Operation *inner) {
    if (inner == op || inner->hasTrait<OpTrait::IsTerminator>() ||
        inner->hasTrait<OpTrait::ConstantLike>() || isa<ncd::IndexOp>(inner))
      return;
    ++operation.simple;
    bool special = inner->getName().getDialectNamespace() == "math" ||
                   isa<arith::DivFOp, arith::RemFOp>(inner);
    operation.special +=
        special && !isa<math::AbsFOp, math::FmaOp, math::CopySignOp>(inner);
  });
  operation.simple = std::max<int64_t>(operation.simple, 1);
}

/// A number for what \p op computes: names, attributes and types of all that
/// its body holds, without the names of axes.
unsigned Reader::bodyOf(mlir::Operation *op) {
  std::vector<const void *> key = {op->getName().getAsOpaquePointer()};
  auto resultAxes = cast<ncd::ArrayType>(op->getResult(0).getType()).getAxes();
  DenseMap<Value, size_t> numbers;
  bool named = false;
  auto addNumber = [&](size_t number) {
    key.push_back(reinterpret_cast<const void *>(uintptr_t(number)));
  };
  for (NamedAttribute attribute : op->getAttrs()) {
    if (attribute.getName() == "over" || attribute.getName() == "ncd.pin")
      continue; // the graph has them
    key.push_back(attribute.getName().getAsOpaquePointer());
    key.push_back(attribute.getValue().getAsOpaquePointer());
    named |= isa<StringAttr, ArrayAttr, DictionaryAttr, ncd::PartitionAttr,
                 ncd::ProductAttr>(attribute.getValue());
  }
  // What names axes means the same only where axes are called the same.
  if (named)
    for (Type type : op->getOperandTypes())
      key.push_back(type.getAsOpaquePointer());
  for (Type type : op->getOperandTypes())
    key.push_back(
        cast<ncd::ArrayType>(type).getElementType().getAsOpaquePointer());
  key.push_back(cast<ncd::ArrayType>(op->getResult(0).getType())
                    .getElementType()
                    .getAsOpaquePointer());
  for (mlir::Region &region : op->getRegions())
    for (BlockArgument argument : region.getArguments())
      numbers.try_emplace(argument, numbers.size());
  op->walk<WalkOrder::PreOrder>([&](mlir::Operation *inner) {
    if (inner == op)
      return;
    key.push_back(inner->getName().getAsOpaquePointer());
    if (auto position = dyn_cast<ncd::IndexOp>(inner)) {
      addNumber(llvm::find(resultAxes, position.getAxisAttr()) -
                resultAxes.begin());
    } else {
      key.push_back(inner->getAttrDictionary().getAsOpaquePointer());
    }
    for (Value operand : inner->getOperands())
      addNumber(numbers.try_emplace(operand, numbers.size()).first->second);
    for (Value result : inner->getResults()) {
      addNumber(numbers.try_emplace(result, numbers.size()).first->second);
      key.push_back(result.getType().getAsOpaquePointer());
    }
  });
  return bodies.try_emplace(std::move(key), bodies.size()).first->second;
}

LogicalResult Reader::addOperation(mlir::Operation *op) {
  schedule::Operation operation;
  auto addOver = [&](ArrayRef<StringAttr> axes) {
    for (StringAttr axis : axes)
      if (std::optional<unsigned> index = graph.findAxis(axis.getValue()))
        operation.over.push_back(*index);
  };
  if (auto contract = dyn_cast<ncd::ContractOp>(op)) {
    operation.kind = OperationKind::Contract;
    addOver(contract.getOverAxes());
    operation.instruction = instructionOf(contract, target, roundToTF32);
    // Not tested: every element type that ncd.contract takes has a scalar row.
    if (!operation.instruction)
      return op->emitError()
             << target.name << " has no instruction that multiplies "
             << contract.getInputs().front().getType();
  } else if (isa<ncd::MapOp>(op)) {
    operation.kind = OperationKind::Map;
    countScalars(op, operation);
  } else if (auto reduce = dyn_cast<ncd::ReduceOp>(op)) {
    operation.kind = OperationKind::Reduce;
    addOver(reduce.getOverAxes());
    countScalars(op, operation);
  } else if (isa<ncd::KernelOp, ncd::ViewOp>(op)) {
    // A view of what a kernel writes: it is read when that is done.
    operation.kind = OperationKind::Fixed;
  } else {
    return op->emitError("has no schedule: only ncd.contract, ncd.map and "
                         "ncd.reduce do; run ncd-decompose and "
                         "ncd-place-views first");
  }
  if (operation.kind != OperationKind::Fixed)
    operation.body = bodyOf(op);
  for (Value operand : op->getOperands())
    operation.operands.push_back(indexOf(operand));
  if (auto pin = op->getAttrOfType<DictionaryAttr>("ncd.pin"))
    if (auto kernel = pin.getAs<IntegerAttr>("kernel"))
      operation.pinnedKernel = kernel.getInt();
  int definition = graph.operations.size();
  for (OpResult value : op->getResults()) {
    // IR keeps no names of results; the operation and its axes say enough.
    std::string name = op->getName().stripDialect().str() + "[";
    for (StringAttr axis : cast<ncd::ArrayType>(value.getType()).getAxes())
      name += (name.back() == '[' ? "" : ",") + axis.str();
    name += "]";
    if (failed(addValue(value, definition, name, op->getLoc())))
      return failure();
    operation.results.push_back(indexOf(value));
  }
  graph.operations.push_back(std::move(operation));
  result.operations.push_back(op);
  return success();
}

/// Rows in shared memory are permuted within so many bytes.
static constexpr int64_t partAlignment = 128;

/// Notes which arrays that kernels read are in one memory, one within the
/// other.
static void findWithin(DiagramGraph &diagram) {
  auto placeOf = [](Value value) -> std::optional<ncd::Placement> {
    if (auto view = value.getDefiningOp<ncd::ViewOp>())
      return ncd::Placement{int64_t(view.getFrom()),
                            llvm::to_vector(view.getBy())};
    if (isa<BlockArgument>(value))
      return ncd::Placement{
          0, cast<ncd::ArrayType>(value.getType()).getPlacement()};
    return std::nullopt;
  };
  auto memoryOf = [](Value value) {
    auto view = value.getDefiningOp<ncd::ViewOp>();
    return view ? view.getInput() : value;
  };
  Graph &graph = diagram.graph;
  for (auto [number, value] : llvm::enumerate(diagram.values)) {
    std::optional<ncd::Placement> place = placeOf(value);
    for (auto [other, whole] : llvm::enumerate(diagram.values)) {
      std::optional<ncd::Placement> wholePlace = placeOf(whole);
      // Of two that hold each other the first one does.
      if (number == other || !place || !wholePlace ||
          memoryOf(value) != memoryOf(whole) || graph.values[other].within >= 0)
        continue;
      auto type = cast<ncd::ArrayType>(value.getType()),
           wholeType = cast<ncd::ArrayType>(whole.getType());
      std::optional<ncd::AxisPart> part =
          ncd::partWithin(type, *place, wholeType, *wholePlace);
      if (!part || !part->part ||
          part->first * graph.values[number].bytes() % partAlignment)
        continue;
      ArrayValue &array = graph.values[number];
      array.within = int(other);
      array.wholeAxis = *graph.findAxis(part->whole.getValue());
      array.partAxis = *graph.findAxis(part->part.getValue());
      break;
    }
  }
}

FailureOr<DiagramGraph>
napkin::schedule::readDiagram(ncd::DiagramOp diagram,
                              const target::TargetDescription &target,
                              bool roundToTF32) {
  DiagramGraph result;
  result.graph.name = diagram.getSymName().str();
  Reader reader(result, target, roundToTF32);
  Block &block = diagram.getBody().front();
  for (BlockArgument argument : block.getArguments()) {
    std::string name = diagram.getArgumentName(argument.getArgNumber());
    if (cast<ncd::ArrayType>(argument.getType()).hasStrides() &&
        !llvm::all_of(argument.getUsers(), llvm::IsaPred<ncd::ViewOp>))
      return emitError(argument.getLoc())
             << "argument '" << name
             << "' lies with strides, which kernels know of views; run "
                "ncd-place-views first";
    if (failed(reader.addValue(argument, /*definition=*/-1, name,
                               argument.getLoc())))
      return failure();
  }
  for (mlir::Operation &op : block.without_terminator()) {
    auto view = dyn_cast<ncd::ViewOp>(op);
    auto base = view ? dyn_cast<BlockArgument>(view.getInput()) : nullptr;
    // What is seen of an argument is another array that kernels read.
    if (failed(
            base ? reader.addValue(view.getResult(), /*definition=*/-1,
                                   diagram.getArgumentName(base.getArgNumber()),
                                   view.getLoc())
                 : reader.addOperation(&op)))
      return failure();
  }
  for (Value value : block.getTerminator()->getOperands()) {
    unsigned index = reader.indexOf(value);
    if (!llvm::is_contained(result.graph.returned, index))
      result.graph.returned.push_back(index);
  }
  findWithin(result);
  return result;
}
