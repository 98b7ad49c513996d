//===- MakeRings.cpp - The pass tile-make-rings ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes loads through shared memory: which, and through how many slots. What
// must be waited for is not decided here: see ExpandLoops.cpp.
//
//===----------------------------------------------------------------------===//

#include "Slots.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILEMAKERINGSPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

constexpr int64_t usualSlots = 2; ///< of rings of loops that do not say it

/// Takes the loads of one kernel through rings.
class RingMaker {
public:
  explicit RingMaker(KernelOp kernel) : kernel(kernel), builder(kernel) {}

  void run() {
    kernel.walk([&](LoopOp loop) { loops.push_back(loop); });
    for (LoopOp loop : loops)
      bringOut(loop);
    mergeEqual();
    for (unsigned i = 0; i < loops.size(); ++i)
      stageLoop(loops[i]);
    stageBlock(kernel.getBody().front());
    for (Operation *op : replaced)
      op->erase();
  }

private:
  /// A ring that a loop filled from an array, and the loop's next trip.
  struct Known {
    Value array, ring, next;
  };

  Value makeRing(LoadOp load, int64_t slots) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    return RingOp::create(builder, load.getLoc(),
                          ringType(load, slots, kernel));
  }

  Value index(Location loc, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }

  /// Fills a slot of each ring with what its load reads.
  void fill(Location loc, ArrayRef<LoadOp> loads, ArrayRef<Value> rings,
            ArrayRef<Value> trips, int64_t ahead) {
    SmallVector<Value> slots;
    for (auto [ring, trip] : llvm::zip(rings, trips))
      slots.push_back(AcquireOp::create(builder, loc, ring, trip, ahead));
    for (auto [staged, slot] : llvm::zip(loads, slots)) {
      LoadOp load = staged;
      CopyOp::create(builder, load.getLoc(), load.getView(), slot);
    }
    PublishOp::create(builder, loc, slots);
  }

  SmallVector<Value> await(Location loc, ArrayRef<Value> rings,
                           ArrayRef<Value> trips) {
    SmallVector<Value> slots;
    for (auto [ring, trip] : llvm::zip(rings, trips))
      slots.push_back(AwaitOp::create(builder, loc, ring, trip));
    return slots;
  }

  /// Lets `use`, or what it converts the tile to, read the slot there.
  void readAt(OpOperand &use, Value slot, IntegerAttr from = {}) {
    auto convert = dyn_cast<ConvertOp>(use.getOwner());
    OpBuilder here(use.getOwner());
    Value value = convert ? convert.getResult() : use.get();
    Value read =
        ReadOp::create(here, use.get().getLoc(), value.getType(), slot, from);
    if (!convert)
      return use.set(read);
    convert.getResult().replaceAllUsesWith(read);
    convert->dropAllReferences();
    replaced.insert(convert);
  }

  /// Reads what is taken of a load's tile out of the slot, each time it is
  /// used.
  void readParts(LoadOp load, Value slot) {
    for (Operation *user : llvm::make_early_inc_range(load->getUsers())) {
      auto part = dyn_cast<PartOp>(user);
      if (!part)
        continue;
      for (OpOperand &use :
           llvm::make_early_inc_range(part.getResult().getUses()))
        readAt(use, slot, part.getFromAttr());
      part->dropAllReferences();
      replaced.insert(part);
    }
  }

  /// Replaces a load by a read of the slot; users that want another layout read
  /// it once more instead of converting.
  void readInstead(LoadOp load, Value slot) {
    readParts(load, slot);
    if (again.remove(load))
      return readInPlaces(load, slot);
    for (Operation *user : llvm::make_early_inc_range(load->getUsers()))
      if (auto convert = dyn_cast<ConvertOp>(user)) {
        OpBuilder inside(convert);
        OpBuilder &here =
            convert->getBlock() == load->getBlock() ? builder : inside;
        Value again = ReadOp::create(here, load.getLoc(),
                                     convert.getResult().getType(), slot);
        convert.getResult().replaceAllUsesWith(again);
        // It may be where the builder or a caller's loop stands: erased last.
        convert->dropAllReferences();
        replaced.insert(convert);
      }
    // A region that is seldom run reads for itself.
    for (OpOperand &use : llvm::make_early_inc_range(load.getTile().getUses()))
      if (Operation *user = use.getOwner();
          isa<WhenOp>(user->getParentOp()) &&
          user->getParentOp()->getBlock() == load->getBlock()) {
        OpBuilder inside(user);
        use.set(ReadOp::create(inside, load.getLoc(), load.getTile().getType(),
                               slot));
      }
    if (!load->use_empty()) {
      Value read = ReadOp::create(builder, load.getLoc(),
                                  load.getTile().getType(), slot);
      load.getTile().replaceAllUsesWith(read);
    }
    load.erase();
  }

  //===--- Loads that stand in a loop and do not move with it ---------------//

  /// Whether `loop` is that of a persistent grid (`tile-walk-grid`), from the
  /// number of the block on by the number of blocks: each tile fills what it
  /// reads, as a block of a dense grid does, and moves the bytes of the plan.
  bool walksTiles(LoopOp loop) {
    return kernel.getGridRank() == 1 && kernel.getGridTiles()[0] == 1 &&
           loop.getLower() == kernel.getPlaces().front() &&
           getConstantIntValue(OpFoldResult(loop.getStep())) ==
               kernel.getGridExtents()[0] &&
           loop.getInitial().empty();
  }

  /// Copies ahead of `loop` what its steps load from where they do not move to:
  /// the slot is filled once, and each step reads it.
  void bringOut(LoopOp loop) {
    if (walksTiles(loop))
      return;
    Block &body = loop.getBody().front();
    for (LoadOp load : llvm::make_early_inc_range(body.getOps<LoadOp>())) {
      if (!wantsSlot(load) || !isFixed(load.getView(), loop) ||
          isLoadedInside(load.getViewOp().getArray(), body))
        continue;
      moveOut(load.getView(), loop);
      load->moveBefore(loop);
      again.insert(load);
    }
  }

  /// Whether a loop in `body` brings `array` in, chunk by chunk: what the body
  /// loads of it is the last chunk, and comes anew in each step like the
  /// others.
  static bool isLoadedInside(Value array, Block &body) {
    for (LoopOp inner : body.getOps<LoopOp>())
      for (LoadOp load : inner.getBody().front().getOps<LoadOp>())
        if (load.getViewOp().getArray() == array)
          return true;
    return false;
  }

  /// Moves what computes a value from the body of `loop` to before it.
  void moveOut(Value value, LoopOp loop) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getParentRegion() != &loop.getBody())
      return;
    for (Value operand : op->getOperands())
      moveOut(operand, loop);
    op->moveBefore(loop);
  }

  /// Whether a view is made of what stands outside of `loop`.
  static bool isFixed(Value value, LoopOp loop) {
    if (value.getParentRegion() != &loop.getBody())
      return true;
    Operation *op = value.getDefiningOp();
    return op &&
           (isa<ViewOp>(op) || isa<arith::ArithDialect>(op->getDialect())) &&
           llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isFixed(operand, loop); });
  }

  /// Makes one load of several that a block does of the same part of an array,
  /// if it is read in several places anyway.
  void mergeEqual() {
    for (bool merged = true; merged;) {
      merged = false;
      for (LoadOp load : again)
        if (LoadOp other = equalTo(load)) {
          bool isFirst = load->isBeforeInBlock(other);
          mergeInto(isFirst ? load : other, isFirst ? other : load);
          merged = true;
          break; // the set has changed
        }
    }
  }

  /// Another load of the same part of an array in the same block, or null.
  static LoadOp equalTo(LoadOp load) {
    for (LoadOp other : load->getBlock()->getOps<LoadOp>())
      if (other != load && isEqual(load, other))
        return other;
    return {};
  }

  static bool isEqual(LoadOp a, LoadOp b) {
    TileType first = a.getTile().getType(), second = b.getTile().getType();
    return first.getAxes() == second.getAxes() &&
           first.getSizes() == second.getSizes() &&
           first.getElementType() == second.getElementType() &&
           OperationEquivalence::isEquivalentTo(
               a.getViewOp(), b.getViewOp(),
               OperationEquivalence::IgnoreLocations);
  }

  /// Lets the users of `second` read what `first` loads, each in its layout.
  void mergeInto(LoadOp first, LoadOp second) {
    Type type = second.getTile().getType();
    for (OpOperand &use :
         llvm::make_early_inc_range(second.getTile().getUses())) {
      builder.setInsertionPoint(use.getOwner());
      bool sameLayout = type == first.getTile().getType();
      use.set(sameLayout ? first.getTile()
                         : Value(ConvertOp::create(builder, second.getLoc(),
                                                   type, first.getTile())));
    }
    again.remove(second);
    again.insert(first);
    second.erase();
  }

  /// Reads the slot where a load is used, each time.
  void readInPlaces(LoadOp load, Value slot) {
    for (OpOperand &use : llvm::make_early_inc_range(load.getTile().getUses()))
      readAt(use, slot);
    load.erase();
  }

  //===--- Loads in loops ---------------------------------------------------//

  /// Trips of a loop of constant bounds, or nothing.
  static std::optional<int64_t> constantTrips(LoopOp loop) {
    auto constant = [&](Value value) {
      return factsOf(value, loop).constant();
    };
    std::optional<int64_t> lower = constant(loop.getLower()),
                           upper = constant(loop.getUpper()),
                           step = constant(loop.getStep());
    if (!lower || !upper || !step)
      return std::nullopt;
    return *lower < *upper ? llvm::divideCeil(*upper - *lower, *step) : 0;
  }

  /// Moves what computes a view, as far as it stands in `block`, to where the
  /// builder stands.
  void hoist(Value value, Block *block) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != block || hoisted.contains(op))
      return;
    for (Value operand : op->getOperands())
      hoist(operand, block);
    hoisted.insert(op);
    // The builder may stand at this very operation.
    op->moveBefore(block, builder.getInsertionPoint());
    builder.setInsertionPointAfter(op);
  }

  /// Whether a load's view is made of the position and of what stands outside,
  /// so that it may be read earlier than the body comes to it.
  static bool isEarly(Value value, LoopOp loop) {
    if (value == loop.getPosition() || value == loop.getTrip())
      return true;
    if (value.getParentRegion() != &loop.getBody())
      return true;
    Operation *op = value.getDefiningOp();
    return op &&
           (isa<ViewOp>(op) || isa<arith::ArithDialect>(op->getDialect())) &&
           llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isEarly(operand, loop); });
  }

  void stageLoop(LoopOp loop) {
    SmallVector<LoadOp> loads;
    for (LoadOp load : loop.getBody().front().getOps<LoadOp>())
      if (isEarly(load.getView(), loop) &&
          (wantsSlot(load) ||
           (mayHaveSlot(load) && feedsFactor(load.getTile()))))
        loads.push_back(load);
    int64_t slots = loop.getSlots().value_or(usualSlots);
    loop.removeSlotsAttr();
    if (loads.empty())
      return;
    Location loc = loop.getLoc();
    if (std::optional<int64_t> trips = constantTrips(loop))
      slots = std::max<int64_t>(1, std::min(slots, *trips + 1));
    if (slots == 1)
      return stageInTurns(loop, loads);
    int64_t ahead = slots - 1;
    SmallVector<Known *> before = ringsBefore(loop, loads, slots);
    SmallVector<Value> rings;
    if (before.empty()) {
      for (LoadOp load : loads)
        rings.push_back(makeRing(load, slots));
      loop = countTrips(loop);
      for (auto [load, ring] : llvm::zip(loads, rings))
        known.push_back(
            {load.getViewOp().getArray(), ring, loop.getNextTrip()});
    } else {
      loop = replaceLoop(loop, before.front()->next,
                         SmallVector<Value>(loop.getInitial()), std::nullopt);
      // A loop around both carries on what the later one leaves.
      if (auto around = dyn_cast<LoopOp>(loop->getParentOp()))
        before.front()->next.replaceUsesWithIf(
            loop.getNextTrip(),
            [&](OpOperand &use) { return use.getOwner() == around.getNext(); });
      for (Known *one : before) {
        rings.push_back(one->ring);
        one->next = loop.getNextTrip();
      }
    }
    Block &body = loop.getBody().front();
    SmallVector<Value> trips(rings.size(), loop.getTrip());
    builder.setInsertionPointToStart(&body);
    SmallVector<Value> filled = await(loc, rings, trips);
    for (LoadOp load : loads)
      hoist(load.getView(), &body);
    fill(loc, loads, rings, trips, ahead);
    for (auto [load, slot] : llvm::zip(loads, filled)) {
      builder.setInsertionPoint(load);
      readInstead(load, slot);
    }
    builder.setInsertionPoint(body.getTerminator());
    ReleaseOp::create(builder, loc, filled, ValueRange());
  }

  /// The rings that a loop before `loop` filled from the same arrays, one for
  /// each of its loads: they go on where it stopped. None unless all of them
  /// are there, on one trip.
  SmallVector<Known *> ringsBefore(LoopOp loop, ArrayRef<LoadOp> loads,
                                   int64_t slots) {
    SmallVector<Known *> found;
    if (loop.getTrip())
      return {};
    for (LoadOp staged : loads) {
      LoadOp load = staged;
      for (Known &one : known) {
        if (one.array != load.getViewOp().getArray() ||
            one.ring.getType() != ringType(load, slots, kernel) ||
            one.next.getDefiningOp()->getBlock() != loop->getBlock() ||
            llvm::is_contained(found, &one) ||
            (!found.empty() && found.front()->next != one.next))
          continue;
        found.push_back(&one);
        break;
      }
    }
    if (found.size() != loads.size())
      found.clear();
    return found;
  }

  /// Loads of a loop that the same operation uses first: they are waited for
  /// together.
  struct Turn {
    Operation *first = nullptr; ///< waits stand before it
    Operation *last = nullptr;  ///< the last one that uses a load
    SmallVector<LoadOp> loads;
    SmallVector<Value> rings, trips, slots;
  };

  /// Moves `last` to the last operation of `body` that needs what `op` makes:
  /// as it is, in another layout, or by maps that may be computed late.
  static void lastUse(Operation *op, Block &body, Operation *&last) {
    for (Operation *user : op->getUsers()) {
      Operation *top = body.findAncestorOpInBlock(*user);
      if (last->isBeforeInBlock(top) && top != body.getTerminator())
        last = top;
      if (isa<ConvertOp, PartOp>(user) ||
          (isa<MapOp>(user) && feedsFactor(user->getResult(0))))
        lastUse(user, body, last);
    }
  }

  /// The turns of `loads`, in the order of the body.
  static std::vector<Turn> turnsOf(LoopOp loop, ArrayRef<LoadOp> loads) {
    Block &body = loop.getBody().front();
    std::vector<Turn> turns;
    for (LoadOp load : loads) {
      Operation *first = body.getTerminator(), *last = load;
      for (Operation *user : load->getUsers()) {
        Operation *top = body.findAncestorOpInBlock(*user);
        if (top->isBeforeInBlock(first))
          first = top;
      }
      lastUse(load, body, last);
      auto same = llvm::find_if(
          turns, [&](const Turn &turn) { return turn.first == first; });
      Turn &turn = same == turns.end() ? turns.emplace_back() : *same;
      turn.first = first;
      if (!turn.last || turn.last->isBeforeInBlock(last))
        turn.last = last;
      turn.loads.push_back(load);
    }
    llvm::sort(turns, [](const Turn &a, const Turn &b) {
      return a.first->isBeforeInBlock(b.first);
    });
    return turns;
  }

  /// With one slot each, what the next operation needs arrives while this one
  /// works: a slot is filled anew behind the first wait after its last use,
  /// where all threads have left it.
  void stageInTurns(LoopOp loop, ArrayRef<LoadOp> loads) {
    Location loc = loop.getLoc();
    loop = countTrips(loop);
    Block &body = loop.getBody().front();
    std::vector<Turn> turns = turnsOf(loop, loads);
    builder.setInsertionPointToStart(&body);
    for (LoadOp load : loads)
      hoist(load.getView(), &body);
    for (Turn &turn : turns)
      for (LoadOp load : turn.loads) {
        turn.rings.push_back(makeRing(load, 1));
        turn.trips.push_back(loop.getTrip());
        known.push_back({load.getViewOp().getArray(), turn.rings.back(),
                         loop.getNextTrip()});
      }
    for (Turn &turn : turns) {
      builder.setInsertionPoint(turn.first);
      turn.slots = await(loc, turn.rings, turn.trips);
    }
    for (Turn &turn : turns) {
      builder.setInsertionPointAfter(turn.last);
      ReleaseOp::create(builder, loc, turn.slots, ValueRange());
    }
    for (auto [index, turn] : llvm::enumerate(turns))
      refill(turn, index == 0 ? nullptr : &turns.front(),
             nextAwait(turns, index), body);
    for (Turn &turn : turns)
      for (auto [load, slot] : llvm::zip(turn.loads, turn.slots)) {
        builder.setInsertionPoint(turn.first);
        readInstead(load, slot);
      }
  }

  /// The turn whose wait is the first one behind the last use of turn number
  /// `index`, or null.
  static Turn *nextAwait(std::vector<Turn> &turns, unsigned index) {
    for (Turn &next : llvm::drop_begin(turns, index + 1))
      if (turns[index].last->isBeforeInBlock(next.first))
        return &next;
    return nullptr;
  }

  /// Fills the slots of a turn for its next trip: behind the wait of `next` in
  /// this one, else behind that of `first` in that trip, else at the end.
  void refill(Turn &turn, Turn *first, Turn *next, Block &body) {
    Turn *after = next ? next : first;
    if (after)
      builder.setInsertionPointAfterValue(after->slots.back());
    else
      builder.setInsertionPoint(body.getTerminator());
    fill(turn.loads.front().getLoc(), turn.loads, turn.rings, turn.trips,
         /*ahead=*/next || !first ? 1 : 0);
  }

  /// The loop, counting its trips over all runs of it: the loops around it
  /// carry the number on.
  LoopOp countTrips(LoopOp loop) {
    if (loop.getTrip())
      return loop;
    SmallVector<LoopOp> around; // innermost first
    for (auto outer = dyn_cast<LoopOp>(loop->getParentOp()); outer;
         outer = dyn_cast<LoopOp>(outer->getParentOp()))
      around.push_back(outer);
    builder.setInsertionPoint(around.empty() ? loop : around.back());
    Value first = index(loop.getLoc(), 0);
    for (LoopOp &outer : llvm::reverse(around)) {
      SmallVector<Value> initial(outer.getInitial());
      initial.push_back(first);
      std::optional<int32_t> slots;
      if (outer.getSlots())
        slots = *outer.getSlots();
      outer = replaceLoop(outer, outer.getFirstTrip(), initial, slots);
      first = outer.getCarried().back();
    }
    LoopOp counted = replaceLoop(
        loop, first, SmallVector<Value>(loop.getInitial()), std::nullopt);
    Value next = counted.getNextTrip();
    for (LoopOp outer : around) {
      outer.getNext().getValuesMutable().append(next);
      next = outer.getLast().back();
    }
    return counted;
  }

  /// Puts a loop with these operands in the place of `from` and moves its body
  /// over. The new loop may count where the old one did not, and carry more.
  LoopOp replaceLoop(LoopOp from, Value firstTrip, ValueRange initial,
                     std::optional<int32_t> slots) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(from);
    auto to =
        LoopOp::create(builder, from.getLoc(), from.getLower(), from.getUpper(),
                       from.getStep(), firstTrip, initial, slots);
    llvm::replace(loops, from, to);
    takeBody(from, to);
    return to;
  }

  /// Moves the body of `from` into `to`, which may count and carry more.
  void takeBody(LoopOp from, LoopOp to) {
    Block &old = from.getBody().front(), &body = to.getBody().front();
    body.getOperations().splice(body.end(), old.getOperations());
    from.getPosition().replaceAllUsesWith(to.getPosition());
    if (from.getTrip())
      from.getTrip().replaceAllUsesWith(to.getTrip());
    for (auto [before, after] : llvm::zip(from.getCarried(), to.getCarried()))
      before.replaceAllUsesWith(after);
    for (auto [before, after] : llvm::zip(from.getLast(), to.getLast()))
      before.replaceAllUsesWith(after);
    if (from.getNextTrip())
      from.getNextTrip().replaceAllUsesWith(to.getNextTrip());
    from.erase();
  }

  //===--- Loads outside of loops -------------------------------------------//

  /// Neighbours are copied together and waited for once.
  void stageBlock(Block &block) {
    SmallVector<LoadOp> group;
    bool afterLoop = false;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (replaced.contains(&op))
        continue;
      auto load = dyn_cast<LoadOp>(op);
      if (load && wantsSlot(load)) {
        group.push_back(load);
        continue;
      }
      bool harmless = isa<LoadOp, RingOp, ViewOp, arith::ConstantOp>(op) ||
                      (isa<MapOp>(op) && !usesAny(&op, group));
      if (!harmless) {
        builder.setInsertionPoint(&op);
        stageGroup(group, afterLoop);
        group.clear();
      }
      afterLoop |= isa<LoopOp>(op);
    }
  }

  static bool usesAny(Operation *op, ArrayRef<LoadOp> loads) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      auto load = operand.getDefiningOp<LoadOp>();
      return load && llvm::is_contained(loads, load);
    });
  }

  /// Stages loads that stand before the insertion point with no use in between.
  void stageGroup(ArrayRef<LoadOp> loads, bool afterLoop) {
    if (loads.empty())
      return;
    Location loc = loads.front()->getLoc();
    SmallVector<Value> rings, trips;
    Value zero;
    for (LoadOp load : loads) {
      Value trip, ring = afterLoop ? findRing(load, trip) : Value();
      if (!ring) {
        ring = makeRing(load, 1);
        trip = zero ? zero : zero = index(loc, 0);
      }
      rings.push_back(ring);
      trips.push_back(trip);
    }
    fill(loc, loads, rings, trips, /*ahead=*/0);
    SmallVector<Value> slots = await(loc, rings, trips);
    Operation *here = &*builder.getInsertionPoint();
    for (auto [load, slot] : llvm::zip(loads, slots))
      readInstead(load, slot);
    // A loop or a region that is seldom run may read later than the group.
    Operation *last = nullptr;
    for (Value slot : slots)
      for (Operation *user : slot.getUsers())
        if (Operation *top = here->getBlock()->findAncestorOpInBlock(*user);
            !top->isBeforeInBlock(here) &&
            (!last || last->isBeforeInBlock(top)))
          last = top;
    if (last)
      builder.setInsertionPointAfter(last);
    else
      builder.setInsertionPoint(here);
    ReleaseOp::create(builder, loc, slots, ValueRange());
    builder.setInsertionPoint(here);
  }

  /// The ring that held the chunks of the same array, once each, and the trip
  /// at which it goes on.
  Value findRing(LoadOp load, Value &trip) {
    for (auto &[array, ring, next] : known) {
      auto type = cast<RingType>(ring.getType());
      if (array == load.getViewOp().getArray() &&
          ringType(load, type.getSlots(), kernel) == type &&
          isa<KernelOp>(next.getDefiningOp()->getParentOp()) &&
          // A later loop may have taken the ring over.
          next.getDefiningOp()->isBeforeInBlock(load)) {
        array = Value();
        trip = next;
        return ring;
      }
    }
    return {};
  }

  KernelOp kernel;
  OpBuilder builder;
  llvm::SetVector<Operation *> replaced; ///< conversions to erase at the end
  llvm::SetVector<LoadOp> again;         ///< loads that are read at each use
  llvm::SmallPtrSet<Operation *, 8> hoisted;
  SmallVector<Known> known;
  SmallVector<LoopOp> loops; ///< inner ones first
};

struct TileMakeRings
    : public napkin::tile::impl::TileMakeRingsPassBase<TileMakeRings> {
  using TileMakeRingsPassBase::TileMakeRingsPassBase;

  void runOnOperation() override {
    if (failed(verifyLayouts(getOperation())))
      return signalPassFailure();
    RingMaker(getOperation()).run();
  }
};

} // namespace
