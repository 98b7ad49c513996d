//===- EmitTransfers.cpp - Global memory ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"
#include "fmt/format.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Global memory: addresses and conditions
//===----------------------------------------------------------------------===//

/// The registers at which runs of `vector` of a tile begin.
static SmallVector<uint32_t> runsOf(const LinearLayout &layout,
                                    const TileShape &shape, unsigned vector) {
  SmallVector<uint32_t> registers = layout.registersOf(shape);
  llvm::erase_if(registers, [&](uint32_t reg) { return reg % vector != 0; });
  return registers;
}

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
  SmallVector<int64_t> strides = type.getPlacement();
  for (int64_t &stride : strides)
    stride *= type.getElementBytes();
  return strides;
}

/// A position as one that moves and a constant number, where what moves is
/// known not to be negative at \p user.
static std::pair<Value, int64_t> splitConstant(Value position,
                                               Operation *user) {
  auto sum = position.getDefiningOp<arith::AddIOp>();
  std::optional<int64_t> more =
      sum ? getConstantIntValue(OpFoldResult(sum.getRhs())) : std::nullopt;
  if (!more || factsOf(sum.getLhs(), user).least < 0)
    return {position, 0};
  return {sum.getLhs(), *more};
}

/// The same pointer, of which nobody else knows what it is made of: loops then
/// carry it as one value and do not add up its parts in each step.
static Value keepWhole(OpBuilder &builder, Location loc, Value pointer) {
  return LLVM::InlineAsmOp::create(
             builder, loc, pointer.getType(), pointer, "mov.b64 $0, $1;",
             "=l,l", /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
             ArrayAttr())
      .getResult(0);
}

KernelEmitter::GlobalAccess
KernelEmitter::accessGlobal(Operation *op, ViewOp view,
                            const LinearLayout &layout) {
  ncd::ArrayType type = view.getArrayType();
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
  // What moves, and by how many bytes its place is further on.
  SmallVector<std::pair<unsigned, Value>> moving;
  int64_t further = 0;
  for (unsigned axis = 0; axis < type.getRank(); ++axis) {
    Value offset = view.getDimension(axis).offset;
    if (!offset || isPlace(offset) || view.getDimension(axis).index)
      continue;
    auto [position, more] = splitConstant(offset, op);
    if (!scalar(position)) // only the sum is there
      std::tie(position, more) = std::pair(offset, int64_t(0));
    moving.push_back({axis, position});
    further += more * strides[axis];
  }
  // The thread's fixed part of the address is computed once; what a loop's
  // position adds comes on top.
  access.base = inSetup([&]() -> Value {
    Value bytes;
    for (unsigned axis = 0; axis < type.getRank(); ++axis) {
      if (view.getDimension(axis).index)
        continue; // its rows are looked up
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
    if (bytes)
      array =
          LLVM::GEPOp::create(builder, loc, globalPointer, builder.getI8Type(),
                              array, ArrayRef<LLVM::GEPArg>{bytes});
    array = offsetBy(builder, loc, array, further);
    return isa<CopyOp>(op) && !moving.empty() ? keepWhole(builder, loc, array)
                                              : array;
  });
  for (auto [axis, position] : moving)
    access.base = LLVM::GEPOp::create(
        builder, loc, globalPointer, builder.getI8Type(), access.base,
        ArrayRef<LLVM::GEPArg>{bytesAlong(scalar(position), axis)});
  for (unsigned reg = 0; reg < layout.numRegisters(); ++reg) {
    uint32_t flat = layout.apply(Place::Register, reg);
    int64_t offset = 0;
    for (auto [tile, axis] : llvm::enumerate(axes))
      if (!view.getDimension(axis).index)
        offset += shape.coordinate(flat, tile) * strides[axis];
    access.offsets.push_back(offset);
  }
  // Contiguous registers move together as far as the rows allow it.
  if (shape.rank()) {
    unsigned bits = std::min(layout.contiguousRegisterBits(),
                             shape.coreBits(shape.rank() - 1));
    access.vector =
        std::min<unsigned>(1u << bits, unsigned(vectorOf(view, op)));
  }
  access.inside = insideTest(op, view, layout);
  for (int64_t axis : view.getIndexAxes())
    access.rows.push_back(rowLookup(op, view, axis, layout, strides[axis]));
  return access;
}

std::function<Value(unsigned)>
KernelEmitter::rowLookup(Operation *op, ViewOp view, unsigned axis,
                         const LinearLayout &layout, int64_t stride) {
  ViewDimension dimension = view.getDimension(axis);
  TileShape shape = view.getType().getShape();
  SmallVector<unsigned> axes = tileAxes(view);
  std::optional<unsigned> tile;
  if (const unsigned *found = llvm::find(axes, axis); found != axes.end())
    tile = found - axes.begin();
  auto known = std::make_shared<std::map<uint32_t, Value>>();
  return [=](unsigned reg) -> Value {
    uint32_t coordinate =
        tile ? shape.coordinate(layout.apply(Place::Register, reg), *tile) : 0;
    Value &bytes = (*known)[coordinate];
    if (bytes)
      return bytes;
    Value position = constant(int32_t(coordinate));
    if (dimension.offset)
      position =
          LLVM::AddOp::create(builder, loc, position, scalar(dimension.offset));
    if (tile)
      position = LLVM::AddOp::create(builder, loc, position,
                                     threadCoordinate(layout, shape, *tile));
    // Looked up in any case, by a load that LLVM neither shares nor drops, so
    // that its bytes are those that tile::countTransfers says.
    Value exists =
        LLVM::ConstantOp::create(builder, loc, i1, builder.getBoolAttr(true));
    if (mayReachPast(view, axis, op)) {
      Value end = constant(int32_t(placesAlong(view, axis)));
      if (dimension.limit)
        end = LLVM::SMinOp::create(builder, loc, end, scalar(dimension.limit));
      exists = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt,
                                    position, end);
    }
    Value wide = LLVM::ZExtOp::create(builder, loc, i64, position);
    Value entry = LLVM::GEPOp::create(builder, loc, globalPointer, i32,
                                      scalar(dimension.index),
                                      ArrayRef<LLVM::GEPArg>{wide});
    SmallVector<Value> words;
    loadGlobalWords(entry, /*bytes=*/4, /*elementBytes=*/4, exists, words);
    return bytes = LLVM::MulOp::create(
               builder, loc,
               LLVM::ZExtOp::create(builder, loc, i64, words.front()),
               LLVM::ConstantOp::create(builder, loc, i64,
                                        builder.getI64IntegerAttr(stride)));
  };
}

