//===- ExpandLoops.cpp - The pass tile-expand-loops -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns loops and the verbs of rings into steps of the device: numbers of
// slots, groups of copies, waits, barriers, fills ahead of a loop and
// conditions past its last trip. What must be waited for comes from Protocol.h.
//
//===----------------------------------------------------------------------===//

#include "Protocol.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILEEXPANDLOOPSPASS
#define GEN_PASS_DEF_TILEJOINPRODUCTSPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// Slots that are numbered alike: rings of so many, so many trips ahead.
struct Numbering {
  int64_t slots, ahead;
  bool operator==(const Numbering &other) const {
    return slots == other.slots && ahead == other.ahead;
  }
};

/// The acquires and copies of one publish.
struct Fill {
  PublishOp publish;
  SmallVector<AcquireOp> acquires;
  SmallVector<CopyOp> copies;
  int64_t ahead = 0;

  explicit Fill(PublishOp publish) : publish(publish) {
    for (Value slot : publish.getSlots()) {
      acquires.push_back(slot.getDefiningOp<AcquireOp>());
      ahead = acquires.back().getAhead();
    }
    for (Operation &op : *publish->getBlock())
      if (auto copy = dyn_cast<CopyOp>(op);
          copy && llvm::is_contained(publish.getSlots(), copy.getSlot()))
        copies.push_back(copy);
  }
};

/// Expands one kernel.
class Expander {
public:
  Expander(KernelOp kernel, const Synchronisation &waits)
      : kernel(kernel), waits(waits), builder(kernel) {}

  LogicalResult run() {
    SmallVector<LoopOp> loops;
    kernel.walk([&](LoopOp loop) { loops.push_back(loop); });
    for (LoopOp loop : loops) // inner ones first
      if (failed(expandLoop(loop)))
        return failure();
    return expandVerbs(kernel.getBody().front(), {});
  }

private:
  /// What the verbs in a loop's body know of it.
  struct Frame {
    LoopOp loop;
    scf::ForOp steps;
    SmallVector<Numbering> numberings;
    unsigned firstNumber = 0; ///< of the carried values of `steps`
  };

  //===--- Numbers ----------------------------------------------------------//

  Value index(Location loc, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }

  static std::optional<int64_t> constantOf(Value value) {
    return getConstantIntValue(OpFoldResult(value));
  }

  Value add(Location loc, Value value, int64_t more) {
    if (auto known = constantOf(value))
      return index(loc, *known + more);
    return more ? arith::AddIOp::create(builder, loc, value, index(loc, more))
                : value;
  }

  /// The slot beside number `slot` of two.
  Value otherSlot(Location loc, Value slot) {
    return arith::SubIOp::create(builder, loc, index(loc, 1), slot);
  }

  /// The slot of trip `trip + later` on a ring of `slots`.
  Value slotNumber(Location loc, Value trip, int64_t later, int64_t slots) {
    if (slots == 1)
      return index(loc, 0);
    if (auto known = constantOf(trip))
      return index(loc, (*known + later) % slots);
    return arith::RemUIOp::create(builder, loc, add(loc, trip, later),
                                  index(loc, slots));
  }

  /// `step` times `trips`.
  Value distance(Location loc, Value step, int64_t trips) {
    if (auto known = constantOf(step))
      return index(loc, *known * trips);
    return arith::MulIOp::create(builder, loc, step, index(loc, trips));
  }

  Value sum(Location loc, Value a, Value b) {
    if (auto x = constantOf(a))
      if (auto y = constantOf(b))
        return index(loc, *x + *y);
    return arith::AddIOp::create(builder, loc, a, b);
  }

