"""Prediction with trained models, without PyTorch: on whole inputs, or as streams that predict as input arrives."""

from penstock.runtime.class_model import ClassModel
from penstock.runtime.graph_model import GraphModel, GraphStream
from penstock.runtime.model import Model
from penstock.runtime.models import load
from penstock.runtime.pool import StreamPool
from penstock.runtime.pooled_stream import PooledStream
from penstock.runtime.random_state import RandomState
from penstock.runtime.recurrence import Recurrence, RecurrenceStream
from penstock.runtime.regression_model import RegressionModel
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.states import notes
from penstock.runtime.step_model import StepModel
from penstock.runtime.step_stream import StepLabels, StepStream
from penstock.runtime.stream import Stream, Traces

__all__ = [
    "ClassModel",
    "GraphModel",
    "GraphStream",
    "Model",
    "PooledStream",
    "RandomState",
    "Recurrence",
    "RecurrenceStream",
    "RegressionModel",
    "SequenceModel",
    "SequenceStream",
    "StepLabels",
    "StepModel",
    "StepStream",
    "Stream",
    "StreamPool",
    "Traces",
    "load",
    "notes",
]
