"""Audio classification: spoken words, commands, machine noise, animal sounds."""

from collections import Counter
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from penstock.audio.baseline_training import fit_baseline
from penstock.audio.report import MOST_SOUNDS, render_report
from penstock.audio.stream import SPOT_SECONDS
from penstock.bundle import Bundle
from penstock.datasets import Rows, as_labels
from penstock.errors import ConfigError, DataError
from penstock.inspection.attribution import Attribution
from penstock.network import ClassHead, Network, Numbers
from penstock.sounds.faults import is_clipped, unfit
from penstock.sounds.features import AudioFeatures
from penstock.sounds.files import from_paths
from penstock.sounds.recordings import Recording, recording_list, resampled
from penstock.tasks.classifier import Classifier
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.options import CellName, CellOptions
from penstock.tasks.recorded import RecordedPart, recorded
from penstock.tasks.space import Between, Searched
from penstock.tasks.stages import Stage
from penstock.tasks.stored import ShardOptions

if TYPE_CHECKING:
    import torch

    from penstock.audio.objective import SoundObjective

__all__ = ["AudioClassifier"]

_CONTEXT_SECONDS = 0.3
_LONGEST_SHIFT_SECONDS = 10.0
_LATE_SECONDS = 0.06  # in training, a spotter's window may close this long before a recording's end
_FEATURES = ("sample_rate", "mel_bins", "mean_seconds")


