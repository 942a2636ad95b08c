"""Taggers at run time: tags and their probabilities for the tokens of sentences."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, cast

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from penstock import engine
from penstock.datasets.changes import change
from penstock.errors import ConfigError, DataError
from penstock.heads import ArgMax, Chain, Decoder, FixedLag, Viterbi, marginals
from penstock.labels import same_labels
from penstock.runtime.columns import column_list
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.question import Aim, Evidence, step_place
from penstock.runtime.reading import Reading
from penstock.runtime.step_model import StepModel, labels_of_steps
from penstock.runtime.step_stream import StepLabels
from penstock.sequences import Sequences
from penstock.tagging.baselines import TagBaselines
from penstock.tagging.features import TokenFeatures
from penstock.tagging.head import TagReadout
from penstock.tagging.judging import TagTruth, by_sentence, tag_places
from penstock.tagging.schemes import Chunk, chunks
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tagging.stream import TagStream

__all__ = ["TaggerModel"]

_LOGGER = logging.getLogger(__name__)
_SENTENCES = 1000
"""Sentences whose scores `answers` has in memory at once."""


class TaggerModel(StepModel):
    """A tagger without PyTorch.

    Inputs are sentences: lists of tokens, or texts, which are split as the training sentences were: into characters if
    all their tokens are single characters, otherwise by white space. If the tags of the training data mark chunks, the
    network has tags of the scheme BIOES (`labels`), and predictions have those of the training data.
    """

    task = "tagging"
    reads = "text"
    view = "tags"
    most_characters = 1 << 17

    def check(self) -> None:
        """Check that the network reads spelled words, with a row for each id, and has a head of tags."""
        super().check()
        inputs, features = self.network.inputs, self.features
        if not isinstance(inputs, SpelledWords) or not isinstance(self.network.head, TagHead):
            raise ConfigError(
                f"a tagger needs inputs of kind {SpelledWords.kind!r} and a head of kind {TagHead.kind!r}; "
                f"got {inputs.kind!r} and {self.network.head.kind!r}"
            )
        rows = inputs.words, inputs.characters, inputs.pairs, inputs.neighbours
        ids = features.vocabulary_size, features.alphabet_size, features.pair_count, features.neighbours
        if rows != ids:
            raise ConfigError(
                f"the tables must have a row for each of the features' {ids[0]} ids of words, {ids[1]} of characters "
                f"and {ids[2]} of pairs with {ids[3]} neighbours; got {rows[0]}, {rows[1]}, {rows[2]} and {rows[3]}"
            )
        if features.scheme is not None and not all(isinstance(label, str) for label in self.labels):
            raise ConfigError(f"tags that mark chunks must be texts; got {self.labels!r:.80}")

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> TokenFeatures:
        """Read the vocabulary."""
        return TokenFeatures.from_json(described)

    @cached_property
    def decoder(self) -> Decoder:
        """The best path through the CRF, or with `lookahead` the fixed-lag decoder; without a CRF the likeliest tag."""
        chain, lookahead = self._chain, self.network.head.lookahead
        if chain is None:
            return ArgMax()
        return Viterbi(chain) if lookahead is None else FixedLag(chain, lookahead)

    @property
    def _chain(self) -> Chain | None:
        return cast(TagReadout, self.scorer.head).chain

    def checked(self, inputs: Any) -> list[list[str]]:
        """Return the sentences as lists of tokens; DataError if they are not."""
        return sentence_list(inputs, self.features.tokens)

    def encode(self, inputs: Sequence[Sequence[str]]) -> Sequences:
        """Return the ids of the sentences' tokens."""
        return self.features.apply(inputs)

    def item(self, line: str) -> list[str]:
        """Return the tokens of a line."""
        return self.features.tokens(line)

    def named(self, item: Sequence[str]) -> dict[str, Any]:
        """Return {"tokens": the tokens}."""
        return {"tokens": list(item)}

    def predict(self, inputs: Iterable[Any]) -> list[list[Any]]:
        """Return the tags of each sentence's tokens.

        Raises:
            DataError: the inputs are not sentences.
        """
        scores = self.outputs(self.checked(inputs))
        places, ends = self.places(scores), scores.offsets.tolist()
        return [self.tags(places[start:end]) for start, end in pairwise(ends)]

    def predict_proba(self, inputs: Iterable[Any]) -> list[NDArray[np.float32]]:
        """Return the probability of each of `labels` at each token, (tokens, labels) for each sentence.

        With a CRF these are its marginal probabilities, given the whole sentence.

        Raises:
            DataError: the inputs are not sentences.
        """
        scores = self.outputs(self.checked(inputs))
        return list(Sequences(self.spread(scores), scores.offsets))

    def spread(self, scores: Sequences) -> NDArray[np.float32]:
        """Return the probabilities (tokens, labels) for the scores of several sentences."""
        if self._chain is None:
            return engine.softmax(scores.values)
        return marginals(self._chain, scores).astype(np.float32)

    def places(self, scores: Sequences) -> NDArray[np.int64]:
        """Return the places in `labels` of all sentences' tags, concatenated."""
        decoder = self.decoder
        return decoder.several(scores) if isinstance(decoder, Viterbi | FixedLag) else decoder.whole(scores.values)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> TagBaselines:
        """Read the baselines, whose predictions are places in `labels`, (tokens,)."""
        return TagBaselines(arrays, len(self.labels))

    def unknown(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
        """Return whether each token of all sentences did not occur in training; False if no baseline was saved."""
        if not isinstance(self.baselines, TagBaselines):
            return np.zeros(sum(map(len, sentences)), bool)
        return self.baselines.unknown(sentences)

    def truth(self, sentences: Sequence[Sequence[str]], answers: Any) -> TagTruth:
        """Return the true tags of checked sentences; tags that the model does not have are counted as errors.

        Raises:
            DataError: the numbers of sentences, or of tokens and tags, differ, or a tag is of another scheme.
        """
        lengths = [len(sentence) for sentence in sentences]
        tags = labels_of_steps(answers, lengths)
        scheme, offsets = self.features.scheme, np.cumsum([0, *lengths])
        if scheme is not None:
            tags = [tag for its in by_sentence(tags, offsets) for tag in scheme.to_inner(its)[0]]
        unseen: list[Any] = []
        places = tag_places(tags, self.labels, unseen)
        count = int((places < 0).sum())
        change(_LOGGER, "tags unseen in training, counted as errors", count)
        return TagTruth(places, self.labels, unseen, offsets, self.unknown(sentences), chunked=scheme is not None)

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return f1, precision and recall of chunks, if tags mark such, and accuracy over all tokens; see `Model`.

        `accuracy_unknown` is the accuracy over tokens that did not occur in training.

        Args:
            inputs: as for `predict`.
            answers: the tags of each sentence's tokens, as the training data writes them.

        Raises:
            DataError: as for `truth`.
        """
        rows = self.checked(inputs)
        truth = self.truth(rows, answers)
        return evaluation(
            truth.judged(self.places(self.outputs(rows))),
            {name: truth.judged(places) for name, places in self.baseline_answers(rows).items()},
        )

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`, ConfigError if the models have other tags."""
        order = np.argsort(same_labels(self.labels, other.labels))  # our place of each of their tags
        rows, beside = self.checked_pair(other, inputs, theirs)
        if list(map(len, rows)) != list(map(len, beside)):
            raise ConfigError("the models split a sentence into other tokens, so they can't be compared")
        truth = self.truth(rows, required(answers))
        predicted = order[other.places(other.outputs(beside))]
        return truth.judged(self.places(self.outputs(rows))), truth.judged(predicted)

    def decode(self, outputs: NDArray[np.float32]) -> list[Any]:
        """Return the tags for the scores (tokens, labels) of a sentence."""
        return self.tags(self.decoder.whole(outputs))

    def tags(self, places: NDArray[np.int64], before: int = -1) -> list[Any]:
        """Return tags as the training data writes them, from their places in `labels`.

        Args:
            places: (tokens,), consecutive ones of a sentence.
            before: the place of the tag before them; -1 at the start.
        """
        labels, scheme = [self.labels[place] for place in places], self.features.scheme
        if scheme is None:
            return labels
        earlier = ["O" if before < 0 else self.labels[before], *labels]
        return [scheme.write(label, last) for last, label in zip(earlier, labels, strict=False)]

    def step_labels(self, places: NDArray[np.int64], scores: NDArray[np.float32], before: int = -1) -> StepLabels:
        """Return the tags, with probabilities if they depend on their own tokens alone; `before` as for `tags`."""
        immediate = self.decoder.immediate
        return StepLabels(self.tags(places, before), engine.softmax(scores) if immediate else None)

    def stream(self) -> TagStream:
        """Start a stream for a sentence that arrives token by token.

        Raises:
            ConfigError: the network is bidirectional, or decodes whole sentences only.
        """
        return TagStream(self)

    @property
    def streams(self) -> bool:
        """Whether the network reads forward and its tags are final before the sentence ends."""
        return super().streams and not isinstance(self.decoder, Viterbi)

    def reading(self, item: Any) -> Reading:
        """Return a sentence as the layers read it, token by token."""
        (tokens,) = self.checked([item])
        unit = "character" if self.features.by_character else "word"
        return self._reading(tokens, names=tuple(tokens), unit=unit)

    def answers(self, inputs: Any, *, probabilities: bool = False) -> Iterator[dict[str, Any]]:
        """Yield `tokens` and `tags` of each sentence.

        If tags mark chunks there are also `entities`, each with `type`, `text`, `start` and `stop` (places of its first
        token, and of the one after its last); or `words`, if chunks have no type and so say where words end.

        Args:
            inputs: as for `predict`.
            probabilities: whether to add, for each token, the `probability` of its tag, and `probabilities` of all of
                `labels`, {label: p}; see `predict_proba`.
        """
        sentences = self.checked(inputs)
        for start in range(0, len(sentences), _SENTENCES):
            some = sentences[start : start + _SENTENCES]
            scores = self.outputs(some)
            spread = iter(Sequences(self.spread(scores), scores.offsets) if probabilities else [])
            for tokens, places in zip(some, by_sentence(self.places(scores), scores.offsets), strict=True):
                row = {"tokens": tokens, "tags": self.tags(np.array(places, np.int64)), **self._chunks(tokens, places)}
                yield row | self._shares(places, next(spread)) if probabilities else row

    def _shares(self, places: Sequence[int], spread: NDArray[np.float32]) -> dict[str, Any]:
        """Return the probabilities (tokens, labels) of a sentence as `answers` describes them."""
        return {
            "probability": spread[np.arange(len(places)), np.array(places, np.int64)].tolist(),
            "probabilities": [dict(zip(self.label_texts, shares, strict=True)) for shares in spread.tolist()],
        }

    def _chunks(self, tokens: Sequence[str], places: Sequence[int]) -> dict[str, Any]:
        """Return the chunks of a sentence as `answers` describes them; empty if tags don't mark such."""
        if self.features.scheme is None:
            return {}
        between = "" if self.features.by_character else " "
        found = chunks([self.labels[place] for place in places])
        if all(len(label) == 1 for label in self.labels):
            inside = {place for _, start, stop in found for place in range(start, stop)}
            found += [Chunk("", place, place + 1) for place in range(len(tokens)) if place not in inside]
            return {"words": [between.join(tokens[start:stop]) for _, start, stop in sorted(found)]}
        return {
            "entities": [
                {"type": kind, "text": between.join(tokens[start:stop]), "start": start, "stop": stop}
                for kind, start, stop in found
            ]
        }

    def evidence(self, one: Any) -> Evidence:
        """Return the tokens of a sentence; a token's baseline is an unknown word without a spelling."""
        (tokens,) = self.checked([one])
        rows = self.features.rows(tokens)
        table, count = np.concatenate([rows, np.zeros_like(rows[:1])]), len(tokens)
        gap = "" if self.features.by_character else " "

        def vectors(variants: Any) -> Any:
            return array_namespace(variants).asarray(table)[variants]

        return Evidence(
            values=np.arange(count),
            baseline=np.full(count, count),
            axes=("token",),
            places={"token": tokens},
            gaps=["", *[gap] * (count - 1), ""],
            vectors=vectors,
        )

    def aim(self, outputs: NDArray[np.float32], target: Any, at: int | None) -> Aim:
        """Explain the log-odds of a tag, by default the predicted one, by the network's scores at a token."""
        step = step_place(at, len(outputs))
        target = self.labels[self.decoder.whole(outputs)[step]] if target is None else target
        return super().aim(outputs, target, at)

    def explained(self, outputs: NDArray[np.float32], aim: Aim) -> dict[str, Any]:
        """Return the tag at the token, and the probabilities of all."""
        assert aim.at is not None
        spread = self.spread(Sequences(outputs, np.array([0, len(outputs)])))[aim.at - 1]
        probabilities = dict(zip(self.label_texts, spread.tolist(), strict=True))
        return {"prediction": self.decode(outputs)[aim.at - 1], "probabilities": probabilities}

    def info(self) -> dict[str, Any]:
        """Return `StepModel.info`, the scheme of the tags, the tokens that a streamed tag waits for, and the unit."""
        scheme = self.features.scheme
        return super().info() | {
            "scheme": None if scheme is None else scheme.name,
            "lookahead": self.network.head.lookahead,
            "unit": "character" if self.features.by_character else "word",
        }


def sentence_list(inputs: Any, tokens: Any = list) -> list[list[str]]:
    """Return sentences as lists of tokens.

    Args:
        inputs: a list, or a column of pandas, Polars or Arrow, of sentences: tokens in any sequence, or a str.
        tokens: splits a str.

    Raises:
        DataError: the inputs are a single str or a table, or a sentence or a token is of another type.
    """
    found = []
    for number, sentence in enumerate(column_list(inputs, "sentences")):
        if isinstance(sentence, str):
            found.append(tokens(sentence))
            continue
        if not hasattr(sentence, "__iter__") or isinstance(sentence, Mapping | bytes):
            raise DataError(f"a sentence must be a list of tokens; number {number} is {sentence!r:.60}")
        found.append(list(sentence))
        for token in found[-1]:
            if not isinstance(token, str) or not token:
                raise DataError(
                    f"a token must be a str of at least one character; sentence {number} has {token!r:.40} "
                    f"({type(token).__name__})"
                )
    return found
