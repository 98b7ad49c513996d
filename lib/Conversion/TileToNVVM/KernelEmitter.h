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
#include "napkin/Dialect/Tile/IR/SharedMemory.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/MapVector.h"
#include <functional>
#include <map>
#include <memory>

namespace napkin {

/// The thread's part of a tile: one value for each register of the layout;
/// elements of 8 and 16 bits also as words of 4 bytes, made on demand.
struct RegisterTile {
  tile::TileType type;
  layout::LinearLayout layout;
  /// One per register; null where only the packed form exists, or nothing yet.
  llvm::SmallVector<mlir::Value> scalars;
  /// Elements of one word: 4 of 8 bits, 2 of 16 bits, else 1.
  unsigned packing = 1;
  /// One i32 per `packing` registers where that is more than 1; null where not
  /// packed yet.
  llvm::SmallVector<mlir::Value> words;
  /// Fills the word or scalar of `reg` and perhaps others; set for a read of
  /// shared memory, or a map, that is emitted where its values are first used.
  std::function<void(unsigned reg)> fetch;
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
  int64_t getSharedBytes() const { return memory.bytes; }

private:
  using Value = mlir::Value;

  //===--- KernelEmitter.cpp: frame, control flow, positions --------------===//
  mlir::LogicalResult planSharedMemory();
  mlir::Value opaque(mlir::Value pointer);
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation &op);
  mlir::LogicalResult emitFor(mlir::scf::ForOp loop);
  mlir::LogicalResult emitIf(mlir::scf::IfOp branch);
  mlir::LogicalResult emitWhen(tile::WhenOp op);
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
    /// Bytes to the row of register r, for each axis reached through an index
    /// array; looked up when asked for.
    llvm::SmallVector<std::function<Value(unsigned reg)>, 1> rows;
  };
  GlobalAccess accessGlobal(mlir::Operation *op, tile::ViewOp view,
                            const layout::LinearLayout &layout);
  /// The rows of an access along the array's axis number `axis`, of `stride`
  /// bytes each; see GlobalAccess::rows.
  std::function<Value(unsigned reg)>
  rowLookup(mlir::Operation *op, tile::ViewOp view, unsigned axis,
            const layout::LinearLayout &layout, int64_t stride);
  /// Where register `reg` of an access begins.
  Value pointerTo(const GlobalAccess &access, unsigned reg);
  /// The conditions of an access; see GlobalAccess::inside.
  std::function<Value(unsigned reg)>
  insideTest(mlir::Operation *op, tile::ViewOp view,
             const layout::LinearLayout &layout);
  /// Of threads that share their elements, whether this one is the first (its
  /// replicated bits are zero); null where no thread shares.
  Value holdsFirstCopy(const layout::LinearLayout &layout);
  mlir::LogicalResult emitEntry(tile::EntryOp op);
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  mlir::LogicalResult emitStore(tile::StoreOp op);
  mlir::LogicalResult emitCopy(tile::CopyOp op);
  /// Loads `bytes` of elements of `elementBytes` as words: of 8 bytes for
  /// elements of 8, else of 4 or of what there is.
  void loadGlobalWords(Value pointer, unsigned bytes, unsigned elementBytes,
                       Value condition, llvm::SmallVectorImpl<Value> &words);
  /// Keeps loads that nothing may need in the end, given their words.
  void keepLoads(llvm::ArrayRef<Value> words);
  void storeGlobalWords(Value pointer, llvm::ArrayRef<Value> words,
                        unsigned bytes, Value condition);

  //===--- EmitShared.cpp -------------------------------------------------===//
  mlir::LogicalResult emitRead(tile::ReadOp op);
  mlir::LogicalResult emitConvert(tile::ConvertOp op);
  /// Pointer to `offset` (a constant) past the thread's part of a shared
  /// access.
  Value sharedAddress(Value slotBase, llvm::ArrayRef<uint32_t> lanes,
                      llvm::ArrayRef<uint32_t> warps, uint32_t offset,
                      layout::Combine combine = layout::Combine::Xor);
  /// First byte of a slot.
  Value slotBase(Value slot);
  /// Moves a tile into shared memory at `base`, or out of it.
  void writeShared(RegisterTile &tile, const layout::SharedLayout &shared,
                   Value base);
  void readShared(RegisterTile &tile, const layout::SharedLayout &shared,
                  Value base);

  //===--- EmitCompute.cpp ------------------------------------------------===//
  mlir::LogicalResult emitMma(tile::MmaOp op);
  mlir::FailureOr<llvm::SmallVector<Value>>
  operandWords(RegisterTile &tile, llvm::ArrayRef<uint32_t> registers,
               target::Element element);
  void multiplyScalars(const target::MatrixInstruction &row, RegisterTile &a,
                       llvm::ArrayRef<uint32_t> left, RegisterTile &b,
                       llvm::ArrayRef<uint32_t> right, RegisterTile &c,
                       llvm::ArrayRef<uint32_t> sums);
  mlir::LogicalResult emitMap(tile::MapOp op);
  mlir::LogicalResult emitReduce(tile::ReduceOp op);
  /// Emits the scalar operations of a region; `index` resolves `tile.index`.
  /// Positions in it have 64 bits where `isWide`.
  mlir::FailureOr<Value>
  emitRegion(mlir::Block &block, llvm::ArrayRef<Value> arguments,
             llvm::function_ref<Value(tile::IndexOp)> index,
             bool isWide = false);
  /// Whether arithmetic on positions in \p block may pass 32 bits.
  bool needsWideIndex(mlir::Block &block);
  /// Combines values that live in other warps, through shared memory.
  mlir::LogicalResult reduceAcrossWarps(tile::ReduceOp op,
                                        RegisterTile &partial,
                                        llvm::ArrayRef<unsigned> warpBits);

  //===--- Registers ------------------------------------------------------===//
  std::shared_ptr<RegisterTile> newTile(Value value);
  /// One register's element.
  Value element(RegisterTile &tile, unsigned reg);
  /// The word that begins with register `reg`, as i32 (elements of 8 and 16
  /// bits) or as the element itself.
  Value word(RegisterTile &tile, unsigned reg);
  /// Makes every register of a tile now.
  void fetchAll(RegisterTile &tile);
  /// The last use of what `op` makes, if all are products, with `byConvert`
  /// changes of layout or maps that are late themselves, in the same block with
  /// nothing before that synchronises or may write what it reads: then it may
  /// be computed, piece by piece, where it is used. Null if not.
  static mlir::Operation *lastLateUse(mlir::Operation *op, bool byConvert);
  /// The value of the lane whose number differs in `laneMask`.
  Value shuffle(Value value, int32_t laneMask);
  /// A truth value as the byte that memory holds, and back.
  Value toMemory(Value value);
  Value fromMemory(Value value, mlir::Type element);
  mlir::Type llvmType(mlir::Type type);
  Value bitcast(Value value, mlir::Type type);

