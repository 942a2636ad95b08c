"""From data to numbers: learned from the training data (`fit`), applied to all, pushed piece by piece."""

from penstock.features.audio import AudioFeatures
from penstock.features.forecasts import ForecastFeatures
from penstock.features.panel import Panel, Series, arrays_panel, panel
from penstock.features.recordings import Recording, read_recording
from penstock.features.text import TextFeatures, tokenize
from penstock.features.vectors import read_vectors

__all__ = [
    "AudioFeatures",
    "ForecastFeatures",
    "Panel",
    "Recording",
    "Series",
    "TextFeatures",
    "arrays_panel",
    "panel",
    "read_recording",
    "read_vectors",
    "tokenize",
]
