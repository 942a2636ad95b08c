"""Heads at run time, on NumPy and the engine; `penstock.network.KINDS` names them.

`protocols` defines the interfaces of pooled heads, stepwise heads and decoders.
"""

from penstock.heads.classify import ClassReadout, StepClassReadout
from penstock.heads.decoders import ArgMax, LabelByLabel
from penstock.heads.pooled import PooledReadout
from penstock.heads.protocols import Carry, Decoder, Pooled, Stepwise
from penstock.heads.regression import RegressionReadout

__all__ = [
    "ArgMax",
    "Carry",
    "ClassReadout",
    "Decoder",
    "LabelByLabel",
    "Pooled",
    "PooledReadout",
    "RegressionReadout",
    "StepClassReadout",
    "Stepwise",
]
