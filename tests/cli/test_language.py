"""A language model on the command line: trained, evaluated, continued, streamed, described."""

import json

import pytest

from penstock import load
from penstock.language.cache import NeuralCache
from penstock.language.dynamic import DynamicEvaluation


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "cats.txt"
    path.write_text("the cat sat on the mat\nthe dog sat on the log\n" * 30)
    return path


@pytest.fixture(scope="module")
def saved(text):
    from penstock.cli import main

    out = text.parent / "cats"
    options = ["--hidden-size", 12, "--epochs", 3, "--steps", 20, "--batch-size", 4, "--learning-rate", 0.03]
    assert main(["train", "language", str(text), "--level", "char", "--out", str(out), *map(str, options)]) == 0
    return out


def test_it_is_evaluated(penstock, saved, text):
    found = json.loads(penstock("evaluate", saved, text, "--json").out)
    assert found["metrics"].keys() == {"rows", "nats", "perplexity", "bits_per_character"}
    assert found["metrics"]["rows"] == 1380
    assert "perplexity" in penstock("evaluate", saved, text).out


def test_it_is_evaluated_while_it_adapts(penstock, saved, text):
    def nats(*options):
        return json.loads(penstock("evaluate", saved, text, "--json", *options).out)["metrics"]["nats"]

    plain, model = nats(), load(saved)
    for adapt, by in (
        ("cache:window=50,share=0.5", NeuralCache(window=50, share=0.5)),
        ("dynamic:steps=200", DynamicEvaluation(steps=200)),
    ):
        found = nats("--adapt", adapt)
        assert found == pytest.approx(model.score([text.read_text()], by=by)["nats"], rel=1e-9)
        assert found != plain


@pytest.mark.parametrize(
    ("adapt", "error"),
    [
        ("memory", "adapt must be cache or dynamic, options after a colon; got 'memory'"),
        ("cache:size=3", "options of cache are window=..., share=..., flatness=..., with commas between; got 'size=3'"),
        ("cache:share=all", "share must be a number, at least 0 and below 1; got 'all'"),
    ],
)
def test_an_adaptation_that_is_not_known_is_refused(penstock, saved, text, adapt, error):
    refused = penstock("evaluate", saved, text, "--adapt", adapt)
    assert refused.code == 2
    assert error in refused.err


def test_it_continues_lines(penstock, saved):
    first = penstock("predict", saved, "-", "--tokens", 9, "--seed", 4, stdin=b"the cat\nthe dog\n")
    rows = [json.loads(line) for line in first.out.splitlines()]
    assert [len(row["prediction"]) for row in rows] == [9, 9]
    assert penstock("predict", saved, "-", "--tokens", 9, "--seed", 4, stdin=b"the cat\nthe dog\n").out == first.out
    assert penstock("predict", saved, "-", "--tokens", 9, "--seed", 5, stdin=b"the cat\nthe dog\n").out != first.out
    refused = penstock("predict", saved, "-", "--top-p", 0, stdin=b"the\n")
    assert refused.code == 2
    assert "top_p must be a number, above 0" in refused.err
    unknown = penstock("predict", saved, "-", stdin="猫\n".encode())
    assert unknown.code == 2
    assert "has no token that the model knows" in unknown.err


def test_a_stream_tells_the_surprisal_of_each_token(penstock, saved):
    lines = penstock("stream", saved, stdin=b"the cat\nsat\n").out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["tokens"] for each in found] == [list("the cat\n"), list("sat\n")]
    assert [len(each["surprisal"]) for each in found] == [8, 4]
    assert found[1]["nats"] == pytest.approx(sum(sum(each["surprisal"]) for each in found))
    assert found[1]["count"] == 12


def test_a_blank_line_is_a_line_of_the_text(penstock, saved):
    lines = penstock("stream", saved, stdin=b"the cat\n\nsat\n").out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [each["tokens"] for each in found] == [list("the cat\n"), ["\n"], list("sat\n")]
    assert found[-1]["count"] == 13


def test_music_with_parts_of_its_own_is_not_split_again(penstock, tmp_path):
    pieces = [[[60, 64], [62]] * 4] * 3
    (tmp_path / "songs.json").write_text(json.dumps({"train": pieces, "valid": pieces, "test": pieces}))
    command = ["train", "language", tmp_path / "songs.json", "--level", "notes", "--out", tmp_path / "model"]
    refused = penstock(*command, "--split", "0.5/0.5")
    assert refused.code == 2
    assert "has parts of its own: train, valid, test. Leave --split out" in refused.err
    assert not (tmp_path / "model").exists()


def test_it_is_described(penstock, saved):
    assert "language-model" in penstock("info", saved).out
    assert json.loads(penstock("info", saved, "--json").out)["level"] == "char"


def test_what_can_not_be_learned_is_refused_before_training(penstock, text, tmp_path):
    for words, message in (
        (["--level", "notes"], "level 'notes' learns from pieces"),
        (["--part", "test"], "has no parts to choose from"),
        (["--bidirectional"], "reads forward"),
    ):
        result = penstock("train", "language", text, "--out", tmp_path / "model", *words)
        assert result.code == 2
        assert message in result.err
        assert not (tmp_path / "model").exists()
