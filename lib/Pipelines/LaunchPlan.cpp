//===- LaunchPlan.cpp - arrays and launches of a program ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names kernels and arrays so that each name is used once and every name of a
// kernel is an identifier of PTX.
//===----------------------------------------------------------------------===//

#include "LaunchPlan.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "napkin/Schedule/JoinAxes.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::pipelines;

namespace {

/// Gives names that differ.
class Names {
public:
  /// \p wanted, with the least number behind it that makes it new.
  std::string take(std::string wanted) {
    std::string name = wanted;
    for (unsigned i = 1; !taken.insert(name).second; ++i)
      name = wanted + "_" + std::to_string(i);
    return name;
  }

private:
  llvm::StringSet<> taken;
};

/// Builds the plan of a module.
class Planner {
public:
  LogicalResult add(ncd::DiagramOp diagram, bool alone);
  void add(tile::KernelOp kernel, bool alone);
  LaunchPlan plan;

private:
  /// Adds an array; of one of \p diagram, the axes are those that were written.
  unsigned addArray(std::string name, StringLiteral role, Type type,
                    ncd::DiagramOp diagram = {}) {
    auto array = cast<ncd::ArrayType>(type);
    if (diagram)
      array = schedule::declaredType(diagram, array);
    plan.arrays.push_back({arrayNames.take(std::move(name)), role, array});
    return plan.arrays.size() - 1;
  }
  LogicalResult addResults(ncd::DiagramOp diagram, const std::string &prefix);
  LogicalResult addKernel(ncd::KernelOp kernel, std::string entry,
                          StringRef diagram);

  Names arrayNames, entryNames;
  /// Position in plan.arrays of each array in global memory.
  llvm::DenseMap<Value, unsigned> positions;
  unsigned temporaries = 0;
};

} // namespace

/// \p name as an identifier of PTX.
static std::string identifier(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) || c == '_' || c == '$' ? c : '_';
  if (result.empty() || llvm::isDigit(result[0]))
    result.insert(result.begin(), 'k');
  // A lone underscore is an operand that is thrown away, not a name.
  return result == "_" ? "k_" : result;
}

LogicalResult Planner::addResults(ncd::DiagramOp diagram,
                                  const std::string &prefix) {
  Operation *terminator = diagram.getBody().front().getTerminator();
  // Views of results are seen through: what a user joined is joined.
  auto declared = diagram->getAttrOfType<TypeAttr>("ncd.declared");
  for (auto [i, value] : llvm::enumerate(terminator->getOperands())) {
    // Not tested: separateResults has made a copy of such a result.
    if (!value.getDefiningOp<ncd::KernelOp>())
      return terminator->emitError("result '")
             << diagram.getResultName(i)
             << "' is not written by a kernel: it is an argument; copy it with "
                "ncd.map";
    // Not tested: separateResults has made a copy of the second one.
    if (positions.count(value))
      return terminator->emitError("result '")
             << diagram.getResultName(i)
             << "' is returned twice, and a kernel writes it once; copy it "
                "with "
                "ncd.map";
    Type type = declared ? cast<FunctionType>(declared.getValue()).getResult(i)
                         : schedule::declaredType(
                               diagram, cast<ncd::ArrayType>(value.getType()));
    positions[value] =
        addArray(prefix + diagram.getResultName(i), "output", type);
  }
  return success();
}

/// Positions along an axis have 32 bits in device code, those past the end of
/// the last tile included.
static LogicalResult checkSizes(ncd::KernelOp kernel) {
  constexpr int64_t limit = INT32_MAX - (int64_t(1) << 20);
  SmallVector<Type> types(kernel.getBody().getArgumentTypes());
  llvm::append_range(types, kernel.getResultTypes());
  for (Type type : types) {
    auto array = cast<ncd::ArrayType>(type);
    for (auto [axis, size] : llvm::zip(array.getAxes(), array.getSizes()))
      if (size > limit)
        return kernel.emitError("axis '")
               << axis.getValue() << "' has size " << size
               << ", and positions in device code reach " << limit
               << "; write it as two axes";
  }
  return success();
}

