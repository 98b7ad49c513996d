//===- TileTypes.cpp - Tiles, views, rings and layouts --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/DialectImplementation.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

#define GET_ATTRDEF_CLASSES
#include "napkin/Dialect/Tile/IR/TileAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "napkin/Dialect/Tile/IR/TileTypes.cpp.inc"

void TileDialect::registerTypes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "napkin/Dialect/Tile/IR/TileAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "napkin/Dialect/Tile/IR/TileTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// LayoutAttr
//===----------------------------------------------------------------------===//

LayoutAttr LayoutAttr::get(MLIRContext *context,
                           const layout::LinearLayout &layout) {
  auto images = [&](layout::Place place) {
    SmallVector<int32_t> values;
    for (uint32_t image : layout.getBases(place))
      values.push_back(image);
    return values;
  };
  return get(context, images(layout::Place::Register),
             images(layout::Place::Lane), images(layout::Place::Warp));
}

layout::LinearLayout LayoutAttr::getLayout() const {
  layout::LinearLayout layout;
  auto add = [&](layout::Place place, ArrayRef<int32_t> images) {
    for (int32_t image : images)
      layout.add(place, image);
  };
  add(layout::Place::Register, getRegisters());
  add(layout::Place::Lane, getLanes());
  add(layout::Place::Warp, getWarps());
  return layout;
}

void LayoutAttr::print(AsmPrinter &printer) const {
  auto list = [&](StringRef name, ArrayRef<int32_t> images) {
    printer << name << " = [";
    llvm::interleaveComma(images, printer);
    printer << ']';
  };
  printer << '<';
  list("register", getRegisters());
  list(", lane", getLanes());
  list(", warp", getWarps());
  printer << '>';
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<int32_t> registers, lanes, warps;
  auto list = [&](StringRef name, SmallVector<int32_t> &images) -> ParseResult {
    return failure(
        parser.parseKeyword(name) || parser.parseEqual() ||
        parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
          return parser.parseInteger(images.emplace_back());
        }));
  };
  if (parser.parseLess() || list("register", registers) ||
      parser.parseComma() || list("lane", lanes) || parser.parseComma() ||
      list("warp", warps) || parser.parseGreater())
    return {};
  return get(parser.getContext(), registers, lanes, warps);
}

//===----------------------------------------------------------------------===//
// The axis list shared by tiles, views and rings: `q=128, x=64`
//===----------------------------------------------------------------------===//

static void printAxes(AsmPrinter &printer, ArrayRef<StringAttr> axes,
                      ArrayRef<int64_t> sizes) {
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (index)
      printer << ", ";
    printer << axis.getValue() << '=' << sizes[index];
  }
}

/// Parses one `name=size` whose name has been read.
static ParseResult parseAxisSize(AsmParser &parser, StringRef name,
                                 SmallVectorImpl<StringAttr> &axes,
                                 SmallVectorImpl<int64_t> &sizes) {
  int64_t size;
  if (parser.parseEqual() || parser.parseInteger(size))
    return failure();
  axes.push_back(StringAttr::get(parser.getContext(), name));
  sizes.push_back(size);
  return success();
}

/// Parses `name=size, ` until a type comes, and that type.
static ParseResult parseAxesAndElement(AsmParser &parser,
                                       SmallVectorImpl<StringAttr> &axes,
                                       SmallVectorImpl<int64_t> &sizes,
                                       Type &element) {
  while (true) {
    OptionalParseResult type = parser.parseOptionalType(element);
    if (type.has_value())
      return *type;
    StringRef name;
    if (parser.parseKeyword(&name) ||
        parseAxisSize(parser, name, axes, sizes) || parser.parseComma())
      return failure();
  }
}

bool napkin::tile::isTileSize(int64_t size) {
  return size >= 1 && size <= (int64_t(1) << 20) &&
         (llvm::isPowerOf2_64(size) || size % 16 == 0);
}

