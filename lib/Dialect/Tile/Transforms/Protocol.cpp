//===- Protocol.cpp - Do the verbs of rings fit together? -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Protocol.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>
#include <set>

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILECHECKPROTOCOLPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// One verb on one trip.
struct Event {
  enum class Kind { Acquire, Publish, Await, Release } kind;
  Operation *op;
  Value ring;         ///< null for a publish: it closes a group
  int64_t trip = 0;   ///< of the ring
  bool ahead = false; ///< runs ahead of its loop
  bool empty = false; ///< of a fill that is left out past the last trip
};

/// A slot on one trip: what publish and release are about.
using RingTrip = std::pair<Value, int64_t>;

/// How often the loops of unknown bounds run in one replay.
using Scenario = llvm::DenseMap<Operation *, int64_t>;

/// Runs through one team's part of a kernel and writes its verbs down.
class Replay {
public:
  Replay(const Scenario &scenario, int64_t mostTrips)
      : scenario(scenario), mostTrips(mostTrips) {}

  /// Takes in the constants of what stands around a team's part.
  void prepare(Block &around) {
    for (Operation &op : around)
      evaluate(&op);
  }

  LogicalResult run(Block &block) {
    if (failed(runBlock(block)))
      return failure();
    for (auto &[id, start] : started)
      return start->emitError()
             << "this product is never waited for; expects one tile.mma.wait";
    return success();
  }

  std::vector<Event> events;
  /// What each publish and release is about, by the number of its event.
  std::map<size_t, SmallVector<RingTrip, 2>> subjects;

private:
  LogicalResult runBlock(Block &block) {
    for (Operation &op : block)
      if (failed(runOp(op)))
        return failure();
    return success();
  }

  LogicalResult runOp(Operation &op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
        .Case([&](LoopOp loop) { return runLoop(loop); })
        .Case([&](AcquireOp op) { return acquire(op, 0, false, false); })
        .Case([&](PublishOp op) { return publish(op, false, false); })
        .Case([&](AwaitOp op) { return await(op); })
        .Case([&](ReleaseOp op) { return release(op); })
        .Case([&](MmaStartOp op) -> LogicalResult {
          numbers[op.getPending()] = nextProduct;
          started[nextProduct++] = op;
          return success();
        })
        .Case([&](MmaWaitOp op) -> LogicalResult {
          auto known = numbers.find(op.getPending());
          if (known == numbers.end() || !started.erase(known->second))
            return op.emitError() << "waits for a product that has been waited "
                                     "for already";
          return success();
        })
        .Case([&](scf::IfOp branch) -> LogicalResult {
          WalkResult verbs = branch.walk([](Operation *inner) {
            if (!isa<AcquireOp, PublishOp, AwaitOp, ReleaseOp>(inner))
              return WalkResult::advance();
            inner->emitError() << "stands under a condition; the trips of a "
                                  "ring must not depend on it";
            return WalkResult::interrupt();
          });
          return failure(verbs.wasInterrupted());
        })
        .Default([&](Operation *other) {
          evaluate(other);
          return success();
        });
  }

  //===--- Loops ------------------------------------------------------------//

  int64_t tripsOf(LoopOp loop) {
    auto chosen = scenario.find(loop);
    if (chosen != scenario.end())
      return chosen->second;
    int64_t lower = numbers.lookup(loop.getLower()),
            upper = numbers.lookup(loop.getUpper()),
            step = std::max<int64_t>(1, numbers.lookup(loop.getStep()));
    int64_t trips = std::max<int64_t>(0, llvm::divideCeil(upper - lower, step));
    return lower >= upper ? 0 : std::min(trips, mostTrips);
  }

  /// The verbs of a fill that runs `ahead` trips ahead, for the trip that it
  /// serves when the loop is on number `trip` (negative: ahead of the loop).
  LogicalResult runAhead(Operation &op, int64_t ahead, int64_t trip,
                         int64_t trips) {
    if (trip + ahead < 0)
      return success();
    bool isEmpty = trip + ahead >= trips;
    if (auto fill = dyn_cast<AcquireOp>(op))
      return acquire(fill, trip < 0 ? trip + ahead : ahead, trip < 0, isEmpty);
    return publish(cast<PublishOp>(op), trip < 0, isEmpty);
  }

