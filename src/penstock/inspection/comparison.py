"""Two models on the same data: scores with paired tests, calibration, speed, size, and where they disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lgamma, log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import bundle
from penstock.errors import ConfigError
from penstock.inspection.speed import interleaved
from penstock.inspection.subject import runtime_model
from penstock.report import chosen_language, render_comparison
from penstock.runtime import Model
from penstock.runtime.judged import Judged
from penstock.runtime.probabilities import reliability
from penstock.runtime.report_page import write_page
from penstock.runtime.resampling import compared, verdict_of

__all__ = ["Comparison", "compare", "mcnemar"]

_MOST_SHOWN, _MOST_TIMED = 20, 256
_A, _B = "a", "b"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """The result of `compare`.

    Attributes:
        figures: everything that was measured, as values that JSON can represent. By "a" and "b" for the two models:
            `models` (name, fingerprint, network, parameters, bytes), `metrics`, `interval`, `calibration`, `speed`.
            For both: `task`, `rows`, `units`, `verdict` of a beside b, `difference` (a minus b), `mcnemar`,
            `disagreements`.
        disagreements: a row for each input on which the models disagree, or for each number with the largest
            difference first.
    """

    figures: dict[str, Any]
    disagreements: list[dict[str, Any]]

    def __repr__(self) -> str:
        words = ", ".join(f"{name}: a is {said}" for name, said in self.figures["verdict"].items())
        models = " and ".join(self.figures["models"][side]["name"] for side in (_A, _B))
        return f"Comparison({models} on {self.figures['rows']} rows; {words.replace('is no clear', 'has no clear')})"

    def report(self, path: str | Path | None = None, *, language: str | None = None) -> Path:
        """Write an HTML page that opens offline, and return its path.

        Args:
            path: the file; None for a new temporary one.
            language: "en" or "zh"; None for that of the locale.

        Raises:
            ConfigError: an unknown language.
            InputError: the file can't be written.
        """
        return write_page(render_comparison(self.figures, language=chosen_language(language)), path)


def compare(
    a: Any,
    b: Any,
    inputs: Any,
    answers: Any = None,
    *,
    b_inputs: Any = None,
    names: tuple[str, str] | None = None,
    seconds: float = 2.0,
) -> Comparison:
    """Compare two models of one task on the same data; PyTorch is not needed.

    Scores have 95 % intervals by the bootstrap. A model is called better only if a paired test on the same rows bears
    it out: McNemar's exact test for the accuracy of a classifier, a paired randomisation test for other scores.

    Args:
        a, b: loaded models or fitted estimators.
        inputs: as for `Model.evaluate`; a forecaster's hold the truth too.
        answers: the ground truth of each input; None for forecasters.
        b_inputs: the same inputs as `b` reads them, if it was trained on other columns, such as other covariates.
        names: how the models are called; None for the names of their folders.
        seconds: the time to measure the speed, in rounds in which the models take turns; at least three rounds.

    Raises:
        ConfigError: the models have different tasks, labels, horizons or targets.
        DataError: there is no ground truth, or the data is not of the models' kind.

    Examples:
        >>> from penstock import TextClassifier
        >>> from penstock.inspection import compare
        >>> texts, labels = ["good film", "bad film"] * 20, ["pos", "neg"] * 20
        >>> small, large = (TextClassifier(hidden_size=size, epochs=1).fit(texts, labels) for size in (4, 8))
        >>> found = compare(small, large, texts, labels, seconds=0.1)
        >>> found.figures["rows"], sorted(found.figures["verdict"])
        (40, ['accuracy', 'f1_macro', 'log_loss'])
    """
    models = {_A: runtime_model(a), _B: runtime_model(b)}
    tasks = [model.task for model in models.values()]
    if tasks[0] != tasks[1]:
        raise ConfigError(f"the models have different tasks: {tasks[0]} and {tasks[1]}. Compare models of one task.")
    read = {_A: inputs if hasattr(inputs, "__len__") else list(inputs)}
    read[_B] = read[_A] if b_inputs is None else b_inputs
    ours, theirs = models[_A].pair(models[_B], read[_A], answers, theirs=read[_B])
    runs = {side: model.timed(read[side], _MOST_TIMED) for side, model in models.items()}
    found = _scores(ours, theirs)
    disagreements = _disagreements(ours, theirs)
    both = zip(models.items(), names or _names(models), strict=True)
    figures = {
        "task": tasks[0],
        "models": {side: _described(model, name) for (side, model), name in both},
        **found,
        "calibration": None
        if ours.probabilities is None
        else {
            side: reliability(each.probabilities, each.truth)
            for side, each in ((_A, ours), (_B, theirs))
            if each.probabilities is not None
        },
        "speed": interleaved(runs, seconds),
        "disagreements": {
            "rows": len(disagreements),
            "share": len(disagreements) / max(len(ours.truth), 1),
            "shown": disagreements[:_MOST_SHOWN],
        },
    }
    return Comparison(bundle.plain(figures), disagreements)


def mcnemar(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> dict[str, Any]:
    """McNemar's exact test (1947): do two classifiers differ in how often they are right?

    Args:
        ours, theirs: (rows,), whether each is right.

    Returns:
        The number of rows that `both`, `only_a`, `only_b` and `neither` have right, and the two-sided `p`.
    """
    only_a, only_b = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    both = int((ours & theirs).sum())
    return {
        "both": both,
        "only_a": only_a,
        "only_b": only_b,
        "neither": len(ours) - both - only_a - only_b,
        "p": _sign_test(min(only_a, only_b), only_a + only_b),
    }


def _sign_test(fewer: int, count: int) -> float:
    """The two-sided probability that of `count` tosses of a fair coin at most `fewer` fall on either side."""
    if not count:
        return 1.0
    # By logarithms, because binomial coefficients of many rows exceed a float.
    terms = [lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) - count * log(2) for k in range(fewer + 1)]
    return min(1.0, 2 * float(np.exp(terms).sum()))


def _scores(ours: Judged, theirs: Judged) -> dict[str, Any]:
    """Scores, intervals and tests; the accuracy of independent rows is tested by McNemar's test."""
    found = compared(ours.sums, {_B: theirs.sums})
    test = None
    if ours.labels and ours.single:
        test = mcnemar(ours.predicted == ours.truth, theirs.predicted == theirs.truth)
        if found["difference"]["accuracy"]["p"] is not None:
            found["difference"]["accuracy"]["p"] = test["p"]
            found["verdict"]["accuracy"] = verdict_of("accuracy", found["difference"]["accuracy"])
    return {
        "rows": len(ours.truth),
        "units": found["units"],
        "metrics": {_A: dict(ours.metrics), _B: dict(theirs.metrics)},
        "interval": {_A: found["interval"], _B: found["baseline_intervals"][_B]},
        "difference": found["difference"],
        "verdict": found["verdict"],
        "mcnemar": test,
    }


