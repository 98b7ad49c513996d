//===- KernelEmitter.cpp - Frame, control flow and positions --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

KernelEmitter::KernelEmitter(OpBuilder &builder, KernelOp kernel,
                             const target::TargetDescription &target,
                             LLVM::GlobalOp shared)
    : builder(builder), kernel(kernel), target(target), shared(shared),
      loc(kernel.getLoc()), i1(builder.getI1Type()), i16(builder.getI16Type()),
      i32(builder.getI32Type()), i64(builder.getI64Type()),
      f32(builder.getF32Type()),
      globalPointer(LLVM::LLVMPointerType::get(builder.getContext(), 1)),
      sharedPointer(LLVM::LLVMPointerType::get(builder.getContext(), 3)),
      xoredImages([](const auto &a, const auto &b) {
        return std::make_pair(a.first.getAsOpaquePointer(), a.second) <
               std::make_pair(b.first.getAsOpaquePointer(), b.second);
      }) {}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::planSharedMemory() {
  memory = tile::planSharedMemory(kernel);
  if (memory.bytes > target.maxSharedBytes)
    return ncd::emitPartitionError(kernel)
           << "needs " << memory.bytes << " bytes of shared memory a block; "
           << target.name << " has " << target.maxSharedBytes
           << ": choose smaller tiles or fewer stages";
  return success();
}

//===----------------------------------------------------------------------===//
// The frame
//===----------------------------------------------------------------------===//

FailureOr<LLVM::LLVMFuncOp> KernelEmitter::emit() {
  if (failed(planSharedMemory()))
    return failure();
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Type> types(kernel.getArrays().size(), globalPointer);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), types);
  function = LLVM::LLVMFuncOp::create(builder, loc, kernel.getSymName(), type);
  function->setAttr("nvvm.kernel", builder.getUnitAttr());
  function->setAttr(
      "nvvm.maxntid",
      builder.getDenseI32ArrayAttr({int32_t(kernel.getNumThreads()), 1, 1}));
  // Registers before occupancy: without it ptxas may spill a few bytes to reach
  // a rounder number of blocks on a multiprocessor.
  function->setAttr("nvvm.minctasm", builder.getI32IntegerAttr(1));
  for (unsigned i = 0; i < types.size(); ++i) {
    function.setArgAttr(i, "llvm.noalias", builder.getUnitAttr());
    function.setArgAttr(i, "llvm.align", builder.getI32IntegerAttr(16));
  }
  setup = function.addEntryBlock(builder);
  for (auto [argument, pointer] :
       llvm::zip(kernel.getArrays(), setup->getArguments()))
    scalars[argument] = pointer;

  builder.setInsertionPointToStart(setup);
  Value thread = NVVM::ThreadIdXOp::create(builder, loc, i32);
  lane = LLVM::AndOp::create(builder, loc, thread, constant(31));
  warp = LLVM::LShrOp::create(builder, loc, thread, constant(5));
  if (memory.bytes)
    sharedBase = LLVM::AddressOfOp::create(builder, loc, sharedPointer,
                                           shared.getSymName());
  emitPlaces();
  Block *body = new Block();
  function.getBody().push_back(body);
  LLVM::BrOp::create(builder, loc, ValueRange{}, body);
  builder.setInsertionPointToStart(body);
  if (failed(emitBlock(kernel.getBody().front())))
    return failure();
  LLVM::ReturnOp::create(builder, loc, ValueRange{});
  return function;
}

/// The same pointer, of which LLVM does not know that it is: what is read
/// through two views of one array is read twice, as it was counted.
Value KernelEmitter::opaque(Value pointer) {
  return LLVM::InlineAsmOp::create(builder, loc, pointer.getType(), pointer,
                                   "mov.b64 $0, $1;", "=l,l",
                                   /*has_side_effects=*/true,
                                   /*is_align_stack=*/false,
                                   LLVM::tailcallkind::TailCallKind::None,
                                   LLVM::AsmDialectAttr(), ArrayAttr())
      .getResult(0);
}

