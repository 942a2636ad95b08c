"""The functions people call: the same equations under short names, checked at the border."""

import numpy as np
import pytest
import torch

from penstock import functional as F
from penstock.cells import find
from penstock.errors import ConfigError, DtypeError, ShapeError

rng = np.random.default_rng(0)


def _draw(name, **options):
    return {key: rng.standard_normal(shape) for key, shape in find(name).parameter_shapes(3, 4, **options).items()}


def test_every_function_is_exported():
    assert F.__all__ == ["gru_cell", "lstm_cell", "rnn_cell"]


@pytest.mark.parametrize("axes", [(), (2,), (2, 5)], ids=["one", "batch", "batch-of-batches"])
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy], ids=["numpy", "pytorch"])
def test_functions_equal_the_cells_steps(axes, library):
    x, h, c = (library(rng.standard_normal((*axes, size))) for size in (3, 4, 4))
    for nonlinearity in ("tanh", "relu"):
        p = {key: library(value) for key, value in _draw("rnn").items()}
        expected = find("rnn").step(x, (h,), p, nonlinearity=nonlinearity)
        got = F.rnn_cell(x, h, *p.values(), nonlinearity=nonlinearity)
        assert got.shape == (*axes, 4)
        np.testing.assert_array_equal(got, expected[0])
    for reset_after in (True, False):
        p = {key: library(value) for key, value in _draw("gru").items()}
        expected = find("gru").step(x, (h,), p, reset_after=reset_after)
        np.testing.assert_array_equal(F.gru_cell(x, h, *p.values(), reset_after=reset_after), expected[0])
    for options in ({}, {"peephole": True}, {"proj_size": 2}, {"peephole": True, "proj_size": 2}):
        p = {key: library(value) for key, value in _draw("lstm", **options).items()}
        state = (h[..., : options.get("proj_size", 4)], c)
        expected = find("lstm").step(x, state, p, **options)
        got = F.lstm_cell(
            x,
            state,
            p["weight_ih"],
            p["weight_hh"],
            p["bias_ih"],
            p["bias_hh"],
            peephole=p.get("weight_ch"),
            projection=p.get("weight_hr"),
        )
        for mine, wanted in zip(got, expected, strict=True):
            np.testing.assert_array_equal(mine, wanted)


def test_one_bias_is_enough():
    p = _draw("gru")
    x, h = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    with_zero = F.gru_cell(x, h, p["weight_ih"], p["weight_hh"], p["bias_ih"], np.zeros(12))
    np.testing.assert_array_equal(F.gru_cell(x, h, p["weight_ih"], p["weight_hh"], p["bias_ih"]), with_zero)


def test_functions_equal_pytorchs():
    x, h, c = (torch.from_numpy(rng.standard_normal((2, size))) for size in (3, 4, 4))
    for name, ours, theirs in (("rnn", F.rnn_cell, torch.rnn_tanh_cell), ("gru", F.gru_cell, torch.gru_cell)):
        p = [torch.from_numpy(value) for value in _draw(name).values()]
        torch.testing.assert_close(ours(x, h, *p), theirs(x, h, *p), rtol=1e-12, atol=1e-12)
    p = [torch.from_numpy(value) for value in _draw("lstm").values()]
    torch.testing.assert_close(F.lstm_cell(x, (h, c), *p), torch.lstm_cell(x, (h, c), *p), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (((2, 5), (2, 4), (4, 3), (4, 4)), {}, ShapeError, r"x must be \(\.\.\., input=3\); got \(2, 5\)"),
        (((2, 3), (1, 4), (4, 3), (4, 4)), {}, ShapeError, r"h must be \(2, 4\).*got \(1, 4\)"),
        (((2, 3), (2, 4), (4, 3), (4, 5)), {}, ShapeError, r"weight_hh must be \(4, 4\).*got \(4, 5\)"),
        (((2, 3), (2, 4), (4, 3), (4, 4), (5,)), {}, ShapeError, r"bias_ih must be \(4,\).*got \(5,\)"),
        (
            ((2, 3), (2, 4), (4, 3), (4, 4)),
            {"nonlinearity": "sin"},
            ConfigError,
            r"'tanh' or 'relu'; got 'sin'",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        F.rnn_cell(*map(np.ones, arguments), **options)


def test_integers_are_refused():
    with pytest.raises(DtypeError, match="floating-point"):
        F.rnn_cell(np.ones((2, 3), np.int64), np.ones((2, 4)), np.ones((4, 3)), np.ones((4, 4)))
