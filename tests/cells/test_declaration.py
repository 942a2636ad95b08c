"""What a cell says of itself agrees with what it does."""

import copy
import pickle
import re
import subprocess
import sys

import pytest

from penstock.cells import CELLS, VARIANTS, find
from penstock.errors import ConfigError


def test_table_holds_each_cell_under_its_name():
    assert list(CELLS) == ["rnn", "lstm", "gru"]
    assert all(find(name) is cell and cell.name == name for name, cell in CELLS.items())


def test_unknown_cell_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"rnn, lstm, gru; got 'qrnn'"):
        find("qrnn")


def test_variants_reach_every_cell_and_option():
    assert {name for name, _ in VARIANTS} == set(CELLS)
    for name, cell in CELLS.items():
        reached = {option for n, options in VARIANTS if n == name for option in options}
        assert reached == {option for option, each in cell.options.items() if not each.between_steps}


def test_copies_are_the_cell_in_the_table():
    for cell in CELLS.values():
        assert copy.deepcopy(cell) is cell
        assert pickle.loads(pickle.dumps(cell)) is cell  # noqa: S301  (our own bytes, made in this line)


def test_parameter_shapes_follow_gates_and_states(variant):
    cell, options = variant(6)
    shapes = cell.parameter_shapes(5, 6, **options)
    sizes = cell.state_sizes(6, **options)
    assert shapes["weight_ih"] == (len(cell.gates) * 6, 5)
    assert shapes["weight_hh"] == (len(cell.gates) * 6, sizes[0])
    assert shapes["bias_ih"] == shapes["bias_hh"] == (len(cell.gates) * 6,)
    assert sizes == (options.get("proj_size", 6), 6)[: len(cell.states)]
    without_bias = cell.parameter_shapes(5, 6, False, **options)
    assert without_bias == {name: shape for name, shape in shapes.items() if not name.startswith("bias")}


def test_phases_use_each_weight_and_gate_once_and_write_the_states(variant):
    cell, options = variant(6)
    phases = cell.phases(**options)
    used = [parameter for phase in phases for parameter, _ in phase.products]
    gates: dict[str, list[str]] = {}
    for parameter in used:
        name, _, some = parameter.partition("[")
        gates.setdefault(name, []).extend(re.findall(r"\w+", some) or cell.gates)
    matrices = {name for name in cell.parameter_shapes(5, 6, False, **options) if name != "weight_ch"}
    assert set(gates) == matrices  # peepholes are elementwise: no product
    assert all(tuple(found) == cell.gates for found in gates.values())

    known = {"x", *cell.states}
    for phase in phases:
        assert {operand for _, operand in phase.products} <= known
        known |= set(phase.writes)
    assert set(cell.states) <= {written for phase in phases for written in phase.writes}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rnn", {"nonlinearity": "sigmoid"}, r"'tanh' or 'relu'; got 'sigmoid'"),
        ("rnn", {"peephole": True}, r"has the options nonlinearity, zoneout; got peephole"),
        ("lstm", {"proj_size": -1}, r"an integer, 0 or more; got -1"),
        ("lstm", {"proj_size": True}, r"an integer, 0 or more; got True"),
        ("lstm", {"peephole": 1}, r"True or False; got 1"),
        ("gru", {"reset_after": "no"}, r"True or False; got 'no'"),
    ],
)
def test_invalid_options_are_named(name, options, message):
    with pytest.raises(ConfigError, match=message):
        find(name).complete(options)


def test_options_left_out_get_their_defaults():
    assert find("lstm").complete({"peephole": True}) == {"peephole": True, "proj_size": 0, "zoneout": 0.0}


def test_cells_run_without_pytorch():
    program = (
        "import sys, numpy as np; from penstock import functional as F\n"
        "from penstock.cells import find, sweep\n"
        "x = np.ones((2, 3)); F.rnn_cell(x, np.zeros((2, 4)), np.ones((4, 3)), np.ones((4, 4))); "
        "p = {n: np.ones(s) for n, s in find('lstm').parameter_shapes(3, 4).items()}; "
        "sweep(find('lstm'), x[None], None, p, np.array([1, 0])); "
        "assert 'torch' not in sys.modules, 'PyTorch came in'"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
