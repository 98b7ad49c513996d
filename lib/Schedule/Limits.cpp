//===- Limits.cpp - what a block may not exceed -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The limits of the machine and of the code generator, each with a sentence
// that a report or an error can print.
//
//===----------------------------------------------------------------------===//

#include "Columns.h"
#include "Loops.h"
#include "napkin/Schedule/Evaluate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::schedule;

RegionFacts::RegionFacts(const Region &region, const cost::Hardware &hardware,
                         const GeneratorLimits &limits)
    : region(region), hardware(hardware), limits(limits),
      leastTile(region.graph.axes.size(), 1), leastChunk(limits.smallestChunk) {
  const Graph &graph = region.graph;
  std::map<std::pair<std::vector<unsigned>, unsigned>, unsigned> known;
  classOf.resize(graph.values.size(), 0);
  auto classify = [&](unsigned value) {
    const ArrayValue &array = graph.values[value];
    std::vector<unsigned> axes(array.axes.begin(), array.axes.end());
    llvm::sort(axes);
    auto [entry, fresh] = known.try_emplace({axes, array.bits}, known.size());
    classOf[value] = entry->second;
    if (fresh)
      representatives.push_back(value);
  };
  llvm::for_each(region.inputs, classify);
  for (unsigned index : region.operations)
    llvm::for_each(graph.operations[index].results, classify);
  std::vector<bool> reducedOrContracted(graph.values.size(), false);
  for (unsigned index : region.operations) {
    const Operation &operation = graph.operations[index];
    bool depends = llvm::any_of(operation.operands, [&](unsigned operand) {
      return reducedOrContracted[operand];
    });
    bool contract = operation.kind == OperationKind::Contract;
    bool reduce = operation.kind == OperationKind::Reduce;
    if (contract) {
      hasContract = true;
      ownsRows |= depends;
      const target::MatrixInstruction &row = *operation.instruction;
      for (unsigned operand : operation.operands)
        for (unsigned axis : graph.values[operand].axes) {
          bool summed = llvm::is_contained(operation.over, axis);
          leastTile[axis] = std::max<int64_t>(
              leastTile[axis], summed ? row.depth() : row.leastFree());
        }
      if (!instruction || row.rows() > instruction->rows())
        instruction = &row;
      warpRows = std::max<int64_t>(warpRows, row.rows());
      warpColumns = std::max<int64_t>(warpColumns, row.leastColumns());
      leastChunk = std::max<int64_t>(leastChunk, row.depth());
    }
    hasReduction |= reduce;
    for (unsigned result : operation.results)
      reducedOrContracted[result] = depends || contract || reduce;
  }
  ownsRows |= hasContract && hasReduction;
}

RegionFacts::~RegionFacts() = default;

const std::vector<Column> &
RegionFacts::columnsOf(std::optional<unsigned> stream) const {
  int64_t key = stream ? int64_t(*stream) : -1;
  auto [entry, fresh] = columns.try_emplace(key);
  if (fresh)
    entry->second = findColumns(region, stream);
  return entry->second;
}

const Loops &RegionFacts::loopsOf(std::optional<unsigned> stream,
                                  std::optional<unsigned> inner) const {
  auto key = [](std::optional<unsigned> axis) {
    return axis ? int64_t(*axis) : -1;
  };
  std::unique_ptr<Loops> &known = loops[{key(stream), key(inner)}];
  if (!known)
    known = std::make_unique<Loops>(region, stream, inner);
  return *known;
}

int64_t RegionFacts::padded(const Candidate &candidate, unsigned axis) const {
  return target::tileExtent(
      candidate.extent[axis],
      candidate.granules.empty() ? leastTile[axis] : candidate.granules[axis]);
}

/// Notes a broken limit. Most candidates of a search break one and nobody asks
/// why, so the sentence is made only when it is wanted.
template <typename Text>
static bool fail(Evaluation &result, cost::Limit limit, Text text) {
  result.violations.push_back({limit, result.explained ? text() : ""});
  return false;
}

