"""The stages of a `fit`, and how they share its time."""

import pytest

from penstock.tasks.stages import Stage, run_stages, stage_figures
from penstock.training import History


@pytest.mark.parametrize(
    ("limit", "seconds", "expected"),
    [
        (None, (5.0, 5.0, 5.0), [None, None, None]),
        (90.0, (10.0, 20.0, 60.0), [30.0, 40.0, 60.0]),
        (9.0, (9.5, 1.0, 1.0), [3.0, 0.001, 0.001]),
    ],
)
def test_each_stage_gets_an_equal_share_of_the_time_that_is_left(limit, seconds, expected):
    stages = [Stage(seed=0, objective=lambda earlier: len(earlier), title=f"stage {number}") for number in range(3)]
    limits = []

    def run(stage, objective, callbacks, max_seconds):
        limits.append(max_seconds)
        return None, History(seconds=seconds[objective], stopped="time" if limit else "finished")

    _, histories = run_stages(stages, run, (), limit)
    assert limits == expected
    figures = stage_figures(stages, histories)
    assert figures["training_seconds"] == sum(seconds)
    assert {stage["stopped"] for stage in figures["stages"]} == {"time" if limit else "finished"}
