"""Charts with Matplotlib, which is an extra: `pip install 'penstock[plot]'`.

Each function draws on the given axes, or on new ones, and returns them. The method `plot` of a model, an estimator or a
forecast draws its own figures; use these functions for other data.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from penstock.errors import ConfigError, MissingExtraError, ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import Locator

    from penstock.engine import Trace

__all__ = ["calibration", "confusion", "forecast", "gates", "learning_curve"]

_MOST_NUMBERS = 12
"""The largest number of classes for which each cell of a confusion matrix shows its count."""


def learning_curve(
    history: Sequence[Mapping[str, Any]],
    metric: str = "loss",
    *,
    best_epoch: int | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one metric after each epoch, on the validation data and, if it was measured, on training rows.

    Args:
        history: a mapping for each epoch, as in an estimator's `history_`: `epoch`, `valid_<metric>` and optionally
            `seen_<metric>`, the same metric on training rows.
        metric: the metric, like "loss" or "accuracy".
        best_epoch: the epoch whose weights were kept, marked by a line; None for no line.
        ax: where to draw; new axes if None.

    Raises:
        ConfigError: there are no epochs, or an epoch lacks this metric.

    Examples:
        >>> from penstock import plots
        >>> ax = plots.learning_curve([{"epoch": 1, "valid_loss": 0.7}, {"epoch": 2, "valid_loss": 0.5}])
        >>> ax.get_ylabel()
        'loss'
    """
    known = [name.removeprefix("valid_") for name in (history[0] if history else {}) if name.startswith("valid_")]
    if metric not in known:
        raise ConfigError(f"the history has no metric {metric!r}; it has {', '.join(known) or 'no epochs'}")
    ax = _axes(ax)
    epochs = [row["epoch"] for row in history]
    for key, label in ((f"seen_{metric}", "training"), (f"valid_{metric}", "validation")):
        if key in history[0]:
            ax.plot(epochs, [row.get(key, np.nan) for row in history], marker="o", markersize=3, label=label)
    if best_epoch is not None:
        ax.axvline(best_epoch, color="grey", linestyle=":", label=f"kept: epoch {best_epoch}")
    ax.set(xlabel="epoch", ylabel=metric.replace("_", " "))
    ax.xaxis.set_major_locator(_whole_numbers())
    ax.legend()
    return ax


def confusion(matrix: ArrayLike, labels: Sequence[Any], *, ax: "Axes | None" = None) -> "Axes":
    """Draw a confusion matrix, coloured by the share within each row.

    Args:
        matrix: counts, (classes, classes): rows are the actual classes, columns the predicted ones.
        labels: the classes in the same order.
        ax: where to draw; new axes if None.

    Raises:
        ShapeError: the matrix isn't square, or the number of rows differs from the number of labels.

    Examples:
        >>> from penstock import plots
        >>> plots.confusion([[9, 1], [2, 8]], ["bad", "good"]).get_xlabel()
        'predicted'
    """
    counts = np.asarray(matrix)
    if counts.shape != (len(labels), len(labels)):
        raise ShapeError(f"matrix must be ({len(labels)}, {len(labels)}), as there are labels; got {counts.shape}")
    ax = _axes(ax)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ax.figure.colorbar(image, ax=ax, label="share of the actual class")
    if len(labels) <= _MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            ax.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
    names = [str(label) for label in labels]
    ax.set_xticks(range(len(names)), names, rotation=45 if max(map(len, names)) > 4 else 0)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted", ylabel="actual")
    return ax