  static int64_t aheadOf(Operation &op) {
    if (auto fill = dyn_cast<AcquireOp>(op))
      return fill.getAhead();
    if (auto publish = dyn_cast<PublishOp>(op))
      return publish.getSlots().front().getDefiningOp<AcquireOp>().getAhead();
    return 0;
  }

  LogicalResult runLoop(LoopOp loop) {
    int64_t trips = tripsOf(loop), most = 0;
    int64_t lower = numbers.lookup(loop.getLower()),
            step = numbers.lookup(loop.getStep());
    int64_t first =
        loop.getFirstTrip() ? numbers.lookup(loop.getFirstTrip()) : 0;
    Block &body = loop.getBody().front();
    for (Operation &op : body)
      most = std::max(most, aheadOf(op));
    auto copyNumber = [&](Value to, Value from) {
      auto known = numbers.find(from);
      if (known == numbers.end())
        numbers.erase(to);
      else
        numbers[to] = int64_t(known->second);
    };
    if (loop.getTrip())
      numbers[loop.getTrip()] = first;
    for (int64_t trip = -most; trip < 0; ++trip)
      for (Operation &op : body)
        if (int64_t ahead = aheadOf(op))
          if (failed(runAhead(op, ahead, trip, trips)))
            return failure();
    for (auto [argument, value] :
         llvm::zip(loop.getCarried(), loop.getInitial()))
      copyNumber(argument, value);
    for (int64_t trip = 0; trip < trips; ++trip) {
      numbers[loop.getPosition()] = lower + trip * step;
      if (loop.getTrip())
        numbers[loop.getTrip()] = first + trip;
      for (Operation &op : body) {
        int64_t ahead = aheadOf(op);
        if (failed(ahead ? runAhead(op, ahead, trip, trips) : runOp(op)))
          return failure();
      }
      // All next values are read before any is written.
      SmallVector<std::optional<int64_t>> next;
      for (Value value : loop.getNext().getValues()) {
        auto known = numbers.find(value);
        next.push_back(known == numbers.end()
                           ? std::nullopt
                           : std::optional<int64_t>(known->second));
      }
      for (auto [argument, value] : llvm::zip(loop.getCarried(), next))
        if (value)
          numbers[argument] = *value;
        else
          numbers.erase(argument);
    }
    for (auto [result, argument] : llvm::zip(loop.getLast(), loop.getCarried()))
      copyNumber(result, argument);
    if (loop.getNextTrip())
      numbers[loop.getNextTrip()] = first + trips;
    return success();
  }

  //===--- Verbs ------------------------------------------------------------//

  FailureOr<int64_t> tripNumber(Operation *op, Value trip) {
    auto known = numbers.find(trip);
    if (known != numbers.end())
      return int64_t(known->second);
    return op->emitError() << "the number of the trip does not follow from the "
                              "trips of loops";
  }

  LogicalResult acquire(AcquireOp op, int64_t later, bool ahead, bool isEmpty) {
    FailureOr<int64_t> trip = tripNumber(op, op.getTrip());
    if (failed(trip))
      return failure();
    slots[op.getSlot()] = {op.getRing(), *trip + later};
    events.push_back({Event::Kind::Acquire, op, op.getRing(), *trip + later,
                      ahead, isEmpty});
    return success();
  }

  LogicalResult publish(PublishOp op, bool ahead, bool isEmpty) {
    for (Value slot : op.getSlots())
      if (!isEmpty)
        subjects[events.size()].push_back(slots.lookup(slot));
    events.push_back({Event::Kind::Publish, op, {}, 0, ahead, isEmpty});
    return success();
  }

  LogicalResult await(AwaitOp op) {
    FailureOr<int64_t> trip = tripNumber(op, op.getTrip());
    if (failed(trip))
      return failure();
    slots[op.getSlot()] = {op.getRing(), *trip};
    events.push_back({Event::Kind::Await, op, op.getRing(), *trip});
    return success();
  }

