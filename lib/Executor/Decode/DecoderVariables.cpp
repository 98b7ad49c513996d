//===- DecoderVariables.cpp - Addresses of variables -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernel parameters, shared, local, global and constant variables get their
// addresses here. Only shared variables that the kernel reaches take space, as
// with ptxas; dynamic shared memory follows them.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Decode/ModuleVariables.h"
#include "Decode/Names.h"
#include "Decode/Spellings.h"
#include "Machine/Handlers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::Space;
using Kind = napkin::ptx::Operand::Kind;

static uint64_t alignTo(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

/// Shared memory that the system keeps for itself at the start of a block's:
/// a block has it only if its code asks where it is.
static constexpr uint64_t reservedShared = 1024;
static constexpr llvm::StringLiteral reservedSpecial = "reserved_smem_offset_";

/// What the variable arguments of a call may take.
static constexpr uint64_t variadicBytes = 1024;

static void collectOperand(const napkin::ptx::Operand &operand,
                           llvm::StringMap<bool> &names) {
  if (operand.kind == Kind::Symbol)
    names[operand.name] = true;
  if (operand.kind == Kind::Special &&
      operand.name.starts_with(reservedSpecial))
    names[reservedSpecial] = true;
  for (const napkin::ptx::Operand &element : operand.elements)
    collectOperand(element, names);
}

/// The names that the kernel reaches: in its body, in the functions that it
/// names and in the initialisers of variables, which may hold the addresses of
/// others. A list of open names, not recursion: the text may be deep.
void Decoder::collectNames(llvm::StringMap<bool> &names) {
  // A name may be declared before it is defined.
  llvm::StringMap<llvm::SmallVector<const ptx::Variable *, 1>> byName;
  for (const ptx::Variable &variable : module.variables)
    byName[variable.name].push_back(&variable);
  std::vector<llvm::StringRef> open;
  auto add = [&](llvm::StringRef name) {
    auto [entry, isNew] = names.try_emplace(name, true);
    if (isNew)
      open.push_back(entry->first());
  };
  auto addBody = [&](const ptx::Function &function) {
    llvm::StringMap<bool> own;
    for (const ptx::Instruction &instruction : function.body)
      for (const Operand &operand : instruction.operands)
        collectOperand(operand, own);
    for (const ptx::Variable &variable : function.variables)
      own[variable.name] = true;
    for (auto &entry : own)
      add(entry.first());
  };
  addBody(*program.entry);
  while (!open.empty()) {
    llvm::StringRef name = open.back();
    open.pop_back();
    if (const ptx::Function *callee = module.findFunction(name))
      addBody(*callee);
    for (const ptx::Variable *variable : byName.lookup(name))
      for (const ptx::Relocation &relocation : variable->relocations)
        add(relocation.symbol);
  }
}

bool Decoder::placeParameters(const Arguments &arguments) {
  const ptx::Function &entry = *program.entry;
  if (arguments.values.size() != entry.parameters.size()) {
    std::string names;
    for (const ptx::Variable &parameter : entry.parameters)
      names += fmt::format("\n  {} (.{}, {} bytes)", parameter.name.str(),
                           typeName(parameter.type).str(), parameter.bytes());
    return fail(fmt::format(
        "kernel '{}' has {} parameters, {} arguments were given{}{}",
        entry.name.str(), entry.parameters.size(), arguments.values.size(),
        names.empty() ? "" : "; it takes", names));
  }
  uint64_t offset = 0;
  for (size_t i = 0; i < entry.parameters.size(); ++i) {
    const ptx::Variable &parameter = entry.parameters[i];
    uint64_t bytes = parameter.bytes();
    offset = alignTo(offset, parameter.alignment);
    if (bytes > 32764 || offset + bytes > 32764)
      return fail("the parameters are larger than 32764 bytes");
    if (arguments.values[i].size() != bytes)
      return fail(fmt::format("parameter {} ('{}', .{}) of '{}' has {} bytes, "
                              "the argument given for it {}",
                              i, parameter.name.str(),
                              typeName(parameter.type).str(), entry.name.str(),
                              bytes, arguments.values[i].size()));
    variables[parameter.name] = {Space::Param, offset, true, bytes};
    program.parameters.resize(offset + bytes);
    llvm::copy(arguments.values[i], program.parameters.begin() + offset);
    offset += bytes;
  }
  program.parameters.resize(alignTo(program.parameters.size() + 1, 16));
  return true;
}

bool Decoder::placeShared(const llvm::StringMap<bool> &names) {
  program.reservedShared = names.count(reservedSpecial) ? reservedShared : 0;
  uint64_t offset = program.reservedShared;
  uint64_t dynamicAlignment = 16;
  auto place = [&](const ptx::Variable &variable) {
    if (variable.space != Space::Shared || !names.count(variable.name))
      return;
    if (!variable.elements || variable.isExtern) {
      dynamicAlignment = std::max(dynamicAlignment, variable.alignment);
      return;
    }
    offset = alignTo(offset, variable.alignment);
    variables[variable.name] = {Space::Shared, offset, false, variable.bytes()};
    program.sharedVariables.push_back(
        {sourceName(variable.name), offset, variable.bytes()});
    offset += variable.bytes();
  };
  for (const ptx::Variable &variable : module.variables)
    place(variable);
  for (const ptx::Function &function : module.functions)
    for (const ptx::Variable &variable : function.variables)
      place(variable);
  uint64_t dynamic =
      config.dynamicSharedBytes ? alignTo(offset, dynamicAlignment) : offset;
  for (const ptx::Variable &variable : module.variables)
    if (variable.space == Space::Shared && names.count(variable.name) &&
        (!variable.elements || variable.isExtern)) {
      variables[variable.name] = {Space::Shared, dynamic, false,
                                  config.dynamicSharedBytes};
      program.sharedVariables.push_back(
          {sourceName(variable.name), dynamic, config.dynamicSharedBytes});
    }
  program.staticShared = dynamic;
  constexpr uint64_t limit = 228 * 1024;
  if (dynamic + config.dynamicSharedBytes > limit)
    return fail(fmt::format(
        "a block needs {} bytes of shared memory ({} static, {} dynamic); "
        "no processor has more than {}",
        dynamic + config.dynamicSharedBytes, offset, config.dynamicSharedBytes,
        limit));
  return true;
}

std::optional<uint64_t> Decoder::launchConstant(llvm::StringRef special) {
  // Runtime libraries own the numbered parts; half of the region each.
  static const std::pair<const char *, uint64_t> parts[] = {
      {"begin", 0},
      {"end", reservedShared},
      {"cap", reservedShared},
      {"0", 0},
      {"1", reservedShared / 2}};
  if (llvm::StringRef part = special; part.consume_front(reservedSpecial))
    for (auto [name, value] : parts)
      if (part == name)
        return value;
  // The address of the driver's grid workspace, high and low half: its size and
  // a word that grid_group::sync() counts arrivals in.
  if (special != "envreg1" && special != "envreg2")
    return std::nullopt;
  constexpr llvm::StringLiteral name = "grid workspace";
  auto place = device.symbol(name);
  if (!place) {
    auto fresh = device.allocate(64, name);
    if (!fresh) {
      fail(toString(fresh.takeError()));
      return 0;
    }
    device.setSymbol(name, *fresh);
    place = *fresh;
  }
  if (auto e = device.fill(*place, 0, 64))
    fail(toString(std::move(e)));
  return special == "envreg1" ? *place >> 32 : *place & 0xffffffff;
}

bool Decoder::placeGlobals(const llvm::StringMap<bool> &names) {
  std::vector<const ptx::Variable *> fresh;
  auto place = [&](const ptx::Variable &variable) {
    if ((variable.space != Space::Global && variable.space != Space::Const) ||
        !names.count(variable.name))
      return true;
    auto existing = device.symbol(variable.name);
    if (!existing) {
      if (variable.isExtern || !variable.elements)
        return fail(fmt::format("external variable '{}' is not defined",
                                variable.name.str()));
      auto address = placeVariable(device, variable);
      if (!address)
        return fail(toString(address.takeError()));
      existing = *address;
      fresh.push_back(&variable);
    }
    variables[variable.name] = {variable.space, *existing, false,
                                variable.bytes()};
    return true;
  };
  for (const ptx::Variable &variable : module.variables)
    if (!place(variable))
      return false;
  for (const ptx::Function &function : module.functions)
    for (const ptx::Variable &variable : function.variables)
      if (!place(variable))
        return false;
  for (const ptx::Variable *variable : fresh)
    for (const ptx::Relocation &relocation : variable->relocations) {
      auto target = findVariable(relocation.symbol);
      uint64_t value;
      if (target) {
        value =
            target->address + relocation.addend +
            (relocation.generic && target->space == Space::Shared ? sharedWindow
                                                                  : 0);
      } else if (auto address = functionAddress(relocation.symbol)) {
        value = *address;
      } else {
        return fail(
            fmt::format("the initialiser of '{}' names '{}', which is unknown",
                        variable->name.str(), relocation.symbol.str()));
      }
      uint64_t at = variables[variable->name].address + relocation.offset;
      if (auto e = device.copyToDevice(at, &value, 8))
        return fail(toString(std::move(e)));
    }
  return true;
}

bool Decoder::placeVariables(const Arguments &arguments) {
  llvm::StringMap<bool> names;
  collectNames(names);
  return placeParameters(arguments) && placeShared(names) &&
         placeGlobals(names);
}

/// Local variables and call parameters: fixed offsets in each thread's memory,
/// which is enough because functions do not recurse.
bool Decoder::placeFunctionVariables(const ptx::Function &function) {
  if (!placedFunctions.try_emplace(function.name, true).second)
    return true;
  for (const auto *list : {&function.parameters, &function.results})
    for (const ptx::Variable &parameter : *list)
      if (parameter.space == Space::Register)
        parameterRegisters[function.name].push_back(
            parameter.type == ptx::Type::Pred
                ? program.predicates++
                : temporary(ptx::typeBits(parameter.type)));
  llvm::StringMap<VariablePlace> &own = functionVariables[&function];
  for (const ptx::Variable &variable : function.variables) {
    if (variable.space != Space::Local && variable.space != Space::Param)
      continue;
    if (variables.count(variable.name) && function.isEntry)
      continue; // a kernel parameter
    program.localBytes =
        alignTo(program.localBytes, std::max<uint64_t>(variable.alignment, 8));
    // The last parameter of a variadic function is an array without a size.
    uint64_t bytes = variable.elements ? variable.bytes() : variadicBytes;
    own[variable.name] = {variable.space, program.localBytes, false, bytes};
    program.localVariables.push_back(
        {sourceName(variable.name), program.localBytes, bytes});
    program.localBytes += bytes;
    if (program.localBytes > 512 * 1024)
      return fail("local memory of a thread exceeds 512 KiB");
  }
  return true;
}

Decoder::StackArea Decoder::stackArea() {
  if (stack.pointer == noRegister) {
    stack.pointer = temporary(64);
    stack.base = program.localBytes = alignTo(program.localBytes, 256);
    program.localBytes += stack.bytes;
  }
  return stack;
}

std::optional<uint32_t>
Decoder::parameterRegister(const ptx::Function &function, bool isResult,
                           size_t position) {
  size_t index = 0;
  auto isRegister = [](const ptx::Variable &parameter) {
    return parameter.space == Space::Register;
  };
  if (isResult)
    index = llvm::count_if(function.parameters, isRegister);
  const auto &list = isResult ? function.results : function.parameters;
  index += std::count_if(list.begin(), list.begin() + position, isRegister);
  if (list[position].type == ptx::Type::Pred)
    return std::nullopt;
  return parameterRegisters[function.name][index];
}

std::optional<uint64_t> Decoder::functionAddress(llvm::StringRef name) const {
  return executor::functionAddress(module, name);
}

std::optional<Decoder::VariablePlace>
Decoder::findVariable(llvm::StringRef name, const ptx::Function *of) {
  if (auto own = functionVariables.find(of ? of : function);
      own != functionVariables.end())
    if (auto found = own->second.find(name); found != own->second.end())
      return found->second;
  auto found = variables.find(name);
  if (found == variables.end())
    return std::nullopt;
  return found->second;
}

uint32_t Decoder::resized(uint32_t from, unsigned own, unsigned bits) {
  if (own == bits)
    return from;
  uint32_t changed = temporary(bits);
  Instr &i = emit(backend().resize(bits, own, false));
  i.d = changed;
  i.a = from;
  return changed;
}

/// Why the module cannot name special register `name`; "" if it can.
static std::string unmetSpecial(const napkin::ptx::Module &module,
                                llvm::StringRef name) {
  if (name.contains("cluster"))
    return unmetNeed(module, "sm_90", "7.8");
  if (name == "aggr_smem_size")
    return unmetNeed(module, "sm_90", "8.1");
  if (name == "current_graph_exec")
    return unmetNeed(module, "sm_50", "8.0");
  if (name.starts_with("reserved_smem"))
    return unmetNeed(module, "sm_80", "7.6");
  return "";
}

uint32_t Decoder::specialRegister(llvm::StringRef name, unsigned bits) {
  std::string unmet = unmetSpecial(module, name);
  if (!unmet.empty()) {
    fail(fmt::format("%{} {}", name.str(), unmet));
    return 0;
  }
  if (auto value = launchConstant(name))
    return constant(bits, *value);
  static const std::pair<const char *, Special> names[] = {
      {"tid.x", Special::TidX},
      {"tid.y", Special::TidY},
      {"tid.z", Special::TidZ},
      {"ntid.x", Special::NtidX},
      {"ntid.y", Special::NtidY},
      {"ntid.z", Special::NtidZ},
      {"ctaid.x", Special::CtaidX},
      {"ctaid.y", Special::CtaidY},
      {"ctaid.z", Special::CtaidZ},
      {"nctaid.x", Special::NctaidX},
      {"nctaid.y", Special::NctaidY},
      {"nctaid.z", Special::NctaidZ},
      {"laneid", Special::Laneid},
      {"warpid", Special::Warpid},
      {"nwarpid", Special::Nwarpid},
      {"smid", Special::Smid},
      {"nsmid", Special::Nsmid},
      {"gridid", Special::Gridid},
      {"lanemask_eq", Special::LanemaskEq},
      {"lanemask_le", Special::LanemaskLe},
      {"lanemask_lt", Special::LanemaskLt},
      {"lanemask_ge", Special::LanemaskGe},
      {"lanemask_gt", Special::LanemaskGt},
      {"clusterid.x", Special::ClusteridX},
      {"clusterid.y", Special::ClusteridY},
      {"clusterid.z", Special::ClusteridZ},
      {"nclusterid.x", Special::NclusteridX},
      {"nclusterid.y", Special::NclusteridY},
      {"nclusterid.z", Special::NclusteridZ},
      {"cluster_ctaid.x", Special::ClusterCtaidX},
      {"cluster_ctaid.y", Special::ClusterCtaidY},
      {"cluster_ctaid.z", Special::ClusterCtaidZ},
      {"cluster_nctaid.x", Special::ClusterNctaidX},
      {"cluster_nctaid.y", Special::ClusterNctaidY},
      {"cluster_nctaid.z", Special::ClusterNctaidZ},
      {"cluster_ctarank", Special::ClusterCtarank},
      {"cluster_nctarank", Special::ClusterNctarank},
      {"dynamic_smem_size", Special::DynamicSmemSize},
      {"total_smem_size", Special::TotalSmemSize},
      {"aggr_smem_size", Special::AggrSmemSize},
      {"is_explicit_cluster", Special::IsExplicitCluster},
      {"current_graph_exec", Special::Zero64}};
  static const std::tuple<const char *, unsigned, unsigned> clocks[] = {
      {"clock", 32, 0},          {"clock_hi", 32, 32},
      {"clock64", 64, 0},        {"globaltimer", 64, 0},
      {"globaltimer_lo", 32, 0}, {"globaltimer_hi", 32, 32}};
  for (auto [clock, own, shift] : clocks) {
    if (name != clock)
      continue;
    uint32_t time = temporary(own);
    Instr &i = emit(readClock);
    i.d = time;
    i.small0 = own / 8;
    i.small1 = shift;
    return resized(time, own, bits);
  }
  for (auto [known, special] : names) {
    if (name != known)
      continue;
    bool wide = special == Special::Gridid || special == Special::Zero64;
    unsigned own = wide ? 64 : 32;
    auto [found, isNew] = specialReferences.try_emplace(name, 0);
    if (isNew) {
      found->second = temporary(own);
      program.specials.push_back({special, found->second});
    }
    return resized(found->second, own, bits);
  }
  if (name.starts_with("envreg"))
    fail("%envreg registers hold what the driver likes: not modelled");
  else if (name.starts_with("pm"))
    fail("%pm performance counters are not modelled");
  else
    fail(fmt::format("special register '%{}' is not supported", name.str()));
  return 0;
}
