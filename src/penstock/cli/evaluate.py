"""`penstock evaluate`: a saved model's metrics where the answers are known, beside its baseline's."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from penstock.cli.columns import saved_columns, several_tasks_flags
from penstock.cli.signatures import with_flags
from penstock.tasks import find

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A trained model's folder.")],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Data with the right answers, of a kind as in training.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    **columns: Any,
) -> None:
    """Measure a model where the answers are known, beside the baseline that was fitted on the same training data."""
    from penstock.bundle import plain
    from penstock.report import baseline_words
    from penstock.runtime import load

    loaded = load(model)
    task = find(loaded.task)
    rows = task.read(data, saved_columns(task, loaded, columns), True)
    found = loaded.evaluate(rows.inputs, rows.answers)
    if as_json:
        print(json.dumps(plain({"metrics": found["metrics"], "baseline": found["baseline"]})))
    else:
        _say_dropped(rows.dropped)
        show_scores(
            {"model": found["metrics"]} | {baseline_words(name): each for name, each in found["baselines"].items()}
        )


def show_scores(scores: dict[str, dict[str, float] | None]) -> None:
    """A table on standard output: who, and each metric."""
    from rich.console import Console
    from rich.table import Table

    from penstock.report import metric_names, readable

    filled = {who: metrics for who, metrics in scores.items() if metrics}
    names = metric_names({name: value for metrics in filled.values() for name, value in metrics.items()})
    table = Table("", *names, box=None)
    for who, metrics in filled.items():
        table.add_row(who, *(readable(metrics[name]) if name in metrics else "–" for name in names))
    Console(highlight=False, markup=False).print(table)


def _say_dropped(dropped: dict[str, int]) -> None:
    if dropped:
        print("left out: " + ", ".join(f"{count} rows with {reason}" for reason, count in dropped.items()))


app.command(epilog="Example: penstock evaluate sentiment reviews.csv --json")(
    with_flags(evaluate, several_tasks_flags(answers=True))
)
