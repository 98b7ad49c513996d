//===- PlanVerifier.cpp - what makes a plan legal ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/PlanVerifier.h"
#include "llvm/Support/MathExtras.h"
#include <fmt/format.h>

using namespace napkin::plan;

namespace {
/// Judges one plan; each method is one room of rules.
class Verifier {
public:
  Verifier(const Plan &plan, const Machine &machine, bool all)
      : plan(plan), machine(machine), all(all) {}
  std::vector<Fault> run();

private:
  void checkNests();
  void checkInner(const Nest &nest, const Nest &outer);
  void checkCover(const Nest &nest);
  void checkReads();
  void checkFills();
  void checkStores();
  void checkStates();
  void checkProducts();
  void checkShape(const Op &op);
  void checkSource(const Op &op);
  void checkBlock();
  void checkRoles();

  template <typename... Arguments>
  void fault(llvm::StringRef rule, fmt::format_string<Arguments...> words,
             Arguments &&...arguments) {
    faults.push_back({rule.str(), fmt::format(words, std::forward<Arguments>(
                                                         arguments)...)});
  }
  bool walks(NestId nest, AxisId axis) const {
    return llvm::is_contained(plan.nests[nest].dim, axis);
  }
  /// The nests above \p nest and itself, without the launch.
  llvm::SmallVector<NestId, 6> walked(NestId nest) const {
    llvm::SmallVector<NestId, 6> path = plan.path(nest);
    path.erase(path.begin());
    return path;
  }
  static bool share(llvm::ArrayRef<AxisId> a, llvm::ArrayRef<AxisId> b) {
    return llvm::any_of(
        a, [&](AxisId axis) { return llvm::is_contained(b, axis); });
  }
  const Op *makerOf(llvm::StringRef name) const;
  /// Whether \p nest walks the parent of a ragged axis among \p axes, whose
  /// positions then tell those of the nest apart.
  bool isParent(const Nest &nest, llvm::ArrayRef<AxisId> axes) const;
  /// Whether what the product \p op sums in one step of \p nest is added to
  /// something there: it starts from it, or another operation reads it.
  bool isAddedUp(const Op &op, NestId nest) const;
  /// Names of what is made in \p nest and below.
  void collectMade(const Nest &nest,
                   llvm::SmallVectorImpl<llvm::StringRef> &names) const;

  const Plan &plan;
  const Machine &machine;
  const bool all;
  std::vector<Fault> faults;
};
} // namespace

std::vector<Fault> Verifier::run() {
  using Check = void (Verifier::*)();
  for (Check check : {&Verifier::checkNests, &Verifier::checkReads,
                      &Verifier::checkFills, &Verifier::checkStores,
                      &Verifier::checkStates, &Verifier::checkProducts,
                      &Verifier::checkBlock, &Verifier::checkRoles}) {
    (this->*check)();
    if (!all && !faults.empty())
      break;
  }
  if (!all && faults.size() > 1)
    faults.resize(1);
  return faults;
}

//===----------------------------------------------------------------------===//
// Nests
//===----------------------------------------------------------------------===//

void Verifier::checkInner(const Nest &nest, const Nest &outer) {
  if (outer.dim == nest.dim) {
    if (nest.by > outer.by && outer.kind != NestKind::Split)
      fault("nest.inner", "'{}' steps by {} inside a tile of {}", nest.name,
            nest.by, outer.by);
    return;
  }
  if (share(outer.dim, nest.dim))
    fault("nest.inner",
          "'{}' walks {} inside '{}' over {}: nests share an axis only if they "
          "walk the same dim",
          nest.name, plan.text(nest.dim), outer.name, plan.text(outer.dim));
}

void Verifier::collectMade(
    const Nest &nest, llvm::SmallVectorImpl<llvm::StringRef> &names) const {
  for (const Child &child : nest.children)
    if (child.isNest)
      collectMade(plan.nests[child.index], names);
    else
      names.push_back(plan.ops[child.index].name);
}

