//===- NCDTypes.cpp - arrays with named axes ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Syntax and checks of ArrayType, and the table of element types.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDTypes.h"
#include "AxisSyntax.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDDialect.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin::ncd;

#define GET_TYPEDEF_CLASSES
#include "napkin/Dialect/NCD/IR/NCDTypes.cpp.inc"

void NCDDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "napkin/Dialect/NCD/IR/NCDTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

Type napkin::ncd::parseElementType(MLIRContext *context, StringRef name) {
  Builder builder(context);
  return llvm::StringSwitch<function_ref<Type()>>(name)
      .Case("f64", [&]() -> Type { return builder.getF64Type(); })
      .Case("f32", [&]() -> Type { return builder.getF32Type(); })
      .Case("tf32", [&]() -> Type { return builder.getTF32Type(); })
      .Case("bf16", [&]() -> Type { return builder.getBF16Type(); })
      .Case("f16", [&]() -> Type { return builder.getF16Type(); })
      .Case("f8E4M3FN",
            [&]() -> Type { return Float8E4M3FNType::get(context); })
      .Case("f8E5M2", [&]() -> Type { return Float8E5M2Type::get(context); })
      .Case("i8", [&]() -> Type { return builder.getI8Type(); })
      .Case("i32", [&]() -> Type { return builder.getI32Type(); })
      .Case("i64", [&]() -> Type { return builder.getI64Type(); })
      .Case("i1", [&]() -> Type { return builder.getI1Type(); })
      .Default([]() -> Type { return {}; })();
}

StringRef napkin::ncd::elementTypeName(Type type) {
  return llvm::TypeSwitch<Type, StringRef>(type)
      .Case<Float64Type>([](auto) { return "f64"; })
      .Case<Float32Type>([](auto) { return "f32"; })
      .Case<FloatTF32Type>([](auto) { return "tf32"; })
      .Case<BFloat16Type>([](auto) { return "bf16"; })
      .Case<Float16Type>([](auto) { return "f16"; })
      .Case<Float8E4M3FNType>([](auto) { return "f8E4M3FN"; })
      .Case<Float8E5M2Type>([](auto) { return "f8E5M2"; })
      .Case<IntegerType>([](IntegerType integer) -> StringRef {
        if (!integer.isSignless())
          return "";
        switch (integer.getWidth()) {
        case 1:
          return "i1";
        case 8:
          return "i8";
        case 32:
          return "i32";
        case 64:
          return "i64";
        default:
          return "";
        }
      })
      .Default([](Type) { return ""; });
}

bool napkin::ncd::isElementType(Type type) {
  return type && !elementTypeName(type).empty();
}

StringRef napkin::ncd::elementTypeNames() {
  return "f64, f32, tf32, bf16, f16, f8E4M3FN, f8E5M2, i8, i32, i64, i1";
}

