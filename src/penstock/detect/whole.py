"""Judges the rest of one long series at once, with the bits of `monitor.Monitor.judge`.

The network and all that does not depend on earlier judgements is computed for all rows together. The profile of the
season is followed in plain numbers; what is ordinary changes only at peaks, about one row of fifty.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import ALARM, TOLD, told
from penstock.detect.head import logistic, tail
from penstock.detect.memory import NEVER, Memory
from penstock.detect.monitor import Judgement, Monitor, ranges, seasonal_surprise, together
from penstock.detect.season import points, walk
from penstock.detect.threshold import PEAKS, add_scores, joint, rarity
from penstock.detect.timelines import Timeline
from penstock.detect.units import lateness, spread_of
from penstock.runtime.stack import LayerState, Stack

__all__ = ["judge_rest"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def judge_rest(
    monitor: Monitor, memory: Memory, series: Timeline, encoder: Stack, state: list[LayerState] | None
) -> Judgement:
    """Judge the rows of a series after those that its memory has seen; each array is (steps, ...).

    Args:
        monitor: which does not adapt.
        memory: of the one series, settled as `Monitor.settled` says; only its profile is changed.
        series: the whole series.
        encoder: the layers.
        state: of the layers; None if no row was read.
    """
    features, begin = monitor.features, int(memory["rows"][0])
    location, spread = memory["location"], spread_of(memory["variance"])
    encoded = features.encoded(series, location[0], spread[0], memory["gap"][0])
    values, times = series.values[begin:], None if series.times is None else series.times[begin:]
    y, _ = encoder(encoded.x[begin:, None], state)
    middle, scale = logistic(monitor.head(y[:, 0]), encoded.last[begin:])
    surprise = tail(encoded.values[begin:], middle, scale)
    low, expected, high = ranges(location, spread, middle, scale)
    seasonal = _seasonal(monitor, memory, values, times, spread)
    repeats, ended = _runs(series.values)
    both = np.stack([together(surprise), together(seasonal)], axis=1)
    smoothed = [_averaged(*each, features.smoothing) for each in zip(both.T, memory["smoothed"][0], strict=True)]
    evidence = np.concatenate([np.stack(smoothed, axis=1), repeats[begin:]], axis=1)
    rare = _rarity(memory, evidence, ended[begin:], monitor.rate)
    alarms = rare > -np.log10(monitor.rate)
    score = np.where(np.isnan(evidence[:, 0]), np.nan, joint(rare))
    threshold = np.where(np.isnan(score), np.nan, -np.log10(features.false_alarm_rate))
    condition = told(
        np.zeros(len(values), bool),
        alarms,
        _shifts(monitor, memory, values, alarms[:, 0], low, high),
        _stuck(alarms[:, 2:], repeats[begin:], memory["stuck"][0]),
        lateness(series.times, len(series), memory["gap"][0])[begin:],
        memory["gap_variance"],
        values,
    )
    return Judgement(score, threshold, score > threshold, expected, low, high, condition, evidence)


def _seasonal(monitor: Monitor, memory: Memory, values: Array, times: NDArray[Any] | None, spread: Array) -> Array:
    """The surprise of values by the season; the profile follows them."""
    if monitor.features.without_phase(times):
        return np.full(values.shape, np.nan)
    at = np.arange(len(values)) + memory["rows"] if times is None else times.astype(np.int64)
    origin = at[:1] if memory["origin"][0] == NEVER else memory["origin"]
    now = points(at, origin, memory["span"], memory["points"])
    share = (memory["season_share"] * spread)[0]
    fresh = values if times is None else np.where((at > memory["until"])[:, None], values, np.nan)
    return seasonal_surprise(values, *walk(memory, 0, now, fresh, share, int(memory["points"][0])))


def _runs(values: Array) -> tuple[Array, Array]:
    """How often values (steps, targets) were repeated, and the runs that ended, as `Watch.repeats` counts them."""
    repeats, ended = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for column, own in enumerate(values.T):
        (there,) = np.nonzero(~np.isnan(own))
        steps = np.arange(len(there))
        fresh = np.append(True, own[there][1:] != own[there][:-1])[: len(there)]
        counts = steps - np.maximum.accumulate(np.where(fresh, steps, 0))
        repeats[there, column] = counts
        ended[there[1:], column] = np.where(fresh[1:], counts[:-1], np.nan)
    return repeats, ended


def _averaged(values: Array, before: float, over: int) -> Array:
    """The moving average that `Monitor` keeps, from what it was before."""
    found, own = [], float(before)
    for value in values.tolist():
        after = own + (value - own) / over
        found.append(after)
        own = after if after == after else own
    return np.array(found)


def _rarity(memory: Memory, evidence: Array, ended: Array, rate: float) -> Array:
    """How rare evidence (steps, kinds) is, each by what was ordinary before it."""
    kept = {name: np.empty(evidence.shape) for name in PEAKS}
    counted = ~np.isnan(evidence)
    for kind in range(evidence.shape[1]):
        if kind < 2:
            _follow_peaks(memory, kind, evidence[:, kind], rate, kept)
        else:
            counted[:, kind] &= ~_follow_runs(memory, kind, evidence[:, kind], ended[:, kind - 2], rate, kept)
    return np.where(counted, rarity(kept, np.where(counted, evidence, 0.0)), 0.0)


def _follow_peaks(memory: Memory, kind: int, evidence: Array, rate: float, kept: dict[str, Array]) -> None:
    """Write down what was known of ordinary evidence before each row."""
    state = {name: memory[name][:, kind] for name in (*PEAKS, "limit")}
    counted, begin = ~np.isnan(evidence), 0
    for row in np.flatnonzero(evidence > state["level"]).tolist():
        _keep(state, kept, kind, counted, slice(begin, row + 1))
        add_scores(state, evidence[row : row + 1], counted[row : row + 1], rate)
        begin = row + 1
    _keep(state, kept, kind, counted, slice(begin, len(evidence)))


def _follow_runs(memory: Memory, kind: int, repeats: Array, ended: Array, rate: float, kept: dict[str, Array]) -> Flags:
    """Write down what was known of runs of equal values before each row; return where one was told already."""
    state = {name: memory[name][:, kind] for name in (*PEAKS, "limit")}
    stuck, counted, begin = int(memory["stuck"][0, kind - 2]), ~np.isnan(ended), 0
    silent = np.zeros(len(repeats), bool)
    for row in np.flatnonzero((repeats > state["level"]) | (ended > state["level"])).tolist():
        _keep(state, kept, kind, counted, slice(begin, row + 1))
        own = repeats[row : row + 1]
        silent[row] = stuck == TOLD
        alarm = stuck < TOLD and bool(rarity(state, own)[0] > -np.log10(rate))
        if alarm or (counted[row] and not stuck):
            add_scores(state, own if alarm else ended[row : row + 1], np.ones(1, bool), rate)
        stuck = 0 if own[0] == 0 else ALARM if alarm else TOLD if stuck else 0
        begin = row + 1
    _keep(state, kept, kind, counted, slice(begin, len(repeats)))
    return silent


def _keep(state: Memory, kept: dict[str, Array], kind: int, counted: Flags, rows: slice) -> None:
    """Write down the state before each of these rows, each of which but the last one adds to the number of scores."""
    for name in PEAKS:
        kept[name][rows, kind] = state[name]
    if rows.stop > rows.start:
        scores = np.add.accumulate(np.append(state["scores"], counted[rows][:-1].astype(np.float64)))
        kept["scores"][rows, kind] = scores
        state["scores"] = scores[-1:]


def _stuck(alarms: Flags, repeats: Array, before: NDArray[np.int64]) -> Flags:
    """Whether the run of equal values at each row has raised an alarm, (steps, targets)."""
    steps = np.arange(len(alarms))[:, None]
    alarmed = np.maximum.accumulate(np.where(alarms, steps, np.where(before, -1, -2)), axis=0)
    moved = np.maximum.accumulate(np.where(repeats == 0, steps, -2), axis=0)
    found: Flags = alarmed > moved
    return found


def _shifts(monitor: Monitor, memory: Memory, values: Array, outliers: Flags, low: Array, high: Array) -> Flags:
    """Where the level has shifted, (steps,): only rows after an outlier are watched."""
    own, found, row = dict(memory), np.zeros(len(values), bool), 0
    following = np.append(np.flatnonzero(outliers), len(values))
    while row < len(values):
        if np.isnan(own["floor"]).all():
            row = int(following[np.searchsorted(following, row)])
            if row == len(values):
                break
        piece = slice(row, row + 1)
        found[piece] = monitor.watch.shift(own, values[piece], outliers[piece], low[piece], high[piece])
        row += 1
    return found
