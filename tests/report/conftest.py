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
    ends = {"accuracy": [0.74, 0.9021], "f1_macro": [0.7352, 0.9], "log_loss": [0.3, 0.5317]}
    both = {"valid": ends, "test": ends}
    difference = {name: {"value": 0.025, "interval": [-0.0412, 0.0875], "p": 0.4537} for name in ends}
    curve = {
        "auc": 0.9012,
        "average_precision": 0.8876,
        "fpr": [0.0, 0.25, 1.0],
        "tpr": [0.0, 0.75, 1.0],
        "recall": [0.75, 1.0],
        "precision": [0.8, 0.5],
        "share": 0.5,
        "thresholds": [
            {"threshold": k / 10, "precision": 0.75, "recall": 1 - k / 10, "f1": 0.5, "predicted": 80 - 8 * k}
            for k in range(1, 10)
        ],
    }
    return {
        "task": "text-classification",
        "penstock": "0.1.0",
        "made": {
            "date": "2025-03-01T12:30:00+00:00",
            "versions": {"penstock": "0.1.0", "python": "3.12.1", "numpy": "2.1.0", "torch": "2.5.0+cpu"},
            "machine": {"system": "Linux x86_64", "engine": "native, avx2", "threads": 2, "torch_threads": 4},
        },
        "command": "penstock train classify 'my reviews.csv' --out sentiment --epochs 8",
        "network": {
            "inputs": {"kind": "embedding", "vocabulary_size": 2718, "size": 64},
            "encoder": {"kind": "recurrent", "cell": "lstm", "input_size": 64, "hidden_size": 128, "num_layers": 1},
            "head": {"kind": "class", "classes": 2, "pooling": "max"},
        },
        "parameters": 123_456,
        "random_state": 7,
        "options": SETTINGS | {"epochs": 8, "random_state": 7},
        "units": {"valid": 80, "test": 80},
        "interval": both,
        "verdict": {part: dict.fromkeys(ends, "no clear difference") for part in both},
        "difference": dict.fromkeys(both, difference),
        "memory": {
            "examples": 8,
            "unit": "word",
            "step": 1.0,
            "span": 1.0,
            "direct": 0.0,
            "around": False,
            "length": 130.0,
            "reach": "within",
            "horizon": 37.0,
            "forgetting": [{"distance": 0.0, "change": 1.0}, {"distance": 40.0, "change": 0.0417}],
            "layers": [
                {"layer": 1, "direction": "forward", "half_gone": 1.25, "half_life": 12.5, "left": [1.0, 0.5625, 0.33]},
                {"layer": 1, "direction": "backward", "half_gone": None, "half_life": None, "left": [1.0, 1.1, 1.21]},
            ],
            "input": [0.75, 0.5, 0.25],
        },
        "reliability": {
            "part": "test",
            "ece": 0.0512,
            "bins": [
                {"low": 0.5, "high": 0.6, "rows": 20, "confidence": 0.55, "accuracy": 0.6, "interval": [0.387, 0.781]},
                {"low": 0.9, "high": 1.0, "rows": 60, "confidence": 0.95, "accuracy": 0.9, "interval": [0.799, 0.953]},
            ],
        },
        "two_classes": {"part": "test", "label": "positive", "baseline": curve, "best_threshold": 0.4375} | curve,
        "labels": ["negative", "positive"],
        "valid": scores,
        "test": {**scores, "accuracy": 0.8},
        "baseline": {
            "tfidf": {
                "valid": tfidf,
                "test": tfidf,
                "interval": both,
                "verdict": {part: dict.fromkeys(ends, "no clear difference") for part in both},
                "difference": dict.fromkeys(both, difference),
            },
            "majority": {
                "valid": majority,
                "test": majority,
                "interval": both,
                "verdict": {part: dict.fromkeys(ends, "better") for part in both},
                "difference": dict.fromkeys(both, difference),
            },
        },
        "main_baseline": "tfidf",
        "curves": [
            {
                "epoch": epoch,
                "train_loss": 0.7 / epoch,
                "valid_loss": 0.4 + 0.05 * abs(epoch - 5),
                "valid_accuracy": 0.8375 - 0.02 * abs(epoch - 5),
                "seen_loss": 0.6 / epoch,
                "seen_accuracy": 1 - 0.3 / epoch,
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
        "confusion": {
            "part": "test",
            "matrix": [[33, 7], [9, 31]],
            "pairs": [{"label": "positive", "prediction": "negative", "rows": 9, "share": 0.225}],
        },
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
            "changed": {"rows split at another separator: ';'": 1800, "numbers with a decimal comma": 5},
            "vocabulary": 2718,
            "truncated": 4,
            "columns": {"text": "review", "label": "stars"},
            "sources": {"train": {"file": "my reviews.csv", "bytes": 374_105, "sha256": "ab" * 32}},
            "digest": "cd" * 32,
        },
        "configuration": SETTINGS,
        "seconds": 83.217,
        "peak_mb": 412.5,
    }
