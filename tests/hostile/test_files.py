"""Files from strangers: small ones that stand for gigabytes, and forgeries with right hashes."""

import gzip
import io
import json
import struct
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from files import LIMIT, TARGETS, TOO_LARGE, part, released, saved, sounds, taken, zipped
from safetensors.numpy import load as decode_tensors
from safetensors.numpy import save as encode_tensors

from penstock import TextClassifier, bundle
from penstock.convert import from_torch
from penstock.datasets.readers import read_table
from penstock.datasets.vectors import read_vectors
from penstock.decoded import VARIABLE, at_most
from penstock.errors import BundleError, ConfigError, DataError
from penstock.runtime import load
from penstock.runtime.array_files import read_arrays
from penstock.sounds.recordings import decode

FUZZ = Path(__file__).with_name("fuzz.py")


@pytest.mark.slow
def test_damaged_files_are_read_or_refused():
    """In a process of its own, since a fault of a library would end it; `make fuzz` goes on for longer."""
    command = [sys.executable, FUZZ, "--seconds", "0", "--seed", "0", "--files", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.endswith("unharmed\n")


def packed(size):
    """A gzip file of blanks after a first line."""
    return gzip.compress(b"text,label\n" + b" " * size, 1, mtime=0)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.tsv.gz", "a.jsonl.gz", "a.json.gz", "a.parquet.gz"])
def test_a_gzip_file_is_read_up_to_the_limit(tmp_path, limit, name):
    (tmp_path / name).write_bytes(packed(3 * LIMIT) if "json" not in name else gzip.compress(b" " * 3 * LIMIT, 1))
    with pytest.raises(DataError, match=TOO_LARGE):
        read_table(tmp_path / name, ["text"])


def test_a_gzip_file_within_the_limit_is_read(tmp_path, limit):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text\n" + b"word\n" * 1000))
    assert read_table(tmp_path / "a.csv.gz", ["text"]) == {"text": ["word"] * 1000}


def test_a_file_that_is_not_packed_may_have_any_size(tmp_path, limit):
    (tmp_path / "a.csv").write_bytes(b"text\n" + b"word " * LIMIT)
    assert len(read_table(tmp_path / "a.csv", ["text"])["text"]) == 1


def test_the_limit_can_be_raised(tmp_path, monkeypatch):
    (tmp_path / "a.csv.gz").write_bytes(packed(10_000))
    monkeypatch.setenv(VARIABLE, "0.000005")
    with pytest.raises(DataError, match="more than 5,368 bytes when decoded"):
        read_table(tmp_path / "a.csv.gz", ["text"])
    monkeypatch.setenv(VARIABLE, "0.001")
    with pytest.raises(DataError, match="columns"):  # its second row is blank
        read_table(tmp_path / "a.csv.gz", ["text"])
    monkeypatch.setenv(VARIABLE, "much")
    with pytest.raises(ConfigError, match=rf"{VARIABLE} must be a number of GiB, such as 8; got 'much'"):
        read_table(tmp_path / "a.csv.gz", ["text"])


def test_recordings_are_read_up_to_the_limit(tmp_path, limit):
    import soundfile

    soundfile.write(file := io.BytesIO(), np.zeros(2_000_000, np.int16), 8000, format="FLAC")
    silence = file.getvalue()
    assert len(silence) < LIMIT / 50
    with pytest.raises(DataError, match=f"silence.flac: {TOO_LARGE}"):
        decode(silence, "silence.flac")
    soundfile.write(file := io.BytesIO(), np.zeros(400_000, np.int16), 8000, format="FLAC")
    (tmp_path / "a.zip").write_bytes(zipped({f"a/{number}.flac": file.getvalue() for number in range(4)}))
    with pytest.raises(DataError, match=rf"a.zip: {TOO_LARGE}"):
        TARGETS["zip"].read(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.wav", bytes(3 * LIMIT))
    with pytest.raises(DataError, match=rf"b.zip: {TOO_LARGE}"):
        TARGETS["zip"].read(tmp_path / "b.zip")


def test_headers_of_recordings_that_lie_cost_nothing(limit):
    sound = sounds("WAV")
    claims = sound[:40] + struct.pack("<I", 2**32 - 9) + sound[44:]
    assert decode(claims, "a.wav").samples.shape == decode(sound, "a.wav").samples.shape
    slow = sound[:24] + struct.pack("<I", 1) + sound[28:]
    with pytest.raises(DataError, match="sample rate must be from 1000 to 1000000 Hz; got 1 Hz"):
        decode(slow, "a.wav")


def test_a_recording_cut_short_prints_nothing(capfd):
    with pytest.raises(DataError, match=r"a\.aiff: can't be read as a recording"):
        decode(sounds("AIFF")[:24], "a.aiff")
    assert capfd.readouterr() == ("", "")


def test_arrays_need_the_numbers_that_they_declare(tmp_path, limit):
    header = {"descr": "<f8", "fortran_order": False, "shape": (2, 3_000_000_000)}
    np.lib.format.write_array_header_1_0(file := io.BytesIO(), header)
    data = file.getvalue() + bytes(48)
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(DataError, match="its header declares"):
        read_arrays(tmp_path / "a.npy", {}, False)
    (tmp_path / "a.npy").write_bytes(data.replace(b"3000000000)", b"3000000000 "))
    with pytest.raises(DataError, match="its header is damaged"):
        read_arrays(tmp_path / "a.npy", {}, False)
    (tmp_path / "a.npz").write_bytes(zipped({"a.npy": bytes(2 * LIMIT)}))
    with pytest.raises(DataError, match=TOO_LARGE):
        read_arrays(tmp_path / "a.npz", {}, False)


def test_a_line_of_vectors_has_an_end(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"word" + b" 1" * (1 << 20))
    with pytest.raises(DataError, match="line 1: has more than 1,048,576 bytes"):
        read_vectors(tmp_path / "a.txt", {"word": 2})


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("text-classification", {"network.encoder.num_layers": 10**6}),
        ("text-classification", {"network.encoder.num_layers": 10**12}),
        ("text-classification", {"network.encoder.hidden_size": 10**30}),
        ("text-classification", {"task": ["x"]}),
        ("text-classification", {"task": "x" * 10**6}),
        ("text-classification", {"features": [1]}),
        ("forecasting", {"network.head.context": 2**40}),
        ("forecasting", {"features.quantiles": None}),
        ("forecasting", {"features.quantiles": "0.5"}),
        ("forecasting", {"features.quantiles": [0.1, None, 0.5]}),
        ("forecasting", {"features.quantiles": [0.1, 0.9]}),
        ("forecasting", {"features.targets": [None]}),
        ("forecasting", {"features.targets": "y"}),
        ("forecasting", {"features.names": [[]]}),
        ("forecasting", {"features.season": 1.5}),
        ("forecasting", {"features.joint": None}),
        ("text-classification", {"files.9": None}),
        ("text-classification", {"files." + "9" * 5000: None}),
        ("audio-classification", {"features.mel_bins": 10**9}),
    ],
)
def test_a_forged_description_is_refused_at_once_in_few_words(tmp_path, task, changes):
    contents = released(task)
    config = json.loads(contents["config.json"])
    for place, value in changes.items():
        *path, name = place.split(".")
        within = config
        for each in path:
            within = within[each]
        within[name] = value
    (tmp_path / "config.json").write_bytes(json.dumps(config).encode())
    target = part("config.json", partial(released, task))
    start = time.process_time()
    with pytest.raises(BundleError) as caught:
        target.read(tmp_path / "config.json")
    assert len(str(caught.value).replace(str(tmp_path), "")) < 600
    assert time.process_time() - start < 1


