"""Property tests: drawn architectures come in from PyTorch and Keras, and go out and back, with the same numbers."""

import numpy as np
import pytest
from architectures import blocks, keras_model, keras_plans, plans, torch_module
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

torch = pytest.importorskip("torch", reason="PyTorch is the source")

from penstock import convert  # noqa: E402

TOLERANCE = 1e-5
# PyTorch says once that such layers do not run in oneDNN.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def drawn(examples):
    """A property test of so many examples, the same ones each time."""
    health = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=health)


def imported(plan):
    torch.manual_seed(0)
    module = torch_module(plan)
    model = convert.from_torch(module, sizes={} if plan.ids else {"x": plan.inputs})
    record = model.metrics["import"]["checked"]
    assert record["random_sequences"] == 5
    assert record["largest_difference"] <= TOLERANCE
    return module, model


@drawn(3)
@given(plans())
def test_modules(plan):
    imported(plan)


@pytest.mark.slow
@drawn(8)
@given(plans(most_blocks=3))
def test_more_modules(plan):
    imported(plan)


@drawn(4)
@given(blocks(), st.sampled_from([None, "last", "mean", "max"]), st.integers(0, 3), st.booleans())
def test_state_dicts(block, pool, table, head):
    torch.manual_seed(0)
    rnn = getattr(torch.nn, block.cell)(
        4, block.hidden, block.layers, bidirectional=block.both, bias=block.bias, batch_first=True, **block.options
    )
    parts = torch.nn.ModuleDict({"rnn": rnn})
    if table:
        parts["table"] = torch.nn.Embedding(table + 1, 4)
    if head:
        parts["head"] = torch.nn.Linear(block.size, 3)
    more = {"nonlinearity": "relu"} if block.options.get("nonlinearity") else {}
    model = convert.from_torch(parts.state_dict(), pool=pool if head else None, **more)
    assert model.metrics["import"]["checked"]["largest_difference"] <= TOLERANCE
    x = torch.randint(table + 1, (1, 7)) if table else torch.randn(1, 7, 4)
    with torch.no_grad():
        y = rnn(parts["table"](x) if table else x)[0]
        if head:
            y = {None: y, "last": y[:, -1], "mean": y.mean(1), "max": y.max(1)[0]}[pool]
            y = parts["head"](y)
    assert_allclose(model.predict([x[0].numpy()])[0], y[0].numpy(), atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")
@drawn(2)
@given(plans(most_blocks=1).filter(lambda plan: not plan.packed))
def test_exported_programs(plan):
    module, expected = imported(plan)
    shape = (1, 6) if plan.batch_first else (6, 1)
    x = torch.zeros(shape, dtype=torch.long) if plan.ids else torch.zeros((*shape, plan.inputs))
    with torch.no_grad():
        model = convert.from_torch(torch.export.export(module, (x,)))
    assert model.metrics["import"]["checked"]["largest_difference"] <= TOLERANCE
    random = np.random.default_rng(0)
    item = random.integers(0, plan.inputs, 6) if plan.ids else random.normal(size=(6, plan.inputs))
    for one, other in zip(outputs(model, item), outputs(expected, item), strict=True):
        assert_allclose(one, other, atol=TOLERANCE)


def outputs(model, item):
    found = model.predict([item])[0]
    return list(found.values()) if isinstance(found, dict) else [found]


def back_from_onnx(model, folder, streaming):
    convert.to_onnx(model, folder / "network.onnx", streaming=streaming, overwrite=True)
    found = convert.from_onnx(folder / "network.onnx")
    assert found.network == model.network
    for name, array in model.tensors.items():
        assert_array_equal(found.tensors[name], array)


@pytest.mark.usefixtures("onnx_runtime_alone")
@drawn(3)
@given(plans(), st.booleans())
def test_out_as_onnx_and_back(tmp_path, plan, streaming):
    _, model = imported(plan)
    back_from_onnx(model, tmp_path, streaming and model.network.streams)


@drawn(2)
@given(plans())
def test_out_as_pytorch(tmp_path, plan):
    _, model = imported(plan)
    written = convert.to_torch(model, tmp_path / "network.py", overwrite=True)
    assert max(written.errors.values()) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.usefixtures("onnx_runtime_alone")
@drawn(3)
@given(plans(most_blocks=3), st.booleans())
def test_out_in_every_form(tmp_path, plan, streaming):
    _, model = imported(plan)
    back_from_onnx(model, tmp_path, streaming and model.network.streams)
    assert max(convert.to_torch(model, tmp_path / "network.py", overwrite=True).errors.values()) <= TOLERANCE
    if model.network.streams and plan.between not in ("norm", "gelu"):  # which need more of the C library
        assert convert.to_c(model, tmp_path / "network", overwrite=True).errors["cc"] <= TOLERANCE


@pytest.mark.slow
@pytest.mark.filterwarnings(r"ignore::DeprecationWarning:keras\..*")
@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")
@drawn(4)
@given(keras_plans())
def test_models_of_keras(keras, tmp_path, plan):
    model = keras_model(keras, plan)
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.5, weight.shape))
    model.save(tmp_path / "model.keras")
    found = convert.from_keras(tmp_path / "model.keras")
    record = found.metrics["import"]["checked"]
    assert record["random_sequences"] == 5
    assert record["largest_difference"] <= TOLERANCE
    assert convert.from_keras(model).fingerprint == found.fingerprint
