//===- RingOps.cpp - Rings, products under way, roles ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be said of the verbs one by one: who may use a slot, and where. What
// takes several trips to see is checked by Transforms/Protocol.h.
//
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Types that follow from operands
//===----------------------------------------------------------------------===//

/// The slot of a ring, for verbs whose first operand is one.
static LogicalResult inferSlot(Type ring, SmallVectorImpl<Type> &types) {
  auto type = dyn_cast<RingType>(ring);
  if (!type)
    return failure();
  types.push_back(type.getSlotType());
  return success();
}

LogicalResult AcquireOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location>,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  return inferSlot(adaptor.getRing().getType(), types);
}

LogicalResult AwaitOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  return inferSlot(adaptor.getRing().getType(), types);
}

LogicalResult PickOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  return inferSlot(adaptor.getRing().getType(), types);
}

LogicalResult MmaStartOp::inferReturnTypes(MLIRContext *context,
                                           std::optional<Location>,
                                           Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  auto tile = dyn_cast<TileType>(adaptor.getAccumulator().getType());
  if (!tile)
    return failure();
  types.push_back(PendingType::get(context, tile));
  return success();
}

LogicalResult MmaWaitOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location>,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  auto pending = dyn_cast<PendingType>(adaptor.getPending().getType());
  if (!pending)
    return failure();
  types.push_back(pending.getTile());
  return success();
}

//===----------------------------------------------------------------------===//
// Verbs of rings
//===----------------------------------------------------------------------===//

LogicalResult RingOp::verify() {
  if (!isa<KernelOp>((*this)->getParentOp()))
    return emitOpError() << "stands in the kernel's body itself: a ring lives "
                            "as long as the kernel";
  return success();
}

/// Checks that exactly one operation of kind `Last`, in the same block and
/// behind all others, ends the use of a slot, and that the others are `Use`s.
template <typename Last, typename Use>
static LogicalResult verifySpan(Operation *op, Value slot, StringRef last,
                                StringRef allowed) {
  Operation *end = nullptr;
  for (Operation *user : slot.getUsers())
    if (isa<Last>(user)) {
      if (end)
        return op->emitOpError() << "expects one " << last << " of its slot, "
                                 << "got two";
      end = user;
    } else if (!isa<Use>(user)) {
      return user->emitOpError() << "uses a slot that " << op->getName()
                                 << " gives; only " << allowed << " do";
    }
  if (!end || end->getBlock() != op->getBlock())
    return op->emitOpError()
           << "expects a " << last << " of its slot in the same block";
  for (Operation *user : slot.getUsers()) {
    Operation *here = op->getBlock()->findAncestorOpInBlock(*user);
    if (user != end && (!here || !here->isBeforeInBlock(end)))
      return user->emitOpError() << "uses the slot behind its " << last;
  }
  return success();
}

LogicalResult AcquireOp::verify() {
  if (failed(verifySpan<PublishOp, CopyOp>(*this, getSlot(), "tile.publish",
                                           "tile.copy and tile.publish")))
    return failure();
  int32_t ahead = getAhead();
  int64_t slots = getRing().getType().getSlots();
  if (ahead < 0 || ahead > slots)
    return emitOpError() << "is " << ahead << " trips ahead on a ring of "
                         << slots << " slots; expects 0 to " << slots;
  if (!ahead)
    return success();
  auto loop = dyn_cast<LoopOp>((*this)->getParentOp());
  if (!loop || !loop.getTrip() || getTrip() != loop.getTrip())
    return emitOpError() << "runs ahead, which needs a tile.loop around it "
                            "that counts its trips, and that trip";
  return success();
}

LogicalResult PublishOp::verify() {
  if (getSlots().empty())
    return emitOpError() << "expects at least one slot";
  std::optional<int32_t> ahead;
  for (Value slot : getSlots()) {
    auto acquire = slot.getDefiningOp<AcquireOp>();
    if (!acquire || acquire->getBlock() != (*this)->getBlock())
      return emitOpError() << "expects slots that tile.acquire gives in the "
                              "same block";
    if (ahead && *ahead != int32_t(acquire.getAhead()))
      return emitOpError() << "publishes slots " << *ahead << " and "
                           << acquire.getAhead() << " trips ahead together";
    ahead = acquire.getAhead();
    unsigned copies = llvm::count_if(
        slot.getUsers(), [](Operation *user) { return isa<CopyOp>(user); });
    if (copies != 1)
      return emitOpError() << "expects one copy that fills each slot, got "
                           << copies << " into one";
  }
  return success();
}

LogicalResult AwaitOp::verify() {
  return verifySpan<ReleaseOp, ReadOp>(*this, getSlot(), "tile.release",
                                       "tile.read and tile.release");
}

