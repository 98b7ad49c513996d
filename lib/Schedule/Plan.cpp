//===- Plan.cpp - when and where everything of a kernel happens -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/Plan.h"
#include "llvm/Support/MathExtras.h"
#include <fmt/format.h>

using namespace napkin::plan;

Plan::Plan() {
  Nest launch;
  launch.kind = NestKind::Launch;
  launch.name = "launch";
  nests.push_back(launch);
}

std::optional<AxisId> Plan::findAxis(llvm::StringRef name) const {
  for (auto [index, axis] : llvm::enumerate(axes))
    if (axis.name == name)
      return index;
  return std::nullopt;
}

AxisId Plan::addAxis(llvm::StringRef name, Extent extent) {
  axes.push_back({name.str(), std::move(extent)});
  return axes.size() - 1;
}

NestId Plan::addNest(NestId parent, Nest nest) {
  nest.parent = parent;
  nests.push_back(std::move(nest));
  unsigned id = nests.size() - 1;
  nests[parent].children.push_back({true, id});
  return id;
}

unsigned Plan::addOp(NestId parent, Op op) {
  op.at = parent;
  ops.push_back(std::move(op));
  unsigned id = ops.size() - 1;
  nests[parent].children.push_back({false, id});
  return id;
}

llvm::SmallVector<NestId, 6> Plan::path(NestId nest) const {
  llvm::SmallVector<NestId, 6> up;
  for (std::optional<NestId> at = nest; at; at = nests[*at].parent)
    up.push_back(*at);
  std::reverse(up.begin(), up.end());
  return up;
}

bool Plan::encloses(NestId outer, NestId inner) const {
  for (std::optional<NestId> at = inner; at; at = nests[*at].parent)
    if (*at == outer)
      return true;
  return false;
}

int64_t Plan::sizeOf(llvm::ArrayRef<AxisId> dim) const {
  int64_t size = 1;
  for (AxisId axis : dim)
    size *= axes[axis].extent.most();
  return size;
}

int64_t Plan::trips(const Nest &nest) const {
  if (nest.kind == NestKind::Launch)
    return 1;
  if (nest.kind == NestKind::Split)
    return nest.parts;
  return llvm::divideCeil(sizeOf(nest.dim), nest.by);
}

/// Positions of the axes of \p dim in \p wanted in a tile of \p by positions:
/// the tile fills the fastest axes first.
static int64_t seenInTile(const Plan &plan, const Dim &dim, int64_t by,
                          llvm::ArrayRef<AxisId> wanted) {
  if (llvm::all_of(
          dim, [&](AxisId axis) { return llvm::is_contained(wanted, axis); }))
    return by;
  int64_t seen = 1, rest = by;
  for (AxisId axis : llvm::reverse(dim)) {
    int64_t size = plan.axes[axis].extent.most();
    if (llvm::is_contained(wanted, axis))
      seen *= std::min(size, rest);
    rest = llvm::divideCeil(rest, size);
  }
  return seen;
}

int64_t Plan::tile(NestId nest, llvm::ArrayRef<AxisId> wanted) const {
  llvm::SmallVector<AxisId, 4> left(wanted.begin(), wanted.end());
  llvm::SmallVector<const Dim *, 4> done;
  int64_t elements = 1;
  // The innermost nest over a dim has the tile in force.
  llvm::SmallVector<NestId, 6> nestsAround = path(nest);
  for (NestId id : llvm::reverse(nestsAround)) {
    const Nest &at = nests[id];
    if (at.kind == NestKind::Launch ||
        llvm::any_of(done, [&](const Dim *dim) { return *dim == at.dim; }))
      continue;
    int64_t by = at.kind == NestKind::Split
                     ? llvm::divideCeil(sizeOf(at.dim), at.parts * at.granule) *
                           at.granule
                     : at.by;
    elements *= seenInTile(*this, at.dim, std::min(by, sizeOf(at.dim)), wanted);
    done.push_back(&at.dim);
    llvm::erase_if(
        left, [&](AxisId axis) { return llvm::is_contained(at.dim, axis); });
  }
  return elements * sizeOf(left);
}

