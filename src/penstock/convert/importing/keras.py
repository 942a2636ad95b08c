"""Import of Keras' models."""

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.checking import Oracle, Source, imported
from penstock.convert.importing.keras_file import read_keras_file
from penstock.convert.importing.keras_network import KerasGraph, keras_graph
from penstock.errors import BundleError, ConfigError
from penstock.runtime import GraphModel

__all__ = ["from_keras"]


def from_keras(
    source: Any,
    *,
    config: str | Path | Mapping[str, Any] | None = None,
    start: str | None = None,
    stop: str | None = None,
    check: bool | Iterable[Any] = True,
) -> GraphModel:
    """Import a model of Keras 2 or 3 with recurrent layers.

    Files are read without Keras and nothing in them is run; layers of your own and Lambda are refused by name.

    Args:
        source: a .keras or .h5 file, or a model of Keras.
        config: the architecture, if the file holds weights alone: a JSON file as `model.to_json()` writes it, or what
            is in one. By default the file of the same name that ends in .json.
        start: the first layer to import; None for all.
        stop: the last layer to import; None for all.
        check: compare the outputs with Keras' own, where Keras is installed; inputs as for `predict` are compared too.

    Returns:
        The model; `metrics["import"]` says what was checked.

    Raises:
        BundleError: the file can't be read.
        ConfigError: something can't come in (the message names it), or the outputs differ from Keras' own.
        MissingExtraError: h5py is not installed.

    Examples:
        >>> from penstock import convert
        >>> convert.from_keras("old.pkl")
        Traceback (most recent call last):
        ...
        penstock.errors.BundleError: old.pkl: no such file
    """
    if not isinstance(source, str | Path):
        return _of_model(source, start, stop, check)
    path = Path(source)
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    with read_keras_file(path) as file:
        described = file.described if config is None else _config(config)
        if described is None and path.with_suffix(".json").is_file():
            described = _config(path.with_suffix(".json"))
        if described is None:
            raise ConfigError(
                f"{path} holds the weights of {', '.join(file.names) or 'no layer'}, and no architecture. Give it by "
                'config=, as model.to_json() writes it, or run single layers by Recurrence.from_arrays(layout="keras").'
            )
        version = str(described.get("keras_version") or file.version)
        found = keras_graph(described, file.weights, version, start, stop)
    alone = file.described is None
    oracle = _oracle(path, described if alone else None, found, start, stop) if check is not False else _ASKED
    return _finished(found, path.name, oracle, check)


_ASKED = "check=False"


def _of_model(model: Any, start: str | None, stop: str | None, check: bool | Iterable[Any]) -> GraphModel:
    if not all(hasattr(model, name) for name in ("save", "get_layer", "inputs")):
        raise ConfigError(f"source must be a path or a model of Keras; got {type(model).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with read_keras_file(path) as file:
            assert file.described is not None
            found = keras_graph(file.described, file.weights, file.version, start, stop)
    oracle = _running(model, found, start, stop) if check is not False else _ASKED
    return _finished(found, f"{type(model).__name__} {model.name}", oracle, check)


def _finished(found: KerasGraph, name: str, oracle: Oracle | str, check: bool | Iterable[Any]) -> GraphModel:
    source = Source("keras", name, found.notes, found.lengths)
    return imported(found.graph, found.tensors, source, oracle, None if isinstance(check, bool) else check)


def _config(config: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(config, Mapping):
        return config
    try:
        described = json.loads(Path(config).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{config}: can't be read as JSON: {error}") from error
    if not isinstance(described, Mapping) or not {"class_name", "config"} <= set(described):
        raise ConfigError(f"{config} must hold class_name and config, as model.to_json() writes them")
    return described


def _oracle(
    path: Path, described: Mapping[str, Any] | None, found: KerasGraph, start: str | None, stop: str | None
) -> Oracle | str:
    """The model run by Keras, or why it can't be. Only layers of Keras itself get here, so that no code is loaded."""
    if importlib.util.find_spec("keras") is None:
        return "Keras is not installed"
    if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ:
        backends = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name)]
        if not backends:
            return "Keras has no backend: PyTorch, JAX or TensorFlow"
        os.environ["KERAS_BACKEND"] = backends[0]
    import keras

    try:
        if described is None:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        else:
            model = keras.models.model_from_json(json.dumps(described))
            model.load_weights(path)
    except Exception as error:  # whatever Keras raises on files of its earlier versions
        return f"Keras {keras.__version__} can't load it: {str(error).strip().splitlines()[0]:.200}"
    return _running(model, found, start, stop)


def _running(model: Any, found: KerasGraph, start: str | None, stop: str | None) -> Oracle | str:
    import keras

    if start is not None or stop is not None:
        first = model.inputs if start is None else model.get_layer(start).input
        if start is not None and isinstance(first, list | tuple):
            return f"Keras can't run a part that begins with {start}, which reads a mask"
        last = model.outputs if stop is None else model.get_layer(stop).output
        model = keras.Model(first, last[0] if stop is not None and isinstance(last, list | tuple) else last)
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    names = [] if len(model.inputs) == 1 else list(found.graph.inputs)
    stateful = [layer for layer in model.layers if getattr(layer, "stateful", False)]

    def run(item: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        for layer in stateful:
            layer.reset_state()
        batch = keras.tree.map_structure(lambda tensor: _batch(tensor, item, names), inputs)
        outputs = model(batch, training=False)
        if isinstance(outputs, Mapping):
            outputs = list(outputs.values())
        listed = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        rows = [np.asarray(keras.ops.convert_to_numpy(each))[0] for each in listed]
        return dict(zip(found.graph.outputs, rows, strict=True))

    return Oracle(f"Keras {keras.__version__}", run)


def _batch(tensor: Any, item: Mapping[str, NDArray[Any]], names: list[str]) -> NDArray[np.float32]:
    """A batch of one sequence for an input of Keras; zeros for one that the imported part does not need."""
    first = next(iter(item.values()))
    if tensor.name in names or not names:
        return np.asarray(item.get(tensor.name, first), np.float32)[None]
    return np.zeros((1, len(first), *tensor.shape[2:]), np.float32)
