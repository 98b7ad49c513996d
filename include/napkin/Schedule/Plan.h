//===- Plan.h - when and where everything of a kernel happens ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plan is a kernel as data: nests that walk its axes, transfers that fill and
// store tiles, values that live in between, and products with the instruction
// that computes them. Search, report and lowering read the same plan, so a
// decision is taken once. Nothing here knows a kernel, a target or MLIR.
//
// A worked instance, causal attention with m query heads to each of h key
// heads, as printPlan shows it:
//
//     kernel @attention (h=8, m=4, q=4096, x=4096, d=128, v=128) warps 4
//     grid h by 1 {
//       grid (q m) by 128 {
//         state o[q, m, v] : 32 in registers
//         fill q[h, q, m, d] : 16 in shared
//         loop x by 32 to floor(first(q) + 1, 32) {
//           fill k[h, x, d] : 16 in shared slots 2
//           value s[q, m, x] : 32 in registers
//           s = contract q, k rows (q m) columns x summed d batch h
//               "mma.m16n8k16.bf16" warps [4, 1] from shared, shared
//           ...
//         }
//         loop x by 32 from floor(first(q) + 1, 32) to last(q) + 1 { ... }
//         store o[h, q, m, v] : 16 from registers
//       }
//     }
//
// - A *dim* is axes joined, slowest first: rows are the 4·q pairs of a query
//   and a head, so K is read once for all four heads.
// - A *nest* walks one dim in tiles. Grid nests are the blocks, a split cuts
//   what a loop would walk into parts that end with a state, loops run in time,
//   steps are loops whose positions are constants. Children run in order.
// - The second loop begins where the first one ends: whole steps first, then
//   the masked ones. Both take one ring of K on, since they feed one state.
// - A *fill* happens once for each iteration of its nest and may have several
//   uses; a slice of it is a use as well.
//
// PlanBytes.h counts what a plan moves, PlanVerifier.h says what makes it
// legal, PlanResources.h what a block takes.
//
// What it cannot say: nests that walk overlapping sets of axes in different
// joins, loops that end on data (a search), and transfers between blocks other
// than through a merge.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PLAN_H
#define NAPKIN_SCHEDULE_PLAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace napkin::plan {

/// An axis of the plan, as an index into Plan::axes.
using AxisId = unsigned;
/// A nest of the plan, as an index into Plan::nests.
using NestId = unsigned;

/// How many positions an axis has.
struct Extent {
  enum class Kind {
    Static, ///< `size` positions
    Symbol, ///< known at launch; `size` is what is expected
    Ragged  ///< sizes[p] positions below position p of the axis `parent`
  };
  Kind kind = Kind::Static;
  int64_t size = 1;
  AxisId parent = 0;
  llvm::SmallVector<int64_t, 0> sizes;

  /// The most positions that the axis has anywhere.
  int64_t most() const {
    return kind == Kind::Ragged && !sizes.empty()
               ? *std::max_element(sizes.begin(), sizes.end())
               : size;
  }
};

/// A named axis.
struct Axis {
  std::string name;
  Extent extent;
};

/// Axes joined, slowest first. Positions of a dim count through all of them.
using Dim = llvm::SmallVector<AxisId, 2>;

/// Where a nest begins or ends: a number, or a position of an outer tile plus a
/// number, rounded down to a multiple of `multiple`, and kept within limits.
struct Bound {
  /// The axis whose tile in force is asked; unset for a plain number.
  std::optional<AxisId> axis;
  /// Its last position, otherwise its first.
  bool last = false;
  int64_t offset = 0;
  int64_t multiple = 1;
  /// It is not below or above these.
  std::optional<int64_t> least = std::nullopt, most = std::nullopt;
  /// By what the position is divided, rounding down.
  int64_t divisor = 1;

  bool operator==(const Bound &other) const {
    return axis == other.axis && last == other.last && offset == other.offset &&
           multiple == other.multiple && least == other.least &&
           most == other.most && divisor == other.divisor;
  }
  /// Its value where the position that it asks for is \p position.
  int64_t valueAt(int64_t position) const;
};

/// What the iterations of a nest are.
enum class NestKind {
  Launch, ///< the launch itself, one iteration; its children run side by side
  Grid,   ///< blocks
  Split,  ///< blocks that share one range, each ending with a state
  Loop,   ///< steps in time, positions are values
  Step    ///< steps in time, unrolled: positions are constants
};

/// Which child of a nest: another nest or an operation.
struct Child {
  bool isNest = false;
  unsigned index = 0;
};

/// A walk over one dim.
struct Nest {
  NestKind kind = NestKind::Loop;
  /// Unique in the plan; errors name it.
  std::string name;
  Dim dim;
  /// Positions of one tile. A split has its parts instead.
  int64_t by = 1;
  /// The range; unset: that of the enclosing tile of the dim, or the extent.
  std::optional<Bound> from, to;
  /// Split only: number of parts, and the multiple at which parts begin.
  int64_t parts = 1, granule = 1;
  /// The enclosing nest; the launch has none.
  std::optional<NestId> parent;
  /// In the order in which they run.
  llvm::SmallVector<Child, 4> children;

