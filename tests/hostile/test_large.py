"""What is small and stands for much, or is too deep: zips that lie, tensors that repeat a number, nested JSON."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from files import ROWS, onnx_model, sounds
from task_files import ARPA

from penstock.cli.configuration import read_configuration
from penstock.convert import from_onnx, from_torch
from penstock.datasets.readers import read_table
from penstock.decoded import VARIABLE, at_most
from penstock.detect.readers import read_timelines, read_windows
from penstock.errors import BundleError, ConfigError, DataError
from penstock.language.readers import read_corpus
from penstock.network import Recurrent
from penstock.ngrams import read_arpa
from penstock.runtime.array_files import read_arrays, read_npz
from penstock.sounds.files import recording_at

MOST = 4 << 20
TOO_LARGE = rf"holds more than {MOST:,} bytes when decoded.*{VARIABLE}"
DEPTHS = (300, 900, 960, 100_000)


@pytest.fixture
def limit():
    with at_most(MOST):
        yield


def lying(name, data, kind):
    """A zip with a file of which it says that it has 1000 bytes."""
    with zipfile.ZipFile(file := io.BytesIO(), "w", kind) as archive:
        archive.writestr(name, data)
    found, size = file.getvalue(), struct.pack("<I", len(data))
    assert found.count(size) >= 2
    return found.replace(size, struct.pack("<I", 1000))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (zipfile.ZIP_DEFLATED, "Bad CRC-32"),
        (zipfile.ZIP_BZIP2, "it is compressed by another method than deflate"),
        (zipfile.ZIP_LZMA, "it is compressed by another method than deflate"),
    ],
)
def test_what_a_zip_says_of_its_sizes_is_not_exceeded(tmp_path, limit, kind, message):
    nothing = bytes(16 * MOST + 0x1234)  # a size whose bytes are found in no other place
    (tmp_path / "a.npz").write_bytes(lying("a.npy", nothing, kind))
    (tmp_path / "a.zip").write_bytes(lying("1.wav", nothing, kind))
    tracemalloc.start()
    with pytest.raises(DataError, match=f"can't be read as arrays of NumPy: {message}"):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(DataError, match=rf"a.zip/1.wav: can't be read from the zip: {message}"):
        recording_at(tmp_path / "a.zip" / "1.wav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST


def test_an_arpa_file_is_read_up_to_the_limit(tmp_path, limit):
    (tmp_path / "a.arpa.gz").write_bytes(gzip.compress(b"a comment\n" * MOST, 1))
    with pytest.raises(DataError, match=TOO_LARGE):
        read_arpa(tmp_path / "a.arpa.gz")
    packed = gzip.compress(ARPA.encode(), mtime=0)
    (tmp_path / "a.arpa.gz").write_bytes(packed)
    assert read_arpa(tmp_path / "a.arpa.gz").order == 2
    (tmp_path / "a.arpa.gz").write_bytes(packed[:12] + b"\xff" * 40)
    with pytest.raises(DataError, match=r"a.arpa.gz: can't be read"):
        read_arpa(tmp_path / "a.arpa.gz")
    (tmp_path / "a.arpa").write_text(ARPA.replace("ngram 1=4", f"ngram 1={'4' * 5000}"))
    with pytest.raises(DataError, match="line 2: expected the number of n-grams of order 1"):
        read_arpa(tmp_path / "a.arpa")
    (tmp_path / "a.arpa").write_bytes(b"\xff" + ARPA.encode())
    with pytest.raises(DataError, match="can't be read as an ARPA file: 'utf-8' codec"):
        read_arpa(tmp_path / "a.arpa")


def refused(read):
    """The message with which it is refused; an empty one if it is read."""
    try:
        read()
    except (DataError, ConfigError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("depth", DEPTHS)
def test_json_may_have_any_depth(tmp_path, depth):
    """It is read or refused at each depth: the limit of Python's parser is not that of its printer."""
    text = '{"a": ' * depth + "1" + "}" * depth
    (tmp_path / "a.json").write_text(f'{{"train": {text}}}')
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "a.csv").write_text("time,value\n2024-01-01,1\n2024-01-02,2\n")
    measured = read_timelines(tmp_path / "a.csv")
    readers = [
        lambda: read_table(tmp_path / "a.json", ["train"]),
        lambda: read_table(tmp_path / "a.jsonl", ["a"]),
        lambda: read_arrays(tmp_path / "a.jsonl", {}, False),
        lambda: read_corpus(tmp_path / "a.json"),
        lambda: read_windows(tmp_path / "a.json", measured),
    ]
    assert all(len(refused(read)) < 1000 for read in readers)
    (tmp_path / "a.toml").write_text("a = " + "[" * depth + "]" * depth)
    found = refused(lambda: read_configuration(tmp_path / "a.toml"))
    assert not found or "is not TOML" in found


