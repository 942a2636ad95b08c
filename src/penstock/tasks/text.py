"""Classes of texts: topics, sentiment, spam; in any language."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penstock import bundle
from penstock.datasets import read_texts
from penstock.errors import ConfigError, MissingExtraError, NotFittedError
from penstock.features import TextFeatures
from penstock.network import Network, Recurrent
from penstock.report import render
from penstock.runtime import Model
from penstock.runtime.baseline import Baseline
from penstock.runtime.metrics import class_metrics
from penstock.tasks.labelled import Labelled, prepare
from penstock.tasks.measures import peak_mb
from penstock.tasks.task import Task
from penstock.tasks.text_parts import (
    build_features,
    build_module,
    build_network,
    build_objective,
    build_recipe,
    class_weights,
    described,
    measure,
    run_figures,
)

try:
    from sklearn.base import BaseEstimator, ClassifierMixin

    from penstock.tasks.baseline import fit_baseline
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise MissingExtraError("training needs scikit-learn and PyTorch: pip install 'penstock[train]'") from error

if TYPE_CHECKING:
    from penstock.runtime import TextStream
    from penstock.training import Callback, Checkpoint, ClassObjective

__all__ = ["TASK", "TextClassifier"]

_FEATURES = ("min_count", "max_vocabulary", "max_length")


class TextClassifier(ClassifierMixin, BaseEstimator):
    """A recurrent network that says which class a text belongs to; scikit-learn style.

    Defaults were chosen over several data sets at once (reviews, questions, news, messages; English and Chinese).
    Fitting the same data with the same `random_state` gives the same bits, whatever the number of threads, and
    leaves the global random generators as they were.

    Args:
        cell: the recurrent cell: "lstm" (Hochreiter and Schmidhuber 1997), "gru" (Cho et al. 2014) or "rnn" (Elman
            1990).
        embedding_size: numbers that a token is turned into.
        hidden_size: units of a recurrent layer.
        num_layers: recurrent layers on top of each other.
        bidirectional: read backward too; gives up `stream`.
        nonlinearity: of the cell "rnn": "tanh" or "relu".
        peephole: LSTM only: the gates see the cell's state (Gers and Schmidhuber 2000).
        proj_size: LSTM only: numbers that the output is projected to (Sak et al. 2014); 0 for no projection.
        reset_after: GRU only: the reset gate acts after the product, as in cuDNN and PyTorch.
        pooling: what of the outputs over time goes to the answer: "max", "mean", "mean_max" or "last".
        min_count: times that a token must stand in the training texts to be known.
        max_vocabulary: most tokens that are known.
        max_length: tokens of a text that training reads; answers read all of it.
        vectors: a file of pretrained word vectors in word2vec's or GloVe's text form, plain or .gz; words of the
            training texts start from them. `embedding_size` must be theirs.
        epochs: most passes over the training data; None for 8, or up to 40 where the data is so small that 8 are
            fewer than 2000 steps.
        batch_size: texts of a step.
        learning_rate: AdamW's, at its highest (Loshchilov and Hutter 2019).
        weight_decay: AdamW's, on all parameters but biases.
        warmup: share of the steps over which the learning rate rises; then it falls as half a cosine.
        clip: largest norm of the gradient (Pascanu et al. 2013).
        average: decay per step of the average of the weights that is used instead of the last ones (Polyak and
            Juditsky 1992); 0 for the last ones.
        patience: epochs without a lower validation loss after which training stops; the best weights are kept.
        word_dropout: share of tokens that training hides, to know what to do with unknown ones.
        embedding_dropout: share of a token's numbers that training sets to 0 (Srivastava et al. 2014).
        output_dropout: share of the pooled numbers that training sets to 0.
        label_smoothing: share of the target that goes to all classes alike (Szegedy et al. 2016).
        prefix_share: share of the loss at a random prefix of each text, so that answers mean something while a
            text is still streaming in.
        next_token_share: weight of a second loss, for foretelling each text's next token (Rei 2017), from which a
            small set learns more about its words; without effect where `bidirectional`.
        class_weight: what a text of each class counts: None for 1; "balanced" for rows / (classes * rows of the
            class); or a number per label.
        validation_share: share of the texts, class by class, that is held back where no validation data is given.
        baseline: fit TF-IDF with logistic regression beside it, to compare with.
        warm_start: where the estimator is fitted or loaded, train on from its weights, vocabulary and classes.
        checkpoint: a file that keeps the state after each epoch; if it is there, its training goes on.
        progress: a bar on standard error while training, where that is a terminal.
        random_state: seed of everything random; None for another one each time.

    Attributes:
        classes_: the labels in order, (classes,).
        model_: the `runtime.Model` that answers.
        history_: one dict per epoch: epoch, train_loss, valid_loss, valid_accuracy, learning_rate, seconds.
        metrics_: what goes into metrics.json; `tasks.measures` says what each part is.
        baseline_: the `runtime.baseline.Baseline`.
    """

    def __init__(
        self,
        *,
        cell: Literal["lstm", "gru", "rnn"] = "lstm",
        embedding_size: int = 256,
        hidden_size: int = 128,
        num_layers: int = 1,
        bidirectional: bool = False,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        peephole: bool = False,
        proj_size: int = 0,
        reset_after: bool = True,
        pooling: Literal["max", "mean", "mean_max", "last"] = "max",
        min_count: int = 2,
        max_vocabulary: int = 30_000,
        max_length: int = 256,
        vectors: str | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 0.0015,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        clip: float = 1.0,
        average: float = 0.995,
        patience: int = 4,
        word_dropout: float = 0.2,
        embedding_dropout: float = 0.5,
        output_dropout: float = 0.5,
        label_smoothing: float = 0.1,
        prefix_share: float = 0.25,
        next_token_share: float = 0.3,
        class_weight: Literal["balanced"] | dict[Any, float] | None = None,
        validation_share: float = 0.1,
        baseline: bool = True,
        warm_start: bool = False,
        checkpoint: str | None = None,
        progress: bool = True,
        random_state: int | None = 0,
    ) -> None:
        self.cell = cell
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.nonlinearity = nonlinearity
        self.peephole = peephole
        self.proj_size = proj_size
        self.reset_after = reset_after
        self.pooling = pooling
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.max_length = max_length
        self.vectors = vectors
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.clip = clip
        self.average = average
        self.patience = patience
        self.word_dropout = word_dropout
        self.embedding_dropout = embedding_dropout
        self.output_dropout = output_dropout
        self.label_smoothing = label_smoothing
        self.prefix_share = prefix_share
        self.next_token_share = next_token_share
        self.class_weight = class_weight
        self.validation_share = validation_share
        self.baseline = baseline
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.progress = progress
        self.random_state = random_state

    def fit(
        self,
        texts: Iterable[str],
        labels: Iterable[Any],
        validation_data: tuple[Any, Any] | None = None,
        test_data: tuple[Any, Any] | None = None,
        *,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
    ) -> "TextClassifier":
        """Train on labelled texts: lists, NumPy arrays, or columns of pandas, Polars and Arrow.

        Rows without a text or a label are left out and counted in `metrics_`. Ctrl-C ends the training with the
        best weights so far: the estimator is fitted when KeyboardInterrupt comes out of this method, if an epoch
        had been finished.

        Args:
            texts, labels: as many of each; labels are str, int, bool or float.
            validation_data: (texts, labels) to stop by; None holds back `validation_share` of the texts.
            test_data: (texts, labels) that have no part in training, only in `metrics_`.
            callbacks: told how training goes, see `training.Callback`.
            dropped: rows left out before, by reason, to be counted too.

        Raises:
            DataError: not as many labels as texts, one class only, no texts, unknown classes in further data.
            ConfigError: an option that makes no sense.
            PenstockError: training diverged.
        """
        started = time.perf_counter()
        training = _training()
        seed = _seed(self.random_state)
        known = self.model_ if self.warm_start and hasattr(self, "model_") else None
        data = prepare(
            texts,
            labels,
            validation_data=validation_data,
            test_data=test_data,
            validation_share=self.validation_share,
            known=None if known is None else known.labels,
            random_state=seed,
        )
        data.drop(dropped or {})
        features, network = self._describe(data, known)
        recipe = build_recipe(self, len(data.train))
        objective = build_objective(self, data, features, seed)
        arrays, settings = self._fit_baseline(data)
        with training.isolated(seed):
            module = build_module(self, network, features, self._tensors if known else None)
            history = training.train(
                module,
                objective,
                recipe,
                generator=np.random.default_rng([seed, 1]),
                callbacks=[*callbacks, *(training.terminal_bar() if self.progress else [])],
                checkpoint=self._open_checkpoint(data, network, seed, objective),
            )
        trained = module.state_dict()
        tensors = {name: trained[name].numpy() for name in network.parameter_shapes()}
        self._keep(Model(network, features, data.labels, tensors, baseline=arrays), tensors, arrays)
        self.history_ = history.rows()
        self.metrics_ = run_figures(history, data, features) | measure(self.model_, data, Baseline(arrays))
        if settings:
            self.metrics_["baseline"]["tfidf"]["settings"] = settings
        self.metrics_ |= {"configuration": described(self.get_params()), "random_state": seed}
        self.metrics_ |= {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
        if history.stopped == "interrupted":
            raise KeyboardInterrupt(f"interrupted; the weights of epoch {history.best_epoch} are kept")
        return self

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """The likeliest label of each text, (texts,).

        Raises:
            NotFittedError: before `fit`.
            DataError: not texts.
        """
        answers = self.predict_proba(texts).argmax(axis=1)
        return self.classes_[answers]

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """The probability of each class, (texts, classes) float32, in the order of `classes_`.

        Raises:
            NotFittedError: before `fit`.
            DataError: not texts.
        """
        return self._fitted().predict_proba(texts)

    def stream(self) -> "TextStream":
        """A text that arrives piece by piece, see `runtime.TextStream`.

        Raises:
            NotFittedError: before `fit`.
            ConfigError: the network is bidirectional.
        """
        return self._fitted().stream()

    def save(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the model to a folder, which `penstock.load` reads without PyTorch, with its report and figures.

        Raises:
            NotFittedError: before `fit`.
            BundleError: the folder exists and `overwrite` is False, or it can't be written.
        """
        model = self._fitted()
        return bundle.save(
            path,
            model.network,
            model.features.to_json(),
            model.labels,
            self._tensors,
            baseline=self._arrays,
            metrics=self.metrics_,
            files={"report.html": render(self.metrics_)},
            overwrite=overwrite,
        )

    @classmethod
    def load(cls, path: str | Path) -> "TextClassifier":
        """The classifier that was saved in a folder; `fit` trains it further (it has `warm_start=True`).

        Raises:
            BundleError: no such folder, damaged, or written by a newer Penstock.
        """
        saved = bundle.load(path)
        features = TextFeatures.from_json(saved.features)
        options = dict(saved.metrics.get("configuration", {}))
        known = cls().get_params()
        encoder = saved.network.encoder
        options |= {field.name: getattr(encoder, field.name) for field in fields(Recurrent) if field.name in known}
        options |= {name: getattr(features, name) for name in _FEATURES}
        options |= {"embedding_size": saved.network.inputs.size, "pooling": saved.network.head.pooling}
        if isinstance(options.get("class_weight"), dict):
            spelled = {str(label): label for label in saved.labels}
            options["class_weight"] = {spelled[name]: value for name, value in options["class_weight"].items()}
        options |= {"warm_start": True, "vectors": None, "checkpoint": None}
        loaded = cls(**{name: value for name, value in options.items() if name in known})
        model = Model(saved.network, features, saved.labels, saved.tensors, baseline=saved.baseline)
        loaded._keep(model, saved.tensors, saved.baseline)
        loaded.metrics_ = saved.metrics
        loaded.history_ = saved.metrics.get("curves", [])
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, True, False
        return tags

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise NotFittedError("this TextClassifier has no weights yet: call fit(texts, labels), or load(path)")
        return self.model_

    def _keep(self, model: Model, tensors: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> None:
        self.model_, self._tensors, self._arrays = model, tensors, arrays
        self.classes_ = _as_array(model.labels)
        self.baseline_ = Baseline(arrays) if arrays else None

    def _describe(self, data: Labelled, known: Model | None) -> tuple[TextFeatures, Network]:
        """Features and network for the data, or those of the model that is trained further."""
        features = build_features(self).fit(data.train.texts) if known is None else known.features
        network = build_network(self, features, len(data.labels))
        if known is not None and network != known.network:
            raise ConfigError(_another_network(network, known.network))
        return features, network

    def _fit_baseline(self, data: Labelled) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = class_weights(self.class_weight, data)
        if self.baseline:
            return fit_baseline(data.train, data.valid, weights)
        return {"class_counts": np.bincount(data.train.targets, minlength=len(weights))}, {}

    def _open_checkpoint(
        self, data: Labelled, network: Network, seed: int, objective: "ClassObjective"
    ) -> "Checkpoint | None":
        if self.checkpoint is None:
            return None
        from penstock.training import Checkpoint

        parts = [described(self.get_params()), network.to_json(), seed, data.train.texts, data.train.targets.tolist()]
        key = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
        return Checkpoint(self.checkpoint, key, (objective.generator,))


def _training() -> ModuleType:
    try:
        from penstock import training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("training needs PyTorch: pip install 'penstock[train]'") from error
    return training


def _seed(random_state: Any) -> int:
    """The seed to use: a whole number as it is, one drawn from a NumPy generator, or a new one for None."""
    if random_state is None:
        return secrets.randbits(32)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool) and random_state >= 0:
        return int(random_state)
    raise ConfigError(f"random_state must be a whole number, at least 0, or None; got {random_state!r}")


def _as_array(labels: Sequence[Any]) -> np.ndarray:
    """The labels as an array that keeps them as they are: of one type, or of objects."""
    if len({type(label) for label in labels}) == 1:
        return np.array(labels)
    array = np.empty(len(labels), object)
    array[:] = labels
    return array


def _another_network(asked: Network, known: Network) -> str:
    before, now = known.to_json(), asked.to_json()
    differ = [
        f"{name} is {value!r}, was {before[part].get(name)!r}"
        for part, values in now.items()
        for name, value in values.items()
        if before[part].get(name) != value
    ]
    return (
        f"warm_start trains the network on that there is, and the arguments ask for another: {', '.join(differ)}. "
        "Set them back, or warm_start=False for a new model."
    )


TASK = Task(
    name="classify",
    summary="Say which class a text belongs to: topics, sentiment, spam.",
    read=read_texts,
    estimator=TextClassifier,
    network=build_network,
    loss=build_objective,
    metrics=class_metrics,
    baseline=fit_baseline,
    report=render,
)