Value KernelEmitter::pointerTo(const GlobalAccess &access, unsigned reg) {
  Value pointer = access.base;
  for (const auto &row : access.rows)
    pointer =
        LLVM::GEPOp::create(builder, loc, globalPointer, builder.getI8Type(),
                            pointer, ArrayRef<LLVM::GEPArg>{row(reg)});
  return offsetBy(builder, loc, pointer, access.offsets[reg]);
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
      tested.push_back({unsigned(tile), placesAlong(view, axis),
                        dimension.offset, dimension.limit});
    }
  // Of an axis with one position it is the same for all registers.
  Value whole;
  for (auto [axis, extent] : llvm::enumerate(view.getExtents())) {
    if (extent != 1 || !mayReachPast(view, axis, op))
      continue;
    ViewDimension dimension = view.getDimension(axis);
    Value position = dimension.offset ? scalar(dimension.offset) : constant(0);
    for (Value end : {constant(int32_t(placesAlong(view, axis))),
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
Value KernelEmitter::offsetBy(OpBuilder &builder, Location loc, Value pointer,
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

/// The constraint of inline assembly for a register, "=r," and the like.
static std::string registerConstraint(Type type, StringRef prefix = "") {
  unsigned bits = type.getIntOrFloatBitWidth();
  StringRef kind = bits == 64 ? "l," : bits == 32 ? "r," : "h,";
  return (prefix + kind).str();
}

/// ".v4" and the like for a number of words.
static std::string vectorSuffix(size_t words) {
  return words == 1 ? "" : fmt::format(".v{}", words);
}

void KernelEmitter::loadGlobalWords(Value pointer, unsigned bytes,
                                    unsigned elementBytes, Value condition,
                                    SmallVectorImpl<Value> &words) {
  unsigned wordBytes = elementBytes == 8 ? 8 : std::min(bytes, 4u);
  Type word = builder.getIntegerType(8 * wordBytes);
  unsigned count = bytes / wordBytes;
  if (!condition) {
    Type type = count == 1 ? word : VectorType::get({int64_t(count)}, word);
    Value loaded = LLVM::LoadOp::create(builder, loc, type, pointer, bytes);
    for (unsigned i = 0; i < count; ++i)
      words.push_back(count == 1 ? loaded
                                 : Value(LLVM::ExtractElementOp::create(
                                       builder, loc, loaded, constant(i))));
    return;
  }
  // A guarded load leaves zeros: one instruction, no branch. A byte takes a
  // register of 16 bits.
  unsigned registerBits = std::max(16u, 8 * wordBytes);
  Type registerType = builder.getIntegerType(registerBits);
  std::string text, targets;
  for (unsigned i = 0; i < count; ++i) {
    text += fmt::format("mov.b{} ${}, 0; ", registerBits, i);
    targets += fmt::format("{}${}", i ? ", " : "", i);
  }
  if (count > 1)
    targets = "{" + targets + "}";
  text += fmt::format("@${} ld.global{}.b{} {}, [${}];", count + 1,
                      vectorSuffix(count), 8 * wordBytes, targets, count);
  std::string constraints;
  for (unsigned i = 0; i < count; ++i)
    constraints += registerConstraint(registerType, "=");
  constraints += "l,b";
  Type result =
      count == 1
          ? registerType
          : Type(LLVM::LLVMStructType::getLiteral(
                builder.getContext(), SmallVector<Type>(count, registerType)));
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
    if (wordBytes == 1)
      value = LLVM::TruncOp::create(builder, loc, word, value);
    words.push_back(value);
  }
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
  unsigned wordBits = words.front().getType().getIntOrFloatBitWidth();
  for (auto [i, word] : llvm::enumerate(words)) {
    sources += fmt::format("{}${}", i ? ", " : "", i);
    operands.push_back(
        wordBits == 8 ? Value(LLVM::ZExtOp::create(builder, loc, i16, word))
                      : word);
    constraints += registerConstraint(operands.back().getType());
  }
  if (words.size() > 1)
    sources = "{" + sources + "}";
  std::string text =
      fmt::format("@${} st.global{}.b{} [${}], {};", words.size() + 1,
                  vectorSuffix(words.size()), wordBits, words.size(), sources);
  constraints += "l,b";
  operands.push_back(pointer);
  operands.push_back(condition);
  LLVM::InlineAsmOp::create(builder, loc, TypeRange(), operands, text,
                            constraints,
                            /*has_side_effects=*/true, /*is_align_stack=*/false,
                            LLVM::tailcallkind::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

/// Whether what is computed from \p value may be thrown away at some positions:
/// a map on its way asks where it stands.
static bool dependsOnPosition(Value value) {
  llvm::SetVector<Value> reached;
  reached.insert(value);
  for (unsigned i = 0; i < reached.size(); ++i)
    for (OpOperand &use : reached[i].getUses()) {
      Operation *user = use.getOwner();
      if (auto map = dyn_cast<tile::MapOp>(user))
        if (!map.getBody().front().getOps<IndexOp>().empty())
          return true;
      if (auto loop = dyn_cast<scf::ForOp>(user))
        if (BlockArgument carried = loop.getTiedLoopRegionIterArg(&use))
          reached.insert(carried);
      if (isa<scf::YieldOp>(user))
        if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp())) {
          reached.insert(loop.getRegionIterArgs()[use.getOperandNumber()]);
          reached.insert(loop.getResult(use.getOperandNumber()));
        }
      reached.insert(user->result_begin(), user->result_end());
    }
  return false;
}

void KernelEmitter::keepLoads(ArrayRef<Value> words) {
  // No instruction, but a use: LLVM would drop the load of an element that a
  // mask hides wherever it can tell, and the bytes of a kernel would depend on
  // how far it sees.
  for (Value word : words) {
    Type type = word.getType();
    StringRef constraint = type.isF32()                         ? "f"
                           : type.getIntOrFloatBitWidth() == 64 ? "l"
                           : type.getIntOrFloatBitWidth() == 32 ? "r"
                                                                : "h";
    if (type.getIntOrFloatBitWidth() == 8)
      word = LLVM::ZExtOp::create(builder, loc, i16, word);
    LLVM::InlineAsmOp::create(builder, loc, TypeRange(), word, "", constraint,
                              /*has_side_effects=*/true,
                              /*is_align_stack=*/false,
                              LLVM::tailcallkind::TailCallKind::None,
                              LLVM::AsmDialectAttr(), ArrayAttr());
  }
}

LogicalResult KernelEmitter::emitEntry(EntryOp op) {
  Value number =
      LLVM::ZExtOp::create(builder, loc, i64, scalar(op.getNumber()));
  Value address = LLVM::GEPOp::create(builder, loc, globalPointer, i32,
                                      scalar(op.getArray()),
                                      ArrayRef<LLVM::GEPArg>{number});
  scalars[op.getEntry()] =
      LLVM::LoadOp::create(builder, loc, i32, address, /*alignment=*/4);
  return success();
}

LogicalResult KernelEmitter::emitLoad(LoadOp op) {
  auto tile = newTile(op.getTile());
  Type element = tile->type.getElementType();
  unsigned elementBytes = bytesOf(element);
  GlobalAccess access = accessGlobal(op, op.getViewOp(), tile->layout);
  SmallVector<Value> unguarded;
  for (unsigned reg :
       runsOf(tile->layout, tile->type.getShape(), access.vector)) {
    SmallVector<Value> words;
    Value condition = access.inside ? access.inside(reg) : Value();
    loadGlobalWords(pointerTo(access, reg), access.vector * elementBytes,
                    elementBytes, condition, words);
    if (!condition)
      llvm::append_range(unguarded, words);
    if (tile->packing > 1 && access.vector >= tile->packing)
      for (auto [i, word] : llvm::enumerate(words))
        tile->words[reg / tile->packing + i] = word;
    else if (words.size() < access.vector) // two or more small ones in a word
      for (unsigned i = 0; i < access.vector; ++i) {
        Value word = words.front();
        if (i)
          word = LLVM::LShrOp::create(
              builder, loc, word,
              LLVM::ConstantOp::create(
                  builder, loc, word.getType(),
                  builder.getIntegerAttr(word.getType(),
                                         8 * elementBytes * i)));
        word = LLVM::TruncOp::create(
            builder, loc, builder.getIntegerType(8 * elementBytes), word);
        tile->scalars[reg + i] = fromMemory(word, element);
      }
    else
      for (auto [i, word] : llvm::enumerate(words))
        tile->scalars[reg + i] = fromMemory(word, element);
  }
  if (dependsOnPosition(op.getTile()))
    keepLoads(unguarded);
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
  GlobalAccess access = accessGlobal(op, op.getViewOp(), tile.layout);
  if (access.vector < tile.packing)
    access.vector = 1;
  // Threads that share an element: the one with zeros in the shared bits
  // writes.
  Value writes = holdsFirstCopy(tile.layout);
  for (unsigned reg :
       runsOf(tile.layout, tile.type.getShape(), access.vector)) {
    SmallVector<Value> words;
    if (tile.packing > 1 && access.vector >= tile.packing)
      for (unsigned i = 0; i < access.vector; i += tile.packing)
        words.push_back(word(tile, reg + i));
    else
      for (unsigned i = 0; i < access.vector; ++i)
        words.push_back(bitcast(toMemory(element(tile, reg + i)),
                                builder.getIntegerType(8 * elementBytes)));
    Value condition = access.inside ? access.inside(reg) : Value();
    if (condition && writes)
      condition = LLVM::AndOp::create(builder, loc, condition, writes);
    else if (writes)
      condition = writes;
    storeGlobalWords(pointerTo(access, reg), words,
                     access.vector * elementBytes, condition);
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
  // The widest copy that rows allow decides how threads are dealt out, and so
  // does room behind rows.
  unsigned vector = vectorOf(op.getViewOp(), op);
  bool padded = type.getSharedLayout().getCombine() == Combine::Sum &&
                vector * elementBytes == widestAccess;
  LinearLayout layout = padded
                            ? target::paddedCopyLayout(shape, vector, warpBits)
                            : target::copyLayout(shape, vector, warpBits);
  GlobalAccess access = accessGlobal(op, op.getViewOp(), layout);
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
  for (unsigned reg : runsOf(layout, shape, access.vector)) {
    Value destination =
        sharedAddress(base, places.lanes, places.warps,
                      places.registerOffset(reg), places.combine);
    Value source = pointerTo(access, reg);
    Value condition = access.inside ? access.inside(reg) : Value();
    if (bytes < 4) {
      // Rows that start anywhere: through a register, one element at a time.
      SmallVector<Value> words;
      loadGlobalWords(source, bytes, elementBytes, condition, words);
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
