"""Models of Keras as graphs: against Keras' own run, over cells, forms, directions, masks, joins and file formats."""

import json
import warnings
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import penstock
from penstock import convert
from penstock.convert.importing.checking import TOLERANCE
from penstock.decoded import at_most
from penstock.errors import BundleError, ConfigError, DataError
from penstock.runtime import Recurrence

pytestmark = [
    pytest.mark.slow,  # Keras takes longer to import than all of them to run
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:keras\..*"),
    pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning"),
]


def layers_of(keras):
    """Recurrent layers of all forms, by a name that says which."""
    L = keras.layers
    return {
        "rnn": L.SimpleRNN(4, return_sequences=True),
        "rnn-relu-back": L.SimpleRNN(4, activation="relu", go_backwards=True, return_sequences=True),
        "lstm": L.LSTM(4, return_sequences=True),
        "lstm-last": L.LSTM(4),
        "lstm-back-last": L.LSTM(4, go_backwards=True),
        "lstm-nobias": L.LSTM(4, use_bias=False, unit_forget_bias=False, return_sequences=True),
        "lstm-stateful": L.LSTM(4, stateful=True, return_sequences=True),
        "gru-after": L.GRU(4, return_sequences=True),
        "gru-before": L.GRU(4, reset_after=False, return_sequences=True),
        "gru-before-nobias": L.GRU(4, reset_after=False, use_bias=False),
        "gru-zero": L.GRU(4, return_sequences=True, zero_output_for_mask=True),
        "both": L.Bidirectional(L.LSTM(4, return_sequences=True)),
        "both-last": L.Bidirectional(L.GRU(4)),
        "both-sum": L.Bidirectional(L.SimpleRNN(4, return_sequences=True), merge_mode="sum"),
        "both-mul": L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="mul"),
        "both-ave-last": L.Bidirectional(L.GRU(4, reset_after=False), merge_mode="ave"),
    }


def random_weights(model, seed=0):
    """Give every weight a random value, so that biases and statistics count too."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        value = random.normal(0, 0.5, weight.shape)
        weight.assign(np.abs(value) + 0.5 if "variance" in weight.path else value)
    return model


def checked(model):
    """The check's record: it ran, and all outputs were those of Keras."""
    record = model.metrics["import"]["checked"]
    assert record["against"].startswith("Keras 3")
    assert record["largest_difference"] <= TOLERANCE
    return record


@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
def test_recurrent_layers_of_all_forms(keras, tmp_path, masked):
    x = keras.Input((None, 3), batch_size=1, name="x")  # a stateful layer needs the number of sequences
    read = keras.layers.Masking(-1.0)(x) if masked else x
    outputs = [layer(read) for layer in layers_of(keras).values()]
    model = random_weights(keras.Model(x, outputs))
    model.save(tmp_path / "forms.keras")
    found = convert.from_keras(tmp_path / "forms.keras")
    assert checked(found)["random_sequences"] == 5
    assert len(found.network.outputs) == len(outputs)
    assert any("stateful" in note for note in found.metrics["import"]["notes"])
    if not masked:
        assert convert.from_keras(model).fingerprint == found.fingerprint


def tagger(keras):
    """A functional model with two inputs, shared and nested layers, joins and several outputs."""
    L = keras.layers
    words, level = keras.Input((None,), name="words"), keras.Input((None, 3), name="level")
    embedded = L.Embedding(7, 4, mask_zero=True, name="table")(words)
    inner = keras.Sequential([L.Input((None, 3)), L.Dense(4, activation="gelu"), L.BatchNormalization()], name="inner")
    both = L.Concatenate()([embedded, L.SpatialDropout1D(0.2)(inner(level))])
    y, state = L.GRU(4, return_sequences=True, return_state=True, name="gru")(both)
    shared = L.Dense(4, activation="leaky_relu")
    summed = L.Subtract()([L.Average()([shared(y), shared(embedded)]), L.Multiply()([y, embedded])])
    normal = L.LayerNormalization(name="normal")(L.Add()([summed, y]))
    steps = L.TimeDistributed(L.Dense(2, activation="softmax"), name="steps")(L.Dropout(0.5)(normal))
    mean = L.GlobalAveragePooling1D(name="mean")(normal)
    most = L.Activation("hard_sigmoid", name="most")(L.GlobalMaxPooling1D()(normal))
    return random_weights(keras.Model([words, level], [steps, mean, most, state]))


