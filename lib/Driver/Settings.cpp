//===- Settings.cpp - What NAPKIN_DRIVER says ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The environment is the only way to tell a library that a program loads how to
// run; napkin-run --program fills it.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "llvm/ADT/SmallVector.h"

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;

namespace {
/// One key: its values for a message, and what it sets. False: no such value.
struct Key {
  const char *name, *values;
  bool (*set)(Settings &, llvm::StringRef);
};
} // namespace

static bool setSwitch(bool &to, llvm::StringRef value) {
  to = value == "on";
  return value == "on" || value == "off";
}

static bool setCompletion(Settings &settings, llvm::StringRef value) {
  using executor::Completion;
  settings.launch.completion = value == "earliest" ? Completion::Earliest
                               : value == "random" ? Completion::Random
                                                   : Completion::Latest;
  return value == "earliest" || value == "random" || value == "latest";
}

static bool setNumerics(Settings &settings, llvm::StringRef value) {
  using executor::TensorCore;
  settings.launch.numerics =
      value == "fast" ? executor::Numerics::Fast : executor::Numerics::Faithful;
  settings.launch.tensorCore = value == "h100"  ? TensorCore::H100
                               : value == "ada" ? TensorCore::Ada
                                                : TensorCore::A100;
  return value == "fast" || value == "a100" || value == "ada" ||
         value == "h100";
}

static bool setApproximation(Settings &settings, llvm::StringRef value) {
  auto parsed = executor::parseApproximation(value);
  if (parsed)
    settings.launch.approximation = *parsed;
  return parsed.has_value();
}

static bool setCounters(Settings &settings, llvm::StringRef value) {
  settings.counters = value == "none"    ? CounterFormat::None
                      : value == "table" ? CounterFormat::Table
                                         : CounterFormat::Json;
  if (value == "none" || value == "table" || value == "json")
    return true;
  settings.countersFile = value.str();
  return value.ends_with(".json");
}

template <typename T>
static bool setNumber(T &to, llvm::StringRef value) {
  return !value.getAsInteger(10, to);
}

static const Key keys[] = {
    {"hardware", "a name or a .json file",
     [](Settings &s, llvm::StringRef v) {
       s.hardware = v.str();
       return !v.empty();
     }},
    {"memory", "bytes of device memory",
     [](Settings &s, llvm::StringRef v) {
       return setNumber(s.memory, v) && s.memory;
     }},
    {"counters", "none, table, json or a file.json", setCounters},
    {"ptx", "a folder",
     [](Settings &s, llvm::StringRef v) {
       s.ptxFolder = v.str();
       return !v.empty();
     }},
    {"checks", "on or off",
     [](Settings &s, llvm::StringRef v) {
       return setSwitch(s.launch.checks, v);
     }},
    {"races", "on or off",
     [](Settings &s, llvm::StringRef v) {
       return setSwitch(s.launch.races, v);
     }},
    {"completion", "latest, earliest or random", setCompletion},
    {"seed", "a number",
     [](Settings &s, llvm::StringRef v) {
       return setNumber(s.launch.seed, v);
     }},
    {"numerics", "fast, a100, ada or h100", setNumerics},
    {"approx", "exact, typical or worst", setApproximation},
    {"jobs", "a number of host threads",
     [](Settings &s, llvm::StringRef v) {
       return setNumber(s.launch.threads, v);
     }},
    {"traps", "a number",
     [](Settings &s, llvm::StringRef v) {
       return setNumber(s.launch.maxTraps, v) && s.launch.maxTraps;
     }},
    {"limit", "a number of instructions", [](Settings &s, llvm::StringRef v) {
       return setNumber(s.launch.instructionLimit, v);
     }}};

llvm::Error napkin::driver::parseSettings(llvm::StringRef text,
                                          Settings &settings) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    auto [name, value] = part.split('=');
    const Key *found = nullptr;
    std::string names;
    for (const Key &key : keys) {
      if (name == key.name)
        found = &key;
      names += (names.empty() ? "" : ", ") + std::string(key.name);
    }
    if (!found)
      return llvm::createStringError(fmt::format(
          "there is no setting '{}'; there are: {}", name.str(), names));
    if (!found->set(settings, value))
      return llvm::createStringError(
          fmt::format("'{}' is no value of '{}'; it takes {}", value.str(),
                      name.str(), found->values));
  }
  return llvm::Error::success();
}
