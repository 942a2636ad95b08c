"""Heads at run time, on NumPy and the engine; `penstock.network.KINDS` names them.

`protocols` defines the interfaces of pooled heads, stepwise heads and decoders.
"""

from penstock.heads.chain import Chain, marginals
from penstock.heads.classify import ClassReadout, StepClassReadout
from penstock.heads.decoders import ArgMax, FixedLag, LabelByLabel, Viterbi
from penstock.heads.pooled import PooledReadout
from penstock.heads.protocols import Carry, Decoder, Pooled, Stepwise
from penstock.heads.regression import RegressionReadout

__all__ = [
    "ArgMax",
    "Carry",
    "Chain",
    "ClassReadout",
    "Decoder",
    "FixedLag",
    "LabelByLabel",
    "Pooled",
    "PooledReadout",
    "RegressionReadout",
    "StepClassReadout",
    "Stepwise",
    "Viterbi",
    "marginals",
]
