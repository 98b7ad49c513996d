//===- Exploring.cpp - --what-if and --sweep --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Exploring.h"
#include "napkin/Explore/Explore.h"
#include "llvm/Support/SourceMgr.h"

using namespace napkin;
using namespace napkin::driver;
using explore::Outcome;
using explore::Variation;

static llvm::Error asOption(const char *option, llvm::Error error) {
  return llvm::createStringError(std::string("error: ") + option + ": " +
                                 llvm::toString(std::move(error)));
}

static llvm::Expected<std::vector<Variation>>
parseVariations(llvm::StringRef text) {
  std::vector<Variation> result;
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  for (llvm::StringRef part : parts) {
    llvm::Expected<Variation> one = explore::parseVariation(part);
    if (!one)
      return one.takeError();
    result.push_back(std::move(*one));
  }
  return result;
}

static llvm::Expected<std::string>
compare(const llvm::SourceMgr &manager,
        const pipelines::CompileOptions &options,
        const ExploreRequest &request) {
  llvm::Expected<Outcome> first = explore::schedule(manager, options, {});
  if (!first)
    return first.takeError();
  std::vector<Outcome> outcomes = {std::move(*first)};
  for (const std::string &text : request.whatIf) {
    llvm::Expected<std::vector<Variation>> variations = parseVariations(text);
    if (!variations)
      return asOption("--what-if", variations.takeError());
    llvm::Expected<Outcome> outcome =
        explore::schedule(manager, options, *variations);
    if (!outcome)
      return asOption("--what-if", outcome.takeError());
    outcomes.push_back(std::move(*outcome));
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  explore::printDifferences(outcomes, stream);
  return text;
}

static llvm::Expected<std::string>
sweep(const llvm::SourceMgr &manager, const pipelines::CompileOptions &options,
      const ExploreRequest &request) {
  llvm::Expected<explore::Sweep> range = explore::parseSweep(request.sweep);
  if (!range)
    return asOption("--sweep", range.takeError());
  std::vector<Outcome> outcomes;
  for (const std::string &value : range->values) {
    llvm::Expected<Outcome> outcome =
        explore::schedule(manager, options, range->at(value));
    if (!outcome)
      return asOption("--sweep", outcome.takeError());
    outcomes.push_back(std::move(*outcome));
  }
  if (request.asPlot)
    return explore::plotSweep(*range, outcomes);
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (request.asCSV)
    explore::printCSV(*range, outcomes, stream);
  else
    explore::printSweep(*range, outcomes, stream);
  return text;
}

llvm::Expected<std::string>
napkin::driver::explore(const llvm::SourceMgr &manager,
                        const pipelines::CompileOptions &options,
                        const ExploreRequest &request) {
  if (!request.sweep.empty() && !request.whatIf.empty())
    return llvm::createStringError(
        "error: --sweep and --what-if are asked one at a time");
  return request.sweep.empty() ? compare(manager, options, request)
                               : sweep(manager, options, request);
}
