//===- Edits.cpp - smaller diagrams ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Edits.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Explore/Variation.h"
#include "llvm/ADT/STLExtras.h"
#include <fmt/format.h>
#include <map>

using namespace mlir;
using namespace napkin;
using namespace napkin::reduce;

static ncd::DiagramOp diagramAt(ModuleOp module, size_t index) {
  return *std::next(module.getOps<ncd::DiagramOp>().begin(), index);
}

/// Operation \p index of the body of a diagram.
static Operation *operationAt(ncd::DiagramOp diagram, size_t index) {
  return &*std::next(diagram.getBody().front().begin(), index);
}

/// Removes what no result needs, and makes the declared types those of the
/// body.
static void cleanUp(ncd::DiagramOp diagram) {
  Block &body = diagram.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (!op.hasTrait<OpTrait::IsTerminator>() && op.use_empty())
      op.erase();
  llvm::BitVector unused(body.getNumArguments());
  for (BlockArgument argument : body.getArguments())
    if (argument.use_empty())
      unused.set(argument.getArgNumber());
  SmallVector<Attribute> attributes;
  if (ArrayAttr given = diagram.getArgAttrsAttr())
    for (auto [index, attribute] : llvm::enumerate(given))
      if (!unused.test(index))
        attributes.push_back(attribute);
  body.eraseArguments(unused);
  diagram.setFunctionType(
      FunctionType::get(diagram.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
  if (diagram.getArgAttrsAttr()) {
    attributes.resize(body.getNumArguments(),
                      DictionaryAttr::get(diagram.getContext()));
    diagram.setArgAttrsAttr(ArrayAttr::get(diagram.getContext(), attributes));
  }
}

static void addDiagramEdits(ModuleOp module, std::vector<Edit> &edits) {
  size_t count = llvm::range_size(module.getOps<ncd::DiagramOp>());
  for (size_t i = 0; count > 1 && i < count; ++i)
    edits.push_back({"without diagram " + diagramAt(module, i).getName().str(),
                     [i](ModuleOp clone) { diagramAt(clone, i).erase(); }});
}

static void addResultEdits(ncd::DiagramOp diagram, size_t at,
                           std::vector<Edit> &edits) {
  Operation *end = diagram.getBody().front().getTerminator();
  for (unsigned i = 0; end->getNumOperands() > 1 && i < end->getNumOperands();
       ++i)
    edits.push_back(
        {fmt::format("without result {}", i), [at, i](ModuleOp clone) {
           ncd::DiagramOp own = diagramAt(clone, at);
           own.getBody().front().getTerminator()->eraseOperand(i);
           own.removeResAttrsAttr();
           cleanUp(own);
         }});
}

/// Each operation's result as the result of all, and as an argument.
static void addCutEdits(ncd::DiagramOp diagram, size_t at,
                        std::vector<Edit> &edits) {
  Block &body = diagram.getBody().front();
  size_t index = 0;
  for (Operation &op : body.without_terminator()) {
    size_t place = index++;
    bool isResult = body.getTerminator()->getNumOperands() == 1 &&
                    body.getTerminator()->getOperand(0).getDefiningOp() == &op;
    if (op.getNumResults() != 1)
      continue;
    std::string name = op.getName().stripDialect().str();
    if (!isResult)
      edits.push_back({fmt::format("up to operation {}, a {}", place, name),
                       [at, place](ModuleOp clone) {
                         ncd::DiagramOp own = diagramAt(clone, at);
                         own.getBody().front().getTerminator()->setOperands(
                             operationAt(own, place)->getResult(0));
                         own.removeResAttrsAttr();
                         cleanUp(own);
                       }});
    // A result that is an argument would leave nothing to compile.
    if (!isResult)
      edits.push_back({fmt::format("operation {}, a {}, given", place, name),
                       [at, place](ModuleOp clone) {
                         ncd::DiagramOp own = diagramAt(clone, at);
                         Value value = operationAt(own, place)->getResult(0);
                         value.replaceAllUsesWith(
                             own.getBody().front().addArgument(value.getType(),
                                                               value.getLoc()));
                         cleanUp(own);
                       }});
  }
}

static std::map<std::string, int64_t> sizesOf(ModuleOp module) {
  std::map<std::string, int64_t> sizes;
  auto add = [&](Type type) {
    if (auto array = dyn_cast<ncd::ArrayType>(type))
      for (auto [axis, size] : llvm::zip(array.getAxes(), array.getSizes()))
        sizes[axis.str()] = size;
  };
  module.walk([&](Operation *op) {
    llvm::for_each(op->getResultTypes(), add);
    llvm::for_each(op->getOperandTypes(), add);
  });
  return sizes;
}

static void addSizeEdits(ModuleOp module, std::vector<Edit> &edits) {
  for (const auto &[axis, size] : sizesOf(module))
    for (int64_t smaller : {int64_t(1), size / 2, size - 1})
      if (smaller >= 1 && smaller < size)
        edits.push_back({fmt::format("axis {} has {} positions", axis, smaller),
                         [axis = axis, smaller](ModuleOp clone) {
                           explore::resizeAxis(clone, axis, smaller);
                         }});
}

/// What a body yields as what one operation earlier gave it.
static void addBodyEdits(ncd::DiagramOp diagram, size_t at,
                         std::vector<Edit> &edits) {
  size_t place = 0;
  diagram.getBody().walk<WalkOrder::PreOrder>([&](ncd::YieldOp yield) {
    size_t number = place++;
    for (unsigned i = 0; i < yield->getNumOperands(); ++i) {
      Operation *last = yield->getOperand(i).getDefiningOp();
      for (unsigned k = 0; last && k < last->getNumOperands(); ++k) {
        if (last->getOperand(k).getType() != yield->getOperand(i).getType())
          continue;
        auto apply = [at, number, i, k](ModuleOp clone) {
          ncd::DiagramOp own = diagramAt(clone, at);
          size_t seen = 0;
          own.getBody().walk<WalkOrder::PreOrder>([&](ncd::YieldOp other) {
            if (seen++ != number)
              return;
            Operation *op = other->getOperand(i).getDefiningOp();
            other->setOperand(i, op->getOperand(k));
          });
        };
        edits.push_back({fmt::format("a body without its last {}",
                                     last->getName().getStringRef().str()),
                         apply});
      }
    }
  });
}

std::vector<Edit> napkin::reduce::editsOf(ModuleOp module) {
  std::vector<Edit> edits;
  addDiagramEdits(module, edits);
  size_t at = 0;
  for (auto diagram : module.getOps<ncd::DiagramOp>()) {
    addResultEdits(diagram, at, edits);
    addCutEdits(diagram, at, edits);
    ++at;
  }
  addSizeEdits(module, edits);
  at = 0;
  for (auto diagram : module.getOps<ncd::DiagramOp>())
    addBodyEdits(diagram, at++, edits);
  return edits;
}
