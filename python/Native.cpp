//===- Native.cpp - the C interface as a Python module ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// napkin._native: the functions of napkin-c/Compiler.h and napkin-c/Executor.h,
// with owners for what they return and exceptions for their messages. What a
// user sees is python/napkin/*.py.
//===----------------------------------------------------------------------===//

#include "napkin-c/Compiler.h"
#include "napkin-c/Executor.h"
#include <memory>
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <stdexcept>

namespace nb = nanobind;
using namespace nb::literals;

namespace {
/// What the library refuses, in its words.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Pins = std::vector<std::pair<std::string, int64_t>>;
using Extent = std::array<uint32_t, 3>;
/// Severity, file, line, column, text.
using Diagnostic =
    std::tuple<std::string, std::string, uint32_t, uint32_t, std::string>;
} // namespace

/// Throws \p error, which the library gave, where \p succeeded is false.
static void require(bool succeeded, char *error) {
  if (succeeded)
    return;
  std::string text = error ? error : "";
  napkinExecutorFree(error);
  throw Refusal(text);
}

//===----------------------------------------------------------------------===//
// The compiler
//===----------------------------------------------------------------------===//

namespace {
/// A compilation and the texts that its options pointed to.
class Compilation {
public:
  Compilation(const std::string &source, const std::string &target,
              const std::string &hardware, const std::string &name,
              const std::string &stage, const Pins &group, const Pins &stream,
              const Pins &split, int64_t warps, int64_t stages,
              double inputBound, bool allowTF32) {
    NapkinOptions options = napkinDefaultOptions();
    std::vector<NapkinPin> pinGroup = pins(group), pinStream = pins(stream),
                           pinSplit = pins(split);
    options.target = target.c_str();
    options.hardware = hardware.c_str();
    options.name = name.c_str();
    options.stage = stage.c_str();
    options.pinGroup = pinGroup.data();
    options.numPinGroup = pinGroup.size();
    options.pinStream = pinStream.data();
    options.numPinStream = pinStream.size();
    options.pinSplit = pinSplit.data();
    options.numPinSplit = pinSplit.size();
    options.pinWarps = warps;
    options.pinStages = stages;
    options.inputBound = inputBound;
    options.allowTF32 = allowTF32;
    nb::gil_scoped_release release;
    handle.reset(napkinCompile(source.data(), source.size(), &options));
  }

  std::string error() const {
    const char *text = napkinError(handle.get());
    return text ? text : "";
  }
  std::string ptx() const { return napkinPTX(handle.get()); }
  std::string manifest() const { return napkinManifest(handle.get()); }
  std::string report() const { return napkinReport(handle.get()); }
  nb::bytes output() const {
    size_t length = 0;
    const char *text = napkinOutput(handle.get(), &length);
    return nb::bytes(text, length);
  }
  std::vector<Diagnostic> diagnostics() const {
    static const char *const names[] = {"error", "warning", "remark", "note"};
    std::vector<Diagnostic> list;
    for (size_t i = 0; i < napkinNumDiagnostics(handle.get()); ++i) {
      const NapkinDiagnostic &d = *napkinDiagnostic(handle.get(), i);
      list.emplace_back(names[d.severity], d.file, d.line, d.column, d.text);
    }
    return list;
  }
  /// The verdict, and what `napkinc --verify` prints.
  std::pair<int, std::string> verify(uint64_t seed, const std::string &inputs) {
    NapkinVerifyOptions options = napkinDefaultVerifyOptions();
    options.seed = seed;
    options.inputs = inputs.c_str();
    nb::gil_scoped_release release;
    NapkinVerdict verdict = napkinVerify(handle.get(), &options);
    return {verdict, napkinVerification(handle.get())};
  }

private:
  static std::vector<NapkinPin> pins(const Pins &from) {
    std::vector<NapkinPin> result;
    for (const auto &[axis, size] : from)
      result.push_back({axis.c_str(), size});
    return result;
  }

  struct Disposer {
    void operator()(NapkinCompilation *compilation) const {
      napkinDispose(compilation);
    }
  };
  std::unique_ptr<NapkinCompilation, Disposer> handle;
};
} // namespace

static std::vector<std::pair<std::string, std::string>> stages() {
  std::vector<std::pair<std::string, std::string>> list;
  for (size_t i = 0; i < napkinNumStages(); ++i)
    list.emplace_back(napkinStageName(i), napkinStageDescription(i));
  return list;
}

//===----------------------------------------------------------------------===//
// The executor
//===----------------------------------------------------------------------===//

namespace {
struct Module {
  Module(const std::string &text, const std::string &name) {
    char *error = nullptr;
    handle.reset(
        napkinExecutorParse(text.data(), text.size(), name.c_str(), &error));
    require(handle != nullptr, error);
  }
  std::vector<std::string> kernels() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < napkinExecutorNumKernels(handle.get()); ++i)
      names.push_back(napkinExecutorKernel(handle.get(), i)->name);
    return names;
  }
  /// Type and bytes of each parameter of kernel \p name.
  std::vector<std::pair<std::string, uint64_t>>
  parameters(const std::string &name) const {
    for (size_t i = 0; i < napkinExecutorNumKernels(handle.get()); ++i) {
      const NapkinExecutorKernel &kernel =
          *napkinExecutorKernel(handle.get(), i);
      if (name != kernel.name)
        continue;
      std::vector<std::pair<std::string, uint64_t>> list;
      for (size_t p = 0; p < kernel.numParameters; ++p)
        list.emplace_back(kernel.parameters[p].type,
                          kernel.parameters[p].bytes);
      return list;
    }
    throw Refusal("no kernel '" + name + "' in the program");
  }

  struct Disposer {
    void operator()(NapkinExecutorModule *module) const {
      napkinExecutorModuleDestroy(module);
    }
  };
  std::unique_ptr<NapkinExecutorModule, Disposer> handle;
};

