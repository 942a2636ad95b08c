"""Recurrence: what it reads from files, takes as input, and refuses."""

import gc
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save_file

from penstock.errors import BundleError, ConfigError, DtypeError, LengthsError, ShapeError
from penstock.runtime import Recurrence


def weights(gates=4, inputs=3, hidden=2, layers=1, suffixes=("",)):
    rng = np.random.default_rng(0)
    found = {}
    for layer in range(layers):
        size = inputs if layer == 0 else hidden * len(suffixes)
        for suffix in suffixes:
            end = f"l{layer}{suffix}"
            found[f"weight_ih_{end}"] = rng.normal(size=(gates * hidden, size)).astype(np.float32)
            found[f"weight_hh_{end}"] = rng.normal(size=(gates * hidden, hidden)).astype(np.float32)
            found[f"bias_ih_{end}"] = rng.normal(size=gates * hidden).astype(np.float32)
            found[f"bias_hh_{end}"] = rng.normal(size=gates * hidden).astype(np.float32)
    return found


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)


@pytest.fixture
def file(tmp_path):
    """A model with two recurrent layers and more."""
    path = tmp_path / "model.safetensors"
    tensors = {f"encoder.rnn.{name}": array for name, array in weights().items()}
    tensors |= {f"decoder.{name}": array for name, array in weights(gates=3).items()}
    save_file(tensors | {"embedding.weight": np.zeros((9, 3), np.float32)}, path)
    return path


def test_a_layer_is_found_by_its_prefix(file, x):
    y, _ = Recurrence.from_safetensors(file, "lstm", "encoder.rnn.")(x)
    assert y.tobytes() == Recurrence(weights(), "lstm")(x)[0].tobytes()
    assert Recurrence.from_safetensors(str(file), "gru", prefix="decoder.").spec.hidden_size == 2


