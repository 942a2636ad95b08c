"""Translation of sentences, words or other short texts into texts."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.bundle import Bundle
from penstock.datasets import Rows
from penstock.errors import DataError
from penstock.events import say
from penstock.network import Embedding, Network, Recurrent
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.options import CellName, CellOptions
from penstock.tasks.space import Around, Between, Searched
from penstock.tasks.supervised import Given, Supervised
from penstock.tasks.texts import Texts
from penstock.translate.baseline_training import fit_baselines
from penstock.translate.features import TranslationFeatures
from penstock.translate.figures import translation_figures
from penstock.translate.metrics import judged
from penstock.translate.model import Translation, TranslationModel
from penstock.translate.pairs import sentence_pairs
from penstock.translate.spec import AttentionDecoder

if TYPE_CHECKING:
    from penstock.training import Callback
    from penstock.translate.module import AttendingModule
    from penstock.translate.objective import TranslationObjective

__all__ = ["Translator"]

_LOGGER = logging.getLogger(__name__)

_PARTS_OF_WORDS, _OTHERS = 3_000, 30_000


@dataclass(kw_only=True, eq=False, repr=False)
class Translator(CellOptions, Supervised):
    """Translates texts by an encoder, and a decoder with attention (Bahdanau et al. 2015); scikit-learn style.

    Sources and targets are lists, NumPy arrays or columns of texts: sentences, or words for transliteration, spelling
    correction or grapheme to phoneme. Fitting the same data with the same `random_state` gives the same bits.

    Args:
        level: what the tokens are: "bpe", parts of words (Sennrich et al. 2016), needs the extra `translate`; "word",
            between spaces; "char"; or "byte".
        max_vocabulary: maximum number of tokens of each side; None for 3,000 parts of words, which suits small data
            (Sennrich and Zhang 2019), or 30,000 words or characters.
        lower: put texts into lower case.
        max_length: tokens of a source or target above which training leaves a pair out; predictions read any length.
        embedding_size: size of a token's vector.
        decoder_size: hidden units per decoder layer; None for `hidden_size`.
        attention: "luong", general (Luong et al. 2015), or "bahdanau", additive (Bahdanau et al. 2015).
        attention_size: size of the additive attention's layer.
        input_feeding: let the decoder read what the attention found for the token before (Luong et al. 2015); training
            becomes a loop over tokens, several times as slow.
        tied: score tokens by their own input vectors (Press and Wolf 2017).
        dropout: dropout probability of vectors, outputs of the encoder and readouts (Srivastava et al. 2014).
        word_dropout: share of tokens that training replaces by unknown ones.
        label_smoothing: share of the target that is spread evenly over all tokens (Szegedy et al. 2016).
        sampling_share: share of the preceding target tokens that are the network's own predictions at the end of the
            training (scheduled sampling, Bengio et al. 2015); 0 for the true tokens alone (teacher forcing).
        beam: translations that a search continues at once; 1 is greedy.
        normalization: exponent of the length by which a search divides log-probabilities.

    Examples:
        >>> from penstock import Translator
        >>> sources, targets = ["ab", "ba", "aab", "abb"] * 4, ["BA", "AB", "BAA", "BBA"] * 4
        >>> model = Translator(level="char", hidden_size=8, embedding_size=8, epochs=1).fit(sources, targets)
        >>> len(model.predict(["ab", "b"], beam=2))
        2
    """

    task: ClassVar[str] = "translation"
    usual_epochs: ClassVar[int] = 14
    most_epochs: ClassVar[int] = 60

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("level", "max_vocabulary", "lower", "max_length", "beam", "normalization"),
        "training": ("dropout", "word_dropout", "label_smoothing", "sampling_share"),
    }
    everyday: ClassVar[tuple[str, ...]] = ("level", "max_vocabulary", "attention", "input_feeding", "beam")
    searched: ClassVar[Searched] = {
        "embedding_size": Around(2),
        "dropout": Between(0.0, 0.6),
        "word_dropout": Between(0.0, 0.3),
    }

    level: Literal["bpe", "word", "char", "byte"] = "bpe"
    max_vocabulary: int | None = None
    lower: bool = False
    max_length: int = 100
    embedding_size: int = 192
    decoder_size: int | None = None
    attention: Literal["luong", "bahdanau"] = "luong"
    attention_size: int = 128
    input_feeding: bool = False
    tied: bool = True
    dropout: float = 0.3
    word_dropout: float = 0.05
    label_smoothing: float = 0.1
    sampling_share: float = 0.0
    beam: int = 5
    normalization: float = 1.0
    cell: CellName = "gru"
    hidden_size: int = 256
    bidirectional: bool = True
    batch_size: int = 64
    learning_rate: float = 0.003

    def __sklearn_tags__(self) -> Any:
        """Texts, one each, and a text for each of them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.target_tags.required = True
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        validation_data: Given | None = None,
        test_data: Given | None = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on texts and their translations.

        Pairs with an empty side are dropped and counted in `metrics_`, and in training pairs with more than
        `max_length` tokens. Ctrl-C ends the training with the best weights so far, as in every estimator.

        Args:
            X: texts.
            y: the translation of each text.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the pairs.
            test_data: the same, for pairs that are used only in `metrics_`.
            sample_weight: weight of each pair in the loss; None for equal weights. A pair of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of pairs dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: texts and translations differ in number, or none are left.
            ConfigError: an option is invalid.
            MissingExtraError: a package that training needs is not installed.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped, changed)

    def predict(self, X: Any, **search: Any) -> np.ndarray:
        """Return the best translation of each text, (texts,) of str; see `TranslationModel.predict`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError, ConfigError: as there.
        """
        return self._model().predict(X, **search)

    def translate(self, X: Any, n_best: int = 1, **search: Any) -> list[list[Translation]]:
        """Return the best translations of each text with scores and attention; see `TranslationModel.translate`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError, ConfigError: as there.
        """
        return self._model().translate(X, n_best, **search)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return chrF of the translations, from 0 to 1: the F-score of their n-grams of characters (Popović 2015).

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: texts and translations differ in number, or weights are given, which chrF doesn't have.
        """
        if sample_weight is not None:
            raise DataError("chrF of a corpus has no weights. Leave sample_weight out.")
        rows = self._rows(X, y)
        return judged(rows.inputs, self.predict(rows.inputs).tolist(), rows.answers or []).metrics["chrf"] / 100

    def _model(self) -> TranslationModel:
        model = self._fitted()
        assert isinstance(model, TranslationModel)
        return model

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        return sentence_pairs(inputs, answers)

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        return []

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> Any:
        return Texts(answers)

    def _about(self, targets: Any, classes: Sequence[Any]) -> dict[str, Any]:
        return {"target_characters": sum(map(len, targets))}

    def _amount(self, part: Part) -> dict[str, float]:
        return {"source_characters": sum(map(len, part.inputs))}

    def _inspected(self, data: Labelled) -> None:
        return None  # a decoder with attention reads all of its source at each token

    def _example(self, part: Part, row: int) -> str:
        return str(part.inputs[row])

    def _describe(self, data: Labelled) -> tuple[TranslationFeatures, Network]:
        names = ("level", "lower", "beam", "normalization")
        options = {name: getattr(self, name) for name in names}
        most = _PARTS_OF_WORDS if self.level == "bpe" else _OTHERS
        most = most if self.max_vocabulary is None else self.max_vocabulary
        features = TranslationFeatures.fit(data.train.inputs, data.train.targets, max_vocabulary=most, **options)
        sizes = len(features.source), len(features.target)
        text = f"tokens: {self.level}, {sizes[0]:,} of the sources, {sizes[1]:,} of the targets"
        say(_LOGGER, "tokens", text, source=sizes[0], target=sizes[1])
        return features, self._network(data, features)

    def _network(self, data: Labelled, features: TranslationFeatures) -> Network:
        encoder = self.recurrent(self.embedding_size)
        reads = self.embedding_size * (2 if self.input_feeding else 1)
        size = self.hidden_size if self.decoder_size is None else self.decoder_size
        below = {"input_size": reads, "hidden_size": size, "bidirectional": False}
        head = AttentionDecoder(
            len(features.target),
            self.embedding_size,
            Recurrent(**(encoder.arguments() | below)),
            attention=self.attention,
            attention_size=self.attention_size,
            input_feeding=self.input_feeding,
            tied=self.tied,
        )
        return Network(Embedding(len(features.source), self.embedding_size), encoder, head)

    def _objective(
        self, data: Labelled, features: TranslationFeatures, network: Network, seed: int
    ) -> "TranslationObjective":
        import torch

        from penstock.tokens import UNKNOWN
        from penstock.training.recipe import share
        from penstock.translate.objective import TranslationObjective

        shares = {name: share(name, getattr(self, name)) for name in ("label_smoothing", "word_dropout")}
        shares["sampling_share"] = share("sampling_share", self.sampling_share)
        sources, targets = features.sources(data.train.inputs), features.targets(data.train.targets)
        kept = np.flatnonzero(np.maximum(sources.lengths - 1, targets.lengths - 2) <= self.max_length)
        if not len(kept):
            raise DataError(f"all training pairs have more than max_length={self.max_length} tokens. Raise it.")
        if len(kept) < len(sources):
            left_out = len(sources) - len(kept)
            data.count({"more tokens than max_length": left_out}, None)
            _LOGGER.info("%d training pairs with more than %d tokens are left out", left_out, self.max_length)
        seen = data.seen()
        return TranslationObjective(
            sources=sources[kept],
            targets=targets[kept],
            valid_sources=features.sources(data.valid.inputs),
            valid_targets=features.targets(data.valid.targets),
            seen_sources=features.sources(seen.inputs),
            seen_targets=features.targets(seen.targets),
            weights=None if data.train.weights is None else data.train.weights[kept],
            batch_size=self.batch_size,
            steps=self._recipe(len(kept)).epochs * math.ceil(len(kept) / self.batch_size),
            unknown=UNKNOWN,
            generator=torch.Generator().manual_seed(seed),
            **shares,
        )

    def _module(self, data: Labelled, features: TranslationFeatures, network: Network) -> "AttendingModule":
        from penstock.tasks.initial import init_table
        from penstock.training.recipe import share
        from penstock.translate.module import AttendingModule

        module = AttendingModule(network, init="orthogonal", dropout=share("dropout", self.dropout))
        init_table(module.inputs.weight)
        return module

    def _fit_baselines(
        self, data: Labelled, features: TranslationFeatures
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        if not self.baseline:
            return {}, {}
        train, valid = data.train, data.valid
        characters = features.level in ("char", "byte")
        return fit_baselines(train.inputs, train.targets, valid.inputs, valid.targets, characters=characters)

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        return translation_figures(model, data)

    def _data_figures(self, data: Labelled, features: TranslationFeatures) -> dict[str, Any]:
        tokens = {"source_vocabulary": len(features.source), "target_vocabulary": len(features.target)}
        return super()._data_figures(data, features) | {"level": features.level} | tokens

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features, head = saved.features, saved.network.head
        size = head.decoder.hidden_size
        return {
            "level": features["target"]["level"],
            "lower": features["lower"],
            "beam": features["beam"],
            "normalization": features["normalization"],
            "embedding_size": head.embedding_size,
            "decoder_size": None if size == saved.network.encoder.hidden_size else size,
            "attention": head.attention,
            "attention_size": head.attention_size,
            "input_feeding": head.input_feeding,
            "tied": head.tied,
        }
