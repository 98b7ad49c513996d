//===- LinearLayout.cpp - Layouts as linear maps over bits ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Layout/LinearLayout.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>
#include <set>

using namespace napkin::layout;

unsigned napkin::layout::log2Exact(uint64_t value) {
  assert(llvm::isPowerOf2_64(value) && "a power of two");
  return llvm::Log2_64(value);
}

//===----------------------------------------------------------------------===//
// TileShape
//===----------------------------------------------------------------------===//

TileShape::TileShape(llvm::ArrayRef<int64_t> sizes)
    : sizes(sizes.begin(), sizes.end()) {
  for (int64_t size : sizes)
    bitCounts.push_back(llvm::Log2_64_Ceil(size));
}

unsigned TileShape::coreBits(unsigned axis) const {
  return llvm::countr_zero(uint64_t(sizes[axis]));
}

int64_t TileShape::elements() const {
  int64_t product = 1;
  for (int64_t size : sizes)
    product *= size;
  return product;
}

uint32_t TileShape::digits() const {
  uint32_t bits = 0;
  for (unsigned axis = 0; axis < rank(); ++axis)
    for (unsigned bit = coreBits(axis); bit < bitCounts[axis]; ++bit)
      bits |= unit(axis, bit);
  return bits;
}

bool TileShape::contains(uint32_t flat) const {
  for (unsigned axis = 0; axis < rank(); ++axis)
    if (coordinate(flat, axis) >= sizes[axis])
      return false;
  return true;
}

unsigned TileShape::totalBits() const {
  unsigned total = 0;
  for (unsigned bits : bitCounts)
    total += bits;
  return total;
}

unsigned TileShape::shift(unsigned axis) const {
  unsigned shift = 0;
  for (unsigned later = axis + 1; later < rank(); ++later)
    shift += bitCounts[later];
  return shift;
}

uint32_t TileShape::mask(unsigned axis) const {
  return ((uint32_t(1) << bitCounts[axis]) - 1) << shift(axis);
}

uint32_t TileShape::unit(unsigned axis, unsigned bit) const {
  return uint32_t(1) << (shift(axis) + bit);
}

uint32_t TileShape::coordinate(uint32_t flat, unsigned axis) const {
  return (flat & mask(axis)) >> shift(axis);
}

uint32_t TileShape::project(uint32_t flat, const TileShape &target,
                            llvm::ArrayRef<unsigned> axisMap) const {
  uint32_t result = 0;
  for (auto [axis, source] : llvm::enumerate(axisMap))
    result |= coordinate(flat, source) << target.shift(axis);
  return result;
}

//===----------------------------------------------------------------------===//
// LinearLayout
//===----------------------------------------------------------------------===//

/// A set of GF(2) vectors in echelon form, each remembering which inputs made
/// it.
namespace {
class Echelon {
public:
  /// Reduces `vector`; `inputs` collects the inputs whose XOR it equals.
  uint32_t reduce(uint32_t vector, uint32_t &inputs) const {
    for (const auto &[leading, row] : rows)
      if (vector & (uint32_t(1) << leading)) {
        vector ^= row.first;
        inputs ^= row.second;
      }
    return vector;
  }
  /// Adds `vector`, made of `inputs`; false if it was already in the span.
  bool insert(uint32_t vector, uint32_t inputs) {
    vector = reduce(vector, inputs);
    if (!vector)
      return false;
    rows[llvm::Log2_32(vector)] = {vector, inputs};
    return true;
  }
  unsigned rank() const { return rows.size(); }

private:
  /// Keyed by the leading bit, highest first, so that one sweep reduces fully.
  std::map<unsigned, std::pair<uint32_t, uint32_t>, std::greater<unsigned>>
      rows;
};
} // namespace

uint32_t LinearLayout::apply(Place place, uint32_t value) const {
  uint32_t result = 0;
  for (auto [bit, image] : llvm::enumerate(getBases(place)))
    if (value >> bit & 1)
      result ^= image;
  return result;
}

uint32_t LinearLayout::apply(uint32_t reg, uint32_t lane, uint32_t warp) const {
  return apply(Place::Register, reg) ^ apply(Place::Lane, lane) ^
         apply(Place::Warp, warp);
}

static unsigned rankOf(const LinearLayout::Bases &bases) {
  Echelon echelon;
  for (const auto &place : bases)
    for (uint32_t image : place)
      echelon.insert(image, 0);
  return echelon.rank();
}

