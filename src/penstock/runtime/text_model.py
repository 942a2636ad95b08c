"""A text classifier at work: whole texts in, labels and probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.features.text import TextFeatures
from penstock.network import Embedding, Network
from penstock.runtime.class_model import ClassModel
from penstock.runtime.columns import text_list
from penstock.runtime.text_baselines import TextBaselines
from penstock.sequences import Sequences

__all__ = ["TextModel"]


class TextModel(ClassModel):
    """A text classifier without PyTorch.

    Inputs are texts: str, in a list, a NumPy array, or a pandas, Polars or Arrow column.
    """

    task = "text-classification"

    def __init__(
        self,
        network: Network,
        features: TextFeatures,
        labels: Sequence[Any],
        tensors: Mapping[str, NDArray[Any]],
        *,
        baseline: Mapping[str, NDArray[Any]] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(network.inputs, Embedding):
            raise ConfigError(f"a text model needs inputs of kind embedding; got {network.inputs.kind!r}")
        if network.inputs.vocabulary_size != features.vocabulary_size:
            raise ConfigError(
                f"the embedding must have a row for each of the features' {features.vocabulary_size} ids; "
                f"got {network.inputs.vocabulary_size}"
            )
        super().__init__(network, features, labels, tensors, baseline=baseline, metrics=metrics)

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> TextFeatures:
        """The vocabulary."""
        return TextFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> TextBaselines:
        """TF-IDF with logistic regression where there is one, and the commonest class."""
        return TextBaselines(arrays)

    def checked(self, inputs: Any) -> list[str]:
        """The texts as a list."""
        return text_list(inputs)

    def encode(self, inputs: Sequence[str]) -> Sequences:
        """The ids of the texts' tokens."""
        return self.features.apply(inputs)

    def vectors(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """The embedding's rows, (..., size) for ids of any shape."""
        return self.tensors["inputs.weight"][values]

    def item(self, line: str) -> str:
        """The line: a piece of a text."""
        return line
