//===- Program.h - A kernel decoded for one launch -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The entry and every function it calls, as one array of micro-instructions.
// Kernel arguments are known when a launch is decoded, so loads of parameters
// become constants.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_PROGRAM_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_PROGRAM_H

#include "Machine/Machine.h"
#include "napkin/Executor/Executor.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Allocator.h"

namespace napkin::executor {

/// Special registers that a warp fills in when it starts.
enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  Laneid,
  Warpid,
  Nwarpid,
  Smid,
  Nsmid,
  Gridid,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  ClusteridX,
  ClusteridY,
  ClusteridZ,
  NclusteridX,
  NclusteridY,
  NclusteridZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtarank,
  ClusterNctarank,
  IsExplicitCluster,
  DynamicSmemSize,
  TotalSmemSize,
  AggrSmemSize,
  Zero64
};

/// What the report needs to know of one PTX instruction.
struct SourceInfo {
  const ptx::Instruction *ptx = nullptr;
  Pipe pipe = Pipe::ALU;
  uint64_t macs = 0;
  const char *macType = "";
  bool isProduct = false;
  /// A load that the L1 cache may keep.
  bool inL1 = false;
  /// Index in Program::functions.
  uint32_t function = 0;
  /// The bits (registerBit) of the registers that the instruction names.
  uint64_t registers = 0;
};

/// One of 64 bits for a register of a function: where none is set that is
/// looked for, none of these registers is.
inline uint64_t registerBit(uint32_t reg) {
  return uint64_t(1) << (reg * 0x9e3779b1u >> 26);
}

bool mayStayInL1(const ptx::Instruction &instruction);
/// Line of an instruction in whose guard, address or other steering operand a
/// tensor-core result may be; 0: there is none.
uint32_t productDependence(const ptx::Module &module,
                           const ptx::Function &entry);

/// Registers that a PTX instruction reads and writes, by reference; predicates
/// by their index and `predicateId`.
constexpr uint32_t predicateId = 0x40000000u;
struct RegisterUse {
  uint32_t id;
  /// An address or a guard.
  bool isStrict = false, isGuard = false;
};
struct RegisterUses {
  llvm::SmallVector<RegisterUse, 4> reads;
  llvm::SmallVector<uint32_t, 2> writes;
  bool isGuarded = false;
};
/// The registers among those of a PTX instruction that may be read before they
/// are written, each by its number among these and by its index in the
/// function's table.
struct UnwrittenCheck {
  struct Read {
    uint32_t number, reg;
    bool isGuard;
  };
  llvm::SmallVector<Read, 2> reads;
  llvm::SmallVector<uint32_t, 2> writes;
};

/// A variable in shared memory, or in a thread's local memory.
struct SharedVariable {
  std::string name;
  uint64_t begin, bytes;
};

struct Program {
  const ptx::Module *module = nullptr;
  const ptx::Function *entry = nullptr;
  std::vector<Instr> code;
  std::vector<SourceInfo> sources;
  /// Constants, each broadcast to 32 lanes.
  std::vector<char> constants;
  uint32_t registerBytes = 0, predicates = 0;
  /// The functions decoded, and where the registers of each are.
  std::vector<const ptx::Function *> functions;
  std::vector<std::vector<uint32_t>> registerReferences;
  std::vector<std::pair<Special, uint32_t>> specials;
  std::vector<char> parameters;
  uint64_t staticShared = 0, localBytes = 0;
  std::vector<SharedVariable> sharedVariables, localVariables;
  /// Zeroed bytes at the start of shared memory, part of staticShared.
  uint64_t reservedShared = 0;
  /// Registers of wgmma accumulators and A operands, and for each PTX
  /// instruction those of them that it touches.
  llvm::DenseSet<uint32_t> productRegisters;
  std::vector<std::vector<uint32_t>> touched;
  /// By PTX instruction; `unwritten` is empty if nothing needs to be followed.
  std::vector<RegisterUses> uses;
  std::vector<UnwrittenCheck> unwritten;
  uint32_t followedRegisters = 0;
  /// Several workers could see different orders of atomic operations.
  bool hasGlobalAtomics = false;
  /// Strong loads or returning atomics of global memory: blocks may wait for
  /// what others write.
  bool mayWaitForBlocks = false;
  bool usesClusters = false;
  /// Of all setmaxnreg.inc; 0: there is none.
  uint32_t mostRegisters = 0;
  llvm::BumpPtrAllocator memory;
};

/// Decodes `entry` with all it calls. Errors are located.
llvm::Error decode(Program &program, const ptx::Module &module,
                   const ptx::Function &entry, const Arguments &arguments,
                   const LaunchConfig &config, const Options &options,
                   Device &device);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_PROGRAM_H
