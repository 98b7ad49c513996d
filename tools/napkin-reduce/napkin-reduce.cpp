//===- napkin-reduce.cpp - the smallest diagram that still fails ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes a diagram smaller as long as a command, run on it, still ends as it did
// with the whole one:
//
//   napkin-reduce -o small.mlir bug.mlir napkinc --verify
//===----------------------------------------------------------------------===//

#include "Edits.h"
#include "mlir/IR/Verifier.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Pipelines/Source.h"
#include "napkin/Pipelines/Version.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/SourceMgr.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
namespace cl = llvm::cl;

static cl::OptionCategory category("napkin-reduce options");
static cl::opt<std::string> input(cl::Positional, cl::desc("<diagram.mlir>"),
                                  cl::Required, cl::cat(category));
static cl::list<std::string>
    command(cl::ConsumeAfter,
            cl::desc("<command> <arguments>..., to which a file is added"),
            cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("file to write"),
                                   cl::value_desc("file"), cl::init("-"),
                                   cl::cat(category));
static cl::opt<std::string>
    wanted("output", cl::desc("what the command must print, beside its status"),
           cl::value_desc("regex"), cl::cat(category));
static cl::opt<unsigned> seconds("seconds",
                                 cl::desc("after which the command is stopped"),
                                 cl::init(60), cl::cat(category));

namespace {

/// The command whose outcome is to stay.
class Test {
public:
  /// Finds the program and runs it on \p module, whose outcome is the one that
  /// has to stay. Returns the message of an error.
  std::string prepare(ModuleOp module);

  /// Whether the command ends with \p module as it did at first.
  bool keeps(ModuleOp module) {
    std::optional<int> status = run(module);
    return status && *status == first;
  }

private:
  std::optional<int> run(ModuleOp module);

  std::string program;
  int first = 0;
};

} // namespace

/// The exit status on \p module; none where something else than `--output` is
/// printed.
std::optional<int> Test::run(ModuleOp module) {
  SmallString<128> file, printed;
  llvm::sys::fs::createTemporaryFile("napkin-reduce", "mlir", file);
  llvm::sys::fs::createTemporaryFile("napkin-reduce", "txt", printed);
  llvm::FileRemover removeFile(file), removePrinted(printed);
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(file, error);
    module.print(stream);
    stream << "\n";
  }
  SmallVector<StringRef> arguments(command.begin(), command.end());
  arguments.push_back(file);
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(printed),
                                          StringRef(printed)};
  int status = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt,
                                         redirects, seconds);
  if (wanted.empty())
    return status;
  auto text = llvm::MemoryBuffer::getFile(printed);
  if (text &&
      llvm::Regex(wanted, llvm::Regex::Newline).match((*text)->getBuffer()))
    return status;
  return std::nullopt;
}

std::string Test::prepare(ModuleOp module) {
  if (command.empty())
    return "error: no command: napkin-reduce bug.mlir napkinc --verify";
  std::string reason;
  if (!wanted.empty() && !llvm::Regex(wanted).isValid(reason))
    return "error: --output is no regular expression: " + reason;
  llvm::ErrorOr<std::string> found =
      llvm::sys::findProgramByName(command.front());
  if (!found)
    return "error: there is no program '" + command.front() + "'";
  program = *found;
  std::optional<int> status = run(module);
  if (!status)
    return "error: the command does not print '" + wanted + "' for " + input;
  first = *status;
  if (first == 0 && wanted.empty())
    return "error: the command ends well with " + input +
           ": name what it prints with --output";
  return "";
}

/// Makes one edit that keeps the outcome, and returns what it was; "" where
/// there is none.
static std::string reduceOnce(OwningOpRef<ModuleOp> &module, Test &test) {
  for (const reduce::Edit &edit : reduce::editsOf(*module)) {
    OwningOpRef<ModuleOp> smaller = module->clone();
    edit.apply(*smaller);
    // An edit may leave what is no diagram: an axis that nothing carries.
    ScopedDiagnosticHandler silent(module->getContext(),
                                   [](Diagnostic &) { return success(); });
    if (failed(verify(*smaller)) || !test.keeps(*smaller))
      continue;
    module = std::move(smaller);
    return edit.description;
  }
  return "";
}

static int fail(const std::string &message) {
  llvm::errs() << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &out) { out << NAPKIN_VERSION_TEXT; });
  cl::ParseCommandLineOptions(
      argc, argv,
      "Makes a diagram smaller while a command ends with it as before\n\n"
      "  napkin-reduce -o small.mlir bug.mlir napkinc --verify\n"
      "  napkin-reduce --output='cut off by' a.mlir napkinc --report\n");
  auto buffer = llvm::MemoryBuffer::getFile(input);
  if (!buffer)
    return fail(input + ": error: " + buffer.getError().message());
  MLIRContext context(pipelines::dialects(), MLIRContext::Threading::DISABLED);
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  pipelines::MessagePrinter printer(manager, &context);
  OwningOpRef<ModuleOp> module = pipelines::parseSource(manager, &context);
  if (!module)
    return 1;
  Test test;
  if (std::string message = test.prepare(*module); !message.empty())
    return fail(message);
  for (std::string done; !(done = reduceOnce(module, test)).empty();)
    llvm::errs() << done << "\n";
  std::error_code error;
  llvm::raw_fd_ostream file(output, error);
  if (error)
    return fail(output + ": error: cannot write: " + error.message());
  module->print(file);
  file << "\n";
  return 0;
}
