//===- Atomics.cpp - atom and red ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes act one after another in order of their number (or reversed, by seed:
// the order of floating-point additions is not specified).
//
//===----------------------------------------------------------------------===//

#include "Machine/Atomics.h"
#include "Checks/Clocks.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"
#include "Numerics/Formats.h"

#include <cstring>

using namespace napkin::executor;
using Type = napkin::ptx::Type;

static uint64_t half(AtomicOp op, Type type, uint64_t old, uint64_t value) {
  double a = decodeFloat(old & 0xffff, type),
         b = decodeFloat(value & 0xffff, type);
  double r = op == AtomicOp::Add   ? a + b
             : op == AtomicOp::Min ? (a < b ? a : b)
                                   : (a > b ? a : b);
  return encodeFloat(r, type);
}

uint64_t napkin::executor::atomicApply(AtomicOp op, Type type, uint64_t old,
                                       uint64_t value, uint64_t other) {
  switch (op) {
  case AtomicOp::Exchange:
    return value;
  case AtomicOp::CompareExchange:
    return old == value ? other : old;
  case AtomicOp::And:
    return old & value;
  case AtomicOp::Or:
    return old | value;
  case AtomicOp::Xor:
    return old ^ value;
  case AtomicOp::Increment:
    return uint32_t(old) >= uint32_t(value) ? 0 : uint32_t(old) + 1;
  case AtomicOp::Decrement:
    return uint32_t(old) == 0 || uint32_t(old) > uint32_t(value)
               ? value
               : uint32_t(old) - 1;
  default:
    break;
  }
  switch (type) {
  case Type::F16:
    return half(op, Type::F16, old, value);
  case Type::BF16:
    return half(op, Type::BF16, old, value);
  case Type::F16x2:
  case Type::BF16x2: {
    Type t = type == Type::F16x2 ? Type::F16 : Type::BF16;
    return half(op, t, old, value) | half(op, t, old >> 16, value >> 16) << 16;
  }
  case Type::F32: {
    float a, b;
    uint32_t x = old, y = value;
    std::memcpy(&a, &x, 4);
    std::memcpy(&b, &y, 4);
    a += b;
    std::memcpy(&x, &a, 4);
    return x;
  }
  case Type::F64: {
    double a, b;
    std::memcpy(&a, &old, 8);
    std::memcpy(&b, &value, 8);
    a += b;
    std::memcpy(&old, &a, 8);
    return old;
  }
  case Type::S32: {
    int32_t a = old, b = value;
    return uint32_t(op == AtomicOp::Add   ? uint32_t(a) + uint32_t(b)
                    : op == AtomicOp::Min ? (a < b ? a : b)
                                          : (a > b ? a : b));
  }
  case Type::S64: {
    int64_t a = old, b = value;
    return op == AtomicOp::Add   ? old + value
           : op == AtomicOp::Min ? (a < b ? a : b)
                                 : (a > b ? a : b);
  }
  default:
    break;
  }
  if (type == Type::U32)
    old = uint32_t(old), value = uint32_t(value);
  return op == AtomicOp::Add   ? old + value
         : op == AtomicOp::Min ? (old < value ? old : value)
                               : (old > value ? old : value);
}

/// f32 bits with a subnormal number taken as zero of its sign.
static uint64_t flushed(uint64_t x) {
  return x & 0x7f800000 ? x : x & 0x80000000;
}

/// exch and cas of 128 bits: registers are two halves of 64 bits.
static void exchangeWide(Warp &w, const AtomicForm &form, char *host,
                         const uint32_t *registers, unsigned l) {
  bool cas = form.op == AtomicOp::CompareExchange;
  uint64_t old[2], value[2], other[2] = {};
  auto half = [&](uint32_t reference, unsigned h) -> uint64_t & {
    return lane<uint64_t>(w, reference + h * lanes * 8)[l];
  };
  std::memcpy(old, host, 16);
  for (unsigned h = 0; h < 2; ++h) {
    value[h] = half(registers[0], h);
    other[h] = cas ? half(registers[1], h) : 0;
  }
  bool equal = old[0] == value[0] && old[1] == value[1];
  if (!cas)
    std::memcpy(host, value, 16);
  else if (equal)
    std::memcpy(host, other, 16);
  for (unsigned h = 0; h < 2; ++h)
    half(registers[cas ? 2 : 1], h) = old[h];
}

void napkin::executor::atomicOperation(Warp &w, const Instr &i, uint32_t mask) {
  const AtomicForm &form = *static_cast<const AtomicForm *>(i.extra);
  unsigned bytes = form.elementBytes, total = bytes * form.count;
  unsigned cell = bytes < 2 ? 2 : bytes;
  bool cas = form.op == AtomicOp::CompareExchange;
  const uint32_t *values = i.list, *others = values + form.count,
                 *results = others + (cas ? form.count : 0);
  bool reversed = w.machine->options.seed & 1;
  w.counters[i.source].atomics += __builtin_popcount(mask);
  const InstructionCounters before = w.counters[i.source];
  uint64_t addresses[lanes];
  for (unsigned step = 0; step < lanes; ++step) {
    unsigned l = reversed ? lanes - 1 - step : step;
    if (!((mask >> l) & 1))
      continue;
    uint64_t address = i.offset + (i.small0 == 8 ? lane<uint64_t>(w, i.a)[l]
                                                 : lane<uint32_t>(w, i.a)[l]);
    addresses[l] = address;
    Place place = translate(w, i, l, address, total, AddressSpace(i.small1),
                            Access::Atomic);
    if (!place.host)
      return;
    if (w.block->checks && !allWritten(place.marks, total)) {
      trapMarks(w, i, l, address, total, place.marks, Access::Atomic,
                place.space);
      return;
    }
    if (w.block->races && place.space < 2) {
      raceAtomic(w, i, l, address, total, place,
                 form.order | (cas ? Order::comparesBit : 0));
      if (w.event & EventTrap)
        return;
    }
    if (form.type == Type::B128) {
      exchangeWide(w, form, place.host, values, l);
      continue;
    }
    // Only in shared memory are subnormal f32 numbers added as they are.
    bool flushes =
        form.type == Type::F32 && form.op == AtomicOp::Add && place.space == 0;
    for (unsigned e = 0; e < form.count; ++e) {
      uint64_t old = 0, value = 0, other = 0;
      std::memcpy(&old, place.host + e * bytes, bytes);
      std::memcpy(&value, lane<char>(w, values[e]) + l * cell, bytes);
      if (cas)
        std::memcpy(&other, lane<char>(w, others[e]) + l * cell, bytes);
      uint64_t result = old;
      if (flushes) {
        old = flushed(old);
        value = flushed(value);
      }
      uint64_t next = atomicApply(form.op, form.type, old, value, other);
      if (flushes)
        next = flushed(next);
      std::memcpy(place.host + e * bytes, &next, bytes);
      if (form.returns)
        std::memcpy(lane<char>(w, results[e]) + l * cell, &result, bytes);
    }
  }
  recountLanes(w, i, before, addresses, mask, total, AddressSpace(i.small1),
               Access::Atomic);
}