def calibration(
    predicted: ArrayLike, observed: ArrayLike, counts: ArrayLike | None = None, *, ax: "Axes | None" = None
) -> "Axes":
    """Draw a reliability diagram: the share of correct predictions against the predicted probability.

    Args:
        predicted: the mean predicted probability of each bin, (bins,).
        observed: the share of correct predictions in each bin, (bins,).
        counts: predictions in each bin, (bins,), shown by the size of the points; equal sizes if None.
        ax: where to draw; new axes if None.

    Raises:
        ShapeError: the arrays have different lengths.

    Examples:
        >>> from penstock import plots
        >>> plots.calibration([0.3, 0.9], [0.4, 0.8]).get_xlabel()
        'predicted probability'
    """
    x, y = np.asarray(predicted, float), np.asarray(observed, float)
    sizes = np.ones_like(x) if counts is None else np.asarray(counts, float)
    if x.ndim != 1 or not x.shape == y.shape == sizes.shape:
        raise ShapeError(f"predicted, observed and counts must be (bins,); got {x.shape}, {y.shape}, {sizes.shape}")
    ax = _axes(ax)
    ax.plot([0, 1], [0, 1], color="grey", linestyle=":", label="perfectly calibrated")
    ax.plot(x, y, color="C0")
    ax.scatter(x, y, s=20 + 180 * sizes / max(sizes.max(initial=0), 1), color="C0", alpha=0.7, label="the model")
    ax.set(xlabel="predicted probability", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    ax.legend()
    return ax


def forecast(
    times: ArrayLike,
    quantiles: ArrayLike,
    levels: Sequence[float],
    *,
    history: tuple[ArrayLike, ArrayLike] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a forecast: the median as a line, pairs of quantiles as shaded intervals, and the history before it.

    Args:
        times: the times of the steps ahead, (horizon,): dates or numbers.
        quantiles: (horizon, levels).
        levels: the quantile levels in ascending order, like [0.1, 0.5, 0.9].
        history: times and values of the steps before, (steps,) each; None for no history.
        ax: where to draw; new axes if None.

    Raises:
        ShapeError: the shapes of times, quantiles and levels don't match.

    Examples:
        >>> from penstock import plots
        >>> ax = plots.forecast([3, 4], [[1, 2, 3], [1, 3, 5]], [0.1, 0.5, 0.9], history=([1, 2], [1, 2]))
        >>> [line.get_label() for line in ax.lines]
        ['actual', 'forecast']
    """
    ahead, values = np.asarray(times), np.asarray(quantiles, float)
    if values.shape != (len(ahead), len(levels)):
        raise ShapeError(f"quantiles must be (horizon, levels), ({len(ahead)}, {len(levels)}); got {values.shape}")
    ax = _axes(ax)
    if history is not None:
        ax.plot(np.asarray(history[0]), np.asarray(history[1], float), color="black", label="actual")
    for low in range(len(levels) // 2):
        high = len(levels) - 1 - low
        share = f"{100 * (levels[high] - levels[low]):.0f} %"
        ax.fill_between(ahead, values[:, low], values[:, high], color="C0", alpha=0.2, linewidth=0, label=share)
    ax.plot(ahead, values[:, len(levels) // 2], color="C0", label="forecast")
    ax.figure.autofmt_xdate()
    ax.legend()
    return ax


def gates(traces: "Sequence[Sequence[Trace]]", name: str, *, layer: int = 0, ax: "Axes | None" = None) -> "Axes":
    """Draw one gate or state of a layer over time, with a row for each unit.

    Args:
        traces: the results of `Stream.trace` for consecutive steps of a stream.
        name: the gate or state, like "forget" or "c".
        layer: the index of the layer, from 0 for the lowest.
        ax: where to draw; new axes if None.

    Raises:
        ConfigError: there are no steps, or the layer or name doesn't exist; the error lists the names.

    Examples:
        >>> import numpy as np
        >>> from penstock.plots import gates
        >>> from penstock.runtime import Recurrence
        >>> network = Recurrence({"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}, cell="gru")
        >>> stream = network.stream()
        >>> ax = gates([step for x in np.ones((5, 3)) for step in stream.trace(x)[1]], "update")
    """
    if not traces or not 0 <= layer < len(traces[0]):
        raise ConfigError(f"traces must hold a step or more, each with layer {layer}; got {len(traces)} steps")
    known = dict(traces[0][layer])
    if name not in known:
        raise ConfigError(f"the layer has no gate or state {name!r}; it has {', '.join(known)}")
    ax = _axes(ax)
    values = np.stack([np.asarray(step[layer][name])[0] for step in traces], axis=1)
    most = max(1.0, float(np.abs(values).max()))
    colours, least = ("RdBu_r", -most) if values.min() < 0 else ("Blues", 0.0)
    image = ax.imshow(values, aspect="auto", interpolation="nearest", cmap=colours, vmin=least, vmax=most)
    ax.figure.colorbar(image, ax=ax, label=name)
    ax.set(xlabel="step", ylabel="unit")
    return ax


def _whole_numbers() -> "Locator":
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError as error:
        raise MissingExtraError("charts need Matplotlib: pip install 'penstock[plot]'") from error
    return pyplot.subplots(layout="constrained")[1]
