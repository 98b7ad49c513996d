//===- KernelEmitter.h - One tile program into LLVM and NVVM ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a `tile.kernel` and builds an `llvm.func` for one thread: every tile
// becomes the registers that its layout gives to a thread, every transfer the
// instructions that its layouts allow. Addresses are linear over bits, so a
// thread's part of each is computed once, ahead of all loops, and the part of
// each register is a constant.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_LIB_CONVERSION_TILETONVVM_KERNELEMITTER_H
#define NAPKIN_LIB_CONVERSION_TILETONVVM_KERNELEMITTER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/MapVector.h"
#include <functional>
#include <map>
#include <memory>

namespace napkin {

/// The thread's part of a tile: one value for each register of the layout, or
/// one packed i32 for each two registers of 16-bit elements, made on demand.
struct RegisterTile {
  tile::TileType type;
  layout::LinearLayout layout;
  /// One per register; null where only the packed form exists.
  llvm::SmallVector<mlir::Value> scalars;
  /// One per two registers (16-bit elements); null where not packed yet.
  llvm::SmallVector<mlir::Value> pairs;
  /// Fills `pairs[i]` and perhaps others; set for a shared-memory read that is
  /// emitted where its values are first used.
  std::function<void(unsigned pair)> fetch;
};

/// Emits one kernel.
class KernelEmitter {
public:
  KernelEmitter(mlir::OpBuilder &builder, tile::KernelOp kernel,
                const target::TargetDescription &target,
                mlir::LLVM::GlobalOp shared);

  /// Builds the function after the kernel. Errors are located at the operation
  /// that cannot be lowered.
  mlir::FailureOr<mlir::LLVM::LLVMFuncOp> emit();

  /// Bytes of dynamic shared memory that the emitted function needs.
  int64_t getSharedBytes() const { return sharedBytes; }

private:
  using Value = mlir::Value;

  //===--- KernelEmitter.cpp: frame, control flow, positions --------------===//
  mlir::LogicalResult planSharedMemory();
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation &op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);
  /// Splits the current block at the insertion point; returns the new block.
  mlir::Block *startBlock(mlir::TypeRange types = {});
  /// Runs `build` with the builder in the block ahead of everything.
  Value inSetup(llvm::function_ref<Value()> build);
  Value constant(int32_t value);
  /// The SSA value of an index or scalar of the tile program.
  Value scalar(Value value);
  /// Computes the arguments that say where the block stands, in the setup.
  void emitPlaces();
  /// Whether a position is known ahead of all loops: a place in the grid.
  static bool isPlace(Value position);
  /// The images of the set bits of lane and warp, combined, in the setup.
  Value threadImage(llvm::ArrayRef<uint32_t> lanes,
                    llvm::ArrayRef<uint32_t> warps,
                    layout::Combine combine = layout::Combine::Xor);
  /// Bits that threadImage may set.
  static uint32_t imageMask(llvm::ArrayRef<uint32_t> lanes,
                            llvm::ArrayRef<uint32_t> warps);
  /// The thread's coordinate along one axis of a tile, without registers.
  Value threadCoordinate(const layout::LinearLayout &layout,
                         const layout::TileShape &shape, unsigned axis);
  /// The values that a loop carries for one value of the tile program.
  llvm::SmallVector<Value> flatten(Value value);
  /// The inverse of flatten: takes values off the front of `values`.
  void unflatten(Value value, mlir::ValueRange &values);

