"""Inspection of trained and untrained networks."""

from penstock.inspection.gradients import gradient_norms

__all__ = ["gradient_norms"]
