"""What models of every kind say of an input: the layers' vectors, and predictions after forgetting."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.cli.columns import saved_columns
from penstock.errors import ConfigError, DataError
from penstock.inspection import trace
from penstock.inspection.traces import trace_stack
from penstock.runtime import Model
from penstock.tasks import find
from penstock.text.model import TextModel
from penstock.text.properties import text_properties

MODELS = sorted(Path(__file__).parents[1].glob("released/*/*/model"))


@pytest.fixture(scope="module", params=MODELS, ids=lambda folder: folder.parent.name)
def released(request):
    """A model that a released version wrote, with the inputs beside it."""
    folder = request.param
    model = penstock.load(folder)
    (path,) = folder.parent.glob("input*")
    task = find(model.task)
    return model, task.read(path, saved_columns(task, model, {}), False).inputs


def whole(model, inputs):
    """The prediction for the first input, as `Reading.recall` gives it."""
    if model.task == "forecasting":
        panel = model.panel(inputs)
        quantiles = model.predict_quantiles(panel)[0][..., model.features.median]
        return quantiles, model.features.encode(panel.series[0], panel.frequency).scale
    found = model.outputs(model.checked(inputs[:1]))[-1]
    return found, None


def test_remembering_all_gives_the_prediction_bit_for_bit(released):
    model, inputs = released
    reading = next(iter(model.readings(inputs)))
    found = reading.recall([0, len(reading)])
    expected, scale = whole(model, inputs)
    if scale is None:
        np.testing.assert_array_equal(found[1], expected)
    else:  # scaled outputs, without the calibration, which leaves the median where it is
        outputs = found[1].reshape(*expected.shape, 1)
        np.testing.assert_allclose(model.features.restore(outputs, scale)[..., 0], expected, rtol=1e-6)
    assert not np.array_equal(found[0], found[1])


def test_every_property_has_a_value_at_each_step(released):
    model, inputs = released
    reading = next(iter(model.readings(inputs)))
    assert reading.x.shape == (len(reading), max(1, len(reading.rows)), model.network.encoder.input_size)
    assert len(reading.names) in (0, len(reading))
    assert "position" in reading.properties
    assert {len(values) for values in reading.properties.values()} == {len(reading)}


def test_a_trace_has_the_outputs_of_the_layers(released):
    model, inputs = released
    reading = next(iter(model.readings(inputs)))
    found = trace_stack(model.scorer.encoder, reading.x, ("batch", range(reading.x.shape[1])))
    y, _ = model.scorer.encoder(reading.x)
    np.testing.assert_array_equal(np.concatenate(list(found["h"].values[-1]), axis=-1), y)


def test_a_trace_ends_in_the_states_of_a_stream(text_parts):
    model = TextModel(*text_parts("lstm", num_layers=2))
    text = "the ferry sailed at dawn, didn't it?"
    stream, found = model.stream(), trace(model, text)
    stream.push(text)
    memory = stream.arrays()
    assert found["forget"].coords["name"][1].tolist() == [
        "the",
        "ferry",
        "sailed",
        "at",
        "dawn",
        ",",
        "didn't",
        "it",
        "?",
    ]
    for layer in range(2):
        for name in ("h", "c"):
            np.testing.assert_array_equal(found[name].values[layer, 0, -1], memory[f"encoder.{layer}.{name}"][0])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_model_of_steps_recalls_the_last_or_the_middle_one(step_model, bidirectional):
    model = step_model(bidirectional=bidirectional)
    text = "the ferry sailed at dawn"
    reading = model.reading(text)
    place = 2 if bidirectional else -1
    np.testing.assert_array_equal(reading.recall([5])[0], model.predict_proba([text])[0][place])
    assert np.abs(reading.recall([0])[0] - reading.recall([5])[0]).max() > 1e-3


def test_a_series_is_chosen_by_the_caller():
    folder = next(folder for folder in MODELS if folder.parent.name == "forecast-window")
    model = penstock.load(folder)
    panel = penstock.read_series(folder.parent / "input.csv", **model.features.columns)
    with pytest.raises(DataError, match=f"one series can be inspected at a time; got {len(panel)}"):
        trace(model, panel)
    assert trace(model, replace(panel, series=panel.series[:1])).states == ("h",)


def test_an_unreadable_class_is_reported():
    with pytest.raises(ConfigError, match="its class has no method `reading`"):
        Model.reading(type("Own", (), {"task": "own"})(), "text")


def test_properties_of_a_text():
    found = text_properties(["(", "A", "(", ")", "“", "b2", "”", ")", ")", "“"])
    assert found["brackets"].ravel().tolist() == [1, 1, 2, 1, 1, 1, 1, 0, 0, 0]
    assert found["quotes"].ravel().tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 1]
    assert np.flatnonzero(found["capitals"]).tolist() == [1]
    assert np.flatnonzero(found["digits"]).tolist() == [5]


@pytest.mark.parametrize(("text", "unit"), [("a hotel by the sea", "word"), ("海边的酒店", "character")])
def test_units_of_texts(step_model, text, unit):
    assert step_model().reading(text).unit == unit
