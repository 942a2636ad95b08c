"""The examples and the README's Python lines do what they say.

A stepwise task from outside the package, in one short file, gets all that Penstock's own tasks have.
"""

import asyncio
import contextlib
import io
import json
import re
import runpy
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import penstock as library
from penstock import tasks
from penstock.cli import main
from penstock.errors import BundleError, DataError, StateError
from penstock.heads import ArgMax
from penstock.server.uploads import Upload, json_given

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ROOT / "examples" / "task_of_your_own.py"
# The others add a task, which has tests of its own below, or a cell, which `tests/cells` tries.
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if not path.stem.endswith("_of_your_own"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.slow
def test_example_runs(path, capsys):
    # Each asserts what it claims.
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


def test_readme_lines_run(tmp_path, monkeypatch, capsys):
    lines = python_blocks(ROOT / "README.md")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in lines:
        exec(compile(block, "README.md", "exec"), names)  # our own text, not input
    assert names["model"].predict(["lovely food", "服务差"]) == ["good", "bad"]
    assert (tmp_path / "sentiment" / "report.html").is_file()
    assert tuple(names["lstm"](names["lstm"].weight_ih_l0.new_zeros(2, 3, 64))[0].shape) == (2, 3, 128)
    assert "was kind" in capsys.readouterr().out


def python_blocks(path: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(
    "page", sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
)
def test_links_lead_somewhere(page):
    path = ROOT / page
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            leads_to = path.parent / target if target else path
            assert leads_to.exists(), f"{page} links to {target}"
            assert not anchor or anchor in anchors(leads_to), f"{page} links to {target}#{anchor}"


def anchors(path: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them: small letters, no marks, spaces to hyphens."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


FORMS = (
    (["Ada Lovelace", " wrote to ", "Charles", "."], ["B-PER I-PER", "O O", "B-PER", "O"]),
    (["in ", "Vienna", " nobody knew ", "Emmy Noether"], ["O", "B-LOC", "O O", "B-PER I-PER"]),
    (["they sailed at dawn"], ["O O O O"]),
    (["Kurt Planck", " left ", "New York", " for ", "Rome"], ["B-PER I-PER", "O", "B-LOC I-LOC", "O", "B-LOC"]),
)
ROWS = [("".join(words), " ".join(tags)) for words, tags in FORMS] * 30
QUICK = {"epochs": 5, "hidden_size": 24, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def outside():
    """The task, there for these tests."""
    before = dict(tasks.TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(OUTSIDE.parent)
        patch.delitem(sys.modules, "task_of_your_own", raising=False)  # it may be set up again, and registers itself
        import task_of_your_own

        yield task_of_your_own
    tasks.TASKS.clear()
    tasks.TASKS.update(before)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A file of tagged texts."""
    path = tmp_path_factory.mktemp("data") / "people.csv"
    path.write_text("text,tags\n" + "".join(f'"{text}",{tags}\n' for text, tags in ROWS))
    return path


@pytest.fixture(scope="module")
def saved(outside, people, tmp_path_factory):
    """A model that the command trained, and what it printed."""
    out, printed = tmp_path_factory.mktemp("models") / "people", io.StringIO()
    flags = ("--epochs", "8", "--hidden-size", "24", "--learning-rate", "0.02")
    with contextlib.redirect_stdout(printed):
        assert main(["train", "spans", str(people), "--out", str(out), *flags, "--json"]) == 0
    return out, json.loads(printed.getvalue())


def test_it_is_short():
    assert len(OUTSIDE.read_text(encoding="utf-8").splitlines()) < 120


def test_it_is_trained_and_measured(saved, people, penstock):
    out, trained = saved
    assert trained["test"]["accuracy"] > 0.95 > trained["baseline"]["accuracy"]
    found = json.loads(penstock("evaluate", out, people, "--json").out)
    assert found["metrics"].keys() == found["baseline"].keys() == {"accuracy", "f1_macro"}
    tags = [tag for _, own in ROWS for tag in own.split()]
    assert found["baseline"]["accuracy"] == pytest.approx(tags.count("O") / len(tags))
    assert found["metrics"]["accuracy"] > 0.95
    info = json.loads(penstock("info", out, "--json").out)
    about = {name: info[name] for name in ("task", "streams", "reads", "view", "labels")}
    assert about == {
        "task": "spans",
        "streams": True,
        "reads": "text",
        "view": "steps",
        "labels": ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"],
    }
    assert "--embedding-size" in penstock("train", "spans", "--help-all").out


def test_it_predicts_files_and_lines_and_streams_the_same(saved, people, penstock):
    out, _ = saved
    rows = [json.loads(line) for line in penstock("predict", out, people).out.splitlines()]
    assert len(rows) == sum(len(tags.split()) for _, tags in ROWS)
    texts = "\n".join(text for text, _ in ROWS[:4]).encode()
    lines = [json.loads(line) for line in penstock("predict", out, "-", stdin=texts).out.splitlines()]
    assert lines == rows[: len(lines)]
    assert [row["step"] for row in lines[:6]] == [1, 2, 3, 4, 5, 6]
    model, text = library.load(out), ROWS[0][0]
    assert model.predict([text]) == [[row["prediction"] for row in lines[:6]]]
    pieces = text.replace(" ", "\n").encode()
    streamed = [json.loads(line) for line in penstock("stream", out, stdin=pieces).out.splitlines()]
    assert [step["prediction"] for answer in streamed for step in answer["steps"]] == model.predict([text])[0]


def test_its_decoder_forks_saves_and_forgets_with_the_stream(saved):
    model = library.load(saved[0])
    model.decoder.choose = lambda row, before: 0 if before is None else (before + 1) % 5  # what only memory can tell
    stream = model.stream()
    assert stream.push("Ada Lovelace").labels == model.labels[:2]
    state, twin = stream.save(), stream.fork()
    assert stream.push("wrote").labels == twin.push("wrote").labels == [model.labels[2]]
    assert model.stream().load(state).push("wrote").labels == [model.labels[2]]
    stream.reset()
    assert stream.push("Ada").labels == model.labels[:1]


def test_it_has_a_report(saved):
    page = (saved[0] / "report.html").read_text(encoding="utf-8")
    assert f"<h1>{saved[0].name}: Spans</h1>" in page
    for title in ("Scores beside the baselines", "Learning curves", "Each class", "Confusion matrix", "Data"):
        assert f"<h2>{title}</h2>" in page
    metrics = json.loads((saved[0] / "metrics.json").read_text())
    assert f'data-metric="/test/accuracy" data-value="{metrics["test"]["accuracy"]}"' in page
    assert metrics["data"]["train"]["steps"] == sum(metrics["data"]["train"]["classes"].values())


@pytest.mark.slow
def test_it_is_served_with_a_view_on_the_page(saved):
    """By a process of its own, run as its first lines say."""
    command = [sys.executable, "-W", "error", OUTSIDE, "serve", saved[0], "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            ready = next(line for line in map(json.loads, server.stderr) if line["event"] == "ready")
            asyncio.run(asked(ready["url"], library.load(saved[0])))
        finally:
            server.kill()


async def asked(url, model):
    text = ROWS[0][0]
    with library.Client(url, timeout=30) as client:
        assert client.model("people")["view"] == "steps"
        assert client.predict("people", [text]) == list(model.answers([text]))
        async with await client.stream("people") as remote:
            own = model.stream()
            for piece in text.split():
                assert await remote.push(piece) == model.as_json(own.push(piece))
            assert await remote.finish() == {"steps": []}
            await remote.reset()
            _, traces = await remote.trace(text)
            assert len(traces) == 6
    for path in ("/", "/page/steps.js"):
        with urllib.request.urlopen(url + path) as answer:
            assert answer.status == 200


def test_a_server_takes_its_texts_and_files(saved):
    """What a model reads decides, not the name of its features."""
    model = library.load(saved[0])
    assert json_given(b'{"inputs": ["Ada wrote"]}', model).inputs == ["Ada wrote"]
    assert list(Upload("people.csv", b"text\nAda wrote\n").inputs(model)) == ["Ada wrote"]


def test_its_decoder_never_begins_inside_a_span(outside):
    tags = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    scores = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    found = outside.SpanDecoder(tags).whole(scores)
    free = ArgMax().whole(scores)
    assert not np.array_equal(found, free)
    before = "O"
    for place, likeliest in zip(found, free, strict=True):
        if tags[place].startswith("I-"):
            assert before[1:] == tags[place][1:]
        if not tags[likeliest].startswith("I-"):
            assert place == likeliest
        before = tags[place]


def test_bad_data_is_refused_before_training(outside):
    tagger = outside.Tagger(**QUICK)
    texts, labels = [text for text, _ in ROWS], [tags.split() for _, tags in ROWS]
    with pytest.raises(DataError, match=r"a tag for each of \['they', 'sailed'\]; got \['O'\]"):
        tagger.fit([*texts, "they sailed"], [*labels, ["O"]])
    with pytest.raises(DataError, match="at least two classes; got only 'O'"):
        tagger.fit(["they sailed", "at dawn"], [["O", "O"], ["O", "O"]])
    with pytest.raises(DataError, match=r"test_data must have no other classes than .*; got also 'B-ORG'"):
        tagger.fit(texts, labels, test_data=(["Acme"], [["B-ORG"]]))


def test_it_trains_on_from_what_was_saved(outside, saved):
    again = outside.Tagger.load(saved[0])
    assert again.warm_start
    assert again.get_params()["hidden_size"] == 24
    texts, labels = [text for text, _ in ROWS], [tags.split() for _, tags in ROWS]
    again.set_params(epochs=1, learning_rate=1e-4).fit(texts, labels)
    assert again.score(texts, labels) > 0.95
    assert again.predict(texts[:1])[0][0] == "B-PER"


def test_without_it_its_models_are_refused_by_name_and_their_states_by_others(saved, monkeypatch):
    model = library.load(saved[0])
    state = model.stream().save()
    weights = {"weight_ih_l0": np.ones((4, 1)), "weight_hh_l0": np.ones((4, 1))}
    with pytest.raises(StateError, match="text-steps"):
        library.runtime.Recurrence(weights, "lstm").stream().load(state)
    monkeypatch.delitem(tasks.TASKS, "spans")
    with pytest.raises(BundleError, match=r"there is no task 'spans'; known tasks: .* import that package first"):
        library.load(saved[0])
