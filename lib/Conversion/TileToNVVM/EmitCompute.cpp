//===- EmitCompute.cpp - Matrix products, maps, reductions ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Dialect/NCD/IR/IntegerRange.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

namespace {
/// One operand of a product as its instruction sees it: the tile, the axes that
/// the fragment's two axes stand for, and the fragment.
struct MmaOperand {
  RegisterTile &tile;
  const target::Fragment &fragment;
  TileShape shape;
  unsigned first, second;

  MmaOperand(RegisterTile &tile, const target::Fragment &fragment,
             StringAttr firstAxis, StringAttr secondAxis)
      : tile(tile), fragment(fragment), shape(tile.type.getShape()),
        first(*tile.type.axisIndex(firstAxis)),
        second(*tile.type.axisIndex(secondAxis)) {}

  int64_t firstSize() const { return shape.size(first); }
  int64_t secondSize() const { return shape.size(second); }
  /// The register that adds this to the thread's coordinates, if one does.
  std::optional<uint32_t> registerAt(uint32_t along, uint32_t across) const {
    return tile.layout.registerFor(along << shape.shift(first) |
                                   across << shape.shift(second));
  }
  /// Registers of the fragment that begins at a position, in its order; empty
  /// where this thread does not hold one of them.
  SmallVector<uint32_t, 8> registersAt(uint32_t along, uint32_t across) const {
    SmallVector<uint32_t, 8> registers;
    for (uint32_t reg = 0; reg < fragment.numRegisters(); ++reg) {
      target::Fragment::Position at = fragment.at(reg);
      if (auto found = registerAt(along + at.first, across + at.second))
        registers.push_back(*found);
    }
    if (registers.size() != fragment.numRegisters())
      registers.clear();
    return registers;
  }
};
} // namespace

/// The type of an operand's register in nvvm.mma.sync.
static Type operandType(OpBuilder &builder, target::Element element) {
  switch (element) {
  case target::Element::F16:
    return VectorType::get({2}, builder.getF16Type());
  case target::Element::F64:
    return builder.getF64Type();
  default:
    return builder.getI32Type();
  }
}

/// How nvvm.mma.sync calls a factor's type; nothing where it has no such
/// instruction.
static std::optional<NVVM::MMATypes> nvvmType(target::Element element) {
  switch (element) {
  case target::Element::BF16:
    return NVVM::MMATypes::bf16;
  case target::Element::F16:
    return NVVM::MMATypes::f16;
  case target::Element::TF32:
    return NVVM::MMATypes::tf32;
  case target::Element::I8:
    return NVVM::MMATypes::s8;
  case target::Element::F64:
    return NVVM::MMATypes::f64;
  default:
    return std::nullopt;
  }
}