static LogicalResult verifyAxes(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<StringAttr> axes,
                                ArrayRef<int64_t> sizes) {
  llvm::SmallDenseSet<StringAttr> seen;
  int64_t total = 1;
  for (auto [axis, size] : llvm::zip(axes, sizes)) {
    if (!seen.insert(axis).second)
      return emitError() << "axis '" << axis.getValue() << "' is named twice";
    if (size < 2 || !isTileSize(size))
      return emitError() << "axis '" << axis.getValue() << "' has tile size "
                         << size << "; expects a power of two or a multiple of "
                         << "16 in [2, 2^20]";
    total *= size;
    if (total > (int64_t(1) << 24))
      return emitError() << "a tile of more than 2^24 elements";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// TileType
//===----------------------------------------------------------------------===//

void TileType::print(AsmPrinter &printer) const {
  printer << '<';
  printAxes(printer, getAxes(), getSizes());
  if (!getAxes().empty())
    printer << ", ";
  printer << getElementType();
  if (getLayout())
    printer << ", " << getLayout();
  printer << '>';
}

Type TileType::parse(AsmParser &parser) {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  Type element;
  LayoutAttr layout;
  if (parser.parseLess() || parseAxesAndElement(parser, axes, sizes, element))
    return {};
  if (succeeded(parser.parseOptionalComma()) && parser.parseAttribute(layout))
    return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<TileType>(parser.getContext(), axes, sizes, element,
                                     layout);
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<StringAttr> axes,
                               ArrayRef<int64_t> sizes, Type element,
                               LayoutAttr layout) {
  if (failed(verifyAxes(emitError, axes, sizes)))
    return failure();
  if (!element.isIntOrFloat())
    return emitError() << "expects an integer or float element, got "
                       << element;
  if (!layout)
    return success();
  if (layout.getLanes().size() != 5)
    return emitError() << "expects a layout of 5 lane bits, got "
                       << layout.getLanes().size();
  layout::TileShape shape(sizes);
  uint32_t limit = uint32_t(1) << shape.totalBits();
  layout::LinearLayout bits = layout.getLayout();
  for (layout::Place place :
       {layout::Place::Register, layout::Place::Lane, layout::Place::Warp})
    for (uint32_t image : bits.getBases(place))
      if (image >= limit)
        return emitError() << "layout image " << image
                           << " lies outside the tile";
  for (layout::Place place : {layout::Place::Lane, layout::Place::Warp})
    for (uint32_t image : bits.getBases(place))
      if (image & shape.digits())
        return emitError() << "layout image " << image
                           << " of a lane or warp holds a digit of a size that "
                              "is no power of two; only registers may";
  for (uint32_t image : bits.getBases(layout::Place::Register))
    if ((image & shape.digits()) && !llvm::isPowerOf2_32(image))
      return emitError() << "layout image " << image
                         << " of a register holds a digit among other bits";
  if (!bits.isSurjective(shape))
    return emitError() << "the layout does not reach every element of the tile";
  return success();
}

std::optional<unsigned> TileType::axisIndex(StringRef axis) const {
  for (auto [index, name] : llvm::enumerate(getAxes()))
    if (name.getValue() == axis)
      return index;
  return std::nullopt;
}

TileType TileType::withLayout(const layout::LinearLayout &layout) const {
  return get(getContext(), getAxes(), getSizes(), getElementType(),
             LayoutAttr::get(getContext(), layout));
}

SmallVector<unsigned> TileType::axisMapTo(TileType smaller) const {
  SmallVector<unsigned> map;
  for (StringAttr axis : smaller.getAxes())
    map.push_back(*axisIndex(axis));
  return map;
}

//===----------------------------------------------------------------------===//
// ViewType
//===----------------------------------------------------------------------===//

void ViewType::print(AsmPrinter &printer) const {
  printer << '<';
  printAxes(printer, getAxes(), getSizes());
  if (!getAxes().empty())
    printer << ", ";
  printer << getElementType() << '>';
}

Type ViewType::parse(AsmParser &parser) {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  Type element;
  if (parser.parseLess() || parseAxesAndElement(parser, axes, sizes, element) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<ViewType>(parser.getContext(), axes, sizes, element);
}

LogicalResult ViewType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<StringAttr> axes,
                               ArrayRef<int64_t> sizes, Type element) {
  if (!element.isIntOrFloat())
    return emitError() << "expects an integer or float element of a view, got "
                       << element;
  return verifyAxes(emitError, axes, sizes);
}

//===----------------------------------------------------------------------===//
// SmemAttr
//===----------------------------------------------------------------------===//

void SmemAttr::print(AsmPrinter &printer) const {
  if (getSwizzle())
    printer << "<swizzle = " << getSwizzle() << '>';
  else
    printer << "<pad = " << getPad() << '>';
}

Attribute SmemAttr::parse(AsmParser &parser, Type) {
  StringRef kind;
  int64_t bytes;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&kind) || parser.parseEqual() ||
      parser.parseInteger(bytes) || parser.parseGreater())
    return {};
  if (kind != "swizzle" && kind != "pad") {
    parser.emitError(location)
        << "expects 'swizzle' or 'pad', got '" << kind << "'";
    return {};
  }
  bool isSwizzle = kind == "swizzle";
  return parser.getChecked<SmemAttr>(parser.getContext(), isSwizzle ? bytes : 0,
                                     isSwizzle ? 0 : bytes);
}

