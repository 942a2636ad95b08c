"""The comparison of a source in C with the runtime, by a compiler of this machine."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.exported import NamedGraph
from penstock.convert.exporting.verification import difference, random_sequences
from penstock.errors import ConfigError
from penstock.runtime.graph_scorer import GraphScorer
from penstock.sequences import Sequences

__all__ = ["Loss", "compared", "found_compiler", "heard"]

_LENGTHS = (1, 2, 17, 60)
_FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")


@dataclass(frozen=True)
class Loss:
    """How far a source's outputs are from the runtime's.

    Attributes:
        difference: the largest difference, as a share of the output's scale.
        sequences: how many sequences were compared.
        same_choice: the share of rows whose largest output is the same.
        random: whether the inputs were random.
    """

    difference: float
    sequences: int
    same_choice: float
    random: bool


def found_compiler(name: str | None) -> str | None:
    """Return the path of a C compiler, or None if there is none.

    Raises:
        ConfigError: a named one is not installed.
    """
    if name is not None and shutil.which(name) is None:
        raise ConfigError(f"there is no compiler {name!r} here. Name one that is installed, or leave it out.")
    names = ("cc", "gcc", "clang") if name is None else (name,)
    return next(filter(None, map(shutil.which, names)), None)


def compared(
    contents: Mapping[str, str],
    name: str,
    exported: NamedGraph,
    inputs: Mapping[str, Sequences] | None,
    compiler: str,
) -> Loss:
    """Compile the files and compare their outputs with the runtime's.

    Args:
        contents: header, source and example program by file name.
        name: of the files.
        exported: the network.
        inputs: by the graph's names; random ones if None.
        compiler: its path.

    Raises:
        ConfigError: the files do not compile, or the program fails.
    """
    graph = exported.graph
    chosen = random_sequences(graph, lengths=_LENGTHS) if inputs is None else inputs
    expected = GraphScorer(graph, exported.tensors).scores(chosen)
    rows = [list(each) for each in zip(*chosen.values(), strict=True)]
    differences, same, number = [0.0], [], 0
    with tempfile.TemporaryDirectory() as folder:
        program = _compiled(contents, (f"{name}_main.c", f"{name}.c"), compiler, Path(folder))
        for place, sequence in enumerate(rows):
            if not len(sequence[0]):
                continue  # a step is the first that C can answer
            found = _outputs(program, sequence, sum(graph.values[each].size for each in graph.outputs))
            number += 1
            start = 0
            for each in graph.outputs:
                size = graph.values[each].size
                ours = found[:, start : start + size] if graph.values[each].steps else found[-1:, start : start + size]
                theirs = np.atleast_2d(expected[each][place])
                differences.append(difference(ours, theirs))
                same += (ours.argmax(axis=1) == theirs.argmax(axis=1)).tolist()
                start += size
    return Loss(max(differences), number, float(np.mean(same)) if same else 1.0, inputs is None)


def heard(
    contents: Mapping[str, str],
    name: str,
    exported: NamedGraph,
    sound: NDArray[np.int16],
    inputs: Mapping[str, Sequences],
    compiler: str,
) -> float:
    """Compile the files that listen; return how far their scores are from the runtime's, as a share of their scale.

    Args:
        contents, name, exported, compiler: as for `compared`.
        sound: samples at the model's rate.
        inputs: what the model makes of them, by the graph's names.

    Raises:
        ConfigError: the files do not compile, or the program fails.
    """
    (output,) = exported.graph.outputs
    expected = np.atleast_2d(GraphScorer(exported.graph, exported.tensors).scores(inputs)[output][0])
    with tempfile.TemporaryDirectory() as folder:
        sources = (f"{name}_listen_main.c", f"{name}_listen.c", f"{name}.c")
        program = _compiled(contents, sources, compiler, Path(folder))
        samples = sound.astype("<i2").tobytes()
        done = subprocess.run([str(program), "scores"], input=samples, capture_output=True, check=False)
    rows = np.array([line.split() for line in done.stdout.decode().splitlines()], np.float64)
    found = rows if exported.graph.values[output].steps else rows[-1:]
    if done.returncode or found.shape != expected.shape:
        raise ConfigError(f"the program that listens must print {expected.shape} scores; got {found.shape}")
    return difference(found, expected)


def _compiled(contents: Mapping[str, str], sources: Sequence[str], compiler: str, folder: Path) -> Path:
    for file, content in contents.items():
        (folder / file).write_text(content, encoding="utf-8")
    program = folder / "program"
    command = [compiler, *_FLAGS, *sources, "-lm", "-o", str(program)]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise ConfigError(f"{compiler} does not compile the source: {made.stderr[-2000:]}")
    return program


def _outputs(program: Path, sequence: Iterable[NDArray[np.generic]], width: int) -> NDArray[np.float64]:
    """Run the program on one sequence, an array for each input; return (steps, width)."""
    steps = np.column_stack([np.asarray(array, np.float64) for array in sequence])
    text = "\n".join(" ".join(f"{number:.9g}" for number in step) for step in steps)
    done = subprocess.run([str(program)], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"the program ended with {done.returncode}: {done.stderr[-500:]}")
    lines = done.stdout.splitlines()[-len(steps) :]
    found = np.array([[float(number) for number in line.split()] for line in lines])
    if found.shape != (len(steps), width):
        raise ConfigError(f"the program must print {len(steps)} lines of {width} numbers; got {found.shape}")
    return found