/// "128 × 64" for the extents of \p value that are longer than one.
static std::string shapeText(const Graph &graph, const Candidate &candidate,
                             unsigned value) {
  std::string text;
  for (unsigned axis : graph.values[value].axes)
    if (candidate.extent[axis] > 1)
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ",
                          graph.axes[axis].name, candidate.extent[axis]);
  return text;
}

bool RegionFacts::checkShapes(const Candidate &candidate, Evaluation &result,
                              bool all) const {
  const Graph &graph = region.graph;
  auto check = [&](unsigned value) {
    unsigned longer =
        llvm::count_if(graph.values[value].axes, [&](unsigned axis) {
          return candidate.extent[axis] > 1;
        });
    if (longer <= limits.tileDimensions)
      return true;
    return fail(result, cost::Limit::TileDimensions, [&] {
      return fmt::format("the tile of '{}' is longer than 1 along {} axes "
                         "({}), and a block holds tiles of at most {}",
                         graph.values[value].name, longer,
                         shapeText(graph, candidate, value),
                         limits.tileDimensions);
    });
  };
  for (unsigned value : representatives)
    if (!check(value) && !all)
      return false;
  return result.legal();
}

bool RegionFacts::checkContract(const Candidate &candidate, unsigned index,
                                Evaluation &result) const {
  const Graph &graph = region.graph;
  const Operation &operation = graph.operations[index];
  const ArrayValue &left = graph.values[operation.operands[0]];
  const ArrayValue &right = graph.values[operation.operands[1]];
  const ArrayValue &product = graph.values[operation.results[0]];
  unsigned rows = 0, columns = 0, depth = 0;
  for (unsigned axis : region.axes) {
    if (candidate.extent[axis] <= 1)
      continue;
    bool inLeft = left.carries(axis), inRight = right.carries(axis);
    bool inProduct = product.carries(axis);
    if (inLeft && inRight && inProduct)
      return fail(result, cost::Limit::BatchAxes, [&] {
        return fmt::format("axis '{}' is in both factors and in the product "
                           "'{}', so a block takes one position of it, not "
                           "{}",
                           graph.axes[axis].name, product.name,
                           candidate.extent[axis]);
      });
    rows += inLeft && !inRight && inProduct;
    columns += inRight && !inLeft && inProduct;
    depth += inLeft && inRight && !inProduct;
  }
  if (rows == 1 && columns == 1 && depth == 1)
    return true;
  return fail(result, cost::Limit::InstructionShape, [&] {
    return fmt::format("the contract '{}' needs one axis longer than 1 as "
                       "rows, one as columns and one that is summed; in a "
                       "block it has {}, {} and {}",
                       product.name, rows, columns, depth);
  });
}

bool RegionFacts::isColumnFactor(unsigned value, unsigned rows) const {
  const Graph &graph = region.graph;
  const Operation &maker = graph.operations[graph.values[value].definition];
  if (maker.kind == OperationKind::Contract ||
      llvm::is_contained(region.outputs, value))
    return false;
  return llvm::all_of(region.operations, [&](unsigned index) {
    const Operation &user = graph.operations[index];
    if (!llvm::is_contained(user.operands, value))
      return true;
    if (user.kind == OperationKind::Contract)
      return graph.values[user.results[0]].carries(rows);
    return llvm::all_of(user.results, [&](unsigned result) {
      return !graph.values[result].carries(rows) &&
             isColumnFactor(result, rows);
    });
  });
}

