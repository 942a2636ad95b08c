"""How a recogniser searches for the words: settings, and the decoder that they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.checks import check_number
from penstock.errors import ConfigError
from penstock.ngrams import NamedNGrams, read_arpa
from penstock.speech.beam import Fusion, PrefixBeam, check_beam
from penstock.speech.fusion import CharacterFusion, HotWords, WordFusion, together
from penstock.speech.network_fusion import NetworkFusion, language_network
from penstock.speech.paths import Decoder, Greedy

__all__ = ["Search"]

_USUAL_BEAM = 16


@dataclass(frozen=True, kw_only=True)
class Search:
    """Settings of a search for words.

    Attributes:
        beam: hypotheses that are continued at once, see `beam.PrefixBeam`; 1 takes the likeliest token of each step;
            None for 16 where language models or hot words are given, else 1.
        ngrams: n-grams of words or characters that judge the text: `penstock.ngrams.NamedNGrams`, the path of an ARPA
            file, or True for those of the training transcripts; None for none.
        language_model: a language model of characters, or its folder; None for none.
        weight: of the logarithms of both.
        word_bonus: for each word, or for each character of models of characters, because each lowers the probability.
        unknown: what a word without n-grams adds; at most 0.
        hot_words: words or phrases that are likely to be said.
        hot_bonus: what each of them adds, in nats.
        least_probability, margin: see `beam.PrefixBeam`.
        endpoint_seconds: silence after which an utterance ends; 0 if it ends with the sound alone.

    Raises:
        ConfigError: a value is out of its range.
    """

    beam: int | None = None
    ngrams: NamedNGrams | str | Path | bool | None = None
    language_model: Any = None
    weight: float = 0.8
    word_bonus: float = 0.5
    unknown: float = -6.0
    hot_words: Sequence[str] = ()
    hot_bonus: float = 5.0
    least_probability: float = 1e-3
    margin: float = 12.0
    endpoint_seconds: float = 0.0

    def __post_init__(self) -> None:
        check_beam(self.size, self.least_probability, self.margin)
        for name in ("weight", "hot_bonus", "endpoint_seconds"):
            check_number(name, getattr(self, name), at_least=0)
        check_number("word_bonus", self.word_bonus)
        check_number("unknown", self.unknown, at_most=0)
        if self.size == 1 and self._judged:
            raise ConfigError("language models and hot words choose among hypotheses: beam must be at least 2; got 1")

    @property
    def size(self) -> int:
        """The number of hypotheses."""
        return (_USUAL_BEAM if self._judged else 1) if self.beam is None else self.beam

    @property
    def _judged(self) -> bool:
        return bool(self.ngrams) or self.language_model is not None or bool(self.hot_words)

    def decoder(self, pieces: Sequence[str], own: NamedNGrams | None) -> Decoder:
        """Return a decoder.

        Args:
            pieces: the text of each token, the blank's first, beginning with a space where a token begins a word.
            own: the n-grams of the training transcripts; None if there are none.

        Raises:
            ConfigError: a language model or hot word does not match the tokens, or `own` is needed and None.
            DataError: an ARPA file can't be read.
        """
        if self.size == 1:
            return Greedy(len(pieces))
        return PrefixBeam(
            len(pieces),
            self.size,
            least_probability=self.least_probability,
            margin=self.margin,
            fusion=self._fusion(pieces, own),
        )

    def _fusion(self, pieces: Sequence[str], own: NamedNGrams | None) -> Fusion | None:
        several: list[Fusion] = []
        how = {"weight": self.weight, "bonus": self.word_bonus}
        if (ngrams := self._ngrams(own)) is not None:
            several.append(
                CharacterFusion(ngrams, pieces, **how)
                if ngrams.characters
                else WordFusion(ngrams, pieces, unknown=self.unknown, **how)
            )
        if self.language_model is not None:
            several.append(NetworkFusion(language_network(self.language_model), pieces, **how))
        if self.hot_words:
            several.append(HotWords(self.hot_words, pieces, bonus=self.hot_bonus))
        return together(several)

    def _ngrams(self, own: NamedNGrams | None) -> NamedNGrams | None:
        if self.ngrams is True:
            if own is None:
                raise ConfigError(
                    "this recogniser holds no n-grams of its training transcripts. Pass an ARPA file, or train again."
                )
            return own
        if isinstance(self.ngrams, str | Path):
            return read_arpa(self.ngrams)
        return self.ngrams or None
