"""What may be wrong with recordings: silence, clipping, too little to hear."""

import numpy as np

from penstock.sounds.recordings import Recording

__all__ = ["is_clipped", "unfit"]

_SILENT = 1e-4  # a recording with a lower peak is silent, -80 dB of full scale
_CLIPPED, _FULL = 0.001, 0.999  # share of samples at full scale above which a recording is clipped; full scale


def is_clipped(recording: Recording) -> bool:
    """Whether more than a thousandth of the samples are at full scale."""
    samples = np.abs(recording.samples)
    return bool(len(samples)) and float((samples >= _FULL).mean()) > _CLIPPED


def unfit(recording: Recording, shortest_seconds: float) -> str:
    """Return why a recording cannot be used for training; empty if it can."""
    if not len(recording.samples):
        return "empty"
    if recording.seconds < shortest_seconds:
        return f"shorter than {shortest_seconds:g} s"
    return "silent" if float(np.abs(recording.samples).max()) < _SILENT else ""
