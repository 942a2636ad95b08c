"""Descriptions of networks: Network(inputs, encoder, head), from which PyTorch and the engine build their modules.

Descriptions are frozen dataclasses that can be written to JSON and read back. An invalid description raises when it is
made. The `kind` of inputs, encoder and head names a row of `KINDS`, which says where their implementations are.
`wiring` says how the three parts are joined. A `Graph` describes a network of any operations, for import and export.
"""

from penstock.network.encoder import Recurrent
from penstock.network.graph import Graph, GraphBuilder, Node
from penstock.network.heads import ClassHead, Pooling, RegressionHead, StepClassHead
from penstock.network.inputs import Embedding, Numbers
from penstock.network.kinds import (
    ATTENDING,
    CARRIED,
    KINDS,
    LANGUAGE,
    LISTENING,
    POOLED,
    REPRODUCING,
    STEPWISE,
    WINDOWED,
    Kind,
    Wiring,
    register,
)
from penstock.network.network import Network, from_json
from penstock.network.operations import (
    Add,
    Concatenate,
    Dense,
    Differs,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    RecurrentLayers,
    Reverse,
    Scale,
    Slice,
    Standardize,
    Value,
)

__all__ = [
    "ATTENDING",
    "CARRIED",
    "KINDS",
    "LANGUAGE",
    "LISTENING",
    "POOLED",
    "REPRODUCING",
    "STEPWISE",
    "WINDOWED",
    "Add",
    "ClassHead",
    "Concatenate",
    "Dense",
    "Differs",
    "Embedding",
    "Graph",
    "GraphBuilder",
    "Kind",
    "Lookup",
    "Multiply",
    "Network",
    "Node",
    "Numbers",
    "Pointwise",
    "Pool",
    "Pooling",
    "Recurrent",
    "RecurrentLayers",
    "RegressionHead",
    "Reverse",
    "Scale",
    "Slice",
    "Standardize",
    "StepClassHead",
    "Value",
    "Wiring",
    "from_json",
    "register",
]
