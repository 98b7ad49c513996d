//===- Parse.cpp - variations as they are written ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads what a user wants to be different, and modules with their names.
//===----------------------------------------------------------------------===//

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "napkin/Explore/Variation.h"
#include "napkin/Pipelines/Source.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::explore;

/// Values of one sweep: each is a compilation.
static constexpr size_t mostValues = 1024;

std::string Variation::str() const {
  switch (kind) {
  case Kind::Number:
    return name + "=" + value;
  case Kind::Element:
    return "dtype(" + name + ")=" + value;
  case Kind::Level:
    return "level(" + name + ")=" + value;
  }
  llvm_unreachable("unknown kind");
}

llvm::Expected<Variation> napkin::explore::parseVariation(StringRef text) {
  auto [left, right] = text.trim().split('=');
  left = left.trim();
  right = right.trim();
  Variation result;
  result.value = right.str();
  if (left.ends_with(")")) {
    auto [word, name] = left.drop_back().split('(');
    result.name = name.trim().ltrim('%').str();
    if (word == "dtype")
      result.kind = Variation::Kind::Element;
    else if (word == "level")
      result.kind = Variation::Kind::Level;
    else
      result.name.clear();
  } else {
    result.name = left.str();
  }
  if (!result.name.empty() && !result.value.empty())
    return result;
  return llvm::createStringError(
      "a variation is axis=size, a number of the machine such as smem=128K, "
      "dtype(array)=type or level(array)=global, not '" +
      text + "'");
}

std::string Sweep::title() const { return llvm::join(names, ","); }

std::vector<Variation> Sweep::at(const std::string &value) const {
  std::vector<Variation> result;
  for (const std::string &name : names)
    result.push_back({Variation::Kind::Number, name, value});
  return result;
}

/// "64K" as 65536.
static std::optional<int64_t> readSize(StringRef text) {
  int64_t scale = text.consume_back("K")   ? int64_t(1) << 10
                  : text.consume_back("M") ? int64_t(1) << 20
                  : text.consume_back("G") ? int64_t(1) << 30
                                           : 1;
  int64_t number = 0;
  if (text.trim().getAsInteger(10, number) || number < 1 ||
      number > (int64_t(1) << 50) / scale)
    return std::nullopt;
  return number * scale;
}

llvm::Expected<Sweep> napkin::explore::parseSweep(StringRef text) {
  auto fail = [&] {
    return llvm::createStringError(
        "a sweep is name=first:last (doubled), name=first:last:step or "
        "name=a,b,c; several names, name,name=..., take each value together; "
        "values are whole numbers such as 64K, at most " +
        llvm::Twine(mostValues) + " of them, not '" + text + "'");
  };
  auto [name, range] = text.split('=');
  Sweep result;
  SmallVector<StringRef> words;
  name.split(words, ',');
  bool isNamed = true;
  for (StringRef word : words) {
    result.names.push_back(word.trim().str());
    isNamed &= !result.names.back().empty();
  }
  words.clear();
  bool isRange = range.contains(':');
  range.split(words, isRange ? ':' : ',');
  SmallVector<int64_t> numbers;
  for (StringRef word : words) {
    std::optional<int64_t> number = readSize(word.trim());
    if (!number)
      return fail();
    numbers.push_back(*number);
  }
  if (!isNamed || (isRange && numbers.size() > 3))
    return fail();
  if (isRange) {
    int64_t first = numbers[0], last = numbers[1];
    int64_t step = numbers.size() == 3 ? numbers[2] : 0;
    numbers.clear();
    for (int64_t at = first; at <= last && numbers.size() <= mostValues;
         at += step ? step : at)
      numbers.push_back(at);
  }
  if (numbers.empty() || numbers.size() > mostValues)
    return fail();
  for (int64_t number : numbers)
    result.values.push_back(std::to_string(number));
  return result;
}

NamedModule napkin::explore::parseNamed(const llvm::SourceMgr &manager,
                                        MLIRContext *context) {
  NamedModule result;
  // Errors are said there; a second reading only looks at names.
  if (!pipelines::parseSource(manager, context))
    return result;
  Block block;
  AsmParserState state;
  if (failed(
          parseAsmSourceFile(manager, &block, ParserConfig(context), &state)))
    return result;
  auto nameOf = [](const AsmParserState::SMDefinition &definition) {
    SMRange range = definition.loc;
    return StringRef(range.Start.getPointer(),
                     range.End.getPointer() - range.Start.getPointer())
        .ltrim('%');
  };
  for (const AsmParserState::OperationDefinition &op : state.getOpDefs())
    for (const auto &group : op.resultGroups)
      result.values.try_emplace(nameOf(group.definition),
                                op.op->getResult(group.startIndex));
  for (const AsmParserState::BlockDefinition &one : state.getBlockDefs())
    for (auto [argument, definition] :
         llvm::zip(one.block->getArguments(), one.arguments))
      result.values.try_emplace(nameOf(definition), argument);
  if (llvm::hasSingleElement(block))
    if (auto module = dyn_cast<ModuleOp>(block.front())) {
      module->remove();
      result.module = module;
      return result;
    }
  result.module = ModuleOp::create(UnknownLoc::get(context));
  result.module->getBody()->getOperations().splice(
      result.module->getBody()->end(), block.getOperations());
  return result;
}
