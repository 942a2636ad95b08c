"""Features of speech recognisers: frames of sound or made elsewhere, stacked to steps; tokens of transcripts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_number, check_whole
from penstock.errors import ConfigError
from penstock.sequences import Sequences
from penstock.sounds.features import AudioFeatures
from penstock.speech.frames import GivenFrames, faster
from penstock.tokens import SPECIAL, Tokens, read_tokens, train_tokens
from penstock.tokens.decoder import BytesDecoder

__all__ = ["SpeechFeatures", "SpeechPieces", "written"]

_MOST_STACKED = 64
# Of the ids of `tokens`, the special ones are never heard: the blank takes their place, and tokens follow from 1 on.
_SHIFT = len(SPECIAL) - 1


class SpeechFeatures:
    """Turns recordings into steps of stacked frames, and transcripts into numbers of tokens.

    A step is `stack` frames side by side, and begins `subsampling` frames after the one before: with fewer steps the
    layers have less to compute, and CTC less to align. Frames at the end that fill no step are left out.

    Args:
        frames: log-mel energies of recordings, or features that were made elsewhere.
        tokens: of the transcripts; number 0 is the blank, and the tokens of the vocabulary follow.
        stack: frames of a step.
        subsampling: frames from one step to the next, at most `stack`.
        lower: whether transcripts are put into lower case.
        confidence_power: the power that words' confidences are raised to, see `confidence`; set after training.
    """

    kind: ClassVar[str] = "speech"

    def __init__(
        self,
        frames: AudioFeatures | GivenFrames,
        tokens: Tokens,
        *,
        stack: int = 3,
        subsampling: int = 3,
        lower: bool = False,
        confidence_power: float = 1.0,
    ) -> None:
        check_number("confidence_power", confidence_power, at_least=0)
        for name, value in (("stack", stack), ("subsampling", subsampling)):
            check_whole(name, value, at_least=1, at_most=_MOST_STACKED)
        if stack < subsampling:
            raise ConfigError(f"stack must be at least subsampling, or frames are lost; got {stack} and {subsampling}")
        if not isinstance(lower, bool):
            raise ConfigError(f"lower must be True or False; got {lower!r:.40}")
        if not tokens.vocabulary:
            raise ConfigError("transcripts must have at least one token")
        self.frames, self.tokens, self.stack, self.subsampling, self.lower = frames, tokens, stack, subsampling, lower
        self.confidence_power = confidence_power

    @classmethod
    def fit(
        cls,
        frames: AudioFeatures | GivenFrames,
        inputs: Sequence[Any],
        transcripts: Sequence[str],
        *,
        level: str = "char",
        max_vocabulary: int = 1000,
        lower: bool = False,
        **steps: int,
    ) -> "SpeechFeatures":
        """Fit the scale of the frames and the tokens to training data; `steps` are `stack` and `subsampling`.

        Raises:
            ConfigError: an option is invalid.
            DataError: no recording is as long as a frame.
            MissingExtraError: the level needs a package that is not installed.
        """
        texts = [written(text, lower) for text in transcripts]
        tokens = train_tokens(level, texts, max_vocabulary=max_vocabulary)
        frames.fit(inputs)
        return cls(frames, tokens, lower=lower, **steps)

    @property
    def reads_samples(self) -> bool:
        """Whether inputs are recordings; otherwise they are features made elsewhere."""
        return isinstance(self.frames, AudioFeatures)

    @property
    def size(self) -> int:
        """Number of features of a step."""
        return self.stack * self.frames.size

    @property
    def frame_seconds(self) -> float:
        """Seconds from one frame to the next."""
        if isinstance(self.frames, AudioFeatures):
            return self.frames.hop / self.frames.rate
        return 1 / self.frames.frames_per_second

    @property
    def step_seconds(self) -> float:
        """Seconds from one step to the next."""
        return self.subsampling * self.frame_seconds

    @property
    def first_seconds(self) -> float:
        """Seconds of sound that the first step covers."""
        window = self.frames.window / self.frames.rate if isinstance(self.frames, AudioFeatures) else self.frame_seconds
        return (self.stack - 1) * self.frame_seconds + window

    @property
    def outputs(self) -> int:
        """Number of scores of a step: the blank's, and one for each token."""
        return 1 + len(self.tokens.vocabulary)

    def steps(self, frames: Any) -> Any:
        """Return how many steps so many frames have: a number, or an array of numbers of NumPy or PyTorch."""
        found = (frames - self.stack) // self.subsampling + 1
        return found.clip(min=0) if hasattr(found, "clip") else max(found, 0)

    def apply(self, inputs: Iterable[Any]) -> Sequences:
        """Return the steps of each input, float32 (steps, size)."""
        return self.in_steps(self.frames.apply(inputs))

    def in_steps(self, frames: Sequences) -> Sequences:
        """Return the steps of sequences of scaled frames."""
        found = [self.stacked(each) for each in frames]
        if not found:
            return Sequences(np.zeros((0, self.size), np.float32), np.zeros(1, np.int64))
        return Sequences.from_list(found, np.float32)

    def stacked(self, frames: Any) -> Any:
        """Return the steps of scaled frames, (..., frames, size) -> (..., steps, stack * size), of NumPy or PyTorch."""
        steps = int(self.steps(frames.shape[-2]))
        places = np.arange(steps)[:, None] * self.subsampling + np.arange(self.stack)
        return frames[..., places, :].reshape(*frames.shape[:-2], steps, self.stack * frames.shape[-1])

    def faster(self, inputs: Sequence[Any], speed: float) -> Sequences:
        """Return the scaled frames of inputs at another speed, which recordings play at another pitch too."""
        found: Any = (faster(each, speed) for each in inputs)
        return self.frames.apply(found)

    def targets(self, transcripts: Iterable[str]) -> tuple[Sequences, int]:
        """Return the numbers of the tokens of each transcript, int64, and how many unknown tokens were left out."""
        found, unknown = [], 0
        for text in transcripts:
            numbers = self.tokens.encode(written(text, self.lower)).astype(np.int64) - _SHIFT
            unknown += int((numbers < 1).sum())
            found.append(numbers[numbers >= 1])
        return Sequences.from_list(found, np.int64), unknown

    def text(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers of tokens, none of them the blank."""
        return " ".join(self.tokens.decode([int(number) + _SHIFT for number in numbers]).split())

    def names(self) -> list[str]:
        """Return the name of each score of a step: the blank is "", and a token is itself."""
        return ["", *self.tokens.names(range(len(SPECIAL), len(self.tokens)))]

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """Return the text that each of some tokens adds, none of them the blank; a space begins a word."""
        decoder = self.tokens.decoder()
        return [decoder.push([number + _SHIFT]) for number in numbers]

    def spelled(self) -> list[str]:
        """Return the text of each score of a step by itself: the blank is "", and a word begins with a space."""
        decoder = self.tokens.decoder()
        if isinstance(decoder, BytesDecoder):
            return ["", *(each.decode("utf-8", "ignore") for each in decoder.spelled[len(SPECIAL) :])]
        return ["", *(f" {word}" for word in self.tokens.vocabulary)]

    def stream(self) -> "SpeechPieces":
        """Return a converter for speech that arrives piece by piece."""
        return SpeechPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        return {
            "kind": self.kind,
            "frames": self.frames.to_json(),
            "tokens": self.tokens.to_json(),
            "stack": self.stack,
            "subsampling": self.subsampling,
            "lower": self.lower,
            "confidence_power": self.confidence_power,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SpeechFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing, unknown or invalid entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        data = {"confidence_power": 1.0} | dict(data)  # recognisers saved before confidences were calibrated
        expected = {"kind", "frames", "tokens", "stack", "subsampling", "lower", "confidence_power"}
        if set(data) != expected:
            raise ConfigError(
                f"speech features have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        kinds: dict[Any, Any] = {kind.kind: kind for kind in (AudioFeatures, GivenFrames)}
        described = data["frames"]
        if not isinstance(described, Mapping) or described.get("kind") not in kinds:
            raise ConfigError(f"frames must be of kind {' or '.join(kinds)}; got {described!r:.80}")
        frames = kinds[described["kind"]].from_json(described)
        plain = {name: data[name] for name in ("stack", "subsampling", "lower", "confidence_power")}
        return cls(frames, read_tokens(data["tokens"]), **plain)


class SpeechPieces:
    """Steps of speech that arrives piece by piece, with the same bits as for the whole.

    Args:
        features: fitted.
    """

    def __init__(self, features: SpeechFeatures) -> None:
        self._features, self._frames = features, features.frames.stream()
        # Frames that belong to later steps, and how many there are.
        self._waiting = np.zeros((features.stack - 1, features.frames.size), np.float32)
        self._held = np.zeros(1, np.int64)

    def push(self, piece: Any) -> NDArray[np.float32]:
        """Return the steps (steps, size) that new samples, or frames, complete.

        Raises:
            DataError, ShapeError: the piece has another type or shape.
        """
        features = self._features
        joined = np.concatenate([self._waiting[: self._held[0]], self._frames.push(piece)])
        found = features.stacked(joined)
        rest = joined[len(found) * features.subsampling :]
        self._waiting[: len(rest)] = rest
        self._waiting[len(rest) :] = 0  # equal states are equal bytes
        self._held[0] = len(rest)
        return found

    def finish(self) -> NDArray[np.float32]:
        """Return no steps (0, size): the frames that are left fill none."""
        return np.zeros((0, self._features.size), np.float32)

    def reset(self) -> None:
        """Start the next recording."""
        self._frames.reset()
        self._waiting[...] = 0
        self._held[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name."""
        own = {"stacked": self._waiting} if len(self._waiting) else {}
        return self._frames.arrays() | own | {"stacked_held": self._held}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest number of frames that wait."""
        return {"stacked_held": (0, len(self._waiting))}


def written(text: str, lower: bool) -> str:
    """Return a transcript as it is learned: single blanks between words, in lower case where asked."""
    words = " ".join(text.split())
    return words.lower() if lower else words
