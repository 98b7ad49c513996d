//===- PlanVerifier.h - what makes a plan legal -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every rule that a plan keeps has a name and a sentence in the names of the
// diagram. Whoever writes a plan, the search or a person, is judged by the same
// list:
//
//     nest.bound       a bound reads an axis that an enclosing nest walks
//     nest.inner       nests inside one another share a dim or no axis
//     nest.ragged      a ragged axis is walked below one position of its parent
//     nest.cover       loops in sequence that feed a state meet
//     fill.dominates   what is read is filled in the reader's nest or above it
//     value.dominates  what is read lives in the reader's nest or above it
//     fill.once        nothing is filled again with the contents that it has
//     store.once       every position of a result is written once, or merged
//     fill.index       rows that are looked up are those of some tile
//     state.axes       what a step makes of a state has the axes of the state
//     state.open       what is summed over a loop lives above it, as a state
//     state.unrolled   registers are not indexed by the position of a loop
//     state.merge      parts that end with a state are merged
//     product.parts    the parts of a product share no axis
//     product.shape    tiles are whole instructions for every warp
//     product.warps    the grid of warps is the warps that compute
//     product.source   a factor from registers stays with the warp that made it
//     ring.slots       what is filled anew in each step has a slot at least
//     copy.granule     asynchronous copies move whole granules
//     order            blocks are grouped along a nest of the grid; a list or a
//                      persistent grid says where its tiles come from
//     threads          a block has no more warps than the machine allows
//     shared.bytes     a block's rings fit
//     registers        a thread's values fit, with a margin
//     roles            roles fit and set their registers by warpgroups
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PLANVERIFIER_H
#define NAPKIN_SCHEDULE_PLANVERIFIER_H

#include "napkin/Schedule/PlanResources.h"

namespace napkin::plan {

/// A broken rule.
struct Fault {
  /// Its name in the list above.
  std::string rule;
  /// What is wrong, in the names of the diagram.
  std::string text;
};

/// The rules that \p plan breaks on \p machine, in the order of the list; all
/// of them, or only the first.
std::vector<Fault> verifyPlan(const Plan &plan, const Machine &machine,
                              bool all = false);

} // namespace napkin::plan

#endif // NAPKIN_SCHEDULE_PLANVERIFIER_H