  //===--- EmitTransfers.cpp ----------------------------------------------===//
  /// One thread's accesses to a tile of a global array.
  struct GlobalAccess {
    Value base;                         ///< pointer of register 0
    llvm::SmallVector<int64_t> offsets; ///< bytes, per register
    unsigned vector = 1;                ///< elements moved at once
    /// The condition under which register r is inside the array; null: always.
    std::function<Value(unsigned reg)> inside;
  };
  mlir::FailureOr<GlobalAccess>
  accessGlobal(mlir::Operation *op, tile::ViewOp view,
               const layout::LinearLayout &layout);
  /// The conditions of an access; see GlobalAccess::inside.
  std::function<Value(unsigned reg)>
  insideTest(mlir::Operation *op, tile::ViewOp view,
             const layout::LinearLayout &layout);
  /// Of threads that share their elements, whether this one is the first (its
  /// replicated bits are zero); null where no thread shares.
  Value holdsFirstCopy(const layout::LinearLayout &layout);
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  mlir::LogicalResult emitStore(tile::StoreOp op);
  mlir::LogicalResult emitCopy(tile::CopyOp op);
  mlir::LogicalResult emitRead(tile::ReadOp op);
  mlir::LogicalResult emitConvert(tile::ConvertOp op);
  /// Pointer to `offset` (a constant) past the thread's part of a shared
  /// access.
  Value sharedAddress(Value slotBase, llvm::ArrayRef<uint32_t> lanes,
                      llvm::ArrayRef<uint32_t> warps, uint32_t offset,
                      layout::Combine combine = layout::Combine::Xor);
  /// First byte of a slot.
  Value slotBase(Value slot);
  Value loadGlobalWords(Value pointer, unsigned bytes, Value condition,
                        llvm::SmallVectorImpl<Value> &words);
  void storeGlobalWords(Value pointer, llvm::ArrayRef<Value> words,
                        unsigned bytes, Value condition);
  /// Moves a tile into shared memory at `base`, or out of it.
  void writeShared(RegisterTile &tile, const layout::SharedLayout &shared,
                   Value base);
  void readShared(RegisterTile &tile, const layout::SharedLayout &shared,
                  Value base);

  //===--- EmitCompute.cpp ------------------------------------------------===//
  mlir::LogicalResult emitMma(tile::MmaOp op);
  mlir::LogicalResult emitMap(tile::MapOp op);
  mlir::LogicalResult emitReduce(tile::ReduceOp op);
  /// Emits the scalar operations of a region; `index` resolves `tile.index`.
  mlir::FailureOr<Value>
  emitRegion(mlir::Block &block, llvm::ArrayRef<Value> arguments,
             llvm::function_ref<Value(tile::IndexOp)> index);
  /// Combines values that live in other warps, through shared memory.
  mlir::LogicalResult reduceAcrossWarps(tile::ReduceOp op,
                                        RegisterTile &partial,
                                        llvm::ArrayRef<unsigned> warpBits);

  //===--- Registers ------------------------------------------------------===//
  std::shared_ptr<RegisterTile> newTile(Value value);
  /// One register's element.
  Value element(RegisterTile &tile, unsigned reg);
  /// Registers 2i and 2i+1 of 16-bit elements, packed.
  Value pair(RegisterTile &tile, unsigned index);
  mlir::Type llvmType(mlir::Type type);
  Value bitcast(Value value, mlir::Type type);

public:
  /// Calls an intrinsic by name.
  static Value callIntrinsic(mlir::OpBuilder &builder, mlir::Location loc,
                             llvm::StringRef name, mlir::Type result,
                             mlir::ValueRange arguments);

private:
  mlir::OpBuilder &builder;
  tile::KernelOp kernel;
  const target::TargetDescription &target;
  mlir::LLVM::GlobalOp shared;
  mlir::Location loc;
  mlir::Type i1, i16, i32, i64, f32, globalPointer, sharedPointer;

  mlir::LLVM::LLVMFuncOp function;
  mlir::Block *setup = nullptr;
  Value lane, warp, sharedBase;
  llvm::DenseMap<Value, std::shared_ptr<RegisterTile>> tiles;
  llvm::DenseMap<Value, Value> scalars;
  llvm::DenseMap<Value, int64_t> ringOffsets;
  std::map<
      std::tuple<std::vector<uint32_t>, std::vector<uint32_t>, layout::Combine>,
      Value>
      images;
  std::map<std::pair<Value, uint32_t>, Value,
           std::function<bool(const std::pair<Value, uint32_t> &,
                              const std::pair<Value, uint32_t> &)>>
      xoredImages;
  llvm::DenseMap<int32_t, Value> constants;
  int64_t sharedBytes = 0;
  /// Where layout changes go: past the rings while a ring may still be read,
  /// over them afterwards.
  int64_t scratchOffset = 0;
  llvm::SmallPtrSet<mlir::Operation *, 8> afterRings;
};

/// Emits one scalar operation of `arith` or `math` on values of LLVM types.
/// Errors: an operation or type that no instruction serves, at its location.
mlir::FailureOr<mlir::Value>
emitScalarOp(mlir::OpBuilder &builder, mlir::Operation &op,
             llvm::function_ref<mlir::Value(mlir::Value)> operand);

/// Bytes from one slot of a ring to the next.
int64_t slotStride(tile::RingType type);

/// The LLVM type of a scalar of a tile program (index is i32).
mlir::Type scalarType(mlir::Type type);

} // namespace napkin

#endif // NAPKIN_LIB_CONVERSION_TILETONVVM_KERNELEMITTER_H
