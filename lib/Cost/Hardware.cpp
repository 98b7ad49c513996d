//===- Hardware.cpp - levels of memory, as data -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads hardware descriptions and keeps the compiled-in ones.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Hardware.h"
#include "HardwareChanges.h"
#include "napkin/Target/Instruction.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <algorithm>
#include <cmath>

using namespace napkin;
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
/// One object of a description, and the first problem of them all. Members that
/// are missing or of another type become problems under their full name:
/// "threads.per_block".
class Reader {
public:
  Reader(const llvm::json::Object *object, std::string prefix,
         std::string &problem)
      : object(object), prefix(std::move(prefix)), problem(problem) {}

  std::string text(StringRef key) const {
    const llvm::json::Value *value = find(key);
    if (value && value->getAsString())
      return value->getAsString()->str();
    complain(key, value, "a string in quotes");
    return "";
  }

  /// Any positive number.
  double number(StringRef key) const {
    const llvm::json::Value *value = find(key);
    if (value && value->getAsNumber().value_or(0) > 0)
      return *value->getAsNumber();
    complain(key, value, "a positive number");
    return 1;
  }

  /// A positive whole number. Doubles are exact up to 2^53, and nothing of a
  /// machine is larger.
  int64_t whole(StringRef key) const {
    const llvm::json::Value *value = find(key);
    double number = value ? value->getAsNumber().value_or(0) : 0;
    if (number >= 1 && number <= 9007199254740992.0 &&
        number == std::floor(number))
      return int64_t(number);
    complain(key, value, "a positive whole number");
    return 1;
  }

  /// true or false; false where it is not said.
  bool flag(StringRef key) const {
    const llvm::json::Value *value = find(key);
    if (value && !value->getAsBoolean())
      complain(key, value, "true or false");
    return value && value->getAsBoolean().value_or(false);
  }

  bool has(StringRef key) const { return object && object->get(key); }

  Reader member(StringRef key) const {
    const llvm::json::Value *value = find(key);
    const llvm::json::Object *inner = value ? value->getAsObject() : nullptr;
    if (!inner)
      complain(key, value, "an object in braces");
    return Reader(inner, prefix + key.str() + ".", problem);
  }

  /// The positive numbers of the object \p key by their names; none without it.
  std::map<std::string, double> numbers(StringRef key) const {
    std::map<std::string, double> result;
    if (!has(key))
      return result;
    Reader inner = member(key);
    if (inner.object)
      for (const auto &entry : *inner.object)
        result[entry.first.str()] = inner.number(entry.first);
    return result;
  }

  /// The objects of the list \p key.
  std::vector<Reader> list(StringRef key) const {
    const llvm::json::Value *value = find(key);
    const llvm::json::Array *entries = value ? value->getAsArray() : nullptr;
    if (!entries)
      complain(key, value, "a list of objects in brackets");
    std::vector<Reader> readers;
    for (size_t i = 0; entries && i < entries->size(); ++i) {
      std::string name = llvm::formatv("{0}[{1}]", key, i);
      const llvm::json::Value &entry = (*entries)[i];
      if (!entry.getAsObject())
        complain(name, &entry, "an object in braces");
      readers.emplace_back(entry.getAsObject(), prefix + name + ".", problem);
    }
    return readers;
  }

  /// Keeps the first problem.
  void complain(const llvm::Twine &text) const {
    if (problem.empty())
      problem = text.str();
  }

private:
  const llvm::json::Value *find(StringRef key) const {
    return object ? object->get(key) : nullptr;
  }

  void complain(StringRef key, const llvm::json::Value *value,
                StringRef wanted) const {
    // What is absent because an outer object is absent was named already.
    if (!object)
      return;
    std::string name = prefix + key.str();
    if (!value)
      return complain("no '" + name + "', which is " + wanted);
    std::string is = llvm::formatv("{0}", *value);
    if (is.size() > 40)
      is = is.substr(0, 37) + "...";
    complain("'" + name + "' is " + is + ", not " + wanted);
  }

  const llvm::json::Object *object = nullptr;
  std::string prefix;
  std::string &problem;
};
} // namespace

static Level readLevel(const Reader &reader, double clockMHz) {
  Level level;
  level.name = reader.text("name");
  level.scope = reader.text("scope");
  level.capacityBytes = reader.whole("capacity_bytes");
  level.granuleBytes = reader.whole("granule_bytes");
  level.preferredBytes = reader.whole("preferred_bytes");
  level.latencyCycles = reader.whole("latency_cycles");
  if (reader.has("bytes_per_cycle"))
    level.bytesPerCycle = reader.number("bytes_per_cycle");
  else if (reader.has("bytes_per_second"))
    level.bytesPerCycle = reader.number("bytes_per_second") / (clockMHz * 1e6);
  return level;
}

/// The members of the description \p json, with those of the machine that it is
/// like, and so on; \p depth counts the machines on the way.
static llvm::Expected<llvm::json::Object> readMembers(StringRef json,
                                                      size_t depth = 0) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(json);
  if (!value)
    return makeError("no JSON: " + llvm::toString(value.takeError()));
  llvm::json::Object *root = value->getAsObject();
  if (!root)
    return makeError("a hardware description is a JSON object in braces");
  const llvm::json::Value *like = root->get("like");
  if (!like)
    return std::move(*root);
  std::string names;
  for (const Source &source : sources) {
    llvm::json::Value other = llvm::cantFail(llvm::json::parse(source.text));
    StringRef name = other.getAsObject()->getString("name").value_or("");
    names += (names.empty() ? "" : ", ") + name.str();
    // Further on than there are machines it is a circle.
    if (like->getAsString() != name || depth > std::size(sources))
      continue;
    llvm::Expected<llvm::json::Object> base =
        readMembers(source.text, depth + 1);
    if (!base)
      return base.takeError();
    return completeDescription(std::move(*base), *root);
  }
  return makeError(llvm::formatv("hardware description '{0}': 'like' is {1}, "
                                 "not one of {2}",
                                 root->getString("name").value_or(""), *like,
                                 names)
                       .str());
}

