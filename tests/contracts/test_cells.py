"""Contract: a cell of the package is whole. What one lacks is said by name."""

import inspect
from pathlib import Path

import pytest

from penstock import engine, nn
from penstock.cells import CELLS, VARIANTS, Cell, all_options
from penstock.nn.any_cell import LAYERS
from penstock.tasks.options import CellOptions

ROOT = Path(__file__).resolve().parents[2]
CELL_CLASSES = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def lacks(cell: Cell) -> list[str]:
    """What is missing before the cell is whole."""
    missing = []
    for form in cell.forms:
        spelled = cell.form({name: 2 if value is None else value for name, value in form.items()})
        if spelled not in engine.FORMS:
            missing.append(f"kernels for {spelled!r}: cpp/include/penstock/{cell.name}.hpp and cpp/src/kernels.cpp")
    for page in (f"docs/cells/{cell.name}.md", f"docs/zh/cells/{cell.name}.md"):
        if not (ROOT / page).is_file():
            missing.append(f"the derivation: {page}")
    if cell.phases is None:
        missing.append(f"phases: of {cell.name} in src/penstock/cells/{cell.name}.py")
    return missing


@pytest.mark.parametrize("cell", CELLS.values(), ids=list(CELLS))
def test_nothing_is_missing(cell):
    assert lacks(cell) == []


@pytest.mark.usefixtures("cells_as_before")
def test_what_is_missing_is_said():
    import runpy

    outside = runpy.run_path(str(ROOT / "examples" / "cell_of_your_own.py"))["MGU"]
    assert [each.split(":")[0] for each in lacks(outside)] == ["kernels for 'mgu'", *["the derivation"] * 2, "phases"]


def test_the_engine_has_no_form_that_no_cell_has():
    forms = {CELLS[name].form({k: 2 if v is None else v for k, v in options.items()}) for name, options in VARIANTS}
    assert forms == engine.FORMS


@pytest.mark.parametrize("name", LAYERS)
def test_constructors_take_the_options_that_the_cell_declares(name):
    declared = {option: each.default for option, each in CELLS[name].options.items()}
    for made, less in (
        (LAYERS[name], set()),
        (CELL_CLASSES[name], {"proj_size"}),
    ):  # PyTorch's cells have no projection
        given = inspect.signature(made).parameters
        assert {option: given[option].default for option in declared if option not in less} == {
            option: default for option, default in declared.items() if option not in less
        }
        others = set(all_options()) - set(declared) - {"proj_size"}  # a word of PyTorch's, which RNN and GRU refuse
        assert not others & set(given)


def test_estimators_take_the_options_of_all_cells():
    given = inspect.signature(CellOptions).parameters
    assert {name: given[name].default for name in all_options()} == {
        name: each.default for name, each in all_options().items()
    }
