//===- Elements.cpp - Elementwise handlers of all hosts --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Predicates, packed 16-bit integers, carries, packing: elementwise, but not
// worth a vector variant.
//
//===----------------------------------------------------------------------===//

#include "Machine/Handlers.h"
#include "Machine/Registers.h"

#include <cmath>
#include <cstring>

using namespace napkin::executor;

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

HANDLER(predicateAnd) {
  setPredicate(w, i.d, mask,
               predicate(w, i.a, i.small0) & predicate(w, i.b, i.small1));
}
HANDLER(predicateOr) {
  setPredicate(w, i.d, mask,
               predicate(w, i.a, i.small0) | predicate(w, i.b, i.small1));
}
HANDLER(predicateXor) {
  setPredicate(w, i.d, mask,
               predicate(w, i.a, i.small0) ^ predicate(w, i.b, i.small1));
}
HANDLER(predicateNot) {
  setPredicate(w, i.d, mask, ~predicate(w, i.a, i.small0));
}
HANDLER(predicateConstant) { setPredicate(w, i.d, mask, uint32_t(i.offset)); }

HANDLER(predicateToValue) {
  uint32_t p = w.predicates[i.a];
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    uint64_t value = (p >> l) & 1 ? uint64_t(i.offset) : 0;
    std::memcpy(lane<char>(w, i.d) + l * i.small0, &value, i.small0);
  }
}

template <class F>
static void packed16(Warp &w, const Instr &i, uint32_t mask, F f) {
  uint32_t *d = lane<uint32_t>(w, i.d), *a = lane<uint32_t>(w, i.a),
           *b = lane<uint32_t>(w, i.b);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = uint16_t(f(uint16_t(a[l]), uint16_t(b[l]))) |
             uint32_t(uint16_t(f(uint16_t(a[l] >> 16), uint16_t(b[l] >> 16))))
                 << 16;
}
HANDLER(clearOutOfBounds) {
  unsigned cell = i.small0;
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned at = 0; at < cell && (mask >> l) & 1; at += 2) {
      uint16_t a, b, c;
      std::memcpy(&a, lane<char>(w, i.a) + l * cell + at, 2);
      std::memcpy(&b, lane<char>(w, i.b) + l * cell + at, 2);
      std::memcpy(&c, lane<char>(w, i.c) + l * cell + at, 2);
      c = a == 0xffff || b == 0xffff ? 0 : c;
      std::memcpy(lane<char>(w, i.d) + l * cell + at, &c, 2);
    }
}
HANDLER(packedAdd16) {
  packed16(w, i, mask, [](uint16_t a, uint16_t b) { return a + b; });
}
HANDLER(packedMinS16) {
  packed16(w, i, mask, [](int16_t a, int16_t b) { return a < b ? a : b; });
}
HANDLER(packedMinU16) {
  packed16(w, i, mask, [](uint16_t a, uint16_t b) { return a < b ? a : b; });
}
HANDLER(packedMaxS16) {
  packed16(w, i, mask, [](int16_t a, int16_t b) { return a > b ? a : b; });
}
HANDLER(packedMaxU16) {
  packed16(w, i, mask, [](uint16_t a, uint16_t b) { return a > b ? a : b; });
}

template <class T>
static void withCarry(Warp &w, const Instr &i, uint32_t mask) {
  T *d = lane<T>(w, i.d), *a = lane<T>(w, i.a), *b = lane<T>(w, i.b);
  bool in = i.small0 & 1, out = i.small0 & 2, subtract = i.small0 & 4;
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    unsigned __int128 x = a[l], y = b[l], c = in ? (w.carry >> l) & 1 : 0, r;
    // The borrow is kept as 1.
    r = subtract ? x - y - c : x + y + c;
    d[l] = T(r);
    if (out)
      w.carry = (w.carry & ~(1u << l)) | (uint32_t(r >> (sizeof(T) * 8)) & 1)
                                             << l;
  }
}
HANDLER(carry32) { withCarry<uint32_t>(w, i, mask); }
HANDLER(carry64) { withCarry<uint64_t>(w, i, mask); }

