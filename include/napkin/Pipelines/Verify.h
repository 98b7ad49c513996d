//===- Verify.h - execute what was compiled, and judge it -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--verify`: the PTX text and the manifest, exactly as they would be written,
// run on this CPU, or on a GPU (`--run=cuda`); the results are compared with
// the reference, the bytes with the prediction. A library of its own,
// NapkinVerify: compiling alone needs neither the executor nor the reference.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PIPELINES_VERIFY_H
#define NAPKIN_PIPELINES_VERIFY_H

#include "mlir/IR/BuiltinOps.h"
#include "napkin/Executor/Executor.h"
#include "napkin/Launch/Launch.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Reference/Random.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>

namespace napkin::pipelines {

/// What to verify with.
struct VerifyOptions {
  reference::Distribution distribution = reference::Distribution::Normal;
  uint64_t seed = 1;
  /// Whether the compilation was allowed to round factors of f32 products to
  /// tf32: then the diagram that is compared with rounds them too.
  bool roundToTF32 = false;
  /// How far the PTX's approximate functions are off.
  executor::Approximation approximation = executor::Approximation::Exact;
  /// Called with the counts of each launch, by the entry of its kernel; empty:
  /// not called.
  std::function<void(llvm::StringRef entry, const executor::Counters &)>
      counted;
  /// Called with the blocks done and in all of the launch under way, by one
  /// thread at a time; empty: not called.
  std::function<void(uint64_t done, uint64_t all)> progress;
  /// The device that runs the PTX, timed as \p timing says; null: this CPU, by
  /// the executor, which counts bytes.
  const launch::Device *device = nullptr;
  launch::TimingOptions timing;
  /// Where inputs, exact results and bounds are written, for a verification
  /// elsewhere; empty: nowhere.
  std::string dataFolder;
};

/// Runs \p compiled on random inputs, compares with the diagrams of \p source
/// (the module before compilation) and prints a table to \p out. False: a
/// result or a count is off. Emits an error, on \p source or below, when the
/// program cannot be run to its end.
mlir::FailureOr<bool> verify(mlir::ModuleOp source, const Compiled &compiled,
                             const VerifyOptions &options,
                             llvm::raw_ostream &out);

} // namespace napkin::pipelines

#endif // NAPKIN_PIPELINES_VERIFY_H