  /// The number of the trip behind the last one of `loop`.
  Value nextTrip(LoopOp loop) {
    Location loc = loop.getLoc();
    auto lower = constantOf(loop.getLower()),
         upper = constantOf(loop.getUpper()), step = constantOf(loop.getStep());
    Value trips;
    if (lower && upper && step) {
      trips = index(
          loc, *lower < *upper ? llvm::divideCeil(*upper - *lower, *step) : 0);
    } else {
      Value range =
          arith::SubIOp::create(builder, loc, loop.getUpper(), loop.getLower());
      range = arith::MaxSIOp::create(builder, loc, range, index(loc, 0));
      Value round = sum(loc, range, distance(loc, loop.getStep(), 1));
      round = arith::SubIOp::create(builder, loc, round, index(loc, 1));
      trips = arith::DivUIOp::create(builder, loc, round, loop.getStep());
    }
    return sum(loc, loop.getFirstTrip(), trips);
  }

  //===--- Fills ------------------------------------------------------------//

  /// Clones what computes `value` in the body of `loop`, for another trip.
  FailureOr<Value> cloneFor(Value value, LoopOp loop, IRMapping &mapping) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    if (value.getParentBlock() != &loop.getBody().front())
      return value;
    Operation *op = value.getDefiningOp();
    if (!op ||
        !(isa<ViewOp>(op) || isa<arith::ArithDialect>(op->getDialect()))) {
      Location at = op ? op->getLoc() : loop.getLoc();
      return emitError(at)
             << "a copy that runs ahead of its loop depends on "
             << (op ? "'" + op->getName().getStringRef().str() + "'"
                    : std::string("a value that the loop carries"))
             << ", which is not known " << "before its trip";
    }
    for (Value operand : op->getOperands())
      if (failed(cloneFor(operand, loop, mapping)))
        return failure();
    return builder.clone(*op, mapping)->getResult(0);
  }

  /// Emits the copies of a fill; `numbers` are those of its slots.
  LogicalResult emitCopies(Fill fill, ArrayRef<Value> numbers, LoopOp loop,
                           IRMapping &mapping) {
    for (auto [acquire, number] : llvm::zip(fill.acquires, numbers))
      mapping.map(acquire.getSlot(), PickOp::create(builder, acquire.getLoc(),
                                                    acquire.getRing(), number)
                                         .getResult());
    for (CopyOp copy : fill.copies) {
      if (loop && failed(cloneFor(copy.getView(), loop, mapping)))
        return failure();
      builder.clone(*copy, mapping);
    }
    return success();
  }

  /// Emits a fill for the trip at `position`, under the condition that there is
  /// such a trip, and closes its group.
  LogicalResult emitGuarded(Fill fill, LoopOp loop, Value position, Value trip,
                            ArrayRef<Value> numbers, bool always) {
    Location loc = loop.getLoc();
    IRMapping mapping;
    mapping.map(loop.getPosition(), position);
    mapping.map(loop.getTrip(), trip);
    OpBuilder::InsertionGuard guard(builder);
    scf::IfOp branch;
    if (!always) {
      Value exists = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::slt, position, loop.getUpper());
      branch = scf::IfOp::create(builder, loc, exists, /*withElse=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    if (failed(emitCopies(fill, numbers, loop, mapping)))
      return failure();
    if (branch)
      builder.setInsertionPointAfter(branch);
    CloseGroupOp::create(builder, loc);
    // Few views ask for the number of the trip.
    if (Operation *op = trip.getDefiningOp(); op && op->use_empty())
      op->erase();
    return success();
  }

  /// Whether trip number `trip` of `loop` exists, where that is known.
  static std::optional<bool> tripExists(LoopOp loop, int64_t trip) {
    PositionFacts lower = factsOf(loop.getLower(), loop),
                  upper = factsOf(loop.getUpper(), loop);
    std::optional<int64_t> step = constantOf(loop.getStep());
    if (!step)
      return std::nullopt;
    if (__int128(lower.most) + __int128(trip) * *step < upper.least)
      return true;
    if (__int128(lower.least) + __int128(trip) * *step >= upper.most)
      return false;
    return std::nullopt;
  }

  /// Fills the slots of the first trips ahead of the loop.
  LogicalResult emitAhead(LoopOp loop, ArrayRef<Fill> fills) {
    int64_t most = 0;
    for (Fill fill : fills)
      most = std::max(most, fill.ahead);
    Location loc = loop.getLoc();
    for (int64_t step = -most; step < 0; ++step)
      for (Fill fill : fills) {
        int64_t trip = step + fill.ahead;
        if (!fill.ahead || trip < 0)
          continue;
        if (llvm::any_of(fill.acquires, [&](AcquireOp acquire) {
              return waits.barrierAhead.contains(acquire);
            }))
          BarrierOp::create(builder, loc);
        std::optional<bool> exists = tripExists(loop, trip);
        if (exists == false) {
          CloseGroupOp::create(builder, loc);
          continue;
        }
        Value position =
            sum(loc, loop.getLower(), distance(loc, loop.getStep(), trip));
        SmallVector<Value> numbers;
        for (AcquireOp acquire : fill.acquires)
          numbers.push_back(slotNumber(loc, loop.getFirstTrip(), trip,
                                       acquire.getRing().getType().getSlots()));
        if (failed(emitGuarded(fill, loop, position,
                               add(loc, loop.getFirstTrip(), trip), numbers,
                               exists == true)))
          return failure();
      }
    return success();
  }

  //===--- Loops ------------------------------------------------------------//

  /// Of two slots an odd number of trips ahead takes the other one, so that one
  /// number is enough.
  static void note(SmallVectorImpl<Numbering> &numberings, Numbering wanted) {
    if (wanted.slots == 2)
      wanted.ahead = 0;
    if (wanted.slots > 1 && !llvm::is_contained(numberings, wanted))
      numberings.push_back(wanted);
  }

  /// The numberings that the verbs of a loop use.
  static SmallVector<Numbering> numberingsOf(LoopOp loop) {
    SmallVector<Numbering> numberings;
    for (Operation &op : loop.getBody().front())
      if (auto await = dyn_cast<AwaitOp>(op)) {
        if (loop.getTrip() && await.getTrip() == loop.getTrip())
          note(numberings, {await.getRing().getType().getSlots(), 0});
      } else if (auto acquire = dyn_cast<AcquireOp>(op)) {
        if (loop.getTrip() && acquire.getTrip() == loop.getTrip())
          note(numberings,
               {acquire.getRing().getType().getSlots(), acquire.getAhead()});
      }
    return numberings;
  }

  LogicalResult expandLoop(LoopOp loop) {
    Location loc = loop.getLoc();
    builder.setInsertionPoint(loop);
    SmallVector<Fill> fills;
    for (PublishOp publish : loop.getBody().front().getOps<PublishOp>())
      fills.emplace_back(publish);
    if (failed(emitAhead(loop, fills)))
      return failure();
    Frame frame;
    frame.loop = loop;
    frame.numberings = numberingsOf(loop);
    frame.firstNumber = loop.getInitial().size();
    SmallVector<Value> initial(loop.getInitial());
    for (Numbering numbering : frame.numberings)
      initial.push_back(slotNumber(loc, loop.getFirstTrip(), numbering.ahead,
                                   numbering.slots));
    frame.steps = scf::ForOp::create(builder, loc, loop.getLower(),
                                     loop.getUpper(), loop.getStep(), initial);
    if (failed(expandVerbs(loop.getBody().front(), frame)))
      return failure();
    moveBody(loop, frame);
    if (loop.getNextTrip() && !loop.getNextTrip().use_empty()) {
      builder.setInsertionPointAfter(frame.steps);
      loop.getNextTrip().replaceAllUsesWith(nextTrip(loop));
    }
    for (auto [before, after] :
         llvm::zip(loop.getLast(), frame.steps.getResults()))
      before.replaceAllUsesWith(after);
    loop.erase();
    return success();
  }

  /// Moves what is left of the body into the new loop.
  void moveBody(LoopOp loop, Frame &frame) {
    scf::ForOp steps = frame.steps;
    Block *body = steps.getBody();
    body->clear();
    NextOp next = loop.getNext();
    Location loc = loop.getLoc();
    builder.setInsertionPoint(next);
    if (loop.getTrip() && !loop.getTrip().use_empty()) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(&loop.getBody().front());
      Value walked = arith::SubIOp::create(builder, loc, loop.getPosition(),
                                           loop.getLower());
      Value trips =
          arith::DivUIOp::create(builder, loc, walked, loop.getStep());
      loop.getTrip().replaceAllUsesWith(sum(loc, loop.getFirstTrip(), trips));
    }
    SmallVector<Value> yielded(next.getValues());
    for (auto [place, numbering] : llvm::enumerate(frame.numberings)) {
      Value number = steps.getRegionIterArg(frame.firstNumber + place);
      if (numbering.slots == 2) {
        yielded.push_back(otherSlot(loc, number));
        continue;
      }
      // One less than all slots ahead is where the trip before was.
      const auto *current =
          llvm::find(frame.numberings, Numbering{numbering.slots, 0});
      if (numbering.ahead == numbering.slots - 1 &&
          current != frame.numberings.end()) {
        yielded.push_back(steps.getRegionIterArg(
            frame.firstNumber + (current - frame.numberings.begin())));
        continue;
      }
      Value following =
          arith::AddIOp::create(builder, loc, number, index(loc, 1));
      Value wraps =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                following, index(loc, numbering.slots));
      yielded.push_back(arith::SelectOp::create(builder, loc, wraps,
                                                index(loc, 0), following));
    }
    scf::YieldOp::create(builder, loc, yielded);
    next.erase();
    loop.getPosition().replaceAllUsesWith(steps.getInductionVar());
    for (auto [before, after] :
         llvm::zip(loop.getCarried(), steps.getRegionIterArgs()))
      before.replaceAllUsesWith(after);
    body->getOperations().splice(body->end(),
                                 loop.getBody().front().getOperations());
  }

  //===--- Verbs ------------------------------------------------------------//

  /// The number of the slot that a verb takes.
  Value numberFor(Operation *op, Value ring, Value trip, int64_t ahead,
                  Frame &frame) {
    int64_t slots = cast<RingType>(ring.getType()).getSlots();
    bool other = slots == 2 && ahead % 2;
    if (slots == 2)
      ahead = 0;
    if (slots > 1 && frame.loop && frame.loop.getTrip() == trip)
      for (auto [place, numbering] : llvm::enumerate(frame.numberings))
        if (numbering == Numbering{slots, ahead}) {
          Value number =
              frame.steps.getRegionIterArg(frame.firstNumber + place);
          return other ? otherSlot(op->getLoc(), number) : number;
        }
    return slotNumber(op->getLoc(), trip, other ? 1 : ahead, slots);
  }

  LogicalResult expandVerbs(Block &block, Frame frame) {
    SmallVector<Operation *> verbs; // fills erase what they are made of
    for (Operation &op : block)
      if (isa<AwaitOp, PublishOp>(op))
        verbs.push_back(&op);
    for (Operation *op : verbs) {
      builder.setInsertionPoint(op);
      if (auto await = dyn_cast<AwaitOp>(op))
        expandAwait(await, frame);
      else if (failed(expandFill(Fill(cast<PublishOp>(op)), frame)))
        return failure();
    }
    // Slots have no more users; releases need no step of their own.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isa<ReleaseOp>(op) ||
          (isa<AcquireOp, AwaitOp, ViewOp>(op) && op.use_empty()))
        op.erase();
    return success();
  }

  void expandAwait(AwaitOp op, Frame &frame) {
    Location loc = op.getLoc();
    auto wait = waits.unfinished.find(op);
    if (wait != waits.unfinished.end()) {
      WaitGroupsOp::create(builder, loc,
                           builder.getI32IntegerAttr(wait->second));
      BarrierOp::create(builder, loc);
    }
    Value number = numberFor(op, op.getRing(), op.getTrip(), 0, frame);
    Value slot = PickOp::create(builder, loc, op.getRing(), number);
    op.getSlot().replaceAllUsesWith(slot);
  }

  LogicalResult expandFill(Fill fill, Frame &frame) {
    Location loc = fill.publish.getLoc();
    if (llvm::any_of(fill.acquires, [&](AcquireOp acquire) {
          return waits.barrierInLoop.contains(acquire);
        }))
      BarrierOp::create(builder, loc);
    SmallVector<Value> numbers;
    for (AcquireOp acquire : fill.acquires)
      numbers.push_back(numberFor(acquire, acquire.getRing(), acquire.getTrip(),
                                  acquire.getAhead(), frame));
    if (fill.ahead) {
      LoopOp loop = frame.loop;
      Value position =
          arith::AddIOp::create(builder, loc, loop.getPosition(),
                                distance(loc, loop.getStep(), fill.ahead));
      if (failed(emitGuarded(fill, loop, position,
                             add(loc, loop.getTrip(), fill.ahead), numbers,
                             /*always=*/false)))
        return failure();
    } else {
      IRMapping mapping;
      if (failed(emitCopies(fill, numbers, {}, mapping)))
        return failure();
      CloseGroupOp::create(builder, loc);
    }
    for (CopyOp copy : fill.copies)
      copy.erase();
    fill.publish.erase();
    return success();
  }

  KernelOp kernel;
  const Synchronisation &waits;
  OpBuilder builder;
};

