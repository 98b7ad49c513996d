//===- NCDScheduleOps.cpp - kernel and stream -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders, syntax and checks of the operations in NCDScheduleOps.td.
//===----------------------------------------------------------------------===//

#include "AxisSyntax.h"
#include "OpChecks.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin::ncd;

/// \p array without \p axis.
static ArrayType withoutAxis(ArrayType array, StringAttr axis) {
  return array.withoutAxes({axis});
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

void KernelOp::build(OpBuilder &builder, OperationState &state,
                     TypeRange resultTypes, ValueRange inputs) {
  state.addTypes(resultTypes);
  state.addOperands(inputs);
  Block &block = state.addRegion()->emplaceBlock();
  for (Value input : inputs)
    block.addArgument(input.getType(), input.getLoc());
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types, resultTypes, seen;
  SmallVector<Attribute> views;
  bool anyView = false;
  if (parser.parseLParen())
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalRParen())) {
    do {
      if (parser.parseArgument(arguments.emplace_back()) ||
          parser.parseEqual() || parser.parseOperand(operands.emplace_back()))
        return failure();
      seen.emplace_back();
      views.push_back(parser.getBuilder().getUnitAttr());
      if (failed(parser.parseOptionalKeyword("as")))
        continue;
      ViewAttr view;
      if (parser.parseType(seen.back()) || !(view = parseView(parser)))
        return failure();
      views.back() = view;
      anyView = true;
    } while (succeeded(parser.parseOptionalComma()));
    if (parser.parseColonTypeList(types) || parser.parseRParen())
      return failure();
  }
  if (parser.resolveOperands(operands, types, loc, result.operands))
    return failure();
  for (auto [argument, type, other] : llvm::zip_equal(arguments, types, seen))
    argument.type = other ? other : type;
  if (anyView)
    result.addAttribute(getViewsAttrName(result.name),
                        parser.getBuilder().getArrayAttr(views));
  SMLoc attributesLoc;
  if (parser.parseArrowTypeList(resultTypes) ||
      parser.getCurrentLocation(&attributesLoc) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      // An inherent attribute of another kind would silently be lost.
      failed(verifyInherentAttrs(result.name, result.attributes, [&]() {
        return parser.emitError(attributesLoc) << "'" << result.name << "' op ";
      })))
    return failure();
  result.addTypes(resultTypes);
  return parser.parseRegion(*result.addRegion(), arguments,
                            /*enableNameShadowing=*/true);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " (";
  Block &block = getBody().front();
  llvm::interleaveComma(llvm::enumerate(block.getArguments(), getInputs()),
                        printer, [&](auto entry) {
                          auto [index, argument, input] = entry;
                          printer << argument << " = " << input;
                          if (ViewAttr view = getView(index)) {
                            printer << " as " << argument.getType() << ' ';
                            printView(printer, view);
                          }
                        });
  if (!getInputs().empty())
    printer << " : " << getInputs().getTypes();
  printer << ") -> (" << getResultTypes() << ')';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getViewsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ViewAttr KernelOp::getView(unsigned input) {
  ArrayAttr views = getViewsAttr();
  return views && input < views.size() ? dyn_cast<ViewAttr>(views[input])
                                       : ViewAttr();
}

SmallVector<Value> KernelOp::getDistinctInputs() {
  SmallVector<Value> inputs;
  for (Value input : getInputs())
    if (!llvm::is_contained(inputs, input))
      inputs.push_back(input);
  return inputs;
}

std::optional<int64_t> KernelOp::groupSize(StringRef axis) {
  PartitionAttr group = getGroupAttr();
  return group ? group.sizeOf(axis) : std::nullopt;
}

StringAttr KernelOp::getStreamAxis() {
  PartitionAttr stream = getStreamAttr();
  return stream && !stream.empty() ? stream.getAxes().front() : StringAttr();
}

std::optional<int64_t> KernelOp::getStreamSize() {
  PartitionAttr stream = getStreamAttr();
  if (!stream || stream.empty())
    return std::nullopt;
  return stream.getSizes().front();
}

std::optional<int64_t> KernelOp::chunkSize(StringRef axis) {
  PartitionAttr stream = getStreamAttr();
  return stream ? stream.sizeOf(axis) : std::nullopt;
}

int64_t KernelOp::getNumParts() {
  SplitAttr split = getSplitAttr();
  std::optional<int64_t> size =
      split ? getAxisSize(split.getAxis()) : std::nullopt;
  return size ? int64_t(llvm::divideCeil(*size, split.getBy())) : 1;
}

