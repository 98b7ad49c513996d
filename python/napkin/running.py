# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs on this CPU, with arrays of numpy."""

from __future__ import annotations

import json
import struct
from typing import Mapping, Sequence

import ml_dtypes
import numpy as np

from . import _native

#: How the elements of a diagram are held by numpy.
DTYPES = {
    "f64": np.float64,
    "f32": np.float32,
    "tf32": np.float32,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f8E4M3FN": ml_dtypes.float8_e4m3fn,
    "f8E5M2": ml_dtypes.float8_e5m2,
    "i64": np.int64,
    "i32": np.int32,
    "i8": np.int8,
    "i1": np.bool_,
}


class Trap(Exception):
    """What the executor stopped a kernel for: a race, an address, a deadlock."""


class Execution:
    """What a program did."""

    def __init__(self, results: Mapping[str, np.ndarray], counters: Mapping[str, list[dict]], seconds: float):
        #: Arrays that the program wrote, by name.
        self.results = dict(results)
        #: For each kernel one entry per launch: everything that was counted.
        self.counters = dict(counters)
        #: What it took on this CPU.
        self.seconds = seconds

    @property
    def bytes(self) -> int:
        """Bytes of global memory that were read and written."""
        launches = [launch for each in self.counters.values() for launch in each]
        return sum(launch["global_read_bytes"] + launch["global_write_bytes"] for launch in launches)


def _bytes_of(array: np.ndarray, description: Mapping) -> bytes:
    """An argument as it lies in memory; what lies between its elements is -1 or NaN."""
    if "strides" not in description:
        return np.ascontiguousarray(array).tobytes()
    memory = np.full(description["bytes"], 0xFF, np.uint8).view(array.dtype)
    strides = [stride * array.itemsize for stride in description["strides"]]
    place = np.lib.stride_tricks.as_strided(memory, array.shape, strides)
    place[...] = array
    if np.ascontiguousarray(place).tobytes() != np.ascontiguousarray(array).tobytes():
        raise ValueError(f"positions of '{description['name']}' that are one element in memory have different values")
    return memory.tobytes()


def _input(array, description: Mapping) -> np.ndarray:
    """An argument in the type and shape of the diagram."""
    dtype = DTYPES[description["element"]]
    shape = tuple(axis["size"] for axis in description["axes"])
    value = np.asarray(array)
    if value.shape != shape:
        wanted = ", ".join(f"{axis['name']}={axis['size']}" for axis in description["axes"])
        raise ValueError(f"'{description['name']}' has the shape {value.shape}; the diagram says ({wanted})")
    if value.dtype.kind in "iub" and np.dtype(dtype).kind in "iub" and value.size:
        if not np.array_equal(value.astype(dtype), value):
            raise ValueError(f"'{description['name']}' has values that {description['element']} cannot hold")
    return value.astype(dtype)


def _launch(device, module, kernel: Mapping, arguments: Sequence[bytes], checks: bool, seed: int):
    extent = lambda key: (list(kernel.get(key, [])) + [1, 1, 1])[:3]
    result = device.launch(
        module,
        kernel["entry"],
        list(arguments),
        extent("grid"),
        extent("block"),
        extent("cluster"),
        kernel.get("dynamic_shared_bytes", 0),
        checks,
        seed,
    )
    if result.traps:
        raise Trap("\n".join(trap.rstrip() for trap in result.traps))
    return result


