//===- Marks.h - Which bytes of memory were written ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared and local memory have a byte of state for each byte, because copies
// under way and mbarriers are states too. Global memory, of which there is much
// more, has a bit, and none where all is written. Several host threads may set
// bits of one word.
//
// The functions are static: files compiled for one kind of host include this.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_MARKS_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_MARKS_H

#include <cstdint>

namespace napkin::executor {

/// State of a byte in a shadow.
constexpr uint8_t shadowFresh = 0, shadowWritten = 0xff;
/// A pending asynchronous copy will write it; a pending one reads it;
/// it holds an mbarrier.
constexpr uint8_t shadowIncoming = 0x11, shadowBarrier = 0x33;

/// The marks of bytes that follow one another: those of `shadow`, else the bits
/// of `bits` from number `first` on; without either all are written.
struct Marks {
  uint8_t *shadow = nullptr;
  uint64_t *bits = nullptr;
  uint64_t first = 0;
};

/// Of bits [first, first + count) those in the word of the first one; the next
/// word's first bit is `next`.
static inline uint64_t maskOfWord(uint64_t first, uint64_t count,
                                  uint64_t &next) {
  const unsigned low = first & 63;
  next = first - low + 64;
  uint64_t mask = ~uint64_t(0) << low;
  if (first + count < next)
    mask &= ~(~uint64_t(0) << (low + count));
  return mask;
}

/// Whether bits [first, first + count) are all set.
static inline bool allBitsSet(const uint64_t *bits, uint64_t first,
                              uint64_t count) {
  while (count) {
    uint64_t next, mask = maskOfWord(first, count, next);
    uint64_t word = __atomic_load_n(bits + (first >> 6), __ATOMIC_RELAXED);
    if ((word & mask) != mask)
      return false;
    if (count <= next - first)
      return true;
    count -= next - first;
    first = next;
  }
  return true;
}

/// Sets bits [first, first + count).
static inline void setBits(uint64_t *bits, uint64_t first, uint64_t count) {
  while (count) {
    uint64_t next, mask = maskOfWord(first, count, next);
    uint64_t *word = bits + (first >> 6);
    uint64_t before = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (~mask == 0)
      __atomic_store_n(word, mask, __ATOMIC_RELAXED);
    else if ((before & mask) != mask)
      __atomic_fetch_or(word, mask, __ATOMIC_RELAXED);
    if (count <= next - first)
      return;
    count -= next - first;
    first = next;
  }
}

/// Whether `count` bytes of a shadow are all written.
static inline bool allWritten(const uint8_t *shadow, uint64_t count) {
  uint64_t word;
  if (count >= 8) {
    uint64_t all = ~uint64_t(0);
    for (uint64_t b = 0; b + 8 <= count; b += 8) {
      __builtin_memcpy(&word, shadow + b, 8);
      all &= word;
    }
    if (count % 8) {
      __builtin_memcpy(&word, shadow + count - 8, 8);
      all &= word;
    }
    return all == ~uint64_t(0);
  }
  if (count == 4) {
    uint32_t half;
    __builtin_memcpy(&half, shadow, 4);
    return half == ~0u;
  }
  for (uint64_t b = 0; b < count; ++b)
    if (shadow[b] != shadowWritten)
      return false;
  return true;
}

/// Whether the first `count` bytes are all written.
static inline bool allWritten(const Marks &marks, uint64_t count) {
  return marks.shadow ? allWritten(marks.shadow, count)
         : marks.bits ? allBitsSet(marks.bits, marks.first, count)
                      : true;
}

/// Marks the first `count` bytes as written.
static inline void setWritten(const Marks &marks, uint64_t count) {
  if (marks.shadow)
    __builtin_memset(marks.shadow, shadowWritten, count);
  else if (marks.bits)
    setBits(marks.bits, marks.first, count);
}

/// The state of byte `at`.
static inline uint8_t markAt(const Marks &marks, unsigned at) {
  if (marks.shadow)
    return marks.shadow[at];
  return !marks.bits || allBitsSet(marks.bits, marks.first + at, 1)
             ? shadowWritten
             : shadowFresh;
}

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_MARKS_H
