"""Models that label each step: predictions, figures, streams."""

import json

import numpy as np
import pytest
import sklearn.metrics

from penstock.errors import ConfigError, DataError
from penstock.network import ClassHead, Network
from penstock.signals.model import SignalClassModel

TEXTS = ["the ferry sailed at dawn", "", "我们喜欢早餐 !", "ferry"]


@pytest.mark.parametrize("delayed", [False, True], ids=["immediate", "delayed"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_streamed_labels_are_those_of_the_whole(step_model, cell, delayed):
    model = step_model(cell=cell, delayed=delayed)
    whole, spread = model.predict(TEXTS), model.predict_proba(TEXTS)
    assert len({label for labels in whole for label in labels}) > 1, "the labels must differ"
    assert whole == [model.predict([text])[0] for text in TEXTS]
    for text, labels, probabilities in zip(TEXTS, whole, spread, strict=True):
        stream, told = model.stream(), []
        for piece in [*text.split(" "), None]:
            told.append(stream.finish() if piece is None else stream.push(piece))
        assert [label for each in told for label in each.labels] == labels
        if delayed:
            assert all(each.probabilities is None for each in told)
            assert len(told[-1].labels) == min(2, len(labels))
        else:
            np.testing.assert_array_equal(np.concatenate([each.probabilities for each in told]), probabilities)


def test_rows_and_json_name_each_step(step_model):
    model = step_model()
    rows = list(model.answers(TEXTS))
    assert [row["step"] for row in rows] == [*range(1, 6), *range(1, 8), 1]
    assert list(rows[0]) == ["step", "prediction", "probability_O", "probability_PER", "probability_3"]
    assert [row["prediction"] for row in rows[:5]] == model.predict(TEXTS)[0]
    steps = json.loads(json.dumps(model.as_json(model.stream().push("the ferry"))))["steps"]
    assert [step["prediction"] for step in steps] == model.predict(["the ferry"])[0]
    assert steps[0]["probabilities"].keys() == {"O", "PER", "3"}
    assert list(step_model(delayed=True).answers(["ferry"])) == [{"step": 1, "prediction": rows[-1]["prediction"]}]
    assert step_model(delayed=True).as_json(step_model(delayed=True).stream().push("ferry")) == {"steps": []}
    about = model.info()
    assert (about["view"], about["reads"], about["label_texts"], about["streams"]) == (
        *("steps", "text", ["O", "PER", "3"]),
        True,
    )


def test_figures_are_over_all_steps(step_model):
    model = step_model(baseline={"class_counts": np.array([1, 5, 2])})
    texts = ["the ferry sailed", "ferry at dawn it", "dawn"]
    truth = [["O", "PER", 3], ["O", "O", "O", "3"], ["PER"]]
    found = model.evaluate(texts, truth)
    flat = ["O", "PER", "3", "O", "O", "O", "3", "PER"]
    for name, predicted in (
        ("metrics", [str(label) for labels in model.predict(texts) for label in labels]),
        ("baseline", ["PER"] * 8),
    ):
        assert found[name] == {
            "accuracy": pytest.approx(sklearn.metrics.accuracy_score(flat, predicted)),
            "f1_macro": pytest.approx(sklearn.metrics.f1_score(flat, predicted, average="macro")),
        }
    assert found["baselines"] == {"majority": found["baseline"]}


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["the ferry"], [["O"]], "input 0 has 2 steps and 1 labels; give one for each step"),
        (["the ferry"], ["OO"], "input 0 must have a list of labels, one for each step; got 'OO'"),
        (["the ferry", "at"], [["O", "O"]], "a list of labels for each of 2 inputs; got 1"),
        (["the ferry"], None, "a list of labels for each of 1 inputs; got 0"),
        ([""], [[]], "at least one step with a label; got none"),
        (["ferry"], [["LOC"]], r"no other classes than 'O', 'PER', 3; got also 'LOC'"),
        (["ferry"], [[None]], "number 0 is missing"),
        ([3], [["O"]], "texts must all be str"),
    ],
)
def test_truth_that_does_not_fit_is_refused(step_model, texts, labels, message):
    with pytest.raises(DataError, match=message):
        step_model().evaluate(texts, labels)


def test_a_decoder_that_skips_steps_has_no_accuracy_over_steps(step_model):
    model = step_model()
    model.decoder = type("Skips", (), {"immediate": False, "whole": lambda self, scores: np.zeros(1, np.int64)})()
    with pytest.raises(DataError, match="a decoder that gives every step exactly one label"):
        model.evaluate(["the ferry"], [["O", "O"]])


def test_parts_that_do_not_fit_are_refused(step_model):
    model = step_model("step")
    kind, parts = type(model), (model.network, model.features, model.labels, model.tensors)
    with pytest.raises(ConfigError, match="a head of 3 classes needs 3 labels; got 2"):
        kind(*parts[:2], ["a", "b"], model.tensors)
    pooled = Network(model.network.inputs, model.network.encoder, ClassHead(3))
    with pytest.raises(ConfigError, match="needs a stepwise head; got one of kind 'class'"):
        kind(pooled, *parts[1:])
    with pytest.raises(ConfigError, match="a head of 0 classes"):
        SignalClassModel(*parts)


def test_both_directions_label_whole_inputs_only(step_model):
    model = step_model(bidirectional=True)
    assert not model.streams
    assert model.predict(TEXTS) == [model.predict([text])[0] for text in TEXTS]
    with pytest.raises(ConfigError, match="bidirectional"):
        model.stream()
