"""Sentences and their tags as a training takes them: empty ones left out, tags in BIOES, unseen ones counted."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from penstock.datasets import Rows
from penstock.datasets.changes import change
from penstock.errors import DataError
from penstock.runtime.step_model import labels_of_steps
from penstock.sequences import Sequences
from penstock.tagging.judging import tag_places
from penstock.tagging.model import sentence_list
from penstock.tagging.schemes import Scheme, find_scheme
from penstock.tasks.classes import training_classes

__all__ = ["inner_classes", "inner_tags", "places_with_unseen", "scheme_of", "sentence_rows"]

_LOGGER = logging.getLogger(__name__)


def sentence_rows(inputs: Any, answers: Any) -> Rows:
    """Return the sentences that have tokens, with their tags.

    Raises:
        DataError: the numbers of tags and tokens differ.
    """
    sentences, tags = sentence_list(inputs), list(answers)
    labels_of_steps(tags, [len(sentence) for sentence in sentences])
    kept = np.array([number for number, sentence in enumerate(sentences) if sentence], np.int64)
    empty = len(sentences) - len(kept)
    return Rows(
        [sentences[number] for number in kept],
        [list(tags[number]) for number in kept],
        dropped={"empty sentences": empty} if empty else {},
        kept=kept,
    )


def scheme_of(answers: Iterable[Any], name: str | None) -> Scheme | None:
    """Return the scheme of the training tags, by its name or as they show it; None for none."""
    texts = ([tag for tag in tags if isinstance(tag, str)] for tags in answers)  # a scheme's tags are texts
    return find_scheme(texts, name)


def inner_classes(scheme: Scheme, answers: Sequence[Any], most: int) -> list[Any]:
    """Return the tags in BIOES that training tags have.

    Every place in a chunk has a tag, if only other places occur in the training data.

    Args:
        scheme: of the tags.
        answers: the tags of each sentence.
        most: maximum number of classes.

    Raises:
        DataError: there is only one, or there are too many.
    """
    inner = [scheme.to_inner(tags)[0] for tags in answers]
    kinds = {tag[2:] for tag in training_classes(labels_of_steps(inner), most) if tag != "O"}
    return ["O", *(f"{place}-{kind}" if kind else place for kind in sorted(kinds) for place in "BIES")]


def inner_tags(scheme: Scheme, answers: Sequence[Any], where: str) -> list[Any]:
    """Return tags in BIOES; those of broken sequences are repaired and counted.

    Raises:
        DataError: a tag that the scheme does not have; `where` says of which data.
    """
    try:
        found = [scheme.to_inner(each) for each in answers]
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    repaired = sum(count for _, count in found)
    said = f"{where}: {repaired:,} tags of broken sequences are repaired"
    change(_LOGGER, "broken tags, repaired", repaired, said)
    return [each for each, _ in found]


def places_with_unseen(tags: Sequence[Any], classes: Sequence[Any], unseen: list[Any], where: str) -> Sequences:
    """Return the places of tags, below 0 for those that do not occur in training, which are counted.

    Args:
        tags: the tags of each sentence.
        classes: the tags of the training data.
        unseen: tags that are not among them, to which further ones are added; see `judging.tag_places`.
        where: of which data they are.
    """
    places = tag_places(labels_of_steps(tags), classes, unseen)
    count = int((places < 0).sum())
    said = f"{where}: {count:,} tags do not occur in training: {', '.join(map(str, unseen)):.100}"
    change(_LOGGER, "tags unseen in training, counted as errors", count, said)
    return Sequences(places, np.cumsum([0, *map(len, tags)]))