def test_a_functional_model_of_many_parts(keras, tmp_path):
    tagger(keras).save(tmp_path / "tagger.keras")
    model = convert.from_keras(tmp_path / "tagger.keras")
    checked(model)
    assert model.network.outputs == ("steps", "mean", "most", "gru")
    loaded = penstock.load(model.save(tmp_path / "tagger"))
    item = {"words": np.array([1, 0, 3, 6, 0]), "level": np.random.default_rng(3).normal(size=(5, 3))}
    (whole,) = loaded.predict([item])
    stream = loaded.stream()
    steps = [stream.push({name: array[step] for name, array in item.items()}) for step in range(5)]
    assert_array_equal(np.array([step["steps"] for step in steps]), whole["steps"])
    assert_array_equal(stream.finish()["mean"], whole["mean"])


def test_layers_that_skip_others(keras):
    L, x = keras.layers, keras.Input((None, 3))
    first = L.LSTM(4, return_sequences=True)(x)
    second = L.LSTM(4, return_sequences=True)(first)
    checked(convert.from_keras(random_weights(keras.Model(x, L.Concatenate()([x, first, second])))))


def test_parts_of_a_model(keras, tmp_path):
    tagger(keras).save(tmp_path / "tagger.keras")
    checked(convert.from_keras(tmp_path / "tagger.keras", stop="gru"))
    part = convert.from_keras(tmp_path / "tagger.keras", start="steps", stop="steps")
    assert list(part.network.inputs) == ["input"]
    masked = convert.from_keras(tmp_path / "tagger.keras", start="gru", stop="gru")
    assert "begins with gru, which reads a mask" in masked.metrics["import"]["not_checked"]
    with pytest.raises(ConfigError, match="stop='grü': there is no such layer; there are words"):
        convert.from_keras(tmp_path / "tagger.keras", stop="grü")
    with pytest.raises(ConfigError, match="size of its input is unknown"):
        convert.from_keras(tmp_path / "tagger.keras", start="mean")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_sequential_models_in_both_formats(keras, tmp_path, ending):
    L = keras.layers
    model = keras.Sequential(
        [
            L.Input((6, 3)),
            L.Dense(4),
            L.ReLU(max_value=1.5),
            L.Bidirectional(L.LSTM(3, return_sequences=True)),
            L.BatchNormalization(scale=False),
            L.GRU(4, recurrent_dropout=0.1),
            L.Dense(2),
            L.Softmax(),
        ]
    )
    random_weights(model)
    path = tmp_path / f"model.{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras calls its older format old
        model.save(path)
    found = convert.from_keras(path, check=[np.zeros((6, 3)), np.ones((6, 3))])
    assert checked(found)["given_sequences"] == 2
    (expected,) = model(np.ones((1, 6, 3), np.float32)).detach().numpy()
    assert_allclose(found.predict([np.ones((6, 3))])[0], expected, atol=1e-6)
    assert convert.from_keras(path, check=False).metrics["import"]["not_checked"] == "check=False"
    with pytest.raises(DataError, match="input 0 of the check"):
        convert.from_keras(path, check=[np.zeros((6, 2))])


def test_weights_alone_need_an_architecture(keras, tmp_path):
    L = keras.layers
    model = random_weights(keras.Sequential([L.Input((None, 3)), L.LSTM(4, name="rnn"), L.Dense(2, name="out")]))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    with pytest.raises(ConfigError, match=r"holds the weights of dense, lstm, and no architecture. Give it by"):
        convert.from_keras(path)
    expected = convert.from_keras(model).tensors
    for config in (json.loads(model.to_json()), tmp_path / "model.json"):
        (tmp_path / "model.json").write_text(model.to_json())
        found = convert.from_keras(path, config=config)
        checked(found)
        for name, array in found.tensors.items():
            assert_array_equal(array, expected[name])
    kernels = dict(zip(("kernel", "recurrent_kernel", "bias"), model.get_layer("rnn").get_weights(), strict=True))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    single = Recurrence.from_arrays(kernels, "lstm", layout="keras")(x)[0][-1]
    assert_allclose(single, model.get_layer("rnn")(x[None]).detach().numpy()[0], atol=1e-6)


