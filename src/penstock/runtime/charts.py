"""The charts that a model's metrics hold figures for, drawn by `penstock.plots`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock import plots
from penstock.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]


def draw(
    metrics: Mapping[str, Any], labels: Sequence[Any], kind: str | None, ax: "Axes | None", **options: Any
) -> "Axes":
    """Draw a chart; arguments and errors as for `Model.plot`."""
    kinds = _charts(metrics, labels)
    kind = kind or next(reversed(kinds), "")
    if kind not in kinds:
        raise ConfigError(f"this model has no chart {kind!r}; it has {', '.join(kinds) or 'none'}")
    chart, figures = kinds[kind]
    return chart(**figures, **options, ax=ax)


def _charts(
    metrics: Mapping[str, Any], labels: Sequence[Any]
) -> dict[str, tuple[Callable[..., "Axes"], dict[str, Any]]]:
    """For each kind that there are figures for, the function that draws it and what it draws."""
    kinds: dict[str, tuple[Callable[..., Axes], dict[str, Any]]] = {}
    if metrics.get("curves"):
        figures = {"history": metrics["curves"], "best_epoch": metrics.get("best_epoch")}
        kinds["learning_curve"] = (plots.learning_curve, figures)
    if metrics.get("reliability"):
        bins = metrics["reliability"]["bins"]
        figures = {"predicted": "confidence", "observed": "accuracy", "counts": "rows"}
        kinds["calibration"] = (
            plots.calibration,
            {name: [each[key] for each in bins] for name, key in figures.items()},
        )
    if metrics.get("confusion"):
        figures = {"matrix": metrics["confusion"]["matrix"], "labels": labels}
        kinds["confusion"] = (plots.confusion, figures)
    return kinds
