//===- Progress.cpp - what a person sees while waiting --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Progress.h"
#include "llvm/Support/Process.h"
#include <chrono>
#include <cstdio>
#include <fmt/format.h>
#include <string>

static void showProgress(uint64_t done, uint64_t all) {
  using Clock = std::chrono::steady_clock;
  static Clock::time_point start = Clock::now();
  static double last = 0;
  if (!done) {
    start = Clock::now();
    last = 0;
    return;
  }
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (seconds - last < 0.2 && done != all)
    return;
  last = seconds;
  if (seconds < 0.5)
    return;
  unsigned filled = 40 * done / all;
  std::string bar = std::string(filled, '#') + std::string(40 - filled, '.');
  fmt::print(stderr, "\r[{}] {}/{} blocks, {:.0f} s left ", bar, done, all,
             seconds * (all - done) / done);
  if (done == all)
    fmt::print(stderr, "\r{:80}\r", "");
}

std::function<void(uint64_t, uint64_t)> napkin::tools::progressBar() {
  if (!llvm::sys::Process::StandardErrIsDisplayed())
    return {};
  return showProgress;
}
