//===- Report.h - Counters of a program's kernels --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums over all launches of each kernel.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRIVER_REPORT_H
#define NAPKIN_LIB_DRIVER_REPORT_H

#include "napkin/Executor/Counters.h"

#include <string>
#include <vector>

namespace napkin::driver {

enum class CounterFormat { None, Table, Json };

class KernelCounters {
public:
  /// Adds a launch of `kernel`.
  void add(const std::string &kernel, const executor::Counters &counters);
  /// All of it, in the order of the first launches.
  std::string table() const;
  std::string json() const;
  bool empty() const { return entries.empty(); }

private:
  struct Entry {
    std::string kernel;
    uint64_t launches = 0;
    executor::Counters sum;
  };
  std::vector<Entry> entries;
};

} // namespace napkin::driver

#endif // NAPKIN_LIB_DRIVER_REPORT_H