LogicalResult KernelEmitter::emitBlock(Block &block) {
  for (Operation &op : block)
    if (failed(emitOp(op)))
      return failure();
  return success();
}

LogicalResult KernelEmitter::emitOp(Operation &op) {
  loc = op.getLoc();
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](LoadOp op) { return emitLoad(op); })
      .Case([&](StoreOp op) { return emitStore(op); })
      .Case([&](EntryOp op) { return emitEntry(op); })
      .Case([&](CopyOp op) { return emitCopy(op); })
      .Case([&](ReadOp op) { return emitRead(op); })
      .Case([&](ConvertOp op) { return emitConvert(op); })
      .Case([&](MmaOp op) { return emitMma(op); })
      .Case([&](tile::MapOp op) { return emitMap(op); })
      .Case([&](tile::ReduceOp op) { return emitReduce(op); })
      .Case([&](scf::ForOp op) { return emitFor(op); })
      .Case([&](scf::IfOp op) { return emitIf(op); })
      .Case([&](WhenOp op) { return emitWhen(op); })
      .Case([&](CloseGroupOp) {
        NVVM::CpAsyncCommitGroupOp::create(builder, loc);
        return success();
      })
      .Case([&](WaitGroupsOp op) {
        NVVM::CpAsyncWaitGroupOp::create(builder, loc, op.getPending());
        return success();
      })
      .Case([&](ArrayOp op) {
        // Constants are added where the array is accessed.
        int64_t bytes =
            int64_t(op.getFrom()) * op.getSeen().getType().getElementBytes();
        scalars[op.getSeen()] = inSetup([&]() -> Value {
          Value array = offsetBy(builder, loc, scalar(op.getArray()), bytes);
          return op.getArray().hasOneUse() ? array : opaque(array);
        });
        return success();
      })
      .Case([&](BarrierOp) {
        NVVM::Barrier0Op::create(builder, loc);
        return success();
      })
      .Case<RingOp, PickOp, ViewOp, tile::ReturnOp, NextOp, scf::YieldOp>(
          [](Operation *) { return success(); })
      .Case([](PartOp op) -> LogicalResult {
        return op.emitError() << "takes a part of what does not lie in shared "
                                 "memory, which is "
                                 "not lowered; run tile-make-rings first";
      })
      .Case<LoopOp, AcquireOp, PublishOp, AwaitOp, ReleaseOp, RolesOp>(
          [](Operation *op) -> LogicalResult {
            return op->emitError() << "'" << op->getName()
                                   << "' has no instruction of its own; run "
                                      "tile-expand-loops first";
          })
      .Default([&](Operation *op) -> LogicalResult {
        if (op->getNumResults() == 1 && op->getNumRegions() == 0 &&
            isa<arith::ArithDialect>(op->getDialect())) {
          // Of the maps alone, which may have wide positions.
          if (isa<arith::ConstantOp>(op) &&
              llvm::all_of(op->getUsers(), [](Operation *user) {
                return isa<tile::MapOp>(user->getParentOp());
              }))
            return success();
          auto operand = [&](Value value) { return scalar(value); };
          FailureOr<Value> value = emitScalarOp(builder, *op, operand);
          if (failed(value))
            return failure();
          scalars[op->getResult(0)] = *value;
          return success();
        }
        return op->emitError() << "'" << op->getName()
                               << "' cannot stand in a tile program that is "
                                  "lowered to device code";
      });
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Block *KernelEmitter::startBlock(TypeRange types) {
  Block *block = new Block();
  for (Type type : types)
    block->addArgument(type, loc);
  builder.getInsertionBlock()->getParent()->push_back(block);
  return block;
}

