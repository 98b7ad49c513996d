//===- EmitShared.cpp - Shared memory -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads of rings, and changes of layout, which go through shared memory.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

Value KernelEmitter::slotBase(Value slot) {
  auto pick = slot.getDefiningOp<PickOp>();
  RingType type = pick.getRing().getType();
  Value base = offsetBy(builder, loc, sharedBase,
                        memory.ringOffsets.lookup(pick.getRing()));
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
  Type element = tile.type.getElementType();
  unsigned elementBytes = bytesOf(element);
  auto offsetOf = [places](unsigned reg) { return places.registerOffset(reg); };
  RegisterTile *target = &tile;
  // A word of 4 bytes that begins with a register.
  auto keep = [=](unsigned reg, Value word) {
    if (target->packing > 1)
      target->words[reg / target->packing] = word;
    else
      target->scalars[reg] = fromMemory(word, element);
  };
  if (tile.packing * elementBytes == 4)
    if (std::optional<LdMatrixPlan> plan = planLdMatrix(places, elementBytes)) {
      unsigned group = tile.packing - 1;
      for (unsigned bit : plan->matrixBits)
        group |= 1u << bit;
      unsigned matrices = 1u << plan->matrixBits.size();
      tile.fetch = [=](unsigned index) {
        unsigned first = index & ~group;
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
          keep(reg, matrices == 1 ? loaded
                                  : Value(LLVM::ExtractValueOp::create(
                                        builder, loc, loaded,
                                        ArrayRef<int64_t>{matrix})));
        }
      };
      return;
    }
  // Registers that lie next to each other move together, whichever bits of
  // their number walk along the bytes; of a word, the lowest.
  SmallVector<unsigned> run;
  auto bitThatMoves = [&](unsigned bytes) -> std::optional<unsigned> {
    for (auto [bit, image] : llvm::enumerate(places.registers))
      if (image == bytes && !(places.digits >> bit & 1))
        return bit;
    return std::nullopt;
  };
  for (unsigned bytes = elementBytes; bytes < widestAccess; bytes *= 2) {
    std::optional<unsigned> bit = bitThatMoves(bytes);
    if (!bit || (bytes < 4 && *bit != run.size()))
      break;
    run.push_back(*bit);
  }
  // Parts of a word, and bytes that are not kept as words, come one by one.
  if ((elementBytes << run.size()) < 4 ||
      (elementBytes < 4 && tile.packing == 1))
    run.clear();
  unsigned group = 0;
  for (unsigned bit : run)
    group |= 1u << bit;
  unsigned bytes = elementBytes << run.size();
  tile.fetch = [=](unsigned index) {
    unsigned first = index & ~group;
    Value address = sharedAddress(base, places.lanes, places.warps,
                                  offsetOf(first), places.combine);
    unsigned wordBytes = elementBytes == 8 ? 8 : std::min(bytes, 4u);
    unsigned words = bytes / wordBytes;
    Type word = builder.getIntegerType(8 * wordBytes);
    Type type =
        words == 1 ? word : Type(VectorType::get({int64_t(words)}, word));
    Value loaded = LLVM::LoadOp::create(builder, loc, type, address, bytes);
    for (unsigned i = 0; i < words; ++i) {
      // The elements of the run that come before this word.
      unsigned skipped = i * wordBytes / elementBytes, reg = first;
      for (auto [place, bit] : llvm::enumerate(run))
        if (skipped >> place & 1)
          reg |= 1u << bit;
      Value value = words == 1 ? loaded
                               : Value(LLVM::ExtractElementOp::create(
                                     builder, loc, loaded, constant(i)));
      if (wordBytes < 4)
        target->scalars[reg] = fromMemory(value, element);
      else
        keep(reg, value);
    }
  };
}