bool RegionFacts::chooseRows(const Candidate &candidate,
                             Evaluation &result) const {
  const Graph &graph = region.graph;
  const Operation *first = nullptr;
  for (unsigned index : region.operations)
    if (graph.operations[index].kind == OperationKind::Contract) {
      first = &graph.operations[index];
      break;
    }
  std::string lastReason = "no axis longer than 1 is in every product";
  for (unsigned axis : graph.values[first->results[0]].axes) {
    if (candidate.extent[axis] <= 1 || region.reduces(axis))
      continue;
    std::string reason;
    for (unsigned index : region.operations) {
      const Operation &operation = graph.operations[index];
      for (unsigned value : operation.results) {
        bool isTile = llvm::any_of(graph.values[value].axes, [&](unsigned a) {
          return candidate.extent[a] > 1;
        });
        if (isTile && !graph.values[value].carries(axis) &&
            !isColumnFactor(value, axis))
          reason = fmt::format("'{}' is made in the block and has no axis '{}'",
                               graph.values[value].name, graph.axes[axis].name);
      }
    }
    if (reason.empty()) {
      result.rowAxis = axis;
      return true;
    }
    lastReason = reason;
  }
  return fail(result, cost::Limit::RowsOfWarps, [&] {
    return "no axis can be split among warps: " + lastReason;
  });
}

bool RegionFacts::hasWideRows(const Candidate &candidate) const {
  const Graph &graph = region.graph;
  return ownsRows && llvm::any_of(region.operations, [&](unsigned index) {
           const Operation &operation = graph.operations[index];
           // Columns that are in the block anyway: to cut them across blocks
           // would load all of what holds them again.
           bool isHeld =
               llvm::any_of(operation.operands, [&](unsigned operand) {
                 return region.isHeld(operand, candidate.extent,
                                      candidate.stream);
               });
           if (operation.kind != OperationKind::Contract || !isHeld)
             return false;
           int64_t columns = 1;
           for (unsigned operand : operation.operands)
             if (region.isHeld(operand, candidate.extent, candidate.stream))
               columns = candidate.extent[graph.values[operand].partAxis];
           return columns * warpRows / 32 > limits.sumsPerThread;
         });
}

bool RegionFacts::chooseWarps(Candidate &candidate, Evaluation &result) const {
  const Graph &graph = region.graph;
  int64_t threads = candidate.warps * 32;
  if (threads > hardware.threadsPerBlock || candidate.warps > limits.mostWarps)
    return fail(result, cost::Limit::ThreadsPerBlock, [&] {
      return fmt::format(
          "{} warps are more than {}", candidate.warps,
          std::min(limits.mostWarps, hardware.threadsPerBlock / 32));
    });
  if (!hasContract) {
    result.warpRows = candidate.warps;
    if (!hasReduction)
      return true;
    int64_t rows = 1, length = 1;
    for (unsigned axis : region.axes)
      (region.reduces(axis) ? length : rows) *= padded(candidate, axis);
    if (!candidate.warpsArePinned && rows < candidate.warps &&
        length <= 32 * limits.valuesPerThread)
      return fail(result, cost::Limit::WholeRows, [&] {
        return fmt::format("{} rows for {} warps: a row of {} fits one warp, "
                           "which then needs no other",
                           rows, candidate.warps, length);
      });
    return true;
  }
  // What warps share equally is a multiple of their shares.
  candidate.granules.assign(leastTile.begin(), leastTile.end());
  auto share = [&](unsigned axis, int64_t least, int64_t warps) {
    int64_t extent = candidate.extent[axis];
    if (extent > 1)
      candidate.granules[axis] = std::max(
          candidate.granules[axis], target::tileGranule(extent, least, warps));
  };
  bool wide = hasWideRows(candidate);
  if (ownsRows && !wide) {
    share(*result.rowAxis, warpRows, candidate.warps);
    int64_t rows = padded(candidate, *result.rowAxis);
    int64_t least = candidate.warps * warpRows;
    if (rows % least || rows > least * mostRowTiles())
      return fail(result, cost::Limit::WholeRows, [&] {
        return fmt::format("warps own whole rows of '{}', {} to {} each: {} "
                           "rows are not {} warps",
                           graph.axes[*result.rowAxis].name, warpRows,
                           warpRows * mostRowTiles(), rows, candidate.warps);
      });
    result.warpRows = candidate.warps;
    return true;
  }
  // A grid of warps: the squarest tiles read the fewest operands.
  int64_t rows = padded(candidate, *result.rowAxis), columns = 1;
  llvm::SmallVector<unsigned, 4> columnAxes;
  for (unsigned index : region.operations) {
    const Operation &operation = graph.operations[index];
    if (operation.kind != OperationKind::Contract)
      continue;
    for (unsigned axis : graph.values[operation.results[0]].axes)
      if (axis != *result.rowAxis) {
        columns = std::max(columns, padded(candidate, axis));
        columnAxes.push_back(axis);
      }
  }
  int64_t best = INT64_MAX;
  for (int64_t down = 1; down <= candidate.warps; down *= 2) {
    int64_t across = candidate.warps / down;
    int64_t tileRows = llvm::alignTo(rows, warpRows * down) / down,
            tileColumns = llvm::alignTo(columns, warpColumns * across) / across;
    // Half of the warps would have nothing to do.
    if (tileRows * down >= 2 * rows || tileColumns * across >= 2 * columns)
      continue;
    bool fits = wide ? tileRows * tileColumns <= 32 * limits.sharedSumsPerThread
                     : tileRows <= limits.largestWarpTile &&
                           tileColumns <= limits.largestWarpTile;
    if (tileRows < warpRows || tileColumns < warpColumns || !fits ||
        tileRows + tileColumns >= best)
      continue;
    best = tileRows + tileColumns;
    result.warpRows = down;
    result.warpColumns = across;
  }
  if (best == INT64_MAX)
    return fail(result, cost::Limit::WarpTile, [&] {
      return fmt::format("{} × {} does not split among {} warps into tiles "
                         "from {} × {} to {} × {}",
                         rows, columns, candidate.warps, warpRows, warpColumns,
                         limits.largestWarpTile, limits.largestWarpTile);
    });
  share(*result.rowAxis, warpRows, result.warpRows);
  for (unsigned axis : columnAxes)
    share(axis, warpColumns, result.warpColumns);
  return true;
}

