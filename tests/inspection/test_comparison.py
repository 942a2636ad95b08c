"""Two models on the same data: every task, the tests, and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import penstock
from penstock import Forecaster, SeriesClassifier, SeriesRegressor
from penstock.errors import ConfigError, DataError
from penstock.inspection import compare
from penstock.inspection.comparison import mcnemar
from penstock.inspection.speed import interleaved
from penstock.text.model import TextModel

RELEASED = Path(__file__).resolve().parents[1] / "released" / "0.1.0"
TEXTS = ["the ferry sailed", "at dawn", "didn't it?", "我们喜欢", "breakfast", "3.5 stars", "the hotel", "naïve"] * 4
SMALL = {"hidden_size": 4, "num_layers": 1, "epochs": 1, "baseline": False}


@pytest.fixture(scope="module")
def texts(text_parts):
    """Two text models of the same labels, the second with its labels in another order."""
    network, features, labels, tensors = text_parts("gru")
    other, _, _, theirs = text_parts("lstm")
    return TextModel(network, features, labels, tensors), TextModel(other, features, labels[::-1], theirs)


@pytest.mark.parametrize(
    ("only_a", "only_b", "both", "neither"),
    [(0, 0, 5, 2), (1, 0, 0, 0), (12, 3, 40, 5), (3, 12, 0, 0), (9, 9, 1, 1), (700, 620, 5000, 10)],
)
def test_mcnemars_test_is_the_exact_sign_test(only_a, only_b, both, neither):
    ours = np.repeat([True, False, True, False], [only_a, only_b, both, neither])
    theirs = np.repeat([False, True, True, False], [only_a, only_b, both, neither])
    found = mcnemar(ours, theirs)
    assert {name: found[name] for name in ("only_a", "only_b", "both", "neither")} == {
        "only_a": only_a, "only_b": only_b, "both": both, "neither": neither
    }  # fmt: skip
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert found["p"] == pytest.approx(expected, rel=1e-9)


def test_classifiers(texts):
    a, b = texts
    labels = ["bad", "middling", "good", "good"] * 8
    found = compare(a, b, TEXTS, labels, seconds=0).figures
    for side, model in zip("ab", texts, strict=True):
        alone = model.evaluate(TEXTS, labels)
        assert found["metrics"][side] == pytest.approx(alone["metrics"])
        for name, ends in alone["interval"].items():
            assert found["interval"][side][name] == pytest.approx(ends, rel=0.1), name
        proba = model.predict_proba(TEXTS)
        right = np.array(model.predict(TEXTS)) == labels
        assert sum(each["rows"] for each in found["calibration"][side]["bins"]) == 32
        # float32's mean
        gap = abs(right.mean() - proba.max(axis=1).mean())
        assert gap - 1e-6 <= found["calibration"][side]["ece"] <= 1
        assert found["models"][side]["parameters"] == model.info()["parameters"]
        assert found["models"][side]["bytes"] > 4 * found["models"][side]["parameters"]
    hits = [np.array(model.predict(TEXTS)) == labels for model in texts]
    assert found["mcnemar"]["only_a"] == (hits[0] & ~hits[1]).sum()
    assert found["difference"]["accuracy"]["p"] == found["mcnemar"]["p"]
    assert found["difference"]["accuracy"]["value"] == pytest.approx(hits[0].mean() - hits[1].mean())


def test_where_classifiers_disagree(texts):
    a, b = texts
    found = compare(a, b, TEXTS, ["bad"] * 32, seconds=0)
    ours, theirs = a.predict(TEXTS), b.predict(TEXTS)
    rows = {row + 1 for row in range(32) if ours[row] != theirs[row]}
    assert {line["row"] for line in found.disagreements} == rows != set()
    for line in found.disagreements:
        row = line["row"] - 1
        assert (line["text"], line["truth"]) == (TEXTS[row], "bad")
        assert (line["prediction_a"], line["prediction_b"]) == (ours[row], theirs[row])
        assert line["probability_a"] == pytest.approx(a.predict_proba(TEXTS)[row].max())
    sure = [line["probability_a"] + line["probability_b"] for line in found.disagreements]
    assert sure == sorted(sure, reverse=True)
    assert found.figures["disagreements"]["rows"] == len(rows)
    assert found.figures["disagreements"]["share"] == len(rows) / 32


def test_a_model_has_no_clear_difference_from_itself(texts):
    found = compare(texts[0], texts[0], TEXTS, ["bad", "good"] * 16, seconds=0)
    assert set(found.figures["verdict"].values()) == {"no clear difference"}
    assert found.figures["mcnemar"]["p"] == 1.0
    assert found.disagreements == []
    assert repr(found).startswith("Comparison(A and B on 32 rows; accuracy: a has no clear difference")


def test_what_is_clearly_better_is_called_so(texts):
    a, b = texts
    found = compare(a, b, TEXTS, a.predict(TEXTS), seconds=0).figures
    assert found["metrics"]["a"]["accuracy"] == 1.0
    assert found["verdict"]["accuracy"] == "better"
    assert compare(b, a, TEXTS, a.predict(TEXTS), seconds=0).figures["verdict"]["accuracy"] == "worse"


def test_sounds(audio_model, spoken):
    found = compare(audio_model, penstock.load(RELEASED / "audio-gru" / "model"), spoken[0], spoken[1], seconds=0)
    assert found.figures["rows"] == 24
    assert found.figures["calibration"]["b"]["ece"] >= 0


def test_step_labels(step_model):
    a, b = step_model(), step_model(cell="gru")
    texts = ["we saw Ann", "a b c d"] * 6
    labels = [["O"] * len(each) for each in a.predict(texts)]
    found = compare(a, b, texts, labels, seconds=0)
    assert (found.figures["units"], found.figures["mcnemar"], found.figures["calibration"]) == (12, None, None)
    assert found.figures["metrics"]["b"] == pytest.approx(b.evaluate(texts, labels)["metrics"])
    line = found.disagreements[0]
    assert line["prediction_a"] == a.predict(texts)[line["input"] - 1][line["step"] - 1] != line["prediction_b"]


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(0)
    return rng.normal(size=(12, 20, 2)), rng


def test_numbers(signals):
    inputs, rng = signals
    truth = rng.normal(size=12)
    models = [SeriesRegressor(**SMALL, random_state=seed).fit(inputs, truth) for seed in (0, 1)]
    found = compare(*models, inputs, truth, seconds=0)
    assert found.figures["metrics"]["b"] == pytest.approx(models[1].model_.evaluate(inputs, truth)["metrics"])
    assert found.figures["mcnemar"] is None
    apart = [line["difference"] for line in found.disagreements]
    assert apart == sorted(apart, reverse=True)
    ours, theirs = (model.predict(inputs) for model in models)
    row = found.disagreements[0]["row"] - 1
    assert apart[0] == pytest.approx(abs(float(ours[row]) - float(theirs[row]))) == max(abs(ours - theirs))


def test_windows_are_compared_in_stretches_and_not_with_whole_signals(signals):
    inputs, _ = signals
    steps = [["x", "y"] * 10 for _ in inputs]
    windowed = SeriesClassifier(**SMALL, window=4).fit(inputs, steps)
    found = compare(windowed, windowed, inputs, steps, seconds=0).figures
    assert (found["rows"], found["units"], found["mcnemar"]) == (240, 240 // 6, None)
    whole = SeriesClassifier(**SMALL).fit(inputs, ["x", "y"] * 6)
    with pytest.raises(ConfigError, match="one model predicts for each step and the other for whole signals"):
        compare(windowed, whole, inputs, steps)


@pytest.fixture(scope="module")
def series():
    step = np.arange(90.0)
    return [np.sin(step / 3) + 2, np.cos(step / 4) + 5]


@pytest.fixture(scope="module")
def forecasters(series):
    """Forecasters with different contexts and memories."""
    few = {"horizon": 3, "hidden_size": 4, "epochs": 1, "baseline": False}
    return [
        Forecaster(**few, context=6).fit(series),
        Forecaster(**few, context=10, memory="carried").fit([each * 2 for each in series]),
    ]


def test_forecasts_are_of_the_same_origins_in_the_units_of_the_first(forecasters, series):
    found = compare(*forecasters, series, seconds=0)
    a, b = forecasters
    assert found.figures["rows"] == 2 * (90 - 3 - 10 + 1)
    alone = b.model_.evaluate(series)["metrics"]
    assert found.figures["metrics"]["b"]["mae"] == pytest.approx(alone["mae"])
    # The second was trained on values twice as large.
    assert found.figures["metrics"]["b"]["mase"] == pytest.approx(2 * alone["mase"], rel=0.2)
    assert found.figures["metrics"]["a"]["mae"] != a.model_.evaluate(series)["metrics"]["mae"]  # fewer origins


def test_disagreements_of_forecasters_are_of_origins(forecasters, series):
    found = compare(*forecasters, series, seconds=0)
    line = found.disagreements[0]
    assert set(line) == {"unique_id", "ds", "target", "difference", "error_a", "error_b"}
    apart = [each["difference"] for each in found.disagreements]
    assert apart == sorted(apart, reverse=True)
    at, number = int(line["ds"]), int(line["unique_id"])
    ours, theirs = (model.predict([each[:at] for each in series])[number, :, 0] for model in forecasters)
    assert line["difference"] == pytest.approx(np.abs(ours - theirs).mean())
    assert line["error_b"] == pytest.approx(np.abs(theirs - series[number][at : at + 3]).mean())


def test_other_horizons_are_refused(forecasters, series):
    other = Forecaster(horizon=4, context=6, hidden_size=4, epochs=1, baseline=False).fit(series)
    with pytest.raises(ConfigError, match="forecast a horizon of 3 and 4"):
        compare(forecasters[0], other, series)


def test_refusals(texts, text_parts, audio_model):
    a, b = texts
    with pytest.raises(ConfigError, match="different tasks: text-classification and audio-classification"):
        compare(a, audio_model, TEXTS, ["bad"] * 32)
    network, features, _, tensors = text_parts("gru")
    other = TextModel(network, features, ["bad", "fine", "good"], tensors)
    with pytest.raises(ConfigError, match="only the first knows 'middling'; only the second knows 'fine'"):
        compare(a, other, TEXTS, ["bad"] * 32)
    with pytest.raises(DataError, match="the ground truth of each input, and there is none"):
        compare(a, b, TEXTS)
    with pytest.raises(DataError, match="must have the same length"):
        compare(a, b, TEXTS, ["bad"])
    with pytest.raises(DataError, match="both models must read the same rows; the first reads 32 and the second 31"):
        compare(a, b, TEXTS, ["bad"] * 32, b_inputs=TEXTS[1:])
    with pytest.raises(ConfigError, match="a loaded model"):
        compare("sentiment", b, TEXTS, ["bad"] * 32)


def test_inputs_may_be_read_once_only(texts):
    a, b = texts
    found = compare(a, b, iter(TEXTS), ["bad"] * 32, seconds=0).figures
    assert found["rows"] == 32


def test_the_models_take_turns(monkeypatch):
    clock, order = [0.0], []
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def run(name, seconds):
        def one():
            order.append(name)
            clock[0] += seconds
            return 10

        return one

    found = interleaved({"a": run("a", 1.0), "b": run("b", 2.0)}, 10.0)
    assert order[:2] == ["a", "b"]
    assert order[2:] == ["b", "a", "a", "b"] * 2
    assert found["rounds"] == 4
    assert (found["a"]["per_second"], found["b"]["per_second"]) == (10.0, 5.0)
    assert found["ratio"] == {"value": 2.0, "range": [2.0, 2.0]}


def test_comparing_saved_models_never_imports_pytorch():
    code = (
        "import sys, penstock\n"
        "from penstock.inspection import compare\n"
        f"model = penstock.load({str(RELEASED / 'text-gru' / 'model')!r})\n"
        "found = compare(model, model, ['a', 'b'], model.predict(['a', 'b']), seconds=0)\n"
        "assert found.figures['rows'] == 2\n"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
