"""The description of a network, from which every part builds its own side: Network(inputs, encoder, head).

Plain frozen dataclasses that go to JSON and back. What makes no sense is refused when it is made.
Inputs, encoders and heads are unions told apart by `kind`; `KINDS` is the table of all of them.
"""

from penstock.network.encoder import Recurrent
from penstock.network.forecasts import LEAST_SPREAD, ForecastHead, SegmentForecastHead
from penstock.network.heads import ClassHead, Pooling, RegressionHead
from penstock.network.inputs import Embedding, Numbers, Segments
from penstock.network.network import KINDS, Network

__all__ = [
    "KINDS",
    "LEAST_SPREAD",
    "ClassHead",
    "Embedding",
    "ForecastHead",
    "Network",
    "Numbers",
    "Pooling",
    "Recurrent",
    "RegressionHead",
    "SegmentForecastHead",
    "Segments",
]