LogicalResult Planner::addKernel(ncd::KernelOp kernel, std::string entry,
                                 StringRef diagram) {
  if (failed(checkSizes(kernel)))
    return failure();
  PlannedKernel planned;
  planned.entry = entryNames.take(std::move(entry));
  planned.diagram = diagram.str();
  kernel.setEntry(planned.entry);
  for (Value input : kernel.getDistinctInputs()) {
    // An argument, or what a kernel before it writes: nothing else is there.
    planned.arguments.push_back(positions.at(input));
  }
  for (Value result : kernel.getResults()) {
    auto [known, isNew] = positions.try_emplace(result, 0);
    if (isNew)
      known->second =
          addArray("tmp" + std::to_string(temporaries++), "temporary",
                   result.getType(), kernel->getParentOfType<ncd::DiagramOp>());
    planned.arguments.push_back(known->second);
  }
  FailureOr<report::KernelCost> cost = report::computeKernelCost(kernel);
  if (failed(cost))
    return failure();
  planned.predicted = *cost;
  plan.kernels.push_back(std::move(planned));
  return success();
}

LogicalResult Planner::add(ncd::DiagramOp diagram, bool alone) {
  std::string prefix = alone ? "" : diagram.getSymName().str() + ".";
  Block &body = diagram.getBody().front();
  for (auto [i, argument] : llvm::enumerate(body.getArguments()))
    positions[argument] = addArray(prefix + diagram.getArgumentName(i), "input",
                                   argument.getType(), diagram);
  for (Operation &op : body.without_terminator())
    // Not tested: ncd-schedule leaves nothing, or is the one to refuse it.
    if (!isa<ncd::KernelOp>(op))
      return op.emitOpError("was left outside every kernel");
  if (failed(addResults(diagram, prefix)))
    return failure();
  SmallVector<ncd::KernelOp> kernels(body.getOps<ncd::KernelOp>());
  for (auto [i, kernel] : llvm::enumerate(kernels)) {
    std::string entry = diagram.getSymName().str();
    if (kernel.getEntry())
      entry = kernel.getEntry()->str();
    else if (kernels.size() > 1)
      entry += "_" + std::to_string(i);
    if (failed(addKernel(kernel, identifier(entry), diagram.getSymName())))
      return failure();
  }
  return success();
}

void Planner::add(tile::KernelOp kernel, bool alone) {
  PlannedKernel planned;
  planned.entry = entryNames.take(identifier(kernel.getSymName()));
  kernel.setSymName(planned.entry);
  unsigned inputs = kernel.getArrays().size() - kernel.getOutputs();
  for (auto [i, argument] : llvm::enumerate(kernel.getArrays())) {
    std::string name = i < inputs ? "arg" + std::to_string(i)
                                  : "result" + std::to_string(i - inputs);
    planned.arguments.push_back(
        addArray(alone ? name : planned.entry + "." + name,
                 i < inputs ? StringLiteral("input") : StringLiteral("output"),
                 argument.getType()));
  }
  plan.kernels.push_back(std::move(planned));
}

void napkin::pipelines::separateResults(ModuleOp module) {
  for (auto diagram : module.getOps<ncd::DiagramOp>()) {
    if (diagram.isExternal())
      continue;
    Operation *terminator = diagram.getBody().front().getTerminator();
    OpBuilder builder(terminator);
    llvm::SmallPtrSet<Value, 8> seen;
    for (OpOperand &operand : terminator->getOpOperands()) {
      Value value = operand.get();
      if (!isa<BlockArgument>(value) && seen.insert(value).second)
        continue;
      OperationState state(terminator->getLoc(),
                           ncd::MapOp::getOperationName());
      state.addOperands(value);
      state.addTypes(value.getType());
      Block *body = &state.addRegion()->emplaceBlock();
      Type element = cast<ncd::ArrayType>(value.getType()).getElementType();
      Value scalar = body->addArgument(element, terminator->getLoc());
      Operation *copy = builder.create(state);
      OpBuilder inner = OpBuilder::atBlockEnd(&copy->getRegion(0).front());
      ncd::YieldOp::create(inner, terminator->getLoc(), scalar);
      operand.set(copy->getResult(0));
    }
  }
}