static llvm::Expected<Hardware>
readDescription(const llvm::json::Object &members) {
  std::string problem;
  Reader reader(&members, "", problem);
  Hardware result;
  result.name = reader.text("name");
  result.title = reader.text("title");
  result.target = reader.text("target");
  result.source = reader.text("source");
  result.standsForTarget = reader.flag("stands_for_target");
  result.clockMHz = reader.number("clock_mhz");
  result.multiprocessors = reader.whole("multiprocessors");
  result.launchCycles = reader.whole("launch_cycles");
  result.gapCycles = reader.whole("gap_cycles");
  result.blockCycles = reader.whole("block_cycles");
  result.barrierCycles = reader.whole("barrier_cycles");
  Reader threads = reader.member("threads");
  result.threadsPerBlock = threads.whole("per_block");
  result.threadsPerMultiprocessor = threads.whole("per_multiprocessor");
  result.blocksPerMultiprocessor = threads.whole("blocks_per_multiprocessor");
  Reader registers = reader.member("registers");
  result.registersPerThread = registers.whole("per_thread");
  result.registersPerMultiprocessor = registers.whole("per_multiprocessor");
  result.reservedRegistersPerThread = registers.whole("reserved_per_thread");
  result.sharedReservedPerBlock = reader.whole("shared_reserved_per_block");
  Reader rates = reader.member("rates");
  result.productsPerCycle = rates.numbers("products");
  result.fmaPerCycle = rates.whole("fma_f32");
  result.integerPerCycle = rates.whole("integer");
  result.specialPerCycle = rates.whole("special");
  Reader warp = reader.member("warp");
  result.overlap = warp.number("overlap");
  result.vectorStall = warp.number("vector_stall");
  result.productStall = warp.number("product_stall");
  result.readStall = warp.number("read_stall");
  result.shuffleLatency = warp.whole("shuffle_latency");
  result.specialLatency = warp.whole("special_latency");
  Reader device = reader.member("device_memory");
  result.deviceEfficiency = device.number("efficiency");
  result.bandwidthShare = device.number("share");
  if (reader.has("power")) {
    Reader power = reader.member("power");
    result.anchorMHz = power.number("clock_mhz");
    result.anchorUse = power.number("tensor_use");
  }
  for (const Reader &level : reader.list("levels"))
    result.levels.push_back(readLevel(level, result.clockMHz));
  for (const char *needed : {"global", "l2", "shared", "registers"})
    if (!result.find(needed))
      reader.complain(llvm::Twine("no level of the name '") + needed +
                      "' in 'levels'");
  if (!problem.empty())
    return makeError("hardware description '" + result.name + "': " + problem);
  return result;
}

llvm::Expected<Hardware> Hardware::parse(StringRef json) {
  llvm::Expected<llvm::json::Object> members = readMembers(json);
  if (!members)
    return members.takeError();
  return readDescription(*members);
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

double Hardware::productsOf(const target::MatrixInstruction &row) const {
  auto known = productsPerCycle.find(row.name.str());
  return known == productsPerCycle.end() ? row.productsPerCycle()
                                         : known->second;
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

/// The text of the description that \p name, without brackets, means.
static llvm::Expected<std::string> loadText(StringRef name) {
  if (!name.ends_with(".json")) {
    for (const Source &source : sources)
      if (llvm::cantFail(Hardware::parse(source.text)).name == name)
        return source.text;
    return makeError("no hardware description '" + name + "'; known are " +
                     llvm::join(hardwareNames(), ", ") +
                     ", or give a .json file");
  }
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(name);
  if (!buffer)
    return makeError("cannot read hardware description '" + name +
                     "': " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

llvm::Expected<Hardware> napkin::cost::loadHardware(StringRef name) {
  auto [base, changes] = splitChanges(name);
  llvm::Expected<std::string> text = loadText(base);
  if (!text)
    return text.takeError();
  llvm::Expected<llvm::json::Object> members = readMembers(*text);
  llvm::Error error = members ? llvm::Error::success() : members.takeError();
  if (!error && !changes.empty())
    error = changeDescription(*members, changes);
  llvm::Expected<Hardware> machine =
      error ? llvm::Expected<Hardware>(std::move(error))
            : readDescription(*members);
  if (!machine && base.ends_with(".json"))
    return makeError(base + ": " + llvm::toString(machine.takeError()));
  if (!machine)
    return machine.takeError();
  // Whoever reads the name later finds the same machine.
  if (!changes.empty())
    machine->name = name.str();
  return machine;
}

llvm::SmallVector<StringRef> napkin::cost::hardwareNames() {
  llvm::SmallVector<StringRef> names;
  for (const Hardware &machine : compiledIn())
    names.push_back(machine.name);
  return names;
}

const Hardware *napkin::cost::defaultHardware(StringRef target) {
  for (const Hardware &machine : compiledIn())
    if (machine.target == target && machine.standsForTarget)
      return &machine;
  return nullptr;
}
