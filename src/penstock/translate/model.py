"""A translator at run time: translations, the best ones with scores and attention, and scores of given ones."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.frames import is_table, table_column, tabular
from penstock.errors import ConfigError, DataError
from penstock.events import Steps
from penstock.network import Embedding
from penstock.runtime.columns import column_list, text_list
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.model import Model
from penstock.runtime.stream import Stream
from penstock.runtime.tables import chosen_column
from penstock.tokens import BEGIN, END, UNKNOWN
from penstock.translate.baselines import TranslationBaselines
from penstock.translate.beam import Beam, Hypothesis
from penstock.translate.features import TranslationFeatures
from penstock.translate.metrics import judged
from penstock.translate.scorer import AttendingScorer
from penstock.translate.spec import AttentionDecoder

__all__ = ["Alignment", "Translation", "TranslationModel"]

_LOGGER = logging.getLogger("penstock.translate")
_AT_ONCE = 1024  # translations that are searched for before their rows are given
_RATIO = 2.0  # a long source may have a target of twice its tokens, even if training had none so long


@dataclass(frozen=True, eq=False)
class Alignment:
    """What a translation attended to.

    Attributes:
        source: the source's tokens, with the end token.
        target: the translation's tokens, with the end token.
        weights: (target, source) float32; each row sums to 1.
    """

    source: list[str]
    target: list[str]
    weights: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """Return the tokens and the weights as plain values."""
        return {"source": self.source, "target": self.target, "weights": self.weights.tolist()}


@dataclass(frozen=True, eq=False)
class Translation:
    """One translation of a text.

    Attributes:
        text: the translation.
        score: log-probability / length ** normalization, by which translations are ranked.
        log_probability: natural logarithm of its probability.
        alignment: what it attended to.
    """

    text: str
    score: float
    log_probability: float
    alignment: Alignment


class TranslationModel(Model):
    """A translator without PyTorch.

    Inputs are texts, in a list, a NumPy array, or a pandas, Polars or Arrow column; or a table of these packages with
    the columns of training, or `source` and `target`. A translation's bits depend on its source alone. The whole source
    is read before the first word is written, so there is no stream.
    """

    scorer: AttendingScorer
    task = "translation"
    reads = "text"
    view = "translation"
    most_characters = 500

    def check(self) -> None:
        """Check that the network has the features' tokens on both sides."""
        inputs, head, features = self.network.inputs, self.network.head, self.features
        if not isinstance(head, AttentionDecoder) or not isinstance(inputs, Embedding):
            raise ConfigError(
                "a translator needs inputs of kind embedding and a head of kind attention_decoder; "
                f"got {inputs.kind!r} and {head.kind!r}"
            )
        if (inputs.vocabulary_size, head.vocabulary_size) != (len(features.source), len(features.target)):
            raise ConfigError(
                f"the embeddings must have a row for each of the features' {len(features.source)} source and "
                f"{len(features.target)} target tokens; got {inputs.vocabulary_size} and {head.vocabulary_size}"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> TranslationFeatures:
        """Read the tokens of both languages."""
        return TranslationFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> TranslationBaselines:
        """Read the baselines: word by word, a copy of the source, and the most frequent target."""
        return TranslationBaselines(arrays)

    @property
    def streams(self) -> bool:
        """False: see `stream`."""
        return False

    def predict(self, inputs: Any, **search: Any) -> NDArray[Any]:
        """Return the best translation of each text, (texts,) of str.

        Args:
            inputs: texts.
            search: as for `translate`.

        Raises:
            DataError: the inputs are not texts.
            ConfigError: an option of the search is invalid.
        """
        found = np.empty(len(texts := self._texts(inputs)), object)
        for place, (best,) in self._searched(texts, self.beam(**search), 1):
            found[place] = self.features.target.decode(best.tokens.tolist())
        return found

    def translate(self, inputs: Any, n_best: int = 1, **search: Any) -> list[list[Translation]]:
        """Return the best translations of each text, the best first, with scores and attention.

        Args:
            inputs: texts.
            n_best: the number of translations of each text, at most `beam`.
            search: `beam`, the number of translations that are continued at once (1 is greedy); `normalization`, the
                exponent of the length by which log-probabilities are divided; `max_length`, tokens after which a
                translation has to end. What is not given is as in training.

        Raises:
            DataError: the inputs are not texts.
            ConfigError: an option of the search is invalid.
        """
        texts, beam = self._texts(inputs), self.beam(**search)
        if isinstance(n_best, bool) or not isinstance(n_best, int | np.integer) or not 1 <= n_best <= beam.size:
            raise ConfigError(f"n_best must be a whole number from 1 to beam, which is {beam.size}; got {n_best!r:.40}")
        found: list[list[Translation]] = [[] for _ in texts]
        for place, several in self._searched(texts, beam, n_best):
            found[place] = [self._translation(texts[place], each) for each in several]
        return found

    def beam(
        self, *, beam: int | None = None, normalization: float | None = None, max_length: int | None = None
    ) -> Beam:
        """Return the settings of a search; what is None is as in training."""
        features = self.features
        return Beam(
            begin=BEGIN,
            end=END,
            banned=(BEGIN, UNKNOWN),
            size=features.beam if beam is None else beam,
            normalization=features.normalization if normalization is None else normalization,
            max_length=features.longest if max_length is None else max_length,
            ratio=_RATIO if max_length is None else 0.0,
        )

    def score(self, sources: Any, targets: Any) -> NDArray[np.float64]:
        """Return the log-probability of each given translation, with its end, (texts,).

        Raises:
            DataError: sources and targets are not texts, or differ in number.
        """
        texts, given = self._pairs(sources, targets)
        each = self.scorer.scores(self.features.sources(texts), self.features.targets(given))
        return np.array([part.sum() for part in each])

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return bleu, chrf and exact_match of the translations and of each baseline's; see `Model`.

        Args:
            inputs: texts, or a table that also has the translations.
            answers: the reference translation of each text.

        Raises:
            DataError: sources and references differ in number, or there are none.
            MissingExtraError: sacreBLEU is not installed.
        """
        texts, references = self._pairs(inputs, self._references(inputs) if answers is None else answers)
        others = self.baseline_answers(texts)
        return evaluation(
            judged(texts, self.predict(texts).tolist(), references),
            {name: judged(texts, each.tolist(), references) for name, each in others.items()},
        )

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`."""
        texts, references = self._pairs(inputs, required(answers))
        beside = texts if theirs is None else self._texts(theirs)
        found, others = self.predict(texts).tolist(), other.predict(beside).tolist()
        return judged(texts, found, references), judged(texts, others, references)

    def timed(self, inputs: Any, most: int) -> Callable[[], int]:
        """See `Model.timed`."""
        texts = self._texts(inputs)[:most]

        def run() -> int:
            return len(self.predict(texts))

        return run

    def answers(
        self, inputs: Any, n_best: int = 1, *, alignment: bool = False, **search: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield `prediction` and its `score` for each text; of several for each, also `row` and `rank`, from 1.

        Args:
            inputs, n_best, search: as for `translate`.
            alignment: whether each row has what its translation attended to, {"source", "target", "weights"}.
        """
        texts = self._texts(inputs)
        for row, several in enumerate(self._in_slices(texts, n_best, search), start=1):
            for rank, each in enumerate(several, start=1):
                place = {"row": row, "rank": rank} if n_best > 1 else {}
                aligned = {"alignment": each.alignment.to_json()} if alignment else {}
                yield place | {"prediction": each.text, "score": each.score} | aligned

    def _in_slices(self, texts: list[str], n_best: int, search: Mapping[str, Any]) -> Iterator[list[Translation]]:
        """Yield the translations of each text; only those of some texts, with what they attended to, are in memory."""
        size = max(1, _AT_ONCE // self.beam(**search).size)
        for start in range(0, len(texts), size):
            yield from self.translate(texts[start : start + size], n_best, **search)

    def stream(self) -> Stream:
        """Raise ConfigError: the first word of a translation may depend on the last one of its source."""
        forward = "" if self.network.encoder.bidirectional else ", although its encoder reads forward"
        raise ConfigError(
            f"a translator can't be streamed{forward}: its decoder attends to the whole source from its first token "
            "on. Translate text by text with predict, or line by line: penstock predict DIR -"
        )

    def item(self, line: str) -> str:
        """Return the line, which is a text."""
        return line

    def as_json(self, answer: str) -> dict[str, Any]:
        """Return {"prediction": text}."""
        return {"prediction": answer}

    def info(self) -> dict[str, Any]:
        """See `Model.info`; with the tokens of both sides and the search."""
        features = self.features
        tokens = {"level": features.level, "source": len(features.source), "target": len(features.target)}
        search = {"beam": features.beam, "normalization": features.normalization, "longest": features.longest}
        return super().info() | {"tokens": tokens, "search": search}

    def _searched(self, texts: Sequence[str], beam: Beam, n_best: int) -> Iterator[tuple[int, list[Hypothesis]]]:
        with Steps(_LOGGER, "translating", len(texts), "texts") as told:
            for found in self.scorer.search(self.features.sources(texts), beam, n_best):
                yield found
                told.advance()

    def _translation(self, source: str, found: Hypothesis) -> Translation:
        ids = found.tokens.tolist()
        alignment = Alignment(
            self.features.source_tokens(source), self.features.target.names([*ids, END]), found.weights
        )
        return Translation(self.features.target.decode(ids), found.score, found.log_probability, alignment)

    def _texts(self, inputs: Any) -> list[str]:
        if is_table(inputs):
            return self._column(inputs, "source")
        return text_list(inputs)

    def _references(self, inputs: Any) -> list[str]:
        if not is_table(inputs):
            raise DataError("translations are judged by reference translations. Give the answers.")
        return self._column(inputs, "target")

    def _column(self, inputs: Any, role: str) -> list[str]:
        table, trained = tabular(inputs), self.metrics.get("data", {}).get("columns", {})
        name = chosen_column(table, trained.get(role), usual=role)
        return text_list(column_list(table_column(table, name), f"the column {name}"), f"the column {name}")

    def _pairs(self, sources: Any, targets: Any) -> tuple[list[str], list[str]]:
        texts, given = self._texts(sources), text_list(targets, "targets")
        if len(texts) != len(given):
            raise DataError(f"sources and targets must have the same length; got {len(texts)} and {len(given)}")
        return texts, given
