//===- BlockOrder.h - Happens-before between blocks ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks (rather clusters, whose blocks share clocks) of one launch are ordered
// only by strong accesses to a common address. A vector clock per block would
// take blocks x blocks numbers; instead each address keeps the list of releases
// to it and each block what it acquired, and a question walks back through
// them.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_BLOCKORDER_H
#define NAPKIN_LIB_EXECUTOR_BLOCKORDER_H

#include "llvm/ADT/DenseMap.h"

#include <cstdint>
#include <vector>

namespace napkin::executor {

class BlockOrder {
public:
  /// A strong access of `block` to `address`. It acquires what was released
  /// there; one that writes also releases all that the block did and knows.
  void synchronize(uint32_t block, uint64_t address, bool writes);
  /// The number of the block's releases so far, from 1: accesses are stamped
  /// with it.
  uint32_t epochOf(uint32_t block) const {
    return block < blocks.size() ? blocks[block].epoch : 1;
  }
  /// Whether what `other` did in `epoch` happened before what `block` does now.
  bool isKnown(uint32_t block, uint32_t other, uint32_t epoch) const;

private:
  struct Release {
    uint32_t block, epoch;
  };
  struct Address {
    std::vector<Release> releases;
    /// So many of them were acquired by someone.
    uint32_t acquired = 0;
  };
  /// The first `releases` of an address were seen in `epoch`.
  struct Acquisition {
    uint32_t address, releases, epoch;
  };
  struct History {
    uint32_t epoch = 1;
    std::vector<Acquisition> acquired;
  };
  llvm::DenseMap<uint64_t, uint32_t> numbers;
  std::vector<Address> released;
  std::vector<History> blocks;
  /// Answers that were yes stay so: (block, other) to the epoch.
  mutable llvm::DenseMap<std::pair<uint32_t, uint32_t>, uint32_t> answers;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_BLOCKORDER_H
