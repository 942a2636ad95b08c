"""The readers of files, each with small files that it reads, made here: what the fuzzers damage.

A reader may return anything or raise a `PenstockError`, within a limit of decoded bytes. Everything else is a fault.
"""

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load as decode_tensors
from safetensors.numpy import save as encode_tensors

from penstock import bundle
from penstock.decoded import VARIABLE, at_most
from penstock.errors import DataError, PenstockError
from penstock.network import ClassHead, Embedding, Network, Recurrent
from penstock.runtime import Model, Recurrence, load
from penstock.text.features import TextFeatures

__all__ = ["LIMIT", "MOST", "TARGETS", "TOO_LARGE", "Target", "taken"]

RELEASED = Path(__file__).parents[1] / "released"
OTHERS = ("audio-classification", "forecasting", "series-classification", "series-regression")
MOST = 32 << 20
"""Decoded bytes that a reader may reach."""
LIMIT = 4 << 20
"""Decoded bytes that the fixture `limit` allows."""
TOO_LARGE = rf"holds more than {LIMIT:,} bytes when decoded.*{VARIABLE}"
CSV = 'text,label\nfine food,good\n"cold, dull room",bad\n差,bad\n'
ROWS = [{"text": "fine", "label": 1}, {"text": "dull", "label": None, "more": [1, {"a": "b"}]}]
TAGS = "-DOCSTART- O\n\nAda B-PER\nsleeps O\n\nin O\nRome B-LOC\n"
SIGNALS = "@problemName x\n@classLabel true a b\n@data\n1,2,3:4,5,6:a\n1,?:2,2:b\n"
FEATURES = TextFeatures(min_count=1).fit(["fine dull"])
NETWORK = Network(
    Embedding(FEATURES.vocabulary_size, 3), Recurrent(cell="gru", input_size=3, hidden_size=2), ClassHead(2, "last")
)


class Target:
    """A reader and the files that it reads.

    Args:
        ending: the files' ending, which tells readers their kind.
        read: reads a path.
        seeds: returns files that it reads without an error.
        memory: more bytes than a file may take, of which `MOST` may be decoded.
    """

    def __init__(
        self,
        ending: str,
        read: Callable[[Path], object],
        seeds: Callable[[], list[bytes]],
        memory: int = 512 << 20,
    ) -> None:
        self.ending, self.read, self.seeds, self.memory = ending, read, seeds, memory


def taken(target: Target, data: bytes) -> bool:
    """Give a file to a reader; return whether it was read, and not refused."""
    with tempfile.TemporaryDirectory() as folder, at_most(MOST):
        path = Path(folder) / f"file{target.ending}"
        path.write_bytes(data)
        try:
            target.read(path)
        except PenstockError:
            return False
        return True


