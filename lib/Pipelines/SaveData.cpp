//===- SaveData.cpp - inputs and expected results as files ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SaveData.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace napkin;
using namespace napkin::pipelines;
using Role = executor::ManifestArray::Role;

static llvm::Error write(llvm::StringRef folder, const std::string &name,
                         llvm::StringRef content) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (!code) {
    out << content;
    out.flush();
    code = out.error();
    out.clear_error();
  }
  if (code)
    return llvm::createStringError(
        code, path.str() + ": error: cannot write: " + code.message());
  return llvm::Error::success();
}

template <typename T>
static llvm::StringRef bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

llvm::Error
napkin::pipelines::saveData(llvm::StringRef folder,
                            const executor::Manifest &manifest,
                            const executor::HostArrays &arrays,
                            llvm::ArrayRef<ExpectedResult> results) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(
        code, folder + ": error: cannot be made: " + code.message());
  llvm::json::Array inputs, expected;
  for (const executor::ManifestArray &array : manifest.arrays) {
    auto content = arrays.find(array.name);
    if (array.role != Role::Input || content == arrays.end())
      continue;
    const std::string file = array.name + ".bin";
    if (auto e = write(folder, file, bytesOf(content->second)))
      return e;
    inputs.push_back(llvm::json::Object{{"array", array.name}, {"file", file}});
  }
  for (const ExpectedResult &result : results) {
    const std::string file = result.array + ".expected";
    const bool isFloat = reference::isFloat(result.exact.element);
    if (auto e = write(folder, file,
                       isFloat ? bytesOf(result.exact.floats)
                               : bytesOf(result.exact.integers)))
      return e;
    expected.push_back(llvm::json::Object{{"array", result.array},
                                          {"file", file},
                                          {"encoding", isFloat ? "f64" : "i64"},
                                          {"bound", result.bound}});
  }
  std::string text;
  llvm::raw_string_ostream out(text);
  out << llvm::formatv("{0:2}\n", llvm::json::Value(llvm::json::Object{
                                      {"inputs", std::move(inputs)},
                                      {"results", std::move(expected)}}));
  return write(folder, "data.json", text);
}
