"""`penstock info`: describes a saved model."""

import json
from collections import Counter
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
        *([("scheme", described["scheme"])] if described.get("scheme") else []),
        *_network(network),
        ("parameters", f"{described['parameters']:,}"),
        *((name, _settings(described[name])) for name in ("tokens", "search") if isinstance(described.get(name), dict)),
        ("streams", "yes" if described["streams"] else "no"),
    ]
    rows += [("imported", _imported(metrics["import"]))] if metrics.get("import") else []
    for part in ("valid", "test"):
        if metrics.get(part):
            rows.append((part, _scores(metrics[part], metrics.get("interval", {}).get(part) or {})))
    return [*rows, ("fingerprint", described["fingerprint"][:16])]


def _network(network: dict[str, Any]) -> list[tuple[str, str]]:
    """The parts of a network; of an imported one what it reads, does and gives."""
    if "nodes" not in network:
        return [(part, _settings(network[part])) for part in ("inputs", "encoder", "head")]
    inputs = (
        f"{name}: {value['size']} {'ids' if value['ids'] else 'numbers'}" for name, value in network["inputs"].items()
    )
    kinds = Counter(node["kind"] for node in network["nodes"])
    return [
        ("inputs", ", ".join(inputs) + " at each step"),
        ("operations", ", ".join(f"{count} {kind}" for kind, count in kinds.items())),
        ("outputs", ", ".join(network["outputs"])),
    ]


def _imported(about: dict[str, Any]) -> str:
    checked = about.get("checked")
    seen = f"compared with {checked['against']}" if checked else f"not compared: {about.get('not_checked')}"
    return f"{about['source']} ({about['from']}), {seen}"


def _settings(part: dict[str, Any]) -> str:
    """The settings of a part of a network, with those of a part inside it in brackets."""
    return ", ".join(
        f"{name} ({_settings(value)})" if isinstance(value, dict) else f"{name} {value}"
        for name, value in part.items()
        if name != "kind"
    )


def _scores(scores: dict[str, Any], intervals: dict[str, Any]) -> str:
    """The metrics, each with its 95 % interval where one was measured."""
    from penstock.cli.scores import with_interval

    return ", ".join(
        f"{name} {with_interval(value, intervals.get(name))}"
        for name, value in scores.items()
        if isinstance(value, float)
    )