void Verifier::checkCover(const Nest &nest) {
  const Nest *before = nullptr;
  for (const Child &child : nest.children) {
    if (!child.isNest || plan.nests[child.index].kind != NestKind::Loop)
      continue;
    const Nest &loop = plan.nests[child.index];
    if (before && before->dim == loop.dim) {
      llvm::SmallVector<llvm::StringRef, 8> first, second;
      collectMade(*before, first);
      collectMade(loop, second);
      bool feedOne = llvm::any_of(plan.values, [&](const Value &value) {
        return value.state && llvm::is_contained(first, value.name) &&
               llvm::is_contained(second, value.name);
      });
      bool meet = before->to && loop.from && *before->to == *loop.from;
      if (feedOne && !meet)
        fault("nest.cover",
              "'{}' starts at {} and '{}' ends at {}: positions of {} are "
              "summed twice or not at all",
              loop.name, loop.from ? plan.text(*loop.from) : "0", before->name,
              before->to ? plan.text(*before->to) : "the end",
              plan.text(loop.dim));
    }
    before = &loop;
  }
}

void Verifier::checkNests() {
  for (NestId id = 0; id < plan.nests.size(); ++id) {
    const Nest &nest = plan.nests[id];
    checkCover(nest);
    if (nest.kind == NestKind::Launch)
      continue;
    llvm::SmallVector<NestId, 6> above = walked(*nest.parent);
    for (const std::optional<Bound> &bound : {nest.from, nest.to})
      if (bound && bound->axis && llvm::none_of(above, [&](NestId outer) {
            return walks(outer, *bound->axis);
          }))
        fault("nest.bound",
              "bound {} of '{}' reads axis '{}', which no enclosing nest walks",
              plan.text(*bound), nest.name, plan.axes[*bound->axis].name);
    for (NestId outer : above)
      checkInner(nest, plan.nests[outer]);
    for (AxisId axis : nest.dim) {
      const Extent &extent = plan.axes[axis].extent;
      if (extent.kind != Extent::Kind::Ragged)
        continue;
      if (llvm::none_of(above, [&](NestId outer) {
            const Nest &at = plan.nests[outer];
            return at.dim == Dim{extent.parent} && at.by == 1;
          }))
        fault("nest.ragged",
              "'{}' walks ragged axis '{}' outside one position of its parent "
              "'{}'",
              nest.name, plan.axes[axis].name, plan.axes[extent.parent].name);
    }
  }
}

//===----------------------------------------------------------------------===//
// Reads, fills, stores
//===----------------------------------------------------------------------===//

const Op *Verifier::makerOf(llvm::StringRef name) const {
  for (const Op &op : plan.ops)
    if (op.name == name)
      return &op;
  return nullptr;
}

void Verifier::checkReads() {
  for (const Op &op : plan.ops) {
    for (const Fill &fill : plan.fills)
      if (!fill.store && llvm::is_contained(op.reads, fill.name) &&
          !plan.encloses(fill.at, op.at))
        fault("fill.dominates",
              "'{}' reads '{}', which is filled in '{}' beside it, not above "
              "it",
              op.name, fill.name, plan.nests[fill.at].name);
    for (const Value &value : plan.values)
      if (llvm::is_contained(op.reads, value.name) &&
          !plan.encloses(value.at, op.at))
        fault("value.dominates",
              "'{}' reads '{}', which lives in '{}' beside it, not above it",
              op.name, value.name, plan.nests[value.at].name);
  }
}

void Verifier::checkFills() {
  for (const Fill &fill : plan.fills) {
    if (fill.store)
      continue;
    const Nest &nest = plan.nests[fill.at];
    bool repeats = nest.kind == NestKind::Loop || nest.kind == NestKind::Step;
    if (repeats && !share(nest.dim, fill.axes))
      fault("fill.once",
            "'{}' is filled in every step of '{}' with the same contents: fill "
            "it in '{}'",
            fill.name, nest.name, plan.nests[*nest.parent].name);
    if (!fill.index.empty() && plan.nests[fill.at].kind == NestKind::Launch)
      fault("fill.index",
            "'{}' is reached through '{}' and filled ahead of all nests, where "
            "no tile says which rows",
            fill.name, fill.index);
    if (fill.slots == 0)
      fault("ring.slots", "'{}' is filled and has no slot", fill.name);
    if (fill.level != Level::Shared || fill.slots < 2 || fill.axes.empty() ||
        machine.copyBytes == 0)
      continue;
    int64_t run = plan.tile(fill.at, {fill.axes.back()}) * fill.bits / 8;
    if (run % machine.copyBytes)
      fault("copy.granule",
            "'{}': runs of {} bytes along '{}' are no multiple of the copy's "
            "{}",
            fill.name, run, plan.axes[fill.axes.back()].name,
            machine.copyBytes);
  }
}

