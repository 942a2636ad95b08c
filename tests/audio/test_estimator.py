"""The classifier of sounds: learns, keeps its word on bad input, saves, and lets its mistakes be heard."""

import base64
import io
import re
import wave

import numpy as np
import pytest
from sklearn.base import clone

import penstock
from penstock import AudioClassifier
from penstock.audio.synthetic_words import synthetic_words
from penstock.errors import BundleError, ConfigError, DataError
from penstock.sounds.recordings import Recording

SMALL = {"hidden_size": 16, "mel_bins": 12, "epochs": 12, "batch_size": 8, "learning_rate": 0.02, "average": 0.9}
SMALL |= {"keep": "best", "patience": 100, "teachers": 0}
WORDS = ["yes", "no", "stop"]


@pytest.fixture(scope="module")
def held_back():
    return synthetic_words(6, np.random.default_rng(1), WORDS)


@pytest.fixture(scope="module")
def fitted(spoken, held_back):
    """Fitted with test data; not to be changed."""
    return AudioClassifier(**SMALL).fit(*spoken, test_data=held_back)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    return fitted.save(tmp_path_factory.mktemp("models") / "words")


@pytest.mark.slow
def test_it_learns_words_of_speakers_it_never_heard(fitted, held_back):
    assert fitted.metrics_["test"]["accuracy"] > 0.85
    assert fitted.score(*held_back) == pytest.approx(fitted.metrics_["test"]["accuracy"])
    assert fitted.classes_.tolist() == sorted(WORDS)
    assert fitted.metrics_["main_baseline"] == "statistics"


