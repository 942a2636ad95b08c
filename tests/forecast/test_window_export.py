"""A forecaster with a look-back, as a function of arrays and as an ONNX file, computes what its scorer computes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

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


def window(*, identities, covariates, proj_size=0, targets=2, **options):
    head = SegmentForecastHead(length=3, size=4, context=10, targets=targets, quantiles=3, **options)
    inputs = Segments(3, targets + covariates, 4, identities=identities)
    network = Network(inputs, Recurrent(input_size=4, hidden_size=5, num_layers=2, proj_size=proj_size), head)
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
    found = window(**CASES[0], proj_size=3)
    made = found.made(Form())
    assert {"Scan"} <= {node.op_type for node in made.graph.node}
    assert found.error(onnx_runtime(made.SerializeToString()), Form(), made) < 2e-6


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
