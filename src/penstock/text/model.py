"""Text models at run time: labels and probabilities for texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from penstock.datasets.finding import holds_words
from penstock.datasets.frames import table_column
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError
from penstock.network import Embedding
from penstock.runtime.class_model import ClassModel
from penstock.runtime.columns import column_list, text_list
from penstock.runtime.question import Evidence
from penstock.runtime.reading import Reading
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.tables import chosen_column
from penstock.sequences import Sequences
from penstock.text.baselines import TextBaselines
from penstock.text.features import TextFeatures
from penstock.text.properties import text_properties
from penstock.text.token_features import TokenFeatures, read_text_features

__all__ = ["TextModel", "TextSequenceModel"]


class TextSequenceModel(SequenceModel):
    """Base class of models that read texts; a task's class also inherits from the class of its predictions.

    Inputs are texts: str, in a list, a NumPy array, or a pandas, Polars or Arrow column; or a table of these packages
    with the columns of training, or `text` and `label`, or only one column of texts.
    """

    reads = "text"

    def check(self) -> None:
        """Check that the network has an embedding with a row for each id."""
        super().check()
        inputs, ids = self.network.inputs, self.features.vocabulary_size
        if not isinstance(inputs, Embedding):
            raise ConfigError(f"a text model needs inputs of kind embedding; got {inputs.kind!r}")
        if inputs.vocabulary_size != ids:
            raise ConfigError(
                f"the embedding must have a row for each of the features' {ids} ids; got {inputs.vocabulary_size}"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> TextFeatures | TokenFeatures:
        """Read the vocabulary, or the tokens of a language model."""
        return read_text_features(described)

    def checked(self, inputs: Any) -> list[str]:
        """Return the texts as a list."""
        return text_list(inputs)

    def table_rows(self, table: Any, *, labelled: bool) -> Rows:
        """Read a table's column of texts, and of labels."""
        label = chosen_column(table, self.trained_column("label"), usual="label") if labelled else None
        taken = filter(None, (label, self.trained_column("label")))
        text = chosen_column(
            table, self.trained_column("text"), usual="text", fits=holds_words, taken=[*taken, "label"]
        )
        labels = None if label is None else column_list(table_column(table, label), f"the column {label}")
        return Rows(column_list(table_column(table, text), f"the column {text}"), labels)

    def encode(self, inputs: Sequence[str]) -> Sequences:
        """Return the ids of the texts' tokens."""
        return self.features.apply(inputs)

    def named(self, item: str) -> dict[str, Any]:
        """Return {"text": the text}."""
        return {"text": item}

    def reading(self, item: Any) -> Reading:
        """Return a text as the layers read it, token by token."""
        (text,) = self.checked([item])
        tokens, _ = self.features.spelled(text)
        unit = self.features.unit(tokens)
        return self._reading(text, names=tuple(tokens), unit=unit, properties=text_properties(tokens))

    def evidence(self, one: str) -> Evidence:
        """Return the ids of a text's tokens; a token's baseline is an unknown one, spelled alike if words are read."""
        text = text_list([one])
        tokens, gaps = self.features.spelled(text[0])
        return Evidence(
            values=self.features.apply(text).values,
            baseline=self.features.apply_unknown(text).values,
            axes=("token",),
            places={"token": tokens},
            gaps=gaps,
        )

    def item(self, line: str) -> str:
        """Return the line, which is a piece of a text."""
        return line


class TextModel(TextSequenceModel, ClassModel):
    """A text classifier without PyTorch."""

    task = "text-classification"
    view = "text"

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> TextBaselines:
        """Read the baselines: TF-IDF with logistic regression, if there is one, and the most frequent class."""
        return TextBaselines(arrays)