def test_a_wrong_prefix_names_those_there_are(file, tmp_path):
    for prefix in ("", "encoder", "embedding."):
        with pytest.raises(ConfigError, match=r"Prefixes found: 'decoder.', 'encoder.rnn.'"):
            Recurrence.from_safetensors(file, "lstm", prefix)
    save_file({"a": np.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match="holds no recurrent layer"):
        Recurrence.from_safetensors(tmp_path / "other.safetensors", "lstm")


def test_files_that_are_not_safetensors_are_refused(file, tmp_path):
    with pytest.raises(BundleError, match="can't read"):
        Recurrence.from_safetensors(tmp_path / "nothing", "lstm")
    damaged = tmp_path / "damaged"
    for content in (b"", b"PK\x03\x04 a pickled file", file.read_bytes()[:-5]):
        damaged.write_bytes(content)
        with pytest.raises(BundleError, match=r"not a safetensors file.*save_file"):
            Recurrence.from_safetensors(damaged, "lstm", "encoder.rnn.")


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_weights_of_other_precisions_become_float32(kind, tmp_path, x):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    tensors = {name: torch.tensor(array).to(getattr(torch, kind)) for name, array in weights().items()}
    save_torch(tensors, tmp_path / "w.safetensors")
    rounded = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    found = Recurrence.from_safetensors(tmp_path / "w.safetensors", "lstm")
    assert found(x)[0].tobytes() == Recurrence(rounded, "lstm")(x)[0].tobytes()


def test_whole_numbers_are_not_weights(tmp_path):
    save_file({name: array.astype(np.int8) for name, array in weights().items()}, tmp_path / "w.safetensors")
    with pytest.raises(DtypeError, match="must be of type F64, F32, F16, BF16; got I8"):
        Recurrence.from_safetensors(tmp_path / "w.safetensors", "lstm")


def test_the_parameters_of_a_cell_are_those_of_one_layer(x):
    cell = {name.removesuffix("_l0"): array for name, array in weights().items()}
    assert Recurrence(cell, "lstm")(x)[0].tobytes() == Recurrence(weights(), "lstm")(x)[0].tobytes()


def test_parameters_of_another_cell_are_refused():
    with pytest.raises(ConfigError, match=r"has 3 gates.*is 4 gates of 2 units. The cell 'lstm' has that many gates"):
        Recurrence(weights(gates=4), "gru")
    with pytest.raises(ConfigError, match=r"is 5 gates of 2 units\.$"):
        Recurrence(weights(gates=5), "lstm")
    with pytest.raises(ConfigError, match="cell must be one of rnn, lstm, gru; got 'mgu'"):
        Recurrence(weights(), "mgu")
    with pytest.raises(ConfigError, match="the cell 'gru' has no weight_hr_l0"):
        Recurrence(weights(gates=3) | {"weight_hr_l0": np.ones((1, 2))}, "gru")


def test_missing_and_misshapen_parameters_are_named():
    for name in weights(layers=2, suffixes=("", "_reverse")):
        some = weights(layers=2, suffixes=("", "_reverse"))
        del some[name]
        with pytest.raises(ConfigError, match=f"{name}.* missing; got"):
            Recurrence(some, "lstm")
    with pytest.raises(ConfigError, match="no parameters of a recurrent layer"):
        Recurrence({"embedding": np.ones(3)}, "lstm")
    with pytest.raises(ShapeError, match=r"bias_hh_l0 must be \(8,\) to match weight_ih_l0 \(8, 3\); got \(7,\)"):
        Recurrence(weights() | {"bias_hh_l0": np.ones(7)}, "lstm")
    with pytest.raises(ShapeError, match="weight_hh_l0 must have two axes"):
        Recurrence(weights() | {"weight_hh_l0": np.ones(8)}, "lstm")
    with pytest.raises(DtypeError, match="bias_hh_l0 must hold real numbers; got complex128"):
        Recurrence(weights() | {"bias_hh_l0": np.ones(8) * 1j}, "lstm")


def test_options_must_fit_cell_and_parameters():
    with pytest.raises(ConfigError, match="got reset_after"):
        Recurrence(weights(), "lstm", reset_after=False)
    with pytest.raises(ConfigError, match="peephole=True does not match the parameters, which imply False"):
        Recurrence(weights(), "lstm", peephole=True)
    with pytest.raises(ConfigError, match="num_layers=2 does not match the parameters, which imply 1"):
        Recurrence(weights(), "lstm", num_layers=2)
    assert Recurrence(weights(), "lstm", peephole=False).spec.options["peephole"] is False


def test_inputs_come_with_batch_first_without_batch_and_as_other_numbers(x):
    network = Recurrence(weights(layers=2, suffixes=("", "_reverse")), "lstm")
    y, (h, c) = network(x)
    turned, (h_turned, _) = network(x.swapaxes(0, 1), batch_first=True)
    assert turned.swapaxes(0, 1).tobytes() == y.tobytes()
    assert h_turned.tobytes() == h.tobytes()
    assert h.shape == c.shape == (4, 2, 2)
    alone, (h_alone, c_alone) = network(x[:, 0])
    assert alone.tobytes() == y[:, 0].tobytes()
    assert h_alone.tobytes() == h[:, 0].tobytes()
    assert network(x[:, 0], (h_alone, c_alone))[0].tobytes() == network(x, (h, c))[0][:, 0].tobytes()
    assert network(x.astype(np.float64))[0].tobytes() == y.tobytes()
    assert network(np.ones((5, 2, 3), int).tolist())[0].tobytes() == network(np.ones((5, 2, 3)))[0].tobytes()


def test_padding_changes_nothing(x):
    network = Recurrence(weights(suffixes=("", "_reverse")), "lstm")
    padded = np.concatenate([x, np.full((3, 2, 3), 7.0)])
    y, state = network(padded, lengths=[5, 0])
    expected, last = network(x[:, :1])
    assert y[:5, :1].tobytes() == expected.tobytes()
    assert not y[5:].any()
    assert not y[:, 1].any()
    for one, other in zip(state, last, strict=True):
        assert one[:, :1].tobytes() == other.tobytes()
    assert network(x[:0])[0].shape == (0, 2, 4)
    assert network(x[:, :0])[0].shape == (5, 0, 4)


def test_inputs_that_do_not_fit_are_refused(x):
    network = Recurrence(weights(), "lstm")
    with pytest.raises(ShapeError, match=r"x must be \(time, batch, input=3\) or \(time, input=3\); got \(5, 2, 2\)"):
        network(x[..., :2])
    with pytest.raises(DtypeError, match="x must hold real numbers"):
        network(np.full((5, 2, 3), "a"))
    with pytest.raises(ShapeError, match=r"state must be \(1, 2, 2\) and \(1, 2, 2\), .*; got \(1, 2, 2\)"):
        network(x, np.zeros((1, 2, 2)))
    with pytest.raises(LengthsError, match="0 and the 5 steps"):
        network(x, lengths=[6, 1])
    with pytest.raises(LengthsError, match="2 whole numbers"):
        network(x, lengths=[1.0, 2.0])
    with pytest.raises(ShapeError, match="x must be an array; got lists of different lengths"):
        network([[1.0, 2.0, 3.0], [1.0]])
    stream = network.stream()
    with pytest.raises(ShapeError, match=r"x must be \(batch=1, input=3\); got \(4,\)"):
        stream.push(np.ones(4))
    with pytest.raises(ShapeError, match=r"x must be \(batch=2, input=3\); got \(3,\)"):
        network.stream(batch=2).push(np.ones(3))
    with pytest.raises(ShapeError, match=r"xs must be \(time, batch=1, input=3\); got \(\)"):
        stream.push_many(np.float32(3))
    with pytest.raises(ConfigError, match="can't be streamed"):
        Recurrence(weights(suffixes=("", "_reverse")), "lstm").stream()
    with pytest.raises(ConfigError, match="batch must be a whole number"):
        network.stream(batch=0)


def test_outputs_are_the_callers_own(x):
    stream = Recurrence(weights(), "lstm").stream(batch=2)
    first = stream.push(x[0])
    kept = first.copy()
    stream.push(x[1])
    assert first.tobytes() == kept.tobytes()


def test_memory_does_not_grow():
    stream = Recurrence(weights(layers=2), "lstm").stream()
    x = np.ones(3, np.float32)
    for _ in range(100):
        stream.push(x)
    gc.collect()
    tracemalloc.start()
    try:
        stream.push(x)
        first, _ = tracemalloc.get_traced_memory()
        for _ in range(20_000):
            stream.push(x)
        last, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last - first < 2_000
    assert peak < 20_000


@pytest.mark.parametrize(
    ("cell", "gates", "options", "fingerprint"),
    [
        ("rnn", 1, {"nonlinearity": "relu"}, "a7ee470d24c06237"),
        ("lstm", 4, {}, "140baf4cd1e4b903"),
        ("gru", 3, {"reset_after": False}, "5cf1a594da42f7fe"),
    ],
)
def test_fingerprints_are_those_of_the_first_release(cell, gates, options, fingerprint):
    weights = {"weight_ih_l0": np.ones((gates * 2, 3)), "weight_hh_l0": np.ones((gates * 2, 2))}
    assert Recurrence(weights, cell, **options).fingerprint.startswith(fingerprint)