SmallVector<Value> KernelEmitter::flatten(Value value) {
  if (!isa<TileType>(value.getType()))
    return {scalar(value)};
  SmallVector<Value> values;
  RegisterTile &registers = *tiles.lookup(value);
  for (unsigned reg : registers.layout.registersOf(registers.type.getShape()))
    values.push_back(element(registers, reg));
  return values;
}

void KernelEmitter::unflatten(Value value, ValueRange &values) {
  if (!isa<TileType>(value.getType())) {
    scalars[value] = values.front();
    values = values.drop_front();
    return;
  }
  auto registers = newTile(value);
  for (unsigned reg :
       registers->layout.registersOf(registers->type.getShape())) {
    registers->scalars[reg] = values.front();
    values = values.drop_front();
  }
}

LogicalResult KernelEmitter::emitFor(scf::ForOp loop) {
  // A loop tests at its end; before its first trip only where it may have none.
  auto bound = [](Value value) {
    return getConstantIntValue(OpFoldResult(value));
  };
  std::optional<int64_t> lower = bound(loop.getLowerBound()),
                         upper = bound(loop.getUpperBound());
  SmallVector<Value> initial;
  for (Value value : loop.getInitArgs())
    llvm::append_range(initial, flatten(value));
  bool isKnown = lower && upper;
  if (isKnown && *lower >= *upper) {
    ValueRange values = initial;
    for (Value result : loop.getResults())
      unflatten(result, values);
    return success();
  }

  Value first = scalar(loop.getLowerBound()),
        last = scalar(loop.getUpperBound()), step = scalar(loop.getStep());
  SmallVector<Type> types{i32};
  for (Value value : initial)
    types.push_back(value.getType());
  SmallVector<Type> resultTypes(types.begin() + 1, types.end());
  SmallVector<Value> entry{first};
  llvm::append_range(entry, initial);
  auto isBefore = [&](Value position) -> Value {
    return LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt,
                                position, last);
  };
  Block *body = startBlock(types), *after = nullptr;
  if (isKnown) {
    LLVM::BrOp::create(builder, loc, entry, body);
  } else {
    Value runs = isBefore(first);
    after = startBlock(resultTypes);
    LLVM::CondBrOp::create(builder, loc, runs, body, entry, after, initial);
  }
  builder.setInsertionPointToStart(body);
  scalars[loop.getInductionVar()] = body->getArgument(0);
  ValueRange carried = body->getArguments().drop_front();
  // What a loop without trips would not have made is made anew behind it.
  std::vector<RegisterTile> before;
  std::vector<std::shared_ptr<RegisterTile>> outside;
  if (!isKnown)
    for (auto &[value, tile] : tiles) {
      outside.push_back(tile);
      before.push_back(*tile);
    }
  for (Value argument : loop.getRegionIterArgs())
    unflatten(argument, carried);
  if (failed(emitBlock(*loop.getBody())))
    return failure();

  SmallVector<Value> next{
      LLVM::AddOp::create(builder, loc, body->getArgument(0), step)};
  SmallVector<Value> results;
  for (Value value : loop.getBody()->getTerminator()->getOperands())
    llvm::append_range(results, flatten(value));
  llvm::append_range(next, results);
  for (auto [tile, known] : llvm::zip_equal(outside, before))
    *tile = std::move(known);
  Value more = isBefore(next[0]);
  if (!after)
    after = startBlock(resultTypes);
  LLVM::CondBrOp::create(builder, loc, more, body, next, after, results);
  builder.setInsertionPointToStart(after);
  ValueRange values = after->getArguments();
  for (Value result : loop.getResults())
    unflatten(result, values);
  return success();
}

LogicalResult KernelEmitter::emitIf(scf::IfOp branch) {
  if (branch.getNumResults() || branch.elseBlock())
    return branch.emitError() << "expects a guard without results or else";
  Value condition = scalar(branch.getCondition());
  Block *then = startBlock();
  Block *after = startBlock();
  LLVM::CondBrOp::create(builder, loc, condition, then, after);
  builder.setInsertionPointToStart(then);
  if (failed(emitBlock(*branch.thenBlock())))
    return failure();
  LLVM::BrOp::create(builder, loc, ValueRange{}, after);
  builder.setInsertionPointToStart(after);
  return success();
}

