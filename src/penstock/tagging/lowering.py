"""Taggers as graphs, for export: the scores of tags, which the other runtime has to decode."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network.graph import GraphBuilder
from penstock.network.operations import Concatenate, Dense, Lookup, Value
from penstock.tagging.spec import SpelledWords, TagHead

__all__ = ["add_spelled_words", "add_tag_head"]

Tensors = Mapping[str, NDArray[Any]]


def add_spelled_words(builder: GraphBuilder, spec: SpelledWords, tensors: Tensors) -> str:
    """Add the input `ids`, the words', with their table; and `before` and `after`, those of their pairs, with theirs.

    Raises:
        ConfigError: the inputs read the spelling of words, for which graphs have no operation.
    """
    if spec.characters:
        raise ConfigError(
            "inputs of kind 'spelled_words' that read characters can't be exported: a graph has no layers within a "
            "step. Train with spelling=False (--no-spelling)."
        )
    ids = builder.add_input("ids", Value(spec.words, ids=True))
    found = [builder.add(Lookup(spec.words, spec.word_size), ids, name="words", weight=tensors["words.weight"])]
    for name in ("before", "after")[: spec.neighbours]:
        ids, table = builder.add_input(name, Value(spec.pairs, ids=True)), tensors["pairs.weight"]
        found.append(builder.add(Lookup(spec.pairs, spec.pair_size), ids, name=f"pairs_{name}", weight=table))
    return found[0] if len(found) == 1 else builder.add(Concatenate(), *found)


def add_tag_head(builder: GraphBuilder, spec: TagHead, tensors: Tensors, y: str, *, bidirectional: bool = False) -> str:
    """Add a linear layer at each step, called `scores`; the scores of transitions are left out."""
    linear = {name: tensors[name] for name in ("weight", "bias")}
    return builder.add(Dense(builder.value(y).size, spec.classes), y, name="scores", **linear)