/// One instruction of a warp; gives a struct of the new accumulators.
static Value createMma(OpBuilder &builder, Location loc,
                       const target::MatrixInstruction &row,
                       ArrayRef<Value> left, ArrayRef<Value> right,
                       ArrayRef<Value> sums) {
  Type result = LLVM::LLVMStructType::getLiteral(
      builder.getContext(),
      SmallVector<Type>(sums.size(), sums.front().getType()));
  if (std::optional<NVVM::MMATypes> kind = nvvmType(row.a)) {
    std::optional<NVVM::MMAIntOverflow> overflow;
    if (row.accumulator == target::Element::I32)
      overflow = NVVM::MMAIntOverflow::wrapped;
    return NVVM::MmaOp::create(
        builder, loc, result, left, right, sums,
        ArrayRef<int64_t>{int64_t(row.m), int64_t(row.n), int64_t(row.k)},
        std::nullopt, overflow, std::array<NVVM::MMATypes, 2>{*kind, *kind},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
  }
  // D and C share registers: constraint i ties input i to output i.
  std::string constraints, operands;
  unsigned next = 0;
  auto list = [&](unsigned count) {
    operands += operands.empty() ? "{" : ", {";
    for (unsigned i = 0; i < count; ++i)
      operands += (i ? ", $" : "$") + std::to_string(next++);
    operands += "}";
  };
  for (Value sum : sums)
    constraints += sum.getType().isF32() ? "=f," : "=r,";
  list(sums.size());
  list(left.size());
  list(right.size());
  for (unsigned i = 0; i < left.size() + right.size(); ++i)
    constraints += "r,";
  operands += ", {";
  for (unsigned i = 0; i < sums.size(); ++i) {
    operands += (i ? ", $" : "$") + std::to_string(i);
    constraints += std::to_string(i) + (i + 1 < sums.size() ? "," : "");
  }
  SmallVector<Value> inputs(left);
  llvm::append_range(inputs, right);
  llvm::append_range(inputs, sums);
  std::string text = row.ptx.str() + " " + operands + "};";
  return LLVM::InlineAsmOp::create(
             builder, loc, result, inputs, text, constraints,
             /*has_side_effects=*/true, /*is_align_stack=*/false,
             LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
             ArrayAttr())
      .getResult(0);
}

/// a b + c of scalars.
static Value multiplyAdd(OpBuilder &builder, Location loc, Value a, Value b,
                         Value c) {
  if (isa<FloatType>(c.getType()))
    return LLVM::FMAOp::create(builder, loc, a, b, c);
  return LLVM::AddOp::create(builder, loc,
                             LLVM::MulOp::create(builder, loc, a, b), c);
}

/// The same bits in another register, which the assembler does not take for a
/// copy.
static Value inOtherRegister(OpBuilder &builder, Location loc, Value value) {
  Type word = builder.getI32Type();
  Value bits = LLVM::BitcastOp::create(builder, loc, word, value);
  bits = LLVM::InlineAsmOp::create(
             builder, loc, word, bits, "prmt.b32 $0, $1, $1, 0x3210;", "=r,r",
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(),
             ArrayAttr())
             .getResult(0);
  return LLVM::BitcastOp::create(builder, loc, value.getType(), bits);
}

/// Puts sums that stand in one fragment several times into registers of their
/// own, the i-th copy of each as \p copies knows it. Registers of a fragment
/// lie side by side: those of a row that starts many fragments are then put
/// there once, and not once for each.
static void
separateRepeats(OpBuilder &builder, Location loc, MutableArrayRef<Value> sums,
                llvm::DenseMap<std::pair<Value, unsigned>, Value> &copies) {
  SmallVector<Value> given(sums);
  for (auto [index, sum] : llvm::enumerate(given)) {
    if (sum.getType().getIntOrFloatBitWidth() != 32 ||
        sum.getDefiningOp<LLVM::ConstantOp>())
      continue;
    unsigned before = llvm::count(ArrayRef(given).take_front(index), sum);
    for (unsigned copy = 1; copy <= before; ++copy) {
      Value &known = copies[{sum, copy}];
      if (!known)
        known = inOtherRegister(builder, loc, sums[index]);
      sums[index] = known;
    }
  }
}

LogicalResult KernelEmitter::emitMma(MmaOp op) {
  const target::MatrixInstruction &row = op.getMatrixInstruction();
  StringAttr rowAxis = op.getRowAxis(), columnAxis = op.getColumnAxis(),
             summedAxis = op.getSummedAxis();
  auto result = newTile(op.getResult());
  RegisterTile &start = *tiles.lookup(op.getAccumulator());
  for (unsigned reg = 0; reg < start.layout.numRegisters(); ++reg)
    result->scalars[reg] = element(start, reg);
  MmaOperand a(*tiles.lookup(op.getA()), row.aFragment, rowAxis, summedAxis);
  MmaOperand b(*tiles.lookup(op.getB()), row.bFragment, columnAxis, summedAxis);
  MmaOperand c(*result, row.accumulatorFragment, rowAxis, columnAxis);

  // Positions that this thread's registers do not reach belong to other warps.
  SmallVector<uint32_t> rows, columns;
  for (uint32_t at = 0; at < c.firstSize(); at += row.rows())
    if (c.registerAt(at, 0))
      rows.push_back(at);
  for (uint32_t at = 0; at < c.secondSize(); at += row.columns())
    if (c.registerAt(0, at))
      columns.push_back(at);
  llvm::DenseMap<std::pair<Value, unsigned>, Value> copies;
  for (uint32_t k = 0; k < a.secondSize(); k += row.depth())
    for (uint32_t column : columns)
      for (uint32_t at : rows) {
        auto left = a.registersAt(at, k), right = b.registersAt(column, k),
             sums = c.registersAt(at, column);
        if (left.empty() || right.empty() || sums.empty())
          return ncd::emitPartitionError(op)
                 << "the operands' layouts are not those of " << row.name
                 << "; run tile-assign-layouts";
        if (row.scope == target::Scope::Thread) {
          multiplyScalars(row, a.tile, left, b.tile, right, *result, sums);
          continue;
        }
        FailureOr<SmallVector<Value>> leftWords =
            operandWords(a.tile, left, row.a);
        FailureOr<SmallVector<Value>> rightWords =
            operandWords(b.tile, right, row.b);
        if (failed(leftWords) || failed(rightWords))
          return ncd::emitPartitionError(op)
                 << "the factors' layouts do not give " << row.name
                 << " whole registers; run "
                 << "tile-assign-layouts";
        SmallVector<Value> old;
        for (uint32_t reg : sums)
          old.push_back(result->scalars[reg]);
        if (!k)
          separateRepeats(builder, loc, old, copies);
        Value product =
            createMma(builder, loc, row, *leftWords, *rightWords, old);
        for (auto [part, reg] : llvm::enumerate(sums))
          result->scalars[reg] = LLVM::ExtractValueOp::create(
              builder, loc, product, ArrayRef<int64_t>{int64_t(part)});
      }
  return success();
}

/// The words of a factor's fragment, as the instruction wants them.
FailureOr<SmallVector<Value>>
KernelEmitter::operandWords(RegisterTile &tile, ArrayRef<uint32_t> registers,
                            target::Element element) {
  SmallVector<Value> words;
  unsigned packing = std::max(1u, 4 / target::elementBytes(element));
  for (unsigned at = 0; at < registers.size(); at += packing) {
    for (unsigned i = 0; i < packing; ++i)
      if (tile.packing != packing || registers[at] % packing ||
          registers[at + i] != registers[at] + i)
        return failure();
    words.push_back(
        bitcast(word(tile, registers[at]), operandType(builder, element)));
  }
  return words;
}

/// One step of a scalar row: every accumulator of the fragment takes the
/// product of the two factors at its row and at its column.
void KernelEmitter::multiplyScalars(const target::MatrixInstruction &row,
                                    RegisterTile &a, ArrayRef<uint32_t> left,
                                    RegisterTile &b, ArrayRef<uint32_t> right,
                                    RegisterTile &c, ArrayRef<uint32_t> sums) {
  // Which of a factor's registers holds a position along rows or columns.
  auto positions = [](const target::Fragment &fragment) {
    std::map<uint32_t, uint32_t> result;
    for (uint32_t reg = 0; reg < fragment.numRegisters(); ++reg)
      result[fragment.at(reg).first] = reg;
    return result;
  };
  auto rowOf = positions(row.aFragment), columnOf = positions(row.bFragment);
  for (auto [index, reg] : llvm::enumerate(sums)) {
    target::Fragment::Position at = row.accumulatorFragment.at(index);
    c.scalars[reg] =
        multiplyAdd(builder, loc, element(a, left[rowOf[at.first]]),
                    element(b, right[columnOf[at.second]]), c.scalars[reg]);
  }
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

FailureOr<Value>
KernelEmitter::emitRegion(Block &block, ArrayRef<Value> arguments,
                          llvm::function_ref<Value(IndexOp)> index,
                          bool isWide) {
  llvm::DenseMap<Value, Value> values;
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    values[argument] = value;
  // Constants may have been hoisted out of the region.
  auto operand = [&](Value value) {
    if (Value own = values.lookup(value))
      return own;
    if (Value known = scalars.lookup(value); known && !isWide)
      return known;
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    return constant ? *emitScalarOp(builder, *constant, {}, isWide)
                    : scalar(value);
  };
  for (Operation &op : block.without_terminator()) {
    if (auto position = dyn_cast<IndexOp>(op)) {
      Value narrow = index(position);
      values[position.getResult()] =
          isWide ? LLVM::SExtOp::create(builder, loc, i64, narrow) : narrow;
      continue;
    }
    FailureOr<Value> value = emitScalarOp(builder, op, operand, isWide);
    if (failed(value))
      return failure();
    values[op.getResult(0)] = *value;
  }
  return operand(block.getTerminator()->getOperand(0));
}

bool KernelEmitter::needsWideIndex(Block &block) {
  ncd::IntegerRanges ranges(
      [&](Operation *op) -> std::optional<ncd::AxisPositions> {
        auto position = dyn_cast<IndexOp>(op);
        if (!position)
          return std::nullopt;
        int64_t size = int64_t(1) << 31;
        for (Type type : kernel.getBody().getArgumentTypes())
          if (auto array = dyn_cast<ncd::ArrayType>(type);
              array && array.hasAxis(position.getAxis()))
            size = array.sizeOf(position.getAxis());
        return ncd::AxisPositions{position.getAxis(),
                                  {0, std::max<int64_t>(size - 1, 0)}};
      });
  auto isShort = [&](Value value) {
    return !value.getType().isIndex() || ranges.rangeOf(value).fits(32);
  };
  return llvm::any_of(block.without_terminator(), [&](Operation &op) {
    bool hasIndex =
        llvm::any_of(op.getOperandTypes(), llvm::IsaPred<IndexType>) ||
        llvm::any_of(op.getResultTypes(), llvm::IsaPred<IndexType>);
    return hasIndex &&
           (!llvm::all_of(op.getOperands(), isShort) ||
            !llvm::all_of(op.getResults(), isShort) || !ranges.isExact(&op));
  });
}

/// Whether a factor is made of what \p op makes, through maps or at once, and
/// passed to other warps.
static bool feedsFactorConvert(Operation *op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isFactorConvert(user) ||
           (isa<tile::MapOp>(user) && feedsFactorConvert(user));
  });
}

