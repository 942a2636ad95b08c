"""The parts of classifying texts, each from the estimator's arguments: features, network, loss, recipe, figures."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import __version__
from penstock.errors import ConfigError
from penstock.features import TextFeatures, read_vectors, tokenize
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.runtime import Model
from penstock.runtime.baseline import Baseline
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.measures import confusion_matrix, mistakes, per_class, scores

if TYPE_CHECKING:
    from penstock.nn import NetworkModule
    from penstock.training import ClassObjective, History, Recipe

__all__ = [
    "build_features",
    "build_module",
    "build_network",
    "build_objective",
    "build_recipe",
    "class_weights",
    "measure",
]

# Where the size of the data decides on the epochs: enough steps for a small set, no endless repetition of a tiny one.
_EPOCHS, _FEWEST_STEPS, _MOST_EPOCHS = 8, 2000, 40
_EMBEDDING_SCALE = 0.1
# Arguments that are paths or no property of the model.
_PATHS, _LEFT_OUT = ("vectors",), ("checkpoint", "progress", "warm_start")


def build_features(options: Any) -> TextFeatures:
    """The features that the arguments ask for, not fitted."""
    return TextFeatures(
        min_count=options.min_count, max_vocabulary=options.max_vocabulary, max_length=options.max_length
    )


def build_network(options: Any, features: TextFeatures, classes: int) -> Network:
    """The network that the arguments describe, for a vocabulary and a number of classes.

    Raises:
        ConfigError: arguments that make no sense.
    """
    encoder = {field.name: getattr(options, field.name) for field in fields(Recurrent) if hasattr(options, field.name)}
    return Network(
        Embedding(features.vocabulary_size, options.embedding_size),
        Recurrent(input_size=options.embedding_size, **encoder),
        ClassHead(classes, options.pooling),
    )


def build_recipe(options: Any, rows: int) -> "Recipe":
    """How the loop optimises, for `rows` training rows.

    Raises:
        ConfigError: arguments that make no sense.
    """
    from penstock.training import Recipe

    names = [field.name for field in fields(Recipe) if field.name != "epochs"]
    epochs = 1 if options.epochs is None else options.epochs
    recipe = Recipe(epochs=epochs, **{name: getattr(options, name) for name in names})
    if options.epochs is not None:
        return recipe
    steps = -(-rows // recipe.batch_size)
    wanted = min(max(_EPOCHS, -(-_FEWEST_STEPS // steps)), _MOST_EPOCHS)
    return Recipe(epochs=wanted, **{name: getattr(options, name) for name in names})


def build_objective(options: Any, data: Labelled, features: TextFeatures, seed: int) -> "ClassObjective":
    """The loss and validation on these data.

    Raises:
        ConfigError: arguments that make no sense.
    """
    import torch

    from penstock.training import ClassObjective, Regularization

    weights = class_weights(options.class_weight, data)
    shares = {field.name: getattr(options, field.name) for field in fields(Regularization)}
    if options.bidirectional:
        shares["next_token_share"] = 0.0
    return ClassObjective(
        sequences=features.apply(data.train.texts, max_length=features.max_length),
        targets=data.train.targets,
        valid_sequences=features.apply(data.valid.texts),
        valid_targets=data.valid.targets,
        weights=torch.from_numpy(weights.astype(np.float32)),
        batch_size=options.batch_size,
        regularization=Regularization(**shares),
        generator=torch.Generator().manual_seed(seed),
    )


def class_weights(chosen: Any, data: Labelled) -> np.ndarray:
    """What a text of each class counts, (classes,) float64.

    Args:
        chosen: None for 1; "balanced" for rows / (classes * rows of the class), scikit-learn's; or label to number.
        data: whose training rows are counted.

    Raises:
        ConfigError: something else, a label that doesn't occur, or a number below 0.
    """
    classes = len(data.labels)
    if chosen is None:
        return np.ones(classes)
    if isinstance(chosen, str) and chosen == "balanced":
        counts = np.bincount(data.train.targets, minlength=classes)
        return len(data.train) / (classes * np.maximum(counts, 1))
    if not isinstance(chosen, Mapping):
        raise ConfigError(f"class_weight must be None, 'balanced' or a number per label; got {chosen!r}")
    if unknown := [label for label in chosen if label not in data.labels]:
        raise ConfigError(f"class_weight must name classes of the data; {unknown[0]!r} is none of {data.labels!r:.200}")
    weights = np.array([chosen.get(label, 1) for label in data.labels])
    if weights.dtype.kind not in "iuf" or not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise ConfigError(f"class_weight must give numbers, at least 0 and not all 0; got {dict(chosen)!r:.200}")
    return weights.astype(np.float64)


def build_module(
    options: Any, network: Network, features: TextFeatures, tensors: Mapping[str, np.ndarray] | None
) -> "NetworkModule":
    """The network as a PyTorch module, with new weights, or those given, to go on from.

    Raises:
        ConfigError: word vectors of another size, or none for any word of the vocabulary.
    """
    import torch

    from penstock.nn import NetworkModule

    module = NetworkModule(network, init="orthogonal")
    with torch.no_grad():
        if tensors is not None:
            module.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
        else:
            _start(module, options, features)
    if options.next_token_share and not network.encoder.bidirectional:  # one that reads backward has seen the answer
        module.next_token = torch.nn.Linear(network.encoder.output_size, options.embedding_size)
    return module


def _start(module: "NetworkModule", options: Any, features: TextFeatures) -> None:
    """Initial values of the inputs and the head."""
    import torch

    assert isinstance(module.inputs, torch.nn.Embedding)
    torch.nn.init.normal_(module.inputs.weight, std=_EMBEDDING_SCALE)
    torch.nn.init.xavier_uniform_(module.head.weight)
    torch.nn.init.zeros_(module.head.bias)
    if options.vectors is not None:
        _put_vectors(options.vectors, module.inputs.weight, features)


def _put_vectors(path: str, weight: Any, features: TextFeatures) -> None:
    """Overwrite the rows of known words, at the scale that the others have."""
    import torch

    ids, vectors = read_vectors(path, features.vocabulary)
    if vectors.shape[1] != weight.shape[1]:
        raise ConfigError(
            f"{path}: its vectors have {vectors.shape[1]} numbers, and embedding_size is {weight.shape[1]}. "
            f"Set embedding_size={vectors.shape[1]}."
        )
    if not len(ids):
        raise ConfigError(f"{path}: has no vector for any word of the training texts. Is it of another language?")
    spread = float(vectors.std()) or 1.0
    weight[torch.from_numpy(ids)] = torch.from_numpy(vectors * np.float32(_EMBEDDING_SCALE / spread))


def measure(model: Model, data: Labelled, baseline: Baseline) -> dict[str, Any]:
    """The figures of the network, by the model that will answer, and of the baseline; see `tasks.measures`."""
    parts = {"valid": data.valid} | ({} if data.test is None else {"test": data.test})
    answers = {name: model.predict_proba(part.texts) for name, part in parts.items()}
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, **_scores(parts, answers)}
    found["per_class"] = _per_class(parts, answers, data.labels)
    shares = {name: baseline.majority(len(part)) for name, part in parts.items()}
    found["baseline"] = {"majority": _scores(parts, shares)}
    if baseline.has_tfidf:
        tfidf = {name: baseline.predict_proba(part.texts) for name, part in parts.items()}
        found["baseline"]["tfidf"] = _scores(parts, tfidf)
        found["per_class_baseline"] = _per_class(parts, tfidf, data.labels)
    found["confusion"] = {
        "part": judged,
        "matrix": confusion_matrix(answers[judged], parts[judged].targets),
    }
    found["mistakes"] = mistakes(answers[judged], parts[judged], data.labels)
    return found


def _scores(parts: Mapping[str, Part], answers: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {"valid": None, "test": None} | {name: scores(answers[name], part) for name, part in parts.items()}


def _per_class(
    parts: Mapping[str, Part], answers: Mapping[str, np.ndarray], labels: list[Any]
) -> dict[str, list[dict[str, Any]]]:
    return {name: per_class(answers[name], part.targets, labels) for name, part in parts.items()}


def described(options: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments as metrics.json holds them."""
    plain = {name: value for name, value in options.items() if name not in _LEFT_OUT}
    for name in _PATHS:
        plain[name] = None if plain[name] is None else Path(plain[name]).name
    if isinstance(plain["class_weight"], Mapping):
        plain["class_weight"] = {str(label): float(value) for label, value in plain["class_weight"].items()}
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in plain.items()}


def run_figures(history: "History", data: Labelled, features: TextFeatures) -> dict[str, Any]:
    """The figures of the training itself and of its data."""
    cut = sum(len(tokenize(text)) > features.max_length for text in data.train.texts)
    return {
        "task": "classify",
        "penstock": __version__,
        "curves": history.rows(),
        "best_epoch": history.best_epoch,
        "stopped": history.stopped,
        "training_seconds": history.seconds,
        "data": data.sizes() | {"vocabulary": features.vocabulary_size, "truncated": cut},
    }
