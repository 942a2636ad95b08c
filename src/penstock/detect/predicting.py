"""Judges whole series: a few one after another, all rows of each at once; many beside each other, row by row."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np

from penstock.detect.memory import Memory
from penstock.detect.monitor import Advance, Judgement, Monitor
from penstock.detect.timelines import Timeline
from penstock.detect.whole import judge_rest
from penstock.events import Steps
from penstock.runtime.stack import Stack

__all__ = ["judgements"]

_LOGGER = logging.getLogger("penstock.detect")
_FEW = 16
"""So many series of the longest one's length take about as long one after another as beside each other."""


def judgements(several: Sequence[Timeline], monitor: Monitor, encoder: Stack) -> list[Judgement]:
    """Return what is said of each series, each array (steps, ...)."""
    lengths = [len(series) for series in several]
    with Steps(_LOGGER, "predicting", sum(lengths), "rows") as told:
        if sum(lengths) <= _FEW * max(lengths):
            return [_alone(series, monitor, encoder, told) for series in several]
        order = sorted(range(len(several)), key=lambda place: -lengths[place])
        found = _beside([several[place] for place in order], monitor, encoder, told)
        return [found[order.index(place)] for place in range(len(several))]


def _alone(series: Timeline, monitor: Monitor, encoder: Stack, told: Steps) -> Judgement:
    """Judge a series row by row while its location and spread are not settled, and the rest at once."""
    streams, slabs = encoder.streams(), encoder.streams().slabs(1)
    memory = monitor.memory(np.array([monitor.features.identity(series.name)]))
    rows: list[Judgement] = []
    while len(rows) < len(series) and not monitor.settled(memory):
        rows.append(
            _row(monitor, memory, [series], len(rows), partial(streams.step, np.zeros(1, np.int64), slabs=slabs))
        )
        told.advance(1)
    first = [np.concatenate(column) for column in zip(*rows, strict=True)] if rows else []
    if len(rows) == len(series):
        return Judgement(*first)
    state = [tuple(each[None] for each in layer) for layer in slabs]
    rest = judge_rest(monitor, memory, series, encoder, state)
    told.advance(len(series) - len(rows))
    return Judgement(*map(np.concatenate, zip(first, rest, strict=True))) if rows else rest


def _beside(several: Sequence[Timeline], monitor: Monitor, encoder: Stack, told: Steps) -> list[Judgement]:
    """Judge series, the longest first, row by row together."""
    lengths = np.array([len(series) for series in several])
    streams = encoder.streams()
    mine = monitor.memory(np.array([monitor.features.identity(series.name) for series in several]))
    slabs, places = streams.slabs(len(several)), np.arange(len(several))
    rows: list[Judgement] = []
    for step in range(int(lengths[0])):
        count = int((lengths > step).sum())
        if count < len(mine["rows"]):
            mine = {name: array[:count] for name, array in mine.items()}
        advance = partial(streams.step, places[:count], slabs=slabs)
        rows.append(_row(monitor, mine, several[:count], step, advance))
        told.advance(count)
    return [
        Judgement(*(np.array([each[place] for each in column]) for column in zip(*rows[:length], strict=True)))
        for place, length in enumerate(lengths.tolist())
    ]


def _row(monitor: Monitor, memory: Memory, several: Sequence[Timeline], step: int, advance: Advance) -> Judgement:
    """Judge a step of several series."""
    timed = all(series.times is not None for series in several)
    times = np.stack([series.times[step] for series in several]) if timed else None  # type: ignore[index]
    values, covariates = (
        np.stack([getattr(series, name)[step] for series in several]) for name in ("values", "covariates")
    )
    return monitor.judge(memory, values, covariates, times, advance)
