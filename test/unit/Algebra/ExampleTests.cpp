//===- ExampleTests.cpp - Every example over every axis ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes each diagram of examples/ with small sizes as one kernel, and streams
// it over each of its axes in turn: it must either be refused with the axis'
// name, or agree with the plain diagram under any split and merge.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Reference/Evaluate.h"
#include "napkin/Reference/Inputs.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <regex>
#include <set>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

/// `text` with each axis cut to a few positions, by its name.
std::string withSmallSizes(const std::string &text) {
  std::regex size("([A-Za-z_]\\w*)=([0-9]+)(?=[,>])");
  std::string result;
  auto end = std::sregex_iterator();
  size_t last = 0;
  for (auto i = std::sregex_iterator(text.begin(), text.end(), size); i != end;
       ++i) {
    int sum = 0;
    for (char c : (*i)[1].str())
      sum = sum * 7 + c;
    result += text.substr(last, i->position() - last) + (*i)[1].str() + "=" +
              std::to_string(3 + sum % 11);
    last = i->position() + i->length();
  }
  return result + text.substr(last);
}

/// Puts the whole body into one kernel that streams over `axis`.
ncd::KernelOp wrap(ncd::DiagramOp diagram, StringAttr axis) {
  Block &body = diagram.getBody().front();
  Operation *terminator = body.getTerminator();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  auto kernel = ncd::KernelOp::create(builder, diagram.getLoc(),
                                      terminator->getOperandTypes(),
                                      ValueRange(body.getArguments()));
  Block &inner = kernel.getBody().front();
  kernel.setStreamAttr(
      ncd::PartitionAttr::get(diagram.getContext(), {axis}, {2}));
  IRMapping mapping;
  for (auto [outside, inside] :
       llvm::zip(body.getArguments(), inner.getArguments()))
    mapping.map(outside, inside);
  OpBuilder inside = OpBuilder::atBlockEnd(&inner);
  SmallVector<Operation *> old;
  for (Operation &op : body.without_terminator())
    if (&op != kernel) {
      inside.clone(op, mapping);
      old.push_back(&op);
    }
  SmallVector<Value> yielded;
  for (Value value : terminator->getOperands())
    yielded.push_back(mapping.lookupOrDefault(value));
  ncd::YieldOp::create(inside, diagram.getLoc(), yielded);
  terminator->setOperands(kernel.getResults());
  for (Operation *op : llvm::reverse(old))
    op->erase();
  return kernel;
}

class AlgebraExamples : public testing::TestWithParam<std::string> {};

TEST_P(AlgebraExamples, EveryAxisStreamsOrIsRefused) {
  auto file = llvm::MemoryBuffer::getFile(GetParam());
  ASSERT_TRUE(bool(file));
  MLIRContext context;
  context
      .loadDialect<ncd::NCDDialect, arith::ArithDialect, math::MathDialect>();
  std::string message;
  context.getDiagEngine().registerHandler(
      [&](Diagnostic &diagnostic) { message += diagnostic.str() + "\n"; });
  std::string text = withSmallSizes((*file)->getBuffer().str());
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  // An axis and its parts, or an axis and what is found along it.
  if (!module && parseSourceString<ModuleOp>((*file)->getBuffer(), &context))
    GTEST_SKIP() << "sizes of this example hang together";
  ASSERT_TRUE(module) << message << text;
  PassManager manager(&context);
  manager.addPass(ncd::createNCDDecomposePass());
  ASSERT_TRUE(succeeded(manager.run(*module))) << message;

  std::set<std::string> axes;
  bool rounds = false;
  module->walk([&](Operation *op) {
    for (TypeRange types :
         {TypeRange(op->getResultTypes()), TypeRange(op->getOperandTypes())})
      for (Type type : types)
        if (auto array = dyn_cast<ncd::ArrayType>(type)) {
          for (StringAttr axis : array.getAxes())
            axes.insert(axis.str());
          rounds |= array.getElementType().getIntOrFloatBitWidth() < 32;
        }
  });
  int streamed = 0;
  for (const std::string &axis : axes) {
    OwningOpRef<ModuleOp> copy = module->clone();
    auto diagram = *copy->getOps<ncd::DiagramOp>().begin();
    ncd::KernelOp kernel = wrap(diagram, StringAttr::get(&context, axis));
    message.clear();
    if (failed(algebra::rewriteAsStream(kernel))) {
      EXPECT_NE(message.find("axis " + axis), std::string::npos) << message;
      if (std::getenv("NAPKIN_PRINT_FORMS"))
        std::printf("   %s: %s", axis.c_str(), message.c_str());
      continue;
    }
    ++streamed;
    ASSERT_TRUE(succeeded(mlir::verify(*copy))) << message;
    auto plain = *module->getOps<ncd::DiagramOp>().begin();
    std::vector<Tensor> inputs;
    for (auto [i, type] : llvm::enumerate(plain.getArgumentTypes()))
      inputs.push_back(randomTensor(cast<ncd::ArrayType>(type),
                                    Distribution::Normal, 31 * i + 1));
    EvaluationOptions exact, single;
    exact.storage = Storage::NarrowOnly;
    single.arithmetic = Arithmetic::Single;
    auto reference = evaluateDiagram(plain, inputs, exact);
    auto direct = evaluateDiagram(plain, inputs, single);
    ASSERT_TRUE(succeeded(reference) && succeeded(direct)) << message;
    for (uint64_t seed = 0; seed < 5; ++seed) {
      single.streamSeed = seed;
      auto results = evaluateDiagram(diagram, inputs, single);
      ASSERT_TRUE(succeeded(results)) << message;
      for (size_t i = 0; i < results->size(); ++i) {
        auto got = compareTensors((*results)[i], (*reference)[i]);
        auto same = compareTensors((*direct)[i], (*reference)[i]);
        ASSERT_TRUE(bool(got) && bool(same));
        EXPECT_EQ(got->nonFiniteMismatches, 0) << "axis " << axis;
        EXPECT_LE(got->relativeError(),
                  std::max(4 * same->relativeError(), rounds ? 1.6e-2 : 4e-6))
            << "axis " << axis << ", seed " << seed;
      }
    }
  }
  if (std::getenv("NAPKIN_PRINT_FORMS"))
    std::printf("%s: %d of %d axes\n", GetParam().c_str(), streamed,
                int(axes.size()));
}

std::vector<std::string> examples() {
  std::vector<std::string> result;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator i(NAPKIN_EXAMPLES, error), end;
       i != end && !error; i.increment(error))
    if (llvm::sys::path::extension(i->path()) == ".mlir")
      result.push_back(i->path());
  llvm::sort(result);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Files, AlgebraExamples, testing::ValuesIn(examples()),
                         [](const auto &info) {
                           return llvm::sys::path::stem(info.param).str();
                         });

} // namespace