  LogicalResult release(ReleaseOp op) {
    for (Value product : op.getAfter()) {
      auto known = numbers.find(product);
      if (known != numbers.end() && started.count(known->second))
        return op.emitError() << "gives a slot back that a product may still "
                                 "read: no tile.mma.wait stands before it";
    }
    for (Value slot : op.getSlots())
      subjects[events.size()].push_back(slots.lookup(slot));
    events.push_back({Event::Kind::Release, op, {}});
    return success();
  }

  /// The operations with which trips and bounds are computed.
  void evaluate(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
        numbers[constant] = value.getInt();
      return;
    }
    if (op->getNumOperands() != 2)
      return;
    auto left = numbers.find(op->getOperand(0)),
         right = numbers.find(op->getOperand(1));
    if (left == numbers.end() || right == numbers.end())
      return;
    int64_t a = left->second, b = right->second;
    if (isa<arith::AddIOp>(op))
      numbers[op->getResult(0)] = a + b;
    else if (isa<arith::SubIOp>(op))
      numbers[op->getResult(0)] = a - b;
    else if (isa<arith::MulIOp>(op))
      numbers[op->getResult(0)] = a * b;
  }

  const Scenario &scenario;
  int64_t mostTrips;
  /// Known indices, and the numbers of products under way.
  llvm::DenseMap<Value, int64_t> numbers;
  llvm::DenseMap<Value, RingTrip> slots;
  std::map<int64_t, Operation *> started;
  int64_t nextProduct = 0;
};

int64_t slotsOf(Value ring) {
  return cast<RingType>(ring.getType()).getSlots();
}

/// Where the rings stand while teams go through their verbs.
class Rings {
public:
  /// Whether a verb can go on; if so, it is done.
  bool tryStep(const Replay &replay, size_t number) {
    const Event &event = replay.events[number];
    auto subjects = replay.subjects.find(number);
    switch (event.kind) {
    case Event::Kind::Acquire:
      return event.empty || event.trip < slotsOf(event.ring) ||
             releases[{event.ring.getAsOpaquePointer(),
                       event.trip - slotsOf(event.ring)}] >=
                 std::max(1u, readers.lookup(event.ring));
    case Event::Kind::Await:
      return published.count({event.ring.getAsOpaquePointer(), event.trip});
    case Event::Kind::Publish:
    case Event::Kind::Release:
      if (subjects == replay.subjects.end())
        return true;
      for (auto [ring, trip] : subjects->second)
        if (event.kind == Event::Kind::Publish)
          published.insert({ring.getAsOpaquePointer(), trip});
        else
          ++releases[{ring.getAsOpaquePointer(), trip}];
      return true;
    }
    return true;
  }

  /// How many teams read a ring: all of them must have released a slot.
  llvm::DenseMap<Value, unsigned> readers;

private:
  std::set<std::pair<void *, int64_t>> published;
  std::map<std::pair<void *, int64_t>, unsigned> releases;
};

/// Checks that each ring's trips are taken in order, each once, and that each
/// team that reads a ring reads as many as are filled.
LogicalResult checkOrder(ArrayRef<Replay *> teams) {
  llvm::MapVector<Value, int64_t> filled;
  llvm::MapVector<std::pair<Value, unsigned>, int64_t> read;
  llvm::DenseMap<Value, Operation *> lastVerb;
  for (auto [index, team] : llvm::enumerate(teams))
    for (const Event &event : team->events) {
      if (!event.ring || event.empty)
        continue;
      bool fills = event.kind == Event::Kind::Acquire;
      int64_t &expected =
          fills ? filled[event.ring] : read[{event.ring, unsigned(index)}];
      if (event.trip != expected)
        return event.op->emitError()
               << (fills ? "acquires" : "awaits") << " trip " << event.trip
               << " of its ring where trip " << expected
               << " is next; each trip is taken once, in order";
      ++expected;
      lastVerb[event.ring] = event.op;
      filled[event.ring];
    }
  for (auto &[ring, trips] : filled) {
    bool isRead = false;
    for (auto &[reader, count] : read)
      if (reader.first == ring) {
        isRead = true;
        if (count != trips)
          return lastVerb[ring]->emitError()
                 << "this ring is filled on " << trips << " trips and read on "
                 << count << "; expects the same trips";
      }
    if (trips && !isRead)
      return lastVerb[ring]->emitError()
             << "this ring is filled on " << trips
             << " trips and read on none; expects the same trips";
  }
  return success();
}

