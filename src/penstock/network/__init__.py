"""Descriptions of networks: Network(inputs, encoder, head), from which PyTorch and the engine build their modules.

Descriptions are frozen dataclasses that can be written to JSON and read back. An invalid description raises when it is
made. The `kind` of inputs, encoder and head names a row of `KINDS`, which says where their implementations are.
`wiring` says how the three parts are joined.
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
