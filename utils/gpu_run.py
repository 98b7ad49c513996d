#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks and times the programs of a folder on the GPU of this machine.

usage: run.py [--runs=N] [--warm-l2] [NAME...]     (no NAME: every program)

`utils/gpu --make FOLDER` writes the folder, on any machine, with this file, which is
utils/gpu_run.py, in it. It needs Python's standard library and the CUDA driver, and nothing else. First come
the programs whose results are wrong, then a table. Exit status: 0 all right, 1 there
is no GPU, or a program cannot be run, 2 a result is wrong."""

import array
import ctypes
import itertools
import json
import math
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class DriverError(Exception):
    """What the CUDA driver says."""


class Driver:
    """The CUDA driver, and the primary context of the first device."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL("libcuda.so.1")
        except OSError as error:
            raise DriverError(f"this machine has no CUDA driver ({error})") from None
        self.call("cuInit", 0)
        count = ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        if not count.value:
            raise DriverError("the CUDA driver knows no device")
        self.device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(self.device), 0)
        context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self.device)
        self.call("cuCtxSetCurrent", context)
        name = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", name, 256, self.device)
        self.name = name.value.decode()
        version = ctypes.c_int()
        self.call("cuDriverGetVersion", ctypes.byref(version))
        self.version = f"{version.value // 1000}.{version.value % 1000 // 10}"
        self.capability = 10 * self.attribute(75) + self.attribute(76)
        self.cache = self.attribute(38)
        self.megahertz = self.attribute(13) / 1000
        self.multiprocessors = self.attribute(16)
        self.is_executor = hasattr(self.library, "cuNapkinExecutorVersion")

    def call(self, name, *arguments):
        result = getattr(self.library, name)(*arguments)
        if result:
            text = ctypes.c_char_p()
            self.library.cuGetErrorString(result, ctypes.byref(text))
            raise DriverError(f"{name}: error {result} ({(text.value or b'unknown').decode()})")

    def attribute(self, number):
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), number, self.device)
        return value.value


class Program:
    """A program of the folder, loaded, with its arrays on the device."""

    def __init__(self, driver, name):
        self.driver = driver
        self.folder = os.path.join(HERE, name)
        self.manifest = json.loads(self.read("program.json"))
        self.data = json.loads(self.read("data.json"))
        target = self.manifest["target"].removeprefix("sm_")
        own, wanted = driver.capability, int(target.rstrip("af"))
        if wanted > own or (not target.isdigit() and wanted != own):
            raise DriverError(f"its PTX is for sm_{target}, the device is sm_{own}")
        self.module, self.addresses = ctypes.c_void_p(), {}
        driver.call("cuModuleLoadData", ctypes.byref(self.module), self.read("program.ptx") + b"\0")
        try:
            self.kernels = [self.prepare(kernel) for kernel in self.manifest["kernels"]]
            self.place()
        except DriverError:
            self.close()
            raise

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def prepare(self, kernel):
        function = ctypes.c_void_p()
        self.driver.call("cuModuleGetFunction", ctypes.byref(function), self.module, kernel["entry"].encode())
        if kernel["dynamic_shared_bytes"]:
            self.driver.call("cuFuncSetAttribute", function, 8, kernel["dynamic_shared_bytes"])
        return function

    def place(self):
        files = {given["array"]: given["file"] for given in self.data["inputs"]}
        for description in self.manifest["arrays"]:
            name, size = description["name"], description["bytes"]
            address = ctypes.c_uint64()
            self.driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
            self.addresses[name] = address
            if name in files:
                content = spread(self.read(files[name]), description)
                if len(content) != size:
                    raise DriverError(f"'{files[name]}' has {len(content)} bytes, the manifest says {size}")
                self.driver.call("cuMemcpyHtoD_v2", address, content, ctypes.c_size_t(size))
            else:
                # NaN in floats: what no kernel writes is seen.
                self.driver.call("cuMemsetD8_v2", address, 0xFF, ctypes.c_size_t(size))

    def launch(self, index, stream=None):
        kernel = self.manifest["kernels"][index]
        pointers = [ctypes.cast(ctypes.pointer(self.addresses[a["array"]]), ctypes.c_void_p) for a in kernel["arguments"]]
        arguments = (ctypes.c_void_p * len(pointers))(*pointers)
        self.driver.call("cuLaunchKernel", self.kernels[index], *kernel["grid"], *kernel["block"],
                         kernel["dynamic_shared_bytes"], stream, arguments, None)

    def launch_all(self):
        for index in range(len(self.kernels)):
            self.launch(index)

    def close(self):
        for address in self.addresses.values():
            self.driver.library.cuMemFree_v2(address)
        self.driver.library.cuModuleUnload(self.module)

    def differences(self):
        """Sentences on the results that are further off than they may be."""
        wrong = []
        for result in self.data["results"]:
            description = next(a for a in self.manifest["arrays"] if a["name"] == result["array"])
            content = ctypes.create_string_buffer(max(1, description["bytes"]))
            self.driver.call("cuMemcpyDtoH_v2", content, self.addresses[result["array"]], ctypes.c_size_t(description["bytes"]))
            got = decode(content.raw[: description["bytes"]], description["element"])
            expected = array.array("d" if result["encoding"] == "f64" else "q", self.read(result["file"]))
            worst, at = worst_of(got, expected)
            if not worst <= result["bound"]:
                wrong.append(f"{result['array']}: element {at} of {len(expected)} is {got[at]:.6g}, expected "
                             f"{expected[at]:.6g}; at most {result['bound']:.3g} may be between them")
        return wrong


