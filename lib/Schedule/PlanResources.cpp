//===- PlanResources.cpp - what a block of a plan takes ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/PlanResources.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <fmt/format.h>

using namespace napkin::plan;

static constexpr int64_t threadsOfWarp = 32;

std::string Demand::text() const {
  std::string words;
  for (const Addend &addend : addends)
    if (addend.amount > 0)
      words += fmt::format("{}{} {:g}", words.empty() ? "" : ", ", addend.name,
                           addend.amount);
  return words;
}

namespace {
/// Counts the registers of one plan.
class RegisterCount {
public:
  RegisterCount(const Plan &plan, const Machine &machine);
  Demand widest() const;

private:
  double ofValue(const Value &value) const;
  double ofFill(const Fill &fill) const;
  /// Fragments of the factors of one product that are in flight.
  void addFragments(const Op &op, Demand &demand) const;
  /// Addresses that the copies of a loop keep in each thread.
  double addressesAt(NestId at) const;
  /// Positions of \p axes in a tile at \p nest, rounded up to granules.
  double padded(NestId nest, llvm::ArrayRef<AxisId> axes,
                int64_t granule) const {
    return double(llvm::alignTo(plan.tile(nest, axes), granule));
  }

  const Plan &plan;
  const Machine &machine;
  llvm::SmallVector<const Op *, 4> products;
};
} // namespace

/// The axes of \p all that are in \p dim.
static llvm::SmallVector<AxisId, 4> within(llvm::ArrayRef<AxisId> all,
                                           const Dim &dim) {
  llvm::SmallVector<AxisId, 4> kept;
  for (AxisId axis : all)
    if (llvm::is_contained(dim, axis))
      kept.push_back(axis);
  return kept;
}

RegisterCount::RegisterCount(const Plan &plan, const Machine &machine)
    : plan(plan), machine(machine) {
  for (const Op &op : plan.ops)
    if (op.product)
      products.push_back(&op);
}

double RegisterCount::ofValue(const Value &value) const {
  double threads = double(threadsOfWarp * plan.computingWarps());
  double elements = double(plan.tile(value.at, value.axes));
  double words = value.bits / 32.0;
  if (products.empty())
    return std::ceil(elements * words / threads);
  auto isResult = [&](const Op *op) {
    size_t rows = within(value.axes, op->product->rows).size();
    size_t columns = within(value.axes, op->product->columns).size();
    return rows && columns && rows + columns == value.axes.size();
  };
  const auto *found = llvm::find_if(products, isResult);
  if (found != products.end()) {
    const Product &product = *(*found)->product;
    return padded(value.at, within(value.axes, product.rows), product.m) *
           padded(value.at, within(value.axes, product.columns), product.n) *
           words / threads;
  }
  // What has rows only is held once by each group of lanes that share a row,
  // two rows of 16 by each thread; what has columns only likewise.
  const Product &first = *products.front()->product;
  if (within(value.axes, first.rows).size() == value.axes.size())
    return std::max(2.0,
                    padded(value.at, value.axes, first.m) / first.warpRows / 8);
  return std::max(1.0, elements / first.warpColumns / 4);
}

double RegisterCount::ofFill(const Fill &fill) const {
  unsigned warps = plan.computingWarps();
  for (const Op *op : products)
    if (llvm::is_contained(op->reads, fill.name))
      warps = op->product->warpRows;
  return double(plan.tile(fill.at, fill.axes)) * fill.bits / 32.0 /
         double(threadsOfWarp * warps);
}

double RegisterCount::addressesAt(NestId at) const {
  if (machine.copyBytes == 0)
    return 0;
  double addresses = 0;
  for (const Fill &fill : plan.fills) {
    NestKind kind = plan.nests[fill.at].kind;
    bool repeats = kind == NestKind::Loop || kind == NestKind::Step;
    if (fill.store || fill.level != Level::Shared || !repeats)
      continue;
    // Copies of the loop that holds both, whichever step they belong to.
    NestId loop = fill.at;
    while (plan.nests[loop].kind == NestKind::Step && plan.nests[loop].parent)
      loop = *plan.nests[loop].parent;
    if (!plan.encloses(loop, at))
      continue;
    double bytes = double(plan.tile(fill.at, fill.axes)) * fill.bits / 8;
    addresses += std::ceil(
        bytes / double(machine.copyBytes * threadsOfWarp * plan.warps));
  }
  return addresses;
}

