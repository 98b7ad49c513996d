//===- Executor.h - Run PTX on the CPU -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instrument: it runs a kernel as the PTX manual says, refuses what it does
// not know before the launch, traps misuse, and counts.
//
//   auto module = ptx::parseFile("kernel.ptx");
//   executor::Device device;
//   auto q = device.allocate(bytes);            // then copyToDevice
//   executor::Arguments arguments;
//   arguments.pointer(*q).i32(512);
//   auto result = executor::launch(device, **module, "attention", arguments,
//                                  {{4, 4, 1}, {256, 1, 1}});
//   if (result->traps.empty()) use(result->counters);
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_EXECUTOR_H
#define NAPKIN_EXECUTOR_EXECUTOR_H

#include "napkin/Executor/Counters.h"
#include "napkin/Executor/Device.h"
#include "napkin/Executor/Occupancy.h"
#include "napkin/PTX/Module.h"

#include <functional>
#include <optional>

namespace napkin::executor {

/// Extent of a launch, in blocks, threads and blocks per cluster. A block or
/// cluster of zeros is as large as the kernel's .reqntid or .reqnctapercluster
/// says, else one.
struct LaunchConfig {
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
  uint64_t dynamicSharedBytes = 0;
};

/// When asynchronous copies take effect, within what the manual allows.
enum class Completion : uint8_t {
  Latest,   ///< when a wait demands it
  Earliest, ///< at issue
  Random    ///< either, by the seed
};

/// How far the approximate forms (.approx, .full) are off.
enum class Approximation : uint8_t {
  Exact,   ///< correctly rounded
  Typical, ///< by up to half of what the manual allows
  Worst    ///< by all that the manual allows, up or down
};

/// The approximation called "exact", "typical" or "worst", or nullopt.
std::optional<Approximation> parseApproximation(llvm::StringRef name);

/// How tensor cores round.
enum class Numerics : uint8_t {
  Fast,    ///< exact products, f32 accumulation in order of k
  Faithful ///< the bits of `tensorCore`'s hardware
};
/// Hardware whose tensor-core arithmetic `Faithful` reproduces.
enum class TensorCore : uint8_t { A100, Ada, H100 };

/// How to run.
struct Options {
  /// Uninitialised reads, races and async hazards are checked. Bounds and
  /// alignment always are.
  bool checks = true;
  /// Data races in shared and global memory.
  bool races = true;
  Completion completion = Completion::Latest;
  /// Order of warps: 0 is round robin from warp 0, others are random orders.
  uint64_t seed = 0;
  Numerics numerics = Numerics::Fast;
  TensorCore tensorCore = TensorCore::A100;
  Approximation approximation = Approximation::Exact;
  /// Host threads; 0 takes all.
  unsigned threads = 0;
  /// Execute only this many blocks, evenly spread; 0 executes all.
  uint64_t sampleBlocks = 0;
  /// Skip tensor-core arithmetic where no guard, branch or address depends on
  /// it: counts only, results are wrong. See LaunchResult::productsNeededBy.
  bool countOnly = false;
  /// Traps to find at most. After a race, a missing proxy fence and, with
  /// `checks`, an access out of bounds the launch goes on while there are fewer
  /// (what was read there is undefined, what was written is lost); any other
  /// trap is the last of its cluster. Each pair of lines is told once.
  unsigned maxTraps = 1;
  /// A warp that issues more than this many instructions traps.
  uint64_t instructionLimit = uint64_t(1) << 32;
  /// The machine that occupancy and the model of the L2 cache are for. A block
  /// that does not fit into it is an error.
  std::optional<Hardware> hardware;
  /// What ptxas says (`ptxas -v`); 0: `.maxnreg` if there is one, else unknown.
  uint32_t registersPerThread = 0;
  /// Count DRAM bytes by a model of the L2 cache; needs `hardware`.
  bool cacheModel = false;
  /// Called with blocks done, from 0 on, and blocks in all, from one thread at
  /// a time.
  std::function<void(uint64_t, uint64_t)> progress;
};

/// A call that a compiler replaced by the body of the function called.
struct InlinedCall {
  /// Empty: not told.
  std::string function;
  std::string file;
  uint32_t line = 0;
};

/// What went wrong, where.
struct Trap {
  enum class Kind : uint8_t {
    OutOfBounds,
    Misaligned,
    Uninitialized,
    Freed,
    ReadOnly,
    Race,
    AsyncHazard,
    DivergentBarrier,
    BarrierMisuse,
    MbarrierMisuse,
    Deadlock,
    WgmmaHazard,
    ProxyFence,
    RegisterPool,
    ExitInFlight,
    Limit,
    Illegal,
    UserTrap
  };
  Kind kind;
  std::string message;
  uint32_t line = 0;
  /// From `.loc`; empty file: none.
  std::string sourceFile;
  uint32_t sourceLine = 0;
  /// The calls through which that line came here, the innermost first.
  std::vector<InlinedCall> inlined;
  std::string text;
  std::array<uint32_t, 3> block{0, 0, 0}, thread{0, 0, 0};
  uint64_t address = 0;
  /// The other access of a pair, 0 if there is none.
  uint32_t otherLine = 0;
  std::string other;
  std::string otherSourceFile;
  uint32_t otherSourceLine = 0;
  std::vector<InlinedCall> otherInlined;
};

/// "race", "out-of-bounds", ...
llvm::StringRef trapName(Trap::Kind kind);
/// "file:line: trap: ..." with notes, several lines.
std::string describe(const Trap &trap, llvm::StringRef file);

/// The outcome of a launch.
struct LaunchResult {
  Counters counters;
  std::vector<Trap> traps;
  /// What was not checked, a sentence each.
  std::vector<std::string> notes;
  /// With Options::countOnly: the PTX line through which what is executed may
  /// depend on tensor-core results, so that they were computed; 0: none.
  uint32_t productsNeededBy = 0;
  /// What the kernel printed, block by block; at most 1 MiB.
  std::string printed;
  /// Seconds of execution, and of thread-instructions per second.
  double seconds = 0;
};

/// Kernel arguments in order; sizes are checked against the parameters.
class Arguments {
public:
  Arguments &pointer(uint64_t value) { return raw(&value, 8); }
  Arguments &i32(int32_t value) { return raw(&value, 4); }
  Arguments &i64(int64_t value) { return raw(&value, 8); }
  Arguments &f32(float value) { return raw(&value, 4); }
  Arguments &f64(double value) { return raw(&value, 8); }
  /// Any parameter by its bytes (a struct, a tensor map).
  Arguments &raw(const void *bytes, size_t size) {
    const char *begin = static_cast<const char *>(bytes);
    values.emplace_back(begin, begin + size);
    return *this;
  }
  std::vector<std::vector<char>> values;
};

/// Runs kernel `entry` (empty: the only one). The error names what in the PTX,
/// the arguments or the configuration is not supported or not legal; misuse at
/// run time is in `traps`.
llvm::Expected<LaunchResult> launch(Device &device, const ptx::Module &module,
                                    llvm::StringRef entry,
                                    const Arguments &arguments,
                                    const LaunchConfig &config,
                                    const Options &options = {});

/// What a kernel takes, whatever it is launched with.
struct KernelNeeds {
  /// Bytes of shared memory that the variables it reaches take in a block, and
  /// of local memory in a thread.
  uint64_t staticSharedBytes = 0, localBytes = 0;
};

/// Decodes kernel `entry` without a launch; errors are those of a launch.
llvm::Expected<KernelNeeds> inspect(const ptx::Module &module,
                                    llvm::StringRef entry);

/// Gives all global and constant variables of `module` memory and their initial
/// values, so that device.symbol() knows them before the first launch. Those
/// whose names it knows already are left alone.
llvm::Error loadVariables(Device &device, const ptx::Module &module);

/// A line per supported instruction: spelling, then what it does (Markdown
/// table rows if `markdown`).
std::string listInstructions(bool markdown = false);

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_EXECUTOR_H
