"""What an exported network needs on a Cortex-M4: flash, memory, and instructions for a step, counted by QEMU.

    python benchmarks/embedded/cortex_m4.py
    python benchmarks/embedded/cortex_m4.py my-model

Needs arm-none-eabi-gcc with newlib and qemu-system-arm (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi,
qemu-system-arm). Without a model, networks of a keyword spotter's shape are measured: 24 inputs, one layer, the maximum
over time, 12 classes, with random weights, whose values change nothing. QEMU counts instructions, not cycles: a load or
a division takes more than one.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import penstock
from penstock.convert import to_c
from penstock.convert.exporting.files import Written
from penstock.network import Dense, GraphBuilder, Pointwise, Pool, Recurrent, RecurrentLayers, Value
from penstock.network.lowering import graph_of
from penstock.network.operations import Operation
from penstock.runtime import GraphModel

HERE = Path(__file__).parent
TARGET = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2", "-std=gnu99"]
EMULATOR = ["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-semihosting", "-icount", "shift=0", "-kernel"]
INPUTS, CLASSES = 24, 12


def main() -> None:
    """Print a row of Markdown for each network, with float32 and int8."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, help="a model's folder; default: spotters of several sizes")
    chosen = parser.parse_args().model
    models = spotters() if chosen is None else iter([(chosen.name, penstock.load(chosen))])
    print("| network | weights | flash, bytes | state, bytes | stack, bytes | instructions a step |")
    print("|---|---|---:|---:|---:|---:|")
    for name, model in models:
        for weights in ("float32", "int8"):
            with tempfile.TemporaryDirectory() as folder:
                exported = to_c(model, Path(folder) / "network", int8=weights == "int8")
                flash, instructions = measured(model, Path(folder))
            print(f"| {name} | {weights} | {flash:,} | {_memory(exported)} | {instructions:,} |")


def spotters() -> Iterator[tuple[str, Any]]:
    """Yield networks of a spotter's shape by name."""
    random = np.random.default_rng(0)

    def added(builder: GraphBuilder, operation: Operation, value: str) -> str:
        shapes = operation.parameter_shapes()
        return builder.add(operation, value, **{name: random.normal(0, 0.1, shape) for name, shape in shapes.items()})

    for cell, size in (("gru", 16), ("gru", 32), ("gru", 64), ("gru", 128), ("lstm", 64), ("rnn", 64)):
        builder = GraphBuilder({"x": Value(INPUTS)})
        layers = RecurrentLayers(Recurrent(cell=cell, input_size=INPUTS, hidden_size=size))
        pooled = builder.add(Pool("max"), added(builder, layers, "x"))
        scores = added(builder, Dense(size, CLASSES), pooled)
        yield f"{cell.upper()} {size}", GraphModel(*builder.build(builder.add(Pointwise("softmax"), scores)))


def measured(model: Any, folder: Path) -> tuple[int, int]:
    """Return the bytes of the network's code and constants, and the instructions of a step."""
    graph, _ = graph_of(model.network, model.tensors)
    names = {"HEADER": '"network.h"', "INIT": "network_init", "STEP": "network_step", "STATE": "network_state"}
    sizes = {
        "INPUT_SIZE": graph.values[next(iter(graph.inputs))].size,
        "OUTPUT_SIZE": graph.values[graph.outputs[0]].size,
    }
    defined = [f"-DNETWORK_{name}={value}" for name, value in {**names, **sizes}.items()]
    _run("arm-none-eabi-gcc", *TARGET, "-c", "network.c", "-o", "network.o", folder=folder)
    text, data = map(int, _run("arm-none-eabi-size", "network.o", folder=folder).splitlines()[1].split()[:2])
    link = ["-nostartfiles", "-T", str(HERE / "mps2.ld"), "-I.", str(HERE / "count.c"), "network.o", "-lm"]
    _run("arm-none-eabi-gcc", *TARGET, *defined, *link, "-o", "count.elf", folder=folder)
    return text + data, int(_run(*EMULATOR, "count.elf", folder=folder))


def _memory(exported: Written) -> str:
    return f"{exported.measures['bytes of state']:,} | {exported.measures['bytes of stack']:,}"


def _run(*command: str, folder: Path) -> str:
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}  # semihosting prints to the standard error
    return subprocess.run(command, cwd=folder, text=True, check=True, timeout=120, **output).stdout


if __name__ == "__main__":
    main()
