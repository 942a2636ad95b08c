"""Language models: what comes next in a text or in music, learned without labels."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.bundle import Bundle
from penstock.checks import check_number, check_one_of, check_whole
from penstock.datasets import Rows
from penstock.errors import ConfigError, DataError
from penstock.language.baseline_training import MOST_TOKENS, ORDERS, fit_note_baselines, fit_token_baselines
from penstock.language.data import LanguageData, LanguagePart, as_items, divided, items_of_level
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.figures import data_figures, inspected_items, language_figures, stored_examples
from penstock.language.files import TextFiles
from penstock.language.fitting import fitted_features, network_for
from penstock.language.model import SequenceGenerator
from penstock.language.readers import Corpus
from penstock.language.recipes import RECIPES
from penstock.language.spec import NextTokenHead
from penstock.language.stored import StoredLanguagePart, stored_data
from penstock.network import Network
from penstock.tasks.estimator import Estimator, seed_of, training_module
from penstock.tasks.memory import EXAMPLES
from penstock.tasks.options import CellOptions, check_validation_share
from penstock.tasks.space import Between, Searched
from penstock.tasks.stored import ShardOptions
from penstock.tasks.verbosity import say_data, verbose
from penstock.tokens import END

if TYPE_CHECKING:
    import torch

    from penstock.language.objective import LaneObjective, PieceObjective
    from penstock.training import Callback

__all__ = ["LanguageModel"]

_EMBEDDING_SCALE = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class LanguageModel(ShardOptions, CellOptions, Estimator):
    """Learns what comes next in texts, or in music as frames of notes; scikit-learn style.

    `fit` takes texts, a list of str, or the path of a file or folder; there are no labels. The model tells the
    probability of each token (`predict`, `score`), goes on with a text (`generate`), and streams both.

    Args:
        level: what a token is: "char", a character; "byte"; "word", see `words`; "bpe", a frequent part of a word
            (Sennrich et al. 2016; needs penstock[bpe]); or "notes", for frames of notes that sound at once.
        words: what a word is: "space", what stands between white space, and each end of a line; "text", lower-case
            words and marks as `TextClassifier` reads them.
        max_vocabulary: maximum number of tokens, the most frequent; None for 8,000 with "bpe", else 50,000.
        min_count: minimum number of occurrences in the training texts for a token to be known.
        embedding_size: size of a token's vector; None for `hidden_size`, or at most 64 with characters and bytes.
        tied: whether the output layer shares the tokens' vectors (Press and Wolf 2017); None for words and "bpe" with
            at most 20,000 tokens.
        adaptive: whether rarer tokens have smaller vectors in the output layer, which is faster (adaptive softmax,
            Grave et al. 2017); None for more than 20,000 tokens.
        recipe: the defaults of the training: "adam", AdamW with a half cosine; "sgd", plain gradient descent whose rate
            is halved after some epochs (Zaremba et al. 2015); "awd", AWD-LSTM (Merity et al. 2018).
        steps: tokens after which backpropagation is cut off.
        batch_size: parts of the text that are read side by side, or short texts per step; None for that of the recipe.
        learning_rate: learning rate, at its peak; None for that of the recipe.
        weight_decay: weight decay; None for that of the recipe.
        clip: maximum norm of the gradient (Pascanu et al. 2013); None for that of the recipe.
        average: decay per step of a moving average of the weights (Polyak and Juditsky 1992); None for that of the
            recipe.
        patience: number of epochs without a lower validation loss after which training stops; None for that of the
            recipe.
        optimizer: "adamw" or "sgd"; None for that of the recipe.
        decay: factor of the learning rate after each epoch, in place of a half cosine; None for that of the recipe.
        hold: with `decay`, epochs before it; None for that of the recipe.
        average_after: average all weights evenly from the first epoch on whose validation loss is above the lowest one
            of those more than this many epochs before (NT-ASGD); 0 for never; None for the recipe's.
        word_dropout: share of the vocabulary whose vectors are 0 in a batch; None for that of the recipe.
        embedding_dropout: dropout of the tokens' vectors, with the same mask at each step (Gal and Ghahramani 2016);
            None for that of the recipe.
        layer_dropout: the same between layers; None for that of the recipe.
        output_dropout: the same of the last layer's outputs; None for that of the recipe.
        weight_drop: share of the recurrent weights that are 0 in a batch; None for that of the recipe.
        activation: weight of the mean square of the outputs in the loss; None for that of the recipe.
        change: weight of the mean square of their change from step to step; None for that of the recipe.

    Examples:
        >>> from penstock import LanguageModel
        >>> model = LanguageModel(level="char", hidden_size=8, epochs=1).fit(["hello world " * 50])
        >>> len(model.generate("hel", 5))
        5
        >>> model.predict(["hello"])[0].shape  # the log-probability of each character
        (5,)
    """

    task: ClassVar[str] = "language-model"

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("level", "words", "max_vocabulary", "min_count"),
        "training": (
            "recipe", "steps", "optimizer", "decay", "hold", "average_after", "word_dropout", "embedding_dropout",
            "layer_dropout", "output_dropout", "weight_drop", "activation", "change",
        ),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("level", "words", "max_vocabulary", "recipe", "steps", "embedding_size")
    searched: ClassVar[Searched] = {
        "embedding_dropout": Between(0.0, 0.6),
        "layer_dropout": Between(0.0, 0.6),
        "output_dropout": Between(0.0, 0.6),
    }

    level: Literal["char", "byte", "word", "bpe", "notes"] = "char"
    words: Literal["space", "text"] = "space"
    max_vocabulary: int | None = None
    min_count: int = 1
    hidden_size: int = 256
    embedding_size: int | None = None
    tied: bool | None = None
    adaptive: bool | None = None
    recipe: Literal["adam", "sgd", "awd"] = "adam"
    steps: int = 70
    batch_size: int | None = None  # type: ignore[assignment]
    learning_rate: float | None = None  # type: ignore[assignment]
    weight_decay: float | None = None  # type: ignore[assignment]
    clip: float | None = None  # type: ignore[assignment]
    average: float | None = None  # type: ignore[assignment]
    patience: int | None = None  # type: ignore[assignment]
    optimizer: Literal["adamw", "sgd"] | None = None
    decay: float | None = None
    hold: int | None = None
    average_after: int | None = None
    word_dropout: float | None = None
    embedding_dropout: float | None = None
    layer_dropout: float | None = None
    output_dropout: float | None = None
    weight_drop: float | None = None
    activation: float | None = None
    change: float | None = None

    @verbose
    def fit(
        self,
        X: Any,
        y: None = None,
        validation_data: Any = None,
        test_data: Any = None,
        *,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on texts or pieces.

        Ctrl-C ends the training with the best weights so far, as in every estimator.

        Args:
            X: texts, a list of str; with level "notes" pieces, lists of frames, which are lists of notes; or the path
                of a file or folder, see `language.readers.find_corpus`; or the result of `read_text_files`.
            y: ignored; there are no labels.
            validation_data: as X, for early stopping; None holds back `validation_share` of X: random ones of a hundred
                texts or more, else the end.
            test_data: as X, used only in `metrics_`.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include.

        Raises:
            DataError: there is nothing to learn from, or it is not of this level.
            InputError: the cache for data larger than memory can't be written.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        started = time.perf_counter()
        training_module()
        self._check_options()
        seed = seed_of(self.random_state)
        train = items_of_level(X, "X", self.level)
        if validation_data is None:
            check_validation_share(self.validation_share)
            shares = 1 - self.validation_share, self.validation_share
            train, valid = train.split(shares, seed) if isinstance(train, TextFiles) else divided(train, shares, seed)
        else:
            valid = items_of_level(validation_data, "validation_data", self.level)
        test = None if test_data is None else items_of_level(test_data, "test_data", self.level)
        data = self._data(train, {"valid": valid, "test": test})
        for own, more in ((data.dropped, dropped), (data.changed, changed)):
            own |= dict(Counter(own) + Counter(more or {}))
        return self._train(data, seed=seed, started=started, callbacks=callbacks)

    def _data(self, train: list[Any] | TextFiles, given: Mapping[str, Any]) -> LanguageData:
        """Return all parts, in memory or the first one on disk."""
        if isinstance(train, TextFiles):
            known = self._known()
            features = None if known is None else known.features
            return stored_data(train, given, known=features, cache=self.cache, **self._token_options())
        valid, test = (
            LanguagePart(list(items.drawn().texts()) if isinstance(items, TextFiles) else items)
            for items in (given["valid"], given["test"] or [])
        )
        return LanguageData(LanguagePart(train), valid, test if given["test"] else None, {}, {})

    def fit_rows(self, train: Rows, valid: Rows | None, test: Rows | None, **more: Any) -> Self:
        """Call `fit` with the results of the task's reader; `more` is passed on."""
        return self.fit(
            train.inputs,
            validation_data=None if valid is None else valid.inputs,
            test_data=None if test is None else test.inputs,
            **more,
        )

    @staticmethod
    def split(rows: Any, proportions: Sequence[float], random_state: int) -> list[Any]:
        """Divide texts as `fit` does; a file with parts of its own is divided into these, files see `Shards.split`."""
        if isinstance(rows, TextFiles):
            return rows.split(proportions, random_state)
        own = getattr(rows, "parts", {})
        if "train" in own and "valid" in own:
            return [Corpus(own[name]) for name in ("train", "valid", "test") if name in own]
        return [Corpus(items) for items in divided(rows.inputs, proportions, random_state)]

    def predict(self, X: Any) -> list[np.ndarray]:
        """Return the log-probability (natural) of each token of each text after those before it.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: the inputs are not of this level.
        """
        return self._model().predict(X)

    def score(self, X: Any, y: None = None) -> float:
        """Return the mean log-probability of a token, in nats: the higher, the better.

        Raises:
            NotFittedError, DataError: as `predict`.
        """
        return -self._model().score(as_items(X, "X"))["nats"]

    def perplexity(self, X: Any) -> float:
        """Return exp of the mean surprisal of a token: as if so many tokens were equally likely each time.

        Raises:
            NotFittedError, DataError: as `predict`; or the model is of notes.
        """
        found = self._model().score(as_items(X, "X"))
        if "perplexity" not in found:
            raise DataError("frames of notes have no perplexity: use score(X), minus the nats of a frame")
        return found["perplexity"]

    def generate(self, prompt: Any = "", n: int = 100, **how: Any) -> Any:
        """Return what the model draws after a prompt: see `language.model.SequenceGenerator.generate`.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError, DataError: as there.
        """
        return self._model().generate(prompt, n, **how)

    def __sklearn_tags__(self) -> Any:
        """Texts, and no targets."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.target_tags.required = False
        return tags

    def _model(self) -> SequenceGenerator:
        model = self._fitted()
        assert isinstance(model, SequenceGenerator)
        return model

    def _setting(self, name: str) -> Any:
        """Return an option, or the recipe's value for it, for the mean of the loss over the steps of a chunk."""
        if (value := getattr(self, name)) is not None:
            return value
        usual: Any = RECIPES[self.recipe].get(name)
        if self.recipe == "sgd" and name in ("learning_rate", "clip"):  # in the paper, for the sum over the steps
            return usual * self.steps if name == "learning_rate" else usual / self.steps
        return usual

    def _check_options(self) -> None:
        for name, choices in (
            ("level", ("char", "byte", "word", "bpe", "notes")),
            ("words", ("space", "text")),
            ("recipe", tuple(RECIPES)),
        ):
            check_one_of(name, getattr(self, name), choices)
        for name in ("steps", "max_vocabulary", "min_count", "embedding_size", "batch_size"):
            if getattr(self, name) is not None or name in ("steps", "min_count"):
                check_whole(name, getattr(self, name), at_least=1)
        for name in ("word_dropout", "embedding_dropout", "layer_dropout", "output_dropout", "weight_drop"):
            check_number(name, self._setting(name), at_least=0, below=1)
        for name in ("activation", "change"):
            check_number(name, self._setting(name), at_least=0)
        if self.bidirectional:
            raise ConfigError("a language model reads forward: what comes next is unknown. Leave bidirectional out.")
        if self.tied and self.adaptive:
            raise ConfigError("an adaptive softmax has weights of its own: set tied or adaptive, not both")

    def _describe(self, data: LanguageData) -> tuple[LanguageFeatures | FrameFeatures, Network]:
        train, options = data.train, self._token_options()
        features: Any = (
            train.features if isinstance(train, StoredLanguagePart) else fitted_features(train.items, **options)
        )
        self._read(data, features)
        return features, self._network(data, features)

    def _token_options(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("level", "words", "max_vocabulary", "min_count")}

    def _again(self, data: LanguageData, known: Any) -> tuple[Any, Network]:
        self._read(data, known.features)
        return super()._again(data, known)

    def _read(self, data: LanguageData, features: LanguageFeatures | FrameFeatures) -> None:
        sizes = data.read(features, self.steps)
        unit = f"{features.unit}s"
        say_data(unit, sizes["train"], sizes["valid"], sizes.get("test"), data.dropped, data.changed)

    def _network(self, data: LanguageData, features: LanguageFeatures | FrameFeatures) -> Network:
        options = {name: getattr(self, name) for name in ("hidden_size", "embedding_size", "tied", "adaptive")}
        return network_for(features, self.recurrent, **options)

    def _module(self, data: LanguageData, features: Any, network: Network) -> "torch.nn.Module":
        import torch

        from penstock import nn

        module = nn.build(network, init="torch" if self.recipe == "awd" else "orthogonal")
        if isinstance(features, LanguageFeatures):
            torch.nn.init.uniform_(module.inputs.weight, -_EMBEDDING_SCALE, _EMBEDDING_SCALE)
        return module

    def _objective(
        self, data: LanguageData, features: Any, network: Network, seed: int
    ) -> "LaneObjective | PieceObjective":
        from penstock.language.objective import LanguageRegularization, objective_of

        names = [field.name for field in fields(LanguageRegularization)]
        return objective_of(
            data,
            features,
            steps=self.steps,
            batch_size=self._setting("batch_size"),
            varied=self.recipe == "awd",
            regularization=LanguageRegularization(**{name: self._setting(name) for name in names}),
            seed=seed,
        )

    def _fit_baselines(self, data: LanguageData, features: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        train, valid = data.train.sequences, data.valid.sequences
        if isinstance(features, FrameFeatures):
            return fit_note_baselines(train), {}
        orders = ORDERS[features.level] if self.baseline else ()
        most = MOST_TOKENS if isinstance(data.train, StoredLanguagePart) else None
        return fit_token_baselines(train, valid, features.size, orders=orders, begin=END, most=most)

    def _measure(self, model: Any, data: LanguageData) -> dict[str, Any]:
        return language_figures(model, data)

    def _data_figures(self, data: LanguageData, features: Any) -> dict[str, Any]:
        return data_figures(data, features)

    def _stored_examples(self, data: LanguageData) -> list[Any]:
        return stored_examples((data.test or data.valid).items, self.examples)

    def _inspected(self, data: LanguageData) -> list[Any]:
        return inspected_items(data.valid.items, EXAMPLES)

    def _resolved(self, features: Any, network: Network) -> dict[str, Any]:
        names = [name for name in RECIPES["awd"] if name != "epochs"]
        found = {name: self._setting(name) for name in names}
        if isinstance(network.head, NextTokenHead):
            found |= {"embedding_size": network.inputs.size, "tied": network.head.tied}
            found |= {"adaptive": bool(network.head.cutoffs), "max_vocabulary": features.size}
        return found

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        if saved.features["kind"] == "frames":
            return {"level": "notes"}
        tokens, head = saved.features["tokens"], saved.network.head
        return {
            "level": tokens["level"],
            "words": tokens.get("split", "space"),
            "embedding_size": saved.network.inputs.size,
            "tied": head.tied,
            "adaptive": bool(head.cutoffs),
        }
