//===- Undefined.cpp - Values that were never written ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Marks are kept per PTX register and lane and computed from the PTX operands,
// so that micro-instructions need to know nothing of them. What loads and
// stores do with them is in UndefinedMemory.cpp.
//
//===----------------------------------------------------------------------===//

#include "Checks/UndefinedBits.h"
#include "Checks/UndefinedStep.h"
#include "Machine/Launch.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

using namespace napkin::executor;
using Kind = napkin::ptx::Operand::Kind;
using napkin::ptx::Operand;
using Step = UndefinedStep;

/// Where the ways that part at `branch` meet again, by the order of the text:
/// no instruction between leads elsewhere. None if one does.
static std::optional<uint32_t>
meeting(llvm::ArrayRef<napkin::ptx::Instruction> body, uint32_t branch) {
  uint64_t end = branch + 1;
  for (uint32_t at = branch; at < end; ++at) {
    if (at >= body.size())
      return std::nullopt;
    llvm::StringRef op = body[at].opcode;
    if (op == "ret" || op == "exit" || op == "brx" || op == "trap")
      return std::nullopt;
    if (op != "bra")
      continue;
    int64_t target = body[at].operands[0].integer;
    if (target <= int64_t(branch))
      return std::nullopt;
    end = std::max<uint64_t>(end, target);
  }
  return uint32_t(end);
}

/// A branch by an undefined value: its lanes are watched until they meet.
bool Step::enter(const Instr &i, const Value &guard) {
  llvm::ArrayRef<napkin::ptx::Instruction> body =
      w.machine->program.functions[info.function]->body;
  uint32_t at = &ptx - body.data();
  auto end = meeting(body, at);
  if (!end)
    return trap(i, guard, "decides by the value where to go");
  for (UndefinedValues::Region &region : values.regions)
    if (region.function == info.function && region.begin == at + 1) {
      region.lanes |= guard.lanes;
      return true;
    }
  values.regions.push_back(
      {info.function, at + 1, *end, guard.lanes, guard.origin});
  return true;
}

/// Lanes that are past a region: what any way through it writes is undefined.
void Step::leave() {
  for (size_t r = 0; r < values.regions.size(); ++r) {
    UndefinedValues::Region &region = values.regions[r];
    llvm::ArrayRef<napkin::ptx::Instruction> body =
        w.machine->program.functions[region.function]->body;
    uint32_t at = region.function == info.function ? &ptx - body.data()
                                                   : region.begin,
             gone = region.lanes & w.active;
    if (!gone || (at >= region.begin && at < region.end))
      continue;
    for (uint32_t inside = region.begin; inside < region.end; ++inside) {
      const napkin::ptx::Instruction &written = body[inside];
      if (written.operands.empty() || written.opcode == "st" ||
          written.opcode == "bra")
        continue;
      const Operand &to = written.operands[0];
      Value value = of(to);
      join(value, {gone, region.origin});
      set(to, ~0u, value);
    }
    region.lanes &= ~gone;
    if (!region.lanes)
      values.regions.erase(values.regions.begin() + r--);
  }
}

/// Lanes of `mask` that are here because of an undefined value.
Step::Value Step::decided(uint32_t mask) const {
  Value all;
  for (const UndefinedValues::Region &region : values.regions)
    join(all, {region.lanes & mask, region.origin});
  return all;
}

/// What lanes that should not be here must not do: all that others can see.
static bool isVisible(llvm::StringRef op) {
  static const llvm::StringRef names[] = {
      "atom",  "red",        "cp",        "mbarrier", "bar",  "barrier", "exit",
      "wgmma", "setmaxnreg", "tensormap", "multimem", "trap", "ret",     "brx"};
  return llvm::is_contained(names, op);
}

