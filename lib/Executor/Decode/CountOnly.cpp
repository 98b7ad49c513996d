//===- CountOnly.cpp - What depends on tensor-core results -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counting without the arithmetic of tensor cores is exact if neither guards
// nor addresses nor what steers asynchronous work depend on it. This follows
// the results through registers and, by state space, through memory; it may see
// a dependence where there is none, never the reverse.
//
//===----------------------------------------------------------------------===//

#include "Machine/Program.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::executor;
using Kind = ptx::Operand::Kind;

namespace {

enum Memory : unsigned { Global = 1, Shared = 2, Other = 4, All = 7 };

class Dependence {
public:
  explicit Dependence(const ptx::Function &function)
      : function(function), registers(function.registers.size()) {}

  /// The first instruction that must have the results; null if there is none.
  const ptx::Instruction *find() {
    do {
      changed = false;
      for (const ptx::Instruction &i : function.body)
        if (!visit(i))
          return &i;
    } while (changed);
    return nullptr;
  }

private:
  bool has(const ptx::Instruction &i, const char *modifier) const {
    return llvm::is_contained(i.modifiers, modifier);
  }

  bool depends(const ptx::Operand &o) const {
    if (o.kind == Kind::Register &&
        (registers[o.reg] || (o.second >= 0 && registers[o.second])))
      return true;
    return llvm::any_of(o.elements,
                        [&](const ptx::Operand &e) { return depends(e); });
  }

  void mark(const ptx::Operand &o) {
    auto set = [&](uint32_t reg) {
      changed |= !registers[reg];
      registers.set(reg);
    };
    if (o.kind == Kind::Register) {
      set(o.reg);
      if (o.second >= 0)
        set(o.second);
    }
    for (const ptx::Operand &e : o.elements)
      mark(e);
  }

  void mark(unsigned spaces) {
    changed |= spaces & ~memory;
    memory |= spaces;
  }

  /// Where a load or a store goes.
  unsigned spacesOf(const ptx::Instruction &i) const {
    if (i.opcode == "ldmatrix" || i.opcode == "stmatrix" || has(i, "shared") ||
        has(i, "shared::cta") || has(i, "shared::cluster"))
      return Shared;
    return has(i, "global") ? Global
           : has(i, "local") || has(i, "param") || has(i, "param::func") ? Other
                                                                         : All;
  }

  static bool isProduct(const ptx::Instruction &i) {
    return i.opcode == "mma" ||
           ((i.opcode == "wgmma" || i.opcode == "wmma") &&
            (llvm::is_contained(i.modifiers, "mma_async") ||
             llvm::is_contained(i.modifiers, "mma")));
  }

  /// Instructions whose every operand must be known.
  static bool steers(llvm::StringRef opcode) {
    static const char *const names[] = {
        "bra",          "brx",  "call",      "bar",       "barrier",
        "mbarrier",     "cp",   "tensormap", "nanosleep", "setmaxnreg",
        "stackrestore", "mapa", "alloca",    "fence",     "prefetch"};
    return llvm::is_contained(names, opcode);
  }

  /// False if the instruction must have a result.
  bool visit(const ptx::Instruction &i) {
    if (i.guard >= 0 && registers[i.guard])
      return false;
    bool product = isProduct(i), sources = false;
    for (const ptx::Operand &o : i.operands) {
      if (!depends(o))
        continue;
      if (o.kind == Kind::Address || steers(i.opcode))
        return false;
      // Descriptors, scales and selectors.
      if (product && i.opcode == "wgmma" && o.kind != Kind::Vector)
        return false;
      sources |= &o != &i.operands[0];
    }
    if (writesMemory(i)) {
      if (sources)
        mark(spacesOf(i));
      // Atomics return what was there.
      if (i.opcode == "atom" && (sources || (memory & spacesOf(i))))
        mark(i.operands[0]);
      return true;
    }
    if (i.opcode == "cp") {
      if (memory & (Global | Shared))
        mark(Global | Shared);
      return true;
    }
    bool loads = i.opcode == "ld" || i.opcode == "ldu" ||
                 i.opcode == "ldmatrix" || i.opcode == "wmma";
    if (product || sources || (loads && (memory & spacesOf(i))))
      if (!i.operands.empty())
        mark(i.operands[0]);
    return true;
  }

  static bool writesMemory(const ptx::Instruction &i) {
    return i.opcode == "st" || i.opcode == "red" || i.opcode == "atom" ||
           i.opcode == "stmatrix" ||
           (i.opcode == "wmma" && llvm::is_contained(i.modifiers, "store"));
  }

  const ptx::Function &function;
  llvm::BitVector registers;
  unsigned memory = 0;
  bool changed = false;
};

} // namespace

uint32_t napkin::executor::productDependence(const ptx::Module &module,
                                             const ptx::Function &entry) {
  if (const ptx::Instruction *found = Dependence(entry).find())
    return found->position.line;
  // Functions are not followed: they must have no products.
  for (const ptx::Instruction &i : entry.body)
    if (i.opcode == "call")
      for (const ptx::Function &f : module.functions)
        for (const ptx::Instruction &inner : f.body)
          if (!f.isEntry && (inner.opcode == "mma" || inner.opcode == "wgmma" ||
                             inner.opcode == "wmma"))
            return inner.position.line;
  return 0;
}
