//===- Npy.h - arrays in NumPy's file format --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and writes .npy files (format versions 1 to 3, little endian, C order).
// NumPy has no bf16 and no f8: those are stored as unsigned integers with the
// same bits (`<u2`, `|u1`), and the element type is declared elsewhere. A file
// is not trusted: every length in it is checked before it is used. No MLIR.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_NPY_H
#define NAPKIN_REFERENCE_NPY_H

#include "napkin/Reference/Element.h"
#include "napkin/Reference/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace napkin::reference {

/// What a .npy file holds.
struct NpyArray {
  /// Type of the elements in NumPy's notation: "<f4", "|u1", ...
  std::string dtype;
  /// Sizes, outermost first.
  std::vector<int64_t> shape;
  /// The elements: row major, little endian.
  std::vector<char> data;
};

/// NumPy's notation for the bits of \p element: "<f4" for f32 and tf32, "<u2"
/// for bf16, "|u1" for f8, "|b1" for i1, ...
llvm::StringRef npyType(Element element);

/// Parses the content of a .npy file; \p name names it in errors.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef content,
                                  llvm::StringRef name);

/// Reads the .npy file at \p path.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// A .npy file that is read from front to back, as much at a time as its reader
/// has room for.
class NpyFile {
public:
  /// Opens the file at \p path and reads its header.
  static llvm::Expected<NpyFile> open(llvm::StringRef path);
  NpyFile(NpyFile &&other);
  NpyFile &operator=(NpyFile &&) = delete;
  ~NpyFile();

  const std::string &dtype() const { return header.dtype; }
  llvm::ArrayRef<int64_t> shape() const { return header.shape; }
  /// Bytes of all elements.
  uint64_t bytes() const { return elementBytes; }
  /// Reads the next \p count bytes of elements to \p to. Requires: as many are
  /// left.
  llvm::Error read(char *to, uint64_t count);

private:
  NpyFile() = default;

  NpyArray header; // without data
  uint64_t elementBytes = 0;
  std::string path;
  int file = -1;
};

/// Writes \p array to \p path, wholly or not at all.
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &array);

/// The same of elements \p data that stand elsewhere; \p header has none.
llvm::Error writeNpy(llvm::StringRef path, const NpyArray &header,
                     llvm::ArrayRef<char> data);

/// \p array as a tensor with axes \p axes and elements \p element. Bits are
/// taken as they are where the dtype is npyType(element), for an integer of the
/// same width, and for an unsigned integer in place of a float of 8 or 16 bits;
/// float dtypes are rounded to any float element. Errors: the shape differs
/// from \p axes, or the dtype cannot be converted. \p name names the array in
/// errors.
llvm::Expected<Tensor> tensorFromNpy(const NpyArray &array,
                                     std::vector<Axis> axes, Element element,
                                     llvm::StringRef name);

/// \p tensor as the content of a .npy file.
NpyArray npyFromTensor(const Tensor &tensor);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_NPY_H
