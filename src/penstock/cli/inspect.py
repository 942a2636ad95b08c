"""`penstock inspect`: what a network does inside while it reads an input."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from penstock.cli.columns import saved_columns, several_tasks_options
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.paths import check_new_file
from penstock.cli.values import PATH, WHOLE, OneOf
from penstock.errors import InputError
from penstock.events import say
from penstock.tasks import find

if TYPE_CHECKING:
    from penstock.runtime import Model

_LOGGER = logging.getLogger("penstock.cli")


def _methods() -> tuple[str, ...]:
    """Return the methods of attribution, which are imported when they are needed."""
    from penstock.inspection.attributing import Method

    return get_args(Method)


@command(
    "inspect",
    example="penstock inspect sentiment reviews.csv --out trace.npz",
    params=several_tasks_options(answers=False),
)
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@argument("data", metavar="INPUT", help="Data of a kind as in training, a sound, or a text itself.")
@option("--out", "-o", type=PATH, help="File for the trace of the first input, .npz: all gates and states by name.")
@option(
    "--attribution",
    type=OneOf(_methods),
    is_flag=False,
    flag_value="occlusion",
    help="Show instead which parts of the first input the prediction follows from: occlusion, or a method that needs "
    "PyTorch, integrated_gradients or gradient_x_input.",
)
@option(
    "--explain", metavar="TARGET", help="For --attribution: the label or column; default: the predicted, the first."
)
@option("--at", type=WHOLE, help="For --attribution: the step, from 1, or the step ahead; default: the last, the mean.")
def inspect(
    model: Path, data: str, out: Path | None, attribution: Any, explain: str | None, at: int | None, **columns: Any
) -> None:
    """Look into a network: its gates and states for each step of an input, layer and direction; or attribution."""
    from penstock.inspection import attribute, trace

    _check_trace_file(out)
    if attribution is None and (explain is not None or at is not None):
        raise InputError("--explain and --at belong to --attribution. Give it too.")
    if attribution is not None and out is not None:
        raise InputError("--out is for the trace. Leave it out with --attribution.")
    loaded = load_model(model)
    inputs = _inputs(loaded, data, columns)
    if attribution is not None:
        print(attribute(loaded, _first(inputs), method=attribution, target=explain, at=at))
        return
    found = trace(loaded, _first(inputs))
    print(found)
    if out is not None:
        found.save(out)
        say(_LOGGER, "wrote", f"wrote {out}", path=str(out))


def _first(inputs: Any) -> Any:
    """Return the first input; of a panel, its first series."""
    from penstock.forecast.panel import Panel

    return inputs.with_series(inputs.series[:1]) if isinstance(inputs, Panel) else inputs[0]


def _inputs(model: "Model", data: str, columns: dict[str, Any]) -> Any:
    """Return the inputs of a file; for a model that reads texts, anything that is not a file's name is a text."""
    path, task = Path(data), find(model.task)
    if model.reads == "text" and not path.exists() and (" " in data or not path.suffix):
        return [data]
    if model.reads == "samples" and path.is_file() and path.suffix.lower() not in _TABLES:
        return [path]
    return read_data(task, path, saved_columns(task, model, columns), answers=False).inputs


_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".zip")


def _check_trace_file(path: Path | None) -> None:
    if path is not None:
        if path.suffix.lower() != ".npz":
            raise InputError(f"{path} must end in .npz; got {path.suffix or 'no ending'!r}.")
        check_new_file(path)