bool RegionFacts::checkTiles(const Candidate &candidate,
                             Evaluation &result) const {
  for (unsigned axis : region.axes) {
    int64_t extent = candidate.extent[axis], tile = padded(candidate, axis);
    if (extent == tile || extent == region.graph.axes[axis].size)
      continue;
    return fail(result, cost::Limit::WarpTile, [&] {
      return fmt::format("axis '{}' is cut into tiles of {}, of which "
                         "instructions and {} warps take {}",
                         region.graph.axes[axis].name, extent, candidate.warps,
                         tile);
    });
  }
  return true;
}

double RegionFacts::tileElements(const Candidate &candidate,
                                 unsigned value) const {
  double elements = 1;
  for (unsigned axis : region.graph.values[value].axes)
    elements *= double(padded(candidate, axis));
  return elements;
}

double RegionFacts::valuesPerThread(const Candidate &candidate,
                                    const Evaluation &result,
                                    llvm::ArrayRef<unsigned> axes) const {
  double elements = 1;
  bool carriesRows = false;
  unsigned longer = 0;
  for (unsigned axis : axes) {
    elements *= double(padded(candidate, axis));
    longer += candidate.extent[axis] > 1;
    carriesRows |= result.rowAxis && axis == *result.rowAxis;
  }
  if (!hasContract)
    return std::max(1.0, elements / double(32 * candidate.warps));
  // The layout of accumulators: lanes that do not walk along an axis share its
  // positions.
  if (longer >= 2)
    return elements / double(32 * candidate.warps);
  const target::Fragment &fragment = instruction->accumulatorFragment;
  double sharing = 1u << fragment.laneBits(carriesRows ? 0 : 1);
  return std::max(
      1.0, elements / sharing /
               double(carriesRows ? result.warpRows : result.warpColumns));
}

double RegionFacts::valuesPerThread(const Candidate &candidate,
                                    const Evaluation &result,
                                    unsigned value) const {
  const ArrayValue &array = region.graph.values[value];
  double perRegister = std::max(1.0, 32.0 / std::max(1u, array.bits));
  return valuesPerThread(candidate, result, array.axes) / perRegister *
         std::max(1.0, array.bits / 32.0);
}

