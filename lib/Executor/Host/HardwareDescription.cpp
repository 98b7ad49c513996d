//===- HardwareDescription.cpp - Machines by their names -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See HardwareDescription.h.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/HardwareDescription.h"

#include "napkin/Cost/Hardware.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace napkin;
using namespace napkin::executor;

/// The machine that stands for a target; "sm_90" and "sm_90a" are one.
static const cost::Hardware *hardwareOf(llvm::StringRef target) {
  target.consume_back("a");
  if (const cost::Hardware *found = cost::defaultHardware(target))
    return found;
  return cost::defaultHardware((target + "a").str());
}

static llvm::Expected<cost::Hardware> readDescription(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(
        path + ": error: cannot read: " + buffer.getError().message());
  return cost::Hardware::parse((*buffer)->getBuffer());
}

static Hardware launchView(const cost::Hardware &from) {
  Hardware to;
  to.name = from.name;
  to.multiprocessors = from.multiprocessors;
  to.threads = from.threadsPerMultiprocessor;
  to.blocks = from.blocksPerMultiprocessor;
  to.registers = from.registersPerMultiprocessor;
  to.sharedBytes = from.level("shared").capacityBytes;
  // Compute capabilities 8.0, 8.6, 8.9 and 9.0 have 192, 128, 128 and 256 KiB,
  // of which shared memory takes 164, 100, 100 and 228 at most.
  to.firstLevelBytes = to.sharedBytes + to.reservedSharedBytes + 28 * 1024;
  to.cacheBytes = from.level("l2").capacityBytes;
  to.lineBytes = from.level("l2").preferredBytes;
  return to;
}

llvm::Expected<std::optional<Hardware>>
napkin::executor::findHardware(llvm::StringRef name, llvm::StringRef target) {
  if (name.ends_with("]")) {
    auto changed = cost::loadHardware(name);
    if (!changed)
      return changed.takeError();
    return launchView(*changed);
  }
  if (name.ends_with(".json")) {
    auto read = readDescription(name);
    if (!read)
      return read.takeError();
    return launchView(*read);
  }
  if (const cost::Hardware *found =
          name.empty() ? hardwareOf(target) : cost::findHardware(name))
    return launchView(*found);
  if (name.empty())
    return std::nullopt;
  return llvm::createStringError(
      "error: no hardware is called '" + name + "'; known are " +
      llvm::join(cost::hardwareNames(), ", ") + ", or give a .json file");
}