/// Checks that the teams come to their ends without waiting for each other.
LogicalResult checkProgress(ArrayRef<Replay *> teams) {
  Rings rings;
  for (Replay *team : teams) {
    llvm::DenseSet<Value> own;
    for (const Event &event : team->events)
      if (event.kind == Event::Kind::Await && own.insert(event.ring).second)
        ++rings.readers[event.ring];
  }
  SmallVector<size_t> at(teams.size(), 0);
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [index, team] : llvm::enumerate(teams))
      while (at[index] < team->events.size() &&
             rings.tryStep(*team, at[index])) {
        ++at[index];
        moved = true;
      }
  }
  for (auto [index, team] : llvm::enumerate(teams)) {
    if (at[index] == team->events.size())
      continue;
    const Event &stuck = team->events[at[index]];
    InFlightDiagnostic error = stuck.op->emitError();
    if (stuck.kind == Event::Kind::Acquire)
      error << "waits for ever: trip " << stuck.trip
            << " takes the slot of trip " << stuck.trip - slotsOf(stuck.ring)
            << ", which is not released before";
    else
      error << "waits for ever: trip " << stuck.trip
            << " is not published before";
    for (auto [other, otherTeam] : llvm::enumerate(teams))
      if (other != index && at[other] < otherTeam->events.size())
        error.attachNote(otherTeam->events[at[other]].op->getLoc())
            << "while another role waits here, on trip "
            << otherTeam->events[at[other]].trip;
    return failure();
  }
  return success();
}

/// Adds to `result` what one team must wait for; true if that was more than
/// before.
bool deriveWaits(const Replay &replay, Synchronisation &result) {
  bool grew = false;
  int64_t groups = 0, arrived = -1, lastBarrier = -1;
  std::map<std::pair<void *, int64_t>, int64_t> groupOf, releasedAt;
  for (auto [now, event] : llvm::enumerate(replay.events)) {
    auto key = std::make_pair(event.ring.getAsOpaquePointer(), event.trip);
    auto subjects = replay.subjects.find(now);
    switch (event.kind) {
    case Event::Kind::Acquire: {
      auto &barriers = event.ahead ? result.barrierAhead : result.barrierInLoop;
      int64_t before = event.trip - slotsOf(event.ring);
      if (!event.empty && before >= 0 &&
          releasedAt[{key.first, before}] > lastBarrier)
        grew |= barriers.insert(event.op).second;
      if (barriers.contains(event.op))
        lastBarrier = now;
      break;
    }
    case Event::Kind::Publish:
      if (subjects != replay.subjects.end())
        for (auto [ring, trip] : subjects->second)
          groupOf[{ring.getAsOpaquePointer(), trip}] = groups;
      ++groups;
      break;
    case Event::Kind::Release:
      for (auto [ring, trip] : subjects->second)
        releasedAt[{ring.getAsOpaquePointer(), trip}] = now;
      break;
    case Event::Kind::Await: {
      int64_t group = groupOf[key], unfinished = groups - 1 - group;
      auto known = result.unfinished.find(event.op);
      if (known == result.unfinished.end() && group <= arrived)
        break;
      if (known == result.unfinished.end() || known->second > unfinished) {
        result.unfinished[event.op] = unfinished;
        grew = true;
      }
      arrived = std::max(arrived, group);
      lastBarrier = now;
      break;
    }
    }
  }
  return grew;
}