bool Verifier::isParent(const Nest &nest, llvm::ArrayRef<AxisId> axes) const {
  return llvm::any_of(axes, [&](AxisId axis) {
    const Extent &extent = plan.axes[axis].extent;
    return extent.kind == Extent::Kind::Ragged &&
           nest.dim == Dim{extent.parent};
  });
}

void Verifier::checkStores() {
  for (const Fill &fill : plan.fills) {
    if (!fill.store)
      continue;
    for (NestId id : walked(fill.at)) {
      const Nest &nest = plan.nests[id];
      if (nest.kind == NestKind::Split) {
        if (!plan.merged)
          fault("state.merge", "'{}' ends a part of '{}' and no merge follows",
                fill.array, nest.name);
      } else if (!share(nest.dim, fill.axes) && !isParent(nest, fill.axes) &&
                 plan.trips(nest) > 1) {
        fault("store.once",
              "'{}' is stored under '{}' and has no axis of {}: it would be "
              "written {} times",
              fill.array, nest.name, plan.text(nest.dim), plan.trips(nest));
      }
    }
  }
}

bool Verifier::isAddedUp(const Op &op, NestId nest) const {
  if (op.product->starts)
    return true;
  return llvm::any_of(plan.ops, [&](const Op &other) {
    return other.name != op.name && plan.encloses(nest, other.at) &&
           llvm::is_contained(other.reads, op.name);
  });
}

