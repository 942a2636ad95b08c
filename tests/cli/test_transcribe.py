"""Speech recognition by the commands: features made elsewhere and recordings in, text out."""

import json

import numpy as np
import pytest

QUICK = ("--hidden-size", "6", "--num-layers", "1", "--epochs", "1", "--batch-size", "8", "--random-state", "0")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """A file of 24 recordings of 20 frames, with transcripts."""
    path = tmp_path_factory.mktemp("said") / "said.npz"
    features = np.random.default_rng(0).normal(size=(480, 3)).astype(np.float32)
    texts = np.array(["go on", "stop"] * 12)
    names = {"ids": np.arange(24), "speakers": np.array(["ann", "ben"] * 12)}
    np.savez(path, features=features, offsets=np.arange(0, 481, 20), transcripts=texts, **names)
    return path


@pytest.fixture(scope="module")
def trained(arrays, tmp_path_factory):
    """A recogniser, and what its training printed."""
    from penstock.cli import main

    out = tmp_path_factory.mktemp("models") / "recogniser"
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        code = main(["train", "transcribe", str(arrays), *QUICK, "--out", str(out), "--json"])
    assert code == 0
    return out, json.loads(lines[-1])


def test_features_made_elsewhere_are_trained_on(trained):
    out, figures = trained
    assert set(figures["test"]) == {"rows", "wer", "cer", "ser"}
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"].startswith("penstock train transcribe said.npz --hidden-size 6")
    assert (metrics["data"]["level"], metrics["data"]["features"]) == ("char", "frames")


def test_predict_writes_a_text_for_each(penstock, trained, arrays):
    written = penstock("predict", trained[0], arrays)
    assert written.code == 0, written.err
    rows = [json.loads(line) for line in written.out.splitlines()]
    assert [row["file"] for row in rows] == list(map(str, range(24)))
    assert all(isinstance(row["prediction"], str) for row in rows)


def test_evaluate_counts_wrong_words(penstock, trained, arrays):
    found = json.loads(penstock("evaluate", trained[0], arrays, "--json").out)
    assert set(found["metrics"]) == {"wer", "cer", "ser"}
    assert found["metrics"]["wer"] <= 1.5  # the network writes hardly anything yet
    assert {(one["speaker"], one["rows"]) for one in found["speakers"]} == {("ann", 12), ("ben", 12)}
    shown = penstock("evaluate", trained[0], arrays).out
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith(("ann", "ben"))] == [
        [one["speaker"], "12"] for one in found["speakers"]
    ]


def test_info_says_what_it_reads(penstock, trained):
    told = json.loads(penstock("info", trained[0], "--json").out)
    assert (told["task"], told["reads"], told["frames_per_second"]) == ("speech-recognition", "step", 100.0)


def test_recordings_are_not_read_by_a_model_of_features(penstock, trained, tmp_path, spoken):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", spoken[0][0].samples, 8000)
    refused = penstock("predict", trained[0], tmp_path / "a.wav")
    assert refused.code == 2
    assert "3 a frame and 100 frames a second, which a recording is not" in refused.err