@pytest.mark.parametrize("kind", ["other", None, ["text"], {"text": 1}])
def test_features_of_a_kind_that_is_no_name_are_refused_like_those_of_another_kind(tmp_path, kind):
    config = json.loads(released("text-classification")["config.json"])
    config["features"]["kind"] = kind
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BundleError, match="features must be of kind 'text'; got"):
        part("config.json", partial(released, "text-classification")).read(tmp_path / "config.json")
    with pytest.raises(ConfigError, match="features must be of kind 'text'; got"):
        TextClassifier.load(tmp_path / "model")


def test_an_estimators_options_are_a_mapping(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"configuration": ["epochs"]}))
    part("metrics.json", partial(released, "text-classification")).read(tmp_path / "metrics.json")
    with pytest.raises(BundleError, match=r"the configuration must be options by name; got \['epochs'\]"):
        TextClassifier.load(tmp_path / "model")


def test_forged_tensors_are_refused(tmp_path):
    contents = saved()
    arrays = decode_tensors(contents["model.safetensors"])
    first = min(arrays)
    strange = [
        {first: arrays[first].astype(np.complex64)},
        {f"encoder.weight_ih_l{number}": np.zeros(0, np.float32) for number in range(2000)},
    ]
    for number, each in enumerate(strange):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(encode_tensors(arrays | each))
        with pytest.raises(BundleError, match=r"must be real numbers|unknown: ") as caught:
            part("model.safetensors").read(folder / "model.safetensors")
        assert len(str(caught.value)) < 600


def test_a_bundle_without_a_change_is_taken():
    assert all(taken(TARGETS[name], TARGETS[name].seeds()[0]) for name in ("weights", "metrics", "forecasting"))


def test_a_model_with_code_that_runs_when_it_is_loaded_is_not_opened(tmp_path):
    code = b"class Greedy(Module):\n  def __setstate__(self: Greedy, state: int) -> NoneType:\n    return None\n"
    parts = {"constants.pkl": b"", "data.pkl": b"", "code/__torch__.py": code}
    (tmp_path / "greedy.ts").write_bytes(zipped({f"greedy/{name}": data for name, data in parts.items()}))
    with pytest.raises(BundleError, match=r"runs code of its own when it is loaded .*__setstate__"):
        from_torch(tmp_path / "greedy.ts")


def test_entries_of_one_name_count_each(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", bytes(600))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/data.pkl", bytes(600))
    with at_most(1000), pytest.raises(DataError, match="holds more than 1,000 bytes"):
        from_torch(tmp_path / "a.pt")


def test_the_bundle_of_a_newer_format_is_refused_clearly(tmp_path):
    contents = saved()
    config = json.loads(contents["config.json"]) | {"format": bundle.FORMAT + 1, "new": {"of": "then"}}
    folder = tmp_path / "model"
    folder.mkdir()
    for name, data in (contents | {"config.json": json.dumps(config).encode()}).items():
        (folder / name).write_bytes(data)
    with pytest.raises(BundleError, match=r"was written in format 2; this Penstock .* reads up to 1. Upgrade: pip"):
        load(folder)
