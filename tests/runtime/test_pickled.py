"""Models, scorers, pools and networks in other processes: pickled, copied, with the same bits."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from penstock import bundle
from penstock.cells import CELLS, Cell
from penstock.errors import BundleError, ConfigError
from penstock.runtime import PooledStream, Recurrence
from penstock.text.model import TextModel

TEXTS = ["the ferry sailed at dawn", "", "我们喜欢 3.5"]


@pytest.fixture
def model(text_parts):
    baseline = {"class_counts": np.array([3, 1, 2])}
    return TextModel(*text_parts(num_layers=2), baseline=baseline, metrics={"valid": {"accuracy": 0.5}})


def test_a_duplicate_of_a_model_is_the_model(model, duplicate):
    twin = duplicate(model)
    np.testing.assert_array_equal(twin.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert twin.evaluate(TEXTS, ["bad", "good", "bad"]) == model.evaluate(TEXTS, ["bad", "good", "bad"])
    assert (twin.fingerprint, twin.info()) == (model.fingerprint, model.info())
    assert twin.tensors["head.weight"] is not model.tensors["head.weight"]


def test_a_pickle_holds_the_bundle(model, tmp_path):
    about = {"task": model.task, "baseline": model.baseline, "metrics": model.metrics}
    bundle.save(tmp_path / "model", model.network, model.features.to_json(), model.labels, model.tensors, **about)
    pickled = pickle.dumps(model)
    for file in (tmp_path / "model").iterdir():
        assert file.read_bytes() in pickled


def test_a_pickled_model_needs_no_pytorch(model, tmp_path):
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((model, model.stream())))
    code = """import pickle, sys
model, stream = pickle.load(open(sys.argv[1], "rb"))
stream.push("the ferry")
print(model.predict_proba(["the ferry"])[0].tolist() == list(stream.finish().values()), "torch" in sys.modules)"""
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.pickle"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["True", "False"]


def test_streams_that_are_pickled_together_share_their_model(model):
    streams = [model.stream(), model.stream()]
    one, two = copy.deepcopy(streams)
    assert one._model is two._model is not model


def test_a_newer_format_is_a_clear_error(model, monkeypatch):
    monkeypatch.setattr(bundle, "FORMAT", 2)
    pickled = pickle.dumps(model)
    monkeypatch.setattr(bundle, "FORMAT", 1)
    with pytest.raises(BundleError, match=r"a pickled TextModel: was written in format 2; this Penstock .* Upgrade"):
        pickle.loads(pickled)  # noqa: S301  # our own bytes


def test_a_damaged_pickle_is_a_clear_error(model):
    pickled = pickle.dumps(model).replace(b'"lstm"', b'"gru7"')
    with pytest.raises(BundleError, match=r"a pickled TextModel: config.json is damaged or was changed"):
        pickle.loads(pickled)  # noqa: S301  # our own bytes


def test_a_cell_that_is_not_there_is_a_clear_error(text_parts, cells_as_before):
    CELLS["own"] = Cell(**(vars(CELLS["gru"]) | {"name": "own"}))
    model = TextModel(*text_parts(cell="own"))
    parameters = {name: np.ones(shape) for name, shape in model.network.encoder.parameter_shapes().items()}
    things = {
        "TextModel": (model, BundleError),
        "stream": (model.stream(), BundleError),
        "scorer": (model.scorer, ConfigError),
        "pool": (model.scorer.pool(), ConfigError),
        "recurrence": (Recurrence(parameters, "own"), ConfigError),
    }
    pickled = {name: (pickle.dumps(thing), error) for name, (thing, error) in things.items()}
    del CELLS["own"]
    for data, error in pickled.values():
        with pytest.raises(error, match=r"'own'.*registered"):
            pickle.loads(data)  # noqa: S301  # our own bytes


@pytest.mark.parametrize("options", [{}, {"cell": "gru", "reset_after": False}, {"bidirectional": True}], ids=str)
def test_a_duplicate_of_a_scorer_scores_the_same(text_parts, duplicate, options):
    model = TextModel(*text_parts(**options))
    sequences = model.encode(TEXTS)
    np.testing.assert_array_equal(duplicate(model.scorer).scores(sequences), model.scorer.scores(sequences))


@pytest.mark.parametrize(
    ("cell", "options"), [("lstm", {}), ("gru", {"reset_after": False}), ("rnn", {"nonlinearity": "relu"})]
)
def test_a_duplicate_of_a_network_gives_the_same_bits(cell, options, duplicate):
    draw = np.random.default_rng(0)
    gates = len(CELLS[cell].gates)
    shapes = {
        "weight_ih": (4 * gates, 3),
        "weight_hh": (4 * gates, 4),
        "bias_ih": (4 * gates,),
        "bias_hh": (4 * gates,),
    }
    network = Recurrence({name: draw.normal(size=shape) for name, shape in shapes.items()}, cell, **options)
    twin, x = duplicate(network), draw.normal(size=(5, 2, 3))
    np.testing.assert_array_equal(twin(x)[0], network(x)[0])
    assert (twin.fingerprint, repr(twin)) == (network.fingerprint, repr(network))


def test_a_duplicate_of_a_pool_has_the_same_streams(model, duplicate):
    pool = model.scorer.pool()
    first, closed, second = (pool.open() for _ in range(3))
    pool.close(closed)
    vectors = model.scorer.vectors(model.encode(["the ferry sailed"])[0])
    pool.step([first, second], vectors[:2])
    twin = duplicate(pool)
    for vector in vectors:
        np.testing.assert_array_equal(
            twin.step([second, first], np.stack([vector, vector])), pool.step([second, first], np.stack([vector] * 2))
        )
    assert len(twin) == len(pool) == 2
    assert twin.open() == pool.open()
    twin.reset(first)
    assert any(array.any() for array in pool.state(first).values())


def test_streams_of_a_pool_stay_in_it(model):
    pool = model.scorer.pool()
    streams = [PooledStream(model, pool) for _ in range(3)]
    for stream in streams:
        stream.push("the ferry")
    twins = copy.deepcopy(streams)
    assert len({id(twin._pool) for twin in twins}) == 1
    assert len(twins[0]._pool) == 3
    assert [twin.save() for twin in twins] == [stream.save() for stream in streams]
    copied = copy.copy(streams[0])
    assert (copied._pool is pool, len(pool)) == (True, 4)