bool LinearLayout::isSurjective(const TileShape &shape) const {
  return rankOf(bases) == shape.totalBits();
}

bool LinearLayout::isInjective() const {
  unsigned total = 0;
  for (const auto &place : bases)
    total += place.size();
  return rankOf(bases) == total;
}

std::optional<uint32_t> LinearLayout::registerFor(uint32_t flat) const {
  Echelon echelon;
  for (auto [bit, image] : llvm::enumerate(getBases(Place::Register)))
    echelon.insert(image, uint32_t(1) << bit);
  uint32_t inputs = 0;
  if (echelon.reduce(flat, inputs))
    return std::nullopt;
  return inputs;
}

LinearLayout LinearLayout::slice(const TileShape &shape,
                                 const TileShape &target,
                                 llvm::ArrayRef<unsigned> axisMap) const {
  LinearLayout result;
  Echelon registers;
  for (uint32_t image : getBases(Place::Register)) {
    uint32_t projected = shape.project(image, target, axisMap);
    if (registers.insert(projected, 0))
      result.add(Place::Register, projected);
  }
  for (Place place : {Place::Lane, Place::Warp})
    for (uint32_t image : getBases(place))
      result.add(place, shape.project(image, target, axisMap));
  return result;
}

LinearLayout::Bases LinearLayout::foldedImages(const TileShape &shape,
                                               const TileShape &target,
                                               llvm::ArrayRef<unsigned> axisMap,
                                               unsigned axis) const {
  const unsigned *kept = llvm::find(axisMap, axis);
  unsigned keptAxis = kept - axisMap.begin(), next = 0;
  unsigned keptBits = kept == axisMap.end() ? 0 : target.bits(keptAxis);
  Bases images(numPlaces);
  // (A bit walks along one axis.)
  auto imageOf = [&](uint32_t image, bool mayKeep) -> uint32_t {
    if (shape.coordinate(image, axis))
      return mayKeep && next < keptBits ? target.unit(keptAxis, next++) : 0;
    uint32_t result = 0;
    for (auto [to, from] : llvm::enumerate(axisMap))
      if (from != axis)
        result |= shape.coordinate(image, from) << target.shift(to);
    return result;
  };
  for (Place place : {Place::Lane, Place::Register, Place::Warp})
    for (uint32_t image : getBases(place))
      images[unsigned(place)].push_back(imageOf(image, place != Place::Warp));
  return images;
}

LinearLayout LinearLayout::fold(const TileShape &shape, const TileShape &target,
                                llvm::ArrayRef<unsigned> axisMap,
                                unsigned axis) const {
  Bases images = foldedImages(shape, target, axisMap, axis);
  LinearLayout result;
  Echelon registers;
  for (uint32_t image : images[unsigned(Place::Register)])
    if (registers.insert(image, 0))
      result.add(Place::Register, image);
  for (Place place : {Place::Lane, Place::Warp})
    for (uint32_t image : images[unsigned(place)])
      result.add(place, image);
  return result;
}

llvm::SmallVector<uint32_t>
LinearLayout::registersOf(const TileShape &shape) const {
  llvm::SmallVector<uint32_t> registers;
  for (uint32_t reg = 0; reg < numRegisters(); ++reg)
    if (shape.contains(apply(Place::Register, reg)))
      registers.push_back(reg);
  return registers;
}

unsigned LinearLayout::contiguousRegisterBits() const {
  unsigned bits = 0;
  for (uint32_t image : getBases(Place::Register)) {
    if (image != uint32_t(1) << bits)
      break;
    ++bits;
  }
  return bits;
}

uint32_t LinearLayout::replicatedBits(Place place) const {
  // A bit replicates when its image is already reached by the bits before it.
  Echelon echelon;
  for (uint32_t image : getBases(Place::Register))
    echelon.insert(image, 0);
  uint32_t replicated = 0;
  for (Place current : {Place::Lane, Place::Warp}) {
    for (auto [bit, image] : llvm::enumerate(getBases(current)))
      if (!echelon.insert(image, 0) && current == place)
        replicated |= uint32_t(1) << bit;
    if (current == place)
      break;
  }
  return replicated;
}

