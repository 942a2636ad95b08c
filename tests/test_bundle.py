"""Model folders: what is saved comes back, what is damaged is refused, nothing half-written stays."""

import json
import os
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from penstock import bundle, folders
from penstock.errors import BundleError
from penstock.network import ClassHead, Embedding, Network, Recurrent

NETWORK = Network(
    inputs=Embedding(vocabulary_size=4, size=3),
    encoder=Recurrent(cell="gru", input_size=3, hidden_size=2),
    head=ClassHead(classes=2, pooling="last"),
)
FEATURES = {"kind": "text", "vocabulary": ["好", "bad", "\ud800"]}


def tensors():
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape) for name, shape in NETWORK.parameter_shapes().items()}


def save(path, **changes):
    given = {"network": NETWORK, "features": FEATURES, "labels": ["差", "好"], "tensors": tensors()} | changes
    return bundle.save(path, **given)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "model", metrics={"test": {"accuracy": 0.75}}, files={"report.html": "<p>好</p>"})


def test_what_is_saved_comes_back(tmp_path):
    given = tensors()
    baseline = {"idf": np.arange(3, dtype=np.float32)[::-1], "class_counts": np.array([3, 4])}
    save(tmp_path / "a" / "model", tensors=given, baseline=baseline, metrics={"test": {"accuracy": np.float32(0.5)}})
    loaded = bundle.load(tmp_path / "a" / "model")
    assert loaded.network == NETWORK
    assert loaded.features == FEATURES
    assert loaded.labels == ["差", "好"]
    assert loaded.metrics == {"test": {"accuracy": 0.5}}
    assert {name: array.dtype for name, array in loaded.tensors.items()} == dict.fromkeys(given, np.float32)
    for name, array in given.items():
        np.testing.assert_array_equal(loaded.tensors[name], array.astype(np.float32))
    np.testing.assert_array_equal(loaded.baseline["idf"], [2, 1, 0])
    assert loaded.baseline["class_counts"].dtype == np.int64


def test_the_files_are_those_of_the_format(folder, tmp_path):
    assert sorted(contents(folder)) == [
        "README.md",
        "baseline.safetensors",
        "config.json",
        "metrics.json",
        "model.safetensors",
        "report.html",
    ]
    card = (folder / "README.md").read_text("utf-8")
    assert "accuracy 0.75" in card
    assert "差, 好" in card
    measured = {"test": {"accuracy": 0.75}, "interval": {"test": {"accuracy": [0.5, 0.9]}, "valid": None}}
    card = (save(tmp_path / "again", metrics=measured) / "README.md").read_text("utf-8")
    assert "- Measured on test, with 95 % intervals: accuracy 0.75 [0.5, 0.9]" in card
    assert (folder / "report.html").read_text("utf-8") == "<p>好</p>"


def test_the_same_model_gives_the_same_bytes_wherever_it_lies(tmp_path):
    one, other = save(tmp_path / "one"), save(tmp_path / "deep" / "other")
    assert contents(one) == contents(other)
    assert not any(str(tmp_path).encode() in content for content in contents(one).values())


@pytest.mark.parametrize("labels", [["0", "1"], [0, 1], [True, False], [0.5, 1.5], [1, "1"]])
def test_labels_keep_their_types(tmp_path, labels):
    save(tmp_path / "model", labels=labels)
    loaded = bundle.load(tmp_path / "model").labels
    assert [(type(label), label) for label in loaded] == [(type(label), label) for label in labels]


def test_labels_and_metrics_of_numpy_become_plain(tmp_path):
    save(
        tmp_path / "model",
        labels=np.array([3, 5]),
        metrics={"matrix": np.eye(2, dtype=int), "loss": np.nan, "sizes": (np.int32(4),)},
    )
    loaded = bundle.load(tmp_path / "model")
    assert loaded.labels == [3, 5]
    assert loaded.metrics == {"matrix": [[1, 0], [0, 1]], "loss": None, "sizes": [4]}


