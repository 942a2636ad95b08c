"""The baselines of language models."""

import numpy as np
import pytest

from penstock.errors import BundleError
from penstock.language.baseline_training import fit_note_baselines, fit_token_baselines
from penstock.language.baselines import LanguageBaselines, NoteBaselines, read_baselines
from penstock.sequences import Sequences


def test_the_validation_data_choose_the_order():
    ring = np.tile([0, 1, 2, 0, 2, 1], 40)  # what follows depends on two tokens
    arrays, settings = fit_token_baselines(*(Sequences.from_list([ring]) for _ in range(2)), 3, orders=(1, 2, 3))
    assert settings["kneser_ney"]["order"] == 3
    found = read_baselines(arrays)
    assert found.names == ("kneser_ney", "unigram")
    losses = {name: -found.answers(name, Sequences.from_list([ring])).mean() for name in found.names}
    assert losses["unigram"] == pytest.approx(np.log(3), abs=1e-6)
    assert losses["kneser_ney"] < 0.1


def test_without_orders_there_are_only_frequencies():
    texts = Sequences.from_list([[0, 0, 1]])
    arrays, settings = fit_token_baselines(texts, texts, 3, orders=())
    assert settings == {}
    found = read_baselines(arrays)
    assert found.names == ("unigram",)
    np.testing.assert_allclose(
        np.exp(found.answers("unigram", Sequences.from_list([[0, 1], [2]]))), [1 / 2, 1 / 3, 1 / 6]
    )


def test_notes_equal_a_loop_over_them():
    random = np.random.default_rng(0)
    pieces = [(random.random((steps, 4)) < 0.4).astype(np.float32) for steps in (1, 7, 0, 12)]
    train = Sequences(np.concatenate(pieces), np.cumsum([0, 1, 7, 0, 12]))
    found = read_baselines(fit_note_baselines(train))
    counts = {before: np.full((4, 2), 0.5) for before in (None, 0, 1)}
    for piece in pieces:
        for step, frame in enumerate(piece):
            for note, on in enumerate(frame.astype(int)):
                counts[None][note, on] += 1
                if step:
                    counts[int(piece[step - 1, note])][note, on] += 1
    for name in ("repeat", "frequencies"):
        expected = []
        for piece in pieces:
            for step, frame in enumerate(piece):
                chances = []
                for note, on in enumerate(frame.astype(int)):
                    table = counts[int(piece[step - 1, note]) if name == "repeat" and step else None][note]
                    chances.append(table[on] / table.sum())
                expected.append(np.log(chances).sum())
        np.testing.assert_allclose(found.answers(name, train), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("arrays", "kind", "match"),
    [
        ({}, LanguageBaselines, "lacks unigram"),
        ({"frequencies": np.zeros(3)}, NoteBaselines, "lacks repeat"),
        ({"frequencies": np.zeros(3), "repeat": np.zeros((3, 2))}, NoteBaselines, r"repeat must be \(2, notes=3\)"),
    ],
)
def test_damaged_baselines_are_refused(arrays, kind, match):
    with pytest.raises(BundleError, match=match):
        kind(arrays)
