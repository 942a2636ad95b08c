"""Attribution finds planted features, adds up, and agrees with slow and obvious forms of itself."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from penstock import Forecaster, nn
from penstock.errors import ConfigError, DataError, InputError
from penstock.inspection import attribute
from penstock.network import ClassHead, Network, Numbers, Recurrent, RegressionHead
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalClassModel, SignalRegressionModel
from penstock.text.model import TextModel

METHODS = ["integrated_gradients", "occlusion", "gradient_x_input"]
TEXT = "The ferry sailed at dawn, didn't it?"


def signal_model(*, window=None, stride=1, number=False, **encoder):
    """A model of two channels with random weights."""
    features = SignalFeatures(stride=stride, width=3, window=window).fit(
        [np.random.default_rng(0).normal(3, 2, (20, 2))]
    )
    recurrent = Recurrent(**{"cell": "gru", "input_size": features.size, "hidden_size": 6} | encoder)
    head = RegressionHead(pooling="mean_max") if number else ClassHead(3, "mean_max")
    network = Network(Numbers(features.size), recurrent, head)
    draw = np.random.default_rng(1)
    tensors = {name: draw.normal(size=shape) for name, shape in network.parameter_shapes().items()}
    kind = SignalRegressionModel if number else SignalClassModel
    return kind(network, features, [] if number else ["a", "b", 3], tensors)


SIGNAL = np.random.default_rng(5).normal(3, 2, (11, 2))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_planted_feature(planted, method):
    # A carried state reads 220 steps, of which 7 are left out together unless told otherwise.
    window = {"window": 1} if method == "occlusion" and "at" in planted.options else {}
    found = attribute(planted.model, planted.input, method=method, **planted.options, **window)
    best = found.top(1)[0]
    for axis, names in planted.cells.items():
        assert best[axis] in names, found.top(5)
    assert np.sign(best["value"]) == np.sign(found.score - found.baseline_score)


def test_integrated_gradients_add_up(planted):
    found = attribute(planted.model, planted.input, **planted.options)
    assert found.completeness.holds
    assert found.completeness.tolerance <= 0.011 * abs(found.completeness.difference)
    assert found.values.sum() == pytest.approx(found.score - found.baseline_score, rel=0.011)


def test_pytorch_scores_what_the_engine_scores(planted):
    question = planted.model.model_.question(planted.input, **planted.options)
    module = nn.build(question.network)
    module.load_state_dict({name: torch.tensor(array) for name, array in question.tensors.items()})
    both = np.stack([question.evidence.values, question.evidence.baseline])
    with torch.no_grad():
        found = question.aim.score(question.traced(module.eval(), question.embedded(module, torch.from_numpy(both))))
    np.testing.assert_allclose(found.numpy(), question.scores(both), rtol=1e-4, atol=1e-4)  # float32, summed otherwise


def test_scores_of_the_input_are_those_of_the_prediction(planted):
    found = attribute(planted.model, planted.input, method="occlusion", **planted.options)
    model, at = planted.model.model_, planted.options.get("at")
    if at is None:
        p = model.predict_proba([planted.input])[0].astype(float)
        place = model.labels.index(found.target)
        assert found.score == pytest.approx(np.log(p[place] / (p.sum() - p[place])), abs=1e-5)
        assert found.prediction["prediction"] == found.target
    else:
        assert found.score == pytest.approx(model.predict(planted.input)[0, at - 1, 0], rel=1e-5)


def test_occlusion_of_a_text_equals_one_text_at_a_time(text_parts):
    model = TextModel(*text_parts())
    found = attribute(model, TEXT, method="occlusion", target="good")
    ids, unknown = (apply([TEXT]).values for apply in (model.features.apply, model.features.apply_unknown))
    question = model.question(TEXT, target="good")
    expected = []
    for place in range(len(ids)):
        changed = ids.copy()
        changed[place] = unknown[place]
        expected.append(question.scores(ids[None])[0] - question.scores(changed[None])[0])
    np.testing.assert_array_equal(found.values, expected)
    tokens, gaps = found.coordinates["token"], found.gaps
    assert "".join(gap + token for gap, token in zip(gaps, [*tokens, ""], strict=True)) == TEXT


def test_occlusion_of_a_signal_equals_one_part_at_a_time():
    model = signal_model(stride=2)
    found = attribute(model, SIGNAL, method="occlusion", window=4)
    assert found.window == (4, 1)
    question, values = model.question(SIGNAL), model.features.standardised(SIGNAL)
    for start in range(0, 11, 4):
        for channel in range(2):
            changed = values.copy()
            changed[start : start + 4, channel] = 0
            lost = question.scores(values[None])[0] - question.scores(changed[None])[0]
            part = found.values[start : start + 4, channel]
            np.testing.assert_allclose(part, lost / len(part), rtol=1e-12)


@pytest.mark.parametrize(("stride", "steps"), [(1, 1), (1, 7), (3, 1), (3, 9), (3, 11), (5, 3)])
def test_features_of_variants_are_those_of_inputs(stride, steps):
    features = SignalFeatures(stride=stride, width=3).fit([SIGNAL])
    signal = SIGNAL[:steps]
    np.testing.assert_array_equal(
        features.vectors(features.standardised(signal)[None])[0], features.apply([signal]).values
    )


def test_changes_of_variants_are_those_of_sounds(audio_model, spoken):
    for recording in spoken[0][:3]:
        evidence = audio_model.evidence(recording)
        np.testing.assert_array_equal(
            evidence.vectors(evidence.values[None])[0], audio_model.encode([recording]).values
        )
    assert evidence.places["band"] == sorted(evidence.places["band"])
    assert 20 < evidence.places["band"][0] < evidence.places["band"][-1] < audio_model.sample_rate / 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reads", ["text", "step"])
def test_the_label_of_a_step(step_model, reads, method):
    model = step_model(reads)
    one = TEXT if reads == "text" else SIGNAL
    found = attribute(model, one, method=method, target="PER", at=4)
    assert (found.target, found.at, found.unit) == ("PER", 4, "log-odds")
    assert not found.values[4:].any()  # what comes later can't matter
    assert found.values[:4].any()
    p = model.predict_proba([one])[0][3]
    assert found.score == pytest.approx(np.log(p[1] / (p[0] + p[2])), abs=1e-5)
    assert attribute(model, one, method=method).at == len(model.predict([one])[0])


def test_a_windowed_model_is_explained_by_the_window_of_a_step():
    model = signal_model(window=4)
    found = attribute(model, SIGNAL, at=6)
    assert found.coordinates["time"] == [3, 4, 5, 6]
    assert found.at == 6
    assert found.prediction["prediction"] == model.predict([SIGNAL])[5]
    assert attribute(model, SIGNAL).coordinates["time"] == [8, 9, 10, 11]


@pytest.mark.parametrize("method", METHODS)
def test_both_directions_and_numbers(method):
    both_ways = signal_model(bidirectional=True, num_layers=2)
    assert attribute(both_ways, SIGNAL, method=method).values.shape == (11, 2)
    found = attribute(signal_model(number=True), SIGNAL, method=method)
    assert (found.target, found.unit) == (None, "value")
    assert found.prediction == {"prediction": found.score}
    assert found.completeness.holds in (None, True)


def test_long_inputs_are_left_out_in_longer_parts(text_parts):
    model = TextModel(*text_parts())
    found = attribute(model, "ferry dawn " * 300, method="occlusion")
    assert found.window == (3,)
    assert len(found.values) == 600
    with pytest.raises(DataError, match=r"at most most_steps=500 steps of the network; got 600. Give a shorter one"):
        attribute(model, "ferry dawn " * 300, most_steps=500)


@pytest.mark.parametrize(
    ("one", "options", "message"),
    [
        (TEXT, {"method": "integrated_gradient"}, "no method 'integrated_gradient'. Did you mean 'integ"),
        (TEXT, {"target": "god"}, "no label 'god'. Did you mean 'good'"),
        (TEXT, {"target": "superb"}, "no label 'superb'. There are bad, middling, good"),
        (TEXT, {"at": 2}, "one prediction for the whole input, so there is no step 2"),
        (TEXT, {"window": 2}, "a window is for occlusion"),
        (TEXT, {"window": 0, "method": "occlusion"}, "window must be a whole number, at least 1; got 0"),
        ("", {}, "at least one token to explain"),
        (" \n", {"method": "occlusion"}, "at least one token to explain"),
        (["a", "b"], {}, "str"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(text_parts, one, options, message):
    with pytest.raises(InputError, match=message):
        attribute(TextModel(*text_parts()), one, **options)


def test_bad_input_of_other_kinds_is_refused(step_model):
    with pytest.raises(ConfigError, match="at must be a step from 1 to 11; got 12"):
        attribute(step_model("step"), SIGNAL, at=12)
    with pytest.raises(ConfigError, match="has no target to choose; got 'a'"):
        attribute(signal_model(number=True), SIGNAL, target="a")
    with pytest.raises(DataError, match="at least one time"):
        attribute(signal_model(), np.zeros((0, 2)))
    assert attribute(signal_model(), SIGNAL, target="3", method="occlusion").target == 3


def test_a_series_may_be_a_list_of_steps():
    model = Forecaster(horizon=2, context=6, hidden_size=4, epochs=1, baseline=False, random_state=0).fit(
        np.tile(SIGNAL[:, 0], 4)
    )
    found = [
        attribute(model, one, method="occlusion").values
        for one in (SIGNAL[:, 0], SIGNAL[:, 0].tolist(), SIGNAL[:, :1].tolist(), [SIGNAL[:, 0]])
    ]
    for each in found[1:]:
        # An array is the series of training, a list an unknown one, which is scaled by its first values.
        np.testing.assert_allclose(each, found[0], rtol=1e-4, atol=1e-6)
    with pytest.raises(DataError, match="one series can be explained at a time; got 2"):
        attribute(model, [SIGNAL[:, 0], SIGNAL[:, 1]])


def test_a_forecasters_column_and_step_are_checked(planted):
    if "at" not in planted.options:
        return
    with pytest.raises(ConfigError, match=r"no target 'yy'\. Did you mean 'y'"):
        attribute(planted.model, planted.input, target="yy")
    with pytest.raises(ConfigError, match="at must be a step from 1 to 2; got 3"):
        attribute(planted.model, planted.input, at=3)


def test_occlusion_needs_no_pytorch(tmp_path, text_parts):
    from penstock import bundle

    network, features, labels, tensors = text_parts()
    bundle.save(tmp_path / "model", network, features.to_json(), labels, tensors, task="text-classification")
    code = (
        "import sys, penstock; from penstock import inspection; "
        f"found = inspection.attribute(penstock.load({str(tmp_path / 'model')!r}), 'the ferry', method='occlusion'); "
        "print(len(found.values), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"


def test_results_are_plain_and_short(text_parts):
    found = attribute(TextModel(*text_parts()), "the ferry sailed", method="occlusion", target="good")
    assert repr(found).startswith("<Attribution by occlusion: 3 token, log-odds of 'good' ")
    plain = found.to_json()
    assert plain["coordinates"] == {"token": ["the", "ferry", "sailed"]}
    assert plain["values"] == found.values.tolist()
    assert plain["completeness"]["holds"] is None
    assert [each["value"] for each in found.top(2)] == sorted(found.values, key=abs, reverse=True)[:2]
    two = attribute(signal_model(), SIGNAL)
    np.testing.assert_allclose(two.along("channel"), two.values.sum(axis=0))
