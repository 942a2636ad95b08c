"""Descriptions of what a tagger adds to networks: inputs that are spelled words, and a head of tags."""

from dataclasses import dataclass
from typing import ClassVar

from penstock.errors import ConfigError
from penstock.network import Recurrent
from penstock.network.checks import check_flag, check_integer

__all__ = ["SpelledWords", "TagHead"]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class SpelledWords:
    """Inputs that are words with their pairs and their spelling.

    A step is one row of ids (1 + neighbours + longest spelling): the word's, those of its pairs with its neighbours,
    then those of its characters, with 0 past their end. Its vector is the word's row of a trained table, beside the
    pairs' rows of another, and the last outputs of both directions of a BiLSTM over the characters (Ling et al. 2015;
    Lample et al. 2016).

    Attributes:
        words: rows of the table of words.
        word_size: size of a word's vector.
        characters: number of ids of characters, with the 0; 0 for inputs that ignore the spelling.
        character_size: size of a character's vector.
        character_hidden_size: hidden units of each direction over the characters.
        pairs: rows of the table of pairs; 0 for inputs that have none.
        pair_size: size of a pair's vector.
        neighbours: number of pairs of a word, 1 or 2.
    """

    kind: ClassVar[str] = "spelled_words"
    words: int
    word_size: int
    characters: int = 0
    character_size: int = 0
    character_hidden_size: int = 0
    pairs: int = 0
    pair_size: int = 0
    neighbours: int = 0

    def __post_init__(self) -> None:
        check_integer(self, "words", at_least=1)
        check_integer(self, "word_size", at_least=1)
        for table, sizes in {
            "characters": ("character_size", "character_hidden_size"),
            "pairs": ("pair_size", "neighbours"),
        }.items():
            check_integer(self, table, at_least=0)
            there = bool(getattr(self, table))
            for name in sizes:
                check_integer(self, name, at_least=1 if there else 0)
                if not there and getattr(self, name):
                    raise ConfigError(f"SpelledWords: {name} must be 0 where {table} is 0; got {getattr(self, name)}")
        if self.neighbours > 2:
            raise ConfigError(f"SpelledWords: neighbours must be at most 2; got {self.neighbours}")

    @property
    def size(self) -> int:
        """Size of a step's vector."""
        return self.word_size + self.neighbours * self.pair_size + 2 * self.character_hidden_size

    @property
    def speller(self) -> Recurrent:
        """The layers over the characters of a word; only for inputs that read them."""
        return Recurrent(
            cell="lstm", input_size=self.character_size, hidden_size=self.character_hidden_size, bidirectional=True
        )

    def parameter_shapes(self) -> Shapes:
        """Shapes of the trained tensors by name."""
        shapes: Shapes = {"words.weight": (self.words, self.word_size)}
        if self.pairs:
            shapes["pairs.weight"] = (self.pairs, self.pair_size)
        if self.characters:
            shapes["characters.weight"] = (self.characters, self.character_size)
            shapes |= {f"speller.{name}": shape for name, shape in self.speller.parameter_shapes().items()}
        return shapes


@dataclass(frozen=True)
class TagHead:
    """A tag for each step: a linear layer scores `classes` tags at each output.

    Attributes:
        classes: number of tags.
        crf: whether a sentence's tags are scored together by a linear-chain conditional random field (Lafferty et al.
            2001): further scores for pairs of neighbours, for the first tag and for the last.
        lookahead: with a CRF, how many further steps are read before a tag is final; None to read all.
    """

    kind: ClassVar[str] = "tags"
    classes: int
    crf: bool = True
    lookahead: int | None = None

    def __post_init__(self) -> None:
        check_integer(self, "classes", at_least=2)
        check_flag(self, "crf")
        if self.lookahead is not None:
            check_integer(self, "lookahead", at_least=0)
            if not self.crf:
                raise ConfigError("TagHead: lookahead needs crf=True: without a CRF a tag is final at once")

    def parameter_shapes(self, output_size: int) -> Shapes:
        """Shapes of the trained tensors by name, for an encoder with `output_size` features."""
        shapes: Shapes = {"weight": (self.classes, output_size), "bias": (self.classes,)}
        if self.crf:
            shapes |= {"transitions": (self.classes,) * 2, "start": (self.classes,), "end": (self.classes,)}
        return shapes
