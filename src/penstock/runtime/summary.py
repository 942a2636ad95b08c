"""A model in a line, for `repr`, and as a small table, for notebooks."""

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.network import Graph

if TYPE_CHECKING:
    from penstock.runtime.model import Model

__all__ = ["as_html", "in_a_line"]


def in_a_line(model: "Model") -> str:
    """Its kind, recurrent layers, classes and size: TextModel(lstm 256, 2 classes, 1,403,906 parameters)."""
    return f"{type(model).__name__}({', '.join(_facts(model))})"


def as_html(model: "Model") -> str:
    """What it is, what it was trained on, and its scores beside the baseline's: a self-contained HTML table."""
    rows = [("task", model.task), ("network", ", ".join(_facts(model)))]
    data = model.metrics.get("data") or {}
    sizes = [f"{data[part]['rows']:,} {name}" for part, name in _PARTS.items() if "rows" in (data.get(part) or {})]
    if sizes:
        rows.append(("data", ", ".join(sizes)))
    rows += [("predicts", _classes(model.labels))] if model.labels else []
    part = next((part for part in ("test", "valid") if model.metrics.get(part)), None)
    rows += list(_scores(model.metrics, part)) if part else []
    left = 'style="text-align:left"'
    cells = "".join(
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(text)}</td></tr>" for name, text in rows
    )
    return f"<table><caption>{html.escape(type(model).__name__)}</caption>{cells}</table>"


_PARTS = {"train": "training", "valid": "validation", "test": "test"}
_MOST_CLASSES = 8


def _facts(model: "Model") -> list[str]:
    size = sum(array.size for array in model.tensors.values())
    if isinstance(model.network, Graph):
        return [f"{len(model.network.nodes)} operations", f"{size:,} parameters"]
    encoder = model.network.encoder
    layers = f" x {encoder.num_layers} layers" if encoder.num_layers > 1 else ""
    both = ", both directions" if encoder.bidirectional else ""
    classes = [f"{len(model.labels)} classes"] if model.labels else []
    return [f"{encoder.cell} {encoder.hidden_size}{layers}{both}", *classes, f"{size:,} parameters"]


def _classes(labels: list[Any]) -> str:
    more = len(labels) - _MOST_CLASSES
    return ", ".join(map(str, labels[:_MOST_CLASSES])) + (f" and {more} more" if more > 0 else "")


def _scores(metrics: Mapping[str, Any], part: str) -> Iterable[tuple[str, str]]:
    """For each metric of a part: the score, its interval, the main baseline's score, the verdict."""
    main = metrics.get("main_baseline") or ""
    baseline = metrics.get("baseline", {}).get(main, {}).get(part) or {}
    for name, value in metrics[part].items():
        if name == "rows" or not isinstance(value, int | float):
            continue
        text = f"{value:.4g}"
        interval = metrics.get("interval", {}).get(part, {}).get(name)
        if interval:
            text += f" (95 %: {interval[0]:.4g} to {interval[1]:.4g})"
        if isinstance(baseline.get(name), int | float):
            verdict = metrics.get("verdict", {}).get(part, {}).get(name)
            text += f"; {main} {baseline[name]:.4g}" + (f": {verdict}" if verdict else "")
        yield f"{name}, {_PARTS[part]}", text
