"""Metrics as training writes them, with everything a report can show."""

import pytest

SETTINGS = {
    "cell": "lstm",
    "hidden_size": 128,
    "num_layers": 1,
    "dropout": 0.3,
    "class_weight": None,
    "bidirectional": False,
}


@pytest.fixture
def metrics() -> dict:
    scores = {"rows": 80, "accuracy": 0.8375, "f1_macro": 0.8361204, "log_loss": 0.4127}
    tfidf = {"accuracy": 0.8125, "f1_macro": 0.81, "log_loss": 0.4019}
    majority = {"accuracy": 0.5, "f1_macro": 0.3333333, "log_loss": 0.6931472}
    return {
        "task": "text-classification",
        "penstock": "0.1.0",
        "labels": ["negative", "positive"],
        "valid": scores,
        "test": {**scores, "accuracy": 0.8},
        "baseline": {
            "tfidf": {"valid": tfidf, "test": tfidf},
            "majority": {"valid": majority, "test": majority},
        },
        "main_baseline": "tfidf",
        "curves": [
            {
                "epoch": epoch,
                "train_loss": 0.7 / epoch,
                "valid_loss": 0.4 + 0.05 * abs(epoch - 5),
                "valid_accuracy": 0.8375 - 0.02 * abs(epoch - 5),
                "seconds": 1.25,
            }
            for epoch in range(1, 9)
        ],
        "best_epoch": 5,
        "stopped": "no improvement",
        "per_class": {
            "test": [
                {"label": "negative", "precision": 0.7857142, "recall": 0.825, "f1": 0.8048780, "rows": 40},
                {"label": "positive", "precision": 0.8157894, "recall": 0.775, "f1": 0.7948717, "rows": 40},
            ]
        },
        "confusion": {"part": "test", "matrix": [[33, 7], [9, 31]]},
        "mistakes": [
            {
                "text": "Not bad at all <script>alert('x')</script> & co.",
                "label": "positive",
                "prediction": "negative",
                "probability": 0.981,
            },
            {
                "text": "服务员虽然慢了一点，菜却一点也不差。",
                "label": "positive",
                "prediction": "negative",
                "probability": 0.94321,
            },
        ],
        "data": {
            "train": {"rows": 1640, "tokens": 31415, "classes": {"negative": 820, "positive": 820}},
            "valid": {"rows": 80, "tokens": 1500, "classes": {"negative": 40, "positive": 40}},
            "test": {"rows": 80, "tokens": 1501, "classes": {"negative": 40, "positive": 40}},
            "dropped": {"no text": 3, "no label": 0},
            "vocabulary": 2718,
            "truncated": 4,
        },
        "configuration": SETTINGS,
        "seconds": 83.217,
        "peak_mb": 412.5,
    }
