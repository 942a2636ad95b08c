"""A task of your own: tag each word of a text. Penstock provides training, metrics, streams, report and page.

python task_of_your_own.py train spans people.csv --out people    a table of texts and their tags, separated by spaces
python task_of_your_own.py stream people                        also predict, evaluate, info, serve
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from penstock.datasets import Rows
from penstock.errors import DataError
from penstock.heads import LabelByLabel
from penstock.network import Embedding
from penstock.runtime import StepModel
from penstock.tasks import Column, StepClassifier, Task, register
from penstock.text.features import TextFeatures
from penstock.text.model import TextSequenceModel
from penstock.text.readers import read_inputs, read_texts
from penstock.tokens.spelling import tokenize


class SpanDecoder(LabelByLabel):
    """Chooses the most likely allowed tag of each word: I-x must follow B-x or I-x."""

    def __init__(self, tags):
        super().__init__(len(tags))
        self.tags = tags

    def choose(self, scores, before):
        """Return the tag of a word, given the scores (tags,) of the network and the tag before it."""
        allowed = [self._may_follow(tag, before) for tag in self.tags]
        return np.where(allowed, scores, -np.inf).argmax()

    def _may_follow(self, tag, before):
        return tag[:2] != "I-" or (before is not None and self.tags[before] in (tag, "B" + tag[1:]))


class TagModel(TextSequenceModel, StepModel):
    """The trained model, which predicts without PyTorch."""

    task = "spans"

    @cached_property
    def decoder(self):
        """The decoder that allows only valid spans."""
        return SpanDecoder(self.labels)


@dataclass(kw_only=True, eq=False, repr=False)
class Tagger(StepClassifier):
    """Trains with PyTorch.

    Args:
        embedding_size: numbers that a word is turned into.
    """

    task = "spans"
    embedding_size: int = 64

    def _rows(self, texts, tags):
        for text, own in zip(texts, tags, strict=True):
            if len(tokenize(text)) != len(own):
                raise DataError(f"there must be a tag for each of {tokenize(text)}; got {own}")
        return Rows(list(texts), list(tags))

    def _features(self, data):
        return TextFeatures(min_count=2).fit(data.train.inputs)

    def _inputs(self, features):
        return Embedding(features.vocabulary_size, self.embedding_size)


def read(path, columns, answers):
    """Read the rows of a file; without `answers` it needs no tags."""
    if not answers:
        return read_inputs(path, text=columns["text"])
    rows = read_texts(path, text=columns["text"], label=columns["tags"])
    return Rows(rows.inputs, [str(tags).split() for tags in rows.answers], rows.dropped)


COLUMNS = (Column("text", "Text column.", "text"), Column("tags", "Tag column.", "tags", answer=True))
SUMMARY = "Tag each word of a text: names, places, amounts."
TASK = Task("spans", "spans", SUMMARY, "people.csv --out people", COLUMNS, read, Tagger, TagModel, parse=str)
register(TASK)

if __name__ == "__main__":
    from penstock.cli import main

    raise SystemExit(main())
