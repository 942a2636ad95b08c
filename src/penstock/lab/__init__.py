"""The lab: one offline page that teaches how recurrent networks remember, by live figures of the engine."""

from penstock.lab.building import page

__all__ = ["page"]
