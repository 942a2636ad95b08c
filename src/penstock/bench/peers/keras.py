"""Keras on TensorFlow: its layers inside a tf.function."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow

from penstock.bench.workload import Workload

__all__ = ["about", "prepare", "set_threads"]

_LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
_ORDERS = {"rnn": (0,), "lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}  # Keras has z before r


def about() -> str:
    """Name and version."""
    return f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}"


def set_threads(threads: int) -> None:
    """Set the threads within an operator; operators run one at a time."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call, already traced, and its outputs."""
    point = workload.point
    if point.ragged or point.what == "step":
        raise NotImplementedError("compared only on whole sequences of equal length")
    layer = _LAYERS[point.cell](point.hidden, return_sequences=True)
    x = tensorflow.constant(workload.x.swapaxes(0, 1))
    layer(x)
    layer.set_weights(_weights(workload))
    if point.what == "train":
        dy = tensorflow.constant(workload.dy.swapaxes(0, 1))

        @tensorflow.function
        def train(x: Any) -> Any:
            with tensorflow.GradientTape() as tape:
                tape.watch(x)
                loss = tensorflow.reduce_sum(layer(x) * dy)
            return tape.gradient(loss, [x, *layer.trainable_weights])

        return lambda: train(x)[0].numpy(), None
    infer = tensorflow.function(lambda x: layer(x))
    return lambda: infer(x).numpy(), infer(x).numpy().swapaxes(0, 1)


def _weights(workload: Workload) -> list[np.ndarray]:
    cell, arrays = workload.point.cell, {}
    for name, array in workload.weights.items():
        blocks = np.split(array, len(_ORDERS[cell]))
        arrays[name] = np.concatenate([blocks[place] for place in _ORDERS[cell]])
    biases = [arrays["bias_ih"], arrays["bias_hh"]]
    bias = np.stack(biases) if cell == "gru" else sum(biases)
    return [arrays["weight_ih"].T, arrays["weight_hh"].T, np.asarray(bias)]
