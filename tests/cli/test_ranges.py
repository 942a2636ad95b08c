"""Ranges on a command line, and the usual ones of every task."""

import re

import pytest

import penstock
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


@pytest.mark.parametrize("task", TASKS)
def test_what_has_no_effect_beside_given_options_is_not_searched(task):
    usual = TASKS[task].estimator_class()
    whole, one = usual().search_space().keys(), usual(num_layers=1).search_space({"num_layers"}).keys()
    assert one == whole - {"num_layers", "layer_dropout"}
    assert usual(num_layers=2).search_space({"num_layers"}).keys() == whole - {"num_layers"}
    assert usual(num_layers=1).search_space().keys() == whole


def test_what_a_detector_searches_depends_on_its_kind():
    ours, theirs = (penstock.AnomalyDetector(kind=kind).search_space() for kind in ("forecast", "reconstruct"))
    assert ours.keys() - theirs.keys() == {"chunk"}
    assert ours == theirs | {"chunk": ours["chunk"]}


def test_a_file_brings_sizes_that_are_not_searched():
    whole = penstock.TextClassifier().search_space().keys()
    assert penstock.TextClassifier(vectors="words.txt").search_space().keys() == whole - {"embedding_size"}
    assert penstock.TextClassifier(encoder="model").search_space({"dropout"}).keys() == whole - {
        *("cell", "hidden_size", "num_layers", "embedding_size")
    }


def test_the_rate_of_a_recipe_is_searched_around_what_it_trains_with():
    model = penstock.LanguageModel(recipe="sgd", steps=10)
    space = model.search_space()
    assert (space["learning_rate"].low, space["learning_rate"].high) == (2.5, 40)
    assert model._setting("learning_rate") == 10
    assert model._setting("clip") == 0.5
    assert penstock.LanguageModel(recipe="sgd", learning_rate=3.0)._setting("learning_rate") == 3
