//===- Variation.h - a diagram with one thing different ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What people ask of a compilation that they understand: what if shared memory
// had 128 KiB, if keys were stored in 8 bits, if the scores were written out,
// if there were 4096 queries? Each is a variation of what is compiled:
//
//   q=4096              the axis q has 4096 positions
//   smem=128K           the machine has another number (loadHardware())
//   dtype(k)=f8E4M3FN   the array k is stored in another type and converted
//                       where it is used
//   level(s)=global     the array s is written to global memory and read from
//                       there: what computes it and what uses it are compiled
//                       apart
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXPLORE_VARIATION_H
#define NAPKIN_EXPLORE_VARIATION_H

#include "mlir/IR/BuiltinOps.h"
#include "napkin/Pipelines/Pipelines.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace napkin::explore {

/// One thing that is different.
struct Variation {
  enum class Kind {
    /// The size of an axis, or a number of the machine.
    Number,
    /// dtype(name): the type that an array is stored in.
    Element,
    /// level(name): the level that an array reaches.
    Level
  };
  Kind kind = Kind::Number;
  std::string name, value;

  /// As it was written: "dtype(k)=f8E4M3FN".
  std::string str() const;
};

/// Reads one variation. Errors say what can be written.
llvm::Expected<Variation> parseVariation(llvm::StringRef text);

/// Gives axis \p name \p size positions in all diagrams of \p module.
void resizeAxis(mlir::ModuleOp module, llvm::StringRef name, int64_t size);

/// A number that takes several values.
struct Sweep {
  /// Axes, or numbers of the machine, that take each value together.
  std::vector<std::string> names;
  std::vector<std::string> values;

  /// The names as they were written: "q,x".
  std::string title() const;
  /// What is different where the names have \p value.
  std::vector<Variation> at(const std::string &value) const;
};

/// Reads "q=512:65536" (doubled from 512 while at most 65536),
/// "q=512:4096:512" (in steps of 512) or "q=1,7,100"; "q,x=..." gives q and x
/// the same values. K, M and G are powers of 1024. Errors say what can be
/// written. At most 1024 values.
llvm::Expected<Sweep> parseSweep(llvm::StringRef text);

/// A module and the names that its author gave to values.
struct NamedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Without the percent sign. Names of several diagrams may be the same: the
  /// first is meant.
  llvm::StringMap<mlir::Value> values;
};

/// Parses the main buffer of \p manager as parseSource() does.
NamedModule parseNamed(const llvm::SourceMgr &manager,
                       mlir::MLIRContext *context);

/// The machine whose costs count under \p options: the one that is named, or
/// the one that stands for the target; "" where there is none.
std::string machineOf(const pipelines::CompileOptions &options);

/// Changes \p named and \p options as \p variation says. Errors name what there
/// is: axes, arrays, fields of the machine.
llvm::Error apply(const Variation &variation, NamedModule &named,
                  pipelines::CompileOptions &options);

} // namespace napkin::explore

#endif // NAPKIN_EXPLORE_VARIATION_H
