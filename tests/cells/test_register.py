"""What a declaration from outside must hold to, and what its options lead to."""

import dataclasses

import pytest

from penstock.cells import CELLS, Cell, Option, all_options, find, own_options, register
from penstock.errors import ConfigError

pytestmark = pytest.mark.usefixtures("cells_as_before")


def shapes(input_size, hidden_size, bias=True, **options):
    made = {"weight_ih": (hidden_size, input_size), "weight_hh": (hidden_size, hidden_size)}
    return made | ({"bias_ih": (hidden_size,), "bias_hh": (hidden_size,)} if bias else {})


def a_cell(**changes):
    declared = {"name": "plain", "gates": ("hidden",), "states": ("h",), "parameter_shapes": shapes}
    return Cell(**{**declared, "step": lambda x, state, parameters, **options: state, **changes})


def test_a_registered_cell_is_found_and_a_later_one_of_its_name_takes_its_place():
    assert register(a_cell()) is find("plain")
    again = register(a_cell(options={"speed": Option(1, "how fast")}))
    assert find("plain") is again
    assert all_options()["speed"].default == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "lstm"}, "the cell 'lstm' is built in"),
        ({"name": "My cell"}, "lowercase letters, digits and _; got 'My cell'"),
        ({"states": ()}, "needs a state and a gate"),
        ({"gates": ("a", "b")}, r"weight_ih must be \(10, 3\) .* 2 gates; got \(5, 3\)"),
        ({"parameter_shapes": lambda i, h, bias=True: {"kernel": (h, i)}}, "two lowercase letters; got kernel"),
        ({"parameter_shapes": lambda i, h, bias=True: shapes(i, h)}, "bias=False must remove the biases"),
        ({"options": {"hidden_size": Option(1, "")}}, "'hidden_size' is not a valid or free option name"),
        (
            {"options": {"speed": Option("fast", "", choices=("slow",))}},
            "the default of speed must be 'slow'; got 'fast'",
        ),
        ({"options": {"peephole": Option(True, "")}}, "the option 'peephole' of another cell differs"),
    ],
)
def test_a_declaration_that_does_not_hold_together_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        register(a_cell(**changes))
    assert list(CELLS) == ["rnn", "lstm", "gru"]


def test_a_form_is_the_name_and_the_options_that_are_on():
    lstm, gru, rnn = find("lstm"), find("gru"), find("rnn")
    assert lstm.form({}) == lstm.form({"peephole": False, "proj_size": 0}) == "lstm"
    assert lstm.form({"proj_size": 3, "peephole": True}) == "lstm peephole proj_size"
    assert (gru.form({}), gru.form({"reset_after": False})) == ("gru reset_after", "gru")
    assert rnn.form({}) == "rnn nonlinearity=tanh"


def test_other_cells_options_must_keep_their_defaults():
    assert own_options(find("gru"), {"peephole": False, "reset_after": False}) == {"reset_after": False}
    with pytest.raises(ConfigError, match=r"peephole=True is not an option of the cell 'gru' \(its options"):
        own_options(find("gru"), {"peephole": True})
    with pytest.raises(ConfigError, match="speed=1 is not an option"):
        own_options(find("gru"), {"speed": 1})


def test_torch_has_the_cells_that_it_has():
    assert find("lstm").is_torch({"peephole": False, "proj_size": 2})
    assert not find("lstm").is_torch({"peephole": True, "proj_size": 0})
    assert not find("gru").is_torch({"reset_after": False})
    assert not dataclasses.replace(find("rnn"), torch_options=None).is_torch({})
