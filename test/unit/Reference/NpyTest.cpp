//===- NpyTest.cpp - .npy files, good and bad -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Reference/Npy.h"
#include "napkin/Reference/Random.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <random>

using namespace napkin::reference;

namespace {

/// A file of version 1 with \p header and \p bytes of elements.
std::string file(std::string header, size_t bytes) {
  header += '\n';
  std::string content("\x93NUMPY\x01\x00", 8);
  content += static_cast<char>(header.size() & 255);
  content += static_cast<char>(header.size() >> 8);
  return content + header + std::string(bytes, '\0');
}

std::string errorOf(const std::string &content) {
  llvm::Expected<NpyArray> array = parseNpy(content, "x.npy");
  return array ? "" : llvm::toString(array.takeError());
}

TEST(NpyTest, ReadsWhatNumPyWrites) {
  llvm::Expected<NpyArray> array = parseNpy(
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24),
      "x.npy");
  ASSERT_TRUE(static_cast<bool>(array));
  EXPECT_EQ(array->dtype, "<f4");
  EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(array->data.size(), 24u);
  // A single value, a vector, and an empty array.
  EXPECT_EQ(errorOf(file(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8)),
            "");
  EXPECT_EQ(
      errorOf(
          file("{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }", 24)),
      "");
  EXPECT_EQ(
      errorOf(file(
          "{\"shape\": (0, 5), \"descr\": \"|u1\", \"fortran_order\": False}",
          0)),
      "");
}

TEST(NpyTest, RefusesMalformedFiles) {
  EXPECT_EQ(errorOf(""),
            "x.npy: not a .npy file: it does not begin with '\\x93NUMPY'");
  EXPECT_EQ(errorOf("\x93NUMPY\x01"), "x.npy: truncated in the header");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x09\x00\x01\x00", 10)),
            "x.npy: format version 9 is not supported; versions 1 to 3 are");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\x00\xff\xff{", 11)),
            "x.npy: truncated in the header: it has 1 of 65535 bytes");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)),
            "x.npy: truncated in the header: it has 0 of 4294967295 bytes");
  auto header = [](const std::string &text, size_t bytes = 0) {
    return errorOf(file(text, bytes));
  };
  EXPECT_EQ(header("hello"), "x.npy: the header is not a dictionary");
  EXPECT_EQ(header("{'descr'"), "x.npy: the header's dictionary is malformed");
  EXPECT_EQ(header("{'descr: '<f4'"),
            "x.npy: the header's dictionary is malformed");
  EXPECT_EQ(header("{}"),
            "x.npy: the header lacks 'descr', 'fortran_order' or 'shape'");
  EXPECT_EQ(header("{'descr': [('a', '<f4')], }"),
            "x.npy: structured element types are not supported");
  EXPECT_EQ(header("{'flavour': 'sweet'}"),
            "x.npy: the header has an unknown key 'flavour'");
  std::string rest = ", 'fortran_order': False, 'shape': (2, 3), }";
  EXPECT_EQ(header("{'descr': '>f4'" + rest, 24),
            "x.npy: element type '>f4' is not supported; store little-endian "
            "floats or integers");
  EXPECT_EQ(
      header("{'descr': '<f4'" + rest, 20),
      "x.npy: truncated: the shape asks for 24 bytes of elements, but the "
      "file has 20");
  EXPECT_EQ(header("{'descr': '<f4'" + rest, 25),
            "x.npy: too long: the shape asks for 24 bytes of elements, but the "
            "file has 25");
  EXPECT_EQ(
      header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", 24),
      "x.npy: the array is in Fortran order; store it with "
      "numpy.ascontiguousarray");
  EXPECT_EQ(
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }"),
      "x.npy: 'shape' is not a tuple of sizes");
  EXPECT_EQ(header("{'descr': '<f4', 'fortran_order': False, 'shape': "
                   "(4294967296, 4294967296), }"),
            "x.npy: the shape is larger than 2^63 bytes");
  EXPECT_EQ(header("{'descr': '<f4'" + rest + " x", 24),
            "x.npy: something follows the header's dictionary");
}

TEST(NpyTest, SurvivesRandomDamage) {
  std::mt19937_64 random(11);
  std::string good =
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24);
  for (int trial = 0; trial < 20000; ++trial) {
    std::string content = good;
    for (unsigned damage = 0, count = 1 + random() % 4; damage < count;
         ++damage)
      content[random() % content.size()] = static_cast<char>(random());
    if (random() % 2)
      content.resize(random() % content.size());
    llvm::Expected<NpyArray> array = parseNpy(content, "x.npy");
    if (!array)
      llvm::consumeError(array.takeError());
  }
}

TEST(NpyTest, FilesRoundTrip) {
  llvm::SmallString<64> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("napkin", "npy", path));
  for (Element element : {Element::F32, Element::BF16, Element::F16,
                          Element::F8E5M2, Element::I32, Element::I1}) {
    Tensor tensor =
        randomTensor({{"a", 3}, {"b", 7}}, element, Distribution::Normal, 2);
    ASSERT_FALSE(static_cast<bool>(writeNpy(path, npyFromTensor(tensor))));
    // Elements begin at a multiple of 64 bytes, as NumPy writes them.
    auto buffer = llvm::MemoryBuffer::getFile(path);
    EXPECT_EQ((buffer.get()->getBufferSize() - 21 * elementBytes(element)) % 64,
              0u);
    llvm::Expected<NpyArray> array = readNpy(path);
    ASSERT_TRUE(static_cast<bool>(array));
    Tensor back = llvm::cantFail(
        tensorFromNpy(*array, {{"a", 3}, {"b", 7}}, element, "q"));
    EXPECT_EQ(back.floats, tensor.floats);
    EXPECT_EQ(back.integers, tensor.integers);
  }
  llvm::sys::fs::remove(path);
}

TEST(NpyTest, RoundsFloatsToTheDeclaredElement) {
  Tensor tensor({{"a", 2}}, Element::F32);
  tensor.floats = {1.00390625, -3};
  Tensor back = llvm::cantFail(
      tensorFromNpy(npyFromTensor(tensor), {{"a", 2}}, Element::BF16, "q"));
  EXPECT_EQ(back.floats, (std::vector<double>{1, -3}));
}

TEST(NpyTest, NamesTheArrayThatDoesNotFit) {
  NpyArray array = npyFromTensor(Tensor({{"a", 2}}, Element::I32));
  EXPECT_EQ(
      llvm::toString(
          tensorFromNpy(array, {{"a", 3}}, Element::I32, "q").takeError()),
      "array 'q': the file has shape (2), but the diagram declares (3)");
  EXPECT_EQ(
      llvm::toString(
          tensorFromNpy(array, {{"a", 2}}, Element::BF16, "q").takeError()),
      "array 'q': the file holds '<i4', but elements of bf16 are stored "
      "as '<u2'");
}

TEST(NpyTest, UnreadableAndUnwritablePathsAreErrors) {
  llvm::Expected<NpyArray> array = readNpy("/nonexistent/x.npy");
  EXPECT_EQ(llvm::toString(array.takeError()),
            "cannot read /nonexistent/x.npy: No such file or directory");
  llvm::Error error = writeNpy("/nonexistent/x.npy", NpyArray{"<f4", {}, {}});
  EXPECT_NE(llvm::toString(std::move(error))
                .find("cannot write /nonexistent/x.npy: "),
            std::string::npos);
}

} // namespace
