//===- FatBinary.h - The PTX in what nvcc embeds ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fat binary is a header and entries, one for each architecture: machine code
// or PTX, perhaps compressed. The executor runs PTX.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRIVER_FATBINARY_H
#define NAPKIN_LIB_DRIVER_FATBINARY_H

#include "llvm/Support/Error.h"

#include <string>

namespace napkin::driver {

/// What a program handed over as a module.
struct Image {
  std::string ptx;
  /// There is an image, but none for this device: only machine code, or PTX of
  /// later architectures.
  bool nothingFits = false;
};

/// The PTX in `image`: text that ends with a zero, a fat binary or nvcc's
/// wrapper of one. Of several that the device of compute capability
/// `capability` (90) can run it takes the latest. There are `bytes` bytes, as
/// many as the image says if that is not known (~0). Errors are sentences.
llvm::Expected<Image> readImage(const void *image, uint64_t bytes,
                                unsigned capability);

/// Appends what LZ4's block format `from` expands to; false if it is damaged
/// or gives other than `bytes` bytes.
bool expandLz4(llvm::StringRef from, size_t bytes, std::string &to);

} // namespace napkin::driver

#endif // NAPKIN_LIB_DRIVER_FATBINARY_H
