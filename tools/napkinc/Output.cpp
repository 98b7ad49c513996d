//===- Output.cpp - where napkinc writes ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Output.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <filesystem>
#include <vector>

using namespace llvm;
using namespace napkin::driver;

static Error failure(StringRef path, std::error_code code) {
  return createStringError(inconvertibleErrorCode(),
                           path + ": error: cannot write: " + code.message());
}

std::string napkin::driver::followLinks(StringRef path) {
  std::filesystem::path followed(path.str());
  // As many as the system follows in a row; a circle is left to it to report.
  for (int links = 0; links < 40; ++links) {
    std::error_code none;
    std::filesystem::path next = std::filesystem::read_symlink(followed, none);
    if (none)
      break;
    // A relative link is seen from its own folder.
    followed = followed.parent_path() / next;
  }
  return followed.string();
}

bool napkin::driver::isSameFile(StringRef first, StringRef second) {
  bool same = false;
  return !sys::fs::equivalent(first, second, same) && same;
}

bool napkin::driver::isRegularPath(StringRef path) {
  if (path == "-")
    return false;
  sys::fs::file_status status;
  return sys::fs::status(path, status) || sys::fs::is_regular_file(status);
}

/// Writes a stream, a device or the like.
static Error writeInPlace(const OutputFile &file) {
  std::error_code code;
  raw_fd_ostream out(file.path, code, sys::fs::OF_None);
  if (code)
    return failure(file.path, code);
  out << file.text;
  out.flush();
  if (out.has_error()) {
    code = out.error();
    out.clear_error();
    return failure(file.path, code);
  }
  return Error::success();
}

Error napkin::driver::writeFiles(ArrayRef<OutputFile> files) {
  std::vector<std::pair<std::string, sys::fs::TempFile>> written;
  auto discard = [&](Error error) {
    for (auto &entry : written)
      consumeError(entry.second.discard());
    return error;
  };
  for (const OutputFile &file : files) {
    if (file.path != "-" && sys::fs::is_directory(file.path))
      return discard(
          failure(file.path, std::make_error_code(std::errc::is_a_directory)));
    if (!isRegularPath(file.path))
      continue;
    // What a link names is replaced, not the link.
    std::string place = followLinks(file.path);
    auto temporary = sys::fs::TempFile::create(place + ".%%%%%%%%");
    if (!temporary)
      return discard(
          failure(file.path, errorToErrorCode(temporary.takeError())));
    int descriptor = temporary->FD;
    written.emplace_back(place, std::move(*temporary));
    raw_fd_ostream out(descriptor, /*shouldClose=*/false);
    out << file.text;
    out.flush();
    if (out.has_error()) {
      std::error_code code = out.error();
      out.clear_error();
      return discard(failure(file.path, code));
    }
  }
  while (!written.empty()) {
    std::string path = written.front().first;
    sys::fs::TempFile temporary = std::move(written.front().second);
    written.erase(written.begin());
    if (Error error = temporary.keep(path))
      return discard(failure(path, errorToErrorCode(std::move(error))));
  }
  for (const OutputFile &file : files)
    if (!isRegularPath(file.path))
      if (Error error = writeInPlace(file))
        return error;
  return Error::success();
}