def test_a_difference_is_refused(keras, tmp_path, monkeypatch):
    random_weights(keras.Sequential([keras.layers.Input((None, 3)), keras.layers.LSTM(4)])).save(tmp_path / "m.keras")
    monkeypatch.setattr("penstock.convert.importing.keras_recurrent._CELLS", {"LSTM": "lstm"})
    monkeypatch.setattr("penstock.runtime.layouts._ORDERS", {"lstm": "figo"})
    with pytest.raises(ConfigError, match=r"the imported lstm\w* differs from that of Keras .* by"):
        convert.from_keras(tmp_path / "m.keras")


def refusals(keras):
    """Layers and options that can't come in, each with what the message must say."""
    L = keras.layers
    return [
        (L.Lambda(lambda x: x), "the layer 'Lambda' can't be imported: it holds Python code"),
        (L.Flatten(), "the layer 'Flatten' .* GlobalAveragePooling1D"),
        (L.Conv1D(2, 1), "the layer 'Conv1D' .* start="),
        (L.LSTM(2, recurrent_activation="hard_sigmoid"), "LSTM with the recurrent activation 'hard_sigmoid'"),
        (L.GRU(2, activation="relu"), "GRU with the activation 'relu' .* the engine has tanh"),
        (L.Dense(2, activation="mish"), "the activation 'mish' can't be imported: use one of"),
        (L.TimeDistributed(L.LSTM(2)), None),
        (L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(3, go_backwards=True), merge_mode="concat"), "unlike layers"),
        (L.Bidirectional(L.LSTM(2), merge_mode=None), "merge_mode=None can't be imported: concat, sum"),
        (L.RNN(L.LSTMCell(2)), "the layer 'RNN' .* SimpleRNN, LSTM and GRU come in"),
    ]


def test_what_cannot_come_in_is_named(keras):
    for layer, message in refusals(keras):
        if message is not None:
            model = keras.Sequential([keras.layers.Input((6, 3)), layer])
            with pytest.raises(ConfigError, match=message):
                convert.from_keras(model)


def test_a_layer_of_ones_own_is_refused(keras, tmp_path):
    @keras.saving.register_keras_serializable(package="mine")
    class Dense(keras.layers.Dense):
        pass

    keras.Sequential([keras.layers.Input((None, 3)), Dense(2)]).save(tmp_path / "own.keras")
    with pytest.raises(ConfigError, match="the custom layer 'Dense' can't be imported"):
        convert.from_keras(tmp_path / "own.keras")


def test_damaged_and_dangerous_files_are_refused(keras, tmp_path):
    import h5py

    whole = tmp_path / "whole.keras"
    keras.Sequential([keras.layers.Input((None, 3)), keras.layers.LSTM(4, name="rnn")]).save(whole)
    (tmp_path / "cut.keras").write_bytes(whole.read_bytes()[:2000])
    (tmp_path / "text.h5").write_text("a model")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "no.keras", "w") as new:
        new.writestr("config.json", old.read("config.json"))
        weights = old.read("model.weights.h5")
        described = json.loads(old.read("config.json"))
    linked = tmp_path / "linked.weights.h5"
    linked.write_bytes(weights)
    with h5py.File(linked, "a") as file:
        del file["layers/lstm/cell/vars/0"]
        file["layers/lstm/cell/vars/0"] = h5py.ExternalLink("whole.h5", "/")
    for name, message in [
        ("none.keras", "no such file"),
        ("cut.keras", "neither a .keras file nor HDF5"),
        ("text.h5", "neither a .keras file nor HDF5"),
        ("no.keras", "it holds no metadata.json"),
    ]:
        with pytest.raises(BundleError, match=message):
            convert.from_keras(tmp_path / name)
    with pytest.raises(BundleError, match="0 is missing, or is a link"):
        convert.from_keras(linked, config=described)
    with at_most(100), pytest.raises(DataError, match="holds more than 100 bytes when decoded"):
        convert.from_keras(whole)
    (tmp_path / "large.weights.h5").write_bytes(weights)
    with at_most(100), pytest.raises(DataError, match="holds more than 100 bytes when decoded"):
        convert.from_keras(tmp_path / "large.weights.h5", config=described)