@dataclass(kw_only=True, eq=False, repr=False)
class AudioClassifier(ShardOptions, CellOptions, Classifier):
    """Classifies recordings with a recurrent network; scikit-learn style.

    Defaults were chosen on spoken digits of speakers that were not in the training data. Fitting the same data with the
    same `random_state` gives the same bits, whatever the number of threads, and leaves the global random generators
    unchanged. Recordings are paths of WAV, FLAC, MP3, Ogg or AIFF files, arrays of samples at `sample_rate`, (samples,
    rate), or `sounds.recordings.Recording`.

    Args:
        sample_rate: sample rate in Hz to which recordings are converted; None for the most frequent one in training.
        mel_bins: bands of the filterbank.
        mean_seconds: time constant of each band's running mean, which is subtracted to compensate for other microphones
            and rooms (Hermansky and Morgan 1994); 0 for none.
        pooling: pooling of the outputs over time: "max", "mean", "mean_max" or "last".
        trim_share: share of the starts, and of the ends, whose quiet part is trimmed in training, so that it matters
            less how closely recordings are cut.
        stretch: maximum change of tempo in training, as a share.
        warp: maximum shift of the bands in training, as a share, like another vocal tract length (Jaitly and Hinton
            2013).
        blur: maximum smoothing or sharpening of spectra in training, as a share, so that a voice's pitch matters less.
        contrast: maximum change of the contrast between loud and quiet in training, as a share.
        shift_seconds: maximum silence added before and after in training.
        gain_db: maximum change of loudness in training.
        color_db: spread of a random smooth gain over the bands in training, like another microphone or room.
        noise_share: share of the recordings that get coloured noise in training.
        mel_mask: maximum number of bands masked in training (Park et al. 2019).
        time_mask: maximum number of frames masked in training.
        mixup: recordings and their labels are mixed in training with shares from a beta distribution with this value
            for both parameters (Zhang et al. 2018); 0 for no mixing.
        teachers: number of networks, with other random numbers, that are trained first; the final network learns from
            their mean predictions in addition to the labels, which approximates an ensemble (Hinton, Vinyals and Dean
            2015). Callbacks see only the last training; each training has its own checkpoint.
        context_share: share of the recordings that follow the end of another one in training, so that a stream's
            layers learn to start again where a word ends.
        spot_share: additional weight of the loss for the end of each recording alone, which `spotter` uses.
        output_dropout: dropout probability of the pooled outputs.
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et al. 2016).
        prefix_share: share of the loss at a random prefix of each recording, so that predictions are meaningful while
            a sound is still arriving.

    Examples:
        >>> import numpy as np
        >>> from penstock import AudioClassifier
        >>> sounds = [np.sin(np.arange(4000) * pitch) for pitch in [0.1, 0.3] * 6]  # half a second each
        >>> clf = AudioClassifier(hidden_size=8, epochs=1, sample_rate=8000)
        >>> clf.fit(sounds, ["low", "high"] * 6).predict(sounds[:2]).shape
        (2,)
    """

    task: ClassVar[str] = "audio-classification"
    usual_epochs: ClassVar[int] = 24
    fewest_steps: ClassVar[int] = 2500

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("sample_rate", "mel_bins", "mean_seconds"),
        "training": (
            "trim_share", "stretch", "warp", "blur", "contrast", "shift_seconds", "gain_db", "color_db", "noise_share",
            "mel_mask", "time_mask", "mixup", "teachers", "context_share", "spot_share", "output_dropout",
            "label_smoothing", "prefix_share",
        ),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("sample_rate", "teachers")
    searched: ClassVar[Searched] = {"output_dropout": Between(0.0, 0.7), "mixup": Between(0.0, 1.0)}

    cell: CellName = "gru"
    hidden_size: int = 128
    sample_rate: int | None = None
    mel_bins: int = 24
    mean_seconds: float = 0.5
    num_layers: int = 2
    pooling: Literal["max", "mean", "mean_max", "last"] = "max"
    learning_rate: float = 0.002
    patience: int = 10
    keep: Literal["best", "last"] = "last"
    trim_share: float = 0.5
    stretch: float = 0.35
    warp: float = 0.1
    blur: float = 0.7
    contrast: float = 0.2
    shift_seconds: float = 0.1
    gain_db: float = 15.0
    color_db: float = 6.0
    noise_share: float = 0.5
    mel_mask: int = 0
    time_mask: int = 0
    mixup: float = 0.4
    teachers: int = 3
    context_share: float = 0.5
    spot_share: float = 0.5
    output_dropout: float = 0.5
    label_smoothing: float = 0.1
    prefix_share: float = 0.0

    def __sklearn_tags__(self) -> Any:
        """Recordings, one each; paths are strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags

    def _rows(self, inputs: Any, labels: Any) -> Rows:
        known = self._known()
        recordings = recording_list(from_paths(inputs), self.sample_rate if known is None else known.features.rate)
        answers = as_labels(labels)
        if len(recordings) != len(answers):
            raise DataError(
                "recordings and labels must have the same length; "
                f"got {len(recordings)} recordings and {len(answers)} labels"
            )
        shortest = AudioFeatures().window_seconds
        reasons = [
            "no label" if answer is None else unfit(recording, shortest)
            for recording, answer in zip(recordings, answers, strict=True)
        ]
        kept = np.array([position for position, reason in enumerate(reasons) if not reason], np.int64)
        dropped = dict(Counter(filter(None, reasons)))
        if not len(kept):
            why = ", ".join(f"{count}: {reason}" for reason, count in dropped.items()) or "there are none"
            raise DataError(f"no recordings are left to use: {why}")
        rows = Rows(recordings, answers).take(kept)
        return Rows(rows.inputs, rows.answers, dropped, kept)

    def _amount(self, part: Part) -> dict[str, float]:
        recordings: list[Recording] = list(part.inputs)
        return {
            "seconds": sum(recording.seconds for recording in recordings),
            "mixed_down": sum(recording.channels > 1 for recording in recordings),
            "clipped": sum(is_clipped(recording) for recording in recordings),
        }

    def _data_figures(self, data: Labelled, features: AudioFeatures) -> dict[str, Any]:
        figures = super()._data_figures(data, features)
        for name, part in {"train": data.train, **data.measured()}.items():
            recordings: list[Recording] = list(part.inputs)
            figures[name]["resampled"] = sum(each.sample_rate_hz != features.rate for each in recordings)
        return figures

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        return {"row": row, "file": Path(part.inputs[row].name).name or f"row {row}"}

    def _marked(self, found: Attribution) -> dict[str, Any]:
        """Return the score of each frame, over all bands, and the seconds from one to the next."""
        scores = [float(f"{score:.3g}") for score in found.along("time").tolist()]
        return {"scores": scores, "frame_seconds": self.model_.features.hop / self.model_.features.rate}

    def _measure(self, model: Any, data: Labelled) -> dict[str, Any]:
        found = super()._measure(model, data)
        part = data.measured()[found["confusion"]["part"]]
        worst = [part.inputs[mistake["row"]] for mistake in found["mistakes"][:MOST_SOUNDS]]
        self._sounds = [(resampled(recording, model.features.rate), model.features.rate) for recording in worst]
        return found

    def _report(self, title: str = "", language: str = "en") -> str:
        return render_report(self.metrics_, getattr(self, "_sounds", ()), title=title, language=language)

    def _resolved(self, features: AudioFeatures, network: Network) -> dict[str, Any]:
        return {"sample_rate": features.sample_rate}

    def _on_disk(self, data: Labelled) -> Labelled:
        known = self._known()
        features = AudioFeatures(**self._features()) if known is None else known.features
        return recorded(
            data,
            self.cache,
            {"task": self.task, **(self._features() if known is None else {"known": features.to_json()})},
            lambda: features.fit(data.train.inputs) if known is None else features,
            AudioFeatures.from_json,
            {
                "train": ("train", AudioFeatures.log_mels),
                "valid": ("valid", AudioFeatures.apply),
            },
        )

    def _features(self) -> dict[str, Any]:
        """Return the options of the features."""
        return {name: getattr(self, name) for name in _FEATURES}

    def _describe(self, data: Labelled) -> tuple[AudioFeatures, Network]:
        train = data.train
        if isinstance(train, RecordedPart):
            return train.features, self._network(data, train.features)
        features = AudioFeatures(**self._features()).fit(train.inputs)
        return features, self._network(data, features)

    def _network(self, data: Labelled, features: AudioFeatures) -> Network:
        return Network(
            Numbers(features.size),
            self.recurrent(features.size),
            ClassHead(len(data.labels), self.pooling),
        )

    def _stages(self, objective: "SoundObjective", seed: int) -> list[Stage]:
        """Return the stages of the teachers, which learn from labels alone, and of the network taught by them."""
        from penstock.training.recipe import at_least

        at_least("teachers", self.teachers, 0, whole=True)
        return [
            *(_teacher(number, self.teachers, objective, seed) for number in range(1, self.teachers + 1)),
            Stage(seed=seed, objective=objective.taught_by, title="network" if self.teachers else ""),
        ]

    def _objective(self, data: Labelled, features: AudioFeatures, network: Network, seed: int) -> "SoundObjective":
        import torch

        from penstock.audio.augmentation import Augmentation
        from penstock.audio.objective import SoundObjective
        from penstock.training.classify import Regularization
        from penstock.training.recipe import at_least

        if at_least("shift_seconds", self.shift_seconds, 0) > _LONGEST_SHIFT_SECONDS:
            raise ConfigError(f"shift_seconds must be at most {_LONGEST_SHIFT_SECONDS:g}; got {self.shift_seconds!r}")
        train = data.train
        cache = train.cache if isinstance(train, RecordedPart) else None
        mean, scale = features.scale
        augmentation, shares = (
            {field.name: getattr(self, field.name) for field in fields(kind) if hasattr(self, field.name)}
            for kind in (Augmentation, Regularization)
        )
        return SoundObjective(
            sequences=features.log_mels(train.inputs) if cache is None else cache.sequences("train"),
            weights=torch.from_numpy(self._weights(data).astype(np.float32)),
            regularization=Regularization(**shares),
            mean=mean,
            scale=scale,
            mean_share=features.mean_share,
            delta_frames=features.delta_frames,
            mixup=self.mixup,
            spot_share=self.spot_share,
            window_frames=round(SPOT_SECONDS / features.hop_seconds),
            late_frames=round(_LATE_SECONDS / features.hop_seconds),
            context_share=self.context_share,
            context_frames=round(_CONTEXT_SECONDS / features.hop_seconds),
            augmentation=Augmentation(shift_frames=round(self.shift_seconds / features.hop_seconds), **augmentation),
            **self._objective_rows(data, features, seed),
        )

    def _module(self, data: Labelled, features: AudioFeatures, network: Network) -> "torch.nn.Module":
        from penstock.nn import NetworkModule
        from penstock.tasks.initial import init_head

        module = NetworkModule(network, init="orthogonal")
        init_head(module.head)
        return module

    def _fit_baselines(self, data: Labelled, features: AudioFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = self._weights(data)
        if not self.baseline:
            return {"class_counts": data.train.class_counts(len(weights))}, {}
        arrays, settings = fit_baseline(data.train, data.valid, features, weights)
        return arrays, {"statistics": settings} if settings else {}

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features = {name: saved.features.get(name) for name in _FEATURES}
        features["mean_seconds"] = features["mean_seconds"] or 0.0
        return features | {"pooling": saved.network.head.pooling}


def _teacher(number: int, count: int, objective: "SoundObjective", seed: int) -> Stage:
    """Return the stage of a teacher, with its own random numbers."""
    import torch

    stage_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return Stage(
        seed=stage_seed,
        objective=lambda earlier: replace(objective, generator=torch.Generator().manual_seed(stage_seed)),
        name=f"teacher-{number}",
        title=f"teacher {number} of {count}",
    )
