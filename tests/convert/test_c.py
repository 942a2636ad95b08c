"""Networks in C: compiled here, and held against the runtime; refused where C has no such step."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.convert import to_c
from penstock.convert.exporting.c.tables import quantized
from penstock.errors import ConfigError
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Differs,
    GraphBuilder,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Recurrent,
    RecurrentLayers,
    Reverse,
    Scale,
    Slice,
    Value,
)
from penstock.runtime import GraphModel

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler here")

RANDOM = np.random.default_rng(11)
CELLS = [
    ("lstm", {}),
    pytest.param("lstm", {"peephole": True}, marks=pytest.mark.slow),
    ("lstm", {"peephole": True, "proj_size": 3}),
    ("gru", {}),
    ("gru", {"reset_after": False}),
    ("rnn", {"nonlinearity": "relu"}),
    ("lstm", {"proj_size": 3, "zoneout": (0.5, 0.1)}),
    pytest.param("gru", {"zoneout": 0.2}, marks=pytest.mark.slow),
]
WARNINGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]


def added(builder, operation, *inputs):
    shapes = operation.parameter_shapes()
    return builder.add(operation, *inputs, **{name: RANDOM.normal(0, 0.4, shape) for name, shape in shapes.items()})


def recurrent(cell="gru", options=None, *, inputs=5, layers=2, bias=True, initial=False):
    spec = Recurrent(cell=cell, input_size=inputs, hidden_size=6, num_layers=layers, bias=bias, **(options or {}))
    return RecurrentLayers(spec, initial=initial)


def network(cell, options, *, bias=True, initial=False):
    """Every operation that C has: ids and numbers, two branches, one output for steps and one for the sequence."""
    builder = GraphBuilder({"word": Value(4, ids=True), "level": Value(2)})
    joined = builder.add(Concatenate(), added(builder, Lookup(4, 3), "word"), added(builder, Scale(2), "level"))
    layers = recurrent(cell, options, bias=bias, initial=initial)
    y, size = added(builder, layers, joined), layers.layers.output_size
    pooled = [builder.add(Pool(over), y) for over in ("first", "last", "sum", "mean", "max")]
    early = builder.add(Pointwise("softmax"), added(builder, Dense(5 * size, 3), builder.add(Concatenate(), *pooled)))
    both = builder.add(Multiply(), builder.add(Add(), y, y), y)
    wide = added(builder, Dense(size, 4, bias=bias), both)
    scores = added(builder, Dense(2, 3, blocks=2), builder.add(Pointwise("tanh"), wide))
    return GraphModel(*builder.build(builder.add(Slice(1, 5), scores), early))


@pytest.mark.parametrize(("cell", "options"), CELLS)
def test_outputs_are_those_of_the_runtime(tmp_path, cell, options):
    exported = to_c(network(cell, options, initial=True), tmp_path / "net")
    assert exported.errors["cc"] < 1e-5  # a relu without limits multiplies the rounding of its sums
    assert [path.name for path in exported.files] == ["net.h", "net.c", "net_main.c"]


@pytest.mark.parametrize("at_masked", ["repeat", "zero"])
@pytest.mark.parametrize("ids", [False, True])
def test_masked_steps_are_not_read(tmp_path, at_masked, ids):
    builder = GraphBuilder({"x": Value(3, ids=ids)})
    mask = builder.add(Differs(1.0 if ids else 0.0), "x")
    x = added(builder, Lookup(3, 3), "x") if ids else "x"
    layers = RecurrentLayers(Recurrent(cell="gru", input_size=3, hidden_size=4), masked=True, at_masked=at_masked)
    y = added(builder, layers, x, mask)
    pools = [builder.add(Pool(over, masked=True), y, mask) for over in ("first", "last", "mean", "max")]
    model = GraphModel(*builder.build(y, *pools))
    data = [RANDOM.integers(0, 3, 9) if ids else RANDOM.normal(size=(9, 3)) * (np.arange(9) % 3 > 0)[:, None]]
    assert to_c(model, tmp_path / "net", data=data).errors["cc"] < 1e-6


def test_int8_is_close_and_smaller(tmp_path):
    model = network("lstm", {}, bias=False)
    plain, rounded = to_c(model, tmp_path / "plain"), to_c(model, tmp_path / "rounded", int8=True)
    assert 1e-5 < rounded.measures["largest difference"] < 0.1
    assert rounded.measures["bytes of constants"] < 0.55 * plain.measures["bytes of constants"]
    assert rounded.measures["bytes of state"] == plain.measures["bytes of state"]


def test_int8_scales_are_those_of_the_rows():
    values = np.array([[1.0, -2.54], [0, 0], [127, 1]], np.float32)
    scales, rounded = quantized(values)
    np.testing.assert_array_equal(rounded, [[50, -127], [0, 0], [127, 1]])
    np.testing.assert_allclose(rounded * scales[:, None], values, atol=0.011)


@pytest.mark.parametrize(
    "function",
    [
        "abs",
        "clip",
        "elu",
        "exp",
        "gelu_tanh",
        "hard_sigmoid",
        "leaky_relu",
        "log_softmax",
        "relu",
        "selu",
        "sigmoid",
        "silu",
        "softmax",
        "softsign",
        "tanh",
    ],
)
@pytest.mark.slow
def test_functions(tmp_path, function):
    builder = GraphBuilder({"x": Value(5)})
    model = GraphModel(*builder.build(builder.add(Pointwise(function), "x")))
    assert to_c(model, tmp_path / "net").errors["cc"] < 1e-6


def test_data_are_compared_on_request_and_empty_ones_left_out(tmp_path):
    builder = GraphBuilder({"x": Value(5)})
    model = GraphModel(*builder.build(added(builder, recurrent(), "x")))
    written = to_c(model, tmp_path / "net", int8=True, data=[np.ones((3, 5)), np.zeros((0, 5))])
    assert written.measures["compared on"] == "1 given sequences"


def test_size_in_the_header_is_that_of_the_state(tmp_path):
    exported = to_c(network("gru", {}), tmp_path / "net")
    header = exported.files[0].read_text()
    assert int(re.search(r"#define NET_STATE_BYTES (\d+)", header)[1]) == exported.measures["bytes of state"]
    # Two layers of 6; five pools of 6, each with its number of steps.
    assert exported.measures["bytes of state"] == 4 * (2 * 6 + 5 * (6 + 1))


def test_only_two_functions_of_the_library_are_needed(tmp_path):
    exported = to_c(network("lstm", {"peephole": True}), tmp_path / "net")
    object_file = tmp_path / "net.o"
    subprocess.run(["cc", *WARNINGS, "-ffreestanding", "-c", exported.files[1], "-o", object_file], check=True)
    undefined = subprocess.run(["nm", "-u", object_file], capture_output=True, text=True, check=True).stdout
    assert set(undefined.split()) - {"U", "_GLOBAL_OFFSET_TABLE_"} == {"expf", "tanhf"}


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize(
    "command",
    [["gcc"], ["clang"], ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]],
    ids=lambda command: command[0],
)
@pytest.mark.slow
def test_compilers_give_no_warning(tmp_path, command, int8):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    exported = to_c(network("gru", {"reset_after": False}), tmp_path / "net", int8=int8)
    made = subprocess.run(
        [*command, *WARNINGS, "-c", exported.files[1], "-o", tmp_path / "net.o"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")


def test_what_has_no_step_is_refused_by_name(tmp_path):
    backward = GraphBuilder({"x": Value(5)})
    turned = GraphModel(*backward.build(backward.add(Reverse(), "x")))
    with pytest.raises(ConfigError, match="reverse read each sequence from its end"):
        to_c(turned, tmp_path / "net")
    root = GraphBuilder({"x": Value(5)})
    with pytest.raises(ConfigError, match="sqrt needs more of the C library"):
        to_c(GraphModel(*root.build(root.add(Pointwise("sqrt"), "x"))), tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_a_forecasters_loss_is_measured_on_series(tmp_path):
    released = Path(__file__).parents[1] / "released" / "0.1.0" / "forecast-carried"
    model = penstock.load(released / "model")
    series = penstock.read_series(released / "input.csv", time="ds", target="y", known=["promo"])
    written = to_c(model, tmp_path / "net", int8=True, data=series)
    assert written.measures["compared on"].endswith(" given sequences")
    assert 1e-5 < written.measures["largest difference"] < 0.1


def test_names_and_files_are_checked(tmp_path):
    model = network("gru", {})
    with pytest.raises(ConfigError, match="identifier of C"):
        to_c(model, tmp_path / "my-net")
    (tmp_path / "net.c").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        to_c(model, tmp_path / "net")
    assert (tmp_path / "net.c").read_text() == "mine"
    to_c(model, tmp_path / "net", overwrite=True)
    assert "net_step" in (tmp_path / "net.c").read_text()
    with pytest.raises(ConfigError, match="no compiler 'nowhere-cc'"):
        to_c(model, tmp_path / "other", compiler="nowhere-cc")


def test_labels_are_a_table(tmp_path):
    texts, labels = ["good food", "bad room"] * 8, ["gut?", 'schlecht \\ "差"'] * 8
    fitted = penstock.TextClassifier(
        hidden_size=4,
        epochs=1,
    ).fit(texts, labels)
    exported = to_c(fitted.model_, tmp_path / "net")
    program = tmp_path / "program"
    subprocess.run(["cc", *exported.files[1:], "-lm", "-o", program], check=True, cwd=tmp_path)
    shown = subprocess.run([program], input=b"1 2", capture_output=True, check=True).stdout.decode().splitlines()
    assert shown[0] == ",".join(map(str, fitted.model_.labels))
    assert len(shown) == 3
