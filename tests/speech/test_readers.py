"""Recordings with transcripts, from tables, folders, zips, Kaldi's files and arrays."""

import zipfile

import numpy as np
import pytest
import soundfile

from penstock.errors import DataError
from penstock.speech.readers import read_speech


@pytest.fixture
def folder(tmp_path):
    """Three recordings, told apart by their levels; b has no text, and d.txt no recording."""
    path = tmp_path / "said"
    (path / "in").mkdir(parents=True)
    for level, name in enumerate(("a", "b", "in/c"), start=1):
        soundfile.write(path / f"{name}.wav", np.full(400, level / 10, np.float32), 8000)
    for name, text in (("a", "go on"), ("in/c", "stop\n"), ("d", "lost")):
        (path / f"{name}.txt").write_text(text)
    return path


def levels(rows):
    return [round(float(one.samples[0]) * 10) for one in rows.inputs]


def zipped(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.rglob("*.*")):
            archive.write(each, each.relative_to(folder))
    return path


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_text_beside_each_recording(folder, kind, caplog):
    path = folder if kind == "folder" else zipped(folder)
    rows = read_speech(path)
    assert levels(rows) == [1, 3]
    assert [text.strip() for text in rows.answers] == ["go on", "stop"]
    assert rows.dropped == {"no transcript": 1, "no recording": 1}
    assert "1 recordings have no transcript and are left out: b.wav" in caplog.text
    assert "1 transcripts have no recording and are left out: d" in caplog.text
    assert levels(read_speech(path, answers=False)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "audio,text,Speaker\na.wav,go on,007\nin/c.wav,stop,\n,lost,x\n"),
        ("list.tsv", "file\ttranscript\na.wav\tgo on\nin/c.wav\tstop\n"),
        (
            "list.jsonl",
            '{"audio_filepath": "a.wav", "text": "go on"}\n{"audio_filepath": "in/c.wav", "text": "stop"}\n',
        ),
    ],
)
def test_a_manifest_names_paths_relative_to_itself(folder, name, text):
    (folder / name).write_text(text)
    rows = read_speech(folder / name)
    assert (levels(rows), rows.answers) == ([1, 3], ["go on", "stop"])
    assert rows.dropped == ({"no recording": 1} if "csv" in name else {})
    assert set(rows.columns) == {"audio", "text"}
    assert [one.speaker for one in rows.inputs] == (["007", ""] if "csv" in name else ["", ""])
    with pytest.raises(DataError, match="who"):
        read_speech(folder / name, speaker="who")


def test_files_of_kaldi(folder):
    (folder / "wav.scp").write_text("u1 a.wav\nu2 in/c.wav\nu3 b.wav\n")
    (folder / "text").write_text("u1 go on\nu2 stop\nu9 lost\n")
    (folder / "utt2spk").write_text("u2 ann\nu3 ben\n")
    rows = read_speech(folder)
    assert (levels(rows), rows.answers) == ([1, 3], ["go on", "stop"])
    assert rows.dropped == {"no transcript": 1, "no recording": 1}
    assert [one.speaker for one in rows.inputs] == ["", "ann"]
    assert levels(read_speech(folder, answers=False)) == [1, 3, 2]


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"wav.scp": "u1 sph2pipe a.sph |\n", "text": "u1 go\n"}, "u1 is a command.*commands are not run"),
        ({"wav.scp": "u1 a.wav\nu1 b.wav\n", "text": "u1 go\n"}, "line 2: the id 'u1' stands twice"),
        ({"wav.scp": "u1 a.wav\n"}, "no file text"),
        ({"wav.scp": "u1 a.wav\n", "text": "u2 go\n"}, "no recording has a transcript"),
        ({"wav.scp": "u1 none.wav\n", "text": "u1 go\n"}, "none.wav: can't be read"),
        ({"wav.scp": f"u1 {'9' * 300}.wav\n", "text": "u1 go\n"}, "9.wav: can't be read: File name too long"),
        ({"wav.scp": "u1 a.wav\n", "text": "u1 go\n", "segments": ""}, "has segments"),
    ],
)
def test_files_of_kaldi_that_cannot_be_used(folder, files, match):
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(DataError, match=match):
        read_speech(folder)


def arrays(path, **changed):
    given = {"features": np.zeros((5, 3)), "offsets": np.array([0, 2, 5]), "transcripts": np.array(["a", "b c"])}
    np.savez(path, **{name: array for name, array in (given | changed).items() if array is not None})
    return path


def test_features_made_elsewhere(tmp_path, caplog):
    caplog.set_level("INFO")
    rows = read_speech(arrays(tmp_path / "some.npz", ids=np.array(["u1", "u2"]), speakers=np.array([7, 8])))
    assert [one.speaker for one in rows.inputs] == ["7", "8"]
    assert [(one.name, one.samples.shape, one.frames_per_second) for one in rows.inputs] == [
        ("u1", (2, 3), 100.0),
        ("u2", (3, 3), 100.0),
    ]
    assert rows.answers == ["a", "b c"]
    assert "has no frames_per_second; 100 are assumed" in caplog.text
    stated = read_speech(arrays(tmp_path / "rate.npz", frames_per_second=50, transcripts=None), answers=False)
    assert (stated.inputs[0].frames_per_second, stated.answers) == (50.0, None)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"transcripts": None}, "it lacks transcripts and has features, offsets"),
        ({"transcripts": np.array(["a"])}, "one of transcripts for each of 2 recordings; got 1"),
        ({"offsets": np.array([0, 4])}, "offsets must not decrease and go from 0 to the 5 steps"),
        ({"features": np.full((5, 3), np.nan)}, "must be finite numbers"),
        ({"transcripts": np.array([{}], object)}, "can't be read as arrays"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, changed, match):
    with pytest.raises(DataError, match=match):
        read_speech(arrays(tmp_path / "some.npz", **changed))


def test_what_is_no_data(folder):
    (folder / "list.csv").write_text("audio,text\n,go\n")
    for path, match in ((folder / "list.csv", "no row has a path"), (folder / "in" / "x", "x: .*")):
        with pytest.raises(DataError, match=match):
            read_speech(path)
    with pytest.raises(DataError, match="is not a table, so it has no column file"):
        read_speech(folder, audio="file")
    with pytest.raises(DataError, match="row 1 has no path"):
        read_speech(folder / "list.csv", answers=False)
    assert levels(read_speech(folder / "a.wav", answers=False)) == [1]