bool KernelOp::writesParts() {
  SplitAttr split = getSplitAttr();
  return split && llvm::any_of(getResultTypes(), [&](Type type) {
           return cast<ArrayType>(type).hasAxis(split.getParts());
         });
}

int64_t KernelOp::partOf(StringRef axis, int64_t size) {
  if (std::optional<int64_t> tile = groupSize(axis))
    return *tile;
  return chunkSize(axis).value_or(size);
}

SmallVector<StringAttr> KernelOp::getGridOrder() {
  if (getOrderAttr())
    return axisNames(getOrderAttr());
  if (PartitionAttr group = getGroupAttr())
    return llvm::to_vector(group.getAxes());
  return {};
}

std::optional<int64_t> KernelOp::getAxisSize(StringRef axis) {
  std::optional<int64_t> size;
  auto check = [&](Type type) {
    auto array = dyn_cast<ArrayType>(type);
    if (array && array.hasAxis(axis))
      size = array.sizeOf(axis);
  };
  for (BlockArgument argument : getBody().getArguments())
    check(argument.getType());
  for (Type type : (*this)->getResultTypes())
    check(type);
  getBody().walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      check(type);
  });
  return size;
}

/// Checks that \p partition cuts axes that \p kernel has into tiles that are no
/// larger than the axis.
static LogicalResult verifyPartition(KernelOp kernel, PartitionAttr partition,
                                     StringRef what) {
  if (!partition)
    return success();
  for (auto [axis, tile] :
       llvm::zip_equal(partition.getAxes(), partition.getSizes())) {
    std::optional<int64_t> size = kernel.getAxisSize(axis);
    if (!size)
      return kernel.emitOpError("'")
             << what << "' cuts axis '" << axis.getValue()
             << "', which no array in the kernel carries; drop it or name "
                "another axis";
    if (!ShapedType::isDynamic(*size) && tile > *size)
      return kernel.emitOpError("'")
             << what << "' cuts axis '" << axis.getValue() << "' of size "
             << *size << " into tiles of " << tile << "; use at most " << *size;
  }
  return success();
}

/// Checks that what a kernel sees lies within its operands, and that what is
/// read within another operand's tile is there.
static LogicalResult verifyViews(KernelOp kernel) {
  ArrayAttr views = kernel.getViewsAttr();
  if (!views)
    return success();
  if (views.size() != kernel.getInputs().size())
    return kernel.emitOpError("'views' says how it sees ")
           << views.size() << " operands, and it has "
           << kernel.getInputs().size();
  Block &block = kernel.getBody().front();
  if (block.getNumArguments() != views.size())
    return success(); // said of the region
  auto placementOf = [&](unsigned input) {
    ViewAttr view = kernel.getView(input);
    return Placement{view.getFrom(), llvm::to_vector(view.getBy())};
  };
  for (auto [index, entry] : llvm::enumerate(views)) {
    if (isa<UnitAttr>(entry))
      continue;
    auto view = dyn_cast<ViewAttr>(entry);
    if (!view)
      return kernel.emitOpError("'views' says ")
             << entry << " of operand " << index << "; it is #ncd.view or unit";
    auto seen = cast<ArrayType>(block.getArgument(index).getType());
    if (failed(verifyPlaced(
            kernel, "operand " + std::to_string(index) + " as it is seen ",
            cast<ArrayType>(kernel.getInputs()[index].getType()), seen,
            {view.getFrom(), view.getBy()})))
      return failure();
    std::optional<int64_t> within = view.getWithin();
    if (!within)
      continue;
    ViewAttr other = *within >= 0 && *within < int64_t(views.size())
                         ? kernel.getView(*within)
                         : ViewAttr();
    if (!other || *within == int64_t(index) || other.getWithin() ||
        kernel.getInputs()[*within] != kernel.getInputs()[index])
      return kernel.emitOpError("operand ")
             << index << " is read within operand " << *within
             << ", which is no other view of the same array with a tile of its "
                "own";
    auto whole = cast<ArrayType>(block.getArgument(*within).getType());
    if (!partWithin(seen, placementOf(index), whole, placementOf(*within)))
      return kernel.emitOpError("operand ")
             << index << " as it is seen, " << seen
             << ", does not lie in operand " << *within << ", " << whole;
  }
  return success();
}

