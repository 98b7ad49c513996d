//===- Names.h - Names as the text has them --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parser makes names of functions' variables unique; messages undo that.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_DECODE_NAMES_H
#define NAPKIN_LIB_EXECUTOR_DECODE_NAMES_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace napkin::executor {

/// "tile" of the unique name "k::tile#3".
inline std::string sourceName(llvm::StringRef name) {
  size_t scope = name.rfind("::");
  if (scope != llvm::StringRef::npos)
    name = name.drop_front(scope + 2);
  return name.take_until([](char c) { return c == '#'; }).str();
}

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_DECODE_NAMES_H
