//===- Instruction.cpp - Matrix instructions as rows of data --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types, and what follows from a row of the table.
//
//===----------------------------------------------------------------------===//

#include "napkin/Target/Instruction.h"
#include <algorithm>

using namespace napkin::target;

namespace {
/// An element type in figures; the order is that of Element. Floats have
/// exponents from `least` (of the least normal value) to `most`.
struct ElementInfo {
  llvm::StringLiteral name;
  unsigned bytes;
  bool isFloat;
  /// Bits of the significand with the leading one, or of an integer without its
  /// sign.
  int precision;
  int least, most;
};
} // namespace

static const ElementInfo &infoOf(Element element) {
  static constexpr ElementInfo table[] = {
      {"f64", 8, true, 53, -1022, 1023}, {"f32", 4, true, 24, -126, 127},
      {"tf32", 4, true, 11, -126, 127},  {"bf16", 2, true, 8, -126, 127},
      {"f16", 2, true, 11, -14, 15},     {"f8E4M3FN", 1, true, 4, -6, 8},
      {"f8E5M2", 1, true, 3, -14, 15},   {"i64", 8, false, 63, 0, 0},
      {"i32", 4, false, 31, 0, 0},       {"i8", 1, false, 7, 0, 0},
  };
  return table[unsigned(element)];
}

llvm::StringRef napkin::target::elementName(Element element) {
  return infoOf(element).name;
}

std::optional<Element> napkin::target::parseElement(llvm::StringRef name) {
  for (Element element :
       {Element::F64, Element::F32, Element::TF32, Element::BF16, Element::F16,
        Element::F8E4M3, Element::F8E5M2, Element::I64, Element::I32,
        Element::I8})
    if (elementName(element) == name)
      return element;
  return std::nullopt;
}

unsigned napkin::target::elementBytes(Element element) {
  return infoOf(element).bytes;
}

bool napkin::target::represents(Element wide, Element narrow) {
  const ElementInfo &to = infoOf(wide), &from = infoOf(narrow);
  if (to.isFloat != from.isFloat)
    return to.isFloat && from.precision < to.precision;
  // A subnormal of the narrow type is a normal or a subnormal of the wide one:
  // its last place counts.
  return to.precision >= from.precision &&
         (!to.isFloat ||
          (to.most >= from.most &&
           to.least - to.precision <= from.least - from.precision));
}

Fragment::Position Fragment::at(uint32_t reg, uint32_t lane) const {
  Position position;
  auto add = [&](llvm::ArrayRef<FragmentBit> bits, uint32_t value) {
    for (unsigned i = 0; i < bits.size(); ++i)
      if ((value >> i & 1) && bits[i].axis != FragmentBit::nowhere)
        (bits[i].axis ? position.second : position.first) |= 1u << bits[i].bit;
  };
  add(registers, reg);
  add(lanes, lane);
  return position;
}

unsigned Fragment::extent(unsigned axis) const {
  unsigned bits = laneBits(axis);
  for (FragmentBit bit : registers)
    bits += bit.axis == axis;
  return 1u << bits;
}

unsigned Fragment::laneBits(unsigned axis) const {
  unsigned count = 0;
  for (FragmentBit bit : lanes)
    count += bit.axis == axis;
  return count;
}

double MatrixInstruction::aRegisters() const {
  return aFragment.numRegisters() * elementBytes(a) / 4.0;
}

double MatrixInstruction::bRegisters() const {
  return bFragment.numRegisters() * elementBytes(b) / 4.0;
}

unsigned MatrixInstruction::leastColumns() const {
  return columns() * std::max(1u, unsigned(4 / bRegisters()));
}

unsigned MatrixInstruction::leastFree() const {
  return std::max(rows(), leastColumns());
}

double MatrixInstruction::productsPerCycle() const {
  constexpr double schedulers = 4, threads = 32;
  double products = double(m) * n * k;
  return schedulers * products * (scope == Scope::Thread ? threads : 1) /
         cyclesPerIssue;
}
