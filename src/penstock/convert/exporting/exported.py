"""A model as an export reads it: its network, and what a file says about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import __version__
from penstock.errors import ConfigError
from penstock.network import Graph
from penstock.network.lowering import graph_of
from penstock.runtime.model import Model
from penstock.sequences import Sequences

__all__ = ["NamedGraph", "encoded", "metadata", "of_model"]


@dataclass(frozen=True)
class NamedGraph:
    """A network as a graph, with the words that go into its file.

    Attributes:
        graph: the network.
        tensors: its float32 tensors by the graph's names.
        about: metadata as texts, by name; see `metadata`.
    """

    graph: Graph
    tensors: Mapping[str, NDArray[np.float32]]
    about: Mapping[str, str]


def of_model(model: Model) -> NamedGraph:
    """Return a model's network as a graph; ConfigError if no graph can describe it."""
    graph, tensors = graph_of(model.network, model.tensors)
    found = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
    return NamedGraph(graph, found, metadata(model))


def encoded(model: Any, exported: NamedGraph, data: Any) -> dict[str, Sequences]:
    """Return a model's inputs, as `predict` takes them, as features by the graph's names.

    Raises:
        ConfigError: a model whose inputs no graph has.
        DataError: the inputs are not of this model's kind.
    """
    if not hasattr(model, "encode"):
        raise ConfigError(f"a model for {model.task} is compared on random inputs alone. Leave the data out.")
    found = model.encode(model.checked(data) if hasattr(model, "checked") else data)
    if isinstance(found, dict):
        return {name: found[name] for name in exported.graph.inputs}
    name, value = next(iter(exported.graph.inputs.items()))
    if value.ids and found.values.ndim == 2:  # a tagger's: a column of ids for each input
        columns = enumerate(exported.graph.inputs)
        return {name: Sequences(found.values[:, column], found.offsets) for column, name in columns}
    return {name: found}


def metadata(model: Model) -> dict[str, str]:
    """Return what a file tells of a model: structured values are JSON.

    penstock: the version that wrote it
    task: the model's task
    labels: the classes, in the order of the last axis of the output; left out where there are none
    sample_rate: samples per second of the sounds that the features read; left out for other inputs
    features: how data becomes the network's inputs
    first: what a language model reads before the first token or frame; left out for other tasks
    note: that this is not part of the file
    fingerprint: what identifies the model that was exported
    """
    about = {"penstock": __version__, "task": model.task, "fingerprint": model.fingerprint}
    if model.labels:
        about["labels"] = json.dumps(model.labels, ensure_ascii=False)
    if model.sample_rate:
        about["sample_rate"] = str(model.sample_rate)
    features = model.features.to_json()
    about["features"] = json.dumps(features, ensure_ascii=False)
    if hasattr(model.features, "first"):
        about["first"] = json.dumps(np.asarray(model.features.first).tolist())
    if features.get("kind") != "arrays":
        about["note"] = (
            "The network's inputs are numbers. Texts, sounds, tables and series become these numbers outside of this "
            "file, as `features` describes."
        )
    return about