def spread(content, description):
    """Dense elements where the strides of their array want them."""
    if "strides" not in description:
        return content
    sizes, strides = [axis["size"] for axis in description["axes"]], description["strides"]
    width = len(content) // max(1, math.prod(sizes))
    placed = bytearray(description["bytes"])
    for i, index in enumerate(itertools.product(*map(range, sizes))):
        at = width * sum(a * b for a, b in zip(index, strides))
        placed[at : at + width] = content[i * width : (i + 1) * width]
    return bytes(placed)


def worst_of(got, expected):
    """The largest distance of two elements and its place; equal infinities and two NaNs are equal."""
    worst, at = 0, 0
    for index, (a, b) in enumerate(zip(got, expected)):
        if a == b:
            continue
        apart = abs(a - b)
        if apart != apart:
            if a != a and b != b:
                continue
            return float("inf"), index
        if apart > worst:
            worst, at = apart, index
    return worst, at


def half(bits):
    """The value of an IEEE half."""
    import struct
    return struct.unpack("<e", bits.to_bytes(2, "little"))[0]


def small(bits, exponent_bits, bias, has_infinity):
    """The value of an 8-bit float."""
    mantissa_bits = 7 - exponent_bits
    exponent, mantissa = bits >> mantissa_bits & ((1 << exponent_bits) - 1), bits & ((1 << mantissa_bits) - 1)
    sign = -1.0 if bits & 0x80 else 1.0
    if has_infinity and exponent == (1 << exponent_bits) - 1:
        return sign * float("inf") if not mantissa else float("nan")
    if not has_infinity and bits & 0x7F == 0x7F:
        return float("nan")
    if not exponent:
        return sign * mantissa * 2.0 ** (1 - bias - mantissa_bits)
    return sign * (1 + mantissa / (1 << mantissa_bits)) * 2.0 ** (exponent - bias)


TABLES = {}


def decode(content, element):
    """Elements as numbers."""
    plain = {"f64": "d", "f32": "f", "tf32": "f", "i64": "q", "i32": "i", "i16": "h", "i8": "b", "i1": "b"}
    if element in plain:
        return array.array(plain[element], content)
    if element == "bf16":
        # The upper halves of f32.
        halves = array.array("H", content)
        words = array.array("I", [0]) * len(halves)
        for index, bits in enumerate(halves):
            words[index] = bits << 16
        return array.array("f", words.tobytes())
    if element not in TABLES:
        TABLES[element] = {
            "f16": lambda: [half(bits) for bits in range(1 << 16)],
            "f8E4M3FN": lambda: [small(bits, 4, 7, False) for bits in range(256)],
            "f8E5M2": lambda: [small(bits, 5, 15, True) for bits in range(256)],
        }[element]()
    table = TABLES[element]
    return [table[bits] for bits in array.array("H" if element == "f16" else "B", content)]


