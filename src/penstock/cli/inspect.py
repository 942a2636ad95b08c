"""`penstock inspect`: what a network does inside while it reads inputs."""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from penstock.cli.columns import saved_columns, several_tasks_options
from penstock.cli.command import argument, command, option
from penstock.cli.inputs import load_model, read_data
from penstock.cli.inspect_tables import show_inspection
from penstock.cli.paths import check_new_file
from penstock.cli.values import PATH, WHOLE, OneOf
from penstock.errors import DataError, InputError
from penstock.events import say
from penstock.tasks import find

if TYPE_CHECKING:
    from penstock.inspection.subject import Subject
    from penstock.runtime import Model

_LOGGER = logging.getLogger("penstock.cli")

_MOST_STEPS = 20_000  # a few seconds
_EXAMPLES = 8  # inputs on which memory is measured
_TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".zip", ".ts")


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
@argument("data", metavar="INPUT", help="Data of a kind as in training, one sound, or a text itself.")
@option(
    "--out",
    "-o",
    type=PATH,
    help="File for the trace of one input, .npz: each gate and state for each step, layer and direction.",
)
@option("--row", type=WHOLE, default=1, help="Which input --out and --attribution are about, counted from 1.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@option(
    "--attribution",
    type=OneOf(_methods),
    is_flag=False,
    flag_value="occlusion",
    help="Show instead which parts of one input the prediction follows from: occlusion, or a method that needs "
    "PyTorch, integrated_gradients or gradient_x_input.",
)
@option(
    "--explain", metavar="TARGET", help="For --attribution: the label or column; default: the predicted, the first."
)
@option("--at", type=WHOLE, help="For --attribution: the step, from 1, or the step ahead; default: the last, the mean.")
def inspect(
    model: Path,
    data: str,
    out: Path | None,
    row: int,
    as_json: bool,
    attribution: Any,
    explain: str | None,
    at: int | None,
    **columns: Any,
) -> None:
    """Look into a network: how far back it remembers, saturated gates, units that follow something; or attribution."""
    _check_options(out, attribution, explain, at)
    loaded = load_model(model)
    inputs = _inputs(loaded, data, columns)
    if attribution is not None:
        from penstock.inspection import attribute

        found = attribute(loaded, _chosen(inputs, row), method=attribution, target=explain, at=at)
        print(json.dumps(found.to_json()) if as_json else found)
        return
    _inspect(loaded, inputs, out, row, as_json)


def _inspect(loaded: "Model", inputs: Any, out: Path | None, row: int, as_json: bool) -> None:
    """Print the figures of the network, and write the trace."""
    from penstock.inspection.following import followed_figures
    from penstock.inspection.memory import memory_figures
    from penstock.inspection.units import saturation_figures

    say(_LOGGER, "inspecting", "inspecting the network")
    found = _read(loaded, inputs, row)
    every = max(1, len(found) // _EXAMPLES)
    figures = {
        "inputs": len(found),
        "memory": memory_figures(found[::every][:_EXAMPLES]),
        "saturation": saturation_figures(found),
        "units": followed_figures(found),
    }
    if out is not None:
        _write_trace(found[row - 1], out)
    if as_json:
        print(json.dumps(figures))
    else:
        show_inspection(figures)


def _inputs(model: "Model", data: str, columns: dict[str, Any]) -> Any:
    """Return the inputs of a file; for a model that reads texts, words that are no file are a text."""
    path, task = Path(data), find(model.task)
    looks_like_a_file = path.exists() or path.suffix.lower() in _TABLES or ("/" in data and " " not in data)
    if model.reads == "text" and not looks_like_a_file:
        return [data]
    if model.reads == "samples" and path.is_file() and path.suffix.lower() not in _TABLES:
        return [path]
    return read_data(task, path, saved_columns(task, model, columns), answers=False).inputs


def _read(model: "Model", inputs: Any, row: int) -> "list[Subject]":
    """Return the inputs as the layers read them, up to `_MOST_STEPS` steps, and at least to `row`."""
    from penstock.inspection.subject import subjects

    found = list(_within(subjects(model, inputs), row))
    _check_row(row, len(found))
    return found


def _chosen(inputs: Any, row: int) -> Any:
    """Return one input; of a panel, one series."""
    from penstock.panels.panel import Panel

    _check_row(row, len(inputs))
    return inputs.with_series([inputs.series[row - 1]]) if isinstance(inputs, Panel) else inputs[row - 1]


def _check_row(row: int, count: int) -> None:
    if not 1 <= row <= count:
        raise DataError(f"--row must be from 1 to {count}, the number of inputs; got {row}")


def _within(found: "Iterable[Subject]", least: int) -> "Iterator[Subject]":
    steps = 0
    for number, each in enumerate(found, start=1):
        yield each
        steps += len(each.reading)
        if steps >= _MOST_STEPS and number >= least:
            return


def _check_options(out: Path | None, attribution: Any, explain: str | None, at: int | None) -> None:
    if attribution is None and (explain is not None or at is not None):
        raise InputError("--explain and --at belong to --attribution. Give it too.")
    if attribution is not None and out is not None:
        raise InputError("--out is for the trace. Leave it out with --attribution.")
    if out is not None:
        if out.suffix.lower() != ".npz":
            raise InputError(f"{out} must end in .npz; got {out.suffix or 'no ending'!r}.")
        check_new_file(out)


def _write_trace(subject: "Subject", path: Path) -> None:
    from penstock.cli.answers import written_whole
    from penstock.inspection.traces import trace_stack

    found = trace_stack(subject.stack, subject.x, subject.axis, subject.names)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as new:
            found.save(new)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}. Choose another --out.") from error
    say(_LOGGER, "writing", f"wrote {path}", path=str(path))