def test_the_saved_model_answers_the_same(fitted, saved, held_back):
    model = penstock.load(saved)
    np.testing.assert_array_equal(model.predict_proba(held_back[0]), fitted.predict_proba(held_back[0]))
    assert model.evaluate(*held_back)["metrics"]["accuracy"] == fitted.metrics_["test"]["accuracy"]
    assert list(model.evaluate(*held_back)["baselines"]) == ["statistics", "majority"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(spoken):
    few = SMALL | {"epochs": 1, "baseline": False}
    one, same, other = (AudioClassifier(**few, random_state=seed).fit(*spoken) for seed in (0, 0, 1))
    for name, array in one.model_.tensors.items():
        np.testing.assert_array_equal(array, same.model_.tensors[name])
    assert any((array != other.model_.tensors[name]).any() for name, array in one.model_.tensors.items())


class Ends:
    """Ends the training at the start of its second epoch, as a power cut would, or as Ctrl-C does."""

    def __init__(self, error):
        self.error = error

    def on_step(self, epoch, *_):
        if epoch == 2:
            raise self.error

    def on_start(self, *_):
        pass

    on_epoch = on_end = on_start


@pytest.mark.slow
def test_teachers_change_what_is_learned_and_the_same_seed_gives_the_same_bits(spoken):
    few = SMALL | {"epochs": 2, "baseline": False}
    alone, one, same, two = (AudioClassifier(**(few | {"teachers": many})).fit(*spoken) for many in (0, 1, 1, 2))
    weights = [each.model_.tensors["head.weight"] for each in (alone, one, same, two)]
    np.testing.assert_array_equal(weights[1], weights[2])
    for position, other in ((0, 1), (0, 3), (1, 3)):
        assert (weights[position] != weights[other]).any()
    assert one.metrics_["configuration"]["teachers"] == 1
    stages = one.metrics_["stages"]
    assert [(stage["title"], stage["epochs"]) for stage in stages] == [("teacher 1 of 1", 2), ("network", 2)]
    assert one.metrics_["training_seconds"] == sum(stage["seconds"] for stage in stages)
    assert stages[1]["seconds"] >= sum(row["seconds"] for row in one.history_)
    assert "stages" not in alone.metrics_


@pytest.mark.parametrize("where", ["teacher", "last"])
@pytest.mark.slow
def test_a_training_with_teachers_continues_where_it_ended(spoken, tmp_path, monkeypatch, where):
    few = SMALL | {"epochs": 3, "baseline": False, "teachers": 2}
    whole = AudioClassifier(**few).fit(*spoken)
    cut = AudioClassifier(**few, checkpoint=str(tmp_path / "state"), checkpoint_seconds=0)
    run_stage = cut._run_stage

    def ending(*arguments):
        *rest, stage, objective, _, limit = arguments
        ends = [Ends(RuntimeError("power cut"))] if stage.name == ("teacher-2" if where == "teacher" else "") else []
        return run_stage(*rest, stage, objective, ends, limit)

    monkeypatch.setattr(cut, "_run_stage", ending)
    with pytest.raises(RuntimeError, match="power cut"):
        cut.fit(*spoken)
    names = {"state.teacher-1", "state.teacher-2"} | ({"state"} if where == "last" else set())
    assert {file.name for file in tmp_path.iterdir() if file.suffix != ".previous"} == names
    monkeypatch.undo()
    cut.fit(*spoken)
    for name, array in whole.model_.tensors.items():
        np.testing.assert_array_equal(cut.model_.tensors[name], array)
    # Another time limit would have given other teachers.
    for other in ({"mixup": 0.1}, {"max_seconds": 3600.0}):
        with pytest.raises(BundleError, match="other settings or data"):
            AudioClassifier(**(few | other), checkpoint=str(tmp_path / "state")).fit(*spoken)


def test_an_interrupted_teacher_leaves_no_model(spoken, monkeypatch):
    found = AudioClassifier(**(SMALL | {"epochs": 3, "baseline": False, "teachers": 1}))
    run_stage = found._run_stage
    monkeypatch.setattr(
        found, "_run_stage", lambda *arguments: run_stage(*arguments[:-2], [Ends(KeyboardInterrupt())], None)
    )
    with pytest.raises(KeyboardInterrupt, match="teacher 1 of 1"):
        found.fit(*spoken)
    assert not hasattr(found, "model_")


def test_a_loaded_classifier_trains_on(saved, spoken):
    loaded = AudioClassifier.load(saved)
    assert (loaded.hidden_size, loaded.mel_bins, loaded.cell, loaded.sample_rate) == (16, 12, "gru", 8000)
    loaded.set_params(epochs=1, learning_rate=1e-4).fit(*spoken)
    assert loaded.score(*spoken) > 0.8
    with pytest.raises(ConfigError, match="hidden_size is 8, was 16"):
        loaded.set_params(hidden_size=8).fit(*spoken)


def test_it_is_scikit_learns(fitted):
    assert clone(fitted).get_params() == fitted.get_params()


def test_recordings_that_teach_nothing_are_left_out_and_counted(spoken):
    recordings, labels = spoken
    tone = recordings[0].samples
    worse = [
        Recording(tone[:0], 8000),
        Recording(tone[:150], 8000),
        Recording(np.zeros(4000, np.float32), 8000),
        Recording(tone, 8000),
        Recording(np.sign(tone), 8000, channels=2),
    ]
    found = AudioClassifier(**(SMALL | {"epochs": 1})).fit([*recordings, *worse], [*labels, *WORDS, None, "no"])
    data = found.metrics_["data"]
    assert data["dropped"] == {"empty": 1, "shorter than 0.03 s": 1, "silent": 1, "no label": 1}
    parts = [data["train"], data["valid"]]
    assert sum(part["rows"] for part in parts) == len(recordings) + 1
    assert sum(part["clipped"] for part in parts) == 1
    assert sum(part["mixed_down"] for part in parts) == 1
    total = sum(recording.seconds for recording in [*recordings, worse[-1]])
    assert sum(part["seconds"] for part in parts) == pytest.approx(total)


def test_rates_may_differ(spoken):
    recordings, labels = spoken
    doubled = [Recording(np.repeat(each.samples, 2), 16000) for each in recordings]
    found = AudioClassifier(**(SMALL | {"epochs": 1})).fit([*recordings, *doubled[:5]], [*labels, *labels[:5]])
    assert found.model_.features.rate == 8000
    found = AudioClassifier(**(SMALL | {"epochs": 1}), sample_rate=16000).fit(doubled, labels)
    assert found.model_.features.rate == 16000


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        ([], [], "no recordings are left to use: there are none"),
        ([np.zeros(4000, np.float32)] * 2, ["a", "b"], "no recordings are left to use: 2: silent"),
        ("a.wav", ["a"], "must be a list; got str"),
        (["none.wav"], ["a"], "none.wav: can't be read"),
        ([np.arange(9)], ["a"], "recording number 0: .*int64"),
    ],
)
def test_data_that_are_of_no_use(inputs, labels, message):
    with pytest.raises(DataError, match=message):
        AudioClassifier(**SMALL, sample_rate=8000).fit(inputs, labels)


