//===- Hardware.cpp - levels of memory, as data -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads hardware descriptions and keeps the compiled-in ones.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Hardware.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/JSON.h"
#include <algorithm>

using namespace napkin::cost;
using llvm::StringRef;

namespace {
/// The text of one compiled-in description.
struct Source {
  const char *text;
};
} // namespace

static const Source sources[] = {
#include "HardwareSources.inc"
};

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

namespace {
/// Collects the first problem of a description while its fields are read.
class Reader {
public:
  std::string text(const llvm::json::Object &object, StringRef key) {
    if (std::optional<StringRef> value = object.getString(key))
      return value->str();
    complain("no string '" + key.str() + "'");
    return "";
  }

  double number(const llvm::json::Object &object, StringRef key) {
    std::optional<double> value = object.getNumber(key);
    if (value && *value > 0)
      return *value;
    complain("no positive number '" + key.str() + "'");
    return 1;
  }

  const llvm::json::Object &object(const llvm::json::Object &parent,
                                   StringRef key) {
    if (const llvm::json::Object *value = parent.getObject(key))
      return *value;
    complain("no object '" + key.str() + "'");
    return nothing;
  }

  void complain(const std::string &text) {
    if (problem.empty())
      problem = text;
  }

  std::string problem;

private:
  llvm::json::Object nothing;
};
} // namespace

static Level readLevel(Reader &reader, const llvm::json::Object &object,
                       double clockMHz) {
  Level level;
  level.name = reader.text(object, "name");
  level.scope = reader.text(object, "scope");
  level.capacityBytes = int64_t(reader.number(object, "capacity_bytes"));
  level.granuleBytes = int64_t(reader.number(object, "granule_bytes"));
  level.preferredBytes = int64_t(reader.number(object, "preferred_bytes"));
  level.latencyCycles = int64_t(reader.number(object, "latency_cycles"));
  if (std::optional<double> rate = object.getNumber("bytes_per_cycle"))
    level.bytesPerCycle = *rate;
  else if (std::optional<double> rate = object.getNumber("bytes_per_second"))
    level.bytesPerCycle = *rate / (clockMHz * 1e6);
  return level;
}

llvm::Expected<Hardware> Hardware::parse(StringRef json) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(json);
  if (!value)
    return value.takeError();
  const llvm::json::Object *root = value->getAsObject();
  if (!root)
    return makeError("a hardware description is a JSON object");
  Reader reader;
  Hardware result;
  result.name = reader.text(*root, "name");
  result.title = reader.text(*root, "title");
  result.target = reader.text(*root, "target");
  result.source = reader.text(*root, "source");
  result.clockMHz = reader.number(*root, "clock_mhz");
  result.multiprocessors = int64_t(reader.number(*root, "multiprocessors"));
  result.launchCycles = int64_t(reader.number(*root, "launch_cycles"));
  result.barrierCycles = int64_t(reader.number(*root, "barrier_cycles"));
  const llvm::json::Object &threads = reader.object(*root, "threads");
  result.threadsPerBlock = int64_t(reader.number(threads, "per_block"));
  result.threadsPerMultiprocessor =
      int64_t(reader.number(threads, "per_multiprocessor"));
  result.blocksPerMultiprocessor =
      int64_t(reader.number(threads, "blocks_per_multiprocessor"));
  const llvm::json::Object &registers = reader.object(*root, "registers");
  result.registersPerThread = int64_t(reader.number(registers, "per_thread"));
  result.registersPerMultiprocessor =
      int64_t(reader.number(registers, "per_multiprocessor"));
  result.reservedRegistersPerThread =
      int64_t(reader.number(registers, "reserved_per_thread"));
  const llvm::json::Object &rates = reader.object(*root, "rates");
  result.mmaBF16PerCycle = int64_t(reader.number(rates, "mma_bf16"));
  result.mmaF16PerCycle = int64_t(reader.number(rates, "mma_f16"));
  result.fmaPerCycle = int64_t(reader.number(rates, "fma_f32"));
  result.specialPerCycle = int64_t(reader.number(rates, "special"));
  if (const llvm::json::Array *levels = root->getArray("levels"))
    for (const llvm::json::Value &entry : *levels)
      if (const llvm::json::Object *object = entry.getAsObject())
        result.levels.push_back(readLevel(reader, *object, result.clockMHz));
  for (const char *needed : {"global", "l2", "shared", "registers"})
    if (!result.find(needed))
      reader.complain(std::string("no level '") + needed + "'");
  if (!reader.problem.empty())
    return makeError("hardware description '" + result.name +
                     "': " + reader.problem);
  return result;
}

const Level *Hardware::find(StringRef levelName) const {
  auto found = llvm::find_if(
      levels, [&](const Level &level) { return level.name == levelName; });
  return found == levels.end() ? nullptr : &*found;
}

const Level &Hardware::level(StringRef levelName) const {
  const Level *found = find(levelName);
  if (!found)
    llvm::report_fatal_error("a hardware description without its levels");
  return *found;
}

int64_t Hardware::usableRegisters(int64_t threads) const {
  // The register file is handed out in units of 8 registers per thread.
  int64_t share = registersPerMultiprocessor / std::max<int64_t>(threads, 1);
  share = std::min(registersPerThread, share / 8 * 8);
  return share - reservedRegistersPerThread;
}

static const std::vector<Hardware> &compiledIn() {
  static const std::vector<Hardware> machines = [] {
    std::vector<Hardware> result;
    for (const Source &source : sources) {
      llvm::Expected<Hardware> machine = Hardware::parse(source.text);
      if (!machine) // A unit test parses each; this is a broken build.
        llvm::report_fatal_error(machine.takeError());
      result.push_back(std::move(*machine));
    }
    llvm::sort(result, [](const Hardware &a, const Hardware &b) {
      return a.name < b.name;
    });
    return result;
  }();
  return machines;
}

const Hardware *napkin::cost::findHardware(StringRef name) {
  for (const Hardware &machine : compiledIn())
    if (machine.name == name)
      return &machine;
  return nullptr;
}

llvm::SmallVector<StringRef> napkin::cost::hardwareNames() {
  llvm::SmallVector<StringRef> names;
  for (const Hardware &machine : compiledIn())
    names.push_back(machine.name);
  return names;
}

const Hardware *napkin::cost::defaultHardware(StringRef target) {
  for (const Hardware &machine : compiledIn())
    if (machine.target == target)
      return &machine;
  return nullptr;
}
