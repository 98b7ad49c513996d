//===- FuzzTest.cpp - Ten thousand damaged inputs of each kind -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nothing may crash, hang or report an error without a place, whatever the
// input. NAPKIN_FUZZ_SEED and NAPKIN_FUZZ_COUNT change the inputs,
// NAPKIN_FUZZ_SAVE=FILE writes each input before it is tried. What once failed
// is in Corpus, by kind.
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"
#include "Targets.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

using namespace napkin::fuzz;

namespace {

using Target = std::string (*)(llvm::StringRef);

std::vector<std::string> corpus(const char *kind) {
  return readFolder(std::string(NAPKIN_FUZZ_CORPUS) + "/" + kind);
}

uint64_t environment(const char *name, uint64_t fallback) {
  const char *text = getenv(name);
  return text ? strtoull(text, nullptr, 0) : fallback;
}

/// Tries one input; false once something is wrong with it.
bool attempt(Target target, const std::string &input) {
  if (const char *path = getenv("NAPKIN_FUZZ_SAVE"))
    if (FILE *file = fopen(path, "wb")) {
      fwrite(input.data(), 1, input.size(), file);
      fclose(file);
    }
  auto start = std::chrono::steady_clock::now();
  std::string bad = target(input);
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  EXPECT_EQ(bad, "") << input;
  EXPECT_LT(seconds, 20) << input;
  return !testing::Test::HasFailure();
}

/// Tries `count` inputs of `next`, and every input of `seeds` first.
void loop(Target target, const std::vector<std::string> &seeds, unsigned count,
          const std::function<std::string(Engine &)> &next) {
  ASSERT_FALSE(seeds.empty());
  for (const std::string &seed : seeds)
    ASSERT_TRUE(attempt(target, seed));
  Engine engine(environment("NAPKIN_FUZZ_SEED", 20250101));
  count = environment("NAPKIN_FUZZ_COUNT", count);
  for (unsigned n = 0; n < count; ++n)
    ASSERT_TRUE(attempt(target, next(engine))) << "input " << n;
}

/// Damages the seeds in turn.
void damageLoop(Target target, const std::vector<std::string> &seeds,
                unsigned count) {
  auto tokens = tokensOf(seeds);
  loop(target, seeds, count, [&](Engine &engine) {
    return damage(seeds[engine() % seeds.size()], engine, tokens, seeds);
  });
}

std::vector<std::string> smallKernels() {
  auto texts = readFolder(NAPKIN_PTX_CORPUS);
  for (std::string &text : corpus("kernel"))
    texts.push_back(std::move(text));
  return texts;
}

/// Kernels of compilers, and one that holds every spelling seen in others.
std::vector<std::string> wholeKernels() {
  auto texts = readFolder(NAPKIN_KERNELS);
  texts.erase(std::remove_if(texts.begin(), texts.end(),
                             [](const std::string &text) {
                               return !llvm::StringRef(text).contains(
                                   ".version");
                             }),
              texts.end());
  for (std::string &text : readFolder(NAPKIN_SPELLINGS))
    if (llvm::StringRef(text).contains(".version"))
      texts.push_back(std::move(text));
  return texts;
}

TEST(Fuzz, DamagedKernels) { damageLoop(tryKernel, smallKernels(), 10000); }

TEST(Fuzz, DamagedKernelsOfCompilers) {
  damageLoop(tryKernel, wholeKernels(), 100);
}

TEST(Fuzz, KernelsOfStrayInstructions) {
  auto texts = smallKernels();
  for (std::string &text : wholeKernels())
    texts.push_back(std::move(text));
  KernelMaker maker(texts);
  ASSERT_GT(maker.instructions.size(), 200u);
  loop(tryKernel, {maker.instructions[0][0]}, 10000,
       [&](Engine &engine) { return maker.make(engine); });
}

TEST(Fuzz, DamagedManifests) {
  damageLoop(tryManifest, corpus("manifest"), 10000);
}

TEST(Fuzz, DamagedArrays) { damageLoop(tryNpy, corpus("npy"), 10000); }

TEST(Fuzz, DamagedArguments) {
  damageLoop(tryArguments, corpus("arguments"), 10000);
}

} // namespace