class Timer:
    """Seconds by events, all runs asked for before one is waited for."""

    def __init__(self, driver, runs, flushes):
        self.driver, self.runs, self.flushes = driver, runs, flushes
        self.bytes = max(2 * driver.cache, 32 << 20)
        self.filler = ctypes.c_uint64()
        driver.call("cuMemAlloc_v2", ctypes.byref(self.filler), ctypes.c_size_t(self.bytes))
        self.events = [ctypes.c_void_p() for _ in range(2 * runs)]
        for event in self.events:
            driver.call("cuEventCreate", ctypes.byref(event), 0)

    def flush(self, times=1):
        for _ in range(times):
            self.driver.call("cuMemsetD8Async", self.filler, 0, ctypes.c_size_t(self.bytes), None)

    def median(self, run):
        # Keeps the device busy while the host gets ahead; the executor is never behind.
        self.flush(0 if self.driver.is_executor else 8)
        for _ in range(5):
            run()
        for i in range(self.runs):
            if self.flushes:
                self.flush()
            self.driver.call("cuEventRecord", self.events[2 * i], None)
            run()
            self.driver.call("cuEventRecord", self.events[2 * i + 1], None)
        self.driver.call("cuCtxSynchronize")
        seconds = []
        for i in range(self.runs):
            milliseconds = ctypes.c_float()
            self.driver.call("cuEventElapsedTime", ctypes.byref(milliseconds), self.events[2 * i], self.events[2 * i + 1])
            seconds.append(milliseconds.value / 1e3)
        return statistics.median(seconds)


def row(name, seconds, manifest):
    """A line of the table."""
    estimate = manifest.get("estimate")
    moved = sum(sum(k["predicted"][key] for key in ("global_read_bytes", "global_write_bytes")) for k in manifest["kernels"])
    cells = [name, str(len(manifest["kernels"])), f"{seconds * 1e6:.2f}", f"{moved / seconds / 1e9:.0f}"]
    if estimate:
        cells.insert(3, f"{2 * estimate['multiply_adds'] / seconds / 1e12:.1f}")
        cells += [f"{estimate['roofline_microseconds'] / seconds / 1e4:.0f} %", f"{estimate['microseconds']:.2f}"]
    else:
        cells.insert(3, "-")
        cells += ["-", "-"]
    return cells


def print_table(rows, hardware):
    head = ["program", "kernels", "time, us", "TFLOP/s", "GB/s", f"of roofline ({hardware})", f"predicted, us ({hardware})"]
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    for line in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")


def main(words):
    if "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    runs = next((int(w.split("=")[1]) for w in words if w.startswith("--runs=")), None)
    unknown = [w for w in words if w.startswith("-") and not w.startswith("--runs=") and w != "--warm-l2"]
    if unknown:
        print(f"run.py: error: there is no option {unknown[0]} (--help)", file=sys.stderr)
        return 1
    with open(os.path.join(HERE, "programs.json")) as file:
        index = json.load(file)
    names = [w for w in words if not w.startswith("-")] or index["programs"]
    for name in names:
        if name not in index["programs"]:
            print(f"run.py: error: there is no program '{name}'; there are {', '.join(index['programs'])}", file=sys.stderr)
            return 1
    try:
        driver = Driver()
    except (DriverError, AttributeError) as error:
        print(f"run.py: error: {error}", file=sys.stderr)
        return 1
    if runs is None:
        runs = 0 if driver.is_executor else 20
    print(f"{driver.name}, sm_{driver.capability}, {driver.multiprocessors} multiprocessors at up to "
          f"{driver.megahertz:.0f} MHz, driver for CUDA {driver.version}, {time.strftime('%Y-%m-%d')}")
    if driver.is_executor:
        print("the driver is Napkin's executor: its times are a CPU's")
    warm = "--warm-l2" in words
    timer = Timer(driver, runs, not warm) if runs else None
    rows, wrong, broken, hardware = [], 0, 0, ""
    for name in names:
        try:
            program = Program(driver, name)
            try:
                program.launch_all()
                driver.call("cuCtxSynchronize")
                differences = program.differences()
                for text in differences:
                    print(f"WRONG {name}: {text}", flush=True)
                wrong += bool(differences)
                if timer:
                    rows.append(row(name, timer.median(program.launch_all), program.manifest))
                    hardware = program.manifest.get("estimate", {}).get("hardware", hardware)
            finally:
                program.close()
        except DriverError as error:
            broken += 1
            print(f"FAILED {name}: {error}", flush=True)
    print(f"{len(names)} programs: {len(names) - wrong - broken} right, {wrong} wrong, {broken} not run")
    if rows:
        print(f"median of {runs} runs, L2 {'warm' if warm else 'flushed before each'}")
        print_table(rows, hardware)
    return 2 if wrong else 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