public:
  /// Adds a constant number of bytes to a pointer.
  static Value offsetBy(mlir::OpBuilder &builder, mlir::Location loc,
                        Value pointer, int64_t bytes);
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
  std::map<
      std::tuple<std::vector<uint32_t>, std::vector<uint32_t>, layout::Combine>,
      Value>
      images;
  std::map<std::pair<Value, uint32_t>, Value,
           std::function<bool(const std::pair<Value, uint32_t> &,
                              const std::pair<Value, uint32_t> &)>>
      xoredImages;
  llvm::DenseMap<int32_t, Value> constants;
  tile::SharedMemory memory;
};

/// Emits one scalar operation of `arith` or `math` on values of LLVM types; an
/// index has 64 bits where `isWide`. Errors: an operation or type that no
/// instruction serves, at its location.
mlir::FailureOr<mlir::Value>
emitScalarOp(mlir::OpBuilder &builder, mlir::Operation &op,
             llvm::function_ref<mlir::Value(mlir::Value)> operand,
             bool isWide = false);

/// Emits a function of `math`, or a division, of f32 that has no exact
/// instruction (Functions.h), perhaps with a branch in it: what follows goes
/// where the builder stands. Null for any other operation.
mlir::Value emitFunction(mlir::OpBuilder &builder, mlir::Operation &op,
                         llvm::ArrayRef<mlir::Value> operands);

/// The LLVM type of a scalar of a tile program: index is i32, or i64 where
/// `isWide`; tf32 an f32 whose last 13 bits are zero, an 8-bit float an i8.
mlir::Type scalarType(mlir::Type type, bool isWide = false);

/// Whether LLVM has no type for these floats: tf32 and the 8-bit ones.
bool isEmulatedFloat(mlir::Type type);

/// \p value, of the float type \p from, rounded or widened to \p to; one of
/// them is an emulated float.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type from, mlir::Type to);

} // namespace napkin

#endif // NAPKIN_LIB_CONVERSION_TILETONVVM_KERNELEMITTER_H
