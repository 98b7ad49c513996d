//===- Random.cpp - seeded random arrays ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The standard fixes the numbers of its engines but not those of its
// distributions, so these are our own.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Random.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

using namespace napkin::reference;

namespace {

struct DistributionName {
  Distribution distribution;
  llvm::StringLiteral name;
};

constexpr DistributionName distributions[] = {
    {Distribution::Normal, "normal"},     {Distribution::Uniform, "uniform"},
    {Distribution::Outliers, "outliers"}, {Distribution::Shifted, "shifted"},
    {Distribution::Masked, "masked"},     {Distribution::Extreme, "extreme"},
};

constexpr double infinity = std::numeric_limits<double>::infinity();

class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(engine() >> 11) * 0x1p-53; }

  /// N(0, 1) by the method of Box and Muller.
  double normal() {
    if (hasSpare) {
      hasSpare = false;
      return spare;
    }
    constexpr double tau = 6.283185307179586476925;
    // 1 - u is in (0, 1], so the logarithm is finite.
    double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    double angle = tau * uniform();
    spare = radius * std::sin(angle);
    hasSpare = true;
    return radius * std::cos(angle);
  }

  /// Uniform in [low, high].
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(uniform() * (high - low + 1));
  }

private:
  std::mt19937_64 engine;
  double spare = 0;
  bool hasSpare = false;
};

/// Hides positions of one row of a mask.
class RowMask {
public:
  RowMask(Random &random, Element element) : random(random), element(element) {}

  /// What each of \p size positions holds: NaN where it is visible.
  std::vector<double> draw(int64_t size) {
    std::vector<double> row(size, std::numeric_limits<double>::quiet_NaN());
    double value = hidingValue(/*absorbs=*/false);
    int64_t from = random.integer(0, size - 1), to = random.integer(from, size);
    switch (random.integer(0, 7)) {
    case 0: // everything is visible
      break;
    case 1: // padding on the left
      std::fill_n(row.begin(), from, value);
      break;
    case 2: // causal
      std::fill(row.begin() + from + 1, row.end(), value);
      break;
    case 3: // a window, its two sides hidden each by a value of its own
      std::fill_n(row.begin(), from, value);
      std::fill(row.begin() + std::max(to, from + 1), row.end(),
                hidingValue(/*absorbs=*/false));
      break;
    case 4: // here and there
      for (int64_t i = 0; i < size; ++i)
        if (i != from && random.integer(0, 1))
          row[i] = value;
      break;
    case 5: // the others of a window
      if (to - from < size)
        std::fill(row.begin() + from, row.begin() + to, value);
      break;
    case 6: // all but one
      llvm::fill(row, value);
      row[from] = std::numeric_limits<double>::quiet_NaN();
      break;
    default: // everywhere
      if (double absorbing = hidingValue(/*absorbs=*/true); absorbing != 0)
        llvm::fill(row, absorbing);
      break;
    }
    return row;
  }

private:
  /// One of the values that hide; of those that absorb every score, if asked
  /// for, or 0 where the type has none.
  double hidingValue(bool absorbs) {
    double least = -largestFinite(element);
    bool hasInfinity = std::isinf(roundTo(element, -infinity));
    std::vector<double> values;
    if (hasInfinity)
      values.push_back(-infinity);
    for (double value : {-1e9, -1e10, -1e30, least})
      if (value >= least && (!absorbs || value <= -1e30))
        values.push_back(value);
    if (values.empty())
      return 0;
    return values[random.integer(0, values.size() - 1)];
  }

  Random &random;
  Element element;
};

} // namespace

std::optional<Distribution>
napkin::reference::parseDistribution(llvm::StringRef name) {
  for (const DistributionName &known : distributions)
    if (known.name == name)
      return known.distribution;
  return std::nullopt;
}

std::string napkin::reference::distributionNames() {
  std::string text;
  for (const DistributionName &known : distributions) {
    if (&known != std::begin(distributions))
      text += &known + 1 == std::end(distributions) ? " or " : ", ";
    text += known.name;
  }
  return text;
}

/// One value of Distribution::Extreme that is finite.
static double extremeValue(Random &random, Element element) {
  double value = random.normal();
  if (random.integer(0, 7) == 0) {
    int reach = std::ilogb(largestFinite(element)) / 2;
    value *= std::exp2(reach * (2 * random.uniform() - 1));
  }
  return value;
}

/// Puts one of each value that is not finite at random positions.
static void scatterNonFinite(Tensor &tensor, Random &random) {
  constexpr int64_t fewest = 8; // smaller arrays would hold nothing else
  if (tensor.size() < fewest)
    return;
  for (double value :
       {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity})
    tensor.floats[random.integer(0, tensor.size() - 1)] = value;
}

static void drawFloats(Tensor &tensor, Distribution distribution, uint64_t seed,
                       Random &random) {
  double mean =
      std::min(seed % 2 ? 1e3 : 1e4, largestFinite(tensor.element) / 64);
  for (double &value : tensor.floats) {
    switch (distribution) {
    case Distribution::Normal:
    case Distribution::Masked:
      value = random.normal();
      break;
    case Distribution::Uniform:
      value = 2 * random.uniform() - 1;
      break;
    case Distribution::Outliers:
      value = random.normal();
      if (random.uniform() < 0.001)
        value += 10 * random.normal();
      break;
    case Distribution::Shifted:
      value = mean + random.normal();
      break;
    case Distribution::Extreme:
      value = extremeValue(random, tensor.element);
      break;
    }
  }
  roundTo(tensor.element, tensor.floats);
}

