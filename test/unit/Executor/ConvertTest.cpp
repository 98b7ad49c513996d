//===- ConvertTest.cpp - cvt between all types -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every pair, rounding and saturation against a rounding in long double, which
// holds all values and all roundings of them exactly.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <cfenv>

using namespace napkin::executor;

namespace {

using Wide = long double;

struct Number {
  const char *name;
  unsigned bits;
  bool isFloat, isSigned;
  /// Bits of the significand with the leading one, least exponent.
  int precision, least;
};
const Number numbers[] = {
    {"u8", 8, false, false, 0, 0},     {"s8", 8, false, true, 0, 0},
    {"u16", 16, false, false, 0, 0},   {"s16", 16, false, true, 0, 0},
    {"u32", 32, false, false, 0, 0},   {"s32", 32, false, true, 0, 0},
    {"u64", 64, false, false, 0, 0},   {"s64", 64, false, true, 0, 0},
    {"f16", 16, true, true, 11, -14},  {"bf16", 16, true, true, 8, -126},
    {"f32", 32, true, true, 24, -126}, {"f64", 64, true, true, 53, -1022}};

int mode(char r) {
  return r == 'n'   ? FE_TONEAREST
         : r == 'z' ? FE_TOWARDZERO
         : r == 'm' ? FE_DOWNWARD
                    : FE_UPWARD;
}

Wide roundTo(Wide x, char r) {
  int before = std::fegetround();
  std::fesetround(mode(r));
  volatile Wide in = x;
  volatile Wide out = std::rint(in);
  std::fesetround(before);
  return out;
}

Wide largest(const Number &n) {
  return std::ldexp(Wide(2) - std::ldexp(Wide(1), 1 - n.precision),
                    1 - n.least);
}

/// The nearest number of the format in direction r, as a value.
Wide roundedTo(Wide x, const Number &n, char r, bool finite) {
  if (x == 0 || std::isnan(x))
    return x;
  if (!std::isinf(x)) {
    int exponent = std::max(std::ilogb(x), n.least),
        unit = exponent - n.precision + 1;
    x = std::copysign(std::ldexp(roundTo(std::ldexp(x, -unit), r), unit), x);
    if (std::fabs(x) <= largest(n))
      return x;
    bool inwards = r == 'z' || (r == 'm' && x > 0) || (r == 'p' && x < 0);
    if (inwards)
      return std::copysign(largest(n), x);
  }
  return std::copysign(finite ? largest(n) : Wide(INFINITY), x);
}

uint64_t floatBits(Wide x, const Number &n) {
  int fraction = n.precision - 1, bias = 1 - n.least;
  uint64_t infinity = uint64_t(2 * bias + 1) << fraction,
           sign = std::signbit(x) ? uint64_t(1) << (n.bits - 1) : 0;
  if (std::isnan(x))
    return infinity | 1;
  Wide size = std::fabs(x);
  if (std::isinf(x))
    return sign | infinity;
  if (size == 0)
    return sign;
  int exponent = std::max(std::ilogb(size), n.least);
  uint64_t body = uint64_t(std::ldexp(size, fraction - exponent));
  // A normal number has the leading one, which adds one to the exponent field.
  return sign | (body + (uint64_t(exponent + bias - 1) << fraction));
}

Wide valueOf(uint64_t bits, const Number &n) {
  if (!n.isFloat) {
    uint64_t up = bits << (64 - n.bits);
    return n.isSigned ? Wide(int64_t(up) >> (64 - n.bits))
                      : Wide(up >> (64 - n.bits));
  }
  int fraction = n.precision - 1, bias = 1 - n.least;
  bool negative = bits >> (n.bits - 1) & 1;
  uint64_t field = bits >> fraction & uint64_t(2 * bias + 1),
           body = bits & ((uint64_t(1) << fraction) - 1);
  Wide size;
  if (field == uint64_t(2 * bias + 1))
    size = body ? Wide(NAN) : Wide(INFINITY);
  else if (!field)
    size = std::ldexp(Wide(body), n.least - fraction);
  else
    size = std::ldexp(Wide(body | uint64_t(1) << fraction),
                      int(field) - bias - fraction);
  return negative ? -size : size;
}

struct Form {
  const Number &to, &from;
  /// n, z, m or p; 0: none.
  char rounding = 0;
  bool integral = false, ftz = false, sat = false, finite = false, relu = false;
  std::string name() const {
    std::string text = "cvt";
    if (rounding)
      text += std::string(".r") + rounding + (integral ? "i" : "");
    return text + (ftz ? ".ftz" : "") + (relu ? ".relu" : "") +
           (sat ? ".sat" : "") + (finite ? ".satfinite" : "") + "." + to.name +
           "." + from.name;
  }
};

Wide flushed(Wide x) {
  return std::fabs(x) < std::ldexp(Wide(1), -126) ? std::copysign(Wide(0), x)
                                                  : x;
}

uint64_t cut(uint64_t x, unsigned bits) {
  return bits == 64 ? x : x & ((uint64_t(1) << bits) - 1);
}

uint64_t expectedInteger(const Form &f, Wide x, uint64_t bits) {
  unsigned width = f.to.bits;
  Wide low = f.to.isSigned ? -std::ldexp(Wide(1), width - 1) : Wide(0),
       high = std::ldexp(Wide(1), f.to.isSigned ? width - 1 : width) - 1;
  if (!f.from.isFloat && !f.sat) {
    // Cut, or extended by the source's sign.
    uint64_t up = bits << (64 - f.from.bits);
    return cut(f.from.isSigned ? uint64_t(int64_t(up) >> (64 - f.from.bits))
                               : up >> (64 - f.from.bits),
               width);
  }
  if (std::isnan(x)) // manual, "Floating-point conversion notes"
    return std::string(f.from.name) == "f64" || width == 64
               ? uint64_t(1) << (width - 1)
               : 0;
  x = f.from.isFloat ? roundTo(x, f.rounding) : x;
  x = std::min(std::max(x, low), high);
  return cut(x < 0 ? uint64_t(-uint64_t(-x)) : uint64_t(x), width);
}

uint64_t expected(const Form &f, uint64_t bits) {
  Wide x = valueOf(bits, f.from);
  if (f.ftz && f.from.isFloat && f.from.bits == 32)
    x = flushed(x);
  if (!f.to.isFloat)
    return expectedInteger(f, x, bits);
  if (f.integral && std::isfinite(x) && x != 0)
    x = std::copysign(roundTo(x, f.rounding), x);
  if (f.sat)
    x = x > 0 ? std::min(x, Wide(1)) : Wide(0);
  if (f.relu && !std::isnan(x))
    x = x > 0 ? x : Wide(0);
  x = roundedTo(x, f.to, f.integral || !f.rounding ? 'n' : f.rounding,
                f.finite);
  if (f.ftz && f.to.bits == 32)
    x = flushed(x);
  return floatBits(x, f.to);
}

std::vector<uint64_t> inputs(const Number &n) {
  std::vector<uint64_t> values;
  std::mt19937_64 engine(n.bits + n.isSigned);
  if (!n.isFloat) {
    for (uint64_t v : {0ull,
                       1ull,
                       2ull,
                       127ull,
                       128ull,
                       255ull,
                       256ull,
                       32767ull,
                       32768ull,
                       65519ull,
                       65520ull,
                       65535ull,
                       65536ull,
                       16777217ull,
                       2147483647ull,
                       2147483648ull,
                       4294967295ull,
                       9007199254740993ull,
                       9223372036854775807ull,
                       9223372036854775808ull})
      for (uint64_t w : {v, uint64_t(-v)})
        values.push_back(cut(w, n.bits));
  } else {
    for (Wide v :
         {0.0L,       0.5L,        1.0L,          1.5L,           2.5L,
          0.25L,      0.75L,       127.5L,        128.5L,         129.0L,
          255.5L,     256.5L,      32767.5L,      65504.0L,       65519.0L,
          65520.0L,   65536.5L,    2147483647.5L, 4294967296.0L,  3.0e9L,
          9.3e18L,    1.9e19L,     1e-3L,         6e-8L,          2.9e-8L,
          1e-40L,     1e-38L,      3.4028235e38L, 3.4028236e38L,  1e300L,
          1.0009765L, 1.00390625L, 0.1L,          Wide(INFINITY), Wide(NAN)})
      for (Wide w : {v, -v})
        values.push_back(floatBits(roundedTo(w, n, 'n', false), n));
  }
  while (values.size() < 96)
    values.push_back(cut(engine(), n.bits));
  return values;
}

const char *registerOf(const Number &n) {
  return n.bits <= 16                   ? "h"
         : std::string(n.name) == "f32" ? "f"
         : std::string(n.name) == "f64" ? "fd"
         : n.bits == 64                 ? "rd"
                                        : "r";
}

std::string memoryType(const Number &n) {
  return std::string(n.name) == "f32"   ? "f32"
         : std::string(n.name) == "f64" ? "f64"
                                        : "u" + std::to_string(n.bits);
}

void check(const Form &form) {
  std::vector<uint64_t> in = inputs(form.from);
  unsigned bytesIn = form.from.bits / 8, bytesOut = form.to.bits / 8;
  std::vector<uint8_t> packed(in.size() * bytesIn);
  for (size_t i = 0; i < in.size(); ++i)
    std::memcpy(&packed[i * bytesIn], &in[i], bytesIn);
  Device device;
  uint64_t from = upload(device, packed, "in"),
           to = cantFail(device.allocate(in.size() * bytesOut, "out"));
  std::string target = std::string("%") + registerOf(form.to) + "2",
              source = std::string("%") + registerOf(form.from) + "1";
  std::string body =
      "mul.wide.u32 %rd5, %t, " + std::to_string(bytesIn) +
      "; add.u64 %rd5, %rd5, %rd0; mul.wide.u32 %rd6, %t, " +
      std::to_string(bytesOut) + "; add.u64 %rd6, %rd6, %rd1; ld.global." +
      memoryType(form.from) + " " + source + ", [%rd5]; " + form.name() + " " +
      target + ", " + source + "; st.global." + memoryType(form.to) +
      " [%rd6], " + target + ";";
  Ran ran = run(kernelText(body, 2, "", "sm_90"), device, {from, to},
                {{1, 1, 1}, {uint32_t(in.size()), 1, 1}});
  ASSERT_EQ(ran.error, "") << form.name();
  ASSERT_EQ(ran.trap(), "") << form.name();
  auto out = download<uint8_t>(device, to, in.size() * bytesOut);
  for (size_t i = 0; i < in.size(); ++i) {
    uint64_t got = 0, want = expected(form, in[i]);
    std::memcpy(&got, &out[i * bytesOut], bytesOut);
    if (form.to.isFloat && std::isnan(valueOf(want, form.to)))
      EXPECT_TRUE(std::isnan(valueOf(got, form.to)))
          << form.name() << " of " << std::hex << in[i] << " is " << got;
    else
      EXPECT_EQ(got, want) << form.name() << " of "
                           << double(valueOf(in[i], form.from));
  }
}

TEST(Convert, EveryPair) {
  for (const Number &to : numbers)
    for (const Number &from : numbers) {
      bool single = to.bits == 32 || from.bits == 32;
      bool isBrain =
          std::string(to.name) == "bf16" || std::string(from.name) == "bf16";
      if (!to.isFloat && !from.isFloat) {
        // ptxas refuses .sat where every value fits.
        bool fits =
            &to == &from ||
            (to.bits > from.bits && (to.name[0] == 's' || from.name[0] == 'u'));
        for (bool sat : {false, true})
          if (!sat || !fits)
            check({to, from, 0, false, false, sat});
        continue;
      }
      bool toInteger = !to.isFloat, same = &to == &from;
      for (char r : {'n', 'z', 'm', 'p'})
        for (bool sat : {false, true})
          for (bool ftz : {false, true}) {
            bool flushes = single && ((to.isFloat && to.bits == 32) ||
                                      (from.isFloat && from.bits == 32));
            if ((ftz && !flushes) || (sat && isBrain))
              continue;
            if (toInteger || same)
              check({to, from, r, true, ftz, sat});
            else if (!from.isFloat || to.precision < from.precision ||
                     to.least > from.least)
              check({to, from, r, false, ftz, sat});
            else if (r == 'n')
              check({to, from, 0, false, ftz, sat});
          }
    }
}

TEST(Convert, NarrowAndFinite) {
  const Number &f16 = numbers[8], &bf16 = numbers[9], &f32 = numbers[10];
  for (const Number *to : {&f16, &bf16})
    for (char r : {'n', 'z'})
      for (bool relu : {false, true})
        for (bool finite : {false, true})
          check({*to, f32, r, false, false, false, finite, relu});
}

} // namespace
