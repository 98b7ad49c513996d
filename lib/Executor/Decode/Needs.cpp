//===- Needs.cpp - What an instruction needs of the target -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From which target and version on a form is there, where its row (Spellings)
// does not say so.
//
//===----------------------------------------------------------------------===//

#include "Decode/Spellings.h"

#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace napkin::executor;

namespace {

/// Forms that need more than the row of their opcode says, or whose opcode has
/// no row: `name` is what the instruction begins with, `part` what is in it.
struct Need {
  const char *name, *part, *target, *version;
};

const Need needs[] = {
    // clang-format off
    {"", ".L2::cache_hint.", "sm_80", "7.4"},
    {"", ".L2::64B.", "sm_75", "7.4"},
    {"", ".L2::128B.", "sm_75", "7.4"},
    {"", ".L2::256B.", "sm_80", "7.4"},
    {"", ".L1::", "sm_70", "7.4"},
    {"", ".shared::cta.", "sm_70", "7.8"},
    {"", ".shared::cluster.", "sm_90", "7.8"},
    {"", ".param::entry.", "sm_70", "8.3"},
    {"", ".unified.", "sm_90", "8.0"},
    {"ld.", ".cluster.", "sm_90", "7.8"},
    {"st.", ".cluster.", "sm_90", "7.8"},
    {"atom.", ".cluster.", "sm_90", "7.8"},
    {"red.", ".cluster.", "sm_90", "7.8"},
    {"ld.", ".b128.", "sm_70", "8.3"},
    {"ldu.", ".b128.", "sm_70", "8.3"},
    {"st.", ".b128.", "sm_70", "8.3"},
    {"cvta.", ".shared::cluster.", "sm_90", "7.8"},
    {"cp.", "", "sm_80", "7.0"},
    {"cp.async.bulk.", "", "sm_90", "8.0"},
    {"cp.reduce.", "", "sm_90", "8.0"},
    {"cp.async.bulk.", ".shared::cta.global.", "sm_90", "8.6"},
    {"ldmatrix.", "", "sm_75", "6.5"},
    {"stmatrix.", "", "sm_90", "7.8"},
    {"movmatrix.", "", "sm_75", "7.8"},
    {"tensormap.", "", "sm_90", "8.3"},
    {"tensormap.replace.", "", "sm_90a", "8.3"},
    {"wgmma.", "", "sm_90a", "8.0"},
    {"wgmma.mma_async.sp.", "", "sm_90a", "8.2"},
    {"mma.", "", "sm_70", "6.4"},
    {"mma.", ".m16n8k8.", "sm_75", "6.5"},
    {"mma.", ".m8n8k16.", "sm_75", "6.5"},
    {"mma.", ".m8n8k32.", "sm_75", "6.5"},
    {"mma.", ".m8n8k128.", "sm_75", "7.0"},
    {"mma.", ".m16n8k4.", "sm_80", "7.0"},
    {"mma.", ".m16n8k16.", "sm_80", "7.0"},
    {"mma.", ".m16n8k32.", "sm_80", "7.0"},
    {"mma.", ".m16n8k64.", "sm_80", "7.0"},
    {"mma.", ".m16n8k128.", "sm_80", "7.0"},
    {"mma.", ".m16n8k256.", "sm_80", "7.0"},
    {"mma.", ".bf16.", "sm_80", "7.0"},
    {"mma.", ".tf32.", "sm_80", "7.0"},
    {"mma.", ".f64.", "sm_80", "7.0"},
    {"mma.", ".and.popc.", "sm_80", "7.1"},
    {"mma.sync.aligned.m16n8", ".f64.", "sm_90", "7.8"},
    {"mma.sp.", "", "sm_80", "7.1"},
    {"mma.sp::ordered_metadata.", "", "sm_80", "8.5"},
    {"mma.", ".e4m3.", "sm_89", "8.4"},
    {"mma.", ".e5m2.", "sm_89", "8.4"},
    {"mma.sync.aligned.m16n8k16.", ".e4m3.", "sm_89", "8.7"},
    {"mma.sync.aligned.m16n8k16.", ".e5m2.", "sm_89", "8.7"},
    {"mma.sync.aligned.m16n8k32.row.col.f16.", ".f16.e", "sm_89", "8.7"},
    {"wmma.", "", "sm_70", "6.0"},
    {"wmma.", ".s8.", "sm_72", "6.3"},
    {"wmma.", ".u8.", "sm_72", "6.3"},
    {"wmma.", ".s4.", "sm_75", "6.3"},
    {"wmma.", ".u4.", "sm_75", "6.3"},
    {"wmma.", ".b1.", "sm_75", "6.3"},
    {"wmma.", ".aligned.", "sm_70", "6.3"},
    {"wmma.", ".m8n8k32.", "sm_75", "6.3"},
    {"wmma.", ".m8n8k128.", "sm_75", "6.3"},
    {"wmma.", ".bf16.", "sm_80", "7.0"},
    {"wmma.", ".tf32.", "sm_80", "7.0"},
    {"wmma.", ".m16n16k8.", "sm_80", "7.0"},
    {"wmma.", ".f64.", "sm_80", "7.0"},
    {"wmma.", ".and.popc.", "sm_80", "7.1"},
    // clang-format on
};

/// "sm_90a" as 90 and true.
std::pair<unsigned, bool> targetOf(llvm::StringRef name) {
  unsigned number = 0;
  name.consume_front("sm_");
  name.consumeInteger(10, number);
  return {number, name == "a"};
}

/// "8.6" as 806.
unsigned versionOf(llvm::StringRef text) {
  unsigned major = 0, minor = 0;
  auto [front, back] = text.split('.');
  front.getAsInteger(10, major);
  back.getAsInteger(10, minor);
  return 100 * major + minor;
}

} // namespace

std::string napkin::executor::unmetNeed(const ptx::Module &module,
                                        llvm::StringRef target,
                                        llvm::StringRef version) {
  auto [number, isSpecific] = targetOf(module.target);
  auto [needed, needsSpecific] = targetOf(target);
  // Features of sm_90a are in no other target.
  if (needsSpecific ? number != needed || !isSpecific : number < needed)
    return fmt::format("needs .target {}{}, the text says {}", target.str(),
                       needsSpecific ? "" : " or higher", module.target);
  if (versionOf(module.version) < versionOf(version))
    return fmt::format("needs .version {} or higher, the text says {}",
                       version.str(), module.version);
  return "";
}

std::string napkin::executor::checkNeeds(const ptx::Module &module,
                                         const ptx::Instruction &instruction) {
  std::string spelling = fmt::format("{}.{}.", instruction.opcode.str(),
                                     llvm::join(instruction.modifiers, "."));
  for (const Need &need : needs) {
    // cp.async took the longer name before others did.
    if (instruction.opcode == "cp" &&
        !llvm::is_contained(instruction.modifiers, "mbarrier") &&
        llvm::StringRef(need.part) == ".shared::cta.")
      continue;
    if (!llvm::StringRef(spelling).starts_with(need.name) ||
        !llvm::StringRef(spelling).contains(need.part))
      continue;
    std::string unmet = unmetNeed(module, need.target, need.version);
    if (!unmet.empty())
      return "this instruction " + unmet;
  }
  return "";
}