void Verifier::checkStates() {
  // What a step makes of a state is the state again.
  for (const Value &value : plan.values)
    for (const Op &op : plan.ops)
      if (value.state && op.name == value.name &&
          !std::is_permutation(op.axes.begin(), op.axes.end(),
                               value.axes.begin(), value.axes.end()))
        fault("state.axes",
              "'{}' is a state over {} and its step has the axes {}",
              value.name, plan.list(value.axes), plan.list(op.axes));
  for (const Value &value : plan.values)
    for (const Op &op : plan.ops) {
      if (op.name != value.name && !llvm::is_contained(op.reads, value.name))
        continue;
      for (NestId id : walked(op.at)) {
        const Nest &nest = plan.nests[id];
        bool inside = plan.encloses(id, value.at);
        if (op.name == value.name && op.product && !value.state && inside &&
            nest.kind != NestKind::Step &&
            share(nest.dim, op.product->summed) && !isAddedUp(op, id))
          fault("state.open",
                "'{}' is summed over {}, which '{}' still walks: it is a state "
                "and must live above it",
                value.name, plan.text(nest.dim), nest.name);
        if (value.level == Level::Registers && !inside &&
            nest.kind == NestKind::Loop && share(nest.dim, value.axes))
          fault("state.unrolled",
                "'{}' lives in registers across loop '{}' and carries its "
                "axis: registers cannot be indexed, make it a step",
                value.name, nest.name);
      }
    }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void Verifier::checkShape(const Op &op) {
  const Product &product = *op.product;
  if (product.warpRows % product.scope)
    fault("product.shape",
          "'{}': {} warps of rows are no whole instances of {}, which takes {}",
          op.name, product.warpRows, product.instruction, product.scope);
  auto splits = [&](llvm::StringRef what, const Dim &dim, int64_t granule,
                    unsigned warps) {
    int64_t positions = plan.tile(op.at, dim);
    // All of a dim is padded to what its warps take.
    if (positions >= plan.sizeOf(dim))
      return;
    if (int64_t(llvm::alignTo(positions, granule)) % (granule * warps))
      fault("product.shape",
            "'{}': {} {} of {} do not split among {} warps in granules of {}",
            op.name, positions, std::string_view(what), plan.text(dim), warps,
            granule);
  };
  splits("rows", product.rows, product.m, product.warpRows);
  splits("columns", product.columns, product.n, product.warpColumns);
  for (AxisId axis : product.batch)
    if (int64_t positions = plan.tile(op.at, {axis}); positions > 1)
      fault("product.shape",
            "'{}': batch axis '{}' has {} positions in a block", op.name,
            plan.axes[axis].name, positions);
}

void Verifier::checkSource(const Op &op) {
  if (op.product->a != Source::Registers)
    return;
  for (const std::string &read : op.reads) {
    const Op *maker = makerOf(read);
    // Work on elements leaves them where the product before it put them.
    if (maker && !maker->product) {
      const Op *source = nullptr;
      for (const std::string &earlier : maker->reads)
        if (const Op *candidate = makerOf(earlier);
            candidate && candidate->product)
          source = candidate;
      maker = source;
    }
    if (!maker || maker == &op || !maker->product)
      continue;
    bool moved = llvm::any_of(plan.values, [&](const Value &value) {
      return value.name == read && value.level == Level::Shared;
    });
    const Product &from = *maker->product;
    if (!moved && (from.warpRows != op.product->warpRows ||
                   from.warpColumns != op.product->warpColumns))
      fault("product.source",
            "'{}' takes '{}' from registers, which '{}' left in warps [{}, "
            "{}]: give it a place in shared",
            op.name, read, maker->name, from.warpRows, from.warpColumns);
  }
}

void Verifier::checkProducts() {
  unsigned warps = plan.computingWarps();
  for (const Op &op : plan.ops) {
    if (!op.product)
      continue;
    const Product &product = *op.product;
    if (share(product.rows, product.columns) ||
        share(product.columns, product.summed) ||
        share(product.rows, product.summed))
      fault("product.parts", "'{}': an axis has two parts in one product",
            op.name);
    checkShape(op);
    if (product.warpRows * product.warpColumns != warps)
      fault("product.warps",
            "'{}': a grid of {} × {} warps is not the {} warps that compute",
            op.name, product.warpRows, product.warpColumns, warps);
    checkSource(op);
  }
}

//===----------------------------------------------------------------------===//
// The block
//===----------------------------------------------------------------------===//

void Verifier::checkBlock() {
  if (plan.order.grouped &&
      plan.nests[*plan.order.grouped].kind != NestKind::Grid)
    fault("order",
          "blocks are grouped along '{}', which is no nest of the grid",
          plan.nests[*plan.order.grouped].name);
  if (plan.order.kind == GridOrder::Kind::Persistent && plan.order.blocks < 1)
    fault("order", "the grid is persistent, and {} blocks walk it",
          plan.order.blocks);
  if (plan.order.kind == GridOrder::Kind::List && plan.order.list.empty())
    fault("order", "blocks take their tiles from a list, and no array is named "
                   "that holds it");
  if (plan.warps > machine.warpsPerBlock)
    fault("threads", "{} warps are more than {}", plan.warps,
          machine.warpsPerBlock);
  int64_t bytes = sharedBytes(plan);
  if (bytes > machine.sharedPerBlock)
    fault("shared.bytes",
          "the fills take {} bytes of shared memory at once, and a block has "
          "{}",
          bytes, machine.sharedPerBlock);
  if (!plan.roles.empty() || plan.ops.empty())
    return;
  Demand demand = registersPerThread(plan, machine);
  int64_t usable = usableRegisters(plan, machine);
  if (demand.total > usable)
    fault("registers",
          "{} registers a thread where '{}' is made, and {} warps leave {}: {}",
          demand.total, demand.at, plan.warps, usable, demand.text());
}

void Verifier::checkRoles() {
  int64_t total = 0, least = 0;
  for (const Role &role : plan.roles) {
    total += int64_t(role.count) * role.warps * 32 * role.registers;
    if (role.computes)
      least = least ? std::min<int64_t>(least, role.registers)
                    : int64_t(role.registers);
    if (role.registers % 8)
      fault("roles", "role '{}': {} registers are no multiple of 8", role.name,
            role.registers);
    if (!role.count)
      fault("roles", "role '{}' has no instance", role.name);
    if (role.warps % 4)
      fault("roles",
            "role '{}': registers are set for warpgroups of 4 warps, not for "
            "{}",
            role.name, role.warps);
  }
  if (total > machine.registers)
    fault("roles", "the roles take {} registers of {}", total,
          machine.registers);
  if (!least)
    return;
  Demand demand = registersPerThread(plan, machine);
  if (demand.total > least)
    fault("roles", "{} registers a thread, and the role has {}: {}",
          demand.total, least, demand.text());
}

std::vector<Fault> napkin::plan::verifyPlan(const Plan &plan,
                                            const Machine &machine, bool all) {
  return Verifier(plan, machine, all).run();
}
