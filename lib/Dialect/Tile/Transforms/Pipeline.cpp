//===- Pipeline.cpp - The pass tile-pipeline ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/IRMapping.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILEPIPELINEPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// Stages the loads of one kernel.
class Stager {
public:
  explicit Stager(KernelOp kernel) : kernel(kernel), builder(kernel) {}

  void run() {
    SmallVector<scf::ForOp> loops;
    kernel.walk([&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      pipelineLoop(loop);
    stageBlock(kernel.getBody().front());
    for (Operation *op : replaced)
      op->erase();
  }

private:
  /// Whether a load's data must be shared between threads: an operand of a
  /// matrix instruction is read by `ldmatrix`, and what several threads hold
  /// would cross from global memory several times.
  static bool wantsStaging(LoadOp load) {
    TileType type = load.getTile().getType();
    if (type.getElementType().getIntOrFloatBitWidth() < 8)
      return false;
    for (Operation *user : load->getUsers())
      if (isa<ConvertOp>(user) || isa<MmaOp>(user))
        return true;
    LinearLayout layout = type.getLayout().getLayout();
    return layout.replicatedBits(Place::Lane) ||
           layout.replicatedBits(Place::Warp);
  }

  BufferType bufferType(LoadOp load, int64_t slots) {
    TileType type = load.getTile().getType();
    return BufferType::get(builder.getContext(), slots, type.getAxes(),
                           type.getSizes(), type.getElementType());
  }

  Value allocate(LoadOp load, int64_t slots) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&kernel.getBody().front());
    return AllocOp::create(builder, load.getLoc(), bufferType(load, slots));
  }

  /// Copies what `load` reads, with its positions mapped, into a slot.
  void copy(LoadOp load, const IRMapping &mapping, Value buffer, Value slot) {
    SmallVector<Value> positions;
    for (Value position : load.getPositions())
      positions.push_back(mapping.lookupOrDefault(position));
    CopyOp::create(builder, load.getLoc(), load.getArray(), positions,
                   load.getAt(), buffer, slot, load.getInsideAttr());
  }

  /// Replaces a load by a read of the buffer; users that want another layout
  /// read it once more instead of converting.
  void readInstead(LoadOp load, Value buffer, Value slot) {
    for (Operation *user : llvm::make_early_inc_range(load->getUsers()))
      if (auto convert = dyn_cast<ConvertOp>(user)) {
        Value again =
            ReadOp::create(builder, load.getLoc(),
                           convert.getResult().getType(), buffer, slot);
        convert.getResult().replaceAllUsesWith(again);
        // It may be where the builder or a caller's loop stands: erased last.
        convert->dropAllReferences();
        replaced.insert(convert);
      }
    if (!load->use_empty()) {
      Value read = ReadOp::create(builder, load.getLoc(),
                                  load.getTile().getType(), buffer, slot);
      load.getTile().replaceAllUsesWith(read);
    }
    load.erase();
  }

  void synchronise(Location loc, int pending) {
    WaitOp::create(builder, loc, builder.getI32IntegerAttr(pending));
    BarrierOp::create(builder, loc);
  }