/// Whether each warp holds the rows of `condition` that it holds of `tile`.
static bool sharesRows(TileType condition, TileType tile) {
  for (auto [index, axis] : llvm::enumerate(tile.getAxes())) {
    std::optional<unsigned> other = condition.axisIndex(axis);
    if (!other)
      continue;
    LinearLayout mine = tile.getLayout().getLayout(),
                 theirs = condition.getLayout().getLayout();
    for (auto [a, b] :
         llvm::zip(mine.getBases(Place::Warp), theirs.getBases(Place::Warp)))
      if (tile.getShape().coordinate(a, index) !=
          condition.getShape().coordinate(b, *other))
        return false;
  }
  return true;
}

LogicalResult KernelEmitter::emitWhen(WhenOp op) {
  bool crosses = llvm::any_of(op.getResultTypes(), [&](Type type) {
    return !sharesRows(op.getCondition().getType(), cast<TileType>(type));
  });
  // What is made for the region alone is made before it: it may be kept for
  // later uses.
  SmallVector<Value> captured;
  op.getBody().walk([&](Operation *inner) {
    crosses |= scratchBytes(*inner) > 0 ||
               isa<LoadOp, StoreOp, CopyOp, BarrierOp>(inner);
    for (Value operand : inner->getOperands())
      if (!op.getBody().isAncestor(operand.getParentRegion()))
        captured.push_back(operand);
  });
  if (crosses)
    return ncd::emitPartitionError(op)
           << "what is computed under a condition crosses warps, and each warp "
              "decides for itself; give every warp whole rows";
  for (Value value : captured)
    flatten(value);
  Value any;
  for (Value element : flatten(op.getCondition()))
    any = any ? Value(LLVM::OrOp::create(builder, loc, any, element)) : element;
  any = NVVM::VoteSyncOp::create(builder, loc, i1, constant(-1), any,
                                 NVVM::VoteSyncKind::any);
  SmallVector<Value> kept;
  for (Value value : op.getOtherwise())
    llvm::append_range(kept, flatten(value));
  Block *then = startBlock(), *after = startBlock(ValueRange(kept).getTypes());
  LLVM::CondBrOp::create(builder, loc, any, then, ValueRange{}, after, kept,
                         std::pair<uint32_t, uint32_t>{1, 100});
  builder.setInsertionPointToStart(then);
  if (failed(emitBlock(op.getBody().front())))
    return failure();
  SmallVector<Value> anew;
  for (Value value : op.getYielded())
    llvm::append_range(anew, flatten(value));
  LLVM::BrOp::create(builder, loc, anew, after);
  builder.setInsertionPointToStart(after);
  ValueRange values = after->getArguments();
  for (Value result : op.getResults())
    unflatten(result, values);
  return success();
}

//===----------------------------------------------------------------------===//
// Values ahead of all loops
//===----------------------------------------------------------------------===//

Value KernelEmitter::inSetup(llvm::function_ref<Value()> build) {
  OpBuilder::InsertionGuard guard(builder);
  if (setup->mightHaveTerminator())
    builder.setInsertionPoint(setup->getTerminator());
  else
    builder.setInsertionPointToEnd(setup);
  return build();
}

Value KernelEmitter::constant(int32_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(setup);
    known = LLVM::ConstantOp::create(builder, loc, i32,
                                     builder.getI32IntegerAttr(value));
  }
  return known;
}

Value KernelEmitter::scalar(Value value) { return scalars.lookup(value); }