void RegisterCount::addFragments(const Op &op, Demand &demand) const {
  if (!machine.factorsInRegisters)
    return;
  const Product &product = *op.product;
  // 8 words of A for each 16 rows: one fragment in use and one arriving. Of B
  // no more than four loads of four are in flight.
  double rows = padded(op.at, product.rows, product.m) / product.warpRows /
                double(product.m);
  double columns = padded(op.at, product.columns, product.n) /
                   product.warpColumns / double(product.n);
  if (product.a == Source::Shared)
    demand.addends.push_back({"fragments a", 8 * rows});
  if (product.b == Source::Shared)
    demand.addends.push_back({"fragments b", std::min(16.0, 4 * columns)});
}

Demand RegisterCount::widest() const {
  Demand widest;
  double most = -1;
  for (const Op &op : plan.ops) {
    Demand demand;
    demand.at = op.name;
    demand.addends.push_back({"addresses of copies", addressesAt(op.at)});
    for (const Value &value : plan.values)
      if (value.level == Level::Registers && plan.encloses(value.at, op.at))
        demand.addends.push_back({value.name, ofValue(value)});
    for (const Fill &fill : plan.fills)
      if (!fill.store && fill.level == Level::Registers &&
          plan.encloses(fill.at, op.at))
        demand.addends.push_back({fill.name, ofFill(fill)});
    if (op.product)
      addFragments(op, demand);
    else
      demand.addends.push_back({"temporaries", 8});
    double total = 0;
    for (const Addend &addend : demand.addends)
      total += addend.amount;
    if (total > most) {
      most = total;
      widest = std::move(demand);
    }
  }
  widest.total = int64_t(std::ceil(std::max(0.0, most))) + machine.reserved;
  return widest;
}

Demand napkin::plan::registersPerThread(const Plan &plan,
                                        const Machine &machine) {
  return RegisterCount(plan, machine).widest();
}

int64_t napkin::plan::usableRegisters(const Plan &plan,
                                      const Machine &machine) {
  int64_t shared = machine.registers / (threadsOfWarp * plan.warps) / 8 * 8;
  return std::min(machine.mostRegisters, shared) - machine.margin;
}

/// Bytes of one slot of \p fill; room behind rows follows all but the last.
static int64_t slotBytes(const Plan &plan, const Fill &fill) {
  int64_t elements = plan.tile(fill.at, fill.axes), pad = 0;
  if (fill.pad && !fill.axes.empty())
    pad = fill.pad * (elements / plan.tile(fill.at, fill.axes.back()) - 1);
  return elements * fill.bits / 8 + pad;
}

/// Bytes alive at once in \p nest and below.
static int64_t sharedBelow(const Plan &plan, NestId id) {
  int64_t own = 0, steps = 0, widest = 0;
  for (const Fill &fill : plan.fills)
    if (fill.at == id && fill.level == Level::Shared && !fill.store)
      own += slotBytes(plan, fill) * fill.slots;
  for (const Value &value : plan.values)
    if (value.at == id && value.level == Level::Shared)
      own += plan.tile(id, value.axes) * value.bits / 8;
  for (const Child &child : plan.nests[id].children) {
    if (!child.isNest)
      continue;
    int64_t bytes = sharedBelow(plan, child.index);
    if (plan.nests[child.index].kind == NestKind::Step)
      steps += bytes;
    else
      widest = std::max(widest, bytes);
  }
  return own + steps + widest;
}

int64_t napkin::plan::sharedBytes(const Plan &plan) {
  int64_t staging = 0;
  bool multiplies =
      llvm::any_of(plan.ops, [](const Op &op) { return bool(op.product); });
  if (multiplies)
    for (const Fill &fill : plan.fills)
      if (fill.store)
        staging =
            std::max(staging, plan.tile(fill.at, fill.axes) * fill.bits / 8);
  return std::max(sharedBelow(plan, 0), staging);
}

int64_t napkin::plan::occupancy(const Plan &plan, const Machine &machine) {
  int64_t registers = llvm::alignTo(
      std::min(registersPerThread(plan, machine).total, machine.mostRegisters),
      8);
  int64_t byRegisters =
      machine.registers / (threadsOfWarp * plan.warps * registers);
  int64_t byShared =
      machine.sharedPerProcessor / (sharedBytes(plan) + machine.sharedReserved);
  return std::min({byRegisters, byShared,
                   machine.warpsPerProcessor / int64_t(plan.warps),
                   machine.blocksPerProcessor});
}
