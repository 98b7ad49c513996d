//===- KernelModel.h - transfers of one kernel, derived ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel as the cost model sees it: arrays over named axes, which of them are
// read, written or stay inside, the axes that are split among groups and the
// one that is streamed. No operation is known here. One rule gives the bytes:
//
//     an array is read once for every group that does not carry one of its
//     axes; a result is written once.
//
// Where a block has loops inside each other, an array that an inner one brings
// in chunk by chunk is read anew in every step of those around it whose axes it
// lacks; and anew in each loop, where several follow each other.
//
// For a×b·b×c grouped over a and c, the left operand does not carry c, so it is
// read ⌈c/g_c⌉ times, the right one ⌈a/g_a⌉ times:
// a·b·⌈c/g_c⌉ + b·c·⌈a/g_a⌉ + a·c values.
//
// Symbols: an axis is its own size, `g_x` is a group's share of axis x, `s_x`
// the chunk of a stream over x.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_KERNELMODEL_H
#define NAPKIN_COST_KERNELMODEL_H

#include "napkin/Cost/Expression.h"

namespace napkin::cost {

/// Where an array lives for the kernel.
enum class Role {
  Read,    ///< comes from global memory
  Written, ///< goes to global memory
  Internal ///< made and used up inside the kernel
};

/// One array.
struct Array {
  /// The name that reports use.
  std::string name;
  /// Its axes, storage order.
  llvm::SmallVector<std::string, 4> axes;
  /// Bytes of one value.
  int64_t bytesPerValue = 1;
  Role role = Role::Read;
  /// Loops of a block that read it, those inside the outermost stream or over
  /// its axis, and walks over an inner axis outside of it.
  int64_t loops = 1, walksBeside = 0;

  /// True when \p axis is one of its axes.
  bool carries(llvm::StringRef axis) const;
};

/// What symbolic amounts are counted in.
enum class Unit { Values, Bytes };

/// The name of the variable that partitions \p axis among groups: `g_x`.
std::string groupVariable(llvm::StringRef axis);
/// The name of the variable that is the chunk of a stream over \p axis: `s_x`.
std::string streamVariable(llvm::StringRef axis);

/// A kernel: arrays and how its axes are partitioned.
class KernelModel {
public:
  llvm::SmallVector<Array> arrays;
  /// The axes split among groups (blocks).
  llvm::SmallVector<std::string, 4> groupAxes;
  /// The axes that are streamed, outermost first.
  llvm::SmallVector<std::string, 2> streamAxes;
  /// A streamed axis in parts on blocks of their own, and the axis of the
  /// parts, which what is written carries: what lacks the streamed axis is read
  /// by each.
  struct Split {
    std::string axis, parts;
  };
  std::optional<Split> split;

  /// |A|: the product of the sizes of its axes, times its bytes if asked.
  Expression size(const Array &array, Unit unit) const;
  /// How often \p array is read or written: Π ⌈x/g_x⌉ over the group axes that
  /// it lacks, and Π ⌈x/s_x⌉ over the stream axes that it lacks outside of one
  /// that it carries, for each loop that reads it; 1 for what is written.
  Expression repetitions(const Array &array) const;
  /// What one group holds of \p array at once: g_x, s_x or the whole axis.
  Expression tile(const Array &array, Unit unit) const;

  /// Σ |A|·repetitions over the arrays read.
  Expression reads(Unit unit) const;
  /// Σ |A| over the arrays written.
  Expression writes(Unit unit) const;
  /// H: reads and writes.
  Expression transfers(Unit unit) const;
  /// H if every array crossed once: no partition moves less.
  Expression compulsory(Unit unit) const;
  /// M: what one group holds at once, each array with its tile. With
  /// \p countInternal false only the arrays that cross are held.
  Expression residency(Unit unit, bool countInternal = true) const;

  /// Adds the values of the group and stream variables to \p values, which has
  /// the sizes already.
  static void bindPartition(Bindings &values, llvm::StringRef axis,
                            int64_t tile, bool stream);
};

} // namespace napkin::cost

#endif // NAPKIN_COST_KERNELMODEL_H
