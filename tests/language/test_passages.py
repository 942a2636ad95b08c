"""Passages and samples of a report."""

import numpy as np

from penstock.language.passages import passages, samples


def test_passages_are_the_text_with_its_surprisal(make_model):
    model = make_model("word", ends=True)
    texts = ["the cat sat on the mat\nthe dog sat on the log\n" * 20, "on the mat"]
    sequences = model.sequences(texts)
    log_probs = model.log_probabilities(sequences)
    found = passages(model.features, sequences, log_probs)
    assert len(found["passages"]) == 3
    assert found["surprisal_levels"] == sorted(found["surprisal_levels"])
    for passage in found["passages"]:
        gaps = passage["gaps"]
        text = "".join(gap + token for gap, token in zip(gaps, passage["tokens"], strict=False)) + gaps[-1]
        assert text.replace("↵", "").replace(" \n", "\n").strip() in texts[0]
        assert len(gaps) == len(passage["tokens"]) + 1 == len(passage["surprisal"]) + 1
    first = found["passages"][0]["surprisal"]
    rounded = [float(f"{each:.3g}") for each in -log_probs]
    assert any(rounded[at : at + len(first)] == first for at in range(len(rounded)))


def test_a_short_text_is_one_passage_and_nothing_none(make_model):
    model = make_model()
    sequences = model.sequences(["the cat"])
    found = passages(model.features, sequences, model.log_probabilities(sequences))
    assert "".join(found["passages"][0]["tokens"]).startswith("the c")
    assert sum(len(each["tokens"]) for each in found["passages"]) <= 7
    assert passages(model.features, model.sequences([""]), np.zeros(0)) == {}


def test_samples_go_on_with_the_held_out_text(make_model):
    model = make_model()
    found = samples(model, model.sequences(["the cat sat on the mat"]))
    assert [each["temperature"] for each in found] == [0.5, 0.8, 1.0]
    assert all(each["prompt"] == "the cat sat on the mat" for each in found)
    assert found[2]["text"] == model.generate("the cat sat on the mat", 300)
    assert len({each["text"] for each in found}) == 3


def test_samples_of_music_and_of_unknown_words(make_model):
    music = samples(make_model("notes"), make_model("notes").sequences([[[60, 64], [62]]]))
    assert music[0]["prompt"] == "60 64 | 62 | "
    assert music[0]["text"].count("|") == 32
    words = samples(make_model("word"), make_model("word").sequences(["quite other words"]))
    assert words[0]["prompt"] == ""
    assert words[0]["text"]
