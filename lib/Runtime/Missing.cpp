//===- Missing.cpp - Functions that are not there --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each says its name once and returns cudaErrorNotSupported.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include <cstdio>
#include <set>

using namespace napkin::runtime;

static Error missing(const char *name) {
  Registry &registry = Registry::get();
  std::lock_guard<std::recursive_mutex> guard(registry.lock);
  static auto *told = new std::set<std::string>;
  if (!told->insert(name).second)
    return note(errorNotSupported);
  // What the program printed so far comes before it.
  std::fflush(stdout);
  std::fprintf(stderr, "napkin: %s is not in the executor's runtime\n", name);
  return note(errorNotSupported);
}

#define NAPKIN_MISSING(name)                                                   \
  NAPKIN_RUNTIME name() { return missing(#name); }
#include "Missing.def"
#undef NAPKIN_MISSING
