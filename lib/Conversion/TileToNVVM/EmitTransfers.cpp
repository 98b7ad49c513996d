//===- EmitTransfers.cpp - Global and shared memory -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"
#include "fmt/format.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Global memory: addresses and conditions
//===----------------------------------------------------------------------===//

/// The axes of an array that a view has in its type, by number.
static SmallVector<unsigned> tileAxes(ViewOp view) {
  SmallVector<unsigned> axes;
  for (auto [axis, extent] : llvm::enumerate(view.getExtents()))
    if (extent != 1)
      axes.push_back(axis);
  return axes;
}

/// Bytes from one position of an array to the next, along each axis.
static SmallVector<int64_t> stridesOf(ncd::ArrayType type) {
  SmallVector<int64_t> strides(type.getRank(), type.getElementBytes());
  for (int axis = int(type.getRank()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * type.getSizes()[axis + 1];
  return strides;
}

FailureOr<KernelEmitter::GlobalAccess>
KernelEmitter::accessGlobal(Operation *op, ViewOp view,
                            const LinearLayout &layout) {
  ncd::ArrayType type = view.getArrayType();
  if (!view.getIndices().empty())
    return op->emitError()
           << "reaching axis '"
           << type.getAxes()[view.getIndexAxes().front()].getValue()
           << "' through an index array is not lowered yet";
  TileShape shape = view.getType().getShape();
  SmallVector<int64_t> strides = stridesOf(type);
  SmallVector<unsigned> axes = tileAxes(view);
  auto bytesAlong = [&](Value position, unsigned axis) -> Value {
    Value wide = LLVM::ZExtOp::create(builder, loc, i64, position);
    Value stride = LLVM::ConstantOp::create(
        builder, loc, i64, builder.getI64IntegerAttr(strides[axis]));
    return LLVM::MulOp::create(builder, loc, wide, stride);
  };
  auto isZero = [&](Value offset) {
    return factsOf(offset, op).constant() == 0;
  };

  GlobalAccess access;
  // The thread's fixed part of the address is computed once; what a loop's
  // position adds comes on top.
  access.base = inSetup([&]() -> Value {
    Value bytes;
    for (unsigned axis = 0; axis < type.getRank(); ++axis) {
      Value offset = view.getDimension(axis).offset, position;
      if (isPlace(offset) && !isZero(offset))
        position = scalar(offset);
      if (const unsigned *tile = llvm::find(axes, axis); tile != axes.end()) {
        Value thread = threadCoordinate(layout, shape, tile - axes.begin());
        position =
            position
                ? Value(LLVM::AddOp::create(builder, loc, position, thread))
                : thread;
      }
      if (!position)
        continue;
      Value part = bytesAlong(position, axis);
      bytes =
          bytes ? Value(LLVM::AddOp::create(builder, loc, bytes, part)) : part;
    }
    Value array = scalar(view.getArray());
    if (!bytes)
      return array;
    return LLVM::GEPOp::create(builder, loc, globalPointer, builder.getI8Type(),
                               array, ArrayRef<LLVM::GEPArg>{bytes});
  });
  for (unsigned axis = 0; axis < type.getRank(); ++axis) {
    Value offset = view.getDimension(axis).offset;
    if (!offset || isPlace(offset))
      continue;
    access.base = LLVM::GEPOp::create(
        builder, loc, globalPointer, builder.getI8Type(), access.base,
        ArrayRef<LLVM::GEPArg>{bytesAlong(scalar(offset), axis)});
  }
  for (unsigned reg = 0; reg < layout.numRegisters(); ++reg) {
    uint32_t flat = layout.apply(Place::Register, reg);
    int64_t offset = 0;
    for (auto [tile, axis] : llvm::enumerate(axes))
      offset += shape.coordinate(flat, tile) * strides[axis];
    access.offsets.push_back(offset);
  }
  // Contiguous registers move together as far as the rows allow it.
  if (shape.rank()) {
    unsigned bits =
        std::min(layout.contiguousRegisterBits(), shape.bits(shape.rank() - 1));
    access.vector =
        std::min<unsigned>(1u << bits, unsigned(vectorOf(view, op)));
  }
  access.inside = insideTest(op, view, layout);
  return access;
}

std::function<Value(unsigned)>
KernelEmitter::insideTest(Operation *op, ViewOp view,
                          const LinearLayout &layout) {
  /// One dimension whose positions may not count.
  struct Tested {
    unsigned tile;       ///< axis of the tile
    int64_t size;        ///< of the array
    Value offset, limit; ///< of the view, or null
  };
  TileShape shape = view.getType().getShape();
  SmallVector<Tested> tested;
  for (auto [tile, axis] : llvm::enumerate(tileAxes(view)))
    if (mayReachPast(view, axis, op)) {
      ViewDimension dimension = view.getDimension(axis);
      tested.push_back({unsigned(tile), view.getArrayType().getSizes()[axis],
                        dimension.offset, dimension.limit});
    }
  // Of an axis with one position it is the same for all registers.
  Value whole;
  for (auto [axis, extent] : llvm::enumerate(view.getExtents())) {
    if (extent != 1 || !mayReachPast(view, axis, op))
      continue;
    ViewDimension dimension = view.getDimension(axis);
    Value position = dimension.offset ? scalar(dimension.offset) : constant(0);
    for (Value end : {constant(view.getArrayType().getSizes()[axis]),
                      dimension.limit ? scalar(dimension.limit) : Value()}) {
      if (!end)
        continue;
      Value test = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt,
                                        position, end);
      whole =
          whole ? Value(LLVM::AndOp::create(builder, loc, whole, test)) : test;
    }
  }
  if (tested.empty() && !whole)
    return {};
  auto known =
      std::make_shared<std::map<std::pair<unsigned, uint32_t>, Value>>();
  return [=](unsigned reg) -> Value {
    uint32_t flat = layout.apply(Place::Register, reg);
    Value condition = whole;
    for (const Tested &dimension : tested) {
      uint32_t coordinate = shape.coordinate(flat, dimension.tile);
      Value &test = (*known)[{dimension.tile, coordinate}];
      if (!test) {
        Value position = threadCoordinate(layout, shape, dimension.tile);
        if (dimension.offset)
          position = LLVM::AddOp::create(builder, loc, position,
                                         scalar(dimension.offset));
        Value end = constant(int32_t(dimension.size) - int32_t(coordinate));
        if (dimension.limit) {
          Value least =
              LLVM::SMinOp::create(builder, loc, scalar(dimension.limit),
                                   constant(int32_t(dimension.size)));
          end = LLVM::SubOp::create(builder, loc, least, constant(coordinate));
        }
        test = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt,
                                    position, end);
      }
      condition =
          condition ? Value(LLVM::AndOp::create(builder, loc, condition, test))
                    : test;
    }
    return condition;
  };
}

