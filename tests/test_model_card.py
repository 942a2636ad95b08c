"""Cards of saved models hold the Hub's metadata."""

import json
import re
from pathlib import Path

import pytest

import penstock
from penstock import bundle
from penstock.errors import ConfigError
from penstock.model_card import published
from penstock.registry import TASKS

RELEASED = sorted(Path(__file__).parent.glob("released/*/*/model"))


def metadata(card):
    """The lines between the first two rules: each a name and, as YAML allows, JSON."""
    empty, head, _ = card.split("---\n", 2)
    assert empty == ""
    return {name: json.loads(value) for name, value in (line.split(": ", 1) for line in head.splitlines())}


def card_of(saved):
    about = {"task": saved.task, "metrics": saved.metrics}
    files = bundle.encode(saved.network, saved.features, saved.labels, saved.tensors, **about)
    return files["README.md"].decode()


def test_the_hubs_library_reads_it():
    hub = pytest.importorskip("huggingface_hub", reason="pip install huggingface_hub to read cards by its library")
    read = hub.ModelCard(card_of(bundle.load(RELEASED[0])))
    assert read.data.library_name == "penstock"
    assert read.data.eval_results[0].task_type == read.data.pipeline_tag


@pytest.mark.parametrize("folder", RELEASED, ids=lambda path: path.parent.name)
def test_the_card_names_task_metrics_and_data(folder):
    saved = bundle.load(folder)
    found = metadata(card_of(saved))
    assert found["library_name"] == "penstock"
    assert saved.network.encoder.cell in found["tags"]
    ((result,),) = (each["results"] for each in found["model-index"])
    assert result["task"]["type"] == found["pipeline_tag"]
    measured = {each["name"]: each["value"] for each in result["metrics"]}
    expected = saved.metrics["test"] or saved.metrics["valid"]
    assert measured == {name: value for name, value in expected.items() if name != "rows"}


def test_licence_and_data_sets_stand_in_the_card_and_stay(tmp_path):
    from penstock.network import GraphBuilder, Pool, Value
    from penstock.runtime import GraphModel

    builder = GraphBuilder({"x": Value(3)})
    model = GraphModel(*builder.build(builder.add(Pool("mean"), "x")))
    folder = model.save(tmp_path / "mean", license="cc-by-4.0", datasets=["imdb", "someone/reviews"])
    for path in (folder, penstock.load(folder).save(tmp_path / "again")):
        found = metadata((path / "README.md").read_text(encoding="utf-8"))
        assert (found["license"], found["datasets"]) == ("cc-by-4.0", ["imdb", "someone/reviews"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"license": "MIT License, see below"}, "license must be an identifier of the Hub, such as mit"),
        ({"license": "mit\nevil: 1"}, "license must be"),
        ({"datasets": ["imdb", "my reviews.csv"]}, "datasets must be names as on the Hub.* got 'my reviews.csv'"),
        ({"datasets": [3]}, "datasets must be names"),
    ],
)
def test_what_is_no_licence_or_data_set_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        published(**({"license": None, "datasets": None} | given))


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_task_has_the_hubs_word(task):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", task.pipeline)


def test_an_imported_network_has_a_card_without_a_task(tmp_path):
    from penstock.network import GraphBuilder, Pool, Value
    from penstock.runtime import GraphModel

    builder = GraphBuilder({"x": Value(3)})
    folder = GraphModel(*builder.build(builder.add(Pool("mean"), "x"))).save(tmp_path / "mean")
    found = metadata((folder / "README.md").read_text(encoding="utf-8"))
    assert found == {"library_name": "penstock", "tags": ["penstock", "rnn"]}
    assert penstock.load(folder).task == "network"
