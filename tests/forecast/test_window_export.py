"""A forecaster with a look-back, as a function of arrays and as an ONNX file, computes what its scorer computes."""

import numpy as np
import pytest
import safetensors.numpy
import torch
from numpy.testing import assert_allclose

from penstock.convert.exporting import torch_file
from penstock.convert.exporting.onnx_model import Form
from penstock.convert.exporting.onnx_window import Window
from penstock.convert.exporting.runtimes import onnx_runtime
from penstock.errors import ConfigError
from penstock.forecast.spec import SegmentForecastHead, Segments
from penstock.forecast.window_export import WindowFunction
from penstock.network import Network, Recurrent
from penstock.runtime.scorer import build

RANDOM = np.random.default_rng(5)
CASES = [
    {"normalization": "relative", "known": 2, "highway": 3, "identities": 2, "covariates": 2, "horizon": 5},
    {"normalization": "instance", "known": 0, "highway": 0, "identities": 0, "covariates": 0, "horizon": 4},
    {"normalization": "last", "known": 3, "highway": 0, "identities": 0, "covariates": 3, "horizon": 1},
    {"normalization": "none", "known": 0, "highway": 5, "identities": 3, "covariates": 1, "horizon": 7},
]


def window(*, identities, covariates, targets=2, cell="lstm", form=None, **options):
    head = SegmentForecastHead(length=3, size=4, context=10, targets=targets, quantiles=3, **options)
    inputs = Segments(3, targets + covariates, 4, identities=identities)
    network = Network(inputs, Recurrent(cell=cell, input_size=4, hidden_size=5, num_layers=2, **(form or {})), head)
    shapes = network.parameter_shapes()
    tensors = {name: RANDOM.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    return Window(network, WindowFunction(network, tensors), build(network, tensors), {"penstock": "0"})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["normalization"])
def test_the_file_computes_what_the_scorer_does(case):
    found = window(**case)
    made = found.made(Form())
    assert [each.name for each in made.graph.input] == list(found.function.inputs)
    assert found.error(onnx_runtime(made.SerializeToString()), Form(), made) < 2e-6


def test_a_cell_without_an_operator_is_a_loop():
    found = window(**CASES[0], form={"proj_size": 3})
    made = found.made(Form())
    assert {"Scan"} <= {node.op_type for node in made.graph.node}
    assert found.error(onnx_runtime(made.SerializeToString()), Form(), made) < 2e-6


def in_pytorch(found, folder):
    """The module that is written for PyTorch, and its error."""
    text, tensors = torch_file._written(found, "network.safetensors")
    contents = {folder / "network.py": text.encode(), folder / "network.safetensors": safetensors.numpy.save(tensors)}
    return torch_file._loaded(contents), found.error(torch_file._run(contents, found), Form(), None)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # PyTorch says so once
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["normalization"])
@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("gru", {}),
        ("lstm", {"proj_size": 3}),
        ("gru", {"reset_after": False}),
        ("lstm", {"peephole": True}),
        ("rnn", {"zoneout": 0.2}),
    ],
)
def test_the_module_of_pytorch_computes_what_the_scorer_does(cell, form, case, tmp_path):
    found = window(**case, cell=cell, form=form)
    assert in_pytorch(found, tmp_path)[1] < 2e-6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")  # PyTorch's own of its layers
def test_torch_export_keeps_the_batch_free(tmp_path):
    found = window(**CASES[0], cell="gru")
    module, _ = in_pytorch(found, tmp_path)
    batch = torch.export.Dim("batch")

    def given(rows):
        shapes = found.function.inputs
        return {name: torch.randn(rows, *shape) if shape else torch.arange(rows) % 3 for name, shape in shapes.items()}

    with torch.no_grad():
        dynamic = {name: {0: batch} for name in found.function.inputs}
        program = torch.export.export(module, (), kwargs=given(3), dynamic_shapes=dynamic)
        more = given(7)
        assert_allclose(program.module()(**more), module(**more), atol=1e-6)


def test_the_function_is_for_any_array_library():
    found = window(**CASES[0])
    network, scorer = found.network, found.scorer
    arrays = {
        name: RANDOM.normal(size=(4, *shape)).astype(np.float32) if shape else np.array([0, 1, 2, 1])
        for name, shape in found.function.inputs.items()
    }
    result = found.function(scorer.encode, **arrays)
    assert result.shape == (4, *found.function.shape) == (4, 5, 2, 3)
    assert_allclose(result, scorer(*arrays.values()), atol=1e-5)
    assert network.head.horizon == 5


def test_there_is_no_stream():
    with pytest.raises(ConfigError, match="reads its window anew for each forecast, so it has no streaming form"):
        window(**CASES[1]).made(Form(streaming=True))