void KernelEmitter::writeShared(RegisterTile &tile, const SharedLayout &shared,
                                Value base) {
  SharedAccess places = compose(tile.layout, shared);
  unsigned elementBytes = bytesOf(tile.type.getElementType());
  unsigned bits = 0;
  while (bits < places.registers.size() &&
         places.registers[bits] == elementBytes << bits &&
         !(places.digits >> bits & 1) &&
         (elementBytes << (bits + 1)) <= widestAccess)
    ++bits;
  if ((1u << bits) < tile.packing)
    bits = 0; // parts of a word are not put together
  unsigned vector = 1u << bits, bytes = vector * elementBytes;
  for (unsigned reg : tile.layout.registersOf(tile.type.getShape())) {
    if (reg % vector)
      continue;
    Value address = sharedAddress(base, places.lanes, places.warps,
                                  places.registerOffset(reg), places.combine);
    SmallVector<Value> words;
    if (tile.packing > 1 && vector >= tile.packing)
      for (unsigned i = 0; i < vector; i += tile.packing)
        words.push_back(word(tile, reg + i));
    else
      for (unsigned i = 0; i < vector; ++i)
        words.push_back(toMemory(element(tile, reg + i)));
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

Operation *KernelEmitter::lastLateUse(Operation *op, bool byConvert) {
  Operation *last = nullptr;
  for (Operation *user : op->getUsers()) {
    if (user->getBlock() != op->getBlock())
      return nullptr;
    // What a map needs late is needed when the map is.
    Operation *use = user;
    if (isa<tile::MapOp>(user) && byConvert)
      use = lastLateUse(user, byConvert);
    else if (!isa<MmaOp>(user) && !(byConvert && isFactorConvert(user)))
      return nullptr;
    if (!use)
      return nullptr;
    if (!last || last->isBeforeInBlock(use))
      last = use;
  }
  for (Operation *next = op->getNextNode(); last && next != last;
       next = next->getNextNode()) {
    if (isa<BarrierOp, WaitGroupsOp, scf::ForOp>(next))
      return nullptr;
    // Conversions and reductions take turns in the same memory.
    if (isa<ConvertOp>(op) && (scratchBytes(*next) || isa<scf::IfOp>(next)))
      return nullptr;
  }
  return last;
}

/// How the part of a slot that a read takes lies there.
static std::optional<SharedPart> partOf(ReadOp op) {
  SlotType slot = op.getSlot().getType();
  TileType tile = op.getTile().getType();
  auto whole = TileType::get(op.getContext(), slot.getAxes(), slot.getSizes(),
                             slot.getElementType(), LayoutAttr());
  auto from = int64_t(*op.getFrom());
  return slot.getSharedLayout().part(whole.getShape(), tile.getShape(),
                                     *partAxis(whole, tile, from), from);
}

LogicalResult KernelEmitter::emitRead(ReadOp op) {
  SharedLayout shared = op.getSlot().getType().getSharedLayout();
  Value base = slotBase(op.getSlot());
  if (op.getFrom()) {
    std::optional<SharedPart> part = partOf(op);
    if (!part)
      return op.emitError() << "positions from " << *op.getFrom() << " of "
                            << op.getSlot().getType()
                            << " are no tile that its swizzle keeps together; "
                               "begin at a multiple of 128 bytes, and take a "
                               "power of two of the other axes";
    shared = part->layout;
    base = offsetBy(builder, loc, base, part->offset);
  }
  auto tile = newTile(op.getTile());
  readShared(*tile, shared, base);
  if (!lastLateUse(op, /*byConvert=*/true))
    fetchAll(*tile);
  return success();
}

LogicalResult KernelEmitter::emitConvert(ConvertOp op) {
  RegisterTile &input = *tiles.lookup(op.getInput());
  auto result = newTile(op.getResult());
  // The same threads: at most the registers change places.
  if (keepsThreads(op)) {
    for (unsigned reg = 0; reg < result->layout.numRegisters(); ++reg)
      result->scalars[reg] =
          element(input, *input.layout.registerFor(
                             result->layout.apply(Place::Register, reg)));
    return success();
  }
  unsigned elementBytes = bytesOf(result->type.getElementType());
  SharedLayout scratch =
      SharedLayout::swizzledRowMajor(result->type.getShape(), elementBytes,
                                     /*rotation=*/elementBytes == 4 ? 1 : 0);
  Value base =
      offsetBy(builder, loc, sharedBase,
               memory.afterRings.contains(op) ? 0 : memory.scratchOffset);
  NVVM::Barrier0Op::create(builder, loc);
  // Of warps that hold the same elements one writes: two would race.
  Block *after = nullptr;
  if (uint32_t copies = input.layout.replicatedBits(Place::Warp)) {
    // What is kept for later uses must not be made under the condition.
    for (unsigned reg = 0; reg < input.layout.numRegisters(); ++reg)
      element(input, reg);
    fetchAll(input);
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
  if (!lastLateUse(op, /*byConvert=*/false))
    fetchAll(*result);
  return success();
}
