"""Speech recognisers from fit to folder: what is left out, what is learned, and what is refused."""

import numpy as np
import pytest
from tests.speech.conftest import TINY

import penstock
from penstock import SpeechRecognizer
from penstock.errors import ConfigError, DataError, NotFittedError, ShapeError
from penstock.sounds.recordings import Recording
from penstock.speech.frames import Frames

DRAW = np.random.default_rng(0)


def letters(rows, seed=0):
    """Frames that spell: each letter is five frames of its own feature, between two of silence."""
    draw, inputs, texts = np.random.default_rng(seed), [], []
    for row in range(rows):
        text = "".join(draw.choice(list("abc"), size=draw.integers(1, 5)))
        frames = [np.zeros((2, 3))]
        for letter in text:
            frames += [np.tile(np.eye(3)["abc".index(letter)] * 4, (5, 1)), np.zeros((3, 3))]
        inputs.append(Frames(np.concatenate(frames) + draw.normal(0, 0.2, (len(text) * 8 + 2, 3)), name=f"u{row}"))
        texts.append(text)
    return inputs, texts


@pytest.mark.slow
def test_it_learns_to_spell():
    options = {"hidden_size": 24, "num_layers": 1, "epochs": 25, "learning_rate": 0.02, "stack": 2, "subsampling": 2}
    options |= {"masks": 0, "layer_dropout": 0.0, "output_dropout": 0.0, "mean_seconds": 0.0, "cell": "gru"}
    model = SpeechRecognizer(**options, random_state=0).fit(*letters(64))
    inputs, texts = letters(20, seed=1)
    assert model.score(inputs, texts) > 0.9
    assert model.metrics_["valid"]["cer"] < 0.1