@contextmanager
def written(ending: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / f"seed{ending}"


def table(path: Path) -> None:
    from penstock.datasets.readers import column_names, first_rows, read_table

    names = column_names(path)
    first_rows(path)
    read_table(path, names[:2])


def parquet() -> list[bytes]:
    import pyarrow as arrow
    import pyarrow.parquet

    columns = {"text": ["fine", "dull", None] * 9, "n": [1, 2, None] * 9, "tags": [["a"], [], None] * 9}
    files = []
    for options in ({}, {"use_dictionary": False, "compression": "zstd"}, {"column_encoding": {"n": "PLAIN"}}):
        if "column_encoding" in options:
            options["use_dictionary"] = False
        pyarrow.parquet.write_table(arrow.table(columns), file := io.BytesIO(), **options)
        files.append(file.getvalue())
    return files


def sounds(kind: str) -> bytes:
    import soundfile

    wave = np.sin(np.arange(400) / 9)
    soundfile.write(file := io.BytesIO(), np.stack([wave, wave], axis=1), 8000, format=kind)
    return file.getvalue()


def zipped(contents: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return file.getvalue()


def numpy_file(array: np.ndarray) -> bytes:
    np.save(file := io.BytesIO(), array)
    return file.getvalue()


def tensors() -> dict[str, np.ndarray]:
    return {name: np.full(shape, 0.1, np.float32) for name, shape in NETWORK.parameter_shapes().items()}


def saved() -> dict[str, bytes]:
    return bundle.encode(NETWORK, FEATURES.to_json(), ["good", "bad"], tensors(), metrics={"test": {"accuracy": 1.0}})


def released(task: str) -> dict[str, bytes]:
    """A model of a task that a released version wrote."""
    for model in sorted(RELEASED.glob("*/*/model")):
        if json.loads((model / "config.json").read_bytes())["task"] == task:
            return {path.name: path.read_bytes() for path in model.iterdir()}
    raise LookupError(task)


def part(
    name: str, whole: Callable[[], dict[str, bytes]] = saved, use: Callable[[Model], object] = lambda _: None
) -> Target:
    """The bundle whose part of this name is a strange one, with hashes that are right: an attacker can count, too."""

    def read(path: Path) -> None:
        contents = whole()
        try:
            contents[name] = path.read_bytes()
            config = json.loads(contents["config.json"])
        except (ValueError, RecursionError) as error:
            raise DataError("no JSON") from error
        if not isinstance(config, dict):
            raise DataError("no object")
        if isinstance(config.get("files"), dict):
            config["files"] |= {each: bundle._digest(data) for each, data in contents.items() if each != "config.json"}
        config["self"] = bundle._own_digest(config)
        folder = path.parent / "model"
        folder.mkdir()
        for each, data in (contents | {"config.json": bundle._json(config)}).items():
            (folder / each).write_bytes(data)
        use(load(folder))

    return Target(Path(name).suffix, read, lambda: [whole()[name]])


def state(path: Path) -> None:
    from penstock.runtime import notes

    network = Recurrence({"weight_ih_l0": np.ones((6, 3)), "weight_hh_l0": np.ones((6, 2))}, cell="gru")
    data = path.read_bytes() or network.stream().save(line=3)
    for read in (notes, network.stream().load):
        try:
            read(data)
        except PenstockError:
            continue


def states() -> list[bytes]:
    network = Recurrence({"weight_ih_l0": np.ones((6, 3)), "weight_hh_l0": np.ones((6, 2))}, cell="gru")
    return [network.stream().save(line=3)]


def vectors(path: Path) -> None:
    from penstock.datasets.vectors import read_vectors

    read_vectors(path, {"fine": 2, "dull": 3})


def tokens(path: Path) -> None:
    from penstock.tokens import read_tokens

    try:
        described = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    read_tokens(described).encode("the cat, die Katze")


def bpe() -> list[bytes]:
    from penstock.tokens import train_tokens

    return [
        json.dumps(train_tokens(level, ["the cat sat on the mat"] * 9, **options).to_json()).encode()
        for level, options in (("bpe", {"max_vocabulary": 270}), ("word", {}), ("char", {}))
    ]


def recordings(path: Path) -> None:
    from penstock.audio.readers import read_recordings
    from penstock.sounds.files import recording_at
    from penstock.sounds.recordings import resampled

    if path.suffix == ".zip":
        read_recordings(path, answers=False)
    else:
        resampled(recording_at(path), 16000)


def arrays(path: Path) -> None:
    from penstock.runtime.array_files import read_arrays

    read_arrays(path, {}, False)


def signals(path: Path) -> None:
    from penstock.signals.readers import read_signals

    read_signals(path)


def tags(path: Path) -> None:
    from penstock.tagging.readers import read_tags

    read_tags(path)


def torch_file(path: Path) -> None:
    from penstock.convert import from_torch

    from_torch(path, check=False)


def pickled() -> list[bytes]:
    import torch

    torch.save(torch.nn.GRU(3, 2).state_dict(), file := io.BytesIO())
    return [file.getvalue()]


def onnx_file(path: Path) -> None:
    from penstock.convert import from_onnx

    from_onnx(path, check=False)


def onnx_model() -> list[bytes]:
    import onnx
    from onnx import helper

    weights = [np.full(shape, 0.1, np.float32) for shape in ((1, 8, 3), (1, 8, 2), (1, 16))]
    names = ("w", "r", "b")
    nodes = [helper.make_node("LSTM", ["x", *names], ["y"], hidden_size=2)]
    nodes.append(helper.make_node("Squeeze", ["y", "axes"], ["z"]))
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["time", "batch", 3])]
    outputs = [helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["time", "batch", 2])]
    stored = [onnx.numpy_helper.from_array(each, name) for each, name in zip(weights, names, strict=True)]
    stored.append(onnx.numpy_helper.from_array(np.array([1]), "axes"))
    graph = helper.make_graph(nodes, "g", inputs, outputs, stored)
    return [helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()]


