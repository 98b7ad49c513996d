//===- StreamingForm.h - Streaming forms of ncd regions ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The door between ncd operations and the plain algebra of StreamPlan.h. The
// schedule asks here, once per candidate axis, whether a set of operations can
// be computed in one pass over that axis and what the loop would have to carry;
// the rewrite into `ncd.stream` is ncd-derive-stream (Passes.h).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_STREAMINGFORM_H
#define NAPKIN_ALGEBRA_STREAMINGFORM_H

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <optional>
#include <string>

namespace napkin::algebra {

/// Assumptions under which a form is derived.
struct StreamingOptions {
  /// Inputs stored in f32, bf16 or f64 satisfy |input| <= 2^inputBoundLog2.
  /// Narrower storage types bound themselves (f16: 16 bits, f8: 9, i8: 7).
  double inputBoundLog2 = 32;
  /// Whether references of gauges may lag behind the running maxima
  /// (StreamPlan.h, LazyReference).
  bool lazyReferences = false;
};

/// Why no streaming form was found: "axis x, r2 = sum_x ...: 'u': the law".
/// A refusal means that this algebra finds no homomorphism, not that none
/// exists.
struct StreamingRefusal {
  /// One sentence naming axis, reduction, sub-expression and missing law.
  std::string message;
  /// The reduction that has no form (an unknown location when none is at
  /// fault).
  std::optional<mlir::Location> location;
  /// The sub-expression that no law covers, where the operation is known.
  std::optional<mlir::Location> expressionLocation;
};

/// One array that the loop carries from chunk to chunk.
struct StreamingStateMember {
  /// `!ncd.array` without the streamed axis; other axes keep full sizes.
  mlir::Type type;
  /// "a1 = sum_x exp(s*0.088)", for the report.
  std::string description;
  /// The scaling it is kept in, e.g. "exp(-0.088*a0)"; empty: kept as it is.
  std::string gauge;
  /// The reference its differences are taken from; empty: none.
  std::string shift;
  /// True when the step multiplies the old value by a correction.
  bool corrected = false;
};

/// What one pass over `axis` carries and yields. Cheap to copy.
struct StreamingForm {
  std::string axis;
  /// In the order of the state of the `ncd.stream` that emission makes.
  llvm::SmallVector<StreamingStateMember, 4> state;
  /// Reads of the operations that carry the axis: these arrive chunk by chunk.
  llvm::SmallVector<mlir::Value, 4> chunked;
  /// Values that the stream itself yields (results of reductions over the axis
  /// that an output needs), as values of the analysed operations.
  llvm::SmallVector<mlir::Value, 2> results;
  /// How each of `results` follows from the state, for the report.
  llvm::SmallVector<std::string, 2> finish;
  /// Operations that need neither the axis nor its reductions: before the loop.
  llvm::SmallVector<mlir::Operation *, 4> prologue;
  /// Operations that only read results of the loop: after it.
  llvm::SmallVector<mlir::Operation *, 4> epilogue;
  /// Assumed bounds, roundings moved, ranges not proven; for the report.
  llvm::SmallVector<std::string, 2> notes;
  /// Whether the reference of its gauges may lag behind; asked for by the
  /// options.
  bool lazy = false;
};

/// Derives the form of `outputs` streamed over `axis`.
///
/// \param ops the operations of a convex region in topological order; only
///        contract, map and reduce (softmax and its kin must be decomposed).
///        Values defined elsewhere are inputs.
/// \param outputs values of `ops` that are needed outside; all of them, since
///        a form is legal only over all uses.
/// \returns failure with `why` filled in (when given) if some output is not a
///        function of a bounded state: it carries the axis, or a reduction of
///        it has no streaming form. Emits no diagnostic. Pure; well under a
///        millisecond for tens of operations.
llvm::FailureOr<StreamingForm>
deriveStreamingForm(llvm::ArrayRef<mlir::Operation *> ops,
                    llvm::ArrayRef<mlir::Value> outputs, llvm::StringRef axis,
                    const StreamingOptions &options = {},
                    StreamingRefusal *why = nullptr);

/// Rewrites the body of one `ncd.kernel` whose `stream` attribute names an axis
/// into operations before, one `ncd.stream`, and operations after; where
/// results carry the axis, a second `ncd.stream` without a state makes them.
/// What has one of the further axes becomes streams over those, in each step
/// and beside it. A kernel without a stream axis, and streams that are there
/// already, are left alone. Emits an error at the reduction that has no form;
/// what the kernel then holds is of no use.
llvm::LogicalResult rewriteAsStream(mlir::Operation *kernel,
                                    const StreamingOptions &options = {});

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_STREAMINGFORM_H
