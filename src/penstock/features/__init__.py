"""From data to numbers: learned from the training data (`fit`), applied to all, pushed piece by piece."""

from penstock.features.audio import AudioFeatures
from penstock.features.forecasts import ForecastFeatures
from penstock.features.panel import Panel, Series
from penstock.features.panel_columns import arrays_panel, panel
from penstock.features.recordings import Recording, read_recording
from penstock.features.signal_arrays import signal_array, signal_list
from penstock.features.signal_lines import parse_signal, parse_step
from penstock.features.signals import SignalFeatures, SignalStream
from penstock.features.text import TextFeatures, tokenize
from penstock.features.vectors import read_vectors

__all__ = [
    "AudioFeatures",
    "ForecastFeatures",
    "Panel",
    "Recording",
    "Series",
    "SignalFeatures",
    "SignalStream",
    "TextFeatures",
    "arrays_panel",
    "panel",
    "parse_signal",
    "parse_step",
    "read_recording",
    "read_vectors",
    "signal_array",
    "signal_list",
    "tokenize",
]