void KernelEmitter::emitPlaces() {
  // The last axis of the grid varies fastest over the one-dimensional launch.
  std::optional<unsigned> grouped = kernel.getGroupedAxis();
  auto divided = [&](Value index, int64_t by) -> Value {
    return by > 1
               ? Value(LLVM::UDivOp::create(builder, loc, index, constant(by)))
               : index;
  };
  // Number of the block among those of the axes from `first` on, in the order
  // in which the axes behind the grouped one are walked.
  auto emitAxes = [&](Value index, unsigned first, unsigned last,
                      int64_t blocks) {
    int64_t stride = 1;
    for (unsigned axis = last; axis-- > first;) {
      int64_t size = kernel.getGridSize(axis);
      Value place = constant(0);
      if (size > 1) {
        place = divided(index, stride);
        if (stride * size < blocks)
          place = LLVM::URemOp::create(builder, loc, place, constant(size));
        place = LLVM::MulOp::create(builder, loc, place,
                                    constant(kernel.getGridTiles()[axis]));
      }
      scalars[kernel.getPlaces()[axis]] = place;
      stride *= size;
    }
  };
  unsigned rank = kernel.getGridRank();
  int64_t blocks = kernel.getNumBlocks();
  Value index = blocks > 1 ? Value(NVVM::BlockIdXOp::create(builder, loc, i32))
                           : constant(0);
  if (!grouped)
    return emitAxes(index, 0, rank, blocks);
  // A group is `tiles` by all positions of the axes behind; the last one may
  // have fewer.
  int64_t size = kernel.getGridSize(*grouped), behind = 1;
  for (unsigned axis = *grouped + 1; axis < rank; ++axis)
    behind *= kernel.getGridSize(axis);
  int64_t tiles = std::min(kernel.getGridGroups()[*grouped], size);
  emitAxes(divided(index, size * behind), 0, *grouped,
           blocks / (size * behind));
  if (size * behind < blocks)
    index = LLVM::URemOp::create(builder, loc, index, constant(size * behind));
  Value group = divided(index, tiles * behind);
  Value first = LLVM::MulOp::create(builder, loc, group, constant(tiles));
  Value rest = LLVM::SubOp::create(
      builder, loc, index,
      LLVM::MulOp::create(builder, loc, group, constant(tiles * behind)));
  Value count = constant(tiles);
  if (size % tiles)
    count = LLVM::UMinOp::create(
        builder, loc, count,
        LLVM::SubOp::create(builder, loc, constant(size), first));
  Value inside = LLVM::URemOp::create(builder, loc, rest, count);
  scalars[kernel.getPlaces()[*grouped]] = LLVM::MulOp::create(
      builder, loc, LLVM::AddOp::create(builder, loc, first, inside),
      constant(kernel.getGridTiles()[*grouped]));
  emitAxes(LLVM::UDivOp::create(builder, loc, rest, count), *grouped + 1, rank,
           behind);
}

bool KernelEmitter::isPlace(Value position) {
  auto argument = dyn_cast_or_null<BlockArgument>(position);
  return argument && isa<KernelOp>(argument.getOwner()->getParentOp());
}

uint32_t KernelEmitter::imageMask(ArrayRef<uint32_t> lanes,
                                  ArrayRef<uint32_t> warps) {
  uint32_t mask = 0;
  for (uint32_t image : lanes)
    mask |= image;
  for (uint32_t image : warps)
    mask |= image;
  return mask;
}