def keras_file(path: Path) -> None:
    from penstock.convert import from_keras

    from_keras(path, check=False)


def keras_zip() -> list[bytes]:
    import h5py

    with written(".h5") as path:
        with h5py.File(path, "w") as file:
            group = file.create_group("layers/simple_rnn/cell/vars")
            for number, shape in enumerate(((3, 2), (2, 2), (2,))):
                group[str(number)] = np.full(shape, 0.1, np.float32)
        weights = path.read_bytes()
    layer = {"units": 2, "activation": "tanh", "use_bias": True, "return_sequences": True, "name": "simple_rnn"}
    first = {"class_name": "InputLayer", "config": {"batch_shape": [None, None, 3], "name": "input"}}
    layers = [first, {"class_name": "SimpleRNN", "config": layer}]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    parts = {"config.json": config, "metadata.json": {"keras_version": "3.8.0"}}
    return [zipped({n: json.dumps(v).encode() for n, v in parts.items()} | {"model.weights.h5": weights})]


def packed(*texts: str) -> list[bytes]:
    return [gzip.compress(text.encode(), mtime=0) for text in texts]


JSON_LINES = "\n".join(map(json.dumps, ROWS))
VECTORS = "3 2\nfine 0.5 1e-3\ndull -1 2\n"
TARGETS = {
    "csv": Target(".csv", table, lambda: [CSV.encode(), CSV.replace(",", ";").encode(), CSV.encode("utf-16")]),
    "csv.gz": Target(".csv.gz", table, lambda: packed(CSV)),
    "tsv": Target(".tsv", table, lambda: [b"text\tlabel\nfine food\tgood\n"]),
    "jsonl": Target(".jsonl", table, lambda: [JSON_LINES.encode()]),
    "json": Target(".json", table, lambda: [json.dumps(ROWS).encode(), b'{"a": [1, 2], "b": ["x", null]}']),
    "parquet": Target(".parquet", table, parquet),
    "vectors": Target(".txt", vectors, lambda: [VECTORS.encode()]),
    "vectors.gz": Target(".txt.gz", vectors, lambda: packed(VECTORS)),
    "tokens": Target(".json", tokens, bpe),
    "signals": Target(".ts", signals, lambda: [SIGNALS.encode()]),
    "ucr": Target(".tsv", signals, lambda: [b"1\t0.5\t1\t2\n2\t1\t3\tNaN\n"]),
    "tags": Target(".conll", tags, lambda: [TAGS.encode()]),
    "wav": Target(".wav", recordings, lambda: [sounds("WAV"), sounds("AIFF")]),
    "flac": Target(".flac", recordings, lambda: [sounds("FLAC"), sounds("OGG"), sounds("MP3")]),
    "zip": Target(".zip", recordings, lambda: [zipped({"a/1.wav": sounds("WAV"), "b/2.wav": sounds("WAV")})]),
    "npy": Target(".npy", arrays, lambda: [numpy_file(np.ones((2, 3))), numpy_file(np.arange(4))]),
    "npz": Target(".npz", arrays, lambda: [zipped({"a.npy": numpy_file(np.ones((2, 3)))})]),
    "sequences": Target(".jsonl", arrays, lambda: [b"[[0.5, 1], [0, 2]]\n"]),
    "weights": part("model.safetensors"),
    "baseline": part("baseline.safetensors"),
    "metrics": part("metrics.json"),
    "state": Target(".state", state, states),
    "safetensors": Target(
        ".safetensors", torch_file, lambda: [encode_tensors(rnn(decode_tensors(saved()["model.safetensors"])))]
    ),
    "torch": Target(".pt", torch_file, pickled),
    "onnx": Target(".onnx", onnx_file, onnx_model),
    "keras": Target(".keras", keras_file, keras_zip),
} | {task: part("config.json", partial(released, task)) for task in ("text-classification", *OTHERS)}
"""The readers by name."""


def rnn(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix("encoder."): array for name, array in arrays.items() if name.startswith("encoder.")}
