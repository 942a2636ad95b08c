"""What a speech recogniser takes from its training recordings without gradients: features and tokens."""

from collections.abc import Sequence
from typing import Any

from penstock.sounds.features import AudioFeatures
from penstock.sounds.recordings import Recording
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames

__all__ = ["fitted_features"]

_WINDOW_SECONDS, _HOP_SECONDS = 0.025, 0.01


def fitted_features(
    inputs: Sequence[Recording | Frames],
    transcripts: Sequence[str],
    *,
    sample_rate: int | None,
    mel_bins: int,
    mean_seconds: float,
    **settings: Any,
) -> SpeechFeatures:
    """Return the features of training recordings, or of frames that were made elsewhere.

    Args:
        inputs: recordings or frames.
        transcripts: the text of each.
        sample_rate, mel_bins, mean_seconds: as `SpeechRecognizer` takes them.
        settings: of `SpeechFeatures.fit`.

    Raises:
        ConfigError: a setting is invalid.
        DataError: there is nothing to learn from.
    """
    frames: AudioFeatures | GivenFrames = GivenFrames(mean_seconds=mean_seconds)
    if isinstance(inputs[0], Recording):
        frames = AudioFeatures(
            sample_rate=sample_rate,
            mel_bins=mel_bins,
            window_seconds=_WINDOW_SECONDS,
            hop_seconds=_HOP_SECONDS,
            mean_seconds=mean_seconds,
            delta_frames=(),
        )
    return SpeechFeatures.fit(frames, inputs, transcripts, **settings)
