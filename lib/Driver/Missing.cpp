//===- Missing.cpp - Functions that are not there --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each says its name once and returns CUDA_ERROR_NOT_SUPPORTED, whatever its
// arguments: a program that links the library finds every symbol.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "llvm/ADT/StringSet.h"

using namespace napkin::driver;

static Result missing(const char *name) {
  return call(Need::Nothing, [&](State &) {
    static llvm::StringSet<> told;
    if (told.insert(name).second)
      say(std::string(name) + " is not in the executor's driver");
    return CUDA_ERROR_NOT_SUPPORTED;
  });
}

#define NAPKIN_MISSING(name)                                                   \
  NAPKIN_CUDA name() { return missing(#name); }
#include "Missing.def"
#undef NAPKIN_MISSING