def test_labels_that_are_of_no_use(spoken):
    recordings, labels = spoken
    with pytest.raises(DataError, match="24 recordings and 23 labels"):
        AudioClassifier(**SMALL).fit(recordings, labels[1:])
    with pytest.raises(DataError, match="at least two classes"):
        AudioClassifier(**SMALL).fit(recordings, ["yes"] * 24)
    with pytest.raises(DataError, match="validation_data: no recordings are left to use: 1: empty"):
        AudioClassifier(**SMALL).fit(recordings, labels, validation_data=([(np.zeros(0, np.float32), 8000)], ["yes"]))


def test_samples_without_a_rate_need_one(spoken):
    samples = [recording.samples for recording in spoken[0]]
    with pytest.raises(DataError, match=r"recording number 0: .*no sample rate.*sample_rate="):
        AudioClassifier(**SMALL).fit(samples, spoken[1])


@pytest.mark.parametrize("options", [{"stretch": -1}, {"noise_share": 1.5}, {"mel_bins": 2}, {"output_dropout": 1.0}])
def test_invalid_options(options, spoken):
    with pytest.raises(ConfigError, match=next(iter(options))):
        AudioClassifier(**(SMALL | options)).fit(*spoken)


def test_mistakes_can_be_heard(spoken, tmp_path):
    recordings, labels = spoken
    wrong = ["no" if label == "yes" else label for label in labels[:1]]
    found = AudioClassifier(**SMALL).fit(recordings, labels, test_data=(recordings[:1], wrong))
    page = (found.save(tmp_path / "model") / "report.html").read_text(encoding="utf-8")
    assert "Most confident errors" in page
    assert "media-src data:" in page
    (data,) = re.findall(r'src="data:audio/wav;base64,([^"]+)"', page)
    with wave.open(io.BytesIO(base64.b64decode(data))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, len(recordings[0].samples))
    (mistake,) = found.metrics_["mistakes"]
    assert (mistake["label"], mistake["file"]) == ("no", "synthetic yes")
    again = AudioClassifier.load(tmp_path / "model").save(tmp_path / "again")
    assert "data:audio" not in (again / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_spoken_digits_of_people(data_dir):
    """A glimpse of what benchmarks/accuracy/audio.py measures: two digits, a few epochs."""
    from penstock.audio.readers import read_recordings

    def two(part):
        rows = read_recordings(data_dir / "fsdd" / f"{part}.zip", answers=False).inputs
        named = [(each, each.name.rsplit("/", 1)[1][0]) for each in rows]
        chosen = [pair for pair in named if pair[1] in "27"]
        return [each for each, _ in chosen[::4]], [label for _, label in chosen[::4]]

    found = AudioClassifier(**SMALL).fit(*two("train"), test_data=two("test"))
    assert found.metrics_["test"]["accuracy"] >= 0.9
