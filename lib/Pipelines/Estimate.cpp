//===- Estimate.cpp - times of a whole program ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Estimate.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include <cmath>

using namespace mlir;
using namespace napkin;
using namespace napkin::pipelines;
using target::Element;

/// Products of \p contract: every position of every axis of its factors, once
/// for each factor beyond the first.
static int64_t productsOf(ncd::ContractOp contract) {
  llvm::SmallDenseMap<StringAttr, int64_t> sizes;
  for (Value factor : contract.getInputs()) {
    auto type = cast<ncd::ArrayType>(factor.getType());
    for (auto [axis, size] : llvm::zip(type.getAxes(), type.getSizes()))
      sizes[axis] = size;
  }
  double count = std::max<int64_t>(int64_t(contract.getInputs().size()) - 1, 1);
  for (auto [axis, size] : sizes) {
    if (size < 0)
      return 0;
    count *= double(size);
  }
  // A number for people: what leaves 63 bits is no program that is run.
  constexpr double most = 9e18;
  return count < most ? int64_t(count) : 0;
}

Products napkin::pipelines::countProducts(ModuleOp module) {
  Products products;
  module.walk([&](ncd::ContractOp contract) {
    auto type = cast<ncd::ArrayType>(contract.getInputs().front().getType());
    if (auto element =
            target::parseElement(ncd::elementTypeName(type.getElementType())))
      products[*element] += productsOf(contract);
  });
  return products;
}

/// The accumulator of products of \p element.
static Element accumulatorOf(Element element) {
  return element == Element::F64   ? Element::F64
         : element == Element::I8  ? Element::I32
         : element == Element::I32 ? Element::I32
         : element == Element::I64 ? Element::I64
                                   : Element::F32;
}

/// Rounded, so that the text is the same on every host.
static double microsecondsOf(double cycles, const cost::Hardware &hardware) {
  return std::round(cycles / hardware.clockMHz * 100) / 100;
}

std::optional<Estimate> napkin::pipelines::estimate(
    const report::CostReport &report, const Products &products, int64_t bytes,
    const cost::Hardware &hardware, const target::TargetDescription &target,
    bool allowTF32) {
  Estimate estimate;
  estimate.hardware = hardware.name;
  for (const report::KernelReport &kernel : report.kernels) {
    if (!kernel.totalCycles)
      return std::nullopt;
    estimate.kernels.push_back(
        microsecondsOf(double(kernel.totalCycles), hardware));
  }
  estimate.microseconds = microsecondsOf(double(report.cycles()), hardware);
  double multiplying = 0;
  for (auto [element, count] : products) {
    estimate.multiplyAdds += count;
    if (const auto *row =
            target.choose(element, accumulatorOf(element), allowTF32))
      multiplying += double(count) / hardware.productsOf(*row) /
                     double(hardware.multiprocessors);
  }
  double moving = double(bytes) / hardware.level("global").bytesPerCycle;
  estimate.roofline = microsecondsOf(std::max(moving, multiplying), hardware);
  return estimate;
}