/// Arithmetic: a result is undefined where a source is that matters.
bool Step::compute(uint32_t mask) {
  if (ptx.operands.empty())
    return true;
  Value from = ofAll(1);
  llvm::StringRef op = ptx.opcode;
  if (from.lanes && op == "selp" && ptx.operands.size() == 4) {
    const Operand &choice = ptx.operands[3];
    Value a = of(ptx.operands[1]), b = of(ptx.operands[2]), p = of(choice);
    from = Value();
    a.lanes &= ~lanesThatAre(choice, false);
    b.lanes &= ~lanesThatAre(choice, true);
    join(from, a);
    join(from, b);
    join(from, p);
  } else if ((op == "xor" || op == "sub") && ptx.operands.size() == 3 &&
             ptx.operands[1].kind == Kind::Register &&
             ptx.operands[2].kind == Kind::Register &&
             ptx.operands[1].reg == ptx.operands[2].reg) {
    from = Value(); // 0, whatever it is
  } else if (from.lanes && movesBits(ptx)) {
    from = moved(from);
  } else if (from.lanes && op == "mov" && ptx.operands.size() == 2 &&
             ptx.modifiers[0] != "b128") {
    return moveParts(mask);
  } else if (from.lanes && (op == "vote" || op == "match" || op == "redux")) {
    from.lanes = from.lanes & mask ? ~0u : 0;
    from.bits = ~uint64_t(0);
  } else {
    from.bits = ~uint64_t(0);
  }
  from.isCopy &= op == "mov";
  set(ptx.operands[0], mask, from);
  return true;
}

/// The result of an instruction that moves bits.
Step::Value Step::moved(const Value &from) const {
  Value to;
  to.origin = from.origin;
  to.bits = 0;
  to.isCopy = from.isCopy;
  std::vector<Value> marks;
  for (const Operand &source : llvm::drop_begin(ptx.operands))
    marks.push_back(of(source));
  for (uint32_t rest = from.lanes; rest; rest &= rest - 1) {
    const unsigned l = __builtin_ctz(rest);
    std::vector<LaneBits> sources;
    for (auto [mark, source] :
         llvm::zip_equal(marks, llvm::drop_begin(ptx.operands))) {
      const auto value = valueIn(source, l);
      sources.push_back({value.value_or(0), mark.lanes >> l & 1 ? mark.bits
                                            : value ? 0
                                                    : ~uint64_t(0)});
    }
    const uint64_t bits = undefinedBits(ptx, sources);
    to.lanes |= uint32_t(bits != 0) << l;
    to.bits |= bits;
  }
  return to;
}

/// mov between a register and the registers of its parts.
bool Step::moveParts(uint32_t mask) {
  const Operand &to = ptx.operands[0], &from = ptx.operands[1];
  const unsigned width =
      napkin::ptx::typeBits(napkin::ptx::typeFromName(ptx.modifiers[0]));
  const auto parts = elementsOf(to.kind == Kind::Vector ? to : from);
  const unsigned part = width / parts.size();
  const uint64_t all = part >= 64 ? ~uint64_t(0) : (uint64_t(1) << part) - 1;
  Value whole;
  for (auto [k, element] : llvm::enumerate(parts)) {
    Value value = of(to.kind == Kind::Vector ? from : element);
    if (to.kind == Kind::Vector) {
      value.bits = value.bits >> k * part & all;
      set(element, mask, value);
    } else {
      value.bits = (value.bits & all) << k * part;
      join(whole, value);
    }
  }
  if (to.kind != Kind::Vector)
    set(to, mask, whole);
  return true;
}

