"""`penstock info`: describes a saved model."""

import json
from pathlib import Path
from typing import Any

from penstock.cli.command import argument, command, option
from penstock.cli.values import PATH
from penstock.console import printable


@command("info", example="penstock info sentiment")
@argument("model", metavar="DIR", type=PATH, help="A trained model's folder.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def info(model: Path, as_json: bool) -> None:
    """Describe a model: its task, labels, network, size and metrics."""
    from penstock.runtime import load

    described = load(model).info()
    if as_json:
        print(json.dumps(described, ensure_ascii=False))
    else:
        _show(described)


def _show(described: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    for name, value in _rows(described):
        table.add_row(name, printable(value))
    Console(highlight=False, markup=False).print(table)


def _rows(described: dict[str, Any]) -> list[tuple[str, str]]:
    network, metrics = described["network"], described["metrics"]
    rows = [
        ("task", described["task"]),
        *([("labels", ", ".join(map(str, described["labels"])))] if described["labels"] else []),
        *((part, _settings(network[part])) for part in ("inputs", "encoder", "head")),
        ("parameters", f"{described['parameters']:,}"),
        ("streams", "yes" if described["streams"] else "no"),
    ]
    for part in ("valid", "test"):
        if metrics.get(part):
            rows.append((part, _scores(metrics[part], metrics.get("interval", {}).get(part) or {})))
    return [*rows, ("fingerprint", described["fingerprint"][:16])]


def _settings(part: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in part.items() if name != "kind")


def _scores(scores: dict[str, Any], intervals: dict[str, Any]) -> str:
    """The metrics, each with its 95 % interval where one was measured."""
    from penstock.cli.scores import with_interval

    return ", ".join(
        f"{name} {with_interval(value, intervals.get(name))}"
        for name, value in scores.items()
        if isinstance(value, float)
    )
