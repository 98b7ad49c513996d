//===- Reasons.cpp - why a schedule is as it is, in English -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sentences of choices and their causes.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Reasons.h"
#include "llvm/ADT/STLExtras.h"
#include <cstdlib>
#include <fmt/format.h>
#include <optional>

using namespace napkin;
using namespace napkin::schedule;
using ncd::Cause;
using ncd::Subject;

std::string napkin::schedule::titleOf(const Choice &choice) {
  auto sized = [&](const char *role) {
    return choice.name.empty()
               ? std::string(role)
               : fmt::format("{} {} = {}", role, choice.name, choice.size);
  };
  switch (choice.subject) {
  case Subject::Group:
    return sized("group");
  case Subject::Stream:
    return sized("stream");
  case Subject::Inside:
    return sized("inside it");
  case Subject::Split:
    return sized("split");
  case Subject::SecondLoop:
    return "a second loop";
  case Subject::Resident:
    return "resident";
  case Subject::PassedOver:
    return "passed over";
  case Subject::Warps:
    return fmt::format("warps = {}", choice.size);
  case Subject::Reread:
    return "rows from shared memory";
  case Subject::Padded:
    return "rows in shared memory 16 bytes apart";
  case Subject::Parts:
    return fmt::format("sums in {} parts", choice.size);
  case Subject::Stages:
    return fmt::format("stages = {}", choice.size);
  case Subject::Grouped:
    return fmt::format("{} in groups of {} tiles", choice.name, choice.size);
  case Subject::Written:
    return "writes " + choice.name;
  }
  return "";
}

/// What another size of the axis \p name would have cost.
static std::string estimateText(const Reason &reason, const std::string &name) {
  int64_t size = reason.numbers[0], more = reason.numbers[1];
  std::string text = fmt::format("{} = {} ", name, size);
  text += more ? fmt::format("moves {} bytes {}", std::abs(more),
                             more > 0 ? "more" : "fewer")
               : "moves as many bytes";
  text += fmt::format(" and is estimated at {:.2f} of the cycles",
                      double(reason.numbers[2]) / 100);
  if (reason.numbers[3])
    text += fmt::format(" ({} blocks fill the machine worse than {})",
                        reason.numbers[3], reason.numbers[4]);
  return text;
}

/// \p reason of a choice about \p name.
static std::string causeText(const Reason &reason, const std::string &name) {
  auto number = [&](size_t index) { return reason.numbers[index]; };
  auto word = [&](size_t index) { return reason.names[index]; };
  switch (reason.cause) {
  case Cause::Pinned:
    return "pinned";
  case Cause::Batch:
    return "both factors of a contract and its product carry it: one position "
           "per block, nothing is shared across it";
  case Cause::Whole:
    return "the whole axis";
  case Cause::Granule:
    return fmt::format("of {} ({})", number(0), word(0));
  case Cause::Estimated:
    return estimateText(reason, name);
  case Cause::CutOff:
    return fmt::format("{} = {} is cut off by {}: {}", name, number(0), word(0),
                       word(1));
  case Cause::PartsOfBlocks:
    return fmt::format("{} parts of {} block{} each for {} multiprocessors",
                       number(0), number(1), number(1) == 1 ? "" : "s",
                       number(2));
  case Cause::WholeTakes:
    return fmt::format("whole it takes {:.2f} × as long, with {} of them busy",
                       double(number(0)) / 100, number(1));
  case Cause::MergeTakes:
    return fmt::format("the merge takes {} % of the time", number(0));
  case Cause::NotStreamed:
    return fmt::format("it cannot be streamed over '{}': {}", name, word(0));
  case Cause::NotInside:
    return fmt::format(
        "inside a stream over '{}' it cannot be walked over '{}': {}", word(0),
        name, word(1));
  case Cause::Tile:
    return fmt::format("{} = {}", word(0), number(0));
  case Cause::WarpsOf:
    return fmt::format("warps = {}", number(0));
  case Cause::Refused:
    return word(0);
  case Cause::WholeRows:
    return fmt::format("{} rows each, whole, so that nothing crosses warps",
                       number(0));
  case Cause::RowsByColumns:
    return fmt::format("{} × {} warps", number(0), number(1));
  case Cause::HoldsOne:
    return "shared memory holds no second; one operation's chunk arrives "
           "during "
           "another's work";
  case Cause::HidesJourney:
    return "the fewest that hide a chunk's journey behind the work on those "
           "before it";
  case Cause::MemoryAsked:
    return fmt::format(
        "blocks that run together then ask device memory for {} bytes in all, "
        "and for {} in the plain order",
        number(0), number(1));
  case Cause::OneKernel:
    return "in one kernel with its readers";
  case Cause::ComputedAgain:
    return "computed again by each reader";
  case Cause::Priced:
    return fmt::format("{:.2f} of the cycles", double(number(0)) / 100);
  case Cause::Impossible:
    return "impossible";
  case Cause::Circular:
    return "refused, kernels would wait for each other";
  case Cause::Forbidden:
    return "refused by pins";
  case Cause::TooLarge:
    return "it takes more memory than all arguments and results, and there is "
           "no other plan";
  case Cause::Elements:
    return fmt::format("every element of the state is merged by itself, so "
                       "blocks are small and many: {} elements",
                       number(0));
  case Cause::LikeParts:
    return "that of the parts, since something is multiplied or folded behind "
           "the stream";
  case Cause::UnderWay:
    return fmt::format("so many of the {} parts are under way together",
                       number(0));
  }
  return "";
}

/// What stands between \p before, or the beginning, and \p cause.
static const char *joint(std::optional<Cause> before, Cause cause) {
  if (cause == Cause::Granule)
    return !before                    ? "multiple "
           : before == Cause::Granule ? ", "
                                      : "; multiple ";
  if (!before)
    return "";
  if (before == Cause::OneKernel || before == Cause::ComputedAgain) {
    if (cause == Cause::ComputedAgain)
      return ", or ";
    return cause == Cause::Refused ? ": refused, " : ": ";
  }
  if (before == Cause::Tile || before == Cause::WarpsOf)
    return cause == Cause::Refused ? ", which the code generator refuses: "
                                   : ", ";
  return "; ";
}

std::string napkin::schedule::causesOf(const Choice &choice) {
  if (choice.subject == Subject::SecondLoop)
    return fmt::format("results carry '{0}' and need what the first loop ends "
                       "with, and all of '{0}' does not stay in the block",
                       choice.name);
  if (choice.subject == Subject::Reread)
    return "each step reads them again, registers do not hold them beside the "
           "rest";
  if (choice.subject == Subject::Padded)
    return "a thread reaches all that it reads by one address and constants";
  if (choice.subject == Subject::Parts)
    return "lanes that share a row add theirs when the stream ends";
  std::string text;
  std::optional<Cause> before;
  for (const Reason &reason : choice.reasons) {
    text += joint(before, reason.cause) + causeText(reason, choice.name);
    before = reason.cause;
  }
  return text;
}

std::string napkin::schedule::sentenceOf(const Choice &choice) {
  std::string causes = causesOf(choice);
  return causes.empty() ? titleOf(choice) : titleOf(choice) + ": " + causes;
}
