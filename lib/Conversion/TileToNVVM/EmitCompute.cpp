//===- EmitCompute.cpp - Matrix products, maps, reductions ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitMma(MmaOp op) {
  const target::MmaInstruction &mma = target.mma16;
  RegisterTile &a = *tiles.lookup(op.getA()), &b = *tiles.lookup(op.getB()),
               &c = *tiles.lookup(op.getAccumulator());
  StringAttr rowAxis = op.getRowAxis(), columnAxis = op.getColumnAxis(),
             summedAxis = op.getSummedAxis();
  auto result = newTile(op.getResult());
  for (unsigned reg = 0; reg < c.layout.numRegisters(); ++reg)
    result->scalars[reg] = element(c, reg);

  // A register by what it adds to the thread's coordinates.
  auto find = [&](RegisterTile &tile, StringAttr axis0, uint32_t at0,
                  StringAttr axis1, uint32_t at1) -> std::optional<uint32_t> {
    TileShape shape = tile.type.getShape();
    uint32_t flat = at0 << shape.shift(*tile.type.axisIndex(axis0)) |
                    at1 << shape.shift(*tile.type.axisIndex(axis1));
    return tile.layout.registerFor(flat);
  };
  auto sizeOf = [](RegisterTile &tile, StringAttr axis) {
    return tile.type.getSizes()[*tile.type.axisIndex(axis)];
  };
  // Positions that this thread's registers do not reach belong to other warps.
  SmallVector<uint32_t> rows, columns;
  for (uint32_t row = 0; row < sizeOf(c, rowAxis); row += mma.m)
    if (find(*result, rowAxis, row, columnAxis, 0))
      rows.push_back(row);
  for (uint32_t column = 0; column < sizeOf(c, columnAxis); column += mma.n)
    if (find(*result, rowAxis, 0, columnAxis, column))
      columns.push_back(column);

  Type element16 = a.type.getElementType();
  NVVM::MMATypes kind =
      element16.isBF16() ? NVVM::MMATypes::bf16 : NVVM::MMATypes::f16;
  Type factor = element16.isBF16() ? i32 : VectorType::get({2}, element16);
  Type sums = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                               SmallVector<Type>(4, f32));
  auto packed = [&](RegisterTile &tile, std::optional<uint32_t> reg) -> Value {
    return reg && *reg % 2 == 0 ? bitcast(pair(tile, *reg / 2), factor)
                                : Value();
  };
  for (uint32_t k = 0; k < sizeOf(a, summedAxis); k += mma.k)
    for (uint32_t column : columns)
      for (uint32_t row : rows) {
        SmallVector<Value> left, right, sum;
        for (unsigned part = 0; part < 4; ++part)
          left.push_back(packed(a, find(a, rowAxis, row + 8 * (part & 1),
                                        summedAxis, k + 8 * (part >> 1))));
        for (unsigned part = 0; part < 2; ++part)
          right.push_back(
              packed(b, find(b, columnAxis, column, summedAxis, k + 8 * part)));
        SmallVector<uint32_t, 4> registers;
        for (unsigned part = 0; part < 4; ++part)
          if (auto reg = find(*result, rowAxis, row + 8 * (part >> 1),
                              columnAxis, column + (part & 1)))
            registers.push_back(*reg);
        if (llvm::is_contained(left, Value()) ||
            llvm::is_contained(right, Value()) || registers.size() != 4)
          return op.emitError() << "the operands' layouts are not those of "
                                   "mma.m16n8k16; run tile-assign-layouts";
        for (uint32_t reg : registers)
          sum.push_back(result->scalars[reg]);
        Value product = NVVM::MmaOp::create(
            builder, loc, sums, left, right, sum,
            ArrayRef<int64_t>{int64_t(mma.m), int64_t(mma.n), int64_t(mma.k)},
            std::nullopt, std::nullopt,
            std::array<NVVM::MMATypes, 2>{kind, kind},
            std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                           NVVM::MMALayout::col});
        for (auto [part, reg] : llvm::enumerate(registers))
          result->scalars[reg] = LLVM::ExtractValueOp::create(
              builder, loc, product, ArrayRef<int64_t>{int64_t(part)});
      }
  return success();
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