  /// True for nests that blocks share, false for those that a block walks.
  bool acrossBlocks() const {
    return kind == NestKind::Grid || kind == NestKind::Split;
  }
};

/// Where something lives.
enum class Level { Global, Shared, Registers };

/// One transfer between global memory and `level`.
struct Fill {
  /// Name of this transfer, and of the array that it moves.
  std::string name, array;
  /// Axes of the array, storage order.
  llvm::SmallVector<AxisId, 4> axes;
  /// Bits of one element.
  unsigned bits = 16;
  /// Where it goes to, or comes from for a store.
  Level level = Level::Shared;
  /// Buffers; 1 means that the next transfer waits for the last use.
  unsigned slots = 1;
  /// Bytes left free behind each row in shared memory; 0 where the columns of a
  /// row are permuted instead.
  unsigned pad = 0;
  /// It happens once for each iteration of this nest.
  NestId at = 0;
  bool store = false;
  /// The array that holds the positions of an axis reached indirectly.
  std::string index;
};

/// Something made in the kernel that takes room: an accumulator, a state, a
/// tile that passes from warps to warps.
struct Value {
  std::string name;
  llvm::SmallVector<AxisId, 4> axes;
  unsigned bits = 32;
  Level level = Level::Registers;
  /// It lives through one iteration of this nest.
  NestId at = 0;
  /// It is carried from step to step of a loop inside `at`.
  bool state = false;
};

/// From where an instruction takes a factor.
enum class Source { Registers, Shared };

/// How a contract is computed: a = rows × summed, b = summed × columns.
struct Product {
  Dim rows, columns, summed, batch;
  /// Name of a row of the target's instruction table.
  std::string instruction;
  /// Granules of the instruction, in elements, and the warps it takes at once.
  int64_t m = 16, n = 8, k = 16, scope = 1;
  /// Warps along the rows and along the columns.
  unsigned warpRows = 1, warpColumns = 1;
  Source a = Source::Shared, b = Source::Shared;
  /// Whether the last of what it reads is what the sums start from.
  bool starts = false;
};

/// An operation, in a nest. What it reads are names of fills, values and
/// operations.
struct Op {
  std::string name;
  /// Axes of the result.
  llvm::SmallVector<AxisId, 4> axes;
  llvm::SmallVector<std::string, 3> reads;
  std::optional<Product> product;
  NestId at = 0;
};

/// Warps that do one kind of work.
struct Role {
  std::string name;
  /// Instances, warps of each, registers of a thread.
  unsigned count = 1, warps = 4, registers = 24;
  /// Whether it computes, rather than loads.
  bool computes = true;
};

/// In which order blocks are handed out.
struct GridOrder {
  enum class Kind { RowMajor, Persistent, List, LongFirst };
  Kind kind = Kind::RowMajor;
  /// Tiles of this grid nest that are walked together, 1 for none.
  std::optional<NestId> grouped;
  int64_t group = 1;
  /// Persistent only: blocks that walk the tiles, each every so-many-th.
  int64_t blocks = 0;
  /// List only: the array that holds the places of the tiles.
  std::string list = {};
};

/// A kernel. nests[0] is the launch.
struct Plan {
  std::string name;
  std::vector<Axis> axes;
  std::vector<Nest> nests;
  std::vector<Fill> fills;
  std::vector<Value> values;
  std::vector<Op> ops;
  std::vector<Role> roles;
  /// Warps of a block.
  unsigned warps = 4;
  /// Parts in which lanes keep what a loop sums for a row, until it ends.
  unsigned parts = 1;
  GridOrder order;
  /// A second stage folds the states that the parts of a split leave.
  bool merged = false;

  Plan();

  /// The axis called \p name, or nullopt.
  std::optional<AxisId> findAxis(llvm::StringRef name) const;
  /// Adds an axis, a nest or an operation; the last two at the end of the
  /// children of \p parent.
  AxisId addAxis(llvm::StringRef name, Extent extent);
  NestId addNest(NestId parent, Nest nest);
  unsigned addOp(NestId parent, Op op);

  /// The nests from the launch down to \p nest, both included.
  llvm::SmallVector<NestId, 6> path(NestId nest) const;
  /// True when \p outer is \p inner or encloses it.
  bool encloses(NestId outer, NestId inner) const;
  /// The most positions of a dim.
  int64_t sizeOf(llvm::ArrayRef<AxisId> dim) const;
  /// Iterations of a nest where nothing cuts it short.
  int64_t trips(const Nest &nest) const;
  /// Distinct positions of \p wanted in one whole tile at \p nest: axes that no
  /// nest walks count with their extent, of a joined dim only the axes asked.
  int64_t tile(NestId nest, llvm::ArrayRef<AxisId> wanted) const;
  /// Warps that compute.
  unsigned computingWarps() const;

  /// "x", or "(q m)" for joined axes.
  std::string text(llvm::ArrayRef<AxisId> dim) const;
  /// "h, q, d".
  std::string list(llvm::ArrayRef<AxisId> names) const;
  /// "floor(first(q) + 1, 32)".
  std::string text(const Bound &bound) const;
};

/// The notation of the worked instance above.
std::string printPlan(const Plan &plan);

} // namespace napkin::plan

#endif // NAPKIN_SCHEDULE_PLAN_H