/// mma.sync: row r of A reaches row r of the result, column c of B column c.
bool Step::product() {
  const auto &operands = ptx.operands;
  bool isTall = false, isKnown = false;
  for (llvm::StringRef modifier : ptx.modifiers) {
    isTall |= modifier.starts_with("m16n8");
    isKnown |= modifier.starts_with("m16n8") || modifier == "m8n8k4" ||
               modifier == "m8n8k16" || modifier == "m8n8k32" ||
               modifier == "m8n8k128";
    isKnown &= modifier != "sp" && !modifier.starts_with("sp::");
  }
  if (operands.size() != 4)
    isKnown = false;
  // m8n8k4 of f16 has fragments of its own.
  for (llvm::StringRef modifier : ptx.modifiers)
    if (modifier == "m8n8k4")
      isKnown &= ptx.modifiers.back() == "f64";
  Value all = ofAll(1);
  if (!isKnown || !all.lanes) {
    if (all.lanes)
      all.lanes = ~0u;
    set(operands[0], ~0u, all);
    return true;
  }
  uint32_t rows[2] = {0, 0}, columns = 0; // bits: of 8 rows and columns
  auto a = elementsOf(operands[1]), b = elementsOf(operands[2]),
       c = elementsOf(operands[3]), d = elementsOf(operands[0]);
  auto groups = [](uint32_t lanesOf) {
    uint32_t result = 0;
    for (unsigned l = 0; l < lanes; ++l)
      result |= ((lanesOf >> l) & 1) << (l / 4);
    return result;
  };
  for (size_t x = 0; x < a.size(); ++x)
    rows[isTall ? x & 1 : 0] |= groups(of(a[x]).lanes);
  for (const Operand &element : b)
    columns |= groups(of(element).lanes);
  std::vector<Value> results;
  for (size_t x = 0; x < d.size(); ++x) {
    size_t half = isTall ? x * 2 / d.size() : 0;
    bool isPacked = d.size() * (isTall ? 1 : 2) == 2;
    Value value;
    if (x < c.size())
      value = of(c[x]);
    uint32_t origin = value.lanes ? value.origin : all.origin;
    for (unsigned l = 0; l < lanes; ++l) {
      unsigned column = 2 * (l % 4);
      uint32_t mine = isPacked ? 3u << column : 1u << (column + (x & 1));
      if (((rows[half] >> (l / 4)) & 1) || (columns & mine))
        value.lanes |= 1u << l;
    }
    value.origin = origin;
    value.bits = ~uint64_t(0);
    results.push_back(value);
  }
  for (size_t x = 0; x < d.size(); ++x)
    set(d[x], ~0u, results[x]);
  return true;
}

/// Opcodes whose sources all matter at once; results, if any, are defined.
static bool needsDefined(llvm::StringRef op) {
  static const llvm::StringRef names[] = {
      "atom",     "red",      "cp",        "mbarrier",   "bar",       "barrier",
      "brx",      "call",     "wgmma",     "setmaxnreg", "tensormap", "wmma",
      "multimem", "prefetch", "prefetchu", "discard",    "elect",     "ld",
      "ldu",      "ldmatrix", "nanosleep"};
  return llvm::is_contained(names, op);
}

