"""The view of models that label every step: a strip below a signal, words in the colour of their label."""

from pathlib import Path

import numpy as np
import pytest

from penstock import bundle
from penstock.network import Embedding, Network, Recurrent, StepClassHead
from penstock.text.features import TextFeatures

SIGNAL = np.random.default_rng(3).normal(3, 2, (30, 2)).round(2).tolist()
TAGGED = """import("/page/steps.js").then(async ({ view: viewOf }) => {
  const labels = ["O", "PER"];
  const stream = {
    isOpen: true, close() {},
    async ask({ push }) {
      if (push === undefined) return {};
      const steps = push.split(" ").map((word) => ({ prediction: word === "Ada" ? "PER" : "O", probabilities: { O: 0.25, PER: 0.75 } }));
      return { answer: { steps } };
    },
  };
  const attribute = async (name, input, { at }) => ({ axes: ["token"], coordinates: { token: ["Ada", "wrote"] }, gaps: ["", "\\n", ""], unit: "log-odds", target: "PER", window: [1], values: [at, -0.5] });
  const rows = [["PER", 0.75], ["O", 0.25]].map(([prediction, p], n) => ({ prediction, token: ["Ada", "wrote"][n], probability_PER: p, probability_O: 1 - p }));
  const wire = { stream: async () => stream, model: async () => ({ labels, label_texts: labels }), predict: async (name, [text]) => (text === "Ada\\nwrote" ? rows : []), attribute };
  const view = viewOf({ wire, name: "tags", models: [{ name: "other", streams: true }], info: { reads: "text", labels, label_texts: labels, streams: %s }, working: (work) => work() });
  document.querySelector("main").replaceChildren(view.node);
  const text = view.node.querySelector("textarea");
  text.value = "Ada wrote";
  text.dispatchEvent(new Event("input"));
  return true;
})"""  # noqa: E501


def test_a_signal_has_a_strip_of_its_labels(server, opened, models, picture):
    stream = models["each-step"].stream()
    answers = [stream.push(step) for step in SIGNAL]
    labels = [max(answer, key=answer.get) for answer in answers]
    runs = [label for at, label in enumerate(labels) if not at or labels[at - 1] != label]
    assert len(set(runs)) > 1, "the labels must differ"
    with opened(f"{server.url}/#each-step") as tab:
        tab.wait("document.querySelector('#numbers')")
        assert tab.text("h1") == "A label for every step"
        tab.click("#numbers")
        tab.write("\n".join(", ".join(map(str, step)) for step in SIGNAL))
        tab.wait("document.querySelector('.verdict + p').textContent === 'after step 30'")
        assert tab.text(".verdict strong") == labels[-1]
        order = models["each-step"].labels
        drawn = tab.value("[...document.querySelectorAll('.chart .band.label')].map((e) => e.getAttribute('class'))")
        assert drawn == [f"band label s{order.index(label)}" for label in runs]
        keys = tab.value("[...document.querySelectorAll('.keys [data-label]')].map((e) => e.dataset.label)")
        assert keys == [label for label in order if label in runs]
        picture(tab, "steps")


@pytest.mark.parametrize("streams", ["true", "false"])
@pytest.mark.slow
def test_each_word_of_a_text_has_the_colour_of_its_label(server, opened, streams):
    with opened(f"{server.url}/#each-step") as tab:
        tab.wait("document.querySelector('#numbers')")
        assert tab.value(TAGGED % streams)
        tab.wait("document.querySelectorAll('.spans li').length === 2")
        shown = (
            "[...document.querySelectorAll('.spans li')].map((word) => "
            "[word.className, ...[...word.children].map((part) => part.textContent), word.title])"
        )
        assert tab.value(shown) == [
            ["s1", "Ada", "PER", "PER 75.0 %"],
            ["s0", "wrote", "O", f"O {'25' if streams == 'true' else '75'}.0 %"],
        ]
        scores = "[...document.querySelectorAll('.coloured span')].map((e) => [e.textContent, Number(e.dataset.score)])"
        tab.wait(f"{scores}.length === 2")
        tab.click(".spans li:nth-child(2) button")
        tab.wait(f"{scores}[0]?.[1] === 2")
        assert tab.value(scores) == [["Ada", 2], ["wrote", -0.5]]
        tab.value("[...document.querySelectorAll('.chip')].at(-1).click()")
        tab.wait("document.querySelectorAll('.spans li').length === 0")


@pytest.mark.slow
def test_a_task_of_another_package_has_this_view(running, opened, picture, tmp_path):
    """That of examples/task_of_your_own.py, with random weights: tags of words, as they are typed."""
    words = "Ada Lovelace wrote to Charles"
    features = TextFeatures(min_count=1).fit([words])
    network = Network(Embedding(features.vocabulary_size, 8), Recurrent(input_size=8, hidden_size=9), StepClassHead(3))
    draw = np.random.default_rng(4)
    tensors = {name: draw.normal(size=shape, scale=2) for name, shape in network.parameter_shapes().items()}
    labels = ["B-PER", "I-PER", "O"]
    bundle.save(tmp_path / "people", network, features.to_json(), labels, tensors, task="spans")
    example = Path(__file__).resolve().parents[3] / "examples" / "task_of_your_own.py"
    with running(tmp_path / "people", program=(example,)) as server, opened(f"{server.url}/#people") as tab:
        tab.wait("document.querySelector('textarea')")
        assert tab.text("h1") == "A label for every step"
        tab.click("textarea")
        tab.write(words)
        tab.wait("document.querySelectorAll('.spans li').length === 5")
        children = "[...word.children].map((part) => part.textContent)"
        shown = tab.value(f"[...document.querySelectorAll('.spans li')].map((word) => {children})")
        assert [token for token, _ in shown] == words.split()
        tags = [tag for _, tag in shown]
        assert set(tags) <= set(labels)
        assert len(set(tags)) > 1, "the tags must differ"
        assert all(before != "O" for before, tag in zip(["O", *tags], tags, strict=False) if tag == "I-PER")
        picture(tab, "steps-of-a-text")


@pytest.mark.slow
def test_a_second_model_labels_the_same_words(server, opened):
    with opened(f"{server.url}/#each-step") as tab:
        tab.wait("document.querySelector('#numbers')")
        assert tab.value(TAGGED % "true")
        tab.wait("document.querySelectorAll('.spans li').length === 2")
        tab.choose("#compare", "other")
        tab.wait("document.querySelector('[aria-labelledby=compare-title] .verdict').textContent === 'PER75.0 %'")