FailureOr<LaunchPlan> napkin::pipelines::planLaunches(ModuleOp module) {
  SmallVector<ncd::DiagramOp> diagrams(module.getOps<ncd::DiagramOp>());
  SmallVector<tile::KernelOp> kernels(module.getOps<tile::KernelOp>());
  if (diagrams.empty() && kernels.empty())
    return module.emitError("nothing to compile: no ncd.diagram");
  Planner planner;
  bool alone = diagrams.size() + kernels.size() == 1;
  for (ncd::DiagramOp diagram : diagrams) {
    if (failed(planner.add(diagram, alone)))
      return failure();
  }
  for (tile::KernelOp kernel : kernels)
    planner.add(kernel, alone);
  return std::move(planner.plan);
}

LogicalResult napkin::pipelines::completeLaunches(ModuleOp module,
                                                  LaunchPlan &plan) {
  for (PlannedKernel &kernel : plan.kernels) {
    LLVM::LLVMFuncOp function;
    for (auto device : module.getOps<gpu::GPUModuleOp>())
      if (auto found = device.lookupSymbol<LLVM::LLVMFuncOp>(kernel.entry))
        function = found;
    if (!function)
      return module.emitError("kernel '")
             << kernel.entry << "' is missing in the device code";
    if (auto blocks = function->getAttrOfType<IntegerAttr>("napkin.blocks"))
      kernel.blocks = blocks.getInt();
    if (auto bytes =
            function->getAttrOfType<IntegerAttr>("napkin.shared_bytes"))
      kernel.sharedBytes = bytes.getInt();
    auto read = function->getAttrOfType<IntegerAttr>("napkin.read_bytes");
    auto written = function->getAttrOfType<IntegerAttr>("napkin.written_bytes");
    if (read && written)
      kernel.transferred = tile::TransferBytes{read.getInt(), written.getInt()};
    if (auto threads =
            function->getAttrOfType<DenseI32ArrayAttr>("nvvm.maxntid"))
      kernel.threads = threads[0];
    if (kernel.blocks > INT32_MAX)
      return function.emitError("needs ")
             << kernel.blocks
             << " blocks, and a grid has at most 2147483647: choose larger "
                "tiles";
  }
  return success();
}

/// How the elements of an array are written in memory.
static StringRef encodingOf(Type element) {
  if (element.isInteger(1))
    return "a byte, 0 or 1";
  if (isa<IntegerType>(element))
    return "two's complement, little endian";
  if (element.isBF16())
    return "bfloat16, little endian";
  if (isa<Float8E4M3FNType>(element))
    return "OCP E4M3";
  if (isa<Float8E5M2Type>(element))
    return "OCP E5M2";
  if (isa<FloatTF32Type>(element))
    return "IEEE 754 binary32, little endian, read as TF32";
  return "IEEE 754 binary, little endian";
}

int64_t LaunchPlan::arrayBytes() const {
  int64_t all = 0;
  for (const PlannedArray &array : arrays)
    if (array.role != "temporary")
      all += array.type.getNumElements().value_or(0) *
             ncd::elementBytes(array.type.getElementType());
  return all;
}

/// Kernels move up to 16 bytes of an array at once, from its beginning on.
static constexpr int64_t arrayAlignment = 16;

