"""What may be wrong with recordings: silence, clipping, too little to hear."""

from penstock.sounds.recordings import Recording

__all__ = ["is_clipped", "unfit"]

_SILENT = 1e-4  # a recording with a lower peak is silent, -80 dB of full scale
_MOST_CLIPPED = 0.001  # a recording with a larger share of samples at full scale is clipped


def is_clipped(recording: Recording) -> bool:
    """Whether more than a thousandth of the samples are at full scale."""
    return recording.clipped_share > _MOST_CLIPPED


def unfit(recording: Recording, shortest_seconds: float) -> str:
    """Return why a recording cannot be used for training; empty if it can."""
    if not recording.length:
        return "empty"
    if recording.seconds < shortest_seconds:
        return f"shorter than {shortest_seconds:g} s"
    return "silent" if recording.peak < _SILENT else ""
