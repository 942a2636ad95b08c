"""What a tagger takes from its training sentences without gradients: features, and the network's inputs for them."""

from collections.abc import Sequence
from typing import Any

from penstock.datasets.vectors import further_words
from penstock.errors import ConfigError
from penstock.tagging.features import TokenFeatures
from penstock.tagging.spec import SpelledWords
from penstock.tasks.pretrained import Pretrained

__all__ = ["fitted_features", "inputs_for"]


def fitted_features(
    sentences: Sequence[Sequence[str]],
    *,
    vectors: str | None,
    vector_words: int,
    pretrained: Pretrained | None,
    **settings: Any,
) -> TokenFeatures:
    """Return the features of training sentences.

    Args:
        sentences: the training sentences.
        vectors, vector_words: as `Tagger` takes them: a file of words that are known too, and how many.
        pretrained: a language model whose words are the vocabulary; None for those of the sentences.
        settings: of `TokenFeatures`.

    Raises:
        ConfigError: a setting is invalid, or the tokens of the language model are others.
        DataError: the file of vectors can't be read.
    """
    features = TokenFeatures(**settings)
    if pretrained is None:
        features.fit(sentences)
        if vectors is not None:
            features.know(further_words(vectors, features.vocabulary, vector_words, reads=features.reads))
        return features
    features.fit(sentences, pretrained.tokens.vocabulary)
    level, tokens = "char" if features.by_character else "word", pretrained.tokens
    if (tokens.level, getattr(tokens, "split", "space")) != (level, "space"):
        cased = "" if tokens.level != level else ", in lower case,"
        raise ConfigError(
            f"{pretrained.path}: its tokens are of level {tokens.level!r}{cased} but those of the sentences of "
            f"level {level!r}. Train the language model with penstock train language --level {level}."
        )
    return features


def inputs_for(
    features: TokenFeatures, word_size: int, *, character_size: int, character_hidden_size: int, pair_size: int
) -> SpelledWords:
    """Return the network's inputs: words, with their characters and pairs where the features have these.

    Args:
        features: of the training sentences.
        word_size, character_size, character_hidden_size, pair_size: as `Tagger` takes them.
    """
    more: dict[str, int] = {}
    if features.alphabet_size:
        more |= {"character_size": character_size, "character_hidden_size": character_hidden_size}
    if features.neighbours:
        more |= {"pairs": features.pair_count, "pair_size": pair_size, "neighbours": features.neighbours}
    return SpelledWords(features.vocabulary_size, word_size, features.alphabet_size, **more)
