"""`to_c`: the files of a network in C, compiled and compared with the runtime before they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.convert.c.source import identifier
from penstock.convert.c.translation import translated
from penstock.convert.c.verify import TOLERANCE, Loss, compared, found_compiler
from penstock.convert.c.written import files_of
from penstock.errors import ConfigError
from penstock.network import Graph
from penstock.network.lowering import graph_of
from penstock.sequences import Sequences

__all__ = ["Exported", "to_c"]


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: the paths of header, source and example.
        table_bytes: constant memory (flash) of the tensors.
        state_bytes: memory between steps.
        stack_bytes: memory within a step, besides that of its calls.
        loss: the difference from the runtime; None if no compiler was found.
    """

    files: tuple[Path, ...]
    table_bytes: int
    state_bytes: int
    stack_bytes: int
    loss: Loss | None


def to_c(
    model: Any,
    path: str | Path,
    *,
    int8: bool = False,
    data: Sequence[Any] | None = None,
    compiler: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a model's network as C99: NAME.h, NAME.c and an example, NAME_main.c.

    The header declares NAME_init, NAME_step and NAME_STATE_BYTES. The source needs no other library than expf and
    tanhf, allocates nothing, and has no global state. The features of a text, signal or sound are apart: the network
    reads ids or numbers.

    Args:
        model: a loaded model or a fitted estimator's `model_`; its network must read forward.
        path: NAME, where to write: "out/spotter" gives out/spotter.h, out/spotter.c and out/spotter_main.c.
        int8: whether weights are rounded to int8 with a scale for each row: about a quarter of the constants.
        data: inputs for the comparison, as the model's `predict` takes them; random ones if None.
        compiler: the C compiler for the comparison; by default cc, gcc or clang, the first that is installed. Without
            any, nothing is compared, and `loss` is None.
        overwrite: whether files that exist are replaced.

    Raises:
        ConfigError: the network cannot be written in C (the message names the part), the name is no identifier, a file
            exists, or a float32 export's outputs differ from the runtime's by more than 1e-5.

    Examples:
        >>> import numpy as np
        >>> from penstock.convert import to_c
        >>> from penstock.network import Dense, GraphBuilder, Value
        >>> from penstock.runtime import GraphModel
        >>> builder = GraphBuilder({"x": Value(2)})
        >>> model = GraphModel(*builder.build(builder.add(Dense(2, 1, bias=False), "x", weight=np.ones((1, 2)))))
        >>> [path.name for path in to_c(model, "adder").files]
        ['adder.h', 'adder.c', 'adder_main.c']
    """
    stem = Path(path)
    name = stem.name
    if identifier(name) != name:
        raise ConfigError(f"the name must be an identifier of C, letters, digits and _; got {name!r}")
    graph, tensors = graph_of(model.network, model.tensors)
    source = translated(graph, tensors, int8=int8)
    contents = files_of(source, name, labels=list(map(str, model.labels)), task=model.task)
    targets = {stem.parent / file: content for file, content in contents.items()}
    if not overwrite and (there := [str(file) for file in targets if file.exists()]):
        raise ConfigError(f"{there[0]} exists already. Choose another name, or pass --overwrite (overwrite=True).")
    found = found_compiler(compiler)
    loss = None
    if found is not None:
        inputs = None if data is None else _inputs(model, graph, data)
        loss = compared(contents, name, graph, tensors, inputs, found)
        if not int8 and loss.difference > TOLERANCE:
            raise ConfigError(f"the C source differs from the runtime by {loss.difference:.2g}; nothing was written")
    stem.parent.mkdir(parents=True, exist_ok=True)
    for file, content in targets.items():
        file.write_text(content, encoding="utf-8")
    return Exported(tuple(targets), source.tables.bytes, source.state_bytes, source.stack_bytes, loss)


def _inputs(model: Any, graph: Graph, data: Sequence[Any]) -> dict[str, Sequences]:
    """The features of a model's inputs by the graph's names."""
    encoded = model.encode(model.checked(data) if hasattr(model, "checked") else data)
    return encoded if isinstance(encoded, dict) else {next(iter(graph.inputs)): encoded}
