"""Flags are made from a signature and its docstring, whatever types it has."""

from typing import Annotated, Literal, get_args, get_origin

import pytest

from penstock.cli.options import argument_texts, estimator_flags, parse_options


class Estimator:
    """An estimator.

    Args:
        cell: which `cell`,
            over two lines.
        hidden_size, layers: sizes.
        weights: per class.

    Raises:
        ConfigError: never.
    """

    def __init__(
        self,
        cell: Literal["lstm", "gru"] = "lstm",
        hidden_size: int = 3,
        layers: int | None = None,
        shuffle: bool = True,
        weights: Literal["balanced"] | dict[str, float] | None = None,
        rate: float | Literal["auto"] = 0.1,
    ) -> None: ...


@pytest.fixture
def flags():
    return {parameter.name: parameter for parameter in estimator_flags(Estimator)}


def kind(parameter):
    assert get_origin(parameter.annotation) is Annotated
    return get_args(parameter.annotation)[0]


def option(parameter):
    info = get_args(parameter.annotation)[1]
    return [info.default, *(info.param_decls or ())]


def test_each_argument_is_a_flag_with_its_default(flags):
    assert list(flags) == ["cell", "hidden_size", "layers", "shuffle", "weights", "rate"]
    assert {name: flag.default for name, flag in flags.items()}["hidden_size"] == 3
    assert "--hidden-size" in option(flags["hidden_size"])
    assert "--shuffle/--no-shuffle" in option(flags["shuffle"])


def test_types_become_those_of_flags(flags):
    assert {name: kind(flag) for name, flag in flags.items()} == {
        "cell": str,
        "hidden_size": int,
        "layers": int | None,
        "shuffle": bool,
        "weights": str | None,
        "rate": str,
    }


def test_help_is_the_docstrings():
    texts = argument_texts(Estimator.__doc__)
    assert texts == {
        "cell": "which `cell`, over two lines.",
        "hidden_size": "sizes.",
        "layers": "sizes.",
        "weights": "per class.",
    }


def test_flags_of_several_types_are_read_as_json():
    given = {"weights": '{"a": 2.0}', "rate": "0.5", "cell": "gru", "layers": None, "other": "1"}
    assert parse_options(Estimator, given) == {"weights": {"a": 2.0}, "rate": 0.5, "cell": "gru", "layers": None}
    assert parse_options(Estimator, {"weights": "balanced", "rate": "auto"}) == {"weights": "balanced", "rate": "auto"}


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("weekday", ["weekday"]),
        ("hour, weekday", ["hour", "weekday"]),
        ('["hour"]', ["hour"]),
        ("auto", "auto"),
        ("null", None),
    ],
)
def test_a_list_may_be_written_with_commas(words, value):
    class Listed:
        def __init__(self, calendar: Literal["auto"] | list[str] | None = None) -> None: ...

    assert parse_options(Listed, {"calendar": words}) == {"calendar": value}


@pytest.mark.parametrize(("words", "value"), [("0.5", [0.5]), ("0.1,0.5,0.9", [0.1, 0.5, 0.9]), ("[0.5]", [0.5])])
def test_numbers_with_commas_are_a_list_of_numbers(words, value):
    class Listed:
        def __init__(self, quantiles: list[float] | None = None) -> None: ...

    assert parse_options(Listed, {"quantiles": words}) == {"quantiles": value}
