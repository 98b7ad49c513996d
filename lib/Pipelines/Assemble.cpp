//===- Assemble.cpp - run ptxas -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one step that needs a program from elsewhere; only `--emit=cubin` asks
// for it.
//===----------------------------------------------------------------------===//

#include "DeviceCode.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

using namespace llvm;

static Error problem(const Twine &what) {
  return createStringError(inconvertibleErrorCode(), what);
}

static Expected<std::string> findAssembler() {
  if (std::optional<std::string> named = sys::Process::GetEnv("PTXAS"))
    if (!named->empty()) {
      if (sys::fs::can_execute(*named))
        return *named;
      return problem("$PTXAS is '" + *named + "', which cannot be executed");
    }
  if (ErrorOr<std::string> found = sys::findProgramByName("ptxas"))
    return *found;
  if (ErrorOr<std::string> found =
          sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"}))
    return *found;
  return problem("no ptxas: not in $PTXAS, on PATH or in /usr/local/cuda/bin; "
                 "install the CUDA toolkit's, or emit ptx");
}

Expected<std::string> napkin::pipelines::assemble(StringRef ptx,
                                                  StringRef target) {
  Expected<std::string> assembler = findAssembler();
  if (!assembler)
    return assembler.takeError();
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("napkin", folder))
    return problem("no temporary folder: " + code.message());
  scope_exit cleanUp([&] { sys::fs::remove_directories(folder); });
  std::string source = (folder + "/kernel.ptx").str(),
              result = (folder + "/kernel.cubin").str(),
              messages = (folder + "/messages").str();
  {
    std::error_code code;
    raw_fd_ostream out(source, code);
    out << ptx;
    out.close();
    if (code || out.has_error()) {
      out.clear_error();
      return problem("cannot write " + source);
    }
  }
  std::string message;
  int status = sys::ExecuteAndWait(
      *assembler, {*assembler, "-arch=" + target.str(), source, "-o", result},
      std::nullopt, {StringRef(""), StringRef(messages), StringRef(messages)},
      /*SecondsToWait=*/300, /*MemoryLimit=*/0, &message);
  if (status != 0) {
    if (auto said = MemoryBuffer::getFile(messages))
      message += (*said)->getBuffer().rtrim();
    return problem(*assembler + " refuses the PTX: " + message);
  }
  auto cubin = MemoryBuffer::getFile(result);
  if (!cubin)
    return problem(*assembler + " wrote nothing");
  return (*cubin)->getBuffer().str();
}
