"""Recurrent neural networks on sequences: trained, understood, streamed, on a native CPU engine."""

__version__ = "0.1.0"