LogicalResult ReadOp::verify() {
  SlotType slot = getSlot().getType();
  TileType tile = getTile().getType();
  if (std::optional<uint64_t> from = getFrom()) {
    auto whole = TileType::get(getContext(), slot.getAxes(), slot.getSizes(),
                               slot.getElementType(), LayoutAttr());
    if (!partAxis(whole, tile, *from))
      return emitOpError() << "expects positions from " << *from
                           << " along one axis of " << slot << ", got " << tile;
  } else if (slot.getAxes() != tile.getAxes() ||
             slot.getSizes() != tile.getSizes() ||
             slot.getElementType() != tile.getElementType())
    return emitOpError() << "expects the axes, sizes and elements of " << slot
                         << ", got " << tile;
  if (!isa_and_nonnull<AwaitOp, PickOp>(getSlot().getDefiningOp()))
    return emitOpError() << "expects a slot that tile.await gives";
  return success();
}

void ReadOp::build(OpBuilder &, OperationState &state, Type tile, Value slot,
                   IntegerAttr from) {
  state.addOperands(slot);
  state.addTypes(tile);
  if (from)
    state.addAttribute(getFromAttrName(state.name), from);
}

LogicalResult ReleaseOp::verify() {
  if (getSlots().empty())
    return emitOpError() << "expects at least one slot";
  for (Value slot : getSlots()) {
    auto await = slot.getDefiningOp<AwaitOp>();
    if (!await || await->getBlock() != (*this)->getBlock())
      return emitOpError() << "expects slots that tile.await gives in the same "
                              "block";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

LogicalResult RoleOp::verify() {
  int32_t instances = getInstances(), warps = getWarps(),
          registers = getRegisters();
  auto error = [&]() -> InFlightDiagnostic {
    return emitOpError() << "'" << getRole() << "' ";
  };
  if (instances < 1)
    return error() << "has " << instances << " instances; expects at least one";
  if (instances > 1 && !getOver())
    return error() << "has " << instances
                   << " instances; say over which axis: x " << instances
                   << " over \"...\"";
  if (warps < 4 || warps % 4)
    return error() << "has " << warps << " warps; registers are set for whole "
                   << "warpgroups, expects a multiple of 4";
  if (registers < 24 || registers > 256 || registers % 8)
    return error() << "has " << registers
                   << " registers a thread; expects a multiple of 8 from 24 to "
                      "256";
  return success();
}

/// Finds a tile that is used in `role` and was made outside of it.
static LogicalResult verifyScope(RoleOp role) {
  WalkResult result = role.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (isa<TileType, PendingType>(operand.getType()) &&
          !role.getBody().isAncestor(operand.getParentRegion())) {
        op->emitOpError() << "in role '" << role.getRole()
                          << "' uses a tile that all warps of the block made; "
                             "pass it through a ring";
        return WalkResult::interrupt();
      }
    if (isa<RingOp, TurnOp>(op)) {
      op->emitOpError() << "stands in role '" << role.getRole()
                        << "'; it belongs to the whole block";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult RolesOp::verifyRegions() {
  constexpr int64_t registerFile = 65536;
  int64_t warps = 0, registers = 0;
  std::string warpSum, registerSum;
  llvm::raw_string_ostream warpTerms(warpSum), registerTerms(registerSum);
  llvm::SmallDenseSet<StringAttr> seen;
  for (Operation &op : getBody().front()) {
    auto role = dyn_cast<RoleOp>(op);
    if (!role)
      return op.emitOpError() << "stands between roles; expects tile.role only";
    if (!seen.insert(role.getRoleAttr()).second)
      return role.emitOpError()
             << "two roles are called '" << role.getRole() << "'";
    if (failed(verifyScope(role)))
      return failure();
    const char *plus = warps ? " + " : "";
    int64_t team = int64_t(role.getInstances()) * role.getWarps();
    warpTerms << plus << team;
    registerTerms << plus << team * 32 << " x " << role.getRegisters();
    warps += team;
    registers += team * 32 * role.getRegisters();
  }
  auto kernel = cast<KernelOp>((*this)->getParentOp());
  if (warps != kernel.getWarps())
    return emitOpError() << "the roles have " << warpTerms.str() << " = "
                         << warps << " warps, and the kernel has "
                         << kernel.getWarps();
  if (registers > registerFile)
    return emitOpError() << "the roles take " << registerTerms.str() << " = "
                         << registers << " registers, and there are "
                         << registerFile;
  return success();
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

LogicalResult TurnTakeOp::verify() {
  auto role = (*this)->getParentOfType<RoleOp>();
  if (!role || role.getInstances() < 2)
    return emitOpError() << "expects a role of several instances around it";
  for (Operation *next = (*this)->getNextNode(); next;
       next = next->getNextNode()) {
    if (auto pass = dyn_cast<TurnPassOp>(next);
        pass && pass.getTurn() == getTurn())
      return success();
    if (auto take = dyn_cast<TurnTakeOp>(next);
        take && take.getTurn() == getTurn())
      break;
  }
  return emitOpError() << "is not passed on in the same block";
}

LogicalResult TurnPassOp::verify() {
  for (Operation *before = (*this)->getPrevNode(); before;
       before = before->getPrevNode()) {
    if (auto take = dyn_cast<TurnTakeOp>(before);
        take && take.getTurn() == getTurn())
      return success();
    if (auto pass = dyn_cast<TurnPassOp>(before);
        pass && pass.getTurn() == getTurn())
      break;
  }
  return emitOpError() << "passes a turn that was not taken in the same block";
}