/// What a launch did.
struct Result {
  explicit Result(NapkinExecutorResult *result) : handle(result) {}
  std::vector<std::string> traps() const {
    std::vector<std::string> texts;
    for (size_t i = 0; i < napkinExecutorNumTraps(handle.get()); ++i)
      texts.push_back(napkinExecutorTrap(handle.get(), i)->description);
    return texts;
  }
  std::string counters(bool perLine) const {
    return napkinExecutorCountersJson(handle.get(), perLine);
  }
  double seconds() const { return napkinExecutorSeconds(handle.get()); }

  struct Disposer {
    void operator()(NapkinExecutorResult *result) const {
      napkinExecutorResultDestroy(result);
    }
  };
  std::unique_ptr<NapkinExecutorResult, Disposer> handle;
};

class Device {
public:
  Device() : handle(napkinExecutorDeviceCreate()) {}

  uint64_t allocate(uint64_t bytes, const std::string &name) {
    char *error = nullptr;
    uint64_t address =
        napkinExecutorAllocate(handle.get(), bytes, name.c_str(), &error);
    require(address != 0, error);
    return address;
  }
  void write(uint64_t address, nb::bytes data) {
    char *error = nullptr;
    require(napkinExecutorCopyToDevice(handle.get(), address, data.c_str(),
                                       data.size(), &error),
            error);
  }
  /// The bytes, and how many of them no one wrote.
  std::pair<nb::bytes, uint64_t> read(uint64_t address, uint64_t bytes) {
    std::vector<char> data(bytes);
    char *error = nullptr;
    uint64_t neverWritten = 0;
    require(napkinExecutorCopyFromDevice(handle.get(), data.data(), address,
                                         bytes, &neverWritten, &error),
            error);
    return {nb::bytes(data.data(), data.size()), neverWritten};
  }
  Result launch(const Module &module, const std::string &entry,
                const std::vector<nb::bytes> &arguments, const Extent &grid,
                const Extent &block, const Extent &cluster,
                uint64_t sharedBytes, bool checks, uint64_t seed) {
    std::vector<NapkinExecutorArgument> list;
    for (const nb::bytes &argument : arguments)
      list.push_back({argument.c_str(), argument.size()});
    NapkinExecutorLaunchConfig config = {};
    std::copy(grid.begin(), grid.end(), config.grid);
    std::copy(block.begin(), block.end(), config.block);
    std::copy(cluster.begin(), cluster.end(), config.cluster);
    config.dynamicSharedBytes = sharedBytes;
    NapkinExecutorOptions options = napkinExecutorDefaultOptions();
    options.checks = options.races = checks;
    options.seed = seed;
    char *error = nullptr;
    NapkinExecutorResult *result;
    {
      nb::gil_scoped_release release;
      result = napkinExecutorLaunch(handle.get(), module.handle.get(),
                                    entry.c_str(), list.data(), list.size(),
                                    &config, &options, &error);
    }
    require(result != nullptr, error);
    return Result(result);
  }

private:
  struct Disposer {
    void operator()(NapkinExecutorDevice *device) const {
      napkinExecutorDeviceDestroy(device);
    }
  };
  std::unique_ptr<NapkinExecutorDevice, Disposer> handle;
};
} // namespace

NB_MODULE(_native, module) {
  nb::exception<Refusal>(module, "Refusal");
  module.def("stages", &stages);
  module.attr("VERIFIED") = static_cast<int>(NAPKIN_VERIFIED);
  module.attr("NOT_RUN") = static_cast<int>(NAPKIN_NOT_RUN);

  nb::class_<Compilation>(module, "Compilation")
      .def(nb::init<const std::string &, const std::string &,
                    const std::string &, const std::string &,
                    const std::string &, const Pins &, const Pins &,
                    const Pins &, int64_t, int64_t, double, bool>(),
           "source"_a, nb::kw_only(), "target"_a, "hardware"_a, "name"_a,
           "stage"_a, "pin_group"_a, "pin_stream"_a, "pin_split"_a,
           "pin_warps"_a, "pin_stages"_a, "input_bound"_a, "allow_tf32"_a)
      .def_prop_ro("error", &Compilation::error)
      .def_prop_ro("ptx", &Compilation::ptx)
      .def_prop_ro("manifest", &Compilation::manifest)
      .def_prop_ro("report", &Compilation::report)
      .def_prop_ro("output", &Compilation::output)
      .def_prop_ro("diagnostics", &Compilation::diagnostics)
      .def("verify", &Compilation::verify, "seed"_a, "inputs"_a);

  nb::class_<Module>(module, "Module")
      .def(nb::init<const std::string &, const std::string &>(), "text"_a,
           "name"_a)
      .def_prop_ro("kernels", &Module::kernels)
      .def("parameters", &Module::parameters, "kernel"_a);
  nb::class_<Result>(module, "Result")
      .def_prop_ro("traps", &Result::traps)
      .def("counters", &Result::counters, "per_line"_a)
      .def_prop_ro("seconds", &Result::seconds);
  nb::class_<Device>(module, "Device")
      .def(nb::init<>())
      .def("allocate", &Device::allocate, "bytes"_a, "name"_a)
      .def("write", &Device::write, "address"_a, "data"_a)
      .def("read", &Device::read, "address"_a, "bytes"_a)
      .def("launch", &Device::launch, "module"_a, "entry"_a, "arguments"_a,
           "grid"_a, "block"_a, "cluster"_a, "shared_bytes"_a, "checks"_a,
           "seed"_a);
}