unsigned Plan::computingWarps() const {
  unsigned total = 0;
  for (const Role &role : roles)
    if (role.computes)
      total += role.count * role.warps;
  return total ? total : warps;
}

std::string Plan::text(llvm::ArrayRef<AxisId> dim) const {
  if (dim.size() == 1)
    return axes[dim.front()].name;
  std::string names;
  for (AxisId axis : dim)
    names += (names.empty() ? "" : " ") + axes[axis].name;
  return "(" + names + ")";
}

std::string Plan::list(llvm::ArrayRef<AxisId> names) const {
  std::string text;
  for (AxisId axis : names)
    text += (text.empty() ? "" : ", ") + axes[axis].name;
  return text;
}

std::string Plan::text(const Bound &bound) const {
  std::string value;
  if (!bound.axis)
    value = fmt::format("{}", bound.offset);
  else
    value = fmt::format(
        "{}({}{})", bound.last ? "last" : "first", axes[*bound.axis].name,
        bound.divisor > 1 ? fmt::format(" / {}", bound.divisor) : "");
  if (bound.axis && bound.offset)
    value += fmt::format(" {} {}", bound.offset < 0 ? "-" : "+",
                         std::abs(bound.offset));
  if (bound.multiple > 1)
    value = fmt::format("floor({}, {})", value, bound.multiple);
  if (bound.least)
    value = fmt::format("max({}, {})", value, *bound.least);
  if (bound.most)
    value = fmt::format("min({}, {})", value, *bound.most);
  return value;
}

int64_t Bound::valueAt(int64_t position) const {
  int64_t value =
      (axis ? llvm::divideFloorSigned(position, divisor) : 0) + offset;
  value = llvm::divideFloorSigned(value, multiple) * multiple;
  value = std::max(value, least.value_or(value));
  return std::min(value, most.value_or(value));
}

//===----------------------------------------------------------------------===//
// The notation
//===----------------------------------------------------------------------===//

namespace {
/// Writes a plan as indented text.
class Printer {
public:
  explicit Printer(const Plan &plan) : plan(plan) {}
  std::string print();

private:
  void line(const std::string &words) {
    text += std::string(2 * depth, ' ') + words + "\n";
  }
  /// What happens at \p nest, in order: values, fills, children, stores.
  void printBody(NestId id);
  std::string head(const Nest &nest) const;
  std::string transfer(const Fill &fill) const;
  std::string operation(const Op &op) const;

  const Plan &plan;
  std::string text;
  unsigned depth = 0;
};
} // namespace

static llvm::StringRef nameOf(Level level) {
  switch (level) {
  case Level::Global:
    return "global";
  case Level::Shared:
    return "shared";
  case Level::Registers:
    return "registers";
  }
  return "";
}

static llvm::StringRef nameOf(Source source) {
  return source == Source::Registers ? "registers" : "shared";
}

static llvm::StringRef nameOf(NestKind kind) {
  switch (kind) {
  case NestKind::Launch:
    return "launch";
  case NestKind::Grid:
    return "grid";
  case NestKind::Split:
    return "split";
  case NestKind::Loop:
    return "loop";
  case NestKind::Step:
    return "step";
  }
  return "";
}

std::string Printer::head(const Nest &nest) const {
  std::string words = nameOf(nest.kind).str() + " " + plan.text(nest.dim);
  if (nest.kind == NestKind::Split)
    words += fmt::format(" parts {} granule {}", nest.parts, nest.granule);
  else
    words += fmt::format(" by {}", nest.by);
  if (nest.from)
    words += " from " + plan.text(*nest.from);
  if (nest.to)
    words += " to " + plan.text(*nest.to);
  return words;
}