Value KernelEmitter::threadImage(ArrayRef<uint32_t> lanes,
                                 ArrayRef<uint32_t> warps, Combine combine) {
  if (imageMask(lanes, warps) == 0)
    return constant(0);
  Value &known = images[{lanes.vec(), warps.vec(), combine}];
  if (known)
    return known;
  return known = inSetup([&]() -> Value {
           // Bits that move by the same distance move together: one mask and
           // one shift for each distance.
           Value result;
           auto gather = [&](Value source, ArrayRef<uint32_t> images) {
             std::map<int, uint32_t> bitsByShift;
             for (auto [bit, image] : llvm::enumerate(images))
               for (unsigned out = 0; out < 32; ++out)
                 if (image >> out & 1)
                   bitsByShift[int(out) - int(bit)] |= uint32_t(1) << bit;
             for (auto [shift, bits] : bitsByShift) {
               Value part =
                   LLVM::AndOp::create(builder, loc, source, constant(bits));
               if (shift > 0)
                 part =
                     LLVM::ShlOp::create(builder, loc, part, constant(shift));
               if (shift < 0)
                 part =
                     LLVM::LShrOp::create(builder, loc, part, constant(-shift));
               if (!result)
                 result = part;
               else if (combine == Combine::Xor)
                 result = LLVM::XOrOp::create(builder, loc, result, part);
               else
                 result = LLVM::AddOp::create(builder, loc, result, part);
             }
           };
           gather(lane, lanes);
           gather(warp, warps);
           return result;
         });
}

