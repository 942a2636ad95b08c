"""The description of a network, from which every part builds its own side: Network(inputs, encoder, head).

Plain frozen dataclasses that go to JSON and back. What makes no sense is refused when it is made.
Inputs, encoders and heads are told apart by `kind`; `KINDS` is the table of all of them, and of where their sides
live. `wiring` says how the three are joined.
"""

from penstock.network.encoder import Recurrent
from penstock.network.heads import ClassHead, Pooling, RegressionHead, StepClassHead
from penstock.network.inputs import Embedding, Numbers
from penstock.network.kinds import CARRIED, KINDS, POOLED, STEPWISE, WINDOWED, Kind, Wiring, register
from penstock.network.network import Network

__all__ = [
    "CARRIED",
    "KINDS",
    "POOLED",
    "STEPWISE",
    "WINDOWED",
    "ClassHead",
    "Embedding",
    "Kind",
    "Network",
    "Numbers",
    "Pooling",
    "Recurrent",
    "RegressionHead",
    "StepClassHead",
    "Wiring",
    "register",
]