def test_numbers_with_a_million_digits_are_refused(tmp_path):
    digits = "9" * 10**6
    (tmp_path / "a.json").write_text(f'[{{"a": {digits}}}]')
    with pytest.raises(DataError, match=r"a.json"):
        read_table(tmp_path / "a.json", ["a"])
    (tmp_path / "a.toml").write_text(f"epochs = {digits}")
    with pytest.raises(ConfigError, match="is not TOML: Exceeds the limit"):
        read_configuration(tmp_path / "a.toml")


def test_a_table_of_windows_with_a_cell_that_is_too_long_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("time,value\n2024-01-01,1\n2024-01-02,2\n")
    (tmp_path / "w.csv").write_text(f"series,start,end\n{'x' * 200_000},1,2\n")
    with pytest.raises(DataError, match=r"labelled windows must be JSON.*field larger than field limit"):
        read_windows(tmp_path / "w.csv", read_timelines(tmp_path / "a.csv"))


def test_tensors_that_repeat_a_number_count_in_full(tmp_path, limit):
    import torch

    state = torch.nn.GRU(3, 2).state_dict()
    torch.save(state | {"more": {"bias": torch.zeros(1).expand(MOST)}}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=rf"a.pt: {TOO_LARGE}"):
        from_torch(tmp_path / "a.pt")


def test_tensors_that_are_not_plain_numbers_are_refused(tmp_path):
    import torch

    state = torch.nn.GRU(3, 2).state_dict()
    sparse = torch.sparse_coo_tensor([[0], [0]], [1.0], (6, 10**8), check_invariants=True)
    for strange in (sparse, torch.zeros(6, 10**9, device="meta")):
        torch.save(state | {"weight_ih_l0": strange}, tmp_path / "a.pt")
        with pytest.raises(BundleError, match=r"'?weight_ih_l0'? is sparse, quantized, nested or without numbers"):
            from_torch(tmp_path / "a.pt")


def test_layers_wider_than_the_engine_takes_are_no_description():
    with pytest.raises(ConfigError, match="input_size must be at most 16777216; got 16777217"):
        Recurrent(cell="gru", input_size=(1 << 24) + 1, hidden_size=1)


@pytest.mark.parametrize("where", ["../secret", "link", "/etc/hostname"])
def test_tensors_of_nodes_lie_in_the_models_own_folder(tmp_path, where):
    import onnx

    (tmp_path / "secret").write_bytes(np.full(16, 7, np.float32).tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    model = onnx.load_from_string(onnx_model()[0])
    tensor = onnx.TensorProto(name="b", data_type=1, dims=[1, 16], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=where)
    del model.graph.initializer[2]
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["b"], value=tensor))
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match=r"own folder|symbolic link"):
        from_onnx(folder / "m.onnx", check=False)


def test_a_recording_with_more_channels_than_any_has_is_refused(tmp_path):
    sound = sounds("WAV")
    (tmp_path / "a.wav").write_bytes(sound[:22] + struct.pack("<H", 65_535) + sound[24:])
    with pytest.raises(DataError, match=r"a.wav: can't be read as a recording"):
        recording_at(tmp_path / "a.wav")


@pytest.mark.parametrize("samples", [1 << 20, (1 << 36) - 1])
def test_a_flac_that_claims_many_samples_costs_what_it_holds(tmp_path, limit, samples):
    sound = bytearray(sounds("FLAC"))
    packed = int.from_bytes(sound[18:26], "big") & ~((1 << 36) - 1)  # rate, channels and bits before the samples
    sound[18:26] = (packed | samples).to_bytes(8, "big")
    (tmp_path / "a.flac").write_bytes(sound)
    tracemalloc.start()
    found = refused(lambda: recording_at(tmp_path / "a.flac"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found or "can't be read as a recording" in found
    assert peak < 4 * MOST


def test_a_gzip_file_in_a_gzip_file_is_no_table(tmp_path, limit):
    inner = gzip.compress("\n".join(map(json.dumps, ROWS)).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(inner))
    with pytest.raises(DataError, match=r"a.jsonl.gz"):
        read_table(tmp_path / "a.jsonl.gz", ["text"])