/// Whether scatterNonFinite changes the array.
static bool hasNonFinite(Distribution distribution, uint64_t seed) {
  return distribution == Distribution::Extreme && seed % 3 == 0;
}

/// The next values of \p random.
static void draw(Tensor &tensor, Distribution distribution, uint64_t seed,
                 Random &random) {
  if (isFloat(tensor.element))
    drawFloats(tensor, distribution, seed, random);
  for (int64_t &value : tensor.integers) {
    if (tensor.element == Element::I1)
      value = random.integer(0, 1);
    else if (tensor.element == Element::I8)
      value = random.integer(-128, 127);
    else
      value = random.integer(-1000, 1000);
  }
}

Tensor napkin::reference::randomTensor(std::vector<Axis> axes, Element element,
                                       Distribution distribution,
                                       uint64_t seed) {
  Tensor tensor(std::move(axes), element);
  Random random(seed);
  draw(tensor, distribution, seed, random);
  if (isFloat(element) && hasNonFinite(distribution, seed)) {
    scatterNonFinite(tensor, random);
    roundTo(element, tensor.floats);
  }
  return tensor;
}

void napkin::reference::repeatElements(std::vector<char> &content,
                                       uint64_t elementBytes,
                                       llvm::ArrayRef<Axis> axes,
                                       llvm::ArrayRef<int64_t> strides) {
  // Strides that each pass what the smaller ones reach repeat nothing.
  llvm::SmallVector<std::pair<int64_t, int64_t>> order;
  for (auto [index, stride] : llvm::enumerate(strides))
    if (axes[index].size > 1)
      order.push_back({std::abs(stride), axes[index].size});
  llvm::sort(order);
  int64_t reach = 0;
  bool repeats = false;
  for (auto [stride, size] : order) {
    repeats |= stride <= reach;
    reach += stride * (size - 1);
  }
  if (!repeats)
    return;
  uint64_t count = content.size() / elementBytes;
  std::map<int64_t, uint64_t> owners;
  std::vector<int64_t> position(axes.size(), 0), places(count);
  int64_t place = 0;
  for (uint64_t element = 0; element < count; ++element) {
    places[element] = place;
    owners[place] = element;
    for (size_t axis = position.size(); axis-- > 0;) {
      place += strides[axis];
      if (++position[axis] < axes[axis].size)
        break;
      place -= strides[axis] * axes[axis].size;
      position[axis] = 0;
    }
  }
  for (uint64_t element = 0; element < count; ++element)
    std::memcpy(content.data() + element * elementBytes,
                content.data() + owners[places[element]] * elementBytes,
                elementBytes);
}

std::vector<char> napkin::reference::randomBytes(const std::vector<Axis> &axes,
                                                 Element element,
                                                 Distribution distribution,
                                                 uint64_t seed) {
  // Those values stand anywhere in the array.
  if (isFloat(element) && hasNonFinite(distribution, seed))
    return randomTensor(axes, element, distribution, seed).toBytes();
  constexpr int64_t pieceSize = 1 << 16;
  int64_t left = 1;
  for (const Axis &axis : axes)
    left *= axis.size;
  std::vector<char> bytes;
  bytes.reserve(left * elementBytes(element));
  Random random(seed);
  while (left) {
    Tensor piece({{"i", std::min(left, pieceSize)}}, element);
    draw(piece, distribution, seed, random);
    std::vector<char> part = piece.toBytes();
    bytes.insert(bytes.end(), part.begin(), part.end());
    left -= piece.size();
  }
  return bytes;
}

Tensor napkin::reference::randomMask(std::vector<Axis> axes, Element element,
                                     llvm::ArrayRef<std::string> folded,
                                     uint64_t seed) {
  Tensor tensor(std::move(axes), element);
  Random random(seed);
  int64_t length = 1;
  for (const Axis &axis : tensor.axes)
    if (llvm::is_contained(folded, axis.name))
      length *= axis.size;
  if (tensor.floats.empty())
    return tensor;
  RowMask mask(random, element);
  std::vector<std::vector<double>> rows(tensor.size() / length);
  for (std::vector<double> &row : rows)
    row = mask.draw(length);
  for (int64_t index = 0; index < tensor.size(); ++index) {
    // The position's part along the folded axes, and that along the others.
    int64_t rest = index, along = 0, row = 0, alongStride = 1, rowStride = 1;
    for (const Axis &axis : llvm::reverse(tensor.axes)) {
      bool isFolded = llvm::is_contained(folded, axis.name);
      (isFolded ? along : row) +=
          rest % axis.size * (isFolded ? alongStride : rowStride);
      (isFolded ? alongStride : rowStride) *= axis.size;
      rest /= axis.size;
    }
    double hidden = rows[row][along];
    tensor.floats[index] = std::isnan(hidden) ? random.normal() : hidden;
  }
  roundTo(element, tensor.floats);
  return tensor;
}
