//===- SourceFuzzTest.cpp - damaged texts of diagrams ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whatever the text, it is read or refused with messages: none crashes, and
// none is refused in silence. NAPKIN_FUZZ_SEED and NAPKIN_FUZZ_COUNT change the
// inputs, NAPKIN_FUZZ_SAVE=FILE writes each before it is tried.
//===----------------------------------------------------------------------===//

#include "../Fuzz/Mutate.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Pipelines/Source.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include <cstdlib>
#include <gtest/gtest.h>

using namespace mlir;
using namespace napkin;

/// What is wrong with how \p text was answered; "" if nothing is.
static std::string tryText(const std::string &text) {
  MLIRContext context(pipelines::dialects(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(text, "f.mlir"), llvm::SMLoc());
  std::string printed;
  llvm::raw_string_ostream stream(printed);
  pipelines::MessagePrinter printer(manager, &context, stream);
  std::vector<pipelines::Message> messages;
  pipelines::MessageCollector collector(&context, messages);
  OwningOpRef<ModuleOp> module = pipelines::parseSource(manager, &context);
  if (module)
    return "";
  if (messages.empty() || printed.empty())
    return "refused without a message";
  for (const pipelines::Message &message : messages)
    if (message.text.empty())
      return "an empty message";
  return "";
}

TEST(SourceFuzz, DamagedDiagrams) {
  std::vector<std::string> seeds = fuzz::readFolder(NAPKIN_EXAMPLES);
  llvm::erase_if(seeds, [](const std::string &text) {
    return text.find("ncd.diagram") == std::string::npos;
  });
  ASSERT_GT(seeds.size(), 10u);
  auto tokens = fuzz::tokensOf(seeds);
  const char *seed = getenv("NAPKIN_FUZZ_SEED"),
             *count = getenv("NAPKIN_FUZZ_COUNT");
  fuzz::Engine engine(seed ? strtoull(seed, nullptr, 0) : 5);
  const unsigned all = count ? unsigned(strtoul(count, nullptr, 0)) : 3000;
  for (unsigned n = 0; n < all; ++n) {
    std::string text =
        fuzz::damage(seeds[engine() % seeds.size()], engine, tokens, seeds);
    if (const char *path = getenv("NAPKIN_FUZZ_SAVE"))
      if (FILE *file = fopen(path, "wb")) {
        fwrite(text.data(), 1, text.size(), file);
        fclose(file);
      }
    ASSERT_EQ(tryText(text), "") << "input " << n << "\n" << text;
  }
}