LogicalResult KernelOp::verify() {
  if (failed(verifyViews(*this)) || failed(verifySharedSizes(*this)) ||
      failed(verifyNoCapture(*this, "pass it to the kernel, as in "
                                    "'ncd.kernel (%a = %value : type)'")))
    return failure();
  // Attributes without a prefix are ours alone, or a misspelt name is lost.
  for (NamedAttribute attribute : (*this)->getDiscardableAttrs())
    if (!attribute.getName().getValue().contains('.'))
      return emitOpError("has an unknown attribute '")
             << attribute.getName().getValue()
             << "'; known are group, stream, split, order, grouped, "
                "persistent, hardware, warps, rows, row_warps, reread, stages, "
                "lazy, padded, parts, views, entry, and names with a dialect's "
                "prefix";
  if (std::optional<uint32_t> warps = getWarps())
    if (static_cast<int32_t>(*warps) <= 0)
      return emitOpError("'warps' is ")
             << static_cast<int32_t>(*warps) << "; a block has at least one";
  if (std::optional<uint32_t> stages = getStages())
    if (static_cast<int32_t>(*stages) <= 0)
      return emitOpError("'stages' is ")
             << static_cast<int32_t>(*stages)
             << "; a pipeline has at least one buffer";
  if (std::optional<uint32_t> parts = getParts();
      parts && (!llvm::isPowerOf2_32(*parts) || *parts > 32))
    return emitOpError("'parts' is ")
           << static_cast<int32_t>(*parts)
           << "; lanes keep a power of two of parts, at most 32";
  PartitionAttr group = getGroupAttr(), stream = getStreamAttr();
  for (StringAttr axis : stream ? stream.getAxes() : ArrayRef<StringAttr>())
    if (group && group.hasAxis(axis))
      return emitOpError("axis '")
             << axis.getValue()
             << "' is in both 'group' and 'stream'; cut it across blocks or in "
                "chunks";
  if (SplitAttr split = getSplitAttr()) {
    if (split.getAxis() != getStreamAxis())
      return emitOpError("'split' cuts axis '")
             << split.getAxis().getValue()
             << "' into parts, which is not the first axis in 'stream'";
    if (int64_t chunk = *getStreamSize(); split.getBy() % chunk)
      return emitOpError("'split' cuts axis '")
             << split.getAxis().getValue() << "' into parts of "
             << split.getBy() << ", which are no whole chunks of " << chunk
             << "; use a multiple";
  }
  if (std::optional<uint32_t> warps = getRowWarps();
      warps && (*warps == 0 || getWarps().value_or(0) % *warps))
    return emitOpError("'row_warps' is ")
           << static_cast<int32_t>(*warps) << ", which does not divide 'warps'";
  if (StringAttr rows = getRowsAttr(); rows && !getAxisSize(rows))
    return emitOpError("'rows' names axis '")
           << rows.getValue() << "', which no array in the kernel carries";
  if (getRowWarps() && !getRowsAttr())
    return emitOpError("says how many warps share the rows and not which axis "
                       "gives them; name it in 'rows'");
  if (std::optional<ArrayRef<int32_t>> numbers = getReread())
    for (int32_t number : *numbers)
      if (number < 0 || unsigned(number) >= getInputs().size())
        return emitOpError("'reread' names operand ")
               << number << ", and the kernel has " << getInputs().size();
  if (PartitionAttr grouped = getGroupedAttr()) {
    SmallVector<StringAttr> grid = getGridOrder();
    if (grouped.getAxes().size() != 1 ||
        !llvm::is_contained(grid, grouped.getAxes().front()) ||
        grid.back() == grouped.getAxes().front())
      return emitOpError("'grouped' is ")
             << grouped
             << "; it names one axis of 'group' that is not the last one in "
                "'order'";
  }
  if (std::optional<uint32_t> blocks = getPersistent()) {
    if (static_cast<int32_t>(*blocks) <= 0)
      return emitOpError("'persistent' is ")
             << static_cast<int32_t>(*blocks)
             << "; at least one block walks the grid";
    if ((!group || group.empty()) && !getSplitAttr())
      return emitOpError("is 'persistent' and has no 'group', so no grid to "
                         "walk; cut an axis across blocks");
  }
  if (ArrayAttr order = getOrderAttr()) {
    SmallVector<StringAttr> names = axisNames(order);
    for (auto [index, axis] : llvm::enumerate(names)) {
      if (llvm::is_contained(ArrayRef(names).take_front(index), axis))
        return emitOpError("'order' names axis '")
               << axis.getValue() << "' twice; name it once";
      if (!group || !group.hasAxis(axis))
        return emitOpError("'order' names axis '")
               << axis.getValue() << "', which 'group' does not cut; add it to "
               << "'group' or drop it";
    }
    if (group)
      for (StringAttr axis : group.getAxes())
        if (!llvm::is_contained(names, axis))
          return emitOpError("'order' lacks axis '")
                 << axis.getValue() << "' of 'group'; say where it comes";
  }
  return success();
}

