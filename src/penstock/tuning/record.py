"""The record of a search as plain values: what its page shows, and a line for each of its trials."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.report import measured_part, metric_names
from penstock.tasks.space import Between, Range
from penstock.tuning.study import is_higher_better, optuna_module

if TYPE_CHECKING:
    import optuna

    from penstock.tuning.search import Search

__all__ = ["described", "record_of", "trial_records"]

_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}
_FEWEST = 4
"""Complete trials from which the importance of an option is estimated."""


def described(sought: Range) -> dict[str, Any]:
    """Return a range as plain values."""
    if isinstance(sought, Between):
        return {"low": sought.low, "high": sought.high, "log": sought.log}
    return {"values": list(sought)}


def trial_records(study: "optuna.Study") -> list[dict[str, Any]]:
    """Return a dict for each trial, see `Search.trials_`."""
    found = []
    for trial in study.trials:
        about = trial.user_attrs
        record = {
            "number": trial.number,
            "state": _STATES[trial.state.name],
            "value": trial.value if trial.state.name == "COMPLETE" else None,
            "params": trial.params,
            "seconds": about.get("seconds"),
            "epochs": about.get("epochs", []),
        }
        found.append(record | ({"failure": about["failure"]} if "failure" in about else {}))
    return found


def record_of(
    search: "Search", space: Mapping[str, Range], defaults: Mapping[str, Any], metric: str, seconds: float
) -> dict[str, Any]:
    """Return the record of a search whose best options are trained, without its trials.

    Args:
        search: the search.
        space: what was searched.
        defaults: the estimator's own values of these options.
        metric: the metric by which trials were judged.
        seconds: the time of this call.
    """
    states = [trial["state"] for trial in search.trials_]
    best, usual = search.best_estimator_.metrics_, search.default_estimator_.metrics_
    part = measured_part(best)
    return {
        "task": search.estimator.task,
        "metric": metric,
        "higher_is_better": is_higher_better(metric),
        "states": {state: states.count(state) for state in ("complete", "pruned", "failed") if state in states},
        "best": search.best_trial_,
        "value": search.best_score_,
        "default_value": _kept(usual, metric),
        "params": search.best_params_,
        "defaults": dict(defaults),
        "space": {name: described(sought) for name, sought in space.items()},
        "importance": _importance(search.study_, space),
        "part": part,
        "scores": {
            "best": _scores(best, part),
            "defaults": _scores(usual, part),
            "baselines": {
                name: {"metrics": _metrics(found[part]), "interval": found["interval"][part]}
                for name, found in best["baseline"].items()
                if found.get(part)
            },
        },
        "workers": search.workers,
        "seconds": seconds,
    }


def _kept(metrics: Mapping[str, Any], metric: str) -> float:
    """Return the validation metric of the weights that were kept."""
    return float(metrics["curves"][metrics["best_epoch"] - 1][f"valid_{metric}"])


def _scores(metrics: Mapping[str, Any], part: str) -> dict[str, Any]:
    return {
        "metrics": _metrics(metrics[part]),
        "interval": metrics["interval"][part],
        "parameters": metrics["parameters"],
        "seconds": metrics["training_seconds"],
    }


def _metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: scores[name] for name in metric_names(scores)}


def _importance(study: "optuna.Study", space: Mapping[str, Range]) -> dict[str, float]:
    """Return the share of the variance of the metric that each option explains (Hutter et al. 2014), largest first."""
    complete = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if len(complete) < _FEWEST or len({trial.value for trial in complete}) < 2:
        return {}
    importance = optuna_module().importance
    found = importance.get_param_importances(study, evaluator=importance.FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in found.items()}
