"""Recordings that stay in their files: training gives the same bits as with all of them in memory."""

import pickle
import shutil

import numpy as np
import pytest

from penstock import AudioClassifier, SpeechRecognizer, bundle
from penstock.audio import model as audio_model_module
from penstock.audio.readers import read_recordings
from penstock.errors import ConfigError, DataError
from penstock.sounds import files
from penstock.sounds.file_recording import FileRecording, in_files
from penstock.sounds.player import wav
from penstock.sounds.recordings import Recording, resampled
from penstock.speech.readers import read_speech
from penstock.tasks import recorded as recorded_module

QUICK = {"hidden_size": 6, "num_layers": 1, "epochs": 2, "mel_bins": 8, "random_state": 0}
TIMED = {
    "seconds",
    "training_seconds",
    "stages",
    "peak_mb",
    "input",
    "made",
    "call",
    "configuration",
    "curves",
    "options",
}


@pytest.fixture(scope="module")
def folder(spoken, tmp_path_factory):
    """A folder for each word, with a transcript beside each recording; one is at another rate, and one is silent."""
    path = tmp_path_factory.mktemp("recorded") / "words"
    for number, (recording, label) in enumerate(zip(*spoken, strict=True)):
        (path / label).mkdir(parents=True, exist_ok=True)
        samples = np.zeros(4000, np.float32) if number == 3 else recording.samples
        if number == 5:
            samples = np.clip(samples * 1e4, -1, 1)
        (path / label / f"{number:02}.wav").write_bytes(wav(samples, 11025 if number == 9 else 8000))
        (path / label / f"{number:02}.txt").write_text(label)
    lines = ["path,word", *(f"{each.relative_to(path).as_posix()},{each.parent.name}" for each in path.rglob("*.wav"))]
    (path / "list.csv").write_text("\n".join(lines) + "\n")
    shutil.make_archive(str(path.parent / "words"), "zip", path)
    kaldi = path.parent / "kaldi"
    kaldi.mkdir()
    ids = {f"one-{each.stem}": each for each in sorted(path.rglob("*.wav"))}
    (kaldi / "wav.scp").write_text("".join(f"{key} {each}\n" for key, each in ids.items()))
    (kaldi / "text").write_text("".join(f"{key} {each.parent.name}\n" for key, each in ids.items()))
    (kaldi / "utt2spk").write_text("".join(f"{key} ann\n" for key in ids))
    return path


@pytest.fixture
def staying(monkeypatch):
    """Recordings of any size stay in their files."""
    monkeypatch.setattr(files, "LARGE_BYTES", 0)


def source(folder, form):
    beside = folder.parent
    return {"folder": folder, "zip": beside / "words.zip", "table": folder / "list.csv", "kaldi": beside / "kaldi"}[
        form
    ]


def same(one, other):
    """Check that two estimators have the same weights and figures."""
    for name, tensor in one.model_.tensors.items():
        np.testing.assert_array_equal(tensor, other.model_.tensors[name], err_msg=name)
    assert one.model_.features.to_json() == other.model_.features.to_json()
    plain, beside = ({k: v for k, v in each.metrics_.items() if k not in TIMED} for each in (one, other))
    assert plain == beside
    losses = [[{k: v for k, v in epoch.items() if k != "seconds"} for epoch in each.history_] for each in (one, other)]
    assert losses[0] == losses[1]


def trained(estimator, rows):
    parts = type(estimator).split(rows, (0.6, 0.2, 0.2), 0)
    return estimator.fit_rows(*parts, dropped=rows.dropped)


@pytest.mark.parametrize("form", ["folder", "zip", "table"])
def test_a_classifier_has_the_bits_of_recordings_in_memory(folder, form, tmp_path, monkeypatch):
    options = QUICK | {"teachers": 1, "cache": str(tmp_path / "cache")}
    columns = {"audio": "path", "label": "word"} if form == "table" else {}
    loaded = read_recordings(source(folder, form), **columns)
    assert not in_files(loaded.inputs)
    memory = trained(AudioClassifier(**options), loaded)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    rows = read_recordings(source(folder, form), **columns)
    assert all(isinstance(each, FileRecording) for each in rows.inputs)
    disk = trained(AudioClassifier(**options), rows)
    same(memory, disk)
    assert memory.metrics_["data"]["dropped"] == {"silent": 1}
    assert memory.metrics_["input"] is None
    assert disk.metrics_["input"]["step_seconds"] > 0
    # A second training reads the features that lie there, and makes none.
    monkeypatch.setattr(recorded_module, "Steps", None)
    same(memory, trained(AudioClassifier(**options), rows))
    judged = [disk.model_.evaluate(each.inputs, each.answers) for each in (loaded, rows)]
    assert judged[0] == judged[1]


@pytest.mark.parametrize("form", ["folder", "zip", "table", "kaldi"])
def test_a_recogniser_has_the_bits_of_recordings_in_memory(folder, form, tmp_path, monkeypatch):
    options = QUICK | {"batch_size": 4, "cache": str(tmp_path / "cache")}
    columns = {"audio": "path", "text": "word", "speaker": "word"} if form == "table" else {}
    memory = trained(SpeechRecognizer(**options), read_speech(source(folder, form), **columns))
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    rows = read_speech(source(folder, form), **columns)
    assert in_files(rows.inputs)
    assert [bool(each.speaker) for each in rows.inputs] == [form in ("table", "kaldi")] * len(rows)
    disk = trained(SpeechRecognizer(**options), rows)
    same(memory, disk)
    assert disk.metrics_["input"]["step_seconds"] > 0
    monkeypatch.setattr(recorded_module, "Steps", None)
    same(memory, trained(SpeechRecognizer(**options), rows))


