//===- Pipelines.h - from a diagram to PTX ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of the compiler as one table, and the functions that run them. The
// tools and every program that embeds Napkin come in here:
//
//   mlir::MLIRContext context(pipelines::dialects());
//   auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
//   auto compiled = pipelines::compile(*module, {});
//   use(compiled->ptx, compiled->manifest);
//
// or, from text to text and without MLIR in sight, compileText().
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PIPELINES_PIPELINES_H
#define NAPKIN_PIPELINES_PIPELINES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/LLVM.h"
#include "napkin/Dialect/Tile/IR/Transfers.h"
#include "napkin/Page/Page.h"
#include "napkin/Report/CostReport.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace napkin::pipelines {

/// What can be printed of a compilation, in the order in which it comes about.
/// Pictures show what the stage before them holds (Drawing.h).
enum class Stage {
  Picture,
  NCD,
  Schedule,
  SchedulePicture,
  Tile,
  NVVM,
  PTX,
  Cubin,
  Manifest,
  Page
};

/// One row of the table of stages.
struct StageInfo {
  Stage stage;
  /// What `--emit=` calls it.
  llvm::StringLiteral name;
  /// What it holds, in a few words.
  llvm::StringLiteral description;
};

/// The table, in order.
llvm::ArrayRef<StageInfo> stages();

/// The stage called \p name, or nullopt.
std::optional<Stage> parseStage(llvm::StringRef name);

/// The architecture where neither a target nor a machine is named.
inline constexpr llvm::StringLiteral defaultTarget = "sm_80";

/// What a user may decide about a compilation.
struct CompileOptions {
  /// Architecture, by name: "sm_80"; empty: the one that `hardware` runs, or
  /// defaultTarget.
  std::string target;
  /// Hardware description, by name or path of a .json file; empty: the
  /// target's.
  std::string hardware;
  /// Tiles of group axes, "axis:size" each; empty: chosen by cost.
  std::vector<std::string> pinGroup;
  /// Chunk of the streamed axis, "axis:size", or "none"; empty: chosen by cost.
  std::vector<std::string> pinStream;
  /// Positions of a part of the streamed axis, "axis:size", or "none"; empty:
  /// chosen by cost.
  std::vector<std::string> pinSplit;
  /// Warps of a block, and buffers of the pipeline; 0: chosen by cost.
  int64_t pinWarps = 0, pinStages = 0;
  /// Forms of kernels, "padded:true" or "parts:4"; empty: chosen by cost.
  std::vector<std::string> pinForms;
  /// Whether f32 products may round their factors to tf32, for tensor cores.
  bool allowTF32 = false;
  /// B in |input| <= 2^B for inputs of f32, bf16 and f64.
  double inputBound = 32;
  /// Name of the PTX file, for the manifest; empty: the first kernel's name
  /// with
  /// ".ptx".
  std::string ptxFile;
};

/// What a compilation gives. Which members are filled depends on the last
/// stage.
struct Compiled {
  /// What the kernels move; from Stage::Schedule on.
  report::CostReport report;
  /// The program as PTX text; from Stage::PTX on.
  std::string ptx;
  /// What a launcher needs, as JSON text (docs/embedding.md); from Stage::PTX
  /// on.
  std::string manifest;
  /// Bytes that the transfers of each tile program add up to, kernel by kernel;
  /// from Stage::PTX on, empty where the input was device code.
  std::vector<tile::TransferBytes> transfers;
  /// Machine code; Stage::Cubin only.
  std::string cubin;
  /// Pictures and counts for a page, without the report and the PTX above;
  /// Stage::Page only. What `lines` and `verification` hold is up to whoever
  /// executes the program.
  page::Content page;
  /// Seconds by step, in order.
  std::vector<std::pair<std::string, double>> seconds;
};

/// The dialects of every stage, and how device code is translated.
const mlir::DialectRegistry &dialects();

/// Rewrites \p module stage by stage up to \p last, and gives what came about
/// on the way. \p module holds diagrams, scheduled diagrams or tile programs;
/// its context was made with dialects(). Emits an error at the operation at
/// fault. Stage::Cubin needs ptxas: $PTXAS, on PATH, or below /usr/local/cuda.
mlir::FailureOr<Compiled> compile(mlir::ModuleOp module,
                                  const CompileOptions &options,
                                  Stage last = Stage::PTX);

/// A message with its place.
struct Message {
  mlir::DiagnosticSeverity severity;
  /// "" where there is no place; line and column count from 1.
  std::string file;
  unsigned line = 0, column = 0;
  std::string text;
};

/// Keeps the messages of \p context, notes after their messages, in the order
/// in which they come; others still receive them.
class MessageCollector : public mlir::ScopedDiagnosticHandler {
public:
  MessageCollector(mlir::MLIRContext *context, std::vector<Message> &messages);
};

/// Prints messages as SourceMgrDiagnosticHandler does, and those without a
/// place (of options, or of a text that is none) as "error: ..." alone.
class MessagePrinter : public mlir::SourceMgrDiagnosticHandler {
public:
  MessagePrinter(llvm::SourceMgr &manager, mlir::MLIRContext *context,
                 llvm::raw_ostream &out = llvm::errs());
};

/// What `--emit` prints of \p module and what came of compiling it up to \p
/// stage.
std::string outputOf(Stage stage, mlir::ModuleOp module,
                     const Compiled &compiled);

/// Compiles the diagrams in \p source, text of MLIR; \p name is for messages.
/// The error holds all diagnostics, one "file:line:column: error: ..." a line.
llvm::Expected<Compiled> compileText(llvm::StringRef source,
                                     const CompileOptions &options,
                                     llvm::StringRef name = "diagram");

} // namespace napkin::pipelines

#endif // NAPKIN_PIPELINES_PIPELINES_H
