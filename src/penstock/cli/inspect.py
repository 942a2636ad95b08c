"""`penstock inspect`: what a network does inside while it reads an input."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.cli.columns import saved_columns, several_tasks_options
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.paths import check_new_file
from penstock.cli.values import PATH
from penstock.errors import InputError
from penstock.events import say
from penstock.tasks import find

if TYPE_CHECKING:
    from penstock.runtime import Model

_LOGGER = logging.getLogger("penstock.cli")


@command(
    "inspect",
    example="penstock inspect sentiment reviews.csv --out trace.npz",
    params=several_tasks_options(answers=False),
)
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@argument("data", metavar="INPUT", help="Data of a kind as in training, a sound, or a text itself.")
@option("--out", "-o", type=PATH, help="File for the trace of the first input, .npz: all gates and states by name.")
def inspect(model: Path, data: str, out: Path | None, **columns: Any) -> None:
    """Look into a network: its gates and states for each step of an input, layer and direction."""
    from penstock.inspection import trace

    _check_trace_file(out)
    loaded = load_model(model)
    inputs = _inputs(loaded, data, columns)
    found = trace(loaded, inputs[0])
    print(found)
    if out is not None:
        found.save(out)
        say(_LOGGER, "wrote", f"wrote {out}", path=str(out))


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