def test_a_saved_one_predicts_the_same_and_says_what_it_reads(recogniser, spoken, tmp_path):
    loaded = penstock.load(recogniser.save(tmp_path / "model"))
    assert loaded.predict(spoken[0]).tolist() == recogniser.predict(spoken[0]).tolist()
    for ours, theirs in zip(
        loaded.log_probabilities(spoken[0][:3]), recogniser.model_.log_probabilities(spoken[0][:3]), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()
        np.testing.assert_allclose(np.exp(ours).sum(axis=1), 1, rtol=1e-5)
    about = loaded.info()
    assert (about["sample_rate"], about["reads"], about["features"], about["level"]) == (
        8000,
        "samples",
        "audio",
        "char",
    )
    assert about["seconds_per_step"] == loaded.seconds_per_step == pytest.approx(0.03)
    again = SpeechRecognizer.load(tmp_path / "model")
    assert (again.lookahead, again.mel_bins, again.sample_rate) == (1, 8, 8000)
    assert SpeechRecognizer.load(tmp_path / "model").fit(*spoken).metrics_["curves"]


def test_an_answer_names_its_file(recogniser, spoken, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", spoken[0][0].samples, 8000)
    (row,) = recogniser.model_.answers([tmp_path / "a.wav"])
    assert row == {"file": str(tmp_path / "a.wav"), "prediction": row["prediction"]}


def test_what_cannot_be_learned_is_left_out_and_counted(spoken, caplog):
    sounds, texts = spoken[0][:8], list(spoken[1][:8])
    silent = Recording(np.zeros(4000, np.float32), 8000, "silent.wav")
    loud = Recording(np.sign(sounds[0].samples), 8000, "loud.wav")
    more = [silent, Recording(np.zeros(0, np.float32), 8000), sounds[0], loud, sounds[1]]
    said = ["go", "go", " ", "go", "a" * 500]
    given, beside = (sounds + more, texts + said), (sounds[:2], texts[:2])
    model = SpeechRecognizer(**TINY).fit(*given, beside)
    data = model.metrics_["data"]
    assert data["dropped"] == {
        "silent": 1,
        "empty": 1,
        "no transcript": 1,
        "transcript longer than its recording allows": 1,
    }
    assert data["changed"] == {"clipped recordings": 1}
    assert "1 recordings are left out (silent): silent.wav" in caplog.text
    with pytest.raises(DataError, match="1 training transcripts don't fit into their recordings; the first is synth"):
        SpeechRecognizer(**TINY, long_transcripts="refuse").fit(*given, beside)


def test_other_rates_and_unknown_characters_are_counted(spoken):
    sounds, texts = spoken[0][:10], list(spoken[1][:10])
    other = [Recording(np.repeat(sounds[0].samples, 2), 16000), Recording(sounds[1].samples[::2].copy(), 4000)]
    words = [*map(str.title, texts), "Yes", "NO"]
    found = SpeechRecognizer(**TINY, lower=True).fit(sounds + other, words, (sounds[:2], ["YES!", "n0"]))
    assert found.metrics_["data"]["changed"] == {
        "recordings resampled to a lower rate": 1,
        "recordings resampled to a higher rate, without its upper bands": 1,
        "unknown tokens in transcripts": 2,
    }
    assert set(found.model_.baselines.ngrams.names[2:]) == {"yes", "no", "stop"} & {text.lower() for text in words}
    assert found.metrics_["baseline"]["template_matching"]["valid"]["wer"] == 1.0  # neither word is among those learned


@pytest.mark.parametrize("level", ["char", "word"])
def test_frames_made_elsewhere_are_part_of_the_model(level):
    inputs, texts = letters(12)
    model = SpeechRecognizer(**TINY, level=level).fit(inputs, texts).model_
    assert (model.reads, model.sample_rate, model.info()["features"]) == ("step", None, "frames")
    plain = [each.samples for each in inputs]
    assert model.predict(plain).tolist() == model.predict(inputs).tolist()
    assert model.item("[0, 1, 2.5]").tolist() == [[0, 1, 2.5]]
    for wrong, error, match in (
        (["a.wav"], DataError, "a recording is not"),
        ([np.zeros((4, 2))], ShapeError, "features=3"),
        ([Frames(np.zeros((4, 3)), 50.0)], DataError, "3 a frame and 100 frames a second; got 50 frames a second"),
        ("a.wav", DataError, "must be a list"),
    ):
        with pytest.raises(error, match=match):
            model.predict(wrong)
    with pytest.raises(DataError, match="a JSON list of 3 numbers"):
        model.item("[1]")


def test_the_same_data_and_seed_give_the_same_bits():
    first, second = (SpeechRecognizer(**TINY).fit(*letters(16)).model_ for _ in range(2))
    assert all(first.tensors[name].tobytes() == second.tensors[name].tobytes() for name in first.tensors)


def test_what_is_refused(recogniser, spoken):
    with pytest.raises(DataError, match="got features made elsewhere"):
        recogniser.predict([Frames(np.zeros((4, 3)))])
    with pytest.raises(DataError, match="all be recordings, or all features"):
        SpeechRecognizer(**TINY).fit([spoken[0][0], Frames(np.zeros((4, 3)))], ["a", "b"])
    with pytest.raises(DataError, match="got 2 recordings and 1 transcripts"):
        SpeechRecognizer(**TINY).fit(spoken[0][:2], ["a"])
    with pytest.raises(DataError, match="streams samples, not lines"):
        recogniser.model_.item("yes")
    with pytest.raises(DataError, match="has no weights"):
        recogniser.score(*spoken, sample_weight=[1] * len(spoken[0]))
    with pytest.raises(NotFittedError):
        SpeechRecognizer().predict(spoken[0])
    with pytest.raises(ConfigError, match="'skip' or 'refuse'"):
        SpeechRecognizer(**TINY, long_transcripts="cut").fit(*spoken)
    both = SpeechRecognizer(**TINY, bidirectional=True).fit(*spoken).model_
    assert not both.streams
    with pytest.raises(ConfigError, match="bidirectional"):
        both.stream()


def test_it_is_inspected_step_by_step(recogniser, spoken):
    reading = recogniser.model_.reading(spoken[0][0])
    (scores,) = recogniser.model_.log_probabilities(spoken[0][:1])
    assert (reading.unit, len(reading.x)) == ("second", len(scores))
    assert (reading.step, reading.span) == pytest.approx((0.03, 0.045))
    last, nothing = reading.recall([len(scores), 0])
    np.testing.assert_array_equal(last, np.exp(scores[-1]))
    assert nothing.sum() == pytest.approx(1)
