"""Speech recognition: text from recordings of speech."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

import numpy as np

from penstock.bundle import Bundle
from penstock.datasets import Rows
from penstock.errors import ConfigError, DataError
from penstock.events import say
from penstock.network import Network, Numbers
from penstock.sequences import Sequences
from penstock.shards import StoredSequences
from penstock.sounds.files import from_paths
from penstock.sounds.recordings import resampled
from penstock.speech.baselines import baseline_arrays, template_arrays
from penstock.speech.checking import check_rates, checked_targets, fitting_rows, usable_rows
from penstock.speech.confidence import chosen_power, judged_words
from penstock.speech.features import SpeechFeatures, written
from penstock.speech.figures import speech_figures
from penstock.speech.fitting import fitted_features
from penstock.speech.inputs import speech_list
from penstock.speech.model import SpeechModel
from penstock.speech.report import render_report
from penstock.speech.spec import CtcHead
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.options import CellOptions
from penstock.tasks.recorded import RecordedPart, Store, recorded
from penstock.tasks.space import Between, Searched
from penstock.tasks.stored import ShardOptions
from penstock.tasks.supervised import Given, Supervised
from penstock.tasks.texts import Texts

if TYPE_CHECKING:
    import torch

    from penstock.speech.objective import CtcObjective
    from penstock.training import Callback

__all__ = ["SpeechRecognizer"]

_LOGGER = logging.getLogger(__name__)
_FEATURES = (
    "level", "max_vocabulary", "lower", "stack", "subsampling", "sample_rate", "mel_bins", "mean_seconds",
)  # fmt: skip


@dataclass(kw_only=True, eq=False, repr=False)
class SpeechRecognizer(ShardOptions, CellOptions, Supervised):
    """Recognises speech: a recurrent network trained by CTC (Graves et al. 2006) writes text; scikit-learn style.

    Recordings are paths of WAV, FLAC, MP3, Ogg or AIFF files, arrays of samples at `sample_rate`, (samples, rate), or
    `sounds.recordings.Recording`; or all of them are `speech.frames.Frames`, features that were made elsewhere, which
    predictions need then too. Fitting the same data with the same `random_state` gives the same bits.

    Args:
        level: what the tokens of a transcript are: "char"; "word", between spaces, for a small vocabulary; or "bpe",
            parts of words (Sennrich et al. 2016).
        max_vocabulary: maximum number of tokens.
        lower: put transcripts into lower case.
        sample_rate: sample rate in Hz to which recordings are converted; None for the most frequent one in training.
        mel_bins: bands of the filterbank.
        mean_seconds: time constant of each feature's running mean, which is subtracted to compensate for other voices,
            microphones and rooms; 0 for none.
        stack: frames of 10 ms that the layers read at once, as one step.
        subsampling: frames from one step to the next.
        lookahead: later steps that a step's scores depend on, by a look-ahead convolution (Wang et al. 2016).
        long_transcripts: what to do with a training transcript that has more tokens than its recording has steps:
            "skip" leaves it out and says so, "refuse" is an error.
        speed: recordings are also learned slower and faster by this share (Ko et al. 2015); 0 for none.
        masks: number of masks of each kind in training (SpecAugment, Park et al. 2019).
        band_mask: maximum number of neighbouring features that a mask hides.
        time_mask: maximum number of neighbouring frames that a mask hides.
        input_dropout: dropout probability of the steps' features.
        layer_dropout: dropout probability between layers, with one mask for all steps (Gal and Ghahramani 2016).
        output_dropout: dropout probability of the layers' outputs.

    Examples:
        >>> import numpy as np
        >>> from penstock import SpeechRecognizer
        >>> sounds = [np.sin(np.arange(4000) * pitch) for pitch in [0.1, 0.3] * 6]  # half a second each
        >>> model = SpeechRecognizer(hidden_size=8, num_layers=1, epochs=1, sample_rate=8000)
        >>> model.fit(sounds, ["low", "high"] * 6).predict(sounds[:2]).shape
        (2,)
    """

    task: ClassVar[str] = "speech-recognition"
    usual_epochs: ClassVar[int] = 40
    fewest_steps: ClassVar[int] = 4000
    most_epochs: ClassVar[int] = 60

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("level", "max_vocabulary", "lower", "sample_rate", "mel_bins", "mean_seconds", "long_transcripts"),
        "training": (
            "speed", "masks", "band_mask", "time_mask", "input_dropout", "layer_dropout", "output_dropout",
        ),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("level", "sample_rate", "stack", "subsampling", "lookahead")
    searched: ClassVar[Searched] = {
        "masks": Between(0, 3),
        "layer_dropout": Between(0.0, 0.6),
        "output_dropout": Between(0.0, 0.6),
    }

    hidden_size: int = 320
    num_layers: int = 3
    level: Literal["char", "word", "bpe"] = "char"
    max_vocabulary: int = 1000
    lower: bool = False
    sample_rate: int | None = None
    mel_bins: int = 40
    mean_seconds: float = 2.0
    stack: int = 3
    subsampling: int = 3
    lookahead: int = 0
    long_transcripts: Literal["skip", "refuse"] = "skip"
    speed: float = 0.1
    masks: int = 2
    band_mask: int = 8
    time_mask: int = 20
    input_dropout: float = 0.0
    layer_dropout: float = 0.3
    output_dropout: float = 0.3
    batch_size: int = 16
    learning_rate: float = 0.002
    keep: Literal["best", "last"] = "last"

    def __sklearn_tags__(self) -> Any:
        """Recordings, one each; paths are strings. A text for each."""
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
        """Train on recordings and their transcripts.

        Recordings that are empty, silent or without a transcript are dropped and counted in `metrics_`, and so are
        training transcripts with more tokens than their recordings have steps.

        Args:
            X: recordings, or `Frames`.
            y: the transcript of each.
            validation_data: (X, y) or (X, y, sample_weight) for early stopping; None holds back `validation_share` of
                the recordings.
            test_data: the same, for recordings that are used only in `metrics_`.
            sample_weight: weight of each recording in the loss; None for equal weights. One of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of recordings dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: recordings and transcripts differ in number, none are left, or a file can't be read.
            ConfigError: an option is invalid.
            MissingExtraError: a package that training needs is not installed.
            PenstockError: training diverged.
        """
        return self._fit((X, y, sample_weight), validation_data, test_data, callbacks, dropped, changed)

    def predict(self, X: Any) -> np.ndarray:
        """Return the text of each recording, (recordings,) of str; see `SpeechModel.predict`.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: as there.
        """
        return self._model().predict(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return 1 - word error rate; it is below 0 where there are more errors than words.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: recordings and transcripts differ in number, or weights are given, which this rate doesn't have.
        """
        if sample_weight is not None:
            raise DataError("the word error rate of several recordings has no weights. Leave sample_weight out.")
        model = self._model()
        rows = model.checked(X)
        return 1 - model.judged(rows, model.predict(rows), self._column(y)).metrics["wer"]

    def _model(self) -> SpeechModel:
        model = self._fitted()
        assert isinstance(model, SpeechModel)
        return model

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        known = self._known()
        inputs = from_paths(inputs)
        several = speech_list(inputs, self.sample_rate) if known is None else known.checked(inputs)  # type: ignore[attr-defined]
        return usable_rows(several, answers)

    def _classes(self, answers: Sequence[Any]) -> list[Any]:
        return []

    def _targets(self, answers: Sequence[Any], classes: Sequence[Any], where: str) -> Any:
        return Texts(answers)

    def _about(self, targets: Any, classes: Sequence[Any]) -> dict[str, Any]:
        return {"characters": sum(map(len, targets)), "words": sum(len(text.split()) for text in targets)}

    def _amount(self, part: Part) -> dict[str, float]:
        return {"seconds": sum(each.seconds for each in part.inputs)}

    def _data_figures(self, data: Labelled, features: SpeechFeatures) -> dict[str, Any]:
        found = super()._data_figures(data, features)
        tokens = features.tokens
        return found | {"level": tokens.level, "tokens": len(tokens.vocabulary), "features": features.frames.kind}

    def _on_disk(self, data: Labelled) -> Labelled:
        known = self._known()
        settings = {name: getattr(self, name) for name in _FEATURES}
        described = settings if known is None else {"known": known.features.to_json()}
        stores: dict[str, tuple[str, Store]] = {
            "train": ("train", lambda features, rows: features.frames.apply(rows)),
            "valid": ("valid", SpeechFeatures.apply),
        }
        for factor in self._speeds():
            stores[_at_speed(factor)] = ("train", partial(SpeechFeatures.faster, speed=factor))
        return recorded(
            data,
            self.cache,
            {"task": self.task, "texts": list(data.train.targets), **described},
            lambda: self._fitted_features(data) if known is None else known.features,
            SpeechFeatures.from_json,
            stores,
        )

    def _fitted_features(self, data: Labelled) -> SpeechFeatures:
        settings = {name: getattr(self, name) for name in _FEATURES}
        return fitted_features(data.train.inputs, list(data.train.targets), **settings)

    def _describe(self, data: Labelled) -> tuple[SpeechFeatures, Network]:
        from penstock.training.recipe import at_least

        at_least("max_vocabulary", self.max_vocabulary, 1, whole=True)
        train = data.train
        features = train.features if isinstance(train, RecordedPart) else self._fitted_features(data)
        check_rates(data, features)
        count, level = len(features.tokens.vocabulary), features.tokens.level
        say(_LOGGER, "tokens", f"tokens: {level}, {count:,}", tokens=count)
        return features, self._network(data, features)

    def _network(self, data: Labelled, features: SpeechFeatures) -> Network:
        head = CtcHead(features.outputs, lookahead=self.lookahead)
        return Network(Numbers(features.size), self.recurrent(features.size), head)

    def _objective(self, data: Labelled, features: SpeechFeatures, network: Network, seed: int) -> "CtcObjective":
        import torch

        from penstock.speech.objective import CtcObjective, SpeechRegularization, needed_steps

        train = data.train
        strength = {field.name: getattr(self, field.name) for field in fields(SpeechRegularization)}
        regularization, factors = SpeechRegularization(**strength), self._speeds()
        if self.long_transcripts not in ("skip", "refuse"):
            raise ConfigError(f"long_transcripts must be 'skip' or 'refuse'; got {self.long_transcripts!r:.40}")
        targets = checked_targets(data, features, data.train, "the training data")
        cache = train.cache if isinstance(train, RecordedPart) else None
        frames = features.frames.apply(train.inputs) if cache is None else cache.sequences("train")
        steps, needed = features.steps(frames.lengths), needed_steps(targets)
        kept = fitting_rows(data, steps, needed, refuse=self.long_transcripts == "refuse")
        speeds: list[Sequences | StoredSequences]
        if cache is None:
            inputs = [train.inputs[row] for row in kept]
            speeds = [cast(Sequences, frames)[kept], *(features.faster(inputs, factor) for factor in factors)]
        else:
            speeds = [cache.sequences(name, kept) for name in ("train", *map(_at_speed, factors))]
        seen = data.seen()
        valid = checked_targets(data, features, data.valid, "the validation data")
        weights = data.train.weights
        return CtcObjective(
            features=features,
            speeds=speeds,
            targets=targets[kept],
            valid_steps=self._valid_sequences(data, features),
            valid_targets=valid,
            seen_steps=features.apply(seen.inputs),
            seen_targets=features.targets(seen.targets)[0],
            sample_weights=None if weights is None else weights[kept],
            batch_size=self.batch_size,
            regularization=regularization,
            generator=torch.Generator().manual_seed(seed),
        )

    def _speeds(self) -> tuple[float, ...]:
        from penstock.training.recipe import share

        return (1 - self.speed, 1 + self.speed) if share("speed", self.speed) else ()

    def _module(self, data: Labelled, features: SpeechFeatures, network: Network) -> "torch.nn.Module":
        from penstock.nn import NetworkModule
        from penstock.training.recipe import share

        module = NetworkModule(network, init="orthogonal")
        module.encoder.locked_dropout = share("layer_dropout", self.layer_dropout)
        return module

    def _fit_baselines(self, data: Labelled, features: SpeechFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        texts = [written(text, features.lower) for text in data.train.targets]
        templates = template_arrays(data.train.inputs, texts, features.frames)
        return baseline_arrays(texts) | templates, {}

    def _calibrate(self, model: Any, data: Labelled) -> dict[str, Any]:
        """Choose the power of confidences."""
        references = [model.reference(text) for text in data.valid.targets]
        model.features.confidence_power = 1.0
        power = chosen_power(*judged_words(references, model.transcribe(data.valid.inputs)))
        model.features.confidence_power = power
        return {"confidence_power": power}

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        found = speech_figures(model, data)
        inputs = list(data.measured().values())[-1].inputs
        worst = [inputs[each["row"] - 1] for each in found["worst"] if "waveform" in each]
        self._sounds = [(resampled(recording, model.sample_rate), model.sample_rate) for recording in worst]
        return found

    def _report(self, title: str = "", language: str = "en") -> str:
        return render_report(self.metrics_, getattr(self, "_sounds", ()), title=title, language=language)

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features = saved.features
        found = {name: features[name] for name in ("stack", "subsampling", "lower")}
        found |= {"level": features["tokens"]["level"], "lookahead": saved.network.head.lookahead}
        frames = features["frames"]
        return found | {name: frames[name] for name in ("mean_seconds", "sample_rate", "mel_bins") if name in frames}


def _at_speed(factor: float) -> str:
    """Return the name of training recordings at another speed, among those that lie on disk."""
    return f"speed-{factor!r}"