def _names(models: Mapping[str, Model]) -> Sequence[str]:
    return [side.upper() if model.folder is None else model.folder.resolve().name for side, model in models.items()]


def _described(model: Model, name: str) -> dict[str, Any]:
    files = bundle.encode(model.network, model.features.to_json(), model.labels, model.tensors, task=model.task)
    return {
        "name": name,
        "fingerprint": model.fingerprint,
        "network": model.network.to_json(),
        "parameters": sum(array.size for array in model.tensors.values()),
        "bytes": len(files["config.json"]) + len(files["model.safetensors"]),
    }


def _disagreements(ours: Judged, theirs: Judged) -> list[dict[str, Any]]:
    if ours.labels:
        return _other_labels(ours, theirs)
    if ours.truth.dtype == object:
        return _other_texts(ours, theirs)
    return _other_numbers(ours, theirs) if ours.truth.ndim == 1 else _other_forecasts(ours, theirs)


def _other_labels(ours: Judged, theirs: Judged) -> list[dict[str, Any]]:
    """The rows with different labels, those on which the models are most confident first."""
    rows = np.flatnonzero(ours.predicted != theirs.predicted)
    sure = [None if each.probabilities is None else each.probabilities.max(axis=1) for each in (ours, theirs)]
    if sure[0] is not None and sure[1] is not None:
        rows = rows[np.argsort(-(sure[0] + sure[1])[rows], kind="stable")]
    found = []
    for row in rows.tolist():
        line = {"row": row + 1, **_name(ours, row), "truth": ours.labels[ours.truth[row]]}
        for side, each, certain in zip((_A, _B), (ours, theirs), sure, strict=True):
            line[f"prediction_{side}"] = ours.labels[each.predicted[row]]
            if certain is not None:
                line[f"probability_{side}"] = float(certain[row])
        found.append(line)
    return found


def _other_texts(ours: Judged, theirs: Judged) -> list[dict[str, Any]]:
    """The rows with different texts, in their order."""
    return [
        {
            "row": row + 1,
            **_name(ours, row),
            "truth": ours.truth[row],
            "prediction_a": ours.predicted[row],
            "prediction_b": theirs.predicted[row],
        }
        for row in np.flatnonzero(ours.predicted != theirs.predicted).tolist()
    ]


def _other_numbers(ours: Judged, theirs: Judged) -> list[dict[str, Any]]:
    apart = np.abs(ours.predicted.astype(np.float64) - theirs.predicted)
    rows = np.argsort(-apart, kind="stable")
    return [
        {
            "row": row + 1,
            **_name(ours, row),
            "truth": float(ours.truth[row]),
            "prediction_a": float(ours.predicted[row]),
            "prediction_b": float(theirs.predicted[row]),
            "difference": float(apart[row]),
        }
        for row in rows[apart[rows] > 0].tolist()
    ]


def _other_forecasts(ours: Judged, theirs: Judged) -> list[dict[str, Any]]:
    """For each origin and target, the mean over the horizon of the forecasts' difference and of each one's error."""
    there = ~np.isnan(ours.truth)
    count = np.maximum(there.sum(axis=1), 1)
    apart = np.abs(ours.predicted - theirs.predicted).mean(axis=1)
    errors = [np.abs(np.where(there, each.truth - each.predicted, 0.0)).sum(axis=1) / count for each in (ours, theirs)]
    rows = np.argsort(-apart, kind="stable")
    return [
        {
            **_name(ours, row),
            "difference": float(apart[row]),
            "error_a": float(errors[0][row]),
            "error_b": float(errors[1][row]),
        }
        for row in rows[apart[rows] > 0].tolist()
    ]


def _name(judged: Judged, row: int) -> Mapping[str, Any]:
    return judged.names[row] if judged.names else {}