def test_a_training_goes_on_from_a_model_with_the_same_bits(folder, tmp_path, monkeypatch):
    rows = read_recordings(folder)
    first = trained(AudioClassifier(**QUICK, teachers=0), rows)
    first.save(tmp_path / "first")
    found = []
    for size in (1 << 26, 0):
        monkeypatch.setattr(files, "LARGE_BYTES", size)
        again = AudioClassifier.load(tmp_path / "first").set_params(cache=str(tmp_path / "cache"))
        found.append(trained(again, read_recordings(folder)))
    same(*found)
    assert (tmp_path / "cache").exists()


@pytest.mark.usefixtures("staying")
def test_other_options_and_other_recordings_make_other_features(folder, tmp_path):
    cache = tmp_path / "cache"
    rows = read_recordings(folder)
    for changed in ({}, {"mel_bins": 9}, {"learning_rate": 0.1}):
        trained(AudioClassifier(**(QUICK | {"teachers": 0, "epochs": 1, "cache": str(cache)} | changed)), rows)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.usefixtures("staying")
def test_a_recording_knows_what_those_in_memory_know(folder):
    for stays in read_recordings(folder).inputs:
        plain = stays.loaded()
        for name in ("length", "seconds", "peak", "clipped_share", "sample_rate_hz", "name", "channels", "speaker"):
            assert getattr(stays, name) == getattr(plain, name), name
        np.testing.assert_array_equal(stays.samples, plain.samples)
        np.testing.assert_array_equal(resampled(stays, 4000), resampled(plain, 4000))
        copy = pickle.loads(pickle.dumps(stays.spoken_by("ann")))  # noqa: S301  (our own)
        assert (copy.speaker, type(copy)) == ("ann", Recording)  # with its samples, for where the file is not
        np.testing.assert_array_equal(copy.samples, plain.samples)


@pytest.mark.usefixtures("staying")
def test_a_file_that_changes_while_it_is_used_is_an_error(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "words")
    rows = read_recordings(tmp_path / "words")
    path = sorted((tmp_path / "words").rglob("*.wav"))[0]
    path.write_bytes(wav(np.full(4000, 0.5, np.float32), 8000))
    with pytest.raises(DataError, match=rf"{path.name}: changed since it was read first"):
        _ = rows.inputs[0].samples
    path.unlink()
    with pytest.raises(DataError, match=rf"{path.name}: can't be read"):
        trained(AudioClassifier(**QUICK, teachers=0, cache=str(tmp_path / "cache")), rows)
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half-written is left


@pytest.mark.usefixtures("staying")
@pytest.mark.parametrize(("content", "said"), [(b"", "can't be read as a recording"), (b"text", "can't be read")])
def test_a_file_that_is_no_recording_is_named(folder, tmp_path, content, said):
    shutil.copytree(folder, tmp_path / "words")
    (tmp_path / "words" / "yes" / "bad.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.wav: {said}"):
        read_recordings(tmp_path / "words")


@pytest.mark.usefixtures("staying")
def test_a_missing_file_of_a_table_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "words")
    table = tmp_path / "words" / "list.csv"
    table.write_text(table.read_text() + "gone.wav,yes\n")
    with pytest.raises(DataError, match=r"gone\.wav: can't be read"):
        read_recordings(table, audio="path", label="word")


def test_paths_given_in_python_stay_in_their_files(folder, tmp_path, monkeypatch):
    paths = sorted(map(str, folder.rglob("*.wav")))
    labels = [path.split("/")[-2] for path in paths]
    found = []
    for size in (1 << 26, 0):
        monkeypatch.setattr(files, "LARGE_BYTES", size)
        estimator = AudioClassifier(**QUICK, teachers=0, cache=str(tmp_path / "cache"))
        found.append(estimator.fit(np.array(paths), labels))
        assert (tmp_path / "cache").exists() is (size == 0)
    same(*found)


@pytest.mark.slow
def test_workers_read_the_same_features(folder, tmp_path, monkeypatch):
    options = QUICK | {"teachers": 0, "workers": 2, "cache": str(tmp_path / "cache")}
    memory = trained(AudioClassifier(**options), read_recordings(folder))
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    same(memory, trained(AudioClassifier(**options), read_recordings(folder)))


def test_a_wrong_option_is_refused_before_features_are_made(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    with pytest.raises(ConfigError, match="learning_rate"):
        trained(AudioClassifier(**QUICK, learning_rate=-1, cache=str(tmp_path / "cache")), read_recordings(folder))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("form", ["folder", "zip", "table"])
def test_predictions_are_those_of_recordings_in_memory(penstock, folder, audio_model, form, tmp_path, monkeypatch):
    model = tmp_path / "model"
    bundle.save(
        model,
        audio_model.network,
        audio_model.features.to_json(),
        audio_model.labels,
        audio_model.tensors,
        task=audio_model.task,
    )
    options = ("--audio", "path") if form == "table" else ()
    found = [penstock("predict", model, source(folder, form), *options)]
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(audio_model_module, "_AT_ONCE", 5)
    found.append(penstock("predict", model, source(folder, form), *options))
    assert found[0].code == 0
    assert found[0].out == found[1].out
