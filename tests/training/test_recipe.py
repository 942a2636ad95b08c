"""The settings of the loop."""

from itertools import pairwise

import numpy as np
import pytest

from penstock.errors import ConfigError


def test_the_learning_rate_rises_and_falls(make_recipe):
    recipe = make_recipe(warmup=0.2)
    factors = [recipe.factor(step, 10) for step in range(10)]
    assert factors[:2] == [0.5, 1.0]
    assert factors[2] == 1.0
    assert all(later < earlier for earlier, later in pairwise(factors[2:]))
    assert recipe.factor(6, 10) == pytest.approx(0.5)
    assert 0 < factors[-1] < 0.1


@pytest.mark.parametrize("total", [1, 2])
def test_even_one_step_has_a_learning_rate(make_recipe, total):
    assert all(make_recipe().factor(step, total) > 0 for step in range(total))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("batch_size", 0),
        ("patience", "3"),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("clip", -1),
        ("max_seconds", 0),
        ("max_seconds", float("inf")),
        ("max_seconds", "60"),
        ("warmup", 1.0),
        ("average", 1.0),
        ("weight_decay", -0.1),
        ("layer_decay", 0.0),
        ("layer_decay", 1.5),
        ("unfreeze", -1),
        ("unfreeze", 0.5),
    ],
)
def test_invalid_arguments_are_refused(make_recipe, name, value):
    with pytest.raises(ConfigError, match=f"{name} must be"):
        make_recipe(**{name: value})


def test_takes_numbers_of_a_search(make_recipe):
    assert make_recipe(epochs=np.int64(3), learning_rate=np.float64(0.1)).epochs == 3


def test_layers_start_to_train_from_the_output_down(make_recipe):
    gradual, at_once = make_recipe(unfreeze=2), make_recipe()
    assert [[gradual.trains(depth, epoch) for depth in range(3)] for epoch in range(1, 6)] == [
        [True, False, False],
        [True, False, False],
        [True, True, False],
        [True, True, False],
        [True, True, True],
    ]
    assert all(at_once.trains(depth, 1) for depth in range(9))