def execute(ptx: str, manifest: Mapping, arrays: Sequence, named: Mapping, checks: bool, seed: int) -> Execution:
    """Runs a program as its manifest says."""
    inputs = [a for a in manifest["arrays"] if a["role"] in ("input", "inout")]
    names = [a["name"] for a in inputs]
    if len(arrays) > len(names):
        raise TypeError(f"{len(arrays)} arrays for the inputs {', '.join(names)}")
    given = dict(zip(names, arrays))
    for name, array in named.items():
        if name not in names or name in given:
            raise TypeError(f"'{name}' is {'given twice' if name in given else 'no input; there are ' + ', '.join(names)}")
        given[name] = array
    missing = [name for name in names if name not in given]
    if missing:
        raise TypeError(f"input '{missing[0]}' is missing; there are {', '.join(names)}")
    device = _native.Device()
    module = _native.Module(ptx, manifest["ptx"])
    addresses = {}
    for description in manifest["arrays"]:
        name = description["name"]
        # No byte is no allocation.
        addresses[name] = device.allocate(max(1, description["bytes"]), name)
        if name in given:
            device.write(addresses[name], _bytes_of(_input(given[name], description), description))
    counters: dict[str, list[dict]] = {}
    seconds = 0.0
    for kernel in manifest["kernels"]:
        arguments = [struct.pack("<Q", addresses[a["array"]]) for a in kernel["arguments"]]
        result = _launch(device, module, kernel, arguments, checks, seed)
        counters.setdefault(kernel["entry"], []).append(json.loads(result.counters(False)))
        seconds += result.seconds
    results = {}
    for description in manifest["arrays"]:
        if description["role"] in ("output", "inout"):
            data, _ = device.read(addresses[description["name"]], description["bytes"])
            shape = [axis["size"] for axis in description["axes"]]
            flat = np.frombuffer(data, DTYPES[description["element"]])
            results[description["name"]] = flat.reshape(shape).copy()
    return Execution(results, counters, seconds)


_FORMATS = {"u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q"}
_FORMATS.update({"f32": "f", "f64": "d", "b8": "B", "b16": "H", "b32": "I", "b64": "Q"})


def run_ptx(
    ptx: str,
    arguments: Sequence,
    *,
    grid,
    block,
    entry: str | None = None,
    cluster=1,
    shared_bytes: int = 0,
    checks: bool = True,
    seed: int = 0,
) -> Execution:
    """Runs one kernel of anybody's PTX on this CPU, under all checks.

    Arguments are numpy arrays, which the kernel may write, numbers, and bytes for
    structs by value. `grid`, `block` and `cluster` are one number or up to three.
    Raises Trap for what a GPU would do wrong in silence."""
    module = _native.Module(ptx, "ptx")
    if entry is None:
        if len(module.kernels) != 1:
            raise ValueError(f"name one of the kernels: {', '.join(module.kernels)}")
        (entry,) = module.kernels
    parameters = module.parameters(entry)
    if len(parameters) != len(arguments):
        raise TypeError(f"{entry} takes {len(parameters)} arguments, not {len(arguments)}")
    device = _native.Device()
    packed, arrays = [], []
    for number, (argument, (type, size)) in enumerate(zip(arguments, parameters)):
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous:
                raise ValueError(f"argument {number} is not contiguous")
            address = device.allocate(max(1, argument.nbytes), f"argument {number}")
            device.write(address, argument.tobytes())
            arrays.append((argument, address))
            packed.append(struct.pack("<Q", address))
        elif isinstance(argument, (bytes, bytearray)):
            packed.append(bytes(argument))
        elif type in _FORMATS:
            packed.append(struct.pack("<" + _FORMATS[type], argument))
        else:
            raise TypeError(f"argument {number} is a .{type} of {size} bytes: pass bytes")
    sizes = lambda value: [value] if isinstance(value, int) else list(value)
    kernel = {"entry": entry, "grid": sizes(grid), "block": sizes(block), "cluster": sizes(cluster)}
    kernel["dynamic_shared_bytes"] = shared_bytes
    result = _launch(device, module, kernel, packed, checks, seed)
    for array, address in arrays:
        data, _ = device.read(address, array.nbytes)
        if array.flags.writeable:
            array[...] = np.frombuffer(data, array.dtype).reshape(array.shape)
    return Execution({}, {entry: [json.loads(result.counters(False))]}, result.seconds)