std::string LinearLayout::str() const {
  return fmt::format("register=[{}] lane=[{}] warp=[{}]",
                     fmt::join(getBases(Place::Register), ","),
                     fmt::join(getBases(Place::Lane), ","),
                     fmt::join(getBases(Place::Warp), ","));
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

SharedLayout SharedLayout::swizzledRowMajor(const TileShape &shape,
                                            unsigned elementBytes,
                                            unsigned rotation) {
  // Inside a core: row major, the bits of the last axis lowest.
  unsigned coreTotal = 0;
  for (unsigned axis = 0; axis < shape.rank(); ++axis)
    coreTotal += shape.coreBits(axis);
  unsigned elementBits = log2Exact(elementBytes);
  llvm::SmallVector<uint32_t, 16> core;
  for (unsigned bit = 0; bit < coreTotal; ++bit)
    core.push_back(uint32_t(1) << (bit + elementBits));
  // Bytes 16..64 of a 128-byte line are chosen by address bits 4..6. Row bits
  // that do not reach them by themselves are XORed in; rows of one 16-byte
  // column or less need none.
  unsigned rowShift = shape.rank() ? shape.coreBits(shape.rank() - 1) : 0;
  unsigned rowBytesLog2 = rowShift + elementBits;
  unsigned columnBits = rowBytesLog2 < 5 ? 0 : std::min(rowBytesLog2 - 4, 3u);
  for (unsigned i = 0; i < columnBits; ++i) {
    unsigned rowBit = rowShift + (3 - columnBits) + i;
    if (rowBit < coreTotal)
      core[rowBit] ^= uint32_t(1) << (4 + (i + rotation) % columnBits);
  }
  // Cores lie one behind the other, in the order of their digits.
  llvm::SmallVector<uint32_t, 16> images(shape.totalBits());
  unsigned coreShift = 0;
  uint32_t stride = elementBytes << coreTotal;
  for (unsigned axis = shape.rank(); axis-- > 0;) {
    unsigned inside = shape.coreBits(axis);
    for (unsigned bit = 0; bit < shape.bits(axis); ++bit)
      images[shape.shift(axis) + bit] =
          bit < inside ? core[coreShift + bit] : stride << (bit - inside);
    coreShift += inside;
    stride *= shape.size(axis) >> inside;
  }
  SharedLayout layout(std::move(images));
  layout.digits = shape.digits();
  layout.totalBytes = shape.elements() * elementBytes;
  return layout;
}

SharedLayout SharedLayout::paddedRowMajor(const TileShape &shape,
                                          unsigned elementBytes, unsigned pad) {
  llvm::SmallVector<uint32_t, 16> images(shape.totalBits());
  int64_t rowElements = shape.rank() ? shape.size(shape.rank() - 1) : 1;
  uint32_t rowBytes = elementBytes * rowElements + pad, stride = elementBytes;
  for (unsigned axis = shape.rank(); axis-- > 0;) {
    for (unsigned bit = 0; bit < shape.bits(axis); ++bit)
      images[shape.shift(axis) + bit] = stride << bit;
    bool isRow = axis + 1 == shape.rank();
    stride = isRow ? rowBytes : stride * shape.size(axis);
  }
  SharedLayout layout(std::move(images), Combine::Sum);
  layout.totalBytes = shape.elements() / rowElements * rowBytes - pad;
  return layout;
}

/// Combines the images of the set bits of `value`; those in `digits` are added
/// in any case.
static uint32_t combineImages(llvm::ArrayRef<uint32_t> images, uint32_t value,
                              Combine combine, uint32_t digits = 0) {
  uint32_t result = 0, sum = 0;
  for (auto [bit, image] : llvm::enumerate(images)) {
    if (!(value >> bit & 1))
      continue;
    if (combine == Combine::Sum || (digits >> bit & 1))
      sum += image;
    else
      result ^= image;
  }
  return result + sum;
}

std::optional<SharedPart> SharedLayout::part(const TileShape &whole,
                                             const TileShape &part,
                                             unsigned axis,
                                             int64_t from) const {
  SharedPart result;
  SharedLayout &layout = result.layout;
  layout.images.assign(part.totalBits(), 0);
  layout.combine = combine;
  layout.totalBytes = totalBytes;
  // A bit of a position stands for as many positions in both.
  uint32_t used = 0, ownDigits = 0, otherDigits = 0;
  for (unsigned each = 0; each < part.rank(); ++each)
    for (unsigned bit = 0; bit < part.bits(each); ++bit) {
      unsigned source = whole.shift(each) + bit, to = part.shift(each) + bit;
      layout.images[to] = images[source];
      used |= images[source];
      if (!(digits >> source & 1))
        continue;
      layout.digits |= uint32_t(1) << to;
      (each == axis ? ownDigits : otherDigits) |= uint32_t(1) << to;
    }
  uint32_t start = uint32_t(from) << whole.shift(axis);
  result.offset = apply(start);
  if (combine == Combine::Sum)
    return result;
  // Digits of two axes are sums of each other's bits, which threads that hold
  // one of them cannot XOR.
  if (ownDigits && otherDigits)
    return std::nullopt;
  for (unsigned bit = 0; bit < images.size(); ++bit)
    if ((start >> bit & 1) && !(digits >> bit & 1) && (images[bit] & used))
      return std::nullopt;
  return result;
}

uint32_t SharedLayout::apply(uint32_t flat) const {
  return combineImages(images, flat, combine, digits);
}

uint32_t SharedAccess::registerOffset(unsigned reg) const {
  return combineImages(registers, reg, combine, digits);
}

SharedAccess napkin::layout::compose(const LinearLayout &registers,
                                     const SharedLayout &shared) {
  SharedAccess access;
  access.combine = shared.getCombine();
  auto fill = [&](Place place, llvm::SmallVector<uint32_t, 8> &out) {
    for (uint32_t image : registers.getBases(place))
      out.push_back(shared.apply(image));
  };
  fill(Place::Register, access.registers);
  fill(Place::Lane, access.lanes);
  fill(Place::Warp, access.warps);
  for (auto [bit, image] : llvm::enumerate(registers.getBases(Place::Register)))
    if (image & shared.digits)
      access.digits |= uint32_t(1) << bit;
  return access;
}

std::optional<LdMatrixPlan>
napkin::layout::planLdMatrix(const SharedAccess &access,
                             unsigned elementBytes) {
  unsigned inWord = log2Exact(4 / elementBytes);
  if (access.registers.size() < inWord || access.lanes.size() != 5)
    return std::nullopt;
  LdMatrixPlan plan;
  llvm::SmallVector<uint32_t, 3> rows;
  // Lane l receives elements (l/4, 2(l%4) + {0,1}) of a matrix, or their
  // transposes: either the word and lane bits 0-1 walk along a 16-byte row and
  // lane bits 2-4 pick the row, or, by pairs only, the other way round.
  bool wordsLieFlat = access.lanes[0] == 4 && access.lanes[1] == 8;
  for (unsigned bit = 0; bit < inWord; ++bit)
    wordsLieFlat &= access.registers[bit] == elementBytes << bit;
  if (wordsLieFlat) {
    rows.assign({access.lanes[2], access.lanes[3], access.lanes[4]});
  } else if (elementBytes == 2 && access.lanes[2] == 2 &&
             access.lanes[3] == 4 && access.lanes[4] == 8) {
    plan.transposed = true;
    rows.assign({access.registers[0], access.lanes[0], access.lanes[1]});
  } else {
    return std::nullopt;
  }
  auto aligned = [](uint32_t image) { return image % 16 == 0; };
  if (!llvm::all_of(rows, aligned) ||
      !llvm::all_of(llvm::drop_begin(access.registers, inWord), aligned) ||
      !llvm::all_of(access.warps, aligned))
    return std::nullopt;
  plan.laneImages.assign(rows.begin(), rows.end());
  for (unsigned bit = inWord; bit < access.registers.size() && bit < inWord + 2;
       ++bit) {
    if (access.digits >> bit & 1)
      break; // a matrix past the end does not exist
    plan.matrixBits.push_back(bit);
    plan.laneImages.push_back(access.registers[bit]);
  }
  plan.laneImages.resize(5, 0);
  return plan;
}

unsigned napkin::layout::wavefronts(llvm::ArrayRef<uint32_t> lanes,
                                    unsigned bytesPerLane, Combine combine) {
  // 4-byte accesses are served 32 lanes at once, 8-byte ones 16, 16-byte
  // ones 8.
  unsigned width = std::max(bytesPerLane, 4u);
  unsigned lanesPerPhase = 128 / width;
  unsigned total = 0;
  for (unsigned first = 0; first < 32; first += lanesPerPhase) {
    std::map<unsigned, std::set<uint32_t>> wordsOfBank;
    for (unsigned lane = first; lane < first + lanesPerPhase; ++lane) {
      uint32_t byte = combineImages(lanes, lane, combine);
      for (unsigned offset = 0; offset < width; offset += 4) {
        uint32_t word = (byte + offset) / 4;
        wordsOfBank[word % 32].insert(word);
      }
    }
    unsigned worst = 1;
    for (const auto &entry : wordsOfBank)
      worst = std::max<unsigned>(worst, entry.second.size());
    total += worst;
  }
  return total;
}
