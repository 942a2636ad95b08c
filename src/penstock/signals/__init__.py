"""Signals: classification and regression of whole signals or of each step."""
