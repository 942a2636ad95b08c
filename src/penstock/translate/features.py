"""Features of translators: the tokens of both languages as ids."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from penstock.errors import ConfigError
from penstock.sequences import Sequences
from penstock.tokens import BEGIN, END, Tokens, read_tokens, train_tokens
from penstock.translate.beam import Beam

__all__ = ["TranslationFeatures"]


class TranslationFeatures:
    """Tokens of sources and of targets, each learned from the training texts of its side.

    Attributes:
        source, target: the tokens.
        longest: tokens of the longest training target, without its end.
        lower: whether texts are put into lower case before they become tokens.
        beam, normalization: the settings of a search, see `translate.beam.Beam`, unless it is told others.
    """

    kind: ClassVar[str] = "translation"

    def __init__(
        self, source: Tokens, target: Tokens, *, longest: int, lower: bool, beam: int, normalization: float
    ) -> None:
        if not isinstance(lower, bool):
            raise ConfigError(f"lower must be True or False; got {lower!r:.40}")
        Beam(begin=BEGIN, end=END, size=beam, normalization=normalization, max_length=longest)  # checks them
        self.source, self.target, self.longest, self.lower = source, target, longest, lower
        self.beam, self.normalization = beam, normalization

    @classmethod
    def fit(
        cls,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        level: str,
        max_vocabulary: int,
        lower: bool = False,
        beam: int = 5,
        normalization: float = 1.0,
    ) -> "TranslationFeatures":
        """Learn the tokens of one level from the training texts of both sides.

        Raises:
            ConfigError: an option is invalid.
            MissingExtraError: the level needs a package that is not installed.
        """
        source, target = (
            train_tokens(level, [_written(text, lower) for text in texts], max_vocabulary=max_vocabulary)
            for texts in (sources, targets)
        )
        longest = max((len(target.encode(_written(text, lower))) for text in targets), default=1)
        return cls(source, target, longest=max(longest, 1), lower=lower, beam=beam, normalization=normalization)

    @property
    def level(self) -> str:
        """The level of the tokens."""
        return self.target.level

    def sources(self, texts: Iterable[str]) -> Sequences:
        """Return the ids of sources, each with an end token, so that none is empty."""
        return self.source.encode_all([_written(text, self.lower) for text in texts], end=True)

    def targets(self, texts: Iterable[str]) -> Sequences:
        """Return the ids of targets, from the begin token to the end token."""
        return self.target.encode_all([_written(text, self.lower) for text in texts], begin=True, end=True)

    def source_tokens(self, text: str) -> list[str]:
        """Return the tokens of a source as a person reads them, with the end token."""
        return self.source.names([*self.source.encode(_written(text, self.lower)), END])

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        return {
            "kind": self.kind,
            "source": self.source.to_json(),
            "target": self.target.to_json(),
            "longest": self.longest,
            "lower": self.lower,
            "beam": self.beam,
            "normalization": self.normalization,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TranslationFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        expected = {"kind", "source", "target", "longest", "lower", "beam", "normalization"}
        if set(data) != expected:
            raise ConfigError(
                f"translation features have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        plain = {name: data[name] for name in ("longest", "lower", "beam", "normalization")}
        return cls(read_tokens(data["source"]), read_tokens(data["target"]), **plain)


def _written(text: str, lower: bool) -> str:
    return text.lower() if lower else text
