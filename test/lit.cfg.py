# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit configuration: IR tests, tool tests and executed kernels."""

import os
import subprocess
import sys

import lit.formats
from lit.llvm import llvm_config

config.name = "Napkin"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".ptx"]
config.excludes = ["CMakeLists.txt", "Inputs", "unit"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.napkin_binary_dir, "test")

llvm_config.use_default_substitutions()
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
tools = ["napkin-opt", "napkinc", "napkin-run", "napkin-lsp-server", "napkin-reduce", "executor-example"]
llvm_config.add_tool_substitutions(
    tools, [os.path.join(config.napkin_binary_dir, "bin"), config.llvm_tools_dir]
)
for tool in tools:
    if os.path.exists(os.path.join(config.napkin_binary_dir, "bin", tool)):
        config.available_features.add(tool)
config.substitutions.append(("%examples", os.path.join(config.napkin_source_dir, "examples")))
config.substitutions.append(("%python", "python3"))
config.substitutions.append(("%{source}", config.napkin_source_dir))
config.substitutions.append(("%{build}", config.napkin_binary_dir))
# A program that runs with this finds the executor as its CUDA driver.
driver = os.path.join(config.napkin_binary_dir, "lib", "napkin-driver")
config.substitutions.append(("%{with_driver}", "env LD_LIBRARY_PATH=" + driver))
config.substitutions.append(("%{driver}", driver))
config.substitutions.append(("%{cc}", config.napkin_c_compiler))
config.substitutions.append(("%{cxx}", config.napkin_cxx_compiler))

# What is measured says nothing of a build under sanitizers.
if config.napkin_sanitize:
    config.available_features.add("sanitized")

# These are optional: tests that need them say so with REQUIRES. utils/setup puts
# ptxas and nvdisasm into the build folder where the machine has none.
sys.path.insert(0, os.path.join(config.napkin_source_dir, "utils"))
import sass_loops

# The Python package is built where nanobind is there (NAPKIN_PYTHON).
if config.napkin_python:
    config.available_features.add("python-package")
    config.substitutions.append(("%{package-python}", config.napkin_python))

# Other people's packages, of the Python that NAPKIN_PROGRAMS_PYTHON names.
programs_python = os.environ.get("NAPKIN_PROGRAMS_PYTHON", sys.executable)
config.substitutions.append(("%{programs-python}", programs_python))
for feature, module in (("cuda-bindings", "cuda.bindings"), ("triton", "triton")):
    found = subprocess.run(
        [programs_python, "-c", f"import importlib.util as u, sys; sys.exit(not (u.find_spec('{module.split('.')[0]}') and u.find_spec('{module}')))"],
        stderr=subprocess.DEVNULL,
    )
    if not found.returncode:
        config.available_features.add(feature)

for tool in ("ptxas", "nvcc", "nvdisasm", "clang-format-22", "chromium"):
    path = sass_loops.find_tool(tool)
    if path:
        config.available_features.add(tool)
        config.substitutions.append(("%" + tool, path))
        if tool in ("ptxas", "nvdisasm"):
            config.environment[tool.upper()] = path
