"""Exports of language models: the scores are the runtime's, whole and step by step, and give its log-probabilities."""

import json
import shutil

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose

from penstock import engine
from penstock.convert import to_c, to_onnx
from penstock.convert.exporting.exported import encoded, of_model
from penstock.convert.exporting.runtimes import RUNTIMES, onnx_runtime
from penstock.convert.exporting.verification import padded, started, states_of
from penstock.runtime.graph_scorer import GraphScorer

MODELS = {
    "plain": {},
    "tied": {"tied": True, "hidden_size": 5},
    "projected": {"tied": True},
    "adaptive": {"cutoffs": (4, 9)},
    "notes": {"level": "notes"},
}
TEXTS = ["the cat sat", "on a log\n", "x"]
PIECES = [[[60, 64], [], [62], [60, 61, 62]], [[61]], [[63], [64]]]


@pytest.fixture(params=MODELS)
def model(request, make_model):
    return make_model(**MODELS[request.param])


@pytest.fixture
def written(model, tmp_path, monkeypatch):
    """A function that writes a form for ONNX Runtime, which alone verifies it; OpenVINO takes seconds to compile."""
    monkeypatch.delitem(RUNTIMES, "OpenVINO")

    def write(*, streaming):
        made = onnx.load(to_onnx(model, tmp_path / "model.onnx", streaming=streaming).files[0])
        return made, onnx_runtime(made.SerializeToString())

    return write


@pytest.fixture
def sequences(model):
    """What the network reads of three texts or pieces, by the name of its input."""
    return encoded(model, of_model(model), PIECES if model.features.level == "notes" else TEXTS)


def runtime_scores(model, sequences):
    """The scores of what comes next after each step, (total, outputs), without the graph."""
    values, lengths = sequences.pad()
    y, _ = model.scorer.encode(model.scorer.vectors(values), lengths=lengths)
    return model.scorer.head.scores(y[np.arange(y.shape[1]) < lengths[:, None]])


def test_the_graph_has_the_bits_of_the_runtime_but_for_an_adaptive_softmax(model, sequences):
    exported, (read,) = of_model(model), sequences.values()
    found = GraphScorer(exported.graph, exported.tensors).scores(sequences)["scores"].values
    rounding = 1e-6 if getattr(model.network.head, "cutoffs", ()) else 0
    assert_allclose(found, runtime_scores(model, read), rtol=0, atol=rounding)


def test_scores_in_onnx_runtime_are_those_of_the_runtime(model, sequences, written):
    (read,) = sequences.values()
    _, run = written(streaming=False)
    found = run(padded(sequences))["scores"]
    inside = np.arange(found.shape[1]) < read.lengths[:, None]
    assert_allclose(found[inside], runtime_scores(model, read), rtol=0, atol=1e-5)


def test_single_steps_in_onnx_runtime_go_on_from_the_states(model, sequences, written):
    made, run = written(streaming=True)
    ((name, read),) = sequences.items()
    states, found = states_of(made), []
    held = started(states, 1)
    for step in padded({name: read[:1]}, lengths=False)[name][0]:
        outputs = run({name: step[None, None], "lengths": np.array([1]), **held})
        held = {each.name: outputs[f"{each.name}_after"] for each in states}
        found.append(outputs["scores"][0, 0])
    assert_allclose(found, runtime_scores(model, read[:1]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("model", ["projected"], indirect=True)
def test_the_metadata_suffice_to_score_a_text(model, written):
    made, run = written(streaming=False)
    about = {each.key: each.value for each in made.metadata_props}
    assert "outside of this file" in about["note"]
    vocabulary = ["<unk>", "<s>", "</s>", *json.loads(about["features"])["tokens"]["vocabulary"]]
    ids = [vocabulary.index(character) for character in TEXTS[0]]
    read = np.array([[json.loads(about["first"]), *ids[:-1]]])
    (scores,) = run({"ids": read, "lengths": np.array([len(ids)])})["scores"]
    found = np.log(engine.softmax(scores))[np.arange(len(ids)), ids]
    assert_allclose(found, model.predict(TEXTS[:1])[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("model", ["adaptive", "notes", "projected"], indirect=True)
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler here")
def test_in_c(model, tmp_path):
    assert to_c(model, tmp_path / "model").errors["cc"] < 1e-5
