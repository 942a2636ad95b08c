"""A report on disk, from a saved model's `metrics.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.report.classification import render

__all__ = ["write_report"]


def write_report(metrics: Mapping[str, Any], path: str | Path, *, title: str = "Text classifier") -> Path:
    """Write the report on a trained classifier; the file appears whole or not at all.

    Args:
        metrics: what the model's `metrics.json` holds.
        path: the HTML file; what was there is replaced.
        title: the page's heading.

    Returns:
        The file's path.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_text(render(metrics, title=title), encoding="utf-8")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target
