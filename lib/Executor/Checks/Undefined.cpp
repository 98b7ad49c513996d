//===- Undefined.cpp - Values that were never written ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Marks are kept per PTX register and lane and computed from the PTX operands,
// so that micro-instructions need to know nothing of them.
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Checks/UndefinedBits.h"
#include "Machine/Launch.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

using namespace napkin::executor;
using Kind = napkin::ptx::Operand::Kind;
using napkin::ptx::Operand;
using napkin::ptx::Type;

/// The parts of a vector operand, or the operand alone.
static llvm::ArrayRef<Operand> elementsOf(const Operand &operand) {
  return operand.kind == Kind::Vector
             ? llvm::ArrayRef<Operand>(operand.elements)
             : llvm::ArrayRef<Operand>(operand);
}

namespace {

/// One PTX instruction and its warp's marks.
struct Step {
  Warp &w;
  const SourceInfo &info;
  const napkin::ptx::Instruction &ptx;
  UndefinedValues &values;
  using Value = UndefinedValues::Value;

  Step(Warp &w, const Instr &i)
      : w(w), info(w.machine->program.sources[i.source]), ptx(*info.ptx),
        values(*w.undefined) {}

  uint64_t key(uint32_t reg) const {
    return uint64_t(info.function) << 32 | reg;
  }
  Value ofRegister(uint32_t reg) const {
    return values.registers.lookup(key(reg));
  }
  static void join(Value &to, const Value &from) {
    if (!from.lanes)
      return;
    if (!to.lanes) {
      to = from;
      return;
    }
    to.lanes |= from.lanes;
    to.bits |= from.bits;
  }
  /// Of every register that the operand names.
  Value of(const Operand &operand) const {
    Value all;
    if (operand.kind == Kind::Register)
      all = ofRegister(operand.reg);
    for (const Operand &element : operand.elements)
      join(all, of(element));
    return all;
  }
  Value ofAll(size_t first) const {
    Value all;
    for (size_t o = first; o < ptx.operands.size(); ++o)
      join(all, of(ptx.operands[o]));
    return all;
  }
  void set(uint32_t reg, uint32_t mask, Value to) {
    to.lanes &= to.bits ? mask : 0;
    auto found = values.registers.find(key(reg));
    if (found == values.registers.end()) {
      if (to.lanes) {
        values.registers[key(reg)] = to;
        values.registerBits |= registerBit(reg);
      }
      return;
    }
    Value &now = found->second;
    now.bits = (now.lanes & ~mask ? now.bits : 0) | (to.lanes ? to.bits : 0);
    now.lanes = (now.lanes & ~mask) | to.lanes;
    if (to.lanes)
      now.origin = to.origin;
    if (now.lanes)
      return;
    values.registers.erase(found);
    values.registerBits = 0;
    for (const auto &entry : values.registers)
      values.registerBits |= registerBit(uint32_t(entry.first));
  }
  void set(const Operand &operand, uint32_t mask, const Value &to) {
    if (operand.kind == Kind::Register) {
      set(operand.reg, mask, to);
      if (operand.second >= 0)
        set(uint32_t(operand.second), mask, to);
    }
    if (operand.kind == Kind::Vector)
      for (const Operand &element : operand.elements)
        set(element, mask, to);
  }
  /// Whether a trap has told of the value's read, so that what follows from it
  /// is no fault of its own.
  bool isTold(const Value &value) const {
    return values.readOf(value.origin, __builtin_ctz(value.lanes)).space ==
           placeNowhere;
  }
  bool trap(const Instr &i, const Value &value, const char *what) {
    const UndefinedRead &read =
        values.readOf(value.origin, __builtin_ctz(value.lanes));
    if (isTold(value)) {
      w.machine->stop(w);
      return false;
    }
    w.machine->trap(w, *read.load, read.lane, Trap::Kind::Uninitialized,
                    fmt::format("{}; line {} {}", describeUndefined(w, read),
                                w.machine->lineOf(i.source), what),
                    read.address,
                    read.load->source == i.source ? ~0u : i.source);
    return false;
  }
  bool isPredicate(const Operand &operand) const {
    return operand.kind == Kind::Register &&
           w.machine->program.functions[info.function]
                   ->registers[operand.reg]
                   .type == Type::Pred;
  }
  /// What the operand holds in a lane, if it is a register or a number.
  std::optional<uint64_t> valueIn(const Operand &operand, unsigned lane) const {
    if (operand.kind == Kind::Integer)
      return operand.integer;
    if (operand.kind != Kind::Register)
      return std::nullopt;
    const Program &program = w.machine->program;
    const uint32_t reference =
        program.registerReferences[info.function][operand.reg];
    if (isPredicate(operand))
      return (w.predicates[reference] >> lane & 1) ^ unsigned(operand.negated);
    const unsigned bits = napkin::ptx::typeBits(
        program.functions[info.function]->registers[operand.reg].type);
    if (bits > 64)
      return std::nullopt;
    const char *cell = w.base[reference >> 31] + (reference & ~constantBit);
    uint64_t value = 0;
    std::memcpy(&value, cell + lane * std::max(16u, bits) / 8, bits / 8);
    return value;
  }
  /// Lanes in which `operand` is known and has value 0 (`ones`: not 0).
  uint32_t lanesThatAre(const Operand &operand, bool ones) const {
    if (operand.kind == Kind::Integer)
      return (operand.integer != 0) == ones ? ~0u : 0;
    if (operand.kind != Kind::Register)
      return 0;
    uint32_t reference =
        w.machine->program.registerReferences[info.function][operand.reg];
    uint32_t known = ~ofRegister(operand.reg).lanes, result = 0;
    if (isPredicate(operand)) {
      uint32_t value = w.predicates[reference];
      return known & (operand.negated != ones ? value : ~value);
    }
    for (unsigned l = 0; l < lanes; ++l)
      result |= uint32_t((valueIn(operand, l).value_or(!ones) != 0) == ones)
                << l;
    return known & result;
  }