double RegionFacts::innerState(const Candidate &candidate,
                               const Evaluation &result, unsigned index) const {
  const Graph &graph = region.graph;
  if (!candidate.inner)
    return 0;
  auto touches = [&](unsigned value) {
    return graph.values[value].carries(*candidate.inner);
  };
  const Operation &operation = graph.operations[index];
  if (llvm::none_of(operation.operands, touches) &&
      llvm::none_of(operation.results, touches))
    return 0;
  double state = 0;
  for (unsigned other : region.operations)
    if (other != index &&
        llvm::is_contained(graph.operations[other].over, *candidate.inner))
      for (unsigned sum : graph.operations[other].results)
        state += valuesPerThread(candidate, result, graph.values[sum].axes);
  return state;
}

/// Registers that the piece of a computed column factor takes which a thread
/// works on.
static constexpr double columnPiece = 32;

/// Registers for the addresses of rows that each step reads again.
static constexpr double rereadAddresses = 8;

/// Registers in which fragments of columns arrive ahead of the instructions
/// that multiply them.
static constexpr double columnFragments = 32;

/// Registers for a product beyond the second one of a block.
static constexpr double furtherProduct = 48;

bool RegionFacts::checkRegisters(const Candidate &candidate,
                                 const StreamVerdict *verdict,
                                 Evaluation &result) const {
  const Graph &graph = region.graph;
  double state = 0;
  if (verdict)
    for (const StreamState &member : verdict->state)
      state += valuesPerThread(candidate, result, member.axes) *
               std::max(1.0, member.bits / 32.0);
  // Arrays with the same axes and width take the same registers.
  llvm::SmallVector<double, 16> sizes(representatives.size(), -1);
  auto sizeOf = [&](unsigned value) {
    // A column factor is computed piece by piece, on its way to shared memory.
    if (result.rowAxis && graph.values[value].definition >= 0 &&
        !graph.values[value].carries(*result.rowAxis) &&
        isColumnFactor(value, *result.rowAxis))
      return std::min(columnPiece, valuesPerThread(candidate, result, value));
    double &size = sizes[classOf[value]];
    if (size < 0)
      size = valuesPerThread(candidate, result, value);
    return size;
  };
  auto sum = [&](llvm::ArrayRef<unsigned> values) {
    double total = 0;
    for (unsigned value : values)
      total += sizeOf(value);
    return total;
  };
  // What is read from memory, and what is computed for all warps.
  auto factorsOf = [&](unsigned index) {
    const Operation &operation = graph.operations[index];
    llvm::SmallVector<unsigned, 2> factors;
    if (operation.kind == OperationKind::Contract)
      for (unsigned operand : operation.operands)
        if (region.isInput(operand) ||
            !graph.values[operand].carries(*result.rowAxis))
          factors.push_back(operand);
    return factors;
  };
  // Row factors that stay in the layout of their instruction do so through the
  // whole loop, whichever product reads them.
  auto staysIn = [&](const Column &at, unsigned factor) {
    const ArrayValue &array = graph.values[factor];
    return at.loop && array.carries(*result.rowAxis) && !candidate.reread &&
           !loopsOf(candidate.stream, candidate.inner).moves(array);
  };
  llvm::SmallVector<unsigned, 4> staying;
  for (const Column &at : columnsOf(candidate.stream))
    for (unsigned factor : factorsOf(at.operation))
      if (staysIn(at, factor) && !llvm::is_contained(staying, factor))
        staying.push_back(factor);
  // Warps that share rows hold all of them.
  double stays =
      sum(staying) * (hasWideRows(candidate) ? double(result.warpColumns) : 1);
  if (stays > limits.stayingRegisters)
    return fail(result, cost::Limit::RegistersPerThread, [&] {
      return fmt::format("rows that stay from step to step take {} registers "
                         "per thread, and {} leave room to work",
                         int64_t(stays), int64_t(limits.stayingRegisters));
    });
  const int64_t usable = hardware.usableRegisters(candidate.warps * 32);
  // Of a third product and further ones the assembler mixes fragments and
  // addresses with those of the others, and at the end of an axis that chunks
  // do not divide it tests positions.
  int64_t products = countProducts();
  bool comeAsNeeded =
      candidate.padded && products <= 2 && chunksDivide(candidate);
  double widest = 0;
  const Column *column = nullptr;
  for (const Column &at : columnsOf(candidate.stream)) {
    double live = (at.loop ? state + stays : 0) + sum(at.live) +
                  std::max(0.0, sum(at.made) - sum(at.dying)) + sum(at.loaded) +
                  innerState(candidate, result, at.operation);
    for (unsigned factor : factorsOf(at.operation)) {
      const ArrayValue &array = graph.values[factor];
      bool rowFactor = array.carries(*result.rowAxis);
      if (staysIn(at, factor))
        continue;
      // Fragments of two instruction steps: one in use, one arriving.
      double along = 1;
      for (unsigned axis : array.axes)
        if (!llvm::is_contained(graph.operations[at.operation].over, axis))
          along *= double(padded(candidate, axis));
      const target::MatrixInstruction &row =
          *graph.operations[at.operation].instruction;
      double fragments = 2 * (rowFactor ? along / double(result.warpRows) /
                                              row.rows() * row.aRegisters()
                                        : along / double(result.warpColumns) /
                                              row.columns() * row.bRegisters());
      // One address reaches all of them, so that they come as they are needed.
      if (comeAsNeeded && !rowFactor)
        fragments = std::min(fragments, columnFragments);
      live += fragments;
    }
    if (live > widest) {
      widest = live;
      column = &at;
    }
    // Nobody asks by how much.
    if (!result.explained && live > double(usable))
      break;
  }
  widest += furtherProduct * double(std::max<int64_t>(0, products - 2));
  // Addresses of what each step reads again.
  if (candidate.reread)
    widest += rereadAddresses;
  result.registers = int64_t(std::ceil(widest));
  if (result.registers > usable)
    return fail(result, cost::Limit::RegistersPerThread, [&] {
      const Operation &operation = graph.operations[column->operation];
      return fmt::format("tiles take {} registers per thread where '{}' is "
                         "made, and {} threads leave {}",
                         result.registers,
                         graph.values[operation.results.front()].name,
                         candidate.warps * 32, usable);
    });
  if (hasContract)
    return true;
  auto few = [&](unsigned value) {
    double values =
        valuesPerThread(candidate, result, graph.values[value].axes);
    if (values <= double(limits.valuesPerThread))
      return true;
    return fail(result, cost::Limit::ValuesPerThread, [&] {
      return fmt::format("'{}' ({}) would put {} values into each of {} "
                         "threads, and {} is the most",
                         graph.values[value].name,
                         shapeText(graph, candidate, value), int64_t(values),
                         candidate.warps * 32, limits.valuesPerThread);
    });
  };
  return llvm::all_of(representatives, few);
}