bool napkin::executor::moveUndefined(Warp &w, const Instr &i, uint32_t mask) {
  if (w.undefined->regions.empty() &&
      !(w.machine->program.sources[i.source].registers &
        w.undefined->registerBits))
    return true;
  Step step(w, i);
  const napkin::ptx::Instruction &ptx = step.ptx;
  llvm::StringRef op = ptx.opcode;
  step.leave();
  Step::Value guard;
  if (ptx.guard >= 0) {
    guard = step.ofRegister(ptx.guard);
    guard.lanes &= w.active;
    if (guard.lanes && op == "bra")
      return step.enter(i, guard);
  }
  Step::Value decided = step.decided(mask);
  Step::join(decided, guard);
  if (decided.lanes && isVisible(op))
    return step.trap(i, decided, "executes only by the value");
  if (!mask && !guard.lanes)
    return true;
  bool isFine = true;
  bool isAsync = llvm::is_contained(ptx.modifiers, "async") ||
                 llvm::is_contained(ptx.modifiers, "bulk");
  if ((op == "st" || op == "stmatrix") && !isAsync) {
    // The data is looked at where the bytes land.
    Step::Value address = step.of(ptx.operands[0]);
    address.lanes &= mask;
    if (address.lanes)
      return step.trap(i, address, "uses the value as an address");
  } else if (op == "mma") {
    isFine = step.product();
  } else if (op == "shfl") {
    // The handler knows the lanes.
  } else if (isAsync || needsDefined(op)) {
    const bool onlyReads =
        op == "brx" || op == "nanosleep" ||
        (op.starts_with("bar") && !llvm::is_contained(ptx.modifiers, "red"));
    bool hasResult = !ptx.operands.empty() && !onlyReads &&
                     (ptx.operands[0].kind == Kind::Register ||
                      ptx.operands[0].kind == Kind::Vector);
    Step::Value sources = step.ofAll(hasResult ? 1 : 0);
    sources.lanes &= mask;
    if (sources.lanes)
      return step.trap(i, sources,
                       op.starts_with("ld") ? "uses the value as an address"
                                            : "uses the value");
    if (hasResult)
      step.set(ptx.operands[0], mask, Step::Value());
  } else {
    isFine = step.compute(mask);
  }
  if (guard.lanes && op != "st" && op != "stmatrix" && !ptx.operands.empty()) {
    // Written or not: undefined in both cases.
    Step::Value value = step.of(ptx.operands[0]);
    Step::join(value, guard);
    step.set(ptx.operands[0], ~0u, value);
  }
  if (w.undefined->registers.empty() && w.undefined->regions.empty())
    w.undefined = nullptr;
  return isFine;
}

void napkin::executor::markUnwritten(Warp &w, const Instr &i, uint32_t reg,
                                     uint32_t inLanes) {
  UndefinedValues &values = valuesOf(w);
  Step step(w, i);
  Step::Value value = step.ofRegister(reg);
  inLanes &= ~value.lanes;
  for (uint32_t rest = inLanes; rest; rest &= rest - 1) {
    UndefinedRead read;
    read.load = &i;
    read.lane = __builtin_ctz(rest);
    read.reg = reg;
    values.reads[{i.source, read.lane}] = read;
  }
  if (inLanes)
    step.set(reg, ~0u, {value.lanes | inLanes, i.source});
}

void napkin::executor::shuffleUndefined(Warp &w, const Instr &i, uint32_t mask,
                                        const uint8_t *from, uint32_t idle) {
  for (uint32_t rest = idle; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    UndefinedRead read;
    read.load = &i;
    read.lane = l;
    read.byte = from[l];
    valuesOf(w).reads[{i.source, l}] = read;
  }
  if (!w.undefined)
    return;
  Step step(w, i);
  Step::Value value = step.of(step.ptx.operands[1]), result = value;
  result.lanes = 0;
  result.isCopy = false;
  for (unsigned l = 0; l < lanes; ++l)
    result.lanes |= ((value.lanes >> (from[l] & 31)) & 1) << l;
  if (idle)
    result = {result.lanes | idle, i.source};
  const Operand &to = step.ptx.operands[0];
  step.set(to.reg, mask, result);
  if (to.second >= 0)
    step.set(uint32_t(to.second), mask, Step::Value());
}

std::string napkin::executor::describeUndefined(Warp &w,
                                                const UndefinedRead &read) {
  if (read.reg >= 0) {
    const Program &program = w.machine->program;
    return fmt::format(
        "register {} was never written",
        program.functions[program.sources[read.load->source].function]
            ->registers[read.reg]
            .name);
  }
  if (!read.bytes)
    return fmt::format("value of lane {} in a shuffle that this lane takes no "
                       "part in, which is undefined",
                       read.byte);
  static const char *spaces[] = {"global", "shared", "local"};
  return fmt::format(
      "read of {} bytes at {:#x} of {} memory{}, of which byte {} was "
      "never written{}",
      read.bytes, read.address, spaces[read.space],
      variableAt(w, read.address, read.space), read.byte,
      read.space == 2 ? " by this thread" : "");
}