FailureOr<Value>
KernelEmitter::emitRegion(Block &block, ArrayRef<Value> arguments,
                          llvm::function_ref<Value(IndexOp)> index) {
  llvm::DenseMap<Value, Value> values;
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    values[argument] = value;
  // Constants may have been hoisted out of the region.
  auto operand = [&](Value value) {
    Value own = values.lookup(value);
    return own ? own : scalar(value);
  };
  for (Operation &op : block.without_terminator()) {
    if (auto position = dyn_cast<IndexOp>(op)) {
      values[position.getResult()] = index(position);
      continue;
    }
    FailureOr<Value> value = emitScalarOp(builder, op, operand);
    if (failed(value))
      return failure();
    values[op.getResult(0)] = *value;
  }
  return operand(block.getTerminator()->getOperand(0));
}

LogicalResult KernelEmitter::emitMap(tile::MapOp op) {
  auto result = newTile(op.getResult());
  TileShape shape = result->type.getShape();

  // Which register of each operand belongs to a register of the result.
  SmallVector<RegisterTile *> inputs;
  SmallVector<SmallVector<unsigned>> axisMaps;
  for (Value input : op.getInputs()) {
    inputs.push_back(tiles.lookup(input).get());
    axisMaps.push_back(result->type.axisMapTo(inputs.back()->type));
  }
  auto positionOf = [&](StringRef axis) -> Value {
    for (auto [name, position] :
         llvm::zip(op.getAt().getAsRange<StringAttr>(), op.getPositions()))
      if (name.getValue() == axis)
        return scalar(position);
    return {};
  };
  for (unsigned reg = 0; reg < result->layout.numRegisters(); ++reg) {
    uint32_t flat = result->layout.apply(Place::Register, reg);
    SmallVector<Value> arguments;
    for (auto [input, axisMap] : llvm::zip(inputs, axisMaps)) {
      TileShape inputShape = input->type.getShape();
      auto inputReg =
          input->layout.registerFor(shape.project(flat, inputShape, axisMap));
      LinearLayout expected = result->layout.slice(shape, inputShape, axisMap);
      if (!inputReg ||
          expected.getBases(Place::Lane) !=
              input->layout.getBases(Place::Lane) ||
          expected.getBases(Place::Warp) != input->layout.getBases(Place::Warp))
        return op.emitError() << "an operand's layout is not the result's; run "
                                 "tile-assign-layouts";
      arguments.push_back(element(*input, *inputReg));
    }
    auto index = [&](IndexOp position) -> Value {
      Value value = positionOf(position.getAxis());
      std::optional<unsigned> axis = result->type.axisIndex(position.getAxis());
      if (!axis)
        return value ? value : constant(0);
      Value thread = threadCoordinate(result->layout, shape, *axis);
      Value sum = value
                      ? Value(LLVM::AddOp::create(builder, loc, value, thread))
                      : thread;
      return LLVM::AddOp::create(builder, loc, sum,
                                 constant(shape.coordinate(flat, *axis)));
    };
    FailureOr<Value> value = emitRegion(op.getBody().front(), arguments, index);
    if (failed(value))
      return failure();
    result->scalars[reg] = *value;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitReduce(tile::ReduceOp op) {
  RegisterTile &input = *tiles.lookup(op.getInput());
  auto result = newTile(op.getResult());
  TileShape shape = input.type.getShape(), kept = result->type.getShape();
  SmallVector<unsigned> axisMap = input.type.axisMapTo(result->type);
  auto combine = [&](Value a, Value b) {
    return emitRegion(op.getBody().front(), {a, b},
                      [](IndexOp) { return Value(); });
  };

  // In the thread: fold the registers that share a kept coordinate, as a tree.
  SmallVector<SmallVector<Value>> groups(result->layout.numRegisters());
  for (unsigned reg = 0; reg < input.layout.numRegisters(); ++reg) {
    uint32_t flat = input.layout.apply(Place::Register, reg);
    auto target =
        result->layout.registerFor(shape.project(flat, kept, axisMap));
    if (!target)
      return op.emitError() << "the result's layout is not a slice of the "
                               "operand's; run tile-assign-layouts";
    groups[*target].push_back(element(input, reg));
  }
  for (auto [reg, group] : llvm::enumerate(groups)) {
    for (; group.size() > 1;) {
      SmallVector<Value> halved;
      for (unsigned i = 0; i + 1 < group.size(); i += 2) {
        FailureOr<Value> value = combine(group[i], group[i + 1]);
        if (failed(value))
          return failure();
        halved.push_back(*value);
      }
      if (group.size() % 2)
        halved.push_back(group.back());
      group = std::move(halved);
    }
    result->scalars[reg] = group.front();
  }

  // Across lanes: one exchange for each lane bit that walks along the axis.
  unsigned axis = *input.type.axisIndex(op.getAxis());
  for (auto [bit, image] :
       llvm::enumerate(input.layout.getBases(Place::Lane))) {
    if (!shape.coordinate(image, axis))
      continue;
    for (Value &value : result->scalars) {
      Type type = value.getType();
      if (!type.isF32() && !type.isInteger(32))
        return op.emitError() << "folding " << type << " across lanes is not "
                              << "possible; compute in f32 or i32";
      Value other = NVVM::ShflOp::create(
          builder, loc, type, constant(-1), value, constant(1 << bit),
          constant(31), NVVM::ShflKind::bfly, UnitAttr());
      FailureOr<Value> combined = combine(value, other);
      if (failed(combined))
        return failure();
      value = *combined;
    }
  }
  SmallVector<unsigned> warpBits;
  for (auto [bit, image] : llvm::enumerate(input.layout.getBases(Place::Warp)))
    if (shape.coordinate(image, axis))
      warpBits.push_back(bit);
  if (warpBits.empty())
    return success();
  return reduceAcrossWarps(op, *result, warpBits);
}

LogicalResult KernelEmitter::reduceAcrossWarps(tile::ReduceOp op,
                                               RegisterTile &partial,
                                               ArrayRef<unsigned> warpBits) {
  Type type = partial.type.getElementType();
  TileShape shape = partial.type.getShape();
  unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  // scratch[w][element], w the bits of the warp that walk along the axis.
  SmallVector<uint32_t> lanes, warps;
  for (uint32_t image : partial.layout.getBases(Place::Lane))
    lanes.push_back(image * bytes);
  for (uint32_t image : partial.layout.getBases(Place::Warp))
    warps.push_back(image * bytes);
  uint32_t slotBytes = bytes << shape.totalBits();
  SmallVector<uint32_t> slots(warps);
  unsigned next = 0;
  for (unsigned bit : warpBits)
    slots[bit] ^= slotBytes << next++;
  // Warps that hold copies of the same elements keep to slots of their own: two
  // warps that write one address would race.
  for (unsigned bit = 0; bit < warps.size(); ++bit)
    if (!warps[bit] && !llvm::is_contained(warpBits, bit)) {
      slots[bit] ^= slotBytes << next;
      warps[bit] ^= slotBytes << next++;
    }
  Value base = LLVM::GEPOp::create(
      builder, loc, sharedPointer, builder.getI8Type(), sharedBase,
      ArrayRef<LLVM::GEPArg>{
          int32_t(afterRings.contains(op) ? 0 : scratchOffset)});
  auto address = [&](ArrayRef<uint32_t> warpImages, unsigned reg,
                     uint32_t slot) {
    uint32_t offset = partial.layout.apply(Place::Register, reg) * bytes + slot;
    return sharedAddress(base, lanes, warpImages, offset);
  };
  NVVM::Barrier0Op::create(builder, loc);
  for (auto [reg, value] : llvm::enumerate(partial.scalars))
    LLVM::StoreOp::create(builder, loc, value, address(slots, reg, 0));
  NVVM::Barrier0Op::create(builder, loc);
  for (auto [reg, value] : llvm::enumerate(partial.scalars)) {
    Value sum;
    for (uint32_t slot = 0; slot < (uint32_t(1) << warpBits.size()); ++slot) {
      Value part = LLVM::LoadOp::create(builder, loc, type,
                                        address(warps, reg, slot * slotBytes));
      if (!sum) {
        sum = part;
        continue;
      }
      FailureOr<Value> combined = emitRegion(op.getBody().front(), {sum, part},
                                             [](IndexOp) { return Value(); });
      if (failed(combined))
        return failure();
      sum = *combined;
    }
    value = sum;
  }
  return success();
}
