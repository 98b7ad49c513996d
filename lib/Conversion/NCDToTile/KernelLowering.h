//===- KernelLowering.h - a scheduled kernel as tile program ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the operations of an `ncd.kernel` and emits what one block does with
// its tiles. Nothing here looks at more than one operation and its uses.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_LIB_CONVERSION_NCDTOTILE_KERNELLOWERING_H
#define NAPKIN_LIB_CONVERSION_NCDTOTILE_KERNELLOWERING_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Dialect/NCD/IR/IntegerRange.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin {

/// Lowers one kernel.
class KernelLowering {
public:
  KernelLowering(mlir::OpBuilder &builder, ncd::KernelOp kernel)
      : builder(builder), kernel(kernel) {}

  /// Builds a `tile.kernel` called `name` at the builder's insertion point.
  /// Errors: an axis or operation that a block's tiles cannot serve, by name.
  mlir::LogicalResult lower(llvm::StringRef name);

private:
  using Value = mlir::Value;

  /// What a step has of the axis that its stream walks.
  struct Chunk {
    mlir::StringAttr axis;
    Value position;                  ///< where it begins
    bool partial = false;            ///< whether it may reach past the end
    mlir::Operation *loop = nullptr; ///< whose body it is; null: unrolled
    /// What is known of its positions, beside that they are on the axis.
    ncd::IntegerRange positions = everywhere;
    llvm::SmallVector<ncd::AxisDistance, 1> distances;
  };
  static constexpr ncd::IntegerRange everywhere = {0, INT64_MAX};

  /// One of the ranges in which a stream is walked; null bounds are those of
  /// the axis.
  struct WalkRange {
    ncd::BoundAttr begin, end;
    bool isLast = false;
  };

  mlir::LogicalResult planTiles();
  mlir::FailureOr<tile::TileType> tileType(mlir::Operation *op,
                                           ncd::ArrayType array);
  /// Refuses a tile whose elements lie further apart than an address offset.
  mlir::LogicalResult checkReach(mlir::Operation *op, ncd::ArrayType array);
  /// Whether a tile may reach past the end of its array along `axis` here.
  bool isPartial(llvm::StringRef axis);

  void seeArrays();
  mlir::LogicalResult lowerBlock(mlir::Block &block);
  mlir::LogicalResult lowerOp(mlir::Operation &op);
  mlir::LogicalResult lowerContract(ncd::ContractOp op);
  /// Lowers one that has no instruction: multiplies, then sums.
  mlir::LogicalResult lowerByElements(ncd::ContractOp op);
  /// What the sums of a contraction start from, as a tile of theirs.
  mlir::FailureOr<Value> startOf(ncd::ContractOp op, tile::TileType sums);
  mlir::LogicalResult lowerMap(ncd::MapOp op);
  mlir::LogicalResult lowerReduce(ncd::ReduceOp op);
  mlir::LogicalResult lowerStream(ncd::StreamOp op);
  mlir::LogicalResult lowerWhen(ncd::WhenOp op);
  /// Stores a block's part of `array` into `output`.
  mlir::LogicalResult storeTile(mlir::Operation *op, Value tile,
                                ncd::ArrayType array, Value output);
  /// Lowers `step` for `chunk` from `states`, and stores its part of results
  /// that carry the axis.
  mlir::FailureOr<llvm::SmallVector<Value>>
  lowerStep(ncd::StreamOp op, mlir::ValueRange states, Chunk chunk);
  /// Walks chunks from `lower` to `upper`, `steps` of them in each turn of a
  /// loop, and brings `states` up to date.
  mlir::LogicalResult lowerChunks(ncd::StreamOp op, Value lower, Value upper,
                                  int64_t steps, bool partial,
                                  llvm::SmallVectorImpl<Value> &states);