LogicalResult KernelEmitter::emitMap(tile::MapOp op) {
  auto result = newTile(op.getResult());
  TileShape shape = result->type.getShape();

  SmallVector<RegisterTile *> inputs;
  SmallVector<SmallVector<unsigned>> axisMaps;
  for (Value input : op.getInputs()) {
    inputs.push_back(tiles.lookup(input).get());
    axisMaps.push_back(result->type.axisMapTo(inputs.back()->type));
  }
  auto positionOf = [this, op](StringRef axis) -> Value {
    tile::MapOp map = op;
    for (auto [name, position] :
         llvm::zip(map.getAt().getAsRange<StringAttr>(), map.getPositions()))
      if (name.getValue() == axis)
        return scalar(position);
    return {};
  };
  // Which register of each operand goes into each register of the result.
  auto operands = std::make_shared<std::vector<SmallVector<unsigned, 4>>>(
      result->layout.numRegisters());
  for (unsigned reg : result->layout.registersOf(shape)) {
    uint32_t flat = result->layout.apply(Place::Register, reg);
    for (auto [input, axisMap] : llvm::zip(inputs, axisMaps)) {
      TileShape inputShape = input->type.getShape();
      auto inputReg =
          input->layout.registerFor(shape.project(flat, inputShape, axisMap));
      LinearLayout expected = result->layout.slice(shape, inputShape, axisMap);
      if (!inputReg ||
          expected.getBases(Place::Lane) !=
              input->layout.getBases(Place::Lane) ||
          expected.getBases(Place::Warp) != input->layout.getBases(Place::Warp))
        return ncd::emitPartitionError(op)
               << "an operand's layout is not the result's; run "
                  "tile-assign-layouts";
      (*operands)[reg].push_back(*inputReg);
    }
  }
  bool isWide = needsWideIndex(op.getBody().front());
  RegisterTile *target = result.get();
  auto compute = [=](unsigned reg) -> LogicalResult {
    uint32_t flat = target->layout.apply(Place::Register, reg);
    SmallVector<Value> arguments;
    for (auto [input, inputReg] : llvm::zip(inputs, (*operands)[reg]))
      arguments.push_back(element(*input, inputReg));
    auto index = [&](IndexOp position) -> Value {
      Value value = positionOf(position.getAxis());
      std::optional<unsigned> axis = target->type.axisIndex(position.getAxis());
      if (!axis)
        return value ? value : constant(0);
      Value thread = threadCoordinate(target->layout, shape, *axis);
      Value sum = value
                      ? Value(LLVM::AddOp::create(builder, loc, value, thread))
                      : thread;
      return LLVM::AddOp::create(builder, loc, sum,
                                 constant(shape.coordinate(flat, *axis)));
    };
    tile::MapOp map = op;
    FailureOr<Value> value =
        emitRegion(map.getBody().front(), arguments, index, isWide);
    if (failed(value))
      return failure();
    target->scalars[reg] = *value;
    return success();
  };
  // A factor on its way to shared memory is made piece by piece, as it is
  // written; what the map cannot do shows at the first piece.
  bool isLate = feedsFactorConvert(op) && lastLateUse(op, /*byConvert=*/true);
  for (unsigned reg : result->layout.registersOf(shape)) {
    if (failed(compute(reg)))
      return failure();
    if (isLate)
      break;
  }
  if (isLate)
    result->fetch = [compute](unsigned reg) {
      LogicalResult made = compute(reg);
      assert(succeeded(made) && "the first register was made");
      (void)made;
    };
  return success();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitReduce(tile::ReduceOp op) {
  RegisterTile &input = *tiles.lookup(op.getInput());
  auto result = newTile(op.getResult());
  TileShape shape = input.type.getShape();
  unsigned axis = *input.type.axisIndex(op.getAxis());
  LinearLayout::Bases images = input.layout.foldedImages(
      shape, result->type.getShape(), input.type.axisMapTo(result->type), axis);
  auto imageOf = [&](unsigned reg) {
    uint32_t flat = 0;
    for (auto [bit, image] : llvm::enumerate(images[unsigned(Place::Register)]))
      if (reg >> bit & 1)
        flat ^= image;
    return flat;
  };
  auto combine = [&](Value a, Value b) {
    return emitRegion(op.getBody().front(), {a, b},
                      [](IndexOp) { return Value(); });
  };

  // In the thread: fold the registers that share a kept coordinate, as a tree.
  SmallVector<SmallVector<Value>> groups(result->layout.numRegisters());
  for (unsigned reg : input.layout.registersOf(shape)) {
    auto target = result->layout.registerFor(imageOf(reg));
    if (!target || images[unsigned(Place::Lane)] !=
                       LinearLayout::Bases::value_type(
                           result->layout.getBases(Place::Lane)))
      return ncd::emitPartitionError(op)
             << "the result's layout is not a slice of the "
                "operand's; run tile-assign-layouts";
    groups[*target].push_back(element(input, reg));
  }
  for (auto [reg, group] : llvm::enumerate(groups)) {
    if (group.empty())
      continue; // a register that does not exist
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

  // Across lanes: one exchange for each lane bit that walks along the axis and
  // keeps no parts of it apart.
  for (auto [bit, image] :
       llvm::enumerate(input.layout.getBases(Place::Lane))) {
    if (!shape.coordinate(image, axis) || images[unsigned(Place::Lane)][bit])
      continue;
    for (Value &value : result->scalars) {
      if (!value)
        continue;
      FailureOr<Value> combined = combine(value, shuffle(value, 1 << bit));
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
  unsigned bytes = ncd::elementBytes(type);
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
          int32_t(memory.afterRings.contains(op) ? 0 : memory.scratchOffset)});
  auto address = [&](ArrayRef<uint32_t> warpImages, unsigned reg,
                     uint32_t slot) {
    uint32_t offset = partial.layout.apply(Place::Register, reg) * bytes + slot;
    return sharedAddress(base, lanes, warpImages, offset);
  };
  NVVM::Barrier0Op::create(builder, loc);
  for (auto [reg, value] : llvm::enumerate(partial.scalars))
    if (value)
      LLVM::StoreOp::create(builder, loc, toMemory(value),
                            address(slots, reg, 0));
  NVVM::Barrier0Op::create(builder, loc);
  Type stored = type.isInteger(1) ? builder.getI8Type() : llvmType(type);
  for (auto [reg, value] : llvm::enumerate(partial.scalars)) {
    Value sum;
    if (!value)
      continue;
    for (uint32_t slot = 0; slot < (uint32_t(1) << warpBits.size()); ++slot) {
      Value part = fromMemory(
          LLVM::LoadOp::create(builder, loc, stored,
                               address(warps, reg, slot * slotBytes)),
          type);
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
