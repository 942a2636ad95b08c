"""What a language model takes from its training data without gradients: features, and the network for them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from penstock.errors import ConfigError
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import Embedding, Network, Numbers, Recurrent
from penstock.tokens import Tokens, train_tokens

__all__ = ["fitted_features", "fitted_tokens", "network_for"]

_PARTS_OF_WORDS, _OTHERS = 8_000, 50_000
"""Maximum number of tokens, if nothing else is said."""
_MOST_NOTE = 65535
_CHARACTER_SIZE = 64
_ADAPTIVE_ABOVE = 20_000
_CUTOFFS = (2_000, 10_000, 50_000)


def fitted_features(
    items: Sequence[Any],
    *,
    level: Literal["char", "byte", "word", "bpe", "notes"],
    words: Literal["space", "text"],
    max_vocabulary: int | None,
    min_count: int,
) -> LanguageFeatures | FrameFeatures:
    """Return the features of training data.

    Args:
        items: texts, or with level "notes" pieces.
        level, words, max_vocabulary, min_count: as `LanguageModel` takes them.

    Raises:
        DataError: notes that are none, or texts without tokens.
    """
    if level == "notes":
        return FrameFeatures.fit(FrameFeatures(0, _MOST_NOTE).checked(items))
    tokens = fitted_tokens(items, level=level, words=words, max_vocabulary=max_vocabulary, min_count=min_count)
    lines = any("\n" in text for text in items)
    return LanguageFeatures(tokens, ends=len(items) > 1, lines=lines)


def fitted_tokens(
    texts: Iterable[str], *, level: str, words: str, max_vocabulary: int | None, min_count: int
) -> Tokens:
    """Return the tokens of texts, which are read at most once; arguments as for `fitted_features`."""
    most = max_vocabulary or (_PARTS_OF_WORDS if level == "bpe" else _OTHERS)
    options: dict[str, Any] = {"split": words} if level == "word" else {}
    return train_tokens(level, texts, max_vocabulary=most, min_count=min_count, **options)


def network_for(
    features: LanguageFeatures | FrameFeatures,
    recurrent: Callable[[int], Recurrent],
    *,
    hidden_size: int,
    embedding_size: int | None,
    tied: bool | None,
    adaptive: bool | None,
) -> Network:
    """Return the network that the options describe.

    Args:
        features: of the training data.
        recurrent: returns the layers for inputs of a size.
        hidden_size, embedding_size, tied, adaptive: as `LanguageModel` takes them; None for what suits the tokens.

    Raises:
        ConfigError: too few tokens for an adaptive softmax.
    """
    if isinstance(features, FrameFeatures):
        return Network(Numbers(features.size), recurrent(features.size), BernoulliHead(features.size))
    small = features.level in ("char", "byte")
    adaptive = adaptive if adaptive is not None else not tied and features.size > _ADAPTIVE_ABOVE
    tied = tied if tied is not None else not small and not adaptive
    own = min(hidden_size, _CHARACTER_SIZE) if small and not tied else hidden_size
    size = embedding_size or own
    cutoffs = [cutoff for cutoff in _CUTOFFS if cutoff < features.size] if adaptive else []
    if adaptive and not cutoffs:
        raise ConfigError(
            f"an adaptive softmax needs more than {_CUTOFFS[0]:,} tokens; there are {features.size:,}. "
            "Leave adaptive out."
        )
    head = NextTokenHead(features.size, tied, size if tied else 0, cutoffs)
    return Network(Embedding(features.size, size), recurrent(size), head)
