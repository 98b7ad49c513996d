//===- JoinAxes.cpp - axes that lie side by side are one --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the chains of axes and rewrites types, lists of axes and positions.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/JoinAxes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin;

/// Positions along an axis have 32 bits in device code; longer axes stay apart.
static constexpr int64_t longestJoined = int64_t(1) << 30;

/// Rows of a tile of products. An axis that has as many fills tiles alone, and
/// stays apart, so that what is known of its positions stays simple.
static constexpr int64_t tileRows = 128;

namespace {
/// One chain of axes that become one.
struct Chain {
  StringAttr name;
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
};

/// What is known of the axes of a diagram while chains are looked for.
class Joiner {
public:
  Joiner(ncd::DiagramOp diagram, const llvm::StringSet<> &kept)
      : diagram(diagram), context(diagram.getContext()) {
    for (const auto &entry : kept)
      apart.insert(StringAttr::get(context, entry.first()));
  }

  void run() {
    if (!read())
      return;
    findChains();
    if (!chains.empty())
      rewrite();
  }

private:
  bool read();
  void readType(ncd::ArrayType type);
  void readView(ncd::ViewOp view);
  /// Whether kernels read \p argument itself, and not only views of it.
  static bool isRead(BlockArgument argument) {
    return argument.use_empty() ||
           !llvm::all_of(argument.getUsers(), llvm::IsaPred<ncd::ViewOp>);
  }
  void readFactors(ncd::ContractOp contract);
  bool isRow(StringAttr axis) const {
    return rows.contains(axis) && !shared.contains(axis) &&
           !reduced.contains(axis);
  }
  bool mayBegin(StringAttr axis) const;
  void findChains();
  void nameChain(Chain &chain);
  void rewrite();
  void rewriteOver(Operation *op);
  void rewritePositions(ncd::MapOp map);
  ncd::ArrayType joined(ncd::ArrayType type) const;
  void retypeView(ncd::ViewOp view);

  ncd::DiagramOp diagram;
  MLIRContext *context;
  /// Axes that cannot be joined with the one after them, or with any.
  DenseSet<StringAttr> apart, last;
  /// Axes of arguments of which kernels read views only.
  DenseSet<StringAttr> others;
  /// Sizes, in order of appearance.
  llvm::MapVector<StringAttr, int64_t> sizes;
  /// The axis that follows, in every array, and the one before.
  DenseMap<StringAttr, StringAttr> next, previous;
  DenseSet<StringAttr> reduced;
  /// Axes that one factor of some product brings in, and those that several
  /// bring in together.
  DenseSet<StringAttr> rows, shared;
  SmallVector<Chain> chains;
  /// The chain and the place in it of each axis that is joined.
  DenseMap<StringAttr, std::pair<unsigned, unsigned>> places;
};
} // namespace

void Joiner::readType(ncd::ArrayType type) {
  ArrayRef<StringAttr> axes = type.getAxes();
  for (unsigned i = 0; i < axes.size(); ++i) {
    bool fresh = sizes.insert({axes[i], type.getSizes()[i]}).second;
    if (ShapedType::isDynamic(type.getSizes()[i]))
      apart.insert(axes[i]);
    StringAttr before = i ? axes[i - 1] : StringAttr();
    StringAttr after = i + 1 < axes.size() ? axes[i + 1] : StringAttr();
    if (fresh) {
      previous[axes[i]] = before;
      next[axes[i]] = after;
    }
    if (previous[axes[i]] != before)
      previous[axes[i]] = {};
    if (next[axes[i]] != after)
      next[axes[i]] = {};
  }
}

/// Axes that lie apart in memory are not one.
void Joiner::readView(ncd::ViewOp view) {
  ncd::ArrayType type = view.getType();
  readType(type);
  for (unsigned i = 0; i + 1 < type.getRank(); ++i)
    if (view.getBy()[i] != view.getBy()[i + 1] * type.getSizes()[i + 1])
      last.insert(type.getAxes()[i]);
}

/// Notes which axes one factor of \p contract has alone. Two of them that
/// different factors have are never joined.
void Joiner::readFactors(ncd::ContractOp contract) {
  for (StringAttr axis : contract.getArrayType().getAxes()) {
    SmallVector<unsigned> carriers;
    for (auto [factor, value] : llvm::enumerate(contract.getInputs()))
      if (cast<ncd::ArrayType>(value.getType()).hasAxis(axis))
        carriers.push_back(factor);
    (carriers.size() == 1 ? rows : shared).insert(axis);
    for (StringAttr other : {next.lookup(axis), previous.lookup(axis)}) {
      if (!other)
        continue;
      bool together = llvm::all_of(contract.getInputs(), [&](Value value) {
        auto type = cast<ncd::ArrayType>(value.getType());
        return type.hasAxis(axis) == type.hasAxis(other);
      });
      if (!together)
        last.insert(other == next.lookup(axis) ? axis : other);
    }
  }
}

