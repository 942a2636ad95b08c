"""Stream of a language model: the surprisal of each token as it arrives, and generation token by token."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.engine import Linear, Step
from penstock.errors import ConfigError
from penstock.language.features import LanguageFeatures
from penstock.language.head import log_share
from penstock.language.sampling import Sampling, draw, sounding
from penstock.pauses import pause
from penstock.runtime.random_state import RandomState
from penstock.runtime.stream import Stream, Traces, advance, in_parts, step_arrays
from penstock.tokens import END

if TYPE_CHECKING:
    from penstock.language.model import SequenceGenerator

__all__ = ["Drawn", "LanguageStream", "Surprisal"]

_AT_ONCE = 256
"""Tokens that are drawn without a look at Ctrl-C."""
_MEMORY = 4
"""Bytes of a character that is not complete, at most 3; the decoder's memory."""


@dataclass(frozen=True, eq=False)
class Surprisal:
    """How well a model predicted what it read.

    Attributes:
        tokens: the tokens as a person reads them; of music, each frame's notes.
        log_probabilities: (tokens,) float32, natural logarithms; the surprisal of a token is minus its own.
        nats: the sum of the surprisals over everything that the stream has read.
        count: the number of these tokens.
    """

    tokens: list[str]
    log_probabilities: NDArray[np.float32]
    nats: float
    count: int

    @property
    def perplexity(self) -> float | None:
        """exp(nats / count) of everything read; None for nothing."""
        return float(np.exp(self.nats / self.count)) if self.count else None


@dataclass(frozen=True, eq=False)
class Drawn(Surprisal):
    """A token or frame that the model drew and read.

    Attributes:
        drawn: what it adds to the text, "" for bytes of a character that is not complete; of music, its list of notes.
    """

    drawn: Any = ""