struct TileExpandLoops
    : public napkin::tile::impl::TileExpandLoopsPassBase<TileExpandLoops> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    FailureOr<Synchronisation> waits = checkProtocol(kernel);
    if (failed(waits))
      return signalPassFailure();
    for (RolesOp roles : kernel.getBody().front().getOps<RolesOp>()) {
      for (RoleOp role : roles.getBody().front().getOps<RoleOp>()) {
        role.emitError() << "role '" << role.getRole()
                         << "': warps with tasks of their own are not lowered "
                            "yet; they need sm_90a, and its lowering is "
                            "missing";
        return signalPassFailure();
      }
    }
    if (failed(Expander(kernel, *waits).run()))
      signalPassFailure();
  }
};

//===----------------------------------------------------------------------===//
// tile-join-products
//===----------------------------------------------------------------------===//

struct TileJoinProducts
    : public napkin::tile::impl::TileJoinProductsPassBase<TileJoinProducts> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    SmallVector<MmaStartOp> starts;
    kernel.walk([&](MmaStartOp op) { starts.push_back(op); });
    if (starts.empty())
      return markAllAnalysesPreserved();
    if (failed(checkProtocol(kernel)))
      return signalPassFailure();
    // What was under way is there at once: values change their type in place.
    SmallVector<Value> carried;
    kernel.walk([&](Operation *op) {
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::append_range(carried, block.getArguments());
      llvm::append_range(carried, op->getResults());
    });
    for (Value value : carried)
      if (auto pending = dyn_cast<PendingType>(value.getType());
          pending && !value.getDefiningOp<MmaStartOp>())
        value.setType(pending.getTile());
    for (MmaStartOp start : starts) {
      OpBuilder builder(start);
      Value product = MmaOp::create(
          builder, start.getLoc(), start.getA(), start.getB(),
          start.getAccumulator(), start.getInstruction(), start.getWarpsAttr());
      start.getPending().replaceAllUsesWith(product);
      start.erase();
    }
    kernel.walk([&](Operation *op) {
      if (auto wait = dyn_cast<MmaWaitOp>(op)) {
        wait.getTile().replaceAllUsesWith(wait.getPending());
        wait.erase();
      } else if (auto release = dyn_cast<ReleaseOp>(op)) {
        release.getAfterMutable().clear();
      }
    });
  }
};

} // namespace
