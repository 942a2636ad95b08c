"""The files of single tasks and of trainings, each with small ones that are read: more of what the fuzzers damage.

Keras' older `.h5` is not among them: HDF5 itself does not come to an end with some damaged ones.
"""

import gzip
import io
import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from files import Target, numpy_file, sounds, written, zipped

from penstock.errors import BundleError, PenstockError

__all__ = ["TARGETS"]

ARPA = """\\data\\
ngram 1=4
ngram 2=3

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.3
-0.9\t</s>
-0.7\ta\t-0.2

\\2-grams:
-0.4\t<s> a
-0.6\ta </s>
-0.8\ta a

\\end\\
"""
SERIES = "date,shop,sold\n2024-01-01,a,1.5\n2024-01-02,a,2\n2024-01-03,a,\n2024-01-04,a,4\n"
TIMES = ["2024-01-01 00:00:00.000000", "2024-01-03 00:00:00.000000"]
TOML = 'task = "text"\nepochs = 2\n[Network]\ncell = "gru"\n'


def ngrams(path: Path) -> None:
    from penstock.ngrams import read_arpa

    read_arpa(path)


def series(path: Path) -> None:
    from penstock.detect.readers import read_timelines
    from penstock.panels.readers import read_series

    refused = []
    for read in (read_series, read_timelines):
        try:
            read(path)
        except PenstockError as error:
            refused.append(error)
    if len(refused) == 2:
        raise refused[0]


def windows(path: Path) -> None:
    from penstock.detect.readers import read_timelines, read_windows

    with written(".csv") as table:
        table.write_text(SERIES.replace(",a,", ",").replace("shop,", ""))
        found = read_timelines(table)
        read_windows(path, found, "series.csv")


def kaldi(name: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        from penstock.speech.readers import read_speech

        folder = path.parent / "data"
        folder.mkdir()
        (folder / "a.wav").write_bytes(sounds("WAV"))
        for each, text in (("wav.scp", b"a a.wav\n"), ("text", b"a good sea\n"), ("utt2spk", b"a ada\n")):
            (folder / each).write_bytes(text if each != name else path.read_bytes())
        read_speech(folder)

    return read


def frames(path: Path) -> None:
    from penstock.speech.readers import read_speech

    read_speech(path)


def frame_files() -> list[bytes]:
    arrays = {
        "features": np.ones((4, 3), np.float32),
        "offsets": np.array([0, 1, 4]),
        "transcripts": np.array(["a", "b"]),
    }
    return [zipped({f"{name}.npy": numpy_file(array) for name, array in arrays.items()})]


def spoken(path: Path) -> None:
    from penstock.speech.readers import read_speech

    read_speech(path)


def sentences(path: Path) -> None:
    from penstock.datasets.layout import DETECT
    from penstock.translate.readers import read_lines

    read_lines(path, DETECT)


def corpus(path: Path) -> None:
    from penstock.language.readers import read_corpus

    read_corpus(path)


def configuration(path: Path) -> None:
    from penstock.cli.configuration import read_configuration

    read_configuration(path)


def checkpoint(path: Path) -> None:
    """The file as it is, and as the state in JSON of a checkpoint whose checksum is right."""
    from safetensors.torch import save

    from penstock.training import checkpoint as module

    stored = module.Checkpoint(path, "key")
    try:
        found = stored.read()
    except BundleError:
        text = path.read_bytes().decode(errors="replace")
        path.write_bytes(save({}, {"format": module._FORMAT, "state": text, "sha256": module._digest(text, {})}))
        found = stored.read()
    json.dumps(found, default=str)


def checkpoints() -> list[bytes]:
    import torch

    from penstock.training.checkpoint import Checkpoint

    state = {"epoch": 2, "weights": {"a": torch.ones(2, 3)}, "rows": [1, 2.5, None, "x"]}
    with written(".checkpoint") as path:
        Checkpoint(path, "key").write(state)
        found = path.read_bytes()
    return [found, json.dumps({"key": "key", "state": {"epoch": 2, "rows": [1, {"a": None}]}}).encode()]


def study(path: Path) -> None:
    from penstock.tuning.study import open_study

    logging.getLogger("alembic").setLevel(logging.ERROR)
    open_study(f"sqlite:///{path}", "search", {"metric": "loss"})


def studies() -> list[bytes]:
    with written(".db") as path:
        study(path)
        return [path.read_bytes()]


def cached(path: Path) -> None:
    """Shards whose manifest is a strange one: made again, or taken if it is right."""
    from penstock.shards.cache import Cache

    Cache(path.parent, {"a": 1}, prepare)
    manifest = next(path.parent.glob("*/manifest.json"))
    manifest.write_bytes(path.read_bytes())
    found = Cache(path.parent, {"a": 1}, prepare)
    assert found.about == {"rows": 2}, "a manifest was believed that nobody wrote"
    assert found.sequences().pad(np.array([0, 1])).values.tolist() == [[1, 2], [3, 0]]


def prepare(writer: object) -> dict[str, int]:
    from penstock.sequences import Sequences

    writer.add(Sequences.from_list([np.array([1, 2]), np.array([3])], np.int32), np.array([0, 1]))
    return {"rows": 2}


def manifests() -> list[bytes]:
    with written(".json") as path:
        from penstock.shards.cache import Cache

        Cache(path.parent, {"a": 1}, prepare)
        return [next(path.parent.glob("*/manifest.json")).read_bytes()]


def own_onnx() -> list[bytes]:
    from trained import model_of

    from penstock.convert import to_onnx

    found = []
    for name in ("text-classification", "series-regression"):
        with written(".onnx") as path:
            to_onnx(model_of(name), path)
            found.append(path.read_bytes())
    return found


def onnx_file(path: Path) -> None:
    from penstock.convert import from_onnx

    from_onnx(path, check=False)


def torch_file(path: Path) -> None:
    from penstock.convert import from_torch

    from_torch(path, check=False)


def programs() -> list[bytes]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.GRU(3, 2)), scripted := io.BytesIO())
        with written(".pt2") as path:
            torch.export.save(torch.export.export(torch.nn.GRU(3, 2), (torch.zeros(4, 1, 3),)), path)
            exported = path.read_bytes()
    return [scripted.getvalue(), exported]


