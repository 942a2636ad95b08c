"""Ranges on a command line, and the usual ones of every task."""

import re

import pytest

from penstock.cli.ranges import parsed_ranges, written_ranges
from penstock.errors import ConfigError
from penstock.registry import TASKS
from penstock.tasks.space import Between

USUAL = {"hidden_size": Between(64, 256, log=True)}


def test_words_become_ranges():
    assert parsed_ranges(
        "learning-rate=5e-4..0.01, num-layers=1..3,--cell=lstm|gru,joint=true|null,hidden-size", USUAL
    ) == {
        "learning_rate": Between(0.0005, 0.01, log=True),
        "num_layers": Between(1, 3),
        "cell": ("lstm", "gru"),
        "joint": (True, None),
        "hidden_size": Between(64, 256, log=True),
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("pooling", "--search: 'pooling' has no usual range: give one, or search hidden-size"),
        ("clip=a..b", "--search: clip must be LOW..HIGH, or values as A|B; got 'a..b'"),
        ("clip=2..1", "a range needs two finite numbers in ascending order; got 2 and 1"),
    ],
)
def test_words_that_are_no_ranges_are_refused(words, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parsed_ranges(words, USUAL)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_ranges_around_its_defaults(task):
    estimator = TASKS[task].estimator_class()()
    space = estimator.search_space()
    assert {"learning_rate", "hidden_size", "cell"} <= space.keys() <= estimator.get_params().keys()
    for name, sought in space.items():
        usual = estimator._setting(name)
        assert sought.low <= usual <= sought.high if isinstance(sought, Between) else usual in sought, name
    assert parsed_ranges(",".join(written_ranges(space)), {}).keys() == space.keys()