  bool compute(uint32_t mask);
  Value moved(const Value &from) const;
  bool moveParts(uint32_t mask);
  bool product();
  bool enter(const Instr &i, const Value &guard);
  void leave();
  Value decided(uint32_t mask) const;
};

/// Where the ways that part at `branch` meet again, by the order of the text:
/// no instruction between leads elsewhere. None if one does.
std::optional<uint32_t> meeting(llvm::ArrayRef<napkin::ptx::Instruction> body,
                                uint32_t branch) {
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
bool isVisible(llvm::StringRef op) {
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
  set(ptx.operands[0], mask, from);
  return true;
}

/// The result of an instruction that moves bits.
Step::Value Step::moved(const Value &from) const {
  Value to;
  to.origin = from.origin;
  to.bits = 0;
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
bool needsDefined(llvm::StringRef op) {
  static const llvm::StringRef names[] = {
      "atom",     "red",      "cp",        "mbarrier",   "bar",       "barrier",
      "brx",      "call",     "wgmma",     "setmaxnreg", "tensormap", "wmma",
      "multimem", "prefetch", "prefetchu", "discard",    "elect",     "ld",
      "ldu",      "ldmatrix", "nanosleep"};
  return llvm::is_contained(names, op);
}

} // namespace

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

/// The warp's marks, new ones if it has none.
static UndefinedValues &valuesOf(Warp &w) {
  if (!w.undefined) {
    if (!w.async->undefined)
      w.async->undefined = std::make_shared<UndefinedValues>();
    w.undefined = w.async->undefined.get();
  }
  return *w.undefined;
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
  for (unsigned l = 0; l < lanes; ++l)
    result.lanes |= ((value.lanes >> (from[l] & 31)) & 1) << l;
  if (idle)
    result = {result.lanes | idle, i.source};
  const Operand &to = step.ptx.operands[0];
  step.set(to.reg, mask, result);
  if (to.second >= 0)
    step.set(uint32_t(to.second), mask, Step::Value());
}

bool napkin::executor::markUndefined(Warp &w, const UndefinedRead &read,
                                     const uint8_t *shadow) {
  const napkin::ptx::Instruction &ptx =
      *w.machine->program.sources[read.load->source].ptx;
  bool isMatrix = ptx.opcode == "ldmatrix";
  if (!isMatrix && ptx.opcode != "ld" && ptx.opcode != "ldu")
    return false;
  UndefinedValues &values = valuesOf(w);
  values.reads[{read.load->source, read.lane}] = read;
  Step step(w, *read.load);
  const Operand &to = ptx.operands[0];
  llvm::ArrayRef<Operand> results = elementsOf(to);
  auto add = [&](const Operand &operand, uint32_t inLanes, uint64_t bits) {
    if (operand.kind != Kind::Register)
      return;
    Step::Value value = step.ofRegister(operand.reg);
    value.bits = (value.lanes ? value.bits : 0) | bits;
    value.lanes |= inLanes;
    value.origin = read.load->source;
    step.set(operand.reg, ~0u, value);
  };
  if (!isMatrix) {
    unsigned unit = read.bytes / results.size();
    const bool isSigned = ptx.modifiers.back().starts_with("s");
    for (unsigned b = 0; b < read.bytes; ++b)
      if (shadow[b] != shadowWritten)
        // Of the last byte the sign goes on.
        add(results[b / unit], 1u << read.lane,
            unit > 8 ? ~uint64_t(0)
            : isSigned && b % unit == unit - 1
                ? ~uint64_t(0) << 8 * (b % unit)
                : uint64_t(255) << 8 * (b % unit));
    return true;
  }
  // Lane l gives row l % 8 of matrix l / 8.
  unsigned matrix = read.lane / 8, row = read.lane % 8;
  bool isTransposed = llvm::is_contained(ptx.modifiers, "trans");
  if (matrix >= results.size())
    return true;
  uint32_t inLanes = 0;
  for (unsigned b = 0; b < 16; ++b) {
    if (shadow[b] == shadowWritten)
      continue;
    unsigned column = b / 2;
    inLanes |=
        1u << (isTransposed ? 4 * column + row / 2 : 4 * row + column / 2);
  }
  add(results[matrix], inLanes, ~uint64_t(0));
  return true;
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

/// The shadow of a lane's own shared or local bytes, or null: they leave the
/// block.
static uint8_t *ownShadow(Warp &w, unsigned lane, uint64_t address,
                          unsigned bytes, AddressSpace space) {
  Block &b = *w.block;
  uint64_t window = address & windowMask;
  if (space == SpaceShared ||
      (space == SpaceGeneric && window == sharedWindow)) {
    uint64_t at = window == sharedWindow ? address - sharedWindow : address;
    return at + bytes <= b.sharedBytes ? b.sharedShadow + at : nullptr;
  }
  if (space == SpaceLocal || (space == SpaceGeneric && window == localWindow)) {
    uint64_t at = window == localWindow ? address - localWindow : address;
    return b.localShadow + (uint64_t(w.index) * lanes + lane) * b.localBytes +
           at;
  }
  return nullptr;
}

void napkin::executor::storeUndefined(Warp &w, const Instr &i,
                                      const uint64_t *address, uint32_t mask,
                                      unsigned bytes, AddressSpace space) {
  if (!w.undefined)
    return;
  Step step(w, i);
  llvm::ArrayRef<Operand> elements = elementsOf(step.ptx.operands[1]);
  unsigned unit = bytes / elements.size();
  for (size_t x = 0; x < elements.size(); ++x) {
    Step::Value value = step.of(elements[x]);
    Step::join(value, step.decided(mask));
    if (step.ptx.guard >= 0)
      Step::join(value, step.ofRegister(step.ptx.guard));
    if (unit < 8)
      value.bits &= (uint64_t(1) << 8 * unit) - 1;
    for (uint32_t rest = value.bits ? value.lanes & mask : 0; rest;
         rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      if (uint8_t *shadow =
              ownShadow(w, l, address[l] + x * unit, unit, space)) {
        // A byte of which some bits are defined counts as written.
        for (unsigned b = 0; b < unit; ++b)
          if (b >= 8 || (value.bits >> 8 * b & 255) == 255)
            shadow[b] = shadowFresh;
        continue;
      }
      if (step.isTold(value))
        continue;
      step.trap(i, value, "stores the value");
      return;
    }
  }
}

void napkin::executor::storeMatrixUndefined(Warp &w, const Instr &i,
                                            uint8_t *const *shadow) {
  if (!w.undefined)
    return;
  Step step(w, i);
  llvm::ArrayRef<Operand> matrices = elementsOf(step.ptx.operands[1]);
  bool isTransposed = llvm::is_contained(step.ptx.modifiers, "trans");
  for (size_t m = 0; m < matrices.size(); ++m) {
    uint32_t undefined = step.of(matrices[m]).lanes | step.decided(~0u).lanes;
    for (unsigned l = 0; l < lanes; ++l)
      if ((undefined >> l) & 1)
        for (unsigned e = 0; e < 2; ++e) {
          unsigned row = isTransposed ? 2 * (l % 4) + e : l / 4;
          unsigned column = isTransposed ? l / 4 : 2 * (l % 4) + e;
          std::memset(shadow[8 * m + row] + 2 * column, shadowFresh, 2);
        }
  }
}
