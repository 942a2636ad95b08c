"""Language models at run time: the log-probability of each token, scores, and generation, without PyTorch."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.datasets.finding import holds_words
from penstock.datasets.frames import is_table, table_column, tabular
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.language.adapting import read_adaptation
from penstock.language.baselines import LanguageBaselines, NoteBaselines, read_baselines
from penstock.language.features import FrameFeatures, LanguageFeatures, read_language_features
from penstock.language.measuring import evaluate_blocks
from penstock.language.sampling import sounding
from penstock.language.scorer import shifted
from penstock.language.scores import language_counts, language_scores, language_sums
from penstock.language.stream import Drawn, LanguageStream, Surprisal
from penstock.network import LANGUAGE
from penstock.runtime.columns import column_list
from penstock.runtime.model import Model
from penstock.runtime.reading import Reading
from penstock.runtime.resampling import compared
from penstock.runtime.tables import chosen_column
from penstock.sequences import Sequences
from penstock.tokens import UNKNOWN

__all__ = ["Adaptation", "SequenceGenerator"]


class Adaptation(Protocol):
    """A way to predict a text that learns from what it has already read of it."""

    def log_probabilities(self, model: "SequenceGenerator", sequences: Sequences) -> NDArray[np.float32]:
        """Return the log-probability of each step of the result of the model's `sequences`, (total,)."""


_UNITS = {"char": "character", "byte": "byte", "word": "word", "bpe": "token", "notes": "frame"}