bool RegionFacts::checkShared(const Candidate &candidate,
                              Evaluation &result) const {
  const Graph &graph = region.graph;
  double bytes = 0;
  for (unsigned input : region.inputs) {
    if (region.isHeld(input, candidate.extent, candidate.stream))
      continue;
    const ArrayValue &array = graph.values[input];
    bool moves = loopsOf(candidate.stream, candidate.inner).moves(array);
    if (!isFactor(input) && !(moves && hasContract))
      continue;
    double elements = tileElements(candidate, input), pad = 0;
    if (candidate.padded && isFactor(input)) {
      int64_t row = padded(candidate, array.axes.back());
      pad = double(target::roomBehindRow(row * array.bytes(),
                                         unsigned(array.bytes()))) *
            (elements / double(row) - 1);
    }
    bytes += (elements * double(array.bytes()) + pad) *
             double(moves ? candidate.stages : 1);
  }
  result.sharedBytes = candidate.measuredSharedBytes.value_or(int64_t(bytes));
  int64_t capacity = hardware.level("shared").capacityBytes;
  if (result.sharedBytes <= capacity)
    return true;
  return fail(result, cost::Limit::SharedMemoryPerBlock, [&] {
    if (candidate.measuredSharedBytes)
      return fmt::format("buffers and what moves between threads take {} "
                         "bytes in {} stages, and a block has {}",
                         result.sharedBytes, candidate.stages, capacity);
    return fmt::format("factors take {} bytes in {} stages, and a block has "
                       "{}",
                       result.sharedBytes, candidate.stages, capacity);
  });
}

