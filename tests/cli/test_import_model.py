"""`penstock import`, and every command on what it writes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import penstock as package
from penstock.convert.importing.sources import SOURCES
from penstock.errors import ConfigError


@pytest.fixture
def weights(tmp_path):
    """A state_dict of a GRU and a linear layer."""
    draw = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
    shapes = {f"rnn.{name}": shape for name, shape in shapes.items()} | {"head.weight": (2, 4), "head.bias": (2,)}
    path = tmp_path / "weights.safetensors"
    save_file({name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, path)
    return str(path)


@pytest.fixture
def imported(penstock, weights, tmp_path):
    """The folder of the imported model."""
    found = penstock("import", weights, "--out", str(tmp_path / "model"), "--pool", "last", "--license", "mit")
    assert found.code == 0, found.err
    return str(tmp_path / "model")


def test_a_model_is_imported_and_described(penstock, imported):
    assert 'license: "mit"' in (Path(imported) / "README.md").read_text(encoding="utf-8")
    shown = penstock("info", imported).out
    assert "x: 3 numbers at each step" in shown
    assert "1 recurrence, 1 pool, 1 dense" in shown
    assert "weights.safetensors (torch), " in shown
    assert json.loads(penstock("info", imported, "--json").out)["metrics"]["import"]["from"] == "torch"


def test_given_sequences_are_compared(penstock, weights, tmp_path):
    pytest.importorskip("torch", reason="PyTorch is the source")
    np.savez(tmp_path / "inputs.npz", a=np.ones((4, 3)), b=np.zeros((1, 3)))
    found = penstock("import", weights, "--out", str(tmp_path / "model"), "--check", str(tmp_path / "inputs.npz"))
    assert "PyTorch" in found.out.splitlines()[0]
    assert found.out.splitlines()[0].endswith("on 7 sequences")
    assert "note: head is applied to each step" in found.out
    record = package.load(tmp_path / "model").metrics["import"]["checked"]
    assert (record["random_sequences"], record["given_sequences"]) == (5, 2)


@pytest.mark.parametrize("ending", ["npy", "npz", "jsonl", "-"])
def test_predictions_of_files_of_arrays(penstock, imported, tmp_path, monkeypatch, ending):
    x = np.random.default_rng(1).normal(size=(2, 5, 3)).astype(np.float32)
    path = tmp_path / f"inputs.{ending}"
    lines = "".join(f"{json.dumps(item.tolist())}\n" for item in x)
    if ending == "npy":
        np.save(path, x)
    elif ending == "npz":
        np.savez(path, *x)
    else:
        path.write_text(lines)
    found = penstock("predict", imported, "-" if ending == "-" else str(path), stdin=lines.encode())
    answers = [json.loads(line)["head"] for line in found.out.splitlines()]
    np.testing.assert_allclose(answers, package.load(imported).predict(x), rtol=1e-6)


def test_a_stream_of_steps(penstock, imported):
    x = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
    found = penstock("stream", imported, stdin="".join(f"{step.tolist()}\n" for step in x).encode())
    last = json.loads(found.out.splitlines()[-1])["head"]
    np.testing.assert_array_equal(np.float32(last), package.load(imported).predict([x])[0])
    assert "a step must be JSON" in penstock("stream", imported, stdin=b"one\n").err


def test_what_other_commands_say(penstock, imported, tmp_path):
    np.savez(tmp_path / "inputs.npz", a=np.ones((4, 3)))
    found = penstock("evaluate", imported, str(tmp_path / "inputs.npz"))
    assert found.code == 2
    assert "an imported network has no task" in found.err
    found = penstock("inspect", imported, str(tmp_path / "inputs.npz"))
    assert found.code == 0, found.err
    found = penstock("inspect", imported, str(tmp_path / "inputs.npz"), "--attribution")
    assert found.code == 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("none.pt", [], "no such file"),
        ("model.pkl", [], "is a pickle, which could run code and is not opened"),
        ("model.txt", [], r"the ending '.txt' is none of .safetensors, .pt.* Say what it is by --from"),
        ("model.txt", ["--from", "kers"], "must be one of torch, keras, onnx.*Did you mean keras"),
        ("model.txt", ["--from", "keras", "--pool", "last"], "a model of keras has no option --pool"),
        ("model.txt", ["--from", "keras", "--no-check", "--check", "x.npz"], "exclude each other"),
        ("model.txt", ["--from", "torch"], "no file of PyTorch"),
        ("model.txt", ["--from", "keras"], "neither a .keras file nor HDF5"),
    ],
)
def test_wrong_sources_are_refused(penstock, tmp_path, name, options, message):
    (tmp_path / "model.txt").write_text("weights")
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04")
    found = penstock("import", str(tmp_path / name), "--out", str(tmp_path / "model"), *options)
    assert found.code == 2
    assert re.search(message, found.err)
    assert not (tmp_path / "model").exists()


def test_a_folder_that_exists_is_kept(penstock, weights, imported):
    found = penstock("import", weights, "--out", imported)
    assert "exists already" in found.err
    assert penstock("import", weights, "--out", imported, "--overwrite", "--no-check").code == 0
    record = package.load(imported).metrics["import"]
    assert (record["checked"], record["not_checked"]) == (None, "check=False")


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_its_reader(name):
    assert SOURCES[name].reader().__name__ == f"from_{name}"
    with pytest.raises((ConfigError, OSError, ValueError)):
        SOURCES[name].reader()("nowhere", check=False)