/// All ways in which loops of unknown bounds may run: none, one or many trips.
std::vector<Scenario> scenariosOf(KernelOp kernel, int64_t mostTrips) {
  constexpr unsigned variedLoops = 3; // 27 replays; further ones run along
  SmallVector<Operation *> open;
  kernel.walk([&](LoopOp loop) {
    auto isConstant = [](Value value) {
      return getConstantIntValue(value).has_value();
    };
    if (!isConstant(loop.getLower()) || !isConstant(loop.getUpper()) ||
        !isConstant(loop.getStep()))
      open.push_back(loop);
  });
  std::vector<Scenario> scenarios(1);
  for (auto [index, loop] : llvm::enumerate(open)) {
    if (index >= variedLoops) {
      for (Scenario &scenario : scenarios)
        scenario[loop] = mostTrips;
      continue;
    }
    std::vector<Scenario> more;
    for (const Scenario &scenario : scenarios)
      for (int64_t trips : {int64_t(0), int64_t(1), mostTrips}) {
        more.push_back(scenario);
        more.back()[loop] = trips;
      }
    scenarios = std::move(more);
  }
  return scenarios;
}

} // namespace

/// Trips of a kernel's loops that hold verbs, all nests together, as far as
/// they are known: what a replay of all trips would take.
static int64_t knownTrips(Block &block) {
  int64_t trips = 0;
  for (Operation &op : block) {
    int64_t inner = 1;
    for (Region &region : op.getRegions())
      for (Block &nested : region)
        inner += knownTrips(nested);
    if (auto loop = dyn_cast<LoopOp>(op)) {
      auto constant = [](Value value) {
        return getConstantIntValue(OpFoldResult(value)).value_or(1);
      };
      int64_t range = constant(loop.getUpper()) - constant(loop.getLower());
      inner *= std::clamp<int64_t>(
          range / std::max<int64_t>(1, constant(loop.getStep())), 1, 1 << 20);
    }
    trips = std::min<int64_t>(trips + inner, 1 << 20);
  }
  return trips;
}

FailureOr<Synchronisation> napkin::tile::checkProtocol(KernelOp kernel) {
  constexpr int64_t tripLimit = 64, replayLimit = 10000;
  int64_t round = 1, most = 1;
  kernel.walk([&](RingOp op) {
    int64_t slots = op.getRing().getType().getSlots();
    round = std::lcm(round, slots);
    most = std::max(most, slots);
  });
  int64_t many = std::min(round + most + 2, tripLimit);
  // All trips where that is cheap: then even a difference late in a loop shows.
  int64_t mostTrips =
      knownTrips(kernel.getBody().front()) < replayLimit ? replayLimit : many;
  std::vector<std::unique_ptr<Replay>> alone;
  for (const Scenario &scenario : scenariosOf(kernel, many)) {
    std::vector<std::unique_ptr<Replay>> teams;
    auto replay = [&](Block &block) {
      teams.push_back(std::make_unique<Replay>(scenario, mostTrips));
      teams.back()->prepare(kernel.getBody().front());
      return teams.back()->run(block);
    };
    SmallVector<RolesOp> roles(kernel.getBody().front().getOps<RolesOp>());
    if (roles.empty()) {
      if (failed(replay(kernel.getBody().front())))
        return failure();
    }
    for (RolesOp op : roles)
      for (RoleOp role : op.getBody().front().getOps<RoleOp>())
        if (failed(replay(role.getBody().front())))
          return failure();
    SmallVector<Replay *> all;
    for (auto &team : teams)
      all.push_back(team.get());
    if (failed(checkOrder(all)) || failed(checkProgress(all)))
      return failure();
    if (roles.empty())
      alone.push_back(std::move(teams.front()));
  }
  Synchronisation result;
  for (bool grew = true; grew;) {
    grew = false;
    for (auto &replay : alone)
      grew |= deriveWaits(*replay, result);
  }
  return result;
}

namespace {
struct TileCheckProtocol
    : public napkin::tile::impl::TileCheckProtocolPassBase<TileCheckProtocol> {
  void runOnOperation() override {
    if (failed(checkProtocol(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