LogicalResult SmemAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t swizzle, int64_t pad) {
  if (!(swizzle == 128 && pad == 0) && !(swizzle == 0 && pad == 16))
    return emitError() << "expects a swizzle of 128 or a pad of 16 bytes, got "
                       << (swizzle ? swizzle : pad);
  return success();
}

/// Byte of each element of a tile that lies in shared memory as `smem` says.
static layout::SharedLayout sharedLayout(ArrayRef<int64_t> sizes, Type element,
                                         SmemAttr smem) {
  layout::TileShape shape(sizes);
  unsigned bytes = ncd::elementBytes(element);
  if (smem.getPad())
    return layout::SharedLayout::paddedRowMajor(shape, bytes, smem.getPad());
  return layout::SharedLayout::swizzledRowMajor(shape, bytes);
}

//===----------------------------------------------------------------------===//
// RingType and SlotType
//===----------------------------------------------------------------------===//

/// Parses `(name=size, ...), element, #smem>`.
static ParseResult parseSlot(AsmParser &parser,
                             SmallVectorImpl<StringAttr> &axes,
                             SmallVectorImpl<int64_t> &sizes, Type &element,
                             SmemAttr &smem) {
  return failure(parser.parseCommaSeparatedList(
                     AsmParser::Delimiter::Paren,
                     [&] {
                       StringRef name;
                       return failure(parser.parseKeyword(&name) ||
                                      parseAxisSize(parser, name, axes, sizes));
                     }) ||
                 parser.parseComma() || parser.parseType(element) ||
                 parser.parseComma() || parser.parseAttribute(smem) ||
                 parser.parseGreater());
}

static void printSlot(AsmPrinter &printer, ArrayRef<StringAttr> axes,
                      ArrayRef<int64_t> sizes, Type element, SmemAttr smem) {
  printer << '(';
  printAxes(printer, axes, sizes);
  printer << "), " << element << ", " << smem << '>';
}

static LogicalResult verifySlot(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<StringAttr> axes,
                                ArrayRef<int64_t> sizes, Type element) {
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() < 8 ||
      element.getIntOrFloatBitWidth() > 64)
    return emitError() << "expects elements of 1, 2, 4 or 8 bytes, got "
                       << element;
  return verifyAxes(emitError, axes, sizes);
}

void RingType::print(AsmPrinter &printer) const {
  printer << '<' << getSlots() << " x ";
  printSlot(printer, getAxes(), getSizes(), getElementType(), getSmem());
}

Type RingType::parse(AsmParser &parser) {
  int64_t slots;
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  Type element;
  SmemAttr smem;
  if (parser.parseLess() || parser.parseInteger(slots) ||
      parser.parseKeyword("x") || parseSlot(parser, axes, sizes, element, smem))
    return {};
  return parser.getChecked<RingType>(parser.getContext(), slots, axes, sizes,
                                     element, smem);
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t slots, ArrayRef<StringAttr> axes,
                               ArrayRef<int64_t> sizes, Type element,
                               SmemAttr) {
  if (slots < 1 || slots > 16)
    return emitError() << "expects 1 to 16 slots, got " << slots;
  return verifySlot(emitError, axes, sizes, element);
}

int64_t RingType::getSlotBytes() const { return getSharedLayout().bytes(); }

SlotType RingType::getSlotType() const {
  return SlotType::get(getContext(), getAxes(), getSizes(), getElementType(),
                       getSmem());
}

layout::SharedLayout RingType::getSharedLayout() const {
  return sharedLayout(getSizes(), getElementType(), getSmem());
}

void SlotType::print(AsmPrinter &printer) const {
  printer << '<';
  printSlot(printer, getAxes(), getSizes(), getElementType(), getSmem());
}

Type SlotType::parse(AsmParser &parser) {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  Type element;
  SmemAttr smem;
  if (parser.parseLess() || parseSlot(parser, axes, sizes, element, smem))
    return {};
  return parser.getChecked<SlotType>(parser.getContext(), axes, sizes, element,
                                     smem);
}

LogicalResult SlotType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<StringAttr> axes,
                               ArrayRef<int64_t> sizes, Type element,
                               SmemAttr) {
  return verifySlot(emitError, axes, sizes, element);
}

layout::SharedLayout SlotType::getSharedLayout() const {
  return sharedLayout(getSizes(), getElementType(), getSmem());
}
