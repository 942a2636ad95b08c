"""Recipes of training: the values of the options that are left open."""

from typing import Any

__all__ = ["RECIPES"]

_ADAM: dict[str, Any] = {
    "batch_size": 32,
    "learning_rate": 0.002,
    "weight_decay": 0.01,
    "clip": 1.0,
    "average": 0.995,
    "patience": 4,
    "optimizer": "adamw",
    "decay": None,
    "hold": 0,
    "average_after": 0,
    "word_dropout": 0.0,
    "embedding_dropout": 0.1,
    "layer_dropout": 0.25,
    "output_dropout": 0.25,
    "weight_drop": 0.0,
    "activation": 0.0,
    "change": 0.0,
}

# The small network of Zaremba et al. 2015 (arXiv:1409.2329), for the sum of the loss over the steps of a chunk.
_SGD: dict[str, Any] = _ADAM | {
    "epochs": 13,
    "batch_size": 20,
    "learning_rate": 1.0,
    "weight_decay": 0.0,
    "clip": 5.0,
    "average": 0.0,
    "patience": 13,
    "optimizer": "sgd",
    "decay": 0.5,
    "hold": 4,
    "embedding_dropout": 0.0,
    "layer_dropout": 0.0,
    "output_dropout": 0.0,
}

# AWD-LSTM on Penn Treebank (Merity et al. 2018, arXiv:1708.02182).
_AWD: dict[str, Any] = _ADAM | {
    "epochs": 500,
    "batch_size": 40,
    "learning_rate": 30.0,
    "weight_decay": 1.2e-6,
    "clip": 0.25,
    "average": 0.0,
    "patience": 30,
    "optimizer": "sgd",
    "decay": 1.0,
    "average_after": 5,
    "word_dropout": 0.1,
    "embedding_dropout": 0.4,
    "layer_dropout": 0.25,
    "output_dropout": 0.4,
    "weight_drop": 0.5,
    "activation": 2.0,
    "change": 1.0,
}

RECIPES: dict[str, dict[str, Any]] = {"adam": _ADAM, "sgd": _SGD, "awd": _AWD}
"""The recipes by name."""