class LanguageStream(Stream):
    """Reads a text piece by piece, or music frame by frame, and can go on with it.

    `push` returns the `Surprisal` of the piece's tokens; `generate` draws what comes next and reads it itself. The end
    of a piece ends a token. The memory is constant: the layers' states, sums, and the state of the random numbers, so
    that a saved or forked stream goes on with the same tokens.

    Args:
        model: the model.
        seed: seed of the random numbers.

    Examples:
        >>> from penstock import LanguageModel
        >>> model = LanguageModel(level="char", hidden_size=8, epochs=1).fit(["hello world " * 50])
        >>> stream = model.stream()
        >>> len(stream.push("hello").tokens), len(stream.generate(3))
        (5, 3)
    """

    def __init__(self, model: "SequenceGenerator", seed: int = 0) -> None:
        super().__init__(model.features.kind, model)
        self._random = RandomState(seed)
        self._step = model.scorer.encoder.step()
        self._y = self._step.state[-1][0]
        self._sums, self._count = np.zeros(1), np.zeros(1, np.int64)
        self._text = np.full(_MEMORY, -1)
        self._first: NDArray[Any] = np.asarray(model.features.first)[None]
        self._decoder = model.features.tokens.decoder() if isinstance(model.features, LanguageFeatures) else None
        self._read(self._first, None)

    def generate(
        self, n: int, *, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, stop: bool = True
    ) -> Any:
        """Draw up to `n` tokens or frames, read them, and return their text or a list of frames.

        Args:
            n: the most to draw.
            temperature, top_k, top_p: see `language.sampling.Sampling`; notes have only `temperature`.
            stop: whether to stop before the end of a text, where the model has learned such ends.

        Raises:
            ConfigError: a value is out of its range.
            StateError: `finish` was called.
        """
        how = self._sampling(n, temperature, top_k, top_p)
        if self._decoder is None:
            return [frame.drawn for frame in self._frames(n, how)]
        return self._decoded(self._ids(n, how, stop))

    def generated(  # type: ignore[override]
        self,
        *,
        tokens: int = 100,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: bool = True,
    ) -> Iterator[Drawn]:
        """Yield each token of `generate`, with its surprisal, as it is drawn and read.

        Args:
            tokens: the most to draw.
            temperature, top_k, top_p, stop: as for `generate`.
            seed: seed of the random numbers from here on; None to go on with those of the stream.

        Raises:
            ConfigError, StateError: as for `generate`.
        """
        how = self._sampling(tokens, temperature, top_k, top_p)
        if seed is not None:
            self._random.array[:] = RandomState(seed).array
        return self._frames(tokens, how) if self._decoder is None else self._one_by_one(tokens, how, stop)

    def upcoming(self, most: int) -> list[tuple[str, float]]:
        """Return the likeliest next tokens, at most `most`, with their probabilities, the highest first.

        Of music these are the notes likeliest to sound in the next frame.

        Raises:
            ConfigError: `most` is not a whole number of at least 0.
        """
        check_whole("most", most, at_least=0)
        return self._model.upcoming(self._model.scorer.head.scores(self._y)[0], most) if most else []

    def _sampling(self, n: int, temperature: float, top_k: int, top_p: float) -> Sampling:
        """Check how `n` steps are to be drawn, and that the stream can go on."""
        how = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        check_whole("n", n, at_least=0)
        if self._decoder is None and (how.top_k or how.top_p < 1):
            raise ConfigError("notes are drawn independently of each other: leave top_k and top_p out")
        self._refuse_if_finished()
        return how

    def _one_by_one(self, n: int, how: Sampling, stop: bool) -> Iterator[Drawn]:
        for _ in range(n):
            before = self._y.copy()
            ids = np.array(self._ids(1, how, stop), np.int32)
            if not len(ids):
                return
            log_probabilities = self._model.scorer.head.log_probabilities(before, ids)
            told = self._model.features.names(ids), log_probabilities, float(self._sums[0]), int(self._count[0])
            yield Drawn(*told, drawn=self._decoded(ids.tolist()))

    def _ids(self, n: int, how: Sampling, stop: bool) -> list[int]:
        """Draw tokens and read them; an end that stops is not read."""
        end = END if stop and self._model.features.ends else -1
        head = self._model.scorer.head.linear
        if isinstance(self._step, Step) and head is not None:
            return self._ids_of_engine(n, how, end, head)
        found: list[int] = []
        while len(found) < n:
            pause()
            token = draw(self._model.scorer.head.scores(self._y)[0], self._random.uniform(), how)
            if token == end:
                break
            self._take(np.array([token], np.int32), None)
            found.append(token)
        return found

    def _ids_of_engine(self, n: int, how: Sampling, end: int, head: Linear) -> list[int]:
        """The same by the engine's loop, with the same tokens and bits."""
        found: list[int] = []
        rule = {"temperature": how.temperature, "top_k": how.top_k, "top_p": how.top_p, "end": end}
        table = self._model.scorer.inputs.table
        while len(found) < n:
            pause()
            chances = self._random.uniforms(min(n - len(found), _AT_ONCE))
            ids, about = self._step.generate(table, head, chances, **rule)
            self._random.array[1] += min(len(ids) + 1, len(chances))
            self._add(log_share(*np.ascontiguousarray(about.T)))
            found += ids.tolist()
            if len(ids) < len(chances):
                break
        return found

    def _frames(self, n: int, how: Sampling) -> Iterator[Drawn]:
        """Draw frames, note by note, and read them."""
        for _ in range(n):
            scores = self._model.scorer.head.scores(self._y)[0]
            chances = np.array([self._random.uniform() for _ in scores])
            likely = chances < sounding(scores, how.temperature) if how.temperature else scores > 0
            frame = likely.astype(np.float32)
            yield Drawn(**vars(self._take(frame[None], None)), drawn=self._model.features.notes(frame))

    def _push(self, item: Any, traces: Traces | None) -> Surprisal:
        values = self._model.features.piece(item)
        if self._decoder is not None:
            self._decoded(values.tolist())
        return self._take(values, traces)

    def _parts(self, item: Any) -> Generator[None, None, Surprisal]:
        values, found = self._model.features.piece(item), list[Surprisal]()
        if self._decoder is not None:
            self._decoded(values.tolist())
        for part in in_parts(values):
            if found:
                yield
            found.append(self._take(part, None))
        return Surprisal(
            [token for each in found for token in each.tokens],
            np.concatenate([each.log_probabilities for each in found]),
            found[-1].nats,
            found[-1].count,
        )

    def _take(self, values: NDArray[Any], traces: Traces | None) -> Surprisal:
        """Score values (steps, ...), each before it is read, and read them."""
        y = np.empty((len(values), self._y.shape[1]), np.float32)
        for row in range(len(values)):
            pause()
            y[row] = self._y[0]
            self._read(values[row : row + 1], traces)
        found = self._model.scorer.head.log_probabilities(y, values)
        self._add(found)
        return Surprisal(self._model.features.names(values), found, float(self._sums[0]), int(self._count[0]))

    def _add(self, log_probabilities: NDArray[np.float32]) -> None:
        """Count steps, one after another."""
        self._sums[0] = np.cumsum([self._sums[0], *(-log_probabilities.astype(np.float64))])[-1]
        self._count[0] += len(log_probabilities)

    def _read(self, value: NDArray[Any], traces: Traces | None) -> None:
        """Advance the layers by one id (1,) or frame (1, notes)."""
        advance(self._step, np.ascontiguousarray(self._model.scorer.vectors(value)), traces)

    def _decoded(self, ids: list[int]) -> str:
        """Return the text of ids that follow what was read."""
        assert self._decoder is not None
        self._decoder.memory = bytes(byte for byte in self._text.tolist() if byte >= 0)
        text = self._decoder.push(ids)
        memory = self._decoder.memory
        self._text[:] = [*memory, *[-1] * (_MEMORY - len(memory))]
        return text

    def _end(self) -> None:
        if self._model.features.ends:
            self._take(np.array([END], np.int32), None)

    def _whole(self) -> Surprisal:
        return Surprisal([], np.zeros(0, np.float32), float(self._sums[0]), int(self._count[0]))

    def _memory(self) -> dict[str, NDArray[Any]]:
        own = {"nats": self._sums, "count": self._count, "text": self._text, "random": self._random.array}
        return own | dict(step_arrays(self._step, "encoder."))

    def _bounds(self) -> dict[str, tuple[int, int]]:
        return super()._bounds() | {"text": (-1, 255)}

    def _forget(self) -> None:
        self._step.reset()
        self._random.reset()
        self._sums[:] = self._count[:] = 0
        self._text[:] = -1
        self._read(self._first, None)

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, int(self._random.array[0])
