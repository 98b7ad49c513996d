//===- BlockOrder.cpp - Happens-before between blocks ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See BlockOrder.h.
//
//===----------------------------------------------------------------------===//

#include "BlockOrder.h"

#include "llvm/ADT/SmallVector.h"

using namespace napkin::executor;

void BlockOrder::synchronize(uint32_t block, uint64_t address, bool writes) {
  if (block >= blocks.size())
    blocks.resize(block + 1);
  auto [found, isNew] = numbers.try_emplace(address, released.size());
  if (isNew)
    released.emplace_back();
  Address &at = released[found->second];
  History &mine = blocks[block];
  uint32_t seen = at.releases.size();
  // Its own release alone teaches a block nothing.
  bool isMine = seen && at.releases.back().block == block;
  if (seen && !isMine) {
    at.acquired = seen;
    // A loop that polls acquires the same again and again.
    auto &acquired = mine.acquired;
    bool isKnown = false;
    for (size_t k = acquired.size(); k && acquired.size() - k < 4 && !isKnown;
         --k)
      isKnown = acquired[k - 1].address == found->second &&
                acquired[k - 1].releases == seen;
    if (!isKnown)
      acquired.push_back({found->second, seen, mine.epoch});
  }
  if (!writes)
    return;
  if (isMine && at.acquired < seen)
    at.releases.back().epoch = mine.epoch;
  else
    at.releases.push_back({block, mine.epoch});
  ++mine.epoch;
}

bool BlockOrder::isKnown(uint32_t block, uint32_t other, uint32_t epoch) const {
  if (block >= blocks.size() || other >= blocks.size())
    return false;
  auto answer = answers.find({block, other});
  if (answer != answers.end() && answer->second >= epoch)
    return true;
  // What was looked at: releases of an address, acquisitions of a block.
  llvm::SmallDenseMap<uint32_t, uint32_t, 32> addressesSeen, blocksSeen;
  llvm::SmallVector<Release, 32> open{{block, blocks[block].epoch}};
  while (!open.empty()) {
    Release now = open.pop_back_val();
    const auto &acquired = blocks[now.block].acquired;
    for (uint32_t &k = blocksSeen[now.block];
         k < acquired.size() && acquired[k].epoch <= now.epoch; ++k) {
      uint32_t &from = addressesSeen[acquired[k].address];
      const auto &list = released[acquired[k].address].releases;
      for (; from < acquired[k].releases; ++from) {
        if (list[from].block == other && list[from].epoch >= epoch) {
          answers[{block, other}] = list[from].epoch;
          return true;
        }
        open.push_back(list[from]);
      }
    }
  }
  return false;
}