def test_an_existing_target_is_kept(folder, tmp_path):
    before = contents(folder)
    with pytest.raises(BundleError, match=r"exists already. Choose another folder"):
        save(folder, labels=["x", "y"])
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_overwriting_replaces_the_whole_folder(folder, tmp_path):
    save(folder, labels=["x", "y"], overwrite=True)
    assert bundle.load(folder).labels == ["x", "y"]
    assert not (folder / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_overwriting_goes_through_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    save(tmp_path / "link", labels=["x", "y"], overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert bundle.load(folder).labels == ["x", "y"]


def test_only_a_model_is_overwritten(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    (tmp_path / "file").write_bytes(b"words")
    for name in ("photos", "file"):
        with pytest.raises(BundleError, match="is not a model folder, so it is not overwritten"):
            save(tmp_path / name, overwrite=True)
    assert (tmp_path / "photos" / "cat.png").read_bytes() == b"cat"
    assert (tmp_path / "file").read_bytes() == b"words"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("failing", ["write", "rename"])
def test_a_failing_disk_leaves_nothing_new_and_loses_nothing(tmp_path, monkeypatch, overwrite, failing):
    target = tmp_path / "model"
    if overwrite:
        save(target)
    before = contents(target) if overwrite else None
    calls = []

    def full(*_):
        calls.append(1)
        if len(calls) == 2 or (not overwrite and failing == "rename"):
            raise OSError(28, "No space left on device")
        return original(*_)

    name = "fsync" if failing == "write" else "rename"
    original = getattr(os, name)
    monkeypatch.setattr(os, name, full)
    monkeypatch.setattr(folders, "_exchanged", lambda *_: False)
    with pytest.raises(BundleError, match="can't be written: No space left on device"):
        save(target, labels=["x", "y"], overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if overwrite else [])
    if overwrite:
        assert contents(target) == before


def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_target_below_a_file_is_refused_beforehand(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for check in (save, bundle.check_target):
        with pytest.raises(BundleError, match=r"can't be written: .*file is not a folder"):
            check(tmp_path / "file" / "deeper" / "model")


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle.os, "access", lambda *_: False)
    with pytest.raises(BundleError, match="is not writable"):
        save(tmp_path / "model")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["a"]}, "2 classes needs 2 labels; got 1"),
        ({"labels": ["a", "a"]}, "must differ"),
        ({"labels": ["a", None]}, "must be str, int, bool or float; got None"),
        ({"labels": ["a", float("nan")]}, "got nan"),
        ({"metrics": {"model": object()}}, "plain values"),
        ({"files": {"../escape": b""}}, r"plain names .* got '\.\./escape'"),
        ({"files": {"config.json": b""}}, "plain names .* got 'config.json'"),
        ({"tensors": {}}, "missing: encoder.bias_hh_l0, .*inputs.weight"),
        ({"tensors": tensors() | {"tail": np.zeros(2)}}, "unknown: tail"),
        ({"tensors": tensors() | {"head.bias": np.zeros(3)}}, r"head.bias must be \(2,\) for this network; got \(3,\)"),
        ({"tensors": tensors() | {"head.bias": np.array([0, np.nan])}}, "head.bias must be finite.*diverge"),
    ],
)
def test_what_does_not_fit_is_not_saved(tmp_path, changes, message):
    with pytest.raises(BundleError, match=message):
        save(tmp_path / "model", **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_card_may_be_edited(folder):
    """As it is where models are published."""
    (folder / "README.md").write_text("---\nlicense: mit\n---\nMine.")
    assert bundle.load(folder).labels == ["差", "好"]
    (folder / "README.md").unlink()
    assert bundle.load(folder).labels == ["差", "好"]


@pytest.mark.parametrize("name", ["baseline.safetensors", "metrics.json", "model.safetensors", "report.html"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "tampered", "grown"])
def test_damage_to_any_file_is_named(folder, name, damage):
    data = (folder / name).read_bytes()
    if damage == "missing":
        (folder / name).unlink()
    else:
        flipped = data[:-1] + bytes([data[-1] ^ 1])
        (folder / name).write_bytes({"truncated": data[:-5], "tampered": flipped, "grown": data + b" "}[damage])
    with pytest.raises(
        BundleError, match=f"{name} is {'missing' if damage == 'missing' else 'damaged or was changed'}"
    ):
        bundle.load(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "config.json is damaged"),
        (lambda text: text.replace('"差"', '"x"'), "config.json is damaged or was changed"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "format 2; this Penstock .* Upgrade: pip install"),
        (lambda text: text.replace('"format": 1', '"format": 0'), "damaged or was changed"),
        (lambda text: text.replace('"format": 1', '"format": "1"'), "does not describe a Penstock model"),
        (lambda _: "[]", "does not describe a Penstock model"),
        (lambda _: "{}", "does not describe a Penstock model"),
        (lambda _: "\x00\x01", "config.json is damaged"),
        (lambda _: "", "config.json is damaged"),
        (lambda _: "[" * 100_000, "config.json is damaged"),
    ],
)
def test_a_damaged_description_is_refused(folder, damage, message):
    config = folder / "config.json"
    config.write_text(damage(config.read_text("utf-8")), "utf-8")
    with pytest.raises(BundleError, match=message):
        bundle.load(folder)


def rewrite(folder, **changes):
    """Change the description as a careful hand would, with its hash."""
    config = json.loads((folder / "config.json").read_text("utf-8")) | changes
    config["files"] |= {n: bundle._digest((folder / n).read_bytes()) for n in config["files"] if (folder / n).is_file()}
    config["self"] = bundle._own_digest(config)
    (folder / "config.json").write_bytes(bundle._json(config))


def test_tensors_of_another_network_are_refused(folder):
    save_file({"head.bias": np.zeros(2, np.float32)}, folder / "model.safetensors")
    rewrite(folder)
    with pytest.raises(BundleError, match=r"tensors must be those of the network; missing: encoder"):
        bundle.load(folder)


def test_what_is_not_a_tensor_file_is_refused(folder):
    (folder / "model.safetensors").write_bytes(b"\xff" * 40)
    rewrite(folder)
    with pytest.raises(BundleError, match="damaged"):
        bundle.load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {}}, "a network lacks encoder"),
        ({"labels": ["a"]}, "needs 2 labels; got 1"),
        ({"labels": None}, "labels must be a list"),
        ({"files": {}}, "does not list baseline.safetensors"),
        ({"files": {"../../etc/passwd": "", **dict.fromkeys(bundle._PARTS, "")}}, "lists '../../etc/passwd'"),
    ],
)
def test_a_wrong_description_is_refused(folder, changes, message):
    rewrite(folder, **changes)
    with pytest.raises(BundleError, match=message):
        bundle.load(folder)


def test_a_description_without_features_is_refused(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    del config["features"]
    (folder / "config.json").write_text(json.dumps(config | {"self": bundle._own_digest(config)}), "utf-8")
    with pytest.raises(BundleError, match="no 'features'"):
        bundle.load(folder)


def test_what_is_not_a_model_is_named(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "absent", "no such folder"),
        (folder / "config.json", "is a file; expected a model folder"),
        (tmp_path / "empty", "is not a model folder: it holds no config.json"),
    ):
        with pytest.raises(BundleError, match=message):
            bundle.load(path)


def test_a_copied_folder_loads(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert bundle.load(str(tmp_path / "copy")).labels == ["差", "好"]
