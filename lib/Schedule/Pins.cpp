//===- Pins.cpp - decisions that somebody else made -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/Search.h"
#include "llvm/ADT/STLExtras.h"
#include <fmt/format.h>

using namespace napkin::schedule;

bool Pins::mayNest(const std::string &outer, const std::string &inner) const {
  if (stream.empty())
    return true;
  auto place = [&](const std::string &axis) {
    return llvm::find(streamOrder, axis) - streamOrder.begin();
  };
  return stream.count(outer) && stream.count(inner) &&
         (streamOrder.empty() || place(outer) < place(inner));
}

std::string Pins::str() const {
  std::string text;
  auto add = [&](const std::string &more) {
    text += (text.empty() ? "" : ", ") + more;
  };
  for (const auto &[axis, size] : group)
    add(fmt::format("group {} = {}", axis, size));
  for (const auto &[axis, size] : stream)
    add(fmt::format("stream {} = {}", axis, size));
  if (noStream)
    add("stream = none");
  for (const auto &[axis, size] : split)
    add(fmt::format("split {} = {}", axis, size));
  if (noSplit)
    add("split = none");
  if (warps)
    add(fmt::format("warps = {}", *warps));
  if (stages)
    add(fmt::format("stages = {}", *stages));
  auto addForm = [&](const char *name, std::optional<bool> form) {
    if (form)
      add(fmt::format("{} = {}", name, *form));
  };
  addForm("padded", forms.padded);
  addForm("reread", forms.reread);
  addForm("lazy", forms.lazy);
  if (forms.parts)
    add(fmt::format("parts = {}", *forms.parts));
  return text;
}