/// Adds a constant number of bytes to a pointer.
static Value offsetBy(OpBuilder &builder, Location loc, Value pointer,
                      int64_t bytes) {
  if (!bytes)
    return pointer;
  LLVM::GEPArg offset = int32_t(bytes);
  if (!llvm::isInt<31>(bytes)) // rows of one tile may lie gigabytes apart
    offset = Value(LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                            builder.getI64IntegerAttr(bytes)));
  return LLVM::GEPOp::create(builder, loc, pointer.getType(),
                             builder.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}

//===----------------------------------------------------------------------===//
// Global memory: moving words
//===----------------------------------------------------------------------===//

/// ".v4" and the like for a number of words.
static std::string vectorSuffix(size_t words) {
  return words == 1 ? "" : fmt::format(".v{}", words);
}

Value KernelEmitter::loadGlobalWords(Value pointer, unsigned bytes,
                                     Value condition,
                                     SmallVectorImpl<Value> &words) {
  Type word = bytes >= 4 ? i32 : bytes == 2 ? i16 : Type(builder.getI8Type());
  unsigned count = std::max(1u, bytes / 4);
  if (!condition) {
    Type type = count == 1 ? word : VectorType::get({int64_t(count)}, word);
    Value loaded = LLVM::LoadOp::create(builder, loc, type, pointer, bytes);
    for (unsigned i = 0; i < count; ++i)
      words.push_back(count == 1 ? loaded
                                 : Value(LLVM::ExtractElementOp::create(
                                       builder, loc, loaded, constant(i))));
    return {};
  }
  // A guarded load leaves zeros: one instruction, no branch.
  StringRef kind = bytes >= 4 ? "b32" : bytes == 2 ? "b16" : "b8";
  Type registerType = bytes >= 4 ? i32 : i16;
  std::string text, targets;
  for (unsigned i = 0; i < count; ++i) {
    text += fmt::format("mov.{} ${}, 0; ", bytes >= 4 ? "b32" : "b16", i);
    targets += fmt::format("{}${}", i ? ", " : "", i);
  }
  if (count > 1)
    targets = "{" + targets + "}";
  text += fmt::format("@${} ld.global{}.{} {}, [${}];", count + 1,
                      vectorSuffix(count), kind.str(), targets, count);
  std::string constraints;
  for (unsigned i = 0; i < count; ++i)
    constraints += bytes >= 4 ? "=r," : "=h,";
  constraints += "l,b";
  Type result = count == 1
                    ? registerType
                    : Type(LLVM::LLVMStructType::getLiteral(
                          builder.getContext(), SmallVector<Type>(count, i32)));
  Value loaded = LLVM::InlineAsmOp::create(
                     builder, loc, result, ValueRange{pointer, condition}, text,
                     constraints,
                     /*has_side_effects=*/true, /*is_align_stack=*/false,
                     LLVM::tailcallkind::TailCallKind::None,
                     LLVM::AsmDialectAttr(), ArrayAttr())
                     .getResult(0);
  for (unsigned i = 0; i < count; ++i) {
    Value value = count == 1 ? loaded
                             : Value(LLVM::ExtractValueOp::create(
                                   builder, loc, loaded, ArrayRef<int64_t>{i}));
    if (bytes == 1)
      value = LLVM::TruncOp::create(builder, loc, word, value);
    words.push_back(value);
  }
  return {};
}