class SequenceGenerator(Model):
    """A model of what comes next, in texts or in frames of notes; it needs no PyTorch.

    Inputs are texts, a list of str or a column of pandas, Polars or Arrow, or a table with the column of training; of a
    model of notes, pieces: lists of frames, which are lists of the notes that sound, such as [[60, 64], [62]].
    """

    features: LanguageFeatures | FrameFeatures
    scorer: Any  # a LanguageScorer
    task = "language-model"
    view = "language"
    batched = False
    most_characters = 1 << 17

    @property
    def reads(self) -> Any:  # type: ignore[override]
        """What a stream's `push` takes: a piece of text, or a frame of notes as one step."""
        return self.features.reads

    def check(self) -> None:
        """Check that inputs and head match the features."""
        network, features = self.network, self.features
        tokens = isinstance(features, LanguageFeatures)
        if network.wiring is not LANGUAGE or (network.head.kind == "next_token") != tokens or self.labels:
            raise ConfigError(f"a language model of {features.kind} has no such head: {network.head!r:.120}")
        sizes = (
            (network.inputs.vocabulary_size, network.head.tokens)
            if tokens
            else (network.inputs.size, network.head.outputs)
        )
        if sizes != (features.size, features.size):
            raise ConfigError(f"inputs and head must have the features' {features.size} {features.unit}s; got {sizes}")

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> LanguageFeatures | FrameFeatures:
        """Read the tokens, or the range of notes."""
        return read_language_features(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> LanguageBaselines | NoteBaselines:
        """Read the baselines: n-grams of tokens, or frequencies of notes."""
        return read_baselines(arrays)

    def sequences(self, inputs: Any) -> Sequences:
        """Return texts as ids, (tokens,), or pieces as frames, (frames, notes).

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return self.features.read(self.given(inputs))

    def encode(self, inputs: Any) -> Sequences:
        """Return what the network reads at each step: the token or frame before it, first `features.first`.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return shifted(self.sequences(inputs), self.features.first)

    def given(self, inputs: Any) -> Any:
        """Return inputs as `sequences` takes them; of a table, the column of texts."""
        if not is_table(inputs):
            return inputs
        table, trained = tabular(inputs), self.metrics.get("data", {}).get("columns", {}).get("text")
        name = chosen_column(table, trained, usual="text", fits=holds_words)
        return column_list(table_column(table, name), f"the column {name}")

    def predict(self, inputs: Any) -> list[NDArray[np.float32]]:
        """Return the log-probability (natural) of each token of each input after those before it.

        The end of a text counts as a token where the model has learned several texts.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        sequences = self.sequences(inputs)
        return np.split(self.log_probabilities(sequences), sequences.offsets[1:-1])

    def log_probabilities(self, sequences: Sequences) -> NDArray[np.float32]:
        """Return the log-probability of each step of the result of `sequences`, (total,)."""
        return self.scorer.log_probabilities(sequences, self.features.first)

    def score(self, inputs: Any, by: Adaptation | None = None) -> dict[str, Any]:
        """Return how well the model predicts inputs, and what was counted: see `language.scores`.

        Args:
            inputs: texts or pieces.
            by: how the model adapts to what it reads: `language.cache.NeuralCache` or
                `language.dynamic.DynamicEvaluation`; None if it does not.

        Raises:
            DataError: the inputs are not of this model's kind, or have no token.
            MissingExtraError: dynamic evaluation without PyTorch.
        """
        sequences = self._some(inputs)
        found = language_scores(self.features, sequences, self._log_probabilities(sequences, by))
        return found | language_counts(self.features, sequences)

    def evaluate(self, inputs: Any, answers: Any = None, *, adapt: str | None = None) -> dict[str, Any]:
        """See `Model`; `counts` has what was counted. Inputs are their own ground truth: `answers` must be None.

        Args:
            inputs: texts or pieces.
            answers: None.
            adapt: how the model adapts to what it reads, as text: see `language.adapting.read_adaptation`.

        Raises:
            DataError, MissingExtraError: as `score`.
            ConfigError: `adapt` is not understood, or its values are out of their range.
        """
        by = None if adapt is None else read_adaptation(adapt)
        if answers is not None:
            raise DataError("a language model predicts its inputs themselves: leave the answers out")
        sequences = self._some(inputs)
        ours = self._log_probabilities(sequences, by)
        beside = self.baseline_answers(sequences)
        scores = {name: language_scores(self.features, sequences, each) for name, each in beside.items()}
        sums = {name: language_sums(self.features, sequences, each) for name, each in beside.items()}
        return {
            "metrics": language_scores(self.features, sequences, ours),
            "counts": language_counts(self.features, sequences),
            "baseline": next(iter(scores.values()), {}),
            "baselines": scores,
            **compared(language_sums(self.features, sequences, ours), sums),
        }

    def evaluate_blocks(self, blocks: Iterable[Rows], *, adapt: str | None = None) -> dict[str, Any]:
        """Measure as `evaluate` does, on texts that arrive in pieces and are not held, so that there may be any number.

        Args:
            blocks: pieces of all texts in order, as `TextFiles.rows` yields them: answers are the texts' numbers.
            adapt: None.

        Raises:
            ConfigError: the model should adapt, or is of notes.
            DataError: there is no token.
        """
        if adapt is not None or not isinstance(self.features, LanguageFeatures):
            raise ConfigError(
                "models that adapt, and those of notes, are evaluated on data in memory. Give a smaller file."
            )
        return evaluate_blocks(self, blocks)

    def timed(self, inputs: Any, most: int) -> Callable[[], int]:
        """See `Model.timed`."""
        sequences = self.sequences(self.given(inputs)[:most])

        def run() -> int:
            self.log_probabilities(sequences)
            return len(sequences)

        return run

    def generate(
        self,
        prompt: Any = "",
        n: int = 100,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
    ) -> Any:
        """Return what the model draws after a prompt, without the prompt: a text, or a list of frames.

        Args:
            prompt: a text, whose end ends a token; or frames. May be empty.
            n: the most tokens or frames; a text may end before, where the model has learned ends.
            temperature, top_k, top_p: how tokens are drawn, see `language.sampling.Sampling`.
            seed: seed of the random numbers; the same gives the same.

        Raises:
            ConfigError: a value is out of its range.
            DataError: no token of the prompt is known, or it is not of this model's kind.

        Examples:
            >>> from penstock import LanguageModel
            >>> model = LanguageModel(level="char", hidden_size=8, epochs=1).fit(["hello world " * 50])
            >>> len(model.model_.generate("hel", 5))
            5
        """
        stream = self.stream(seed)
        self._read_prompt(stream, prompt)
        return stream.generate(n, temperature=temperature, top_k=top_k, top_p=top_p)

    def _read_prompt(self, stream: LanguageStream, prompt: Any) -> None:
        if isinstance(self.features, FrameFeatures):
            for frame in prompt or []:
                stream.push(frame)
        elif prompt:
            (text,) = self.features.checked([prompt])
            ids = self.features.piece(text)
            if len(ids) and (ids == UNKNOWN).all():
                raise DataError(
                    f"the prompt {text!r:.60} has no token that the model knows. Its tokens are of the level "
                    f"{self.features.level}, learned from other texts. Choose another prompt, or none."
                )
            stream.push(text)

    def answers(self, inputs: Any, *, tokens: int = 100, **how: Any) -> Iterator[dict[str, Any]]:
        """Yield `prediction` for each input: what the model draws after it.

        Args:
            inputs: prompts.
            tokens: the most tokens or frames.
            how: other arguments of `generate`.
        """
        for each in self.features.checked(self.given(inputs)):
            yield {"prediction": self.generate(each, tokens, **how)}

    def stream(self, seed: int = 0) -> LanguageStream:
        """Start a stream: `push` returns the surprisal of each token, `generate` goes on.

        Args:
            seed: seed of the random numbers with which it goes on.
        """
        return LanguageStream(self, seed)

    @property
    def reads_blank_lines(self) -> bool:
        """A blank line is a part of a text whose line breaks are tokens."""
        return isinstance(self.features, LanguageFeatures) and bool(self.features.lines)

    def item(self, line: str) -> Any:
        """Return a line as a piece of a text, with its break where the model knows breaks; or a frame of notes.

        Raises:
            DataError: a frame is not a JSON list of notes.
        """
        if isinstance(self.features, LanguageFeatures):
            return line + "\n" * self.features.lines
        return frame_of(line)

    def piece(self, text: str) -> Any:
        """Return a text as it is, or a frame of notes; DataError as `item`."""
        return text if isinstance(self.features, LanguageFeatures) else frame_of(text)

    def as_json(self, answer: Surprisal) -> dict[str, Any]:
        """Return {"tokens": [...], "surprisal": [nats, ...], "nats": of all that was read, "count", "perplexity"}.

        Of a token or frame that was drawn, also {"drawn": its text, or its notes}.
        """
        surprisal = (-answer.log_probabilities.astype(np.float64)).tolist()
        sums = {"nats": answer.nats, "count": answer.count, "perplexity": answer.perplexity}
        drawn = {"drawn": answer.drawn} if isinstance(answer, Drawn) else {}
        return {"tokens": answer.tokens, "surprisal": surprisal} | sums | drawn

    def upcoming(self, scores: NDArray[np.float32], most: int) -> list[tuple[str, float]]:
        """Return the likeliest tokens or notes, at most `most`, of the head's scores (outputs,); see the stream."""
        independent = isinstance(self.features, FrameFeatures)
        shares = sounding(scores) if independent else engine.softmax(scores[None])[0]
        best = np.argsort(-shares, kind="stable")[:most].tolist()
        return list(zip(self.features.output_names(best), shares[best].tolist(), strict=True))

    def reading(self, item: Any) -> Reading:
        """See `Model.reading`: what the layers read of an input is each step's token before."""
        sequences = self.sequences([item])
        values = np.concatenate([np.asarray(self.features.first, sequences.values.dtype)[None], sequences.values])
        names = ["", *self.features.names(sequences.values)]
        unit = _UNITS[self.features.level]
        recall = partial(self._recall, values)
        return Reading(x=self.scorer.vectors(values)[:, None], recall=recall, names=tuple(names), unit=unit)

    def _recall(self, values: NDArray[Any], steps: Sequence[int]) -> NDArray[np.float32]:
        """Return the scores of what comes next if only the last n values are read, for each n; see `Reading.recall`."""
        return self.scorer.after(Sequences.from_list([values[len(values) - n :] for n in steps]))

    def _log_probabilities(self, sequences: Sequences, by: Adaptation | None) -> NDArray[np.float32]:
        return self.log_probabilities(sequences) if by is None else by.log_probabilities(self, sequences)

    def _some(self, inputs: Any) -> Sequences:
        sequences = self.sequences(inputs)
        if not len(sequences.values):
            raise DataError(f"there must be at least one {self.features.unit} to predict; got none")
        return sequences

    def info(self) -> dict[str, Any]:
        """See `Model.info`; also the level of the tokens and their number."""
        return super().info() | {"level": self.features.level, "vocabulary": self.features.size}


def frame_of(line: str) -> list[int]:
    """Read a frame of notes from a line of JSON, such as [60, 64]; DataError if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a line must be a frame, a JSON list of notes such as [60, 64]; got {line!r:.60}") from error
    if not isinstance(found, list):
        raise DataError(f"a line must be a frame, a JSON list of notes such as [60, 64]; got {line!r:.60}")
    return found
