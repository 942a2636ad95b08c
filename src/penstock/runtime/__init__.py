"""Trained models at work, without PyTorch: whole inputs, or streams that answer as the input arrives."""

from penstock.runtime.model import Model, load
from penstock.runtime.recurrence import Recurrence, RecurrenceStream
from penstock.runtime.stream import TextStream

__all__ = ["Model", "Recurrence", "RecurrenceStream", "TextStream", "load"]