  /// The ranges of a stream, in turn.
  llvm::SmallVector<WalkRange, 3> rangesOf(ncd::StreamOp op);
  /// Emits the value of a bound; what lies outside of 0 and \p most is that.
  Value emitBound(mlir::Location loc, ncd::BoundAttr bound, int64_t most);
  /// The least and greatest value that a bound has in any block.
  ncd::IntegerRange valuesOf(ncd::BoundAttr bound);
  /// Lowers one range of \p op; \p begin is where it begins, and is moved to
  /// where the next one begins.
  mlir::LogicalResult lowerRange(ncd::StreamOp op, const WalkRange &range,
                                 Value &begin,
                                 llvm::SmallVectorImpl<Value> &states);
  /// Lowers the part of a split stream that the block has.
  mlir::LogicalResult lowerPart(ncd::StreamOp op, ncd::SplitAttr split,
                                llvm::SmallVectorImpl<Value> &states);
  /// Lowers a stream of single positions, several in each turn of a loop.
  mlir::LogicalResult lowerSingle(ncd::StreamOp op,
                                  llvm::SmallVectorImpl<Value> &states);
  /// Lowers the chunks from \p lower to \p upper into a loop.
  mlir::LogicalResult lowerLoop(ncd::StreamOp op, Value lower, Value upper,
                                Chunk chunk,
                                llvm::SmallVectorImpl<Value> &states);
  /// Writes down what \p range tells of the positions of \p chunk.
  void noteRange(const WalkRange &range, Chunk &chunk);
  /// What is known of positions in the steps around, and of the tile's.
  ncd::IntegerRanges rangesHere();

  /// The tile of a value; loads it where it is an array in global memory.
  mlir::FailureOr<Value> tileOf(mlir::Operation *user, Value value);
  /// Where the tile of an array is: within that of another argument.
  struct Holder {
    Value whole;
    int64_t from = 0; ///< position of the whole tile's axis
  };
  /// Takes the tile of \p value out of the one that holds it.
  mlir::FailureOr<Value> partOf(mlir::Operation *user, Value value,
                                Holder holder);
  /// Loads the tile of an array in global memory here.
  mlir::FailureOr<Value> load(mlir::Operation *user, Value value);
  /// The tile of factor number `number` of a product, from where the product
  /// says: what stays in registers is loaded ahead of the loops in which it
  /// does not move, what is read again is loaded in place.
  mlir::FailureOr<Value> factorOf(ncd::ContractOp op, unsigned number);
  /// Replaces elements past the end of `axis` by `fill`.
  Value maskPast(mlir::Location loc, Value tile, llvm::StringRef axis,
                 mlir::TypedAttr fill);
  /// What the innermost step around has of `axis`, or null.
  const Chunk *chunkOf(llvm::StringRef axis) const;
  /// Refuses an array of which only a chunk is here, where no step has one.
  mlir::LogicalResult checkChunks(mlir::Operation *op, ncd::ArrayType array);
  /// Where the block's tile begins along `axis`; null: at 0.
  Value positionOf(llvm::StringRef axis);
  /// The block's part of an array, for the chunk at hand.
  Value createView(mlir::Location loc, Value array, ncd::ArrayType type);
  /// A map over tiles; it knows where they begin along the axes that it asks.
  Value createMap(
      mlir::Location loc, tile::TileType type, mlir::ValueRange inputs,
      llvm::function_ref<Value(mlir::OpBuilder &, mlir::ValueRange)> body);
  Value createZeros(mlir::Location loc, tile::TileType type);
  /// Folds a tile along one of its axes.
  Value
  fold(mlir::Location loc, Value tile, mlir::StringAttr axis,
       llvm::function_ref<Value(mlir::OpBuilder &, Value, Value)> combine);
  /// Converts the elements of a tile to another type of its kind.
  Value convertElements(mlir::Location loc, Value tile, mlir::Type element);

  mlir::OpBuilder &builder;
  ncd::KernelOp kernel;
  tile::KernelOp tileKernel;
  llvm::StringMap<int64_t>
      tileSizes; ///< per axis; 1 where a block has one position
  llvm::StringMap<int64_t> axisSizes;
  llvm::StringMap<Value> places; ///< arguments: where the block stands
  llvm::DenseMap<Value, Value>
      arrays; ///< values that are arrays in global memory
  llvm::DenseMap<Value, Value> tiles;
  /// Arrays that are read within the tile of another one.
  llvm::DenseMap<Value, Holder> holders;
  /// Results of streams that carry their axis, and the arrays that they are.
  llvm::DenseMap<Value, llvm::SmallVector<Value, 1>> appended;
  llvm::DenseSet<Value> loaded; ///< tiles that are zero past the end
  /// The steps that are being lowered, outermost first.
  llvm::SmallVector<Chunk, 2> chunks;
};

} // namespace napkin

#endif // NAPKIN_LIB_CONVERSION_NCDTOTILE_KERNELLOWERING_H