std::string LaunchPlan::json(const ManifestFacts &facts) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream out(stream, /*IndentSize=*/2);
  auto triple = [&](StringRef name, int64_t x) {
    out.attributeArray(name, [&] {
      for (int64_t size : {x, int64_t(1), int64_t(1)})
        out.value(size);
    });
  };
  // Two digits, where a double has seventeen.
  auto time = [&](StringRef name, double microseconds) {
    out.attributeBegin(name);
    out.rawValue(llvm::formatv("{0:f2}", microseconds).str());
    out.attributeEnd();
  };
  auto writeArray = [&](const PlannedArray &array) {
    out.attribute("name", array.name);
    out.attribute("role", array.role);
    out.attribute("element", ncd::elementTypeName(array.type.getElementType()));
    out.attributeArray("axes", [&] {
      for (auto [axis, size] :
           llvm::zip(array.type.getAxes(), array.type.getSizes())) {
        out.object([&, axis = axis, size = size] {
          out.attribute("name", axis.getValue());
          out.attribute("size", size);
        });
      }
    });
    if (array.type.hasStrides())
      out.attributeArray("strides", [&] {
        for (int64_t stride : array.type.getStrides())
          out.value(stride);
      });
    out.attribute("bytes", array.type.getSpan() * array.type.getElementBytes());
    out.attribute("encoding", encodingOf(array.type.getElementType()));
    out.attribute("alignment", arrayAlignment);
  };
  auto writeKernel = [&](const PlannedKernel &kernel, size_t index) {
    out.attribute("entry", kernel.entry);
    if (!kernel.diagram.empty())
      out.attribute("diagram", kernel.diagram);
    triple("grid", kernel.blocks);
    triple("block", kernel.threads);
    triple("cluster", 1);
    out.attribute("dynamic_shared_bytes", kernel.sharedBytes);
    out.attribute("max_registers", facts.maxRegisters);
    out.attributeArray("arguments", [&] {
      for (unsigned position : kernel.arguments)
        out.object([&] { out.attribute("array", arrays[position].name); });
    });
    if (kernel.predicted)
      out.attributeObject("predicted", [&] {
        out.attribute("global_read_bytes", kernel.predicted->globalReadBytes);
        out.attribute("global_write_bytes", kernel.predicted->globalWriteBytes);
        if (facts.estimate)
          time("microseconds", facts.estimate->kernels[index]);
      });
    if (kernel.transferred)
      out.attributeObject("tile_program", [&] {
        out.attribute("global_read_bytes", kernel.transferred->read);
        out.attribute("global_write_bytes", kernel.transferred->written);
      });
  };
  out.object([&] {
    // Who does not know of strides must not pass them over.
    bool anyStrides = llvm::any_of(arrays, [](const PlannedArray &array) {
      return array.type.hasStrides();
    });
    out.attribute("napkin", anyStrides ? 2 : 1);
    out.attribute("target", facts.target);
    out.attribute("ptx", facts.ptxFile);
    out.attribute("ptx_version", facts.ptxVersion);
    if (!facts.ptx.empty())
      out.attribute("ptx_sha256",
                    llvm::toHex(llvm::SHA256::hash(
                                    llvm::arrayRefFromStringRef(facts.ptx)),
                                /*LowerCase=*/true));
    out.attributeObject("assumptions", [&] {
      out.attribute("input_bound_log2", facts.inputBound);
    });
    if (const auto &estimate = facts.estimate)
      out.attributeObject("estimate", [&] {
        out.attribute("hardware", estimate->hardware);
        time("microseconds", estimate->microseconds);
        time("roofline_microseconds", estimate->roofline);
        out.attribute("multiply_adds", estimate->multiplyAdds);
      });
    out.attributeArray("arrays", [&] {
      for (const PlannedArray &array : arrays)
        out.object([&] { writeArray(array); });
    });
    out.attributeArray("kernels", [&] {
      for (size_t k = 0; k < kernels.size(); ++k)
        out.object([&] { writeKernel(kernels[k], k); });
    });
  });
  out.flush();
  return text + "\n";
}
