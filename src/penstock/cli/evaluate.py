"""`penstock evaluate`: a saved model's metrics on labelled data, beside its baseline's."""

import json
from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.tables import column_name

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: penstock evaluate sentiment reviews.csv --json")
def evaluate(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="A trained model's folder.")],
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Labelled data: CSV, TSV, JSON lines or Parquet, plain or gzipped."),
    ],
    text: Annotated[str | None, typer.Option("--text", help="The column of texts; as in training if left out.")] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="The column of labels; as in training if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Measure a model on labelled data, beside the baseline that was fitted on the same training data."""
    from penstock.datasets import read_texts
    from penstock.runtime import load

    loaded = load(model)
    columns = (column_name(loaded, "text", text), column_name(loaded, "label", label))
    rows = read_texts(data, text=columns[0], label=columns[1])
    found = loaded.evaluate(rows.texts, rows.labels or [])
    if as_json:
        print(json.dumps({"metrics": found["metrics"], "baseline": found["baseline"]}))
    else:
        _say_dropped(rows.dropped)
        show_scores({"model": found["metrics"], "baseline": found["baseline"], "commonest class": found["majority"]})


def show_scores(scores: dict[str, dict[str, float] | None]) -> None:
    """A table on standard output: who, and each metric."""
    from rich.console import Console
    from rich.table import Table

    filled = {who: metrics for who, metrics in scores.items() if metrics}
    names = [name for name in ("accuracy", "f1_macro", "log_loss") if any(name in m for m in filled.values())]
    table = Table("", *names, box=None)
    for who, metrics in filled.items():
        table.add_row(who, *(f"{metrics[name]:.4f}" for name in names))
    Console(highlight=False, markup=False).print(table)


def _say_dropped(dropped: dict[str, int]) -> None:
    if dropped:
        print("left out: " + ", ".join(f"{count} rows with {reason}" for reason, count in dropped.items()))