HANDLER(packRegisters) {
  unsigned parts = i.small0, bytes = i.small1, cell = bytes < 2 ? 2 : bytes;
  char *d = lane<char>(w, i.d);
  for (unsigned p = 0; p < parts; ++p) {
    const char *s = lane<char>(w, i.list[p]);
    for (unsigned l = 0; l < lanes; ++l)
      if ((mask >> l) & 1)
        std::memcpy(d + l * i.e + p * bytes, s + l * cell, bytes);
  }
}
HANDLER(unpackRegisters) {
  unsigned parts = i.small0, bytes = i.small1, cell = bytes < 2 ? 2 : bytes;
  const char *a = lane<char>(w, i.a);
  for (unsigned p = 0; p < parts; ++p) {
    if (i.list[p] == noRegister)
      continue;
    char *d = lane<char>(w, i.list[p]);
    for (unsigned l = 0; l < lanes; ++l)
      if ((mask >> l) & 1) {
        std::memcpy(d + l * cell, a + l * i.e + p * bytes, bytes);
        if (bytes == 1)
          d[l * cell + 1] = 0;
      }
  }
}

HANDLER(readClock) {
  // No hardware's time, but loops that wait for some of it end.
  w.clock += 64;
  uint64_t now = (w.clock + w.issued) >> i.small1;
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      std::memcpy(lane<char>(w, i.d) + l * i.small0, &now, i.small0);
  w.event |= EventYield;
}

HANDLER(isSpace) {
  const uint64_t *a = lane<uint64_t>(w, i.a);
  uint32_t result = 0;
  for (unsigned l = 0; l < lanes; ++l) {
    uint64_t window = a[l] & windowMask;
    bool isShared = window == sharedWindow, isLocal = window == localWindow,
         isParam = window == paramWindow;
    bool own = isShared && !((a[l] >> clusterShift) & 0xff);
    bool isRest = !isShared && !isLocal && !isParam, isConst = false;
    // Only constant memory is read-only.
    if (isRest && (mask >> l) & 1)
      if (const RegionView *region = findRegion(w, a[l]))
        isConst = region->readOnly;
    bool in = i.small0 == 0                    ? isRest && !isConst
              : i.small0 == 1 || i.small0 == 5 ? own
              : i.small0 == 6                  ? isShared
              : i.small0 == 2                  ? isLocal
              : i.small0 == 3                  ? isConst
                                               : isParam;
    result |= uint32_t(in) << l;
  }
  setPredicate(w, i.d, mask, result);
}

HANDLER(testNumber) {
  uint32_t result = 0;
  for (unsigned l = 0; l < lanes; ++l) {
    int c;
    if (i.small1 == 4)
      c = std::fpclassify(lane<float>(w, i.a)[l]);
    else
      c = std::fpclassify(lane<double>(w, i.a)[l]);
    bool in = i.small0 == 0   ? c != FP_NAN && c != FP_INFINITE
              : i.small0 == 1 ? c == FP_INFINITE
              : i.small0 == 2 ? c != FP_NAN
              : i.small0 == 3 ? c == FP_NAN
              : i.small0 == 4 ? c == FP_NORMAL
                              : c == FP_SUBNORMAL;
    result |= uint32_t(in) << l;
  }
  setPredicate(w, i.d, mask, result);
}

HANDLER(packSaturated) {
  unsigned bits = i.small0;
  int64_t high = (int64_t(1) << (i.small1 ? bits - 1 : bits)) - 1,
          low = i.small1 ? -high - 1 : 0;
  auto clamp = [&](int64_t v) {
    return uint64_t(v < low    ? low
                    : v > high ? high
                               : v) &
           ((uint64_t(1) << bits) - 1);
  };
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1) {
      uint64_t a = clamp(lane<int32_t>(w, i.a)[l]),
               b = clamp(lane<int32_t>(w, i.b)[l]);
      uint64_t c = lane<uint32_t>(w, i.c)[l];
      lane<uint32_t>(w, i.d)[l] = uint32_t(c << (2 * bits) | a << bits | b);
    }
}
