//===- SaveData.h - inputs and expected results as files --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a verification on another machine needs: the bytes of the inputs, what
// exact arithmetic makes of them, and how far off a result may be.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PIPELINES_SAVEDATA_H
#define NAPKIN_LIB_PIPELINES_SAVEDATA_H

#include "napkin/Executor/Manifest.h"
#include "napkin/Reference/Tensor.h"

namespace napkin::pipelines {

/// A result as it should be.
struct ExpectedResult {
  /// Its name in the manifest.
  std::string array;
  /// The exact values.
  reference::Tensor exact;
  /// Largest absolute error that passes; 0 for integers.
  double bound = 0;
};

/// Writes to \p folder, which is made: NAME.bin, the bytes of each input of
/// \p manifest as they are in \p arrays; NAME.expected, the values of each of
/// \p results (f64, little endian; integers i64); and data.json, which names
/// them all.
llvm::Error saveData(llvm::StringRef folder, const executor::Manifest &manifest,
                     const executor::HostArrays &arrays,
                     llvm::ArrayRef<ExpectedResult> results);

} // namespace napkin::pipelines

#endif // NAPKIN_LIB_PIPELINES_SAVEDATA_H
