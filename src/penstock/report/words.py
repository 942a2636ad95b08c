"""How names in metrics.json read on a page and in a terminal; an unknown name reads as it is."""

__all__ = ["baseline_words", "metric_place", "metric_words", "task_words"]

_METRICS = {
    "accuracy": "accuracy",
    "f1_macro": "macro F1",
    "log_loss": "log loss",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "r2": "R²",
    "smape": "sMAPE",
    "mase": "MASE",
    "coverage_80": "in the 80 % interval",
}
_BASELINES = {
    "majority": "Commonest class",
    "mean": "Mean of the training data",
    "naive": "Last value",
    "nearest": "Nearest neighbour",
    "nearest_dtw": "Nearest neighbour by time warping",
    "ridge": "Ridge regression",
    "seasonal_naive": "Value a season ago",
    "statistics": "Summary statistics, linear",
    "tfidf": "TF-IDF, logistic regression",
}
_TASKS = {
    "audio-classification": "Audio classifier",
    "forecasting": "Forecaster",
    "series-classification": "Series classifier",
    "series-regression": "Series regressor",
    "text-classification": "Text classifier",
}


def metric_words(name: str) -> str:
    """accuracy, f1_macro, ... for people."""
    return _METRICS.get(name, name)


def metric_place(name: str) -> tuple[int, str]:
    """Metrics in an order of their own: those known here in the order above, then the rest."""
    return (list(_METRICS).index(name) if name in _METRICS else len(_METRICS), name)


def baseline_words(name: str) -> str:
    """A baseline's name for people."""
    return _BASELINES.get(name, name.replace("_", " ").capitalize())


def task_words(name: str) -> str:
    """A task's name for people."""
    return _TASKS.get(name, name.replace("-", " ").capitalize())
