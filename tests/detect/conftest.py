"""One tiny detector, for all tests of detectors."""

import numpy as np
import pytest

from penstock import AnomalyDetector

TINY = {
    "hidden_size": 6,
    "epochs": 2,
    "batch_size": 8,
    "chunk": 32,
    "baseline": False,
    "random_state": 0,
    "calendar": ["hour"],
}


def drawn_wave(steps, seed=0):
    return 5 + np.sin(np.arange(steps) / 5) + 0.1 * np.random.default_rng(seed).normal(size=steps)


def pump_table(steps=300):
    """Two series of other scales, every 15 minutes, with a column of numbers that they depend on."""
    times = np.datetime64("2024-01-01", "s") + 900 * np.arange(steps)
    return {
        "pump": ["a"] * steps + ["b"] * steps,
        "at": [str(each) for each in times] * 2,
        "flow": [*drawn_wave(steps), *(1000 * drawn_wave(steps, 1))],
        "load": [float(step % 7) for step in range(steps)] * 2,
    }


def table_of_beats(count, seed=0):
    """Examples of 12 rows a minute apart, each a bump, whose times begin anew."""
    times = np.datetime64("2024-01-01", "s") + 60 * np.arange(12)
    bump, draw = np.exp(-((np.arange(12) - 5) ** 2) / 4), np.random.default_rng(seed)
    beats = [bump * draw.uniform(0.8, 1.2) + draw.normal(0, 0.05, 12) for _ in range(count)]
    return {
        "beat": [str(number) for number in range(count) for _ in range(12)],
        "at": [str(each) for each in times] * count,
        "current": np.concatenate(beats).tolist(),
    }


@pytest.fixture(scope="session")
def beats():
    """A detector that reproduces examples, fitted on 40; not to be changed."""
    from penstock.detect.readers import read_timelines

    data = read_timelines(table_of_beats(40), time="at", target="current", id="beat")
    options = {"hidden_size": 6, "epochs": 2, "batch_size": 8, "learning_rate": 0.03, "baseline": False}
    return AnomalyDetector(kind="reconstruct", random_state=0, **options).fit(data)


@pytest.fixture(scope="session")
def beats_table():
    """A function that makes a table of so many examples."""
    return table_of_beats


@pytest.fixture(scope="session")
def detector():
    """Fitted on two series with times and a covariate; not to be changed."""
    from penstock.detect.readers import read_timelines

    data = read_timelines(pump_table(), time="at", target="flow", id="pump", covariates=["load"])
    return AnomalyDetector(**TINY).fit(data)


@pytest.fixture(scope="session")
def tiny():
    """Options of a detector that trains in a second."""
    return TINY


@pytest.fixture(scope="session")
def wave():
    """A function that makes a noisy wave of so many steps."""
    return drawn_wave


@pytest.fixture(scope="session")
def long_table():
    """A function that makes a table of two series, "a" and "b"."""
    return pump_table
