"""Text classification, for example by topic or sentiment, in any language."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np

from penstock.bundle import Bundle
from penstock.datasets import Rows, text_table
from penstock.datasets.vectors import further_words
from penstock.errors import ConfigError, DataError
from penstock.events import say
from penstock.inspection.attribution import Attribution
from penstock.network import ClassHead, Embedding, Network
from penstock.network.checks import check_integer
from penstock.sequences import Sequences
from penstock.shards import Shards
from penstock.shards.files import identities
from penstock.shards.writer import narrow
from penstock.tasks.classifier import Classifier
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.options import CellOptions
from penstock.tasks.pretrained import EncoderOptions, Pretrained
from penstock.tasks.space import Around, Between, Searched
from penstock.tasks.stored import ShardOptions, StoredPart, stored_data
from penstock.tasks.supervised import Given
from penstock.text.baseline_training import fit_baseline
from penstock.text.features import TextFeatures
from penstock.text.token_features import TokenFeatures, read_text_features
from penstock.tokens import SPECIAL, UNKNOWN
from penstock.tokens.spelling import tokenize

if TYPE_CHECKING:
    from penstock.nn import NetworkModule
    from penstock.text.objective import TokenObjective

__all__ = ["TextClassifier"]

_LOGGER = logging.getLogger("penstock.tasks")

_FEATURES = ("min_count", "max_vocabulary", "max_length", "word_shapes")
_LONGEST_TEXT = 1000
"""Maximum characters of a text in the report."""


@dataclass(kw_only=True, eq=False, repr=False)
class TextClassifier(ShardOptions, EncoderOptions, CellOptions, Classifier):
    """Classifies texts with a recurrent network; scikit-learn style.

    Defaults were chosen on several data sets (reviews, questions, news, messages; English and Chinese). Fitting the
    same data with the same `random_state` gives the same bits, whatever the number of threads, and leaves the global
    random generators unchanged. Texts are lists, NumPy arrays, or columns of pandas, Polars and Arrow.

    Args:
        keep: the weights to keep: "best", from the epoch with the lowest validation loss, or "last", without early
            stopping; None for "last" with fewer than 1,000 training rows, whose few validation rows would stop it at
            random, else "best".
        embedding_size: size of a token's vector.
        pooling: pooling of the outputs over time: "max", "mean", "mean_max" or "last".
        min_count: minimum number of occurrences in the training texts for a token to be known.
        max_vocabulary: maximum number of known tokens.
        max_length: number of tokens of a text that training reads; predictions read the whole text.
        word_shapes: distinguish unknown tokens by their spelling: capitals and digits (Bikel et al. 1999).
        vectors: a file of pretrained word vectors in the text format of word2vec or GloVe, plain or .gz, from which
            known words start; `embedding_size` must match.
        vector_words: maximum number of words of `vectors`, the first ones of the file, that are known although they do
            not occur in the training texts.
        word_dropout: share of tokens that training replaces by unknown ones, so that the network learns to handle them.
        embedding_dropout: dropout probability of the tokens' vectors (Srivastava et al. 2014).
        output_dropout: dropout probability of the pooled outputs.
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et al. 2016).
        prefix_share: share of the loss at a random prefix of each text, so that predictions are meaningful while a text
            is still streaming in.
        next_token_share: weight of an auxiliary loss, the prediction of each next token (Rei 2017), which helps with
            small data sets; no effect if `bidirectional`.

    Examples:
        >>> from penstock import TextClassifier
        >>> texts, labels = ["good food", "bad room"] * 8, ["good", "bad"] * 8
        >>> clf = TextClassifier(hidden_size=8, epochs=1).fit(texts, labels)
        >>> clf.predict_proba(["good room"]).shape
        (1, 2)
        >>> clf.stream().push("good").keys() == {"good", "bad"}
        True
    """

    task: ClassVar[str] = "text-classification"
    paths: ClassVar[tuple[str, ...]] = ("vectors", "encoder", "cache")

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("min_count", "max_vocabulary", "max_length", "word_shapes", "vectors", "vector_words"),
        "training": (
            "word_dropout", "embedding_dropout", "output_dropout", "label_smoothing", "prefix_share",
            "next_token_share",
        ),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("vectors",)
    searched: ClassVar[Searched] = {
        "embedding_size": Around(2),
        "pooling": ("max", "mean", "mean_max"),
        "word_dropout": Between(0.0, 0.5),
        "embedding_dropout": Between(0.0, 0.7),
        "output_dropout": Between(0.0, 0.7),
    }
    few_rows: ClassVar[int] = 1000

    keep: Literal["best", "last"] | None = None  # type: ignore[assignment]
    hidden_size: int = 256
    embedding_size: int = 256
    pooling: Literal["max", "mean", "mean_max", "last"] = "max"
    min_count: int = 2
    max_vocabulary: int = 30_000
    max_length: int = 256
    word_shapes: bool = True
    vectors: str | None = None
    vector_words: int = 20_000
    word_dropout: float = 0.2
    embedding_dropout: float = 0.5
    output_dropout: float = 0.5
    label_smoothing: float = 0.1
    prefix_share: float = 0.25
    next_token_share: float = 0.3

    def __sklearn_tags__(self) -> Any:
        """Texts, one each."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags

    def _rows(self, inputs: Any, labels: Any) -> Rows:
        return text_table(inputs, labels)

    def _stored_data(self, given: Given, validation_data: Any, test_data: Any, seed: int) -> Labelled:
        inputs, answers, weights = given
        if answers is not None or weights is not None:
            raise DataError("the labels of shards are in their own column, and their rows have no weights: leave y out")
        valid, test = (
            pair[0] if pair is not None and isinstance(pair[0], Shards) else pair
            for pair in (validation_data, test_data)
        )
        return stored_data(self, inputs, valid, test, seed)

    def shard_rows(self, columns: Mapping[str, list[Any]]) -> Rows:
        """See `tasks.stored.Storable`, as for all that follows."""
        return text_table(columns["text"], columns["label"], may_be_empty=True)

    def learned_features(self, inputs: Iterable[str]) -> TextFeatures | TokenFeatures:
        """Return those of the model that is continued, or learned ones."""
        known = self._known()
        if known is None:
            return self._features(inputs)
        for _ in inputs:  # which are counted as they pass
            pass
        return cast(TextFeatures | TokenFeatures, known.features)

    def read_features(self, data: Mapping[str, Any]) -> TextFeatures | TokenFeatures:
        """Read features of either kind."""
        return read_text_features(data)

    def stored_features(
        self, features: TextFeatures | TokenFeatures, inputs: list[str]
    ) -> tuple[Sequences, dict[str, int]]:
        """Return the ids, and the numbers of tokens and of texts that are cut."""
        sequences, lengths = features.training(inputs)
        amounts = {"tokens": int(lengths.sum()), "truncated": int((lengths > features.max_length).sum())}
        return narrow(sequences, features.vocabulary_size), amounts

    def feature_key(self) -> dict[str, Any]:
        """Return the options, what files they name, and the model that is continued."""
        known = self._known()
        files = [
            file
            for path in (self.vectors, self.encoder)
            if path is not None
            for file in sorted([Path(path)] if Path(path).is_file() else Path(path).glob("*.*"))
        ]
        return {name: getattr(self, name) for name in (*_FEATURES, "vector_words")} | {
            "files": identities(files),
            "known": None if known is None else [known.features.to_json(), known.labels],
        }

    def _amount(self, part: Part) -> dict[str, float]:
        return {"tokens": sum(len(tokenize(text)) for text in part.inputs)}

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        text = part.inputs[row]
        return {"text": text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"}

    def _marked(self, found: Attribution) -> dict[str, Any]:
        tokens, gaps, scores = found.coordinates["token"], found.gaps, found.values.tolist()
        lengths = np.cumsum([len(gap) + len(token) for gap, token in zip(gaps, tokens, strict=False)])
        kept = int((lengths < _LONGEST_TEXT).sum())
        end = gaps[-1] if kept == len(tokens) else "…"
        return {
            "tokens": tokens[:kept],
            "gaps": [*gaps[:kept], end],
            "scores": [float(f"{x:.3g}") for x in scores[:kept]],
        }

    def _example(self, part: Part, row: int) -> str:
        return str(part.inputs[row][:_LONGEST_TEXT])

    def _describe(self, data: Labelled) -> tuple[TextFeatures | TokenFeatures, Network]:
        stored = data.train
        features = stored.features if isinstance(stored, StoredPart) else self._features(stored.inputs)
        return features, self._network(data, features)

    def _features(self, texts: Iterable[str]) -> TextFeatures | TokenFeatures:
        learned = TextFeatures(**{name: getattr(self, name) for name in _FEATURES})
        pretrained = self._pretrained()
        check_integer(self, "vector_words", at_least=0)
        if pretrained is None:
            learned.fit(texts)
            if self.vectors is not None:
                learned.know(further_words(self.vectors, learned.vocabulary, self.vector_words, reads=learned.reads))
            return learned
        if getattr(pretrained.tokens, "split", None) == "text":  # the same words, so that shapes can be added
            return learned.fit(texts, pretrained.tokens.vocabulary)
        for _ in texts:  # nothing is learned from them, but who gives them may count
            pass
        return TokenFeatures(pretrained.tokens, max_length=self.max_length)

    def _network(self, data: Labelled, features: TextFeatures | TokenFeatures) -> Network:
        pretrained = self._pretrained()
        encoder = self.recurrent(self.embedding_size) if pretrained is None else pretrained.encoder
        inputs = Embedding(features.vocabulary_size, encoder.input_size)
        return Network(inputs, encoder, ClassHead(len(data.labels), self.pooling))

    def _pretrained(self) -> Pretrained | None:
        found = super()._pretrained()
        if found is not None and self.vectors is not None:
            raise ConfigError("encoder brings an embedding, and so do vectors: leave one of them out")
        return found

    def _resolved(self, features: TextFeatures | TokenFeatures, network: Network) -> dict[str, Any]:
        return super()._resolved(features, network) | {"embedding_size": network.inputs.size}

    def _objective(
        self, data: Labelled, features: TextFeatures | TokenFeatures, network: Network, seed: int
    ) -> "TokenObjective":
        import torch

        from penstock.text.objective import TokenObjective, TokenRegularization

        shares = {field.name: getattr(self, field.name) for field in fields(TokenRegularization)}
        if self.bidirectional:
            shares["next_token_share"] = 0.0
        stored = data.train
        return TokenObjective(
            sequences=stored.sequences if isinstance(stored, StoredPart) else features.training(stored.inputs)[0],
            weights=torch.from_numpy(self._weights(data).astype(np.float32)),
            regularization=TokenRegularization(**shares),
            **self._objective_rows(data, features, seed),
        )

    def _module(self, data: Labelled, features: TextFeatures | TokenFeatures, network: Network) -> "NetworkModule":
        import torch

        from penstock.nn import NetworkModule
        from penstock.tasks.initial import init_head, init_table, put_vectors

        module = NetworkModule(network, init="orthogonal")
        assert isinstance(module.inputs, torch.nn.Embedding)
        init_table(module.inputs.weight)
        init_head(module.head)
        if self.vectors is not None and self._known() is None:
            assert isinstance(features, TextFeatures)  # tokens of a language model have vectors of their own
            put_vectors(module.inputs.weight, self.vectors, features.vocabulary, option="embedding_size")
        if (pretrained := self._pretrained()) is not None:
            pretrained.put(module, _rows_of(features))
        if self.next_token_share and not self.bidirectional:  # a backward direction has already read the next token
            module.next_token = torch.nn.Linear(network.encoder.output_size, network.inputs.size)
        return module

    def _fit_baselines(self, data: Labelled, features: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = self._weights(data)
        if not self.baseline:
            return {"class_counts": data.train.class_counts(len(weights))}, {}
        sample = data.train.in_memory
        arrays, settings = fit_baseline(sample, data.valid, weights)
        arrays["class_counts"] = data.train.class_counts(len(weights))
        if settings and len(sample) < len(data.train):
            say(_LOGGER, "baselines", f"the baseline was fitted on {len(sample):,} rows, drawn from the training rows")
            settings["rows"] = len(sample)
        return arrays, {"tfidf": settings} if settings else {}

    def _data_figures(self, data: Labelled, features: TextFeatures | TokenFeatures) -> dict[str, Any]:
        figures = super()._data_figures(data, features)
        if isinstance(features, TokenFeatures):  # `_amount` counts words
            in_memory = {} if isinstance(data.train, StoredPart) else {"train": data.train}
            for name, part in (in_memory | data.measured()).items():
                figures[name]["tokens"] = int(features.lengths(part.inputs).sum())
        figures["vocabulary"] = features.vocabulary_size
        if isinstance(data.train, StoredPart):
            return figures | {"truncated": figures["train"].pop("truncated")}
        cut = int((features.lengths(data.train.inputs) > features.max_length).sum())
        return figures | {"truncated": cut}

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features = read_text_features(saved.features)
        options = {name: getattr(features, name) for name in _FEATURES if hasattr(features, name)}
        return options | {"embedding_size": saved.network.inputs.size, "pooling": saved.network.head.pooling}


def _rows_of(features: TextFeatures | TokenFeatures) -> np.ndarray:
    """Return the row of a language model's embedding from which each id starts, (ids,)."""
    if isinstance(features, TokenFeatures):
        return np.arange(features.vocabulary_size)
    known = len(SPECIAL) + np.arange(len(features.vocabulary))
    unknown = np.full(len(features.shapes), UNKNOWN)  # a shape of unknown words starts as the unknown word
    return np.concatenate([[UNKNOWN], known, unknown])