def packed(text: str) -> list[bytes]:
    return [gzip.compress(text.encode(), mtime=0)]


NAB = json.dumps({"data/series.csv": [TIMES]}).encode()
MUSIC = json.dumps({"train": [[[60, 64], [62]]], "valid": [[[1]]], "test": [[[2, 3], []]]}).encode()
TARGETS = {
    "arpa": Target(".arpa", ngrams, lambda: [ARPA.encode()]),
    "arpa.gz": Target(".arpa.gz", ngrams, lambda: packed(ARPA)),
    "series": Target(".csv", series, lambda: [SERIES.encode()]),
    "windows": Target(".json", windows, lambda: [NAB]),
    "windows-csv": Target(".csv", windows, lambda: [f"series,start,end\nseries,{TIMES[0]},{TIMES[1]}\n".encode()]),
    "wav.scp": Target(".scp", kaldi("wav.scp"), lambda: [b"a a.wav\n"]),
    "kaldi-text": Target(".txt", kaldi("text"), lambda: ["a good 差\n".encode()]),
    "frames": Target(".npz", frames, frame_files),
    "spoken-zip": Target(".zip", spoken, lambda: [zipped({"a.wav": sounds("WAV"), "a.txt": b"good sea"})]),
    "sentences": Target(".txt", sentences, lambda: [b"good sea\nbad boat\n"]),
    "corpus": Target(".txt", corpus, lambda: [b"good sea\nbad boat\n"]),
    "music": Target(".json", corpus, lambda: [MUSIC, b"[[[60, 64], [62]]]"]),
    "configuration": Target(".toml", configuration, lambda: [TOML.encode()]),
    "checkpoint": Target(".checkpoint", checkpoint, checkpoints),
    "study": Target(".db", study, studies),
    "cache": Target(".json", cached, manifests),
    "own-onnx": Target(".onnx", onnx_file, own_onnx),
    "programs": Target(".pt", torch_file, programs, 4 << 30),  # PyTorch believes what an archive says of lengths
}
"""The readers by name."""
