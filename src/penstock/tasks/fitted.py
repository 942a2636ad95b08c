"""What a fitted estimator offers: its model to stream, draw and report, saving, loading and pickling."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.utils import estimator_html_repr

from penstock import __version__, bundle
from penstock.errors import BundleError, ConfigError, NotFittedError
from penstock.events import say
from penstock.model_card import published
from penstock.registry import find, resolve
from penstock.report import chosen_language
from penstock.runtime import Model, Stream
from penstock.tasks.configuration import train_toml

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FittedEstimator"]

_VERSION = "_penstock"
_LOGGER = logging.getLogger("penstock.tasks")


class _NotFittedError(NotFittedError, SklearnNotFittedError):
    """Penstock's error, derived from scikit-learn's too, so that its tools recognise it."""


class FittedEstimator(BaseEstimator):
    """The part of `Estimator` that works with the fitted model.

    Attributes:
        model_, history_, metrics_: as in `Estimator`.
    """

    task: ClassVar[str]
    """The name in `penstock.registry.TASKS`."""
    paths: ClassVar[tuple[str, ...]] = ()
    """Options that are paths; metrics.json stores only their file names."""

    model_: Model
    history_: list[dict[str, Any]]
    metrics_: dict[str, Any]

    def stream(self) -> Stream:
        """Start a stream for an input that arrives piece by piece.

        Raises:
            NotFittedError: `fit` has not been called.
            ConfigError: the network is bidirectional.
        """
        return self._fitted().stream()

    def plot(self, *args: Any, **options: Any) -> "Axes":
        """Draw a figure of the training or of a prediction: see `plot` of the model, `model_`.

        Raises:
            NotFittedError: `fit` has not been called.
        """
        return self._fitted().plot(*args, **options)

    def _repr_html_(self) -> str:
        """Representation in notebooks: scikit-learn's box of options, and after `fit` the model's table."""
        fitted: Model | None = getattr(self, "model_", None)
        return str(estimator_html_repr(self)) + (fitted._repr_html_() if fitted else "")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """As `_repr_html_`, for IPython, which calls this first."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def save(
        self,
        path: str | Path,
        overwrite: bool = False,
        *,
        command: Mapping[str, Mapping[str, Any]] | None = None,
        language: str | None = None,
        license: str | None = None,
        datasets: Sequence[str] | None = None,
        files: Mapping[str, bytes | str] | None = None,
    ) -> Path:
        """Save the model, its report and metrics to a folder, which `penstock.load` reads without PyTorch.

        Args:
            path: the folder; missing parents are created.
            overwrite: replace an existing model.
            command: other arguments of `penstock train`, by the panel of its help, for train.toml.
            language: language of the report, "en" or "zh"; None for that of the locale.
            license: the model's licence for the card, as the Hugging Face Hub writes it, such as "mit".
            datasets: the data sets for the card, by their names on the Hub.
            files: further files for the folder, by name.

        Raises:
            NotFittedError: `fit` has not been called.
            BundleError: the folder exists and `overwrite` is False, or it cannot be written.
            ConfigError: an unknown language, or what can't be a licence or a data set.
        """
        model = self._fitted()
        self.metrics_ |= published(license, datasets)
        say(_LOGGER, "writing", f"writing {path}", path=str(path))
        report = self._report(Path(path).name, chosen_language(language))
        return bundle.save(
            path,
            model.network,
            model.features.to_json(),
            model.labels,
            model.tensors,
            task=self.task,
            baseline=model.baseline,
            metrics=self.metrics_,
            files={
                **(files or {}),
                # Labels and paths may contain bytes that are not text.
                "report.html": report.encode("utf-8", "backslashreplace"),
                "epochs.jsonl": "".join(map(bundle.json_line, self.metrics_.get("curves", []))),
                "train.toml": train_toml(self, Path(path), command or {}).encode("utf-8", "backslashreplace"),
            },
            overwrite=overwrite,
        )

    def report(self, path: str | Path | None = None, *, language: str | None = None, show: bool = True) -> Path:
        """Write the report on the training and open it in a browser.

        Args:
            path: the HTML file to write; None for a new temporary one.
            language: "en" or "zh"; None for that of the locale.
            show: whether to open it.

        Returns:
            Where it is.

        Raises:
            NotFittedError: before `fit`.
            ConfigError: an unknown language.
            InputError: the file can't be written.
        """
        return self._fitted().report(path, language=language, show=show)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a saved estimator; `fit` continues its training (it has `warm_start=True`).

        Raises:
            BundleError: the folder does not exist, is damaged, or was written by a newer Penstock.
        """
        saved = bundle.load(path)
        if saved.task != cls.task:
            raise ConfigError(f"{path}: is a model for {saved.task}; {cls.__name__} loads {cls.task}")
        model = find(cls.task).model_class(saved.features.get("kind")).from_bundle(saved)
        configuration = saved.metrics.get("configuration", {})
        if not isinstance(configuration, dict):
            raise BundleError(f"{path}: damaged: the configuration must be options by name; got {configuration!r:.60}")
        known = cls().get_params()
        # JSON has no infinity: null stands for it in options that are numbers by default, such as `clip`.
        options: dict[str, Any] = {
            name: float("inf") if value is None and isinstance(known.get(name), float) else value
            for name, value in configuration.items()
        }
        options |= saved.network.encoder.arguments()
        options |= cls._saved_options(saved) | dict.fromkeys((*cls.paths, "checkpoint"))
        options |= {"warm_start": True, "workers": 1}
        loaded = cls(**{name: value for name, value in options.items() if name in known})
        loaded._keep(model)
        loaded.metrics_ = saved.metrics
        loaded.history_ = saved.metrics.get("curves", [])
        return loaded

    def _report(self, title: str = "", language: str = "en") -> str:
        """Return the report as one HTML page."""
        return resolve(find(self.task).report)(self.metrics_, title=title, language=language)

    @classmethod
    def _saved_options(cls, saved: bundle.Bundle) -> dict[str, Any]:
        """Return options that can be inferred from a saved model's parts, if its metrics have no configuration."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {_VERSION: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        given = dict(state)
        version = given.pop(_VERSION, "0.1.0")
        options = {name for name in given if not (name.startswith("_") or name.endswith("_"))}
        differing = sorted(options ^ set(self._get_param_names()))
        if differing and version != __version__:
            raise BundleError(
                f"a pickled {type(self).__name__} of Penstock {version} has other options than that of this Penstock "
                f"({__version__}): {', '.join(differing)}. A pickle works only with its own version: save the model "
                f"there with save(folder), and load it here with {type(self).__name__}.load(folder)."
            )
        super().__setstate__(given)

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise _NotFittedError(f"this {type(self).__name__} has no weights yet: call fit, or load(path)")
        return self.model_

    def _keep(self, model: Any) -> None:
        self.model_ = model
