//===- HardwareChanges.cpp - a machine with other numbers -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes members of a hardware description by their names.
//===----------------------------------------------------------------------===//

#include "HardwareChanges.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace napkin::cost;
using llvm::StringRef;
namespace json = llvm::json;

namespace {

struct ShortName {
  StringRef name, field;
};

/// A field of a description: the object that holds it and its key there.
struct Member {
  json::Object *object;
  std::string key;
};

} // namespace

/// What people ask most often.
static constexpr ShortName shortNames[] = {
    {"smem", "shared.capacity_bytes"},
    {"l2", "l2.capacity_bytes"},
    {"bandwidth", "global.bytes_per_second"},
    {"sms", "multiprocessors"},
    {"clock", "clock_mhz"},
};

ChangedName napkin::cost::splitChanges(StringRef name) {
  if (!name.ends_with("]") || !name.contains('['))
    return {name, ""};
  auto [base, rest] = name.split('[');
  return {base, rest.drop_back()};
}

static json::Object *findLevel(json::Object &root, StringRef name) {
  json::Array *levels = root.getArray("levels");
  if (!levels)
    return nullptr;
  for (json::Value &entry : *levels)
    if (json::Object *level = entry.getAsObject())
      if (level->getString("name") == name)
        return level;
  return nullptr;
}

/// The names of the numbers in \p object, each after \p prefix.
static void collectNumbers(const json::Object &object, StringRef prefix,
                           llvm::SmallVectorImpl<std::string> &names) {
  for (const auto &entry : object)
    if (entry.second.getAsNumber())
      names.push_back((prefix + entry.first.str()).str());
}

static std::string knownFields(json::Object &root) {
  llvm::SmallVector<std::string> names;
  collectNumbers(root, "", names);
  for (const auto &entry : root)
    if (const json::Object *inner = entry.second.getAsObject())
      collectNumbers(*inner, entry.first.str() + ".", names);
  if (json::Array *levels = root.getArray("levels"))
    for (json::Value &entry : *levels)
      if (json::Object *level = entry.getAsObject())
        collectNumbers(*level, level->getString("name")->str() + ".", names);
  for (const ShortName &row : shortNames)
    names.push_back(row.name.str());
  llvm::sort(names);
  return llvm::join(names, ", ");
}

static llvm::Expected<Member> findMember(json::Object &root, StringRef field) {
  for (const ShortName &row : shortNames)
    if (row.name == field)
      field = row.field;
  auto [outer, key] = field.split('.');
  if (key.empty()) {
    if (root.get(field) && root.get(field)->getAsNumber())
      return Member{&root, field.str()};
  } else {
    // "registers" is both a member and a level: their keys differ.
    for (json::Object *object : {root.getObject(outer), findLevel(root, outer)})
      if (object && object->get(key) && object->get(key)->getAsNumber())
        return Member{object, key.str()};
  }
  return llvm::createStringError("a hardware description has no number '" +
                                 field + "'; it has " + knownFields(root));
}

/// \p text as a number for \p key: K, M and G are powers of 1024 where bytes
/// are kept, of 1000 elsewhere.
static std::optional<double> readNumber(StringRef key, StringRef text) {
  double unit =
      key.ends_with("bytes") || key.ends_with("per_block") ? 1024 : 1000;
  double scale = text.consume_back("K")   ? unit
                 : text.consume_back("M") ? unit * unit
                 : text.consume_back("G") ? unit * unit * unit
                 : text.consume_back("T") ? unit * unit * unit * unit
                                          : 1;
  double number = 0;
  if (text.getAsDouble(number) || !std::isfinite(number))
    return std::nullopt;
  return number * scale;
}

llvm::Error napkin::cost::changeDescription(json::Object &root,
                                            StringRef changes) {
  llvm::SmallVector<StringRef> parts;
  changes.split(parts, ',');
  for (StringRef part : parts) {
    auto [field, number] = part.split('=');
    field = field.trim();
    number = number.trim();
    if (field.empty() || number.empty())
      return llvm::createStringError("a change of a machine is written "
                                     "field=value, not '" +
                                     part.trim() + "'");
    llvm::Expected<Member> member = findMember(root, field);
    if (!member)
      return member.takeError();
    std::optional<double> read = readNumber(member->key, number);
    if (!read)
      return llvm::createStringError("'" + field +
                                     "' is a number such as 128K"
                                     ", not '" +
                                     number + "'");
    json::Value &target = (*member->object)[member->key];
    if (*read == std::floor(*read) && std::abs(*read) < 9e15)
      target = int64_t(*read);
    else
      target = *read;
  }
  root["title"] =
      llvm::formatv("{0} with {1}", root.getString("title").value_or("machine"),
                    changes.trim())
          .str();
  return llvm::Error::success();
}

/// Members of \p derived over those of \p base.
static void mergeMembers(json::Object &base, const json::Object &derived) {
  for (const auto &entry : derived) {
    json::Object *inner = base.getObject(entry.first);
    const json::Object *own = entry.second.getAsObject();
    if (inner && own)
      mergeMembers(*inner, *own);
    else
      base[entry.first] = entry.second;
  }
}

json::Object napkin::cost::completeDescription(json::Object base,
                                               const json::Object &derived) {
  base.erase("stands_for_target");
  json::Object members = derived;
  members.erase("like");
  // Levels that are no list replace those of the base and are refused later.
  if (const json::Array *levels = derived.getArray("levels")) {
    members.erase("levels");
    for (const json::Value &entry : *levels) {
      const json::Object *level = entry.getAsObject();
      StringRef name = level ? level->getString("name").value_or("") : "";
      if (json::Object *known = findLevel(base, name))
        mergeMembers(*known, *level);
      else if (json::Array *all = base.getArray("levels"))
        all->push_back(entry);
    }
  }
  mergeMembers(base, members);
  return base;
}
