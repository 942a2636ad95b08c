"""How tags mark chunks of tokens, such as names or words: IOB1, BIO, BIOES, BMES and BILOU.

A tag is `O`, outside of any chunk, or a letter for the place in a chunk, a separator and the chunk's type: `B-PER`.
Word boundaries have letters alone. All schemes are converted to one, BIOES, in which a network is trained, and back.

Which tokens belong together is read as conlleval does (Tjong Kim Sang and Buchholz 2000): every tag but `O` is in a
chunk, and a new one starts at `B` and `S`, where the type changes, and after `O`, `E` and `S`. So a broken sequence,
such as `I-PER` after `O`, has a meaning; it is repaired by writing the chunks anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.pauses import pause

__all__ = ["SCHEMES", "Chunk", "Scheme", "Transitions", "chunks", "find_scheme", "transitions", "write_chunks"]

_OUTSIDE = "O"
_INNER = "BIES"


@dataclass(frozen=True)
class Scheme:
    """A way to mark chunks.

    Attributes:
        name: as in `SCHEMES`.
        letters: four letters: of a chunk's first token, of those within, of the last, and of an only one. IOB1 has a
            `B` besides, only where a chunk touches one of the same type before it.
        separator: what stands between letter and type.

    Examples:
        >>> SCHEMES["BIO"].to_inner(["O", "I-PER", "I-PER"])
        (['O', 'B-PER', 'E-PER'], 1)
        >>> SCHEMES["BMES"].from_inner(["B", "I", "E", "S"])
        ['B', 'M', 'E', 'S']
    """

    name: str
    letters: str
    separator: str = "-"

    def to_inner(self, tags: Sequence[str]) -> tuple[list[str], int]:
        """Convert the tags of a sentence to BIOES, and count those that had to be repaired.

        Raises:
            DataError: a tag is not of this scheme.
        """
        inner = write_chunks(chunks([self._read(tag) for tag in tags]), len(tags))
        return inner, sum(tag != given for tag, given in zip(self.from_inner(inner), tags, strict=True))

    def from_inner(self, tags: Sequence[str]) -> list[str]:
        """Convert the BIOES tags of a sentence to this scheme."""
        return [self.write(tag, before) for before, tag in zip([_OUTSIDE, *tags], tags, strict=False)]

    def write(self, tag: str, before: str) -> str:
        """Convert one BIOES tag, given the one before it, `O` at the start: a stream does not know the next."""
        letter, kind = _parts(tag)
        if letter == _OUTSIDE:
            return _OUTSIDE
        mark = self.letters[_INNER.index(letter)]
        if not self._marks_end:  # then it shows where a chunk starts, and broken sequences may start one anywhere
            touches = before != _OUTSIDE and _parts(before)[1] == kind
            mark = "B" if _starts(before, tag) and (touches or self.letters[0] == "B") else "I"
        return f"{mark}{self.separator}{kind}" if kind else mark

    @property
    def _marks_end(self) -> bool:
        return self.letters[1] != self.letters[2]

    def _read(self, tag: str) -> str:
        """Convert one tag to a letter of BIOES and a type; whether it is the right letter is for `chunks` to say."""
        if tag == _OUTSIDE:
            return tag
        letter, kind = _split(tag, self.separator)
        known = self.letters if self._marks_end else "BI"
        if len(letter) != 1 or letter not in known:
            raise DataError(
                f"a tag of the scheme {self.name} must be O, or one of {', '.join(known)} with a type, such as "
                f"{known[0]}{self.separator}PER; got {tag!r:.60}. If tags don't mark chunks: scheme='none'"
            )
        return f"{_INNER[known.index(letter)]}-{kind}" if kind else _INNER[known.index(letter)]


SCHEMES: Mapping[str, Scheme] = {
    name: Scheme(name, letters)
    for name, letters in (("IOB1", "IIII"), ("BIO", "BIIB"), ("BIOES", "BIES"), ("BMES", "BMES"), ("BILOU", "BILU"))
}
"""The known schemes by name."""
_OTHER_NAMES = {"IOB": "IOB1", "IOB2": "BIO", "IOBES": "BIOES", "BMESO": "BMES", "BIOLU": "BILOU"}


class Chunk(NamedTuple):
    """Consecutive tokens that belong together.

    kind: their type, empty if tags have none
    start, stop: places of the first token, and of the one after the last
    """

    kind: str
    start: int
    stop: int


def chunks(tags: Sequence[str]) -> list[Chunk]:
    """Return the chunks of a sentence's BIOES or BIO tags in order, as conlleval reads them.

    Examples:
        >>> chunks(["O", "I-PER", "E-PER", "S-LOC"])
        [Chunk(kind='PER', start=1, stop=3), Chunk(kind='LOC', start=3, stop=4)]
    """
    found: list[Chunk] = []
    start, before = 0, _OUTSIDE
    for place, tag in enumerate([*tags, _OUTSIDE]):
        pause()
        starts = _starts(before, tag)
        if before != _OUTSIDE and (starts or tag == _OUTSIDE):
            found.append(Chunk(_parts(before)[1], start, place))
        start, before = place if starts else start, tag
    return found


def write_chunks(found: Iterable[Chunk], tokens: int) -> list[str]:
    """Return the BIOES tags of a sentence of so many tokens with these chunks: the inverse of `chunks`."""
    tags = [_OUTSIDE] * tokens
    for kind, start, stop in found:
        letters = "S" if stop - start == 1 else f"B{'I' * (stop - start - 2)}E"
        tags[start:stop] = [f"{letter}-{kind}" if kind else letter for letter in letters]
    return tags


def find_scheme(sentences: Iterable[Sequence[str]], name: str | None = None) -> Scheme | None:
    """Return the scheme of tags; None if they don't mark chunks, such as parts of speech.

    Args:
        sentences: the tags of each sentence.
        name: a name of `SCHEMES`, or "none" for tags that don't mark chunks; None to detect it.

    Raises:
        ConfigError: there is no scheme of that name.
        DataError: some tags mark chunks, and others are of no known scheme.
    """
    if name is not None and name.lower() == "none":
        return None
    if name is not None and _OTHER_NAMES.get(name.upper(), name.upper()) not in SCHEMES:
        raise ConfigError(f"scheme must be one of {', '.join(SCHEMES)}, or none; got {name!r:.60}")
    several = [list(tags) for tags in sentences]
    distinct = list(dict.fromkeys(tag for tags in several for tag in tags))
    separator = "_" if _mark_chunks(distinct, "_") and not _mark_chunks(distinct, "-") else "-"
    if name is not None:
        found = _OTHER_NAMES.get(name.upper(), name.upper())
    elif _mark_chunks(distinct, separator):
        found = _detected(several, distinct, separator)
    else:
        return None
    return Scheme(found, SCHEMES[found].letters, separator)


class Transitions(NamedTuple):
    """What BIOES allows.

    first: (tags,), whether a sentence may begin with a tag
    last: (tags,), whether it may end with it
    after: (tags, tags), [i, j]: whether j may follow i
    """

    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    after: NDArray[np.bool_]


def transitions(tags: Sequence[str], scheme: Scheme | None) -> Transitions:
    """Return which tags may follow each other, in the order of `tags`.

    Args:
        tags: distinct BIOES tags, as `Scheme.to_inner` makes them; without a scheme, any.
        scheme: None if tags don't mark chunks: then all is allowed.
    """
    if scheme is None:
        every = np.ones(len(tags), bool)
        return Transitions(every, every, np.ones((len(tags), len(tags)), bool))
    letters = [_parts(tag)[0] for tag in tags]
    kinds = np.array([_parts(tag)[1] for tag in tags], object)
    opens = np.array([letter in "OBS" for letter in letters], bool)
    closes = np.array([letter in "OES" for letter in letters], bool)
    goes_on = ~closes[:, None] & ~opens & (kinds[:, None] == kinds)
    return Transitions(opens, closes, goes_on | (closes[:, None] & opens))


def _parts(tag: str) -> tuple[str, str]:
    """The letter and type of a BIOES tag."""
    return tag[:1], tag[2:]


def _split(tag: str, separator: str) -> tuple[str, str]:
    """The letter and type of a tag of any scheme; a tag that has no type is all letter."""
    letter, _, kind = tag.partition(separator)
    return (letter, kind) if kind else (tag, "")


def _starts(before: str, tag: str) -> bool:
    """Whether a chunk starts at a BIOES tag after another."""
    letter, kind = _parts(tag)
    last, same = _parts(before)[0], _parts(before)[1] == kind
    return letter != _OUTSIDE and (letter in "BS" or last in "OES" or not same)


def _mark_chunks(distinct: Iterable[str], separator: str) -> bool:
    """Whether tags mark chunks: all have letters of a scheme, or some type has a letter to begin and one to go on."""
    tags = [_split(tag, separator) for tag in distinct if tag != _OUTSIDE]
    letters = {letter for letter, _ in tags}
    if letters and all(len(letter) == 1 and letter in "BIMELSU" for letter in letters):
        return True
    typed = {(letter, kind) for letter, kind in tags if kind}
    return any(letter == "B" and typed & {(other, kind) for other in "IMEL"} for letter, kind in typed)


def _detected(several: Iterable[Sequence[str]], distinct: Sequence[str], separator: str) -> str:
    """The name of the scheme that has the letters of these tags."""
    seen = {_split(tag, separator)[0]: tag for tag in distinct if tag != _OUTSIDE}
    if not set(seen) <= set("BI"):
        fits = [name for name in ("BIOES", "BMES", "BILOU") if set(seen) <= set(SCHEMES[name].letters)]
        if fits:
            return fits[0]
        shown = ", ".join(f"{tag:.40}" for tag in list(seen.values())[:8])
        raise DataError(
            f"tags must all be of one scheme ({', '.join(SCHEMES)}); got {shown}. Correct those that are not, or take "
            "the tags as they are: scheme='none'"
        )
    begun = resumed = 0  # chunks that start with B where IOB1 has I, and those that start with I
    for tags in several:
        for before, tag in zip([_OUTSIDE, *tags], tags, strict=False):
            letter, kind = _split(tag, separator)
            if before == _OUTSIDE or _split(before, separator)[1] != kind:
                begun, resumed = begun + (letter == "B"), resumed + (letter == "I")
    return "IOB1" if resumed > begun else "BIO"