  void pipelineLoop(scf::ForOp loop) {
    SmallVector<LoadOp> loads;
    for (LoadOp load : loop.getBody()->getOps<LoadOp>())
      if (wantsStaging(load))
        loads.push_back(load);
    if (loads.empty())
      return;
    Location loc = loop.getLoc();
    int64_t step = *getConstantIntValue(loop.getStep());
    int64_t upper = *getConstantIntValue(loop.getUpperBound());
    int64_t trips = upper / step;
    int64_t stages =
        std::max<int64_t>(1, std::min<int64_t>(kernel.getStages(), trips + 1));
    int64_t ahead = stages - 1;
    SmallVector<Value> buffers;
    for (LoadOp load : loads) {
      buffers.push_back(allocate(load, stages));
      rings.push_back({load.getArray(), buffers.back()});
    }
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    auto copyAll = [&](Value position, Value slot) {
      IRMapping mapping;
      mapping.map(loop.getInductionVar(), position);
      for (auto [load, buffer] : llvm::zip(loads, buffers))
        copy(load, mapping, buffer, slot);
    };

    builder.setInsertionPoint(loop);
    for (int64_t chunk = 0; chunk < ahead; ++chunk) {
      if (chunk < trips)
        copyAll(index(chunk * step), index(chunk));
      CommitOp::create(builder, loc);
    }
    Value one = index(1), zero = index(0), count = index(stages);
    // The slots to read and to fill are carried: they step around the ring.
    SmallVector<Value> initial{zero, index(ahead % stages)};
    Value readSlot, fillSlot;
    scf::ForOp wide = addCarried(loop, initial, readSlot, fillSlot);
    builder.setInsertionPointToStart(wide.getBody());
    Value position = wide.getInductionVar();
    if (ahead == 0) { // one slot: all threads must have left it
      BarrierOp::create(builder, loc);
      loopCopies(loads, buffers, wide, position, readSlot);
      CommitOp::create(builder, loc);
      synchronise(loc, 0);
    } else {
      synchronise(loc, ahead - 1);
      Value next =
          arith::AddIOp::create(builder, loc, position, index(ahead * step));
      Value exists = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::slt, next, index(upper));
      auto guard = scf::IfOp::create(builder, loc, exists, /*withElse=*/false);
      {
        OpBuilder::InsertionGuard insertion(builder);
        builder.setInsertionPointToStart(guard.thenBlock());
        loopCopies(loads, buffers, wide, next, fillSlot);
      }
      CommitOp::create(builder, loc);
    }
    for (auto [load, buffer] : llvm::zip(loads, buffers)) {
      builder.setInsertionPoint(load);
      readInstead(load, buffer, readSlot);
    }
    builder.setInsertionPoint(wide.getBody()->getTerminator());
    SmallVector<Value> yielded(wide.getBody()->getTerminator()->getOperands());
    for (Value slot : {readSlot, fillSlot}) {
      Value following = arith::AddIOp::create(builder, loc, slot, one);
      Value wraps = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::eq, following, count);
      yielded.push_back(
          arith::SelectOp::create(builder, loc, wraps, zero, following));
    }
    wide.getBody()->getTerminator()->setOperands(yielded);
  }

  void loopCopies(ArrayRef<LoadOp> loads, ArrayRef<Value> buffers,
                  scf::ForOp loop, Value position, Value slot) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), position);
    for (auto [load, buffer] : llvm::zip(loads, buffers))
      copy(load, mapping, buffer, slot);
  }

  /// A loop with two more carried values; takes over the body of `loop`.
  scf::ForOp addCarried(scf::ForOp loop, ArrayRef<Value> initial, Value &first,
                        Value &second) {
    SmallVector<Value> inits(loop.getInitArgs());
    unsigned old = inits.size();
    llvm::append_range(inits, initial);
    auto wide = scf::ForOp::create(builder, loop.getLoc(), loop.getLowerBound(),
                                   loop.getUpperBound(), loop.getStep(), inits);
    Block *body = wide.getBody();
    if (!body->empty())
      body->clear();
    loop.getInductionVar().replaceAllUsesWith(wide.getInductionVar());
    for (unsigned i = 0; i < old; ++i)
      loop.getRegionIterArgs()[i].replaceAllUsesWith(
          wide.getRegionIterArgs()[i]);
    body->getOperations().splice(body->end(), loop.getBody()->getOperations());
    loop.replaceAllUsesWith(wide.getResults().take_front(old));
    first = wide.getRegionIterArgs()[old];
    second = wide.getRegionIterArgs()[old + 1];
    loop.erase();
    return wide;
  }

  /// Loads outside loops: neighbours are copied together and waited for once.
  void stageBlock(Block &block) {
    SmallVector<LoadOp> group;
    bool afterLoop = false;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (replaced.contains(&op))
        continue;
      auto load = dyn_cast<LoadOp>(op);
      if (load && wantsStaging(load)) {
        group.push_back(load);
        continue;
      }
      bool harmless = isa<LoadOp, AllocOp, arith::ConstantOp>(op) ||
                      (isa<MapOp>(op) && !usesAny(&op, group));
      if (!harmless) {
        builder.setInsertionPoint(&op);
        stageGroup(group, afterLoop);
        group.clear();
      }
      afterLoop |= isa<scf::ForOp>(op);
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
    SmallVector<Value> buffers;
    bool reuses = false;
    for (LoadOp load : loads) {
      Value ring = afterLoop ? findRing(load) : Value();
      reuses |= bool(ring);
      buffers.push_back(ring ? ring : allocate(load, 1));
    }
    Value slot = arith::ConstantIndexOp::create(builder, loc, 0);
    if (reuses) // all threads have left the ring
      synchronise(loc, 0);
    for (auto [load, buffer] : llvm::zip(loads, buffers))
      copy(load, IRMapping(), buffer, slot);
    CommitOp::create(builder, loc);
    synchronise(loc, 0);
    for (auto [load, buffer] : llvm::zip(loads, buffers))
      readInstead(load, buffer, slot);
  }

  /// The ring that held the chunks of the same array, once each.
  Value findRing(LoadOp load) {
    for (auto &[array, buffer] : rings) {
      auto type = cast<BufferType>(buffer.getType());
      if (array == load.getArray() &&
          bufferType(load, type.getSlots()) == type) {
        Value found = buffer;
        array = Value();
        return found;
      }
    }
    return {};
  }

  KernelOp kernel;
  OpBuilder builder;
  llvm::SetVector<Operation *> replaced; ///< conversions to erase at the end
  SmallVector<std::pair<Value, Value>> rings; ///< array and buffer
};

struct TilePipeline
    : public napkin::tile::impl::TilePipelinePassBase<TilePipeline> {
  void runOnOperation() override {
    if (failed(verifyLayouts(getOperation())))
      return signalPassFailure();
    Stager(getOperation()).run();
  }
};

} // namespace