unsigned napkin::ncd::elementBytes(Type type) {
  // tf32 has 19 bits and lives in 32.
  if (isa<FloatTF32Type>(type))
    return 4;
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

Type napkin::ncd::accumulatorType(Type type) {
  if (isa<Float64Type>(type))
    return type;
  if (isa<FloatType>(type))
    return Float32Type::get(type.getContext());
  if (type.isInteger(8))
    return IntegerType::get(type.getContext(), 32);
  return type;
}

bool napkin::ncd::isAxisName(StringRef name) {
  return !name.empty() && !llvm::isDigit(name.front()) &&
         llvm::all_of(name,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

//===----------------------------------------------------------------------===//
// Notation of axes
//===----------------------------------------------------------------------===//

ParseResult napkin::ncd::parseAxisSize(AsmParser &parser, int64_t &size,
                                       bool dynamic) {
  if (dynamic && succeeded(parser.parseOptionalQuestion())) {
    size = ShapedType::kDynamic;
    return success();
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseInteger(size))
    return failure();
  // The number that stands for `?` is no way to write it.
  if (ShapedType::isDynamic(size))
    return parser.emitError(loc, "sizes are positive");
  return success();
}

void napkin::ncd::printAxes(AsmPrinter &printer, ArrayRef<StringAttr> axes,
                            ArrayRef<int64_t> sizes,
                            ArrayRef<StringAttr> parents) {
  llvm::interleaveComma(llvm::seq<size_t>(axes.size()), printer, [&](size_t i) {
    int64_t size = sizes[i];
    printer << axes[i].getValue();
    if (!parents.empty() && parents[i]) {
      printer << ':' << parents[i].getValue();
      return;
    }
    printer << '=';
    if (ShapedType::isDynamic(size))
      printer << '?';
    else
      printer << size;
  });
}

LogicalResult
napkin::ncd::verifyAxes(function_ref<InFlightDiagnostic()> emitError,
                        StringRef what, ArrayRef<StringAttr> axes,
                        ArrayRef<int64_t> sizes, bool dynamic) {
  if (axes.size() != sizes.size())
    return emitError() << what << " has " << axes.size() << " axis names but "
                       << sizes.size() << " sizes; give one size for each axis";
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (!axis || !isAxisName(axis.getValue()))
      return emitError() << what << " has an axis named \""
                         << (axis ? axis.getValue() : "")
                         << "\"; a name is a letter or '_', then letters, "
                            "digits and '_'";
    if (llvm::is_contained(axes.take_front(index), axis))
      return emitError() << what << " names axis '" << axis.getValue()
                         << "' twice; give the second one a name of its own";
    int64_t size = sizes[index];
    if (dynamic && ShapedType::isDynamic(size))
      continue;
    if (size <= 0)
      return emitError() << "axis '" << axis.getValue() << "' of " << what
                         << " has size " << size << "; sizes are positive"
                         << (dynamic ? ", or ?" : "");
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ArrayType
//===----------------------------------------------------------------------===//

/// The strides of \p array: those that are \p written, and for the others the
/// distance of dense rows.
static FailureOr<SmallVector<int64_t>>
completeStrides(AsmParser &parser, SMLoc loc, ArrayType array,
                ArrayRef<std::optional<int64_t>> written) {
  SmallVector<int64_t> strides(array.getRank());
  int64_t dense = 1;
  for (unsigned axis = array.getRank(); axis-- > 0;) {
    int64_t size = array.getSizes()[axis];
    if (ShapedType::isDynamic(size)) {
      parser.emitError(loc, "axis '")
          << array.getAxes()[axis].getValue()
          << "' is ?, and strides are given to arrays of static sizes; write "
             "its size";
      return failure();
    }
    strides[axis] = written[axis].value_or(dense);
    if (strides[axis] == INT64_MIN ||
        llvm::MulOverflow(std::max<int64_t>(std::abs(strides[axis]), 1), size,
                          dense)) {
      parser.emitError(loc, "axis '")
          << array.getAxes()[axis].getValue() << "' of " << size
          << " positions " << strides[axis]
          << " elements apart reaches beyond 2^63; make one of them smaller";
      return failure();
    }
  }
  return strides;
}

Type ArrayType::parse(AsmParser &parser) {
  SmallVector<StringAttr> axes, parents;
  SmallVector<int64_t> sizes;
  // Strides that are written, and where.
  SmallVector<std::optional<int64_t>> written;
  Builder &builder = parser.getBuilder();
  SMLoc start = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  while (true) {
    // An axis name or the element type: only an axis is followed by `=` or `:`.
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (failed(parser.parseOptionalKeyword(&name))) {
      parser.emitError(loc,
                       "expected an axis as in 'x=512' or an element type");
      return {};
    }
    bool isRagged = succeeded(parser.parseOptionalColon());
    if (isRagged || succeeded(parser.parseOptionalEqual())) {
      int64_t size = ShapedType::kDynamic;
      StringRef parent;
      if (isRagged ? failed(parser.parseKeyword(&parent))
                   : failed(parseAxisSize(parser, size, /*dynamic=*/true)))
        return {};
      std::optional<int64_t> stride;
      if (!isRagged && succeeded(parser.parseOptionalColon()) &&
          parser.parseInteger(stride.emplace()))
        return {};
      written.push_back(stride);
      if (succeeded(parser.parseOptionalGreater())) {
        parser.emitError(loc, "an array ends with its element type, one of ")
            << elementTypeNames();
        return {};
      }
      if (parser.parseComma())
        return {};
      axes.push_back(builder.getStringAttr(name));
      sizes.push_back(size);
      parents.push_back(isRagged ? builder.getStringAttr(parent)
                                 : StringAttr());
      continue;
    }
    Type element = parseElementType(builder.getContext(), name);
    if (!element) {
      parser.emitError(loc)
          << "'" << name << "' is neither an axis with its size, as in '"
          << name << "=512', nor an element type; element types are "
          << elementTypeNames();
      return {};
    }
    if (parser.parseGreater())
      return {};
    // An array without ragged axes has no list of parents.
    if (llvm::none_of(parents, [](StringAttr parent) { return bool(parent); }))
      parents.clear();
    auto array = parser.getChecked<ArrayType>(
        start, builder.getContext(), axes, sizes, element,
        ArrayRef<StringAttr>(parents), ArrayRef<int64_t>());
    bool anyStride = llvm::any_of(
        written, [](std::optional<int64_t> stride) { return bool(stride); });
    if (!array || !anyStride)
      return array;
    FailureOr<SmallVector<int64_t>> strides =
        completeStrides(parser, start, array, written);
    if (failed(strides))
      return {};
    if (*strides == array.getPlacement())
      return array;
    return parser.getChecked<ArrayType>(start, builder.getContext(), axes,
                                        sizes, element, ArrayRef<StringAttr>(),
                                        ArrayRef<int64_t>(*strides));
  }
}

void ArrayType::print(AsmPrinter &printer) const {
  printer << '<';
  if (!hasStrides())
    printAxes(printer, getAxes(), getSizes(), getParents());
  else
    llvm::interleaveComma(llvm::zip_equal(getAxes(), getSizes(), getStrides()),
                          printer, [&](auto axis) {
                            auto [name, size, stride] = axis;
                            printer << name.getValue() << '=' << size << ':'
                                    << stride;
                          });
  if (getRank())
    printer << ", ";
  printer << elementTypeName(getElementType()) << '>';
}

LogicalResult ArrayType::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<StringAttr> axes,
                                ArrayRef<int64_t> sizes, Type elementType,
                                ArrayRef<StringAttr> parents,
                                ArrayRef<int64_t> strides) {
  if (!isElementType(elementType))
    return emitError() << "an array cannot hold elements of type "
                       << elementType << "; element types are "
                       << elementTypeNames();
  if (failed(verifyAxes(emitError, "array", axes, sizes, /*dynamic=*/true)))
    return failure();
  for (auto [index, parent] : llvm::enumerate(parents)) {
    if (!parent)
      continue;
    const StringAttr *place = llvm::find(axes, parent);
    bool isCarried = place != axes.end();
    size_t at = place - axes.begin();
    if (parent == axes[index] || (isCarried && at > index))
      return emitError() << "axis '" << axes[index].getValue()
                         << "' is ragged below '" << parent.getValue()
                         << "'; a parent is another axis and stands before it";
    if (isCarried && parents[at])
      return emitError() << "axis '" << axes[index].getValue()
                         << "' is ragged below '" << parent.getValue()
                         << "', which is ragged itself; a parent is dense";
  }
  int64_t bytes = elementBytes(elementType);
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    if (ShapedType::isDynamic(size))
      continue;
    if (llvm::MulOverflow(bytes, size, bytes))
      return emitError() << "array is larger than 2^63 bytes at axis '"
                         << axis.getValue() << "' of size " << size
                         << "; make an axis smaller";
  }
  return success();
}

std::optional<unsigned> ArrayType::axisIndex(StringRef axis) const {
  for (auto [index, name] : llvm::enumerate(getAxes()))
    if (name.getValue() == axis)
      return index;
  return std::nullopt;
}

int64_t ArrayType::sizeOf(StringRef axis) const {
  return getSizes()[*axisIndex(axis)];
}

bool ArrayType::hasStaticSizes() const {
  return llvm::none_of(getSizes(), ShapedType::isDynamic);
}

std::optional<int64_t> ArrayType::getNumElements() const {
  if (!hasStaticSizes())
    return std::nullopt;
  int64_t count = 1;
  for (int64_t size : getSizes())
    count *= size;
  return count;
}

unsigned ArrayType::getElementBytes() const {
  return elementBytes(getElementType());
}

std::optional<int64_t> ArrayType::getNumBytes() const {
  std::optional<int64_t> count = getNumElements();
  if (!count)
    return std::nullopt;
  return *count * getElementBytes();
}

SmallVector<int64_t> ArrayType::getPlacement() const {
  if (hasStrides())
    return llvm::to_vector(getStrides());
  SmallVector<int64_t> strides(getRank(), 1);
  for (unsigned axis = getRank(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * getSizes()[axis];
  return strides;
}

int64_t ArrayType::getSpan() const {
  int64_t reach = 0;
  for (auto [size, stride] : llvm::zip_equal(getSizes(), getPlacement()))
    reach += (size - 1) * std::abs(stride);
  return reach + 1;
}

ArrayType ArrayType::withStrides(ArrayRef<int64_t> strides) const {
  ArrayType dense = get(getContext(), getAxes(), getSizes(), getElementType());
  if (strides == ArrayRef(dense.getPlacement()))
    return dense;
  return get(getContext(), getAxes(), getSizes(), getElementType(), strides);
}

ArrayType ArrayType::withElementType(Type elementType) const {
  return get(getContext(), getAxes(), getSizes(), elementType, getParents());
}

ArrayType ArrayType::withoutAxes(ArrayRef<StringAttr> dropped) const {
  SmallVector<StringAttr> axes, parents;
  SmallVector<int64_t> sizes;
  for (auto [index, axis] : llvm::enumerate(getAxes())) {
    if (llvm::is_contained(dropped, axis))
      continue;
    axes.push_back(axis);
    sizes.push_back(getSizes()[index]);
    parents.push_back(getParent(index));
  }
  if (llvm::none_of(parents, [](StringAttr parent) { return bool(parent); }))
    parents.clear();
  return get(getContext(), axes, sizes, getElementType(), parents);
}
