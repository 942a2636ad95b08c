"""Options are made from a signature and its docstrings, whatever types it has."""

from collections import ChainMap
from typing import Annotated, ClassVar, Literal

import click
import pytest

from penstock.cli.command import Command
from penstock.cli.options import argument_texts, estimator_options
from penstock.cli.values import Number, OneOf, meant

CELLS = {"lstm": 1, "gru": 2}


class Parent:
    """What estimators share.

    Args:
        epochs: passes over the data.
    """

    panels: ClassVar = {"training": ("rate", "epochs")}


class Estimator(Parent):
    """An estimator.

    Args:
        cell: which `cell`,
            over two lines.
        hidden_size, layers: sizes.
        shuffle: see `hidden_size`, not hidden.
        quantiles: as `weights`; None for 0.1, 0.5 and 0.9; ascending.
        keep: the weights to keep; None for all of them.
        weights: per class.

    Raises:
        ConfigError: never.
    """

    panels: ClassVar = {"data": ("calendar",)}

    def __init__(
        self,
        epochs: int = 3,
        cell: Annotated[str, CELLS] = "lstm",
        hidden_size: int = 3,
        layers: int | None = None,
        shuffle: bool = True,
        keep: Literal["best", "last"] | None = "best",
        weights: Literal["balanced"] | dict[str, float] | None = None,
        rate: float | Literal["auto"] = 0.1,
        calendar: Literal["none", "auto"] | list[str] | None = "none",
        quantiles: list[float] | None = None,
        scale: float = 1.0,
    ) -> None: ...


@pytest.fixture
def options():
    return {option.name: option for option in estimator_options(Estimator, leave_out=("scale",))}


@pytest.fixture
def read():
    """The values of a line."""
    found = {}
    command = Command("x", params=estimator_options(Estimator), callback=lambda **values: found.update(values))

    def parsed(*words):
        command.main(list(words), standalone_mode=False)
        return found

    return parsed


def test_each_argument_is_an_option_with_its_default(options, read):
    assert list(options) == [
        "rate", "epochs", "calendar", "cell", "hidden_size", "layers", "shuffle", "keep", "weights", "quantiles",
    ]  # fmt: skip
    assert options["hidden_size"].opts == ["--hidden-size"]
    assert (options["shuffle"].opts, options["shuffle"].secondary_opts) == (["--shuffle"], ["--no-shuffle"])
    assert read() == {
        "epochs": 3, "cell": "lstm", "hidden_size": 3, "layers": None, "shuffle": True, "keep": "best",
        "weights": None, "rate": 0.1, "calendar": "none", "quantiles": None, "scale": 1.0,
    }  # fmt: skip


def test_panels_are_those_that_the_classes_say_and_otherwise_the_network(options):
    panels = {name: option.panel for name, option in options.items()}
    assert panels == dict.fromkeys(options, "network") | dict.fromkeys(("rate", "epochs"), "training") | {
        "calendar": "data"
    }


def test_help_is_the_docstrings(options):
    assert options["cell"].help == "Which cell, over two lines."
    assert options["epochs"].help == "Passes over the data."
    assert argument_texts(Estimator.__doc__) == {
        "cell": "which `cell`, over two lines.",
        "hidden_size": "sizes.",
        "layers": "sizes.",
        "shuffle": "see `hidden_size`, not hidden.",
        "quantiles": "as `weights`; None for 0.1, 0.5 and 0.9; ascending.",
        "keep": "the weights to keep; None for all of them.",
        "weights": "per class.",
    }


def test_help_is_in_words_of_the_command_line(options):
    assert options["shuffle"].help == "See --hidden-size, not hidden."
    assert options["quantiles"].help == "As weights; default: 0.1, 0.5 and 0.9; ascending."
    assert options["keep"].help == "The weights to keep."


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("--hidden-size 8", 8),
        ("--no-shuffle", False),
        ("--cell gru", "gru"),
        ("--keep last", "last"),
        ("--scale 2", 2.0),
        ("--scale inf", float("inf")),
        ("--weights balanced", "balanced"),
        ('--weights {"a":2.0}', {"a": 2.0}),
        ("--rate 0.5", 0.5),
        ("--rate auto", "auto"),
        ("--calendar auto", "auto"),
        ("--calendar null", None),
        ("--calendar weekday", ["weekday"]),
        ("--calendar hour,weekday", ["hour", "weekday"]),
        ('--calendar ["hour"]', ["hour"]),
        ("--quantiles 0.5", [0.5]),
        ("--quantiles 0.1,0.5", [0.1, 0.5]),
        ("--quantiles [0.5]", [0.5]),
    ],
)
def test_values_have_their_types(read, words, value):
    name = words.split()[0].strip("-").removeprefix("no-").replace("-", "_")
    found = read(*words.split())[name]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--hidden-size many", "must be a whole number; got 'many'"),
        ("--hidden-size 1.5", "must be a whole number; got '1.5'"),
        ("--scale nan", "must be a number; got 'nan'"),
        ("--cell lsmt", "must be one of lstm, gru; got 'lsmt'. Did you mean lstm?"),
        ("--keep first", "must be one of best, last; got 'first'."),
        ("--weights balansed", "must be balanced or JSON; got 'balansed'. Did you mean balanced?"),
    ],
)
def test_what_is_wrong_is_said(read, words, message):
    with pytest.raises(click.BadParameter) as error:
        read(*words.split())
    assert error.value.message.removesuffix(".") == message.removesuffix(".")


@pytest.mark.parametrize(("value", "right"), [(8, True), (8.0, True), (8.5, False), (True, False), ([8], False)])
def test_numbers_of_a_configuration(value, right):
    whole = Number(whole=True)
    if right:
        assert whole.convert(value, None, None) == value
    else:
        with pytest.raises(click.BadParameter, match="a whole number"):
            whole.convert(value, None, None)
    with pytest.raises(click.BadParameter, match="at least 9"):
        Number(least=9).convert(8, None, None)


def test_a_table_may_grow_after_its_option_is_made():
    table = ChainMap({"lstm": 1})
    words = OneOf(table.keys)
    table["mine"] = 2
    assert words.convert("mine", None, None) == "mine"
    assert [each.value for each in words.shell_complete(None, None, "m")] == ["mine"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("tran", " Did you mean train?"), ("--trian", " Did you mean train?"), ("plumbing", ""), ("", "")],
)
def test_what_was_meant(word, near):
    assert meant(word, ["train", "stream", "evaluate"]) == near