Value KernelEmitter::threadCoordinate(const LinearLayout &layout,
                                      const TileShape &shape, unsigned axis) {
  auto project = [&](Place place) {
    SmallVector<uint32_t> images;
    for (uint32_t image : layout.getBases(place))
      images.push_back(shape.coordinate(image, axis));
    return images;
  };
  return threadImage(project(Place::Lane), project(Place::Warp));
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

Type KernelEmitter::llvmType(Type type) { return scalarType(type); }

Value KernelEmitter::bitcast(Value value, Type type) {
  if (value.getType() == type)
    return value;
  return LLVM::BitcastOp::create(builder, loc, type, value);
}

std::shared_ptr<RegisterTile> KernelEmitter::newTile(Value value) {
  auto tile = std::make_shared<RegisterTile>();
  tile->type = cast<TileType>(value.getType());
  tile->layout = tile->type.getLayout().getLayout();
  unsigned registers = tile->layout.numRegisters();
  tile->scalars.resize(registers);
  Type element = llvmType(tile->type.getElementType());
  unsigned bits = element.getIntOrFloatBitWidth();
  if ((bits == 8 || bits == 16) && registers >= 32 / bits) {
    tile->packing = 32 / bits;
    tile->words.resize(registers / tile->packing);
  }
  tiles[value] = tile;
  return tile;
}

Value KernelEmitter::element(RegisterTile &tile, unsigned reg) {
  if (tile.scalars[reg])
    return tile.scalars[reg];
  Type element = llvmType(tile.type.getElementType());
  // What a register past the end of the tile would hold is not asked for.
  if (!tile.type.getShape().contains(tile.layout.apply(Place::Register, reg)))
    return LLVM::PoisonOp::create(builder, loc, element);
  if (tile.packing == 1) {
    tile.fetch(reg);
    return tile.scalars[reg];
  }
  unsigned first = reg & ~(tile.packing - 1);
  if (!tile.words[reg / tile.packing] && tile.fetch)
    tile.fetch(reg);
  if (tile.scalars[reg])
    return tile.scalars[reg];
  Value packed = tile.words[reg / tile.packing];
  if (tile.packing == 4) {
    Value byte = packed;
    if (reg != first)
      byte = LLVM::LShrOp::create(builder, loc, byte,
                                  constant(8 * int32_t(reg - first)));
    return tile.scalars[reg] =
               LLVM::TruncOp::create(builder, loc, builder.getI8Type(), byte);
  }
  Type vector = VectorType::get({2}, element);
  Value elements = LLVM::BitcastOp::create(builder, loc, vector, packed);
  for (unsigned half : {0u, 1u})
    if (!tile.scalars[first + half])
      tile.scalars[first + half] = LLVM::ExtractElementOp::create(
          builder, loc, elements, constant(half));
  return tile.scalars[reg];
}

Value KernelEmitter::word(RegisterTile &tile, unsigned reg) {
  if (tile.packing == 1)
    return element(tile, reg);
  // What registers past the end of the tile would hold is not asked for.
  if (!tile.type.getShape().contains(tile.layout.apply(Place::Register, reg)))
    return LLVM::PoisonOp::create(builder, loc, i32);
  Value &known = tile.words[reg / tile.packing];
  if (!known && tile.fetch && !tile.scalars[reg])
    tile.fetch(reg);
  if (known)
    return known;
  if (tile.packing == 4) {
    // Bytes are put side by side two by two.
    auto join = [&](Value low, Value high, int32_t selector) {
      return callIntrinsic(builder, loc, "llvm.nvvm.prmt", i32,
                           {low, high, constant(selector)});
    };
    SmallVector<Value> bytes;
    for (unsigned i = 0; i < 4; ++i)
      bytes.push_back(
          LLVM::ZExtOp::create(builder, loc, i32, element(tile, reg + i)));
    return known = join(join(bytes[0], bytes[1], 0x0040),
                        join(bytes[2], bytes[3], 0x0040), 0x5410);
  }
  Value low = element(tile, reg), high = element(tile, reg + 1);
  auto lowRound = low.getDefiningOp<LLVM::FPTruncOp>();
  auto highRound = high.getDefiningOp<LLVM::FPTruncOp>();
  Type element = tile.type.getElementType();
  Type vector = VectorType::get({2}, element);
  if (lowRound && highRound && lowRound.getArg().getType().isF32() &&
      highRound.getArg().getType().isF32()) {
    // Both halves come from f32: one instruction rounds and packs them.
    StringRef name =
        element.isBF16() ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn";
    Value rounded = callIntrinsic(builder, loc, name, vector,
                                  {highRound.getArg(), lowRound.getArg()});
    return known = bitcast(rounded, i32);
  }
  Value packed = LLVM::PoisonOp::create(builder, loc, vector);
  packed =
      LLVM::InsertElementOp::create(builder, loc, packed, low, constant(0));
  packed =
      LLVM::InsertElementOp::create(builder, loc, packed, high, constant(1));
  return known = bitcast(packed, i32);
}

void KernelEmitter::fetchAll(RegisterTile &tile) {
  for (unsigned reg : tile.layout.registersOf(tile.type.getShape()))
    if (reg % tile.packing == 0)
      word(tile, reg);
}

Value KernelEmitter::shuffle(Value value, int32_t laneMask) {
  auto exchange = [&](Value part) -> Value {
    return NVVM::ShflOp::create(builder, loc, part.getType(), constant(-1),
                                part, constant(laneMask), constant(31),
                                NVVM::ShflKind::bfly, UnitAttr());
  };
  Type type = value.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  if (bits == 32)
    return exchange(value);
  if (bits == 64) {
    Type halves = VectorType::get({2}, i32);
    Value source = bitcast(value, halves);
    Value result = LLVM::PoisonOp::create(builder, loc, halves);
    for (int32_t half : {0, 1})
      result = LLVM::InsertElementOp::create(
          builder, loc, result,
          exchange(LLVM::ExtractElementOp::create(builder, loc, source,
                                                  constant(half))),
          constant(half));
    return bitcast(result, type);
  }
  Type integer = builder.getIntegerType(bits);
  Value wide = LLVM::ZExtOp::create(builder, loc, i32, bitcast(value, integer));
  return bitcast(LLVM::TruncOp::create(builder, loc, integer, exchange(wide)),
                 type);
}

Value KernelEmitter::toMemory(Value value) {
  if (!value.getType().isInteger(1))
    return value;
  return LLVM::ZExtOp::create(builder, loc, builder.getI8Type(), value);
}

Value KernelEmitter::fromMemory(Value value, Type element) {
  if (!element.isInteger(1))
    return bitcast(value, llvmType(element));
  return LLVM::TruncOp::create(builder, loc, i1, value);
}

Value KernelEmitter::callIntrinsic(OpBuilder &builder, Location loc,
                                   StringRef name, Type result,
                                   ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(builder, loc, result,
                                       builder.getStringAttr(name), arguments)
      .getResult(0);
}