/// Whether a chain may begin at \p axis: it is reduced, or it gives rows that
/// are too few for a tile without the axis before it.
bool Joiner::mayBegin(StringAttr axis) const {
  if (reduced.contains(axis))
    return true;
  StringAttr faster = next.lookup(axis);
  return faster && isRow(axis) && isRow(faster) &&
         sizes.lookup(faster) < tileRows;
}

/// Returns false where the diagram holds what cannot be rewritten.
bool Joiner::read() {
  Block &body = diagram.getBody().front();
  for (BlockArgument argument : body.getArguments())
    if (auto type = cast<ncd::ArrayType>(argument.getType()); isRead(argument))
      readType(type);
    else
      others.insert(type.getAxes().begin(), type.getAxes().end());
  for (Operation &op : body.without_terminator()) {
    if (auto view = dyn_cast<ncd::ViewOp>(op)) {
      readView(view);
      continue;
    }
    if (!isa<ncd::ContractOp, ncd::MapOp, ncd::ReduceOp>(op))
      return false;
    readType(cast<ncd::ArrayType>(op.getResult(0).getType()));
  }
  // An operation that reduces one of two axes keeps them apart.
  for (Operation &op : body.without_terminator()) {
    SmallVector<StringAttr> over;
    if (auto contract = dyn_cast<ncd::ContractOp>(op)) {
      over = contract.getOverAxes();
      readFactors(contract);
    }
    if (auto reduce = dyn_cast<ncd::ReduceOp>(op))
      over = reduce.getOverAxes();
    reduced.insert(over.begin(), over.end());
    for (StringAttr axis : over)
      for (auto [neighbour, other] :
           {std::pair(next.lookup(axis), axis),
            std::pair(previous.lookup(axis), previous.lookup(axis))})
        if (neighbour && !llvm::is_contained(over, neighbour))
          last.insert(other);
  }
  return true;
}

void Joiner::findChains() {
  DenseSet<StringAttr> taken;
  for (auto [first, size] : sizes) {
    if (!mayBegin(first) || apart.contains(first) || taken.contains(first))
      continue;
    Chain chain;
    int64_t product = 1;
    for (StringAttr axis = first; axis; axis = next.lookup(axis)) {
      bool follows = chain.axes.empty() ||
                     (previous.lookup(axis) == chain.axes.back() &&
                      !last.contains(chain.axes.back()) &&
                      reduced.contains(axis) == reduced.contains(first) &&
                      (reduced.contains(axis) ||
                       (isRow(axis) && sizes.lookup(axis) < tileRows)));
      if (!follows || apart.contains(axis) || taken.contains(axis) ||
          product > longestJoined / sizes.lookup(axis))
        break;
      product *= sizes.lookup(axis);
      chain.axes.push_back(axis);
      chain.sizes.push_back(sizes.lookup(axis));
      taken.insert(axis);
    }
    if (chain.axes.size() < 2)
      continue;
    nameChain(chain);
    for (auto [place, axis] : llvm::enumerate(chain.axes))
      places[axis] = {unsigned(chains.size()), unsigned(place)};
    chains.push_back(std::move(chain));
  }
}

/// "i_j_l", and more underscores where a user's axis is called so.
void Joiner::nameChain(Chain &chain) {
  std::string name;
  for (StringAttr axis : chain.axes)
    name += (name.empty() ? "" : "_") + axis.str();
  while (sizes.count(StringAttr::get(context, name)) ||
         others.contains(StringAttr::get(context, name)))
    name += "_";
  chain.name = StringAttr::get(context, name);
  sizes.insert({chain.name, 0});
}

ncd::ArrayType Joiner::joined(ncd::ArrayType type) const {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> extents;
  for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes())) {
    auto place = places.find(axis);
    if (place != places.end() && place->second.second > 0) {
      extents.back() *= size;
      continue;
    }
    axes.push_back(place == places.end() ? axis
                                         : chains[place->second.first].name);
    extents.push_back(size);
  }
  return ncd::ArrayType::get(context, axes, extents, type.getElementType());
}

