//===- LibFuzzer.cpp - One target under libFuzzer --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled once per target: NAPKIN_FUZZ_TARGET is the function. Half of the
// mutations know tokens and lines, the others are libFuzzer's own.
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"
#include "Targets.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace napkin::fuzz;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t limit);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string bad =
      NAPKIN_FUZZ_TARGET({reinterpret_cast<const char *>(data), size});
  if (!bad.empty()) {
    fprintf(stderr, "%s\n", bad.c_str());
    abort();
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t limit, unsigned seed) {
  Engine engine(seed);
  if (engine() & 1)
    return LLVMFuzzerMutate(data, size, limit);
  std::vector<std::string> texts{
      std::string(reinterpret_cast<const char *>(data), size)};
  std::string text = damage(texts[0], engine, tokensOf(texts), texts);
  text.resize(std::min(text.size(), limit));
  std::memcpy(data, text.data(), text.size());
  return text.size();
}
