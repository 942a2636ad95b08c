"""The card of a saved model: a README with the Hugging Face Hub's metadata, so that its folder uploads as it is."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from penstock.errors import ConfigError
from penstock.registry import TASKS

__all__ = ["model_card", "published"]

_LICENSE, _DATASET = re.compile(r"[A-Za-z0-9.+-]{1,60}"), re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")


def published(license: str | None, datasets: Sequence[str] | None) -> dict[str, Any]:
    """Return what the card says of the licence and the data sets, as the entry `card` of the metrics.

    Args:
        license: the Hub's identifier, such as "mit" or "cc-by-4.0".
        datasets: the Hub's names, such as ["imdb", "someone/reviews"].

    Returns:
        The entries that are given; {} for none.

    Raises:
        ConfigError: one is no such word.
    """
    if license is not None and not (isinstance(license, str) and _LICENSE.fullmatch(license)):
        raise ConfigError(f"license must be an identifier of the Hub, such as mit or cc-by-4.0; got {license!r:.80}")
    names = [datasets] if isinstance(datasets, str) else list(datasets or ())
    if wrong := [name for name in names if not (isinstance(name, str) and _DATASET.fullmatch(name))]:
        raise ConfigError(
            f"datasets must be names as on the Hub, such as imdb or someone/reviews; got {wrong[0]!r:.80}"
        )
    given = {"license": license, "datasets": names}
    found = {name: value for name, value in given.items() if value}
    return {"card": found} if found else {}


def model_card(described: Mapping[str, Any], metrics: Mapping[str, Any]) -> bytes:
    """Return the model card: the Hub's metadata, then what the model is, what it predicts, its metrics and its use.

    Args:
        described: the description of the model, as in `config.json`.
        metrics: what training measured; its `card` has the licence and the data sets, see `published`.
    """
    network, labels = described["network"], described["labels"]
    lines = [
        "---",
        *_metadata(described, metrics),
        "---",
        "",
        "# A recurrent model",
        "",
        f"{'Imported' if 'nodes' in network else 'Trained'} with Penstock {described['penstock']}.",
        "",
        f"- Task: {described['task']}",
        *([f"- Predicts: one of {', '.join(map(str, labels))}"] if labels else []),
        *_parts_in_words(network),
    ]
    for part in ("valid", "test"):
        measured = metrics.get(part)
        if isinstance(measured, Mapping) and measured:
            intervals = (metrics.get("interval") or {}).get(part) or {}
            figures = ", ".join(
                f"{name} {_figure(value)}{_ends(intervals.get(name))}" for name, value in measured.items()
            )
            lines.append(f"- Measured on {part}{', with 95 % intervals' if intervals else ''}: {figures}")
    lines += [
        "",
        "The model has learned only from its training data, with any errors and bias in it. Evaluate it on your own",
        "data before you rely on it.",
        "",
        "```python",
        "import penstock",
        "",
        'model = penstock.load("this folder")',
        "model.predict([...])",
        "```",
        "",
        "`config.json` holds the SHA-256 of every other file; a folder in which one was changed cannot be loaded.",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def _metadata(described: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    """Lines of YAML, with values as JSON, which YAML includes."""
    network, task = described["network"], TASKS.get(described["task"])
    tag = "" if task is None else task.pipeline
    cell = network["encoder"].get("cell", "lstm") if "encoder" in network else None
    found: dict[str, Any] = {"library_name": "penstock", "tags": [*filter(None, ("penstock", "rnn", cell))]}
    found |= metrics.get("card") or {}
    if tag:
        found["pipeline_tag"] = tag
    measured = metrics.get("test") or metrics.get("valid")
    numbers = {
        name: float(value)
        for name, value in (measured if isinstance(measured, Mapping) else {}).items()
        if name != "rows" and isinstance(value, float | np.floating) and np.isfinite(value)
    }
    if tag and numbers:
        part = "test" if metrics.get("test") else "validation"
        data = {"type": "own", "name": _data(metrics), "split": part}
        figures = [{"type": name, "name": name, "value": value} for name, value in numbers.items()]
        results = [{"task": {"type": tag}, "dataset": data, "metrics": figures}]
        found |= {"metrics": list(numbers), "model-index": [{"name": "model", "results": results}]}
    return [f"{name}: {json.dumps(value)}" for name, value in found.items()]


def _data(metrics: Mapping[str, Any]) -> str:
    """The names of the files of data."""
    data = metrics.get("data")
    sources = data.get("sources") if isinstance(data, Mapping) else None
    names = [each.get("name") for each in sources or () if isinstance(each, Mapping)]
    return ", ".join(map(str, filter(None, names))) or "unnamed data"


def _parts_in_words(network: Mapping[str, Any]) -> list[str]:
    if "nodes" in network:
        return [f"- Operations: {', '.join(node['kind'] for node in network['nodes'])}"]
    return [f"- {part.capitalize()}: {_words(network[part])}" for part in ("inputs", "encoder", "head")]


def _words(part: Mapping[str, Any]) -> str:
    options = ", ".join(
        f"{name} {f'({_words(value)})' if isinstance(value, Mapping) else value}"
        for name, value in part.items()
        if name != "kind" and value not in (None, False)
    )
    return f"{part['kind']} ({options})" if "kind" in part else options


def _ends(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f" [{', '.join(map(_figure, interval))}]"


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
