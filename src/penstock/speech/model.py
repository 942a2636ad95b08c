"""A speech recogniser at run time: text and scores for recordings, or for samples as they arrive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.finding import usual_name
from penstock.datasets.frames import table_column, table_names
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.network import Numbers
from penstock.runtime.columns import column_list, text_list
from penstock.runtime.judged import Judged, evaluation, required
from penstock.runtime.reading import Reading
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.tables import chosen_column
from penstock.sequences import Sequences
from penstock.sounds.front import SoundFront
from penstock.sounds.recordings import Recording
from penstock.speech.baselines import SpeechBaselines
from penstock.speech.decoding import Search
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames
from penstock.speech.inputs import frame_line, frame_list, speech_list, spoken_by
from penstock.speech.scorer import SpeechScorer
from penstock.speech.scores import by_speaker, judged, transcript_counts
from penstock.speech.spec import CtcHead
from penstock.speech.stream import ScoreStream, SpeechStream
from penstock.speech.transcriber import SpokenWord, Timing, Transcriber, Transcript

__all__ = ["SpeechModel"]

_AT_ONCE = 128  # recordings whose scores are held at once
_ENDPOINT_SECONDS = 0.8
"""Silence after which an utterance of a stream ends."""


class SpeechModel(SequenceModel):
    """A speech recogniser without PyTorch; one that reads recordings needs the extra `audio`.

    Inputs are recordings: paths of WAV, FLAC, MP3, Ogg or AIFF files, arrays of samples at the model's rate, (samples,
    rate), or `sounds.recordings.Recording`; or a table of pandas, Polars or Arrow with a column of them. A model that
    was trained on features made elsewhere reads these instead: `speech.frames.Frames`, or arrays (frames, features).
    The bits of a transcript depend on its input alone.
    """

    scorer: SpeechScorer
    task = "speech-recognition"
    names_files = True

    def check(self) -> None:
        """Check that the network reads the features' steps, and scores their tokens."""
        inputs, head, features = self.network.inputs, self.network.head, self.features
        if not isinstance(head, CtcHead) or not isinstance(inputs, Numbers):
            raise ConfigError(
                f"a speech recogniser needs inputs of kind numbers and a head of kind ctc; got {inputs.kind!r} and "
                f"{head.kind!r}"
            )
        if (inputs.size, head.tokens) != (features.size, features.outputs):
            raise ConfigError(
                f"the network must read {features.size} numbers a step and score {features.outputs} tokens, as its "
                f"features say; got {inputs.size} and {head.tokens}"
            )

    @property
    def view(self) -> str:  # type: ignore[override]  # here it depends on the features
        """The page's view: the microphone is written down; none for features made elsewhere, or the whole sound."""
        return "speech" if self.features.reads_samples and self.streams else ""

    @property
    def reads(self) -> Literal["text", "step", "samples"]:  # type: ignore[override]  # here it depends on the features
        """What a stream's `push` takes: samples, or a frame of features."""
        return "samples" if self.features.reads_samples else "step"

    @property
    def sample_rate(self) -> int | None:  # type: ignore[override]  # here it depends on the features
        """Samples per second; None for a model that reads features made elsewhere."""
        return self.features.frames.rate if self.features.reads_samples else None

    @property
    def front(self) -> SoundFront | None:  # type: ignore[override]  # here it depends on the features
        """How samples become steps; None for a model that reads features made elsewhere."""
        features = self.features
        if not features.reads_samples:
            return None
        return SoundFront(features.frames, features.stack, features.subsampling, tuple(features.spelled()))

    @property
    def seconds_per_step(self) -> float:
        """Seconds from one row of `log_probabilities` to the next."""
        return self.features.step_seconds

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> SpeechFeatures:
        """Read the frames' settings and scale, and the tokens."""
        return SpeechFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> SpeechBaselines:
        """Read the most frequent transcript, the n-grams of the training transcripts, and templates of words."""
        return SpeechBaselines(arrays, self.features.frames)

    def checked(self, inputs: Any) -> list[Recording] | list[Frames]:
        """Return the recordings, or the features made elsewhere, as a list, after reading files."""
        if not self.features.reads_samples:
            return frame_list(inputs, self.features.frames)
        several = speech_list(inputs, self.features.frames.rate)
        if several and isinstance(several[0], Frames):
            raise DataError("this model reads recordings; got features made elsewhere. Give paths or samples.")
        return several

    def table_rows(self, table: Any, *, labelled: bool) -> Rows:
        """Read a table's column of paths or samples, and of transcripts."""
        audio = chosen_column(table, self.trained_column("audio"), usual="audio")
        text = chosen_column(table, self.trained_column("text"), usual="text") if labelled else None
        inputs = column_list(table_column(table, audio), f"the column {audio}")
        texts = None if text is None else column_list(table_column(table, text), f"the column {text}")
        speaker = usual_name("speaker", table_names(table)) if labelled else None
        if speaker is not None:
            speakers = column_list(table_column(table, speaker), f"the column {speaker}")
            inputs = spoken_by(self.checked(inputs), speakers)
        return Rows(inputs, texts)

    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """Return the steps of checked inputs."""
        return self.features.apply(inputs)

    def log_probabilities(self, inputs: Any) -> list[NDArray[np.float32]]:
        """Return the log-probabilities of the blank and of the tokens for each input, (steps, tokens) float32.

        Rows are `seconds_per_step` apart. Column 0 is the blank, and `features.names()` names them all.

        Raises:
            DataError: the inputs are not of this model's kind.
        """
        return list(self.outputs(self.checked(self.given(inputs)[0])))

    def predict(self, inputs: Any, **search: Any) -> NDArray[Any]:
        """Return the text of each input, (inputs,) of str.

        Args:
            inputs: as the class says.
            search: settings of `speech.decoding.Search`, such as `beam=16, ngrams=True`; by default the likeliest token
                of each step is taken.

        Raises:
            ConfigError: a setting of the search is invalid.
            DataError: the inputs are not of this model's kind.
        """
        several = self.transcribe(inputs, **search)
        found = np.empty(len(several), object)
        found[:] = [" ".join(word.text for word in words) for words in several]
        return found

    def transcribe(self, inputs: Any, **search: Any) -> list[list[SpokenWord]]:
        """Return the words of each input, with times and confidences; arguments and errors as for `predict`."""
        how = Search(**search)
        rows = self.checked(self.given(inputs)[0])
        transcriber = self.transcriber(how)
        return [
            self._words(transcriber, scores)
            for start in range(0, len(rows), _AT_ONCE)
            for scores in self.outputs(rows[start : start + _AT_ONCE])
        ]

    def decode(self, outputs: NDArray[np.float32]) -> str:
        """Return the text for the log-probabilities (steps, tokens) of one input."""
        return " ".join(word.text for word in self._words(self.transcriber(Search()), outputs))

    def transcriber(self, search: Search) -> Transcriber:
        """Return what turns rows of `log_probabilities` into words, as they arrive.

        Raises:
            ConfigError, DataError: a language model, an ARPA file or a hot word does not match.
        """
        features = self.features
        own = getattr(self.baselines, "ngrams", None)
        timing = Timing(features.step_seconds, features.first_seconds, search.endpoint_seconds)
        decoder = search.decoder(features.spelled(), own)
        return Transcriber(decoder, features.pieces, timing, features.confidence_power)

    def _words(self, transcriber: Transcriber, scores: NDArray[np.float32]) -> list[SpokenWord]:
        transcriber.reset()
        return transcriber.finished(transcriber.push(scores).words).words

    def evaluate(self, inputs: Any, answers: Any = None, **search: Any) -> dict[str, Any]:
        """Return wer, cer and ser, from 0 (see `speech.scores`), and those of each baseline; see `Model`.

        Where inputs say who speaks, `speakers` has the scores of each speaker too, see `scores.by_speaker`.

        Args:
            inputs: as for `predict`.
            answers: the transcript of each input.
            search: as for `answers`.

        Raises:
            ConfigError: a setting of the search is invalid.
            DataError: inputs and transcripts differ in number, or there are none.
        """
        inputs, answers = self.given(inputs, answers, labelled=True)
        rows = self.checked(inputs)
        others = self.baseline_answers(rows)
        ours = self.judged(rows, self.predict(rows, **_settings(**search)), answers)
        found = evaluation(ours, {name: self.judged(rows, each, answers) for name, each in others.items()})
        speakers = self.by_speaker(rows, ours.truth.tolist(), ours.predicted.tolist())
        return found | ({"speakers": speakers} if speakers else {})

    def by_speaker(
        self, rows: Sequence[Any], references: Sequence[str], predicted: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return the scores of each speaker of checked inputs, see `scores.by_speaker`; empty if no input names one."""
        speakers = [each.speaker for each in rows]
        return by_speaker(transcript_counts(references, predicted), speakers) if any(speakers) else []

    def judged(self, rows: Sequence[Any], predicted: Iterable[str], answers: Any) -> Judged:
        """Return transcripts of checked inputs with their scores; DataError if the references are not as many."""
        references = [self.reference(text) for text in text_list(required(answers), "transcripts")]
        return judged(references, list(predicted), [self.named(each) for each in rows])

    def reference(self, transcript: str) -> str:
        """Return a transcript as the model would write it: in lower case, where training put transcripts so."""
        return transcript.lower() if self.features.lower else transcript

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; DataError as in `evaluate`."""
        rows, beside = self.checked_pair(other, inputs, theirs)
        ours = self.judged(rows, self.predict(rows), answers)
        return ours, self.judged(rows, other.predict(beside), answers)

    def named(self, item: Any) -> dict[str, Any]:
        """Return {"file": its name}; empty if it has none."""
        return {"file": item.name} if item.name else {}

    def answers(self, inputs: Any, *, words: bool = False, **search: Any) -> Iterator[dict[str, Any]]:
        """Yield `file` (if it has a name) and `prediction`, the text, for each input.

        Args:
            inputs: as for `predict`.
            words: whether each row has `words`, [{"word", "start", "end", "confidence"}, ...].
            search: as for `predict`; or `arpa`, the path of a file of `ngrams`, and `hot_words` with commas between.
        """
        rows = self.checked(self.given(inputs)[0])
        for row, found in zip(rows, self.transcribe(rows, **_settings(**search)), strict=True):
            told = {"words": [word.to_json() for word in found]} if words else {}
            yield self.named(row) | {"prediction": " ".join(word.text for word in found)} | told

    def score_stream(self) -> ScoreStream:
        """Start a stream that gives the log-probabilities of the steps that are ready.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return ScoreStream(self)

    def stream(self, **search: Any) -> SpeechStream:
        """Start a stream that writes what is said while it is said.

        Args:
            search: as for `predict`, but `endpoint_seconds` is 0.8: an utterance ends after so much silence.
                Then its words are final, and language models judge the next ones by themselves.

        Raises:
            ConfigError: the model is bidirectional, or a setting of the search is invalid.
        """
        return SpeechStream(self, Search(**{"endpoint_seconds": _ENDPOINT_SECONDS} | search))

    def listen(self, words: Sequence[str] | None = None, threshold: float | None = None) -> SpeechStream:
        """Start a stream for endless sound; see `stream`.

        Args:
            words: hot words, see `speech.decoding.Search`.
            threshold: must be None.

        Raises:
            ConfigError: a threshold is given, or a hot word can't be written with the model's tokens.
        """
        if threshold is not None:
            raise ConfigError("a speech recogniser has no threshold for words. Leave threshold out.")
        return self.stream(hot_words=tuple(words or ()))

    def item(self, line: str) -> Any:
        """Parse a frame of features; DataError for a model of recordings, since a line cannot be a sound."""
        if not self.features.reads_samples:
            return frame_line(line, self.features.frames)
        raise DataError(
            "a speech recogniser streams samples, not lines. Pass --raw, and 16-bit little-endian samples at "
            f"{self.sample_rate} Hz on standard input."
        )

    def as_json(self, answer: Any) -> dict[str, Any]:
        """Return {"prediction": text}, or what a stream tells; see `transcriber.Transcript`."""
        return answer.to_json() if isinstance(answer, Transcript) else {"prediction": answer}

    def reading(self, item: Any) -> Reading:
        """Return an input as the layers read it, step by step."""
        (one,) = self.checked([item])
        features = self.features
        return self._reading(one, unit="second", step=features.step_seconds, span=features.first_seconds)

    def _recall(self, values: NDArray[Any], steps: Sequence[int]) -> NDArray[np.float32]:
        """Return the probabilities of the tokens at the last step, from the last n steps alone."""
        scores: Any = super()._recall(values, steps)  # the scorer's `Sequences`
        nothing = self.scorer.head(np.zeros((1, self.network.encoder.output_size), np.float32))[0]
        return np.exp(np.stack([each[-1] if len(each) else nothing for each in scores]))

    @property
    def _around(self) -> bool:
        return bool(self.network.encoder.bidirectional)

    def info(self) -> dict[str, Any]:
        """Return `Model.info` with the tokens, and with the features that inputs are read by."""
        features = self.features
        reads = {"frames_per_second": 1 / features.frame_seconds, "stack": features.stack}
        reads |= {"subsampling": features.subsampling, "seconds_per_step": self.seconds_per_step}
        tokens = {"level": features.tokens.level, "tokens": len(features.tokens.vocabulary)}
        return super().info() | {"sample_rate": self.sample_rate, "features": features.frames.kind} | reads | tokens


def _settings(*, arpa: str | None = None, hot_words: Any = (), **search: Any) -> dict[str, Any]:
    """Return the settings of a search as Python takes them, from those of the commands."""
    hot = [word for word in hot_words.split(",") if word.strip()] if isinstance(hot_words, str) else hot_words
    return search | ({} if arpa is None else {"ngrams": arpa}) | {"hot_words": tuple(hot)}