/// Positions along a chain are as far apart as those of its fastest axis.
void Joiner::retypeView(ncd::ViewOp view) {
  SmallVector<int64_t> strides;
  for (auto [axis, stride] :
       llvm::zip_equal(view.getType().getAxes(), view.getBy())) {
    auto place = places.find(axis);
    if (place != places.end() && place->second.second > 0)
      strides.back() = stride;
    else
      strides.push_back(stride);
  }
  view.getResult().setType(joined(view.getType()));
  view.setBy(strides);
}

void Joiner::rewriteOver(Operation *op) {
  auto list = op->getAttrOfType<ArrayAttr>("over");
  if (!list)
    return;
  SmallVector<Attribute> over;
  for (StringAttr axis : list.getAsRange<StringAttr>()) {
    auto place = places.find(axis);
    if (place == places.end())
      over.push_back(axis);
    else if (place->second.second == 0)
      over.push_back(chains[place->second.first].name);
  }
  op->setAttr("over", ArrayAttr::get(context, over));
}

/// The position along an axis of a chain is a digit of the position along the
/// chain.
void Joiner::rewritePositions(ncd::MapOp map) {
  SmallVector<ncd::IndexOp> positions(
      map.getBody().front().getOps<ncd::IndexOp>());
  for (ncd::IndexOp position : positions) {
    auto place = places.find(position.getAxisAttr());
    if (place == places.end())
      continue;
    const Chain &chain = chains[place->second.first];
    OpBuilder builder(position);
    Location location = position.getLoc();
    auto constant = [&](int64_t value) {
      return arith::ConstantIndexOp::create(builder, location, value);
    };
    int64_t stride = 1;
    for (int64_t size :
         ArrayRef(chain.sizes).drop_front(place->second.second + 1))
      stride *= size;
    Value value = ncd::IndexOp::create(builder, location,
                                       builder.getIndexType(), chain.name);
    if (stride > 1)
      value =
          arith::DivUIOp::create(builder, location, value, constant(stride));
    if (place->second.second > 0)
      value =
          arith::RemUIOp::create(builder, location, value,
                                 constant(chain.sizes[place->second.second]));
    position.replaceAllUsesWith(value);
    position.erase();
  }
}

void Joiner::rewrite() {
  Block &body = diagram.getBody().front();
  auto retype = [&](Value value) {
    value.setType(joined(cast<ncd::ArrayType>(value.getType())));
  };
  for (BlockArgument argument : body.getArguments())
    if (isRead(argument))
      retype(argument);
  for (Operation &op : body.without_terminator()) {
    if (auto view = dyn_cast<ncd::ViewOp>(op)) {
      retypeView(view);
      continue;
    }
    retype(op.getResult(0));
    rewriteOver(&op);
    if (auto map = dyn_cast<ncd::MapOp>(op))
      rewritePositions(map);
  }
  SmallVector<Type> results;
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(value.getType());
  diagram.setFunctionType(
      FunctionType::get(context, body.getArgumentTypes(), results));
  // Axes of a chain may themselves stand for what the user wrote.
  auto before = diagram->getAttrOfType<DictionaryAttr>("ncd.joined");
  NamedAttrList record(before);
  for (const Chain &chain : chains) {
    SmallVector<StringAttr> axes;
    for (StringAttr axis : chain.axes) {
      auto known = before ? before.getAs<ncd::PartitionAttr>(axis) : nullptr;
      axes.push_back(known ? known.getAxes().front() : axis);
      record.erase(axis);
    }
    record.set(chain.name, ncd::PartitionAttr::get(context, axes, chain.sizes));
  }
  diagram->setAttr("ncd.joined", record.getDictionary(context));
}

void napkin::schedule::joinAxes(ncd::DiagramOp diagram,
                                const llvm::StringSet<> &kept) {
  Joiner(diagram, kept).run();
}

ncd::ArrayType napkin::schedule::declaredType(ncd::DiagramOp diagram,
                                              ncd::ArrayType type) {
  auto record = diagram->getAttrOfType<DictionaryAttr>("ncd.joined");
  if (!record || type.hasStrides())
    return type;
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes())) {
    if (auto parts = record.getAs<ncd::PartitionAttr>(axis)) {
      llvm::append_range(axes, parts.getAxes());
      llvm::append_range(sizes, parts.getSizes());
      continue;
    }
    axes.push_back(axis);
    sizes.push_back(size);
  }
  return ncd::ArrayType::get(type.getContext(), axes, sizes,
                             type.getElementType());
}
