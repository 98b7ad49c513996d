//===- Module.cpp - Parsed PTX ---------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Facts about types, and look-ups in a parsed module.
//
//===----------------------------------------------------------------------===//

#include "napkin/PTX/Module.h"

using namespace napkin::ptx;

namespace {
struct TypeInfo {
  const char *name;
  unsigned bits;
  bool isSigned, isFloat;
};
// In the order of enum Type.
const TypeInfo types[] = {
    {"", 0, false, false},       {"pred", 1, false, false},
    {"b8", 8, false, false},     {"b16", 16, false, false},
    {"b32", 32, false, false},   {"b64", 64, false, false},
    {"b128", 128, false, false}, {"u8", 8, false, false},
    {"u16", 16, false, false},   {"u32", 32, false, false},
    {"u64", 64, false, false},   {"s8", 8, true, false},
    {"s16", 16, true, false},    {"s32", 32, true, false},
    {"s64", 64, true, false},    {"f16", 16, false, true},
    {"f16x2", 32, false, true},  {"bf16", 16, false, true},
    {"bf16x2", 32, false, true}, {"tf32", 32, false, true},
    {"f32", 32, false, true},    {"f64", 64, false, true},
    {"e4m3", 8, false, true},    {"e5m2", 8, false, true},
    {"e4m3x2", 16, false, true}, {"e5m2x2", 16, false, true},
    {"f32x2", 64, false, true},  {"s16x2", 32, true, false},
    {"u16x2", 32, false, false}, {"s4", 4, true, false},
    {"u4", 4, false, false},     {"b1", 1, false, false}};

Type lookUp(llvm::StringRef name, unsigned count) {
  for (unsigned i = 1; i < count; ++i)
    if (name == types[i].name)
      return static_cast<Type>(i);
  return Type::None;
}
} // namespace

Type napkin::ptx::typeFromName(llvm::StringRef name) {
  return lookUp(name, static_cast<unsigned>(Type::S4));
}

Type napkin::ptx::matrixTypeFromName(llvm::StringRef name) {
  return lookUp(name, std::size(types));
}

llvm::StringRef napkin::ptx::typeName(Type type) {
  return types[static_cast<unsigned>(type)].name;
}

unsigned napkin::ptx::typeBits(Type type) {
  return types[static_cast<unsigned>(type)].bits;
}

bool napkin::ptx::isSigned(Type type) {
  return types[static_cast<unsigned>(type)].isSigned;
}

bool napkin::ptx::isFloat(Type type) {
  return types[static_cast<unsigned>(type)].isFloat;
}

uint64_t Variable::bytes() const {
  return elements * std::max(1u, typeBits(type) / 8);
}

const Function *Module::findFunction(llvm::StringRef name) const {
  if (auto alias = aliases.find(name); alias != aliases.end())
    name = alias->second;
  auto found = functionIndices.find(name);
  return found == functionIndices.end() ? nullptr : &functions[found->second];
}

const Function *Module::onlyEntry() const {
  const Function *found = nullptr;
  for (const Function &function : functions) {
    if (!function.isEntry || !function.isDefined)
      continue;
    if (found)
      return nullptr;
    found = &function;
  }
  return found;
}

llvm::StringRef Module::inlinedFunction(const InlineSite &site) const {
  // A label is where the section starts when it names the section itself.
  auto label = debugLabels.find(site.functionLabel);
  if (site.functionLabel.empty() ||
      (label == debugLabels.end() && site.functionLabel != "debug_str"))
    return "";
  uint64_t start = label == debugLabels.end() ? 0 : label->second;
  llvm::StringRef rest = debugStrings;
  rest = rest.drop_front(std::min<uint64_t>(
      rest.size(),
      start + std::min<uint64_t>(site.functionOffset, rest.size())));
  return rest.take_until([](char c) { return !c; });
}

llvm::StringRef Module::lineText(uint32_t line) const {
  llvm::StringRef rest = *text;
  for (uint32_t i = 1; i < line && !rest.empty(); ++i)
    rest = rest.split('\n').second;
  return rest.split('\n').first.trim();
}