std::string Printer::transfer(const Fill &fill) const {
  std::string words = fill.store ? "store " : "fill ";
  words += fill.name;
  if (fill.name != fill.array)
    words += " of " + fill.array;
  words += fmt::format("[{}] : {} {} {}", plan.list(fill.axes), fill.bits,
                       fill.store ? "from" : "in",
                       std::string_view(nameOf(fill.level)));
  if (fill.slots > 1)
    words += fmt::format(" slots {}", fill.slots);
  if (fill.pad)
    words += fmt::format(" pad {}", fill.pad);
  if (!fill.index.empty())
    words += " by " + fill.index;
  return words;
}

std::string Printer::operation(const Op &op) const {
  std::string reads;
  for (auto [index, read] : llvm::enumerate(op.reads)) {
    bool start =
        op.product && op.product->starts && index + 1 == op.reads.size();
    reads += (reads.empty() ? "" : start ? " plus " : ", ") + read;
  }
  if (!op.product)
    return fmt::format("{}[{}] = {}", op.name, plan.list(op.axes), reads);
  const Product &product = *op.product;
  std::string words =
      fmt::format("{}[{}] = contract {} rows {} columns {} summed {}", op.name,
                  plan.list(op.axes), reads, plan.text(product.rows),
                  plan.text(product.columns), plan.text(product.summed));
  if (!product.batch.empty())
    words += " batch " + plan.text(product.batch);
  return words + fmt::format(" \"{}\" warps [{}, {}] from {}, {}",
                             product.instruction, product.warpRows,
                             product.warpColumns,
                             std::string_view(nameOf(product.a)),
                             std::string_view(nameOf(product.b)));
}

void Printer::printBody(NestId id) {
  const Nest &nest = plan.nests[id];
  for (const Value &value : plan.values)
    if (value.at == id)
      line(fmt::format("{} {}[{}] : {} in {}", value.state ? "state" : "value",
                       value.name, plan.list(value.axes), value.bits,
                       std::string_view(nameOf(value.level))));
  for (const Fill &fill : plan.fills)
    if (fill.at == id && !fill.store)
      line(transfer(fill));
  for (const Child &child : nest.children) {
    if (!child.isNest) {
      line(operation(plan.ops[child.index]));
      continue;
    }
    line(head(plan.nests[child.index]) + " {");
    ++depth;
    printBody(child.index);
    --depth;
    line("}");
  }
  for (const Fill &fill : plan.fills)
    if (fill.at == id && fill.store)
      line(transfer(fill));
}

std::string Printer::print() {
  std::string sizes;
  for (const Axis &axis : plan.axes) {
    sizes += sizes.empty() ? "" : ", ";
    switch (axis.extent.kind) {
    case Extent::Kind::Static:
      sizes += fmt::format("{}={}", axis.name, axis.extent.size);
      break;
    case Extent::Kind::Symbol:
      sizes += fmt::format("{}=?", axis.name);
      break;
    case Extent::Kind::Ragged:
      sizes += axis.name + ":" + plan.axes[axis.extent.parent].name;
      break;
    }
  }
  std::string words =
      fmt::format("kernel @{} ({}) warps {}", plan.name, sizes, plan.warps);
  if (plan.parts > 1)
    words += fmt::format(" parts {}", plan.parts);
  for (const Role &role : plan.roles)
    words += fmt::format(" role {} x{} warps {} registers {}", role.name,
                         role.count, role.warps, role.registers);
  if (plan.order.grouped && plan.order.group > 1)
    words += fmt::format(" order {} in groups of {}",
                         plan.text(plan.nests[*plan.order.grouped].dim),
                         plan.order.group);
  switch (plan.order.kind) {
  case GridOrder::Kind::RowMajor:
    break;
  case GridOrder::Kind::Persistent:
    words += fmt::format(" persistent {}", plan.order.blocks);
    break;
  case GridOrder::Kind::List:
    words += " tiles of " + plan.order.list;
    break;
  case GridOrder::Kind::LongFirst:
    words += " long tiles first";
    break;
  }
  line(words);
  printBody(0);
  if (plan.merged)
    line("then merge the parts");
  return text;
}

std::string napkin::plan::printPlan(const Plan &plan) {
  return Printer(plan).print();
}