/// Types that the region of \p kernel yields: its results', of which each part
/// of a split writes one position.
static FailureOr<SmallVector<Type>> yieldedTypes(KernelOp kernel) {
  SplitAttr split = kernel.getSplitAttr();
  bool writes = kernel.writesParts();
  SmallVector<Type> types;
  for (auto [index, type] : llvm::enumerate(kernel.getResultTypes())) {
    if (!writes) {
      types.push_back(type);
      continue;
    }
    auto array = cast<ArrayType>(type);
    if (array.getRank() == 0 || array.getAxes().front() != split.getParts() ||
        array.getSizes().front() != kernel.getNumParts())
      return kernel.emitOpError("result ")
             << index << " of a split kernel has to begin with axis "
             << axisText(split.getParts(), kernel.getNumParts());
    types.push_back(withoutAxis(array, split.getParts()));
  }
  return types;
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBody().front();
  FailureOr<SmallVector<Type>> yielded = yieldedTypes(*this);
  // What is seen has the type that the region gives it.
  SmallVector<Type> given(getInputs().getTypes());
  for (auto [index, type] : llvm::enumerate(given))
    if (getView(index) && index < block.getNumArguments() &&
        isa<ArrayType>(block.getArgument(index).getType()))
      type = block.getArgument(index).getType();
  if (failed(yielded) ||
      failed(verifyBlockArguments(*this, block, "the region", given)) ||
      failed(verifyYield(*this, block, "the region", *yielded)) ||
      failed(verifyPartition(*this, getGroupAttr(), "group")) ||
      failed(verifyPartition(*this, getStreamAttr(), "stream")))
    return failure();
  WalkResult walk = getBody().walk([&](KernelOp inner) {
    inner.emitOpError("is inside another kernel; a kernel is one launch");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// StreamOp
//===----------------------------------------------------------------------===//

void StreamOp::build(OpBuilder &builder, OperationState &state,
                     TypeRange resultTypes, StringAttr axis, ValueRange inputs,
                     TypeRange stateTypes) {
  state.addTypes(resultTypes);
  state.addOperands(inputs);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.axis = axis;
  properties.state = builder.getTypeArrayAttr(llvm::to_vector(stateTypes));
  auto addBlock = [&](ArrayRef<TypeRange> argumentTypes) {
    Block &block = state.addRegion()->emplaceBlock();
    for (TypeRange types : argumentTypes)
      for (Type type : types)
        block.addArgument(type, state.location);
  };
  SmallVector<Type> inputTypes = llvm::to_vector(inputs.getTypes());
  addBlock({});
  addBlock({stateTypes, TypeRange(inputTypes)});
  addBlock({stateTypes, stateTypes});
  addBlock({stateTypes});
}

ArrayType StreamOp::getStateType(unsigned index) {
  return cast<ArrayType>(cast<TypeAttr>(getState()[index]).getValue());
}

ArrayType StreamOp::getChunkType(unsigned index) {
  auto array = cast<ArrayType>(getInputs()[index].getType());
  return getSingle() ? withoutAxis(array, getAxisAttr()) : array;
}

Block::BlockArgListType StreamOp::getStepStates() {
  return getStep().front().getArguments().take_front(getNumStates());
}

Block::BlockArgListType StreamOp::getStepChunks() {
  return getStep().front().getArguments().drop_front(getNumStates());
}

ParseResult StreamOp::parse(OpAsmParser &parser, OperationState &result) {
  Properties &properties = result.getOrAddProperties<Properties>();
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types, stateTypes;
  if (parser.parseAttribute(properties.axis,
                            NoneType::get(parser.getContext())))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("single")))
    properties.single = parser.getBuilder().getUnitAttr();
  if (succeeded(parser.parseOptionalKeyword("from")) &&
      !(properties.from = parseBound(parser)))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("to"))) {
    SmallVector<Attribute> bounds;
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
          return success(bounds.emplace_back(parseBound(parser)) != nullptr);
        }))
      return failure();
    properties.to = parser.getBuilder().getArrayAttr(bounds);
  }
  if (parser.parseKeyword("ins") || parser.parseLParen())
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalRParen()))
    if (parser.parseOperandList(operands) || parser.parseColonTypeList(types) ||
        parser.parseRParen())
      return failure();
  if (parser.resolveOperands(operands, types, loc, result.operands) ||
      parser.parseArrowTypeList(result.types) || parser.parseKeyword("state") ||
      parser.parseLParen())
    return failure();
  if (failed(parser.parseOptionalRParen()))
    if (parser.parseTypeList(stateTypes) || parser.parseRParen())
      return failure();
  properties.state = parser.getBuilder().getTypeArrayAttr(stateTypes);
  if (succeeded(parser.parseOptionalKeyword("gauges")))
    if (parser.parseAttribute(properties.gauges))
      return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  for (StringRef name : {"init", "step", "merge", "finish"})
    if (parser.parseKeyword(name) || parser.parseRegion(*result.addRegion()))
      return failure();
  return success();
}

void StreamOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getAxisAttr();
  if (getSingle())
    printer << " single";
  if (BoundAttr from = getFromAttr()) {
    printer << " from ";
    printBound(printer, from);
  }
  if (ArrayAttr to = getToAttr()) {
    printer << " to [";
    llvm::interleaveComma(to.getAsRange<BoundAttr>(), printer,
                          [&](BoundAttr bound) { printBound(printer, bound); });
    printer << ']';
  }
  printer << " ins(";
  if (!getInputs().empty())
    printer << getInputs() << " : " << getInputs().getTypes();
  printer << ") -> (" << getResultTypes() << ") state(";
  llvm::interleaveComma(getState().getAsValueRange<TypeAttr>(), printer);
  printer << ')';
  if (ArrayAttr gauges = getGaugesAttr())
    printer << " gauges " << gauges;
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getAxisAttrName(), getSingleAttrName(), getFromAttrName(),
       getToAttrName(), getStateAttrName(), getGaugesAttrName()});
  printer.printNewline();
  // Named: a list written in the loop's head would be gone before its first
  // turn.
  const StringRef names[] = {"init", "step", "merge", "finish"};
  for (auto [name, region] :
       llvm::zip_equal(ArrayRef(names), (*this)->getRegions())) {
    printer << name << ' ';
    printer.printRegion(region);
    if (&region != &getFinish())
      printer << ' ';
  }
}

/// Whether \p bound is a multiple of \p chunk for every tile.
static bool isMultiple(BoundAttr bound, int64_t chunk) {
  int64_t numbers[] = {bound.getAxis() ? bound.getMultiple() : bound.valueAt(0),
                       bound.getLeast().value_or(0),
                       bound.getMost().value_or(0)};
  return llvm::all_of(numbers,
                      [&](int64_t number) { return number % chunk == 0; });
}

/// Checks that the bounds of \p stream ask axes that blocks have tiles of.
static LogicalResult verifyBounds(StreamOp stream) {
  SmallVector<BoundAttr> bounds;
  if (BoundAttr from = stream.getFromAttr())
    bounds.push_back(from);
  if (ArrayAttr to = stream.getToAttr()) {
    if (to.empty())
      return stream.emitOpError("'to' lists no bound; leave it out to walk to "
                                "the end of the axis");
    llvm::append_range(bounds, to.getAsRange<BoundAttr>());
  }
  auto kernel = stream->getParentOfType<KernelOp>();
  for (BoundAttr bound : bounds)
    if (StringAttr axis = bound.getAxis();
        axis && kernel && !kernel.groupSize(axis))
      return stream.emitOpError("a bound asks for the tile of axis '")
             << axis.getValue()
             << "', which 'group' of the kernel does not cut";
  // Chunks that cross a bound would be walked in two ranges.
  std::optional<int64_t> chunk =
      kernel ? kernel.chunkSize(stream.getAxis()) : std::nullopt;
  if (chunk && stream.getToAttr())
    for (BoundAttr bound : ArrayRef(bounds).drop_back())
      if (!isMultiple(bound, *chunk))
        return stream.emitOpError("chunks are ")
               << *chunk << " positions of axis '" << stream.getAxis()
               << "', and a bound before the last one is no multiple of that; "
                  "write it with 'floor'";
  return success();
}