bool RegionFacts::checkParts(const Candidate &candidate,
                             const StreamVerdict *verdict,
                             Evaluation &result) const {
  if (!candidate.part || !verdict)
    return true;
  const Graph &graph = region.graph;
  for (const StreamState &member : verdict->state)
    for (unsigned axis : candidate.groups)
      if (candidate.extent[axis] < graph.axes[axis].size &&
          !llvm::is_contained(member.axes, axis))
        return fail(result, cost::Limit::StatesOfParts, [&] {
          return fmt::format("'{}' cannot be split into parts: a member of the "
                             "state that each of them writes lacks axis '{}', "
                             "which is cut across blocks",
                             graph.axes[*candidate.stream].name,
                             graph.axes[axis].name);
        });
  return true;
}

bool RegionFacts::checkAxes(const Candidate &candidate,
                            Evaluation &result) const {
  return checkShapes(candidate, result, result.explained) &&
         llvm::all_of(region.operations, [&](unsigned index) {
           return region.graph.operations[index].kind !=
                      OperationKind::Contract ||
                  checkContract(candidate, index, result);
         });
}

std::optional<cost::Limit>
RegionFacts::shapeLimit(const Candidate &candidate) const {
  auto ask = [&]() -> std::optional<cost::Limit> {
    Evaluation result;
    result.explained = false;
    if (checkAxes(candidate, result))
      return std::nullopt;
    return result.violations[0].limit;
  };
  if (region.axes.size() >= 64)
    return ask();
  uint64_t longer = 0;
  for (auto [place, axis] : llvm::enumerate(region.axes))
    longer |= uint64_t(candidate.extent[axis] > 1) << place;
  auto [known, fresh] = shapeLimits.try_emplace(longer);
  if (fresh)
    known->second = ask();
  return known->second;
}

Evaluation RegionFacts::evaluate(const Candidate &partition,
                                 const StreamVerdict *verdict, bool all) const {
  Candidate candidate = partition;
  candidate.granules.clear();
  Evaluation result;
  result.explained = all;
  result.blocks = 1;
  for (unsigned axis : candidate.groups)
    result.blocks *=
        llvm::divideCeil(region.graph.axes[axis].size, candidate.extent[axis]);
  if (candidate.stream) {
    int64_t size = region.graph.axes[*candidate.stream].size;
    int64_t part = std::min(candidate.part.value_or(size), size);
    result.parts = llvm::divideCeil(size, part);
    result.blocks *= result.parts;
    result.trips = llvm::divideCeil(part, candidate.extent[*candidate.stream]);
  }
  if (candidate.inner)
    result.innerTrips =
        llvm::divideCeil(region.graph.axes[*candidate.inner].size,
                         candidate.extent[*candidate.inner]);
  if (std::optional<cost::Limit> limit = shapeLimit(candidate)) {
    if (all)
      checkAxes(candidate, result);
    else
      result.violations.push_back({*limit, ""});
    return result;
  }
  if (hasContract && !chooseRows(candidate, result))
    return result;
  if (!chooseWarps(candidate, result) || !checkTiles(candidate, result))
    return result;
  checkRegisters(candidate, verdict, result);
  if (!result.legal() && !all)
    return result;
  checkShared(candidate, result);
  if (!result.legal() && !all)
    return result;
  if (!checkParts(candidate, verdict, result))
    return result;
  price(candidate, verdict, result);
  return result;
}
