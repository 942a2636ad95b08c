"""Exports to PyTorch: the source stands alone, gives the model's numbers, and goes through torch.export."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import KINDS, example, functions, masked, model, recurrent
from numpy.testing import assert_allclose

from penstock.cells import VARIANTS, Cell, register
from penstock.cells.rnn import parameter_shapes, step
from penstock.cells.table import CELLS
from penstock.convert import to_torch
from penstock.convert.exporting import torch_file, torch_operations
from penstock.convert.exporting.onnx_file import Sequences
from penstock.convert.exporting.verification import padded, random_sequences, run_whole, whole_error
from penstock.errors import ConfigError
from penstock.network import Dense, GraphBuilder, Recurrent, RecurrentLayers, Value
from penstock.runtime import GraphModel

TOLERANCE = 2e-6  # sums in another order
# PyTorch says once that such layers do not run in oneDNN.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def opened(exported, folder):
    """The network of an export, as a stranger loads it."""
    text, tensors = torch_file._written(Sequences(exported), "network.safetensors")
    (folder / "network.py").write_text(text)
    (folder / "network.safetensors").write_bytes(torch_file.safetensors.numpy.save(tensors))
    return imported(folder / "network.py")


def imported(path):
    spec = importlib.util.spec_from_file_location("exported_network", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where torch.export looks for it
    spec.loader.exec_module(module)
    return module


def error(network, exported, sequences):
    def run(inputs):
        with torch.no_grad():
            found = network(*(torch.from_numpy(each) for each in inputs.values()))
        found = found if isinstance(found, dict) else {exported.graph.outputs[0]: found}
        return {name: each.numpy() for name, each in found.items()}

    return whole_error(run, exported, sequences)


LAYERS = (
    *VARIANTS,
    ("lstm", {"zoneout": (0.1, 0.4), "peephole": True}),
    ("gru", {"zoneout": 0.3}),
    ("rnn", {"zoneout": 0.2}),
)


@st.composite
def layers(draw):
    cell, form = draw(st.sampled_from(LAYERS))
    spec = Recurrent(
        cell=cell,
        input_size=3,
        hidden_size=draw(st.integers(3, 6)),
        num_layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        bias=draw(st.booleans()),
        **{name: 2 if value is None else value for name, value in form.items()},
    )
    return RecurrentLayers(spec, reverse=draw(st.booleans()), initial=draw(st.booleans()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(layers(), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_random_layers(tmp_path_factory, operation, lengths):
    exported = recurrent(operation)
    network = opened(exported, tmp_path_factory.mktemp("torch")).load()
    assert error(network, exported, random_sequences(exported.graph, lengths=tuple(lengths))) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_is_written(kind, tmp_path):
    exported = example(kind)
    assert error(opened(exported, tmp_path).load(), exported, random_sequences(exported.graph)) < TOLERANCE


def test_every_function_is_written(tmp_path):
    exported = functions()
    assert error(opened(exported, tmp_path).load(), exported, random_sequences(exported.graph)) < TOLERANCE


@pytest.mark.parametrize("at_masked", ["repeat", "zero"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_steps_that_a_mask_leaves_out_are_not_read(at_masked, bidirectional, tmp_path):
    exported = masked(Recurrent(cell="lstm", input_size=2, hidden_size=3, bidirectional=bidirectional), at_masked)
    sequences = random_sequences(exported.graph, lengths=(9, 0, 14, 1, 6))
    assert error(opened(exported, tmp_path).load(), exported, sequences) < TOLERANCE


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("gru", {"reset_after": False}),
        ("lstm", {"peephole": True, "proj_size": 2, "bidirectional": True}),
    ],
)
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method")  # PyTorch's own use, in running a scan
def test_torch_export_keeps_batch_and_time_free(cell, options, tmp_path):
    exported = recurrent(RecurrentLayers(Recurrent(cell=cell, input_size=3, hidden_size=4, **options)))
    network = opened(exported, tmp_path).load()
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    given = {name: torch.from_numpy(each) for name, each in padded(random_sequences(exported.graph)).items()}
    with torch.no_grad():
        program = torch.export.export(
            network, (), kwargs=given, dynamic_shapes={"x": {0: batch, 1: time}, "lengths": {0: batch}}
        )
    sequences = random_sequences(exported.graph, seed=1, lengths=(11, 5, 0))

    def run(inputs):
        found = program.module()(**{name: torch.from_numpy(each) for name, each in inputs.items()})
        return {name: each.detach().numpy() for name, each in found.items()}

    expected = run_whole(lambda inputs: run_eager(network, inputs), exported.graph, sequences)
    for name, found in run_whole(run, exported.graph, sequences).items():
        assert_allclose(getattr(found, "values", found), getattr(expected[name], "values", expected[name]), atol=1e-6)


def run_eager(network, inputs):
    with torch.no_grad():
        return {k: v.numpy() for k, v in network(**{n: torch.from_numpy(e) for n, e in inputs.items()}).items()}


@pytest.mark.slow
def test_the_file_needs_nothing_of_penstock(tmp_path):
    written = to_torch(model(), tmp_path / "tagger.py")
    assert [path.name for path in written.files] == ["tagger.py", "tagger.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tagger.py", "tagger.safetensors"]
    code = (
        "import sys, torch, tagger; network = tagger.load(); "
        "found = network(torch.tensor([[1, 2, 0]]), torch.zeros(1, 3, 2)); "
        "print(found['kind'].tolist(), any(name.startswith('penstock') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    numbers, penstocks = done.stdout.rsplit(" ", 1)
    expected = model().predict([{"word": [1, 2, 0], "level": np.zeros((3, 2))}])[0]["kind"]
    assert_allclose(np.array(numbers.strip("[]").split(","), float), expected, atol=1e-6)
    assert penstocks.strip() == "False"


def test_the_source_is_tidy(tmp_path):
    text = to_torch(model(), tmp_path / "tagger.py").files[0].read_text()
    assert all(line == line.rstrip() and len(line) <= 120 for line in text.splitlines())
    checks = [[sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", str(tmp_path)]]
    checks.append(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", checks[0][-1]]
    )
    for check in checks:
        done = subprocess.run(check, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_names_of_a_network_never_become_code(tmp_path):
    """An imported network's names may hold anything; they must not be run, nor end a string."""
    evil = 'a"""\nraise SystemExit(3)\n"""'
    builder = GraphBuilder({"class": Value(2), evil: Value(2)})
    first = builder.add(Dense(2, 1, bias=False), evil, name=f"{evil}b", weight=np.ones((1, 2)))
    second = builder.add(Dense(2, 1, bias=False), "class", name="forward", weight=np.ones((1, 2)))
    exported_model = GraphModel(*builder.build(first, second))
    written = to_torch(exported_model, tmp_path / "named.py")
    network = imported(written.files[0]).load()
    assert list(network(torch.ones(1, 1, 2), torch.ones(1, 1, 2))) == [f"{evil}b", "forward"]


def test_what_cannot_be_written_is_named(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"must be called NAME\.py"):
        to_torch(model(), tmp_path / "my model.py")
    with monkeypatch.context() as changed:
        changed.setitem(torch_operations.TORCH_WRITERS, "pool", torch_operations.TORCH_WRITERS["add"])
        with pytest.raises(ConfigError, match="the module in PyTorch computes something else than the model"):
            to_torch(model(), tmp_path / "wrong.py")
    monkeypatch.setitem(CELLS, "own", CELLS["rnn"])  # so that it is removed afterwards
    register(Cell(name="own", gates=("g",), states=("h",), parameter_shapes=parameter_shapes, step=step))
    exported = recurrent(RecurrentLayers(Recurrent(cell="own", input_size=3, hidden_size=2)))
    with pytest.raises(ConfigError, match=r"the cell 'own' is not of PyTorch.*Export it to ONNX"):
        torch_file._written(Sequences(exported), "own.safetensors")
    assert list(tmp_path.iterdir()) == []