LogicalResult StreamOp::verify() {
  StringRef axis = getAxis();
  if (failed(verifySharedSizes(*this)))
    return failure();
  for (auto [index, input] : llvm::enumerate(getInputs()))
    if (!cast<ArrayType>(input.getType()).hasAxis(axis))
      return emitOpError("operand ")
             << index << " does not carry the streamed axis '" << axis
             << "'; use it directly instead of through 'ins'";
  bool carrying = false;
  for (auto [index, type] : llvm::enumerate(getResultTypes()))
    if (cast<ArrayType>(type).hasAxis(axis))
      carrying = true;
    else if (carrying)
      return emitOpError("result ")
             << index << " lacks the streamed axis '" << axis
             << "' and stands behind one that carries it; first come what "
                "'finish' yields, then what 'step' yields chunk by chunk";
  for (auto [index, type] :
       llvm::enumerate(getState().getAsValueRange<TypeAttr>())) {
    auto array = dyn_cast<ArrayType>(type);
    if (!array)
      return emitOpError("state ") << index << " has type " << type
                                   << "; the state is made of arrays";
    if (array.hasAxis(axis))
      return emitOpError("state ")
             << index << " carries the streamed axis '" << axis
             << "'; its size must not depend on the axis";
  }
  if (ArrayAttr gauges = getGaugesAttr();
      gauges && gauges.size() != getNumStates())
    return emitOpError("'gauges' describes ")
           << gauges.size() << " members of the state, but there are "
           << getNumStates();

  if (failed(verifyBounds(*this)))
    return failure();

  // Arrays with the axis enter through `ins`, or chunks could not be taken.
  for (Region *region : {&getInit(), &getStep(), &getMerge(), &getFinish()}) {
    WalkResult walk = region->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        if (!operand || region->isAncestor(operand.getParentRegion()))
          continue;
        auto array = dyn_cast<ArrayType>(operand.getType());
        if (!array || !array.hasAxis(axis))
          continue;
        InFlightDiagnostic error =
            inner->emitOpError("uses an array with the streamed axis '");
        error << axis << "' from outside; pass it through 'ins' of the stream";
        error.attachNote(operand.getLoc()) << "the array is defined here";
        return WalkResult::interrupt();
      }
      if (region == &getStep())
        return WalkResult::advance();
      for (Type type : inner->getResultTypes())
        if (auto array = dyn_cast<ArrayType>(type);
            array && array.hasAxis(axis)) {
          inner->emitOpError("carries the streamed axis '")
              << axis << "' outside of 'step'; there is no chunk there";
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();
  }
  return success();
}

LogicalResult StreamOp::verifyRegions() {
  SmallVector<Type> states =
      llvm::to_vector(getState().getAsValueRange<TypeAttr>());
  SmallVector<Type> stepTypes(states), mergeTypes(states);
  for (unsigned index = 0; index < getInputs().size(); ++index)
    stepTypes.push_back(getChunkType(index));
  llvm::append_range(mergeTypes, states);
  SmallVector<Type> finished, next(states);
  for (Type type : getResultTypes())
    (cast<ArrayType>(type).hasAxis(getAxis()) ? next : finished)
        .push_back(type);
  auto verifyRegion = [&](Region &region, StringRef what, TypeRange arguments,
                          TypeRange yields) -> LogicalResult {
    Block &block = region.front();
    if (failed(verifyBlockArguments(*this, block, what, arguments)))
      return failure();
    return verifyYield(*this, block, what, yields);
  };
  if (failed(verifyRegion(getInit(), "'init'", {}, states)) ||
      failed(verifyRegion(getStep(), "'step'", stepTypes, next)) ||
      failed(verifyRegion(getMerge(), "'merge'", mergeTypes, states)) ||
      failed(verifyRegion(getFinish(), "'finish'", states, finished)))
    return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// WhenOp
//===----------------------------------------------------------------------===//

void WhenOp::build(OpBuilder &builder, OperationState &state, Value condition,
                   ValueRange otherwise) {
  state.addOperands(condition);
  state.addOperands(otherwise);
  state.addTypes(otherwise.getTypes());
  state.addRegion()->emplaceBlock();
}

LogicalResult WhenOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getOtherwise().getTypes());
  return success();
}

LogicalResult WhenOp::verify() {
  if (!getCondition().getType().getElementType().isInteger(1))
    return emitOpError("the condition holds ")
           << getCondition().getType().getElementType()
           << "; it has to hold i1";
  return success();
}

LogicalResult WhenOp::verifyRegions() {
  return verifyYield(*this, getBody().front(), "the region",
                     getOtherwise().getTypes());
}
