//===- ModuleVariables.cpp - Global variables of a module ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch places the variables that its kernel reaches; a program that loads a
// module asks for their addresses before any launch.
//
//===----------------------------------------------------------------------===//

#include "Decode/ModuleVariables.h"

#include "napkin/Executor/Executor.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::Space;
using napkin::ptx::Variable;

llvm::Expected<uint64_t>
napkin::executor::placeVariable(Device &device, const Variable &variable) {
  auto address = device.allocate(variable.bytes(), variable.name);
  if (!address)
    return address;
  if (auto e = device.fillZero(*address))
    return std::move(e);
  const std::vector<uint8_t> &content = variable.initializer;
  if (!content.empty())
    if (auto e = device.copyToDevice(*address, content.data(), content.size()))
      return std::move(e);
  device.setSymbol(variable.name, *address);
  device.find(*address)->readOnly = variable.space == Space::Const;
  return *address;
}

/// The address that a relocation stores.
static llvm::Expected<uint64_t>
targetOf(const Device &device, const napkin::ptx::Module &module,
         const Variable &variable, const napkin::ptx::Relocation &relocation) {
  if (auto place = device.symbol(relocation.symbol))
    return *place + relocation.addend;
  if (auto address = functionAddress(module, relocation.symbol))
    return *address;
  return llvm::createStringError(fmt::format(
      "{}:{}: error: the initialiser of '{}' names '{}', which has no address "
      "before a launch",
      module.file, variable.position.line, variable.name.str(),
      relocation.symbol.str()));
}

llvm::Error napkin::executor::loadVariables(Device &device,
                                            const ptx::Module &module) {
  std::vector<const Variable *> placed;
  auto place = [&](const Variable &variable) -> llvm::Error {
    if ((variable.space != Space::Global && variable.space != Space::Const) ||
        variable.isExtern || !variable.elements || device.symbol(variable.name))
      return llvm::Error::success();
    placed.push_back(&variable);
    return placeVariable(device, variable).takeError();
  };
  for (const Variable &variable : module.variables)
    if (auto e = place(variable))
      return e;
  for (const ptx::Function &function : module.functions)
    for (const Variable &variable : function.variables)
      if (auto e = place(variable))
        return e;
  for (const Variable *variable : placed)
    for (const ptx::Relocation &relocation : variable->relocations) {
      auto value = targetOf(device, module, *variable, relocation);
      if (!value)
        return value.takeError();
      uint64_t at = *device.symbol(variable->name) + relocation.offset;
      if (auto e = device.copyToDevice(at, &*value, sizeof *value))
        return e;
    }
  return llvm::Error::success();
}

std::optional<uint64_t>
napkin::executor::functionAddress(const ptx::Module &module,
                                  llvm::StringRef name) {
  const ptx::Function *function = module.findFunction(name);
  if (!function)
    return std::nullopt;
  return 128 * uint64_t(function - module.functions.data() + 1);
}