void KernelEmitter::storeGlobalWords(Value pointer, ArrayRef<Value> words,
                                     unsigned bytes, Value condition) {
  if (!condition) {
    Value value = words.front();
    if (words.size() > 1) {
      Type type = VectorType::get({int64_t(words.size())}, words[0].getType());
      value = LLVM::PoisonOp::create(builder, loc, type);
      for (auto [i, word] : llvm::enumerate(words))
        value = LLVM::InsertElementOp::create(builder, loc, value, word,
                                              constant(i));
    }
    LLVM::StoreOp::create(builder, loc, value, pointer, bytes);
    return;
  }
  std::string sources, constraints;
  SmallVector<Value> operands;
  for (auto [i, word] : llvm::enumerate(words)) {
    sources += fmt::format("{}${}", i ? ", " : "", i);
    constraints += bytes >= 4 ? "r," : "h,";
    operands.push_back(
        bytes == 1 ? Value(LLVM::ZExtOp::create(builder, loc, i16, word))
                   : word);
  }
  if (words.size() > 1)
    sources = "{" + sources + "}";
  StringRef kind = bytes >= 4 ? "b32" : bytes == 2 ? "b16" : "b8";
  std::string text = fmt::format("@${} st.global{}.{} [${}], {};",
                                 words.size() + 1, vectorSuffix(words.size()),
                                 kind.str(), words.size(), sources);
  constraints += "l,b";
  operands.push_back(pointer);
  operands.push_back(condition);
  LLVM::InlineAsmOp::create(builder, loc, TypeRange(), operands, text,
                            constraints,
                            /*has_side_effects=*/true, /*is_align_stack=*/false,
                            LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

LogicalResult KernelEmitter::emitLoad(LoadOp op) {
  auto tile = newTile(op.getTile());
  unsigned elementBytes = bytesOf(tile->type.getElementType());
  if (elementBytes > 4)
    return op.emitError() << "loading elements of "
                          << tile->type.getElementType()
                          << " is not possible; use at most 32 bits";
  FailureOr<GlobalAccess> found =
      accessGlobal(op, op.getViewOp(), tile->layout);
  if (failed(found))
    return failure();
  GlobalAccess &access = *found;
  for (unsigned reg = 0; reg < tile->layout.numRegisters();
       reg += access.vector) {
    SmallVector<Value> words;
    Value condition = access.inside ? access.inside(reg) : Value();
    loadGlobalWords(offsetBy(builder, loc, access.base, access.offsets[reg]),
                    access.vector * elementBytes, condition, words);
    if (elementBytes == 2 && access.vector >= 2)
      for (auto [i, word] : llvm::enumerate(words))
        tile->pairs[reg / 2 + i] = word;
    else if (elementBytes == 1 && access.vector > 1)
      for (unsigned i = 0; i < access.vector; ++i) {
        Value word = words[i / 4];
        if (word.getType().getIntOrFloatBitWidth() > 8) {
          Value shifted = LLVM::LShrOp::create(
              builder, loc, word,
              LLVM::ConstantOp::create(
                  builder, loc, word.getType(),
                  builder.getIntegerAttr(word.getType(), 8 * (i % 4))));
          word =
              LLVM::TruncOp::create(builder, loc, builder.getI8Type(), shifted);
        }
        tile->scalars[reg + i] = bitcast(word, tile->type.getElementType());
      }
    else
      for (auto [i, word] : llvm::enumerate(words))
        tile->scalars[reg + i] = bitcast(word, tile->type.getElementType());
  }
  return success();
}

Value KernelEmitter::holdsFirstCopy(const LinearLayout &layout) {
  Value condition;
  auto onlyZero = [&](Value source, uint32_t mask) {
    if (!mask)
      return;
    Value bits = LLVM::AndOp::create(builder, loc, source, constant(mask));
    Value zero = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                      bits, constant(0));
    condition = condition
                    ? Value(LLVM::AndOp::create(builder, loc, condition, zero))
                    : zero;
  };
  onlyZero(lane, layout.replicatedBits(Place::Lane));
  onlyZero(warp, layout.replicatedBits(Place::Warp));
  return condition;
}

LogicalResult KernelEmitter::emitStore(StoreOp op) {
  RegisterTile &tile = *tiles.lookup(op.getTile());
  unsigned elementBytes = bytesOf(tile.type.getElementType());
  if (elementBytes > 4)
    return op.emitError() << "storing elements of "
                          << tile.type.getElementType()
                          << " is not possible; use at most 32 bits";
  FailureOr<GlobalAccess> found = accessGlobal(op, op.getViewOp(), tile.layout);
  if (failed(found))
    return failure();
  GlobalAccess &access = *found;
  if (elementBytes == 1)
    access.vector = 1;
  // Threads that share an element: the one with zeros in the shared bits
  // writes.
  Value writes = holdsFirstCopy(tile.layout);
  for (unsigned reg = 0; reg < tile.layout.numRegisters();
       reg += access.vector) {
    SmallVector<Value> words;
    if (elementBytes == 2 && access.vector >= 2)
      for (unsigned i = 0; i < access.vector / 2; ++i)
        words.push_back(pair(tile, reg / 2 + i));
    else
      for (unsigned i = 0; i < access.vector; ++i)
        words.push_back(bitcast(element(tile, reg + i),
                                builder.getIntegerType(8 * elementBytes)));
    Value condition = access.inside ? access.inside(reg) : Value();
    if (condition && writes)
      condition = LLVM::AndOp::create(builder, loc, condition, writes);
    else if (writes)
      condition = writes;
    storeGlobalWords(offsetBy(builder, loc, access.base, access.offsets[reg]),
                     words, access.vector * elementBytes, condition);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Global to shared memory
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitCopy(CopyOp op) {
  SlotType type = op.getSlot().getType();
  TileShape shape = type.getShape();
  unsigned elementBytes = bytesOf(type.getElementType());
  unsigned warpBits = log2Exact(kernel.getWarps());
  // The widest copy that rows allow decides how threads are dealt out.
  LinearLayout layout =
      target::copyLayout(shape, vectorOf(op.getViewOp(), op), warpBits);
  FailureOr<GlobalAccess> found = accessGlobal(op, op.getViewOp(), layout);
  if (failed(found))
    return failure();
  GlobalAccess &access = *found;
  unsigned bytes = access.vector * elementBytes;
  SharedAccess places = compose(layout, type.getSharedLayout());
  Value base = slotBase(op.getSlot());
  // Threads for which nothing is left do not copy.
  Value copies = holdsFirstCopy(layout);
  Block *after = nullptr;
  if (copies) {
    Block *then = startBlock();
    after = startBlock();
    LLVM::CondBrOp::create(builder, loc, copies, then, after);
    builder.setInsertionPointToStart(then);
  }
  for (unsigned reg = 0; reg < layout.numRegisters(); reg += access.vector) {
    Value destination =
        sharedAddress(base, places.lanes, places.warps,
                      places.registerOffset(reg), places.combine);
    Value source = offsetBy(builder, loc, access.base, access.offsets[reg]);
    Value condition = access.inside ? access.inside(reg) : Value();
    if (bytes < 4) {
      // Rows that start anywhere: through a register, one element at a time.
      SmallVector<Value> words;
      loadGlobalWords(source, bytes, condition, words);
      LLVM::StoreOp::create(builder, loc, words[0], destination, bytes);
      continue;
    }
    Value size;
    if (condition) // a copy of no bytes fills with zeros
      size = LLVM::SelectOp::create(builder, loc, condition, constant(bytes),
                                    constant(0));
    auto modifier = bytes == widestAccess ? NVVM::LoadCacheModifierKind::CG
                                          : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(builder, loc, destination, source, bytes, modifier,
                            size);
  }
  if (after) {
    LLVM::BrOp::create(builder, loc, ValueRange{}, after);
    builder.setInsertionPointToStart(after);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

Value KernelEmitter::slotBase(Value slot) {
  auto pick = slot.getDefiningOp<PickOp>();
  RingType type = pick.getRing().getType();
  Value base =
      offsetBy(builder, loc, sharedBase, ringOffsets.lookup(pick.getRing()));
  if (type.getSlots() == 1)
    return base;
  Value bytes = LLVM::MulOp::create(builder, loc, scalar(pick.getNumber()),
                                    constant(int32_t(slotStride(type))));
  return LLVM::GEPOp::create(builder, loc, sharedPointer, builder.getI8Type(),
                             base, ArrayRef<LLVM::GEPArg>{bytes});
}

Value KernelEmitter::sharedAddress(Value slotBase, ArrayRef<uint32_t> lanes,
                                   ArrayRef<uint32_t> warps, uint32_t offset,
                                   Combine combine) {
  // Bits that no thread sets may be added, as an immediate of the instruction;
  // the others are XORed into the thread's part, once, ahead of the loops.
  // Where images are added in the first place, all of the offset is an
  // immediate.
  uint32_t mask = imageMask(lanes, warps);
  Value thread = threadImage(lanes, warps, combine);
  if (combine == Combine::Sum) {
    Value pointer = slotBase;
    if (mask)
      pointer =
          LLVM::GEPOp::create(builder, loc, sharedPointer, builder.getI8Type(),
                              pointer, ArrayRef<LLVM::GEPArg>{thread});
    return offsetBy(builder, loc, pointer, offset);
  }
  if (uint32_t swizzle = offset & mask) {
    Value &known = xoredImages[{thread, swizzle}];
    if (!known)
      known = inSetup([&]() -> Value {
        return LLVM::XOrOp::create(builder, loc, thread, constant(swizzle));
      });
    thread = known;
  }
  Value pointer = slotBase;
  if (mask)
    pointer =
        LLVM::GEPOp::create(builder, loc, sharedPointer, builder.getI8Type(),
                            pointer, ArrayRef<LLVM::GEPArg>{thread});
  return offsetBy(builder, loc, pointer, offset & ~mask);
}

void KernelEmitter::readShared(RegisterTile &tile, const SharedLayout &shared,
                               Value base) {
  SharedAccess places = compose(tile.layout, shared);
  unsigned elementBytes = bytesOf(tile.type.getElementType());
  auto offsetOf = [places](unsigned reg) { return places.registerOffset(reg); };
  if (elementBytes == 2)
    if (std::optional<LdMatrixPlan> plan = planLdMatrix(places)) {
      unsigned group = 0;
      for (unsigned bit : plan->matrixBits)
        group |= 1u << bit;
      unsigned matrices = 1u << plan->matrixBits.size();
      RegisterTile *target = &tile;
      tile.fetch = [=](unsigned index) {
        unsigned first = (2 * index) & ~group;
        Value address = sharedAddress(base, plan->laneImages, places.warps,
                                      offsetOf(first), places.combine);
        Type type =
            matrices == 1
                ? i32
                : Type(LLVM::LLVMStructType::getLiteral(
                      builder.getContext(), SmallVector<Type>(matrices, i32)));
        Value loaded = NVVM::LdMatrixOp::create(
            builder, loc, type, address, matrices,
            plan->transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row,
            NVVM::LdStMatrixShapeAttr::get(builder.getContext(), 8, 8),
            NVVM::LdStMatrixEltType::B16);
        for (unsigned matrix = 0; matrix < matrices; ++matrix) {
          unsigned reg = first;
          for (auto [i, bit] : llvm::enumerate(plan->matrixBits))
            if (matrix >> i & 1)
              reg |= 1u << bit;
          target->pairs[reg / 2] =
              matrices == 1
                  ? loaded
                  : Value(LLVM::ExtractValueOp::create(
                        builder, loc, loaded, ArrayRef<int64_t>{matrix}));
        }
      };
      return;
    }
  // Contiguous registers that stay contiguous bytes move together; bytes one by
  // one, for taking words apart costs more than it saves.
  unsigned bits = 0;
  while (elementBytes > 1 && bits < places.registers.size() &&
         places.registers[bits] == elementBytes << bits &&
         (elementBytes << (bits + 1)) <= widestAccess)
    ++bits;
  unsigned vector = 1u << bits, bytes = vector * elementBytes;
  for (unsigned reg = 0; reg < tile.layout.numRegisters(); reg += vector) {
    Value address = sharedAddress(base, places.lanes, places.warps,
                                  offsetOf(reg), places.combine);
    if (bytes < 4) {
      Type type = elementBytes == 2 ? i16 : Type(builder.getI8Type());
      Value loaded = LLVM::LoadOp::create(builder, loc, type, address, bytes);
      tile.scalars[reg] = bitcast(loaded, tile.type.getElementType());
      continue;
    }
    unsigned words = bytes / 4;
    Type type = words == 1 ? i32 : Type(VectorType::get({int64_t(words)}, i32));
    Value loaded = LLVM::LoadOp::create(builder, loc, type, address, bytes);
    for (unsigned i = 0; i < words; ++i) {
      Value word = words == 1 ? loaded
                              : Value(LLVM::ExtractElementOp::create(
                                    builder, loc, loaded, constant(i)));
      if (elementBytes == 2)
        tile.pairs[reg / 2 + i] = word;
      else
        tile.scalars[reg + i] = bitcast(word, tile.type.getElementType());
    }
  }
}

void KernelEmitter::writeShared(RegisterTile &tile, const SharedLayout &shared,
                                Value base) {
  SharedAccess places = compose(tile.layout, shared);
  unsigned elementBytes = bytesOf(tile.type.getElementType());
  unsigned bits = 0;
  while (bits < places.registers.size() &&
         places.registers[bits] == elementBytes << bits &&
         (elementBytes << (bits + 1)) <= widestAccess)
    ++bits;
  unsigned vector = 1u << bits, bytes = vector * elementBytes;
  for (unsigned reg = 0; reg < tile.layout.numRegisters(); reg += vector) {
    Value address = sharedAddress(base, places.lanes, places.warps,
                                  places.registerOffset(reg), places.combine);
    SmallVector<Value> words;
    if (elementBytes == 2 && vector >= 2)
      for (unsigned i = 0; i < vector / 2; ++i)
        words.push_back(pair(tile, reg / 2 + i));
    else
      for (unsigned i = 0; i < vector; ++i)
        words.push_back(element(tile, reg + i));
    Value value = words.front();
    if (words.size() > 1) {
      Type type = VectorType::get({int64_t(words.size())}, words[0].getType());
      value = LLVM::PoisonOp::create(builder, loc, type);
      for (auto [i, word] : llvm::enumerate(words))
        value = LLVM::InsertElementOp::create(builder, loc, value, word,
                                              constant(i));
    }
    LLVM::StoreOp::create(builder, loc, value, address, bytes);
  }
}

/// Whether every use of a read is a matrix product of the same block with no
/// synchronisation or copy in between, so that reading late changes nothing.
static bool mayReadLate(ReadOp op) {
  Operation *last = nullptr;
  for (Operation *user : op->getUsers()) {
    if (!isa<MmaOp>(user) || user->getBlock() != op->getBlock())
      return false;
    if (!last || last->isBeforeInBlock(user))
      last = user;
  }
  for (Operation *next = op->getNextNode(); last && next != last;
       next = next->getNextNode())
    if (isa<BarrierOp, WaitGroupsOp, scf::ForOp>(next))
      return false;
  return last;
}

LogicalResult KernelEmitter::emitRead(ReadOp op) {
  auto tile = newTile(op.getTile());
  readShared(*tile, op.getSlot().getType().getSharedLayout(),
             slotBase(op.getSlot()));
  if (tile->fetch && !mayReadLate(op))
    for (unsigned index = 0; index < tile->pairs.size(); ++index)
      pair(*tile, index);
  return success();
}

LogicalResult KernelEmitter::emitConvert(ConvertOp op) {
  RegisterTile &input = *tiles.lookup(op.getInput());
  auto result = newTile(op.getResult());
  // The same threads: at most the registers change places.
  if (input.layout.getBases(Place::Lane) ==
          result->layout.getBases(Place::Lane) &&
      input.layout.getBases(Place::Warp) ==
          result->layout.getBases(Place::Warp)) {
    SmallVector<unsigned> from;
    for (unsigned reg = 0; reg < result->layout.numRegisters(); ++reg)
      if (auto source = input.layout.registerFor(
              result->layout.apply(Place::Register, reg)))
        from.push_back(*source);
    if (from.size() == result->layout.numRegisters()) {
      for (auto [reg, source] : llvm::enumerate(from))
        result->scalars[reg] = element(input, source);
      return success();
    }
  }
  unsigned elementBytes = bytesOf(result->type.getElementType());
  if (elementBytes > 4 || result->type.getElementType().isInteger(1))
    return op.emitError()
           << "moving elements of " << result->type.getElementType()
           << " between threads is not possible; use 8 to 32 bits";
  SharedLayout scratch =
      SharedLayout::swizzledRowMajor(result->type.getShape(), elementBytes);
  Value base = offsetBy(builder, loc, sharedBase,
                        afterRings.contains(op) ? 0 : scratchOffset);
  NVVM::Barrier0Op::create(builder, loc);
  // Of warps that hold the same elements one writes: two would race.
  Block *after = nullptr;
  if (uint32_t copies = input.layout.replicatedBits(Place::Warp)) {
    // What is kept for later uses must not be made under the condition.
    for (unsigned reg = 0; reg < input.layout.numRegisters(); ++reg)
      element(input, reg);
    for (unsigned index = 0; index < input.pairs.size(); ++index)
      pair(input, index);
    Value bits = LLVM::AndOp::create(builder, loc, warp, constant(copies));
    Value writes = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                        bits, constant(0));
    Block *then = startBlock();
    after = startBlock();
    LLVM::CondBrOp::create(builder, loc, writes, then, after);
    builder.setInsertionPointToStart(then);
  }
  writeShared(input, scratch, base);
  if (after) {
    LLVM::BrOp::create(builder, loc, ValueRange{}, after);
    builder.setInsertionPointToStart(after);
  }
  NVVM::Barrier0Op::create(builder, loc);
  readShared(*result, scratch, base);
  if (result->fetch)
    for (unsigned index = 0; index < result->pairs.size(); ++index)
      pair(*result, index);
  return success();
}
